"""kvamap.py: what ring 3's page tables have of the kernel under KVA shadow.

The list below is the promise; the page tables of a running process are the
fact. Its other page tables are looked at as well: ring 3's half must be the
same, and not be executable there.
"""
import struct

from . import symbols
from .pagewalk import (FIRST_KERNEL_SLOT, NO_EXECUTE, PAGE, PRESENT, Tables)

USER_SLOTS = range(FIRST_KERNEL_SLOT)
KERNEL_SLOTS = range(FIRST_KERNEL_SLOT, 512)

# what, first symbol, pages or the symbol behind it, rights
LISTED = (
    ('doors', 'kvas_start', 'kvas_end', 'R X'),
    ('GDT', 'boot_gdt', 1, 'R  '),
    ('IDT', 'boot_idt', 1, 'R  '),
    ('TSS', 'boot_tss', 1, 'R  '),
    ('system directory', 'kvas_constants', 'kvas_constants_end', 'R  '),
    ('KPCR from KernelDirectoryTableBase on', 'boot_pcr', 'prcb', 'RW '),
    ('transition stack', 'ki_transition_stack_top', 'stack', 'RW '),
    ('#DF stack', 'ki_panic_stack_top', 'ist', 'RW '),
    ('#MC stack', 'ki_mca_stack_top', 'ist', 'RW '),
    ('NMI stack', 'ki_nmi_stack_top', 'ist', 'RW '),
    ('#DB stack', 'ki_debug_stack_top', 'ist', 'RW '),
)


class Kernel:
    """Addresses and offsets of a built kernel, and memory by them."""

    def __init__(self, build):
        self.symbols = symbols.of_kernel(build)
        self.offsets = symbols.offsets_of_kernel(build)

    def span(self, first, end):
        """(start, end) of a row of LISTED."""
        start = self.symbols[first]
        up = -(-start // PAGE) * PAGE
        if end == 'prcb':
            start += self.offsets['KPCR.Prcb.KernelDirectoryTableBase']
            return start & -PAGE, (start & -PAGE) + PAGE
        if end == 'stack':
            return up - PAGE, up
        if end == 'ist':
            return up - self.offsets['IST_STACK_SIZE'], up
        if isinstance(end, int):
            return start, start + end * PAGE
        return start, self.symbols[end]

    def listed(self):
        """{page: (what, rights)}"""
        return {page: (what, rights) for what, first, last, rights in LISTED
                for page in range(*self.span(first, last), PAGE)}


def directories(machine, kernel):
    """CR3 of ring 0 and of ring 3 of the process that runs; 0: none."""
    prcb = kernel.symbols['boot_pcr'] - symbols.KERNEL_BASE

    def quad(physical):
        return struct.unpack('<Q', machine.read(physical, 8, True))[0]

    cr3 = quad(prcb + kernel.offsets['KPCR.Prcb.KernelDirectoryTableBase'])
    thread = quad(prcb + kernel.offsets['KPCR.Prcb.CurrentThread'])
    tables = Tables(machine, cr3)
    process = quad(tables.physical(
        thread + kernel.offsets['KTHREAD.ApcState.Process']))
    return cr3, quad(tables.physical(
        process + kernel.offsets['KPROCESS.UserDirectoryTableBase']))


def rights_of(leaf):
    return f'{"R"}{"W" if leaf.write else " "}{"X" if leaf.execute else " "}'


def lines(pages, listed):
    """One for each run of pages of a kind: (start, end, rights, what)."""
    found = []
    for leaf in pages:
        what = listed.get(leaf.va, ('NOT LISTED', ''))[0]
        row = (rights_of(leaf), what)
        if found and found[-1][1] == leaf.va and found[-1][2:] == row:
            found[-1] = (found[-1][0], leaf.va + PAGE, *row)
        else:
            found.append((leaf.va, leaf.va + PAGE, *row))
    return found


def findings(pages, listed):
    """Yields what must not be, of the kernel's half."""
    seen = {leaf.va: leaf for leaf in pages}
    for va, leaf in seen.items():
        if va not in listed:
            yield f'{va:016X}: is not listed'
        elif rights_of(leaf) != listed[va][1]:
            yield (f'{va:016X}: {listed[va][0]}: has rights '
                   f'"{rights_of(leaf)}", not "{listed[va][1]}"')
        if leaf.user:
            yield f'{va:016X}: ring 3 itself may access it'
    for va, (what, _) in listed.items():
        if va not in seen:
            yield f'{va:016X}: {what}: is not there'


def halves(kernels, users):
    """Yields what must not be, of ring 3's half in both top tables."""
    pairs = zip(kernels.entries(USER_SLOTS), users.entries(USER_SLOTS))
    for slot, (kernel, user) in enumerate(pairs):
        if (kernel | NO_EXECUTE) != (user | NO_EXECUTE):
            yield f'slot {slot:03X}: differs: {kernel:016X}, {user:016X}'
        if kernel & PRESENT and not kernel & NO_EXECUTE:
            yield f'slot {slot:03X}: ring 0 may execute it'
        if user & NO_EXECUTE:
            yield f'slot {slot:03X}: ring 3 may not execute it'


class Map:
    """What one stopped machine has."""

    def __init__(self, machine, build):
        kernel = Kernel(build)
        cr3, self.directory = directories(machine, kernel)
        self.listed = kernel.listed()
        self.pages, self.findings = [], ['ring 3 has no page tables of its own']
        if not self.directory:
            return
        tables = Tables(machine, self.directory)
        self.pages = list(tables.leaves(KERNEL_SLOTS))
        self.findings = [*findings(self.pages, self.listed),
                         *halves(Tables(machine, cr3), tables)]

    def text(self):
        rows = lines(self.pages, self.listed)
        yield f'ring 3\'s page tables: {self.directory:012X}'
        for start, end, rights, what in rows:
            yield f'  {start:016X}-{end - 1:016X}  {rights}  {what}'
        yield (f'{len(self.pages)} pages of the kernel in {len(rows)} places, '
               f'{len(self.findings)} findings')

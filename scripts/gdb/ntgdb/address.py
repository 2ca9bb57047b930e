"""address.py: nt address: what addresses are for.

Ring 3's come from the regions of the process that cr3 belongs to (VadRoot)
and their page-table entries; the kernel's areas from Mm's constants. A
region's pages are told in runs of one state and protection, as
NtQueryVirtualMemory does.
"""
import struct
from typing import NamedTuple

from . import expression, headers, kernel, kuser, machine, modules, paging
from .command import Wrong, say

PAGE = 0x1000
MEM_COMMIT, MEM_RESERVE, MEM_FREE = 0x1000, 0x2000, 0x10000


class Run(NamedTuple):
    """Pages of a region with the same state and protection."""
    start: int
    end: int
    mask: int                           # 0: only reserved


def constant_name(value, prefix):
    """Returns PAGE_ or MEM_ names of a number, joined by |."""
    known = headers.constants(headers.SERVICES)
    names = [name for name, bit in known.items()
             if name.startswith(prefix) and value & bit == bit and bit]
    return ' | '.join(names) or f'{value:x}'


def protect_of(mask):
    """Returns the PAGE_ constant of a five-bit protection."""
    if mask == 0x18:
        return 1
    return {1: 2, 2: 0x10, 3: 0x20, 4: 4, 5: 8, 6: 0x40, 7: 0x80}.get(
        mask & 7, 0) | {8: 0x200, 0x10: 0x100, 0x18: 0x400}.get(mask & 24, 0)


# ---- pages of a region


class Entries:
    """Page-table entries of the loaded address space, a table at a time."""

    def __init__(self):
        self.pages = {}

    def words(self, read, where):
        """Returns the 512 numbers of the page that where is in."""
        if where & -PAGE not in self.pages:
            self.pages[where & -PAGE] = struct.unpack(
                '<512Q', read(where & -PAGE, PAGE))
        return self.pages[where & -PAGE]

    def tables(self, start, end):
        """Yields (address, end, entries) of pages; () where no table is."""
        while start < end:
            last = kernel.walk(start)[-1]
            upper = min(end, (start & -last.span) + last.span) \
                if last.level else min(end, (start & -0x200000) + 0x200000)
            entries = ()
            if not last.level:
                first = start >> 12 & 511
                entries = self.words(machine.read_physical, last.where)[
                    first:first + (upper - start) // PAGE]
            yield start, upper, entries
            start = upper

    def mask(self, entry):
        """Returns the protection of a committed page, 0 of another."""
        if not entry:
            return 0
        if entry & (1 | paging.PROTOTYPE) == paging.PROTOTYPE:
            where = paging.canonical(entry >> paging.ADDRESS_AT)
            if not self.words(machine.read, where)[where % PAGE // 8]:
                return 0
        return paging.protection(entry)

    def runs(self, start, end):
        """Returns the Runs of a region."""
        result = []
        for at, upper, entries in self.tables(start, end):
            if not entries:
                result.append(Run(at, upper, 0))
            for index, entry in enumerate(entries):
                result.append(Run(at + index * PAGE, at + (index + 1) * PAGE,
                                  self.mask(entry)))
        joined = result[:1]
        for run in result[1:]:
            if run.mask == joined[-1].mask:
                joined[-1] = Run(joined[-1].start, run.end, run.mask)
            else:
                joined.append(run)
        return joined


# ---- ring 3


class Region(NamedTuple):
    start: int
    end: int
    type: int
    protect: int
    usage: str


def usages(owner):
    """Returns {address: what is there}, of what has no name in a region."""
    peb = kernel.number(owner['Peb'])
    result = {kuser.USER: 'KUSER_SHARED_DATA', peb: 'PEB'}
    if peb:
        try:
            block = kernel.copy_at(peb, 'PEB')
            for field, name in (('ProcessParameters', 'Parameters'),
                                ('ProcessHeap', 'Heap')):
                result[kernel.number(block[field])] = name
        except machine.NoMemory:
            pass
    for thread in kernel.threads(owner):
        teb = kernel.number(thread['Tcb']['Teb'])
        if not teb:
            continue
        tid = kernel.tid(thread)
        result[teb] = f'TEB of thread {tid:x}'
        try:
            stack = kernel.copy_at(teb, 'TEB')['DeallocationStack']
        except machine.NoMemory:
            continue
        result[kernel.number(stack)] = f'Stack of thread {tid:x}'
    return result


def regions(owner):
    """Returns the Regions of an EPROCESS, in order."""
    known, result = usages(owner), []
    files = modules.boot_files()
    for vad in modules.views(kernel.number(owner['VadRoot'])):
        start = kernel.number(vad['range']['node']['key'])
        end = kernel.number(vad['range']['end'])
        file = modules.file_of(vad, files)
        names = [name for where, name in known.items()
                 if start <= where < end]
        image = int(vad['type']) == modules.MEM_IMAGE
        usage = f'{"Image" if image else "File"} [{file}]' if file else \
            ', '.join(names)
        result.append(Region(start, end, int(vad['type']),
                             int(vad['protect']), usage))
    return result


# ---- ring 0


class Area(NamedTuple):
    start: int
    end: int
    usage: str


def kernel_areas():
    """Returns the Areas of system space, in order of address."""
    known = headers.constants(headers.MM)
    system = headers.constants(headers.SYSTEM)['SYSTEM_PAGES'] * PAGE
    areas = [
        Area(known['MI_HYPERSPACE'], known['MI_HYPERSPACE'] + PAGE,
             'Hyperspace: any page, for a moment'),
        Area(kuser.KERNEL, kuser.KERNEL + PAGE, 'KUSER_SHARED_DATA'),
        Area(kuser.XP, kuser.XP + PAGE, 'KUSER_SHARED_DATA in XP\'s layout'),
        Area(known['MI_SYSTEM_PTE_START'],
             known['MI_SYSTEM_PTE_START'] + system,
             'SystemPtes: pool, kernel stacks, boot files, devices'),
        *pfn_database(known['MI_PFN_DATABASE']),
        *image_areas()]
    slot = paging.slot()
    if slot is not None:
        start = paging.canonical(slot << 39)
        areas.append(Area(start, start + (1 << 39),
                          f'PageTables: the self map, slot {slot:x}'))
    return sorted(areas)


def pfn_database(start):
    highest = kernel.number(kernel.variable('highest_page'))
    if highest:
        size = (highest + 1) * kernel.type_of('mi_pfn').sizeof
        yield Area(start, start + (size + PAGE - 1) // PAGE * PAGE,
                   f'PfnDatabase: pages 0 to {highest:x}')


def image_areas():
    """Yields the sections of the kernel's file that are in memory."""
    with open(modules.kernel_path(), 'rb') as file:
        data = file.read()
    at, = struct.unpack_from('<Q', data, 40)
    size, count, names = struct.unpack_from('<HHH', data, 58)
    rows = [struct.unpack_from('<IIQQQQ', data, at + index * size)
            for index in range(count)]
    for name, _, _, start, _, length in rows:
        if start >= modules.KERNEL_FIRST:
            text = data[rows[names][4] + name:].split(b'\0', 1)[0].decode()
            yield Area(start, start + (length + PAGE - 1) // PAGE * PAGE,
                       f'Image [ntoskrnl.elf] {text}')


def system_use(where):
    """Returns what a page of the system addresses holds."""
    for owner in kernel.processes():
        for thread in kernel.threads(owner):
            if kernel.number(thread['Tcb']['StackLimit']) <= where < \
                    kernel.number(thread['Tcb']['StackBase']):
                return (f'kernel stack of thread {kernel.pid(owner):x}.'
                        f'{kernel.tid(thread):x} {kernel.image_name(owner)}')
    physical = kernel.physical(where)
    if physical is None:
        return 'nothing now'
    for start, size, name in modules.boot_file_ranges():
        if start <= physical < start + size:
            return f'boot file [{name}]'
    magic, kind = struct.unpack('<IH', machine.read(where & -PAGE, 6))
    if magic == headers.constants(headers.POOL)['SLAB_MAGIC']:
        size = int(kernel.variable('class_size')[kind])
        return f'pool, a page of blocks of {size:x}'
    return 'pool, a whole page or more'


# ---- nt address


class Address(expression.AboutAddress):
    name = 'address'
    windbg = '!address'
    usage = '[ADDRESS]'
    summary = 'what addresses are for: all of them, or those around one'
    help = ('The process is the one whose addresses are loaded; nt .process '
            'loads another\'s.')
    most = 1

    def run(self, words):
        if not words:
            self.list_all()
            return
        where = paging.canonical_value(words[0])
        lines = self.kernel_lines(where) if where >= modules.KERNEL_FIRST \
            else self.user_lines(where)
        for name, value in lines:
            say(f'{name + ":":<23} {value}'.rstrip())

    def list_all(self):
        lines = ['  BaseAddress      EndAddress+1     RegionSize       '
                 'Type        State       Protect / Usage', '-' * 100]
        lines += self.user_rows()
        for area in kernel_areas():
            lines.append(self.row('+', area, '', '', area.usage))
        for line in lines:
            say(line)

    def user_rows(self):
        entries = Entries()
        for region in regions(kernel.process()):
            mark = '+'
            for run in entries.runs(region.start, region.end):
                state = 'MEM_COMMIT' if run.mask else 'MEM_RESERVE'
                protect = constant_name(protect_of(run.mask), 'PAGE_') \
                    if run.mask else ''
                yield self.row(mark, run, constant_name(region.type, 'MEM_'),
                               state, f'{protect:<22} {region.usage}')
                mark = ' '

    def row(self, mark, run, kind, state, rest):
        return (f'{mark} {run.start:016x} {run.end:016x} '
                f'{run.end - run.start:016x} {kind:<11} {state:<11} {rest}'
                .rstrip())

    def user_lines(self, where):
        below, owner = 0, kernel.process()
        for region in regions(owner):
            if where < region.start:
                return self.free_lines(below, region.start)
            if where < region.end:
                return self.region_lines(region, where)
            below = region.end
        return self.free_lines(below, 1 << 47)

    def free_lines(self, start, end):
        return [('Usage', 'Free'), *self.bounds(start, end),
                ('State', f'{MEM_FREE:08x}        MEM_FREE')]

    def bounds(self, start, end):
        return [('Base Address', f'{start:016x}'),
                ('End Address', f'{end:016x}'),
                ('Region Size', f'{end - start:016x}')]

    def region_lines(self, region, where):
        run, = [run for run in Entries().runs(region.start, region.end)
                if run.start <= where < run.end]
        lines = [('Usage', region.usage or 'Private'),
                 *self.bounds(run.start, run.end)]
        state = MEM_COMMIT if run.mask else MEM_RESERVE
        lines.append(('State', f'{state:08x}        '
                      f'{constant_name(state, "MEM_")}'))
        if run.mask:
            protect = protect_of(run.mask)
            lines.append(('Protect', f'{protect:08x}        '
                          f'{constant_name(protect, "PAGE_")}'))
        return [*lines,
                ('Type', f'{region.type:08x}        '
                 f'{constant_name(region.type, "MEM_")}'),
                ('Allocation Base', f'{region.start:016x}'),
                ('Allocation Protect', f'{region.protect:08x}        '
                 f'{constant_name(region.protect, "PAGE_")}')]

    def kernel_lines(self, where):
        found = [area for area in kernel_areas()
                 if area.start <= where < area.end]
        if not found:
            raise Wrong(f'{where:016x} is in no area of the kernel')
        lines = [('Usage', found[0].usage),
                 *self.bounds(found[0].start, found[0].end)]
        if found[0].usage.startswith('SystemPtes'):
            lines.append(('Contents', system_use(where)))
        last = kernel.walk(where)[-1]
        lines.append(('Page', paging.hardware(last.value)
                      if last.valid else 'not in memory'))
        return lines


COMMANDS = (Address,)

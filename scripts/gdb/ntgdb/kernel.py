"""kernel.py: the kernel's own structures.

Values are gdb.Values with the kernel's types, so fields have their names:
int(kernel.thread()['WaitTime']).
"""
import struct
from typing import NamedTuple

import gdb

from . import machine
from .command import Wrong

# Where the page tables see themselves, by level.
WINDOWS = ('MmPteBase', 'mi_pde_window', 'mi_ppe_window', 'mi_pxe_window')
LONGEST_LIST = 100000                   # longer: it does not end
PAGE_FRAME = 0x000FFFFFFFFFF000         # of a page-table entry
LARGE_PAGE = 0x80

types = {}


def kernel_symbol():
    symbol = gdb.lookup_global_symbol('KiSystemStartup')
    if symbol is None:
        raise Wrong('gdb has no kernel: file BUILD/ntoskrnl.elf')
    return symbol


def kernel_block():
    """Returns a block of the kernel's, where names mean the kernel's.

    Programs have types of the same names, 32-bit ones other layouts.
    """
    return kernel_symbol().symtab.static_block()


def type_of(name):
    """Returns a type of the kernel's by its C name (KTHREAD, mi_vad)."""
    if name not in types:
        types[name] = find_type(name)
    return types[name]


def find_type(name):
    for spelling in (name, f'struct {name}', f'union {name}', f'enum {name}'):
        try:
            return gdb.lookup_type(spelling, kernel_block())
        except gdb.error:
            pass
    raise Wrong(f'no type {name}')


def at(address, type_name):
    """Returns the structure at an address; read when its fields are."""
    pointer = type_of(type_name).pointer()
    return gdb.Value(int(address)).cast(pointer).dereference()


def copy_at(address, type_name):
    """Returns a structure as it is now; NoMemory names what is missing."""
    kind = type_of(type_name)
    return gdb.Value(machine.read(int(address), kind.sizeof), kind)


def number(value):
    """Returns an integer or pointer of the kernel's as it is unsigned."""
    return int(value) & ((1 << 8 * value.type.sizeof) - 1)


def address(value):
    """Returns where a structure is."""
    return int(value.address) & 0xFFFFFFFFFFFFFFFF


def variable(name):
    """Returns a variable of the kernel's, static ones too."""
    file = kernel_symbol().symtab.objfile
    symbol = (file.lookup_global_symbol(name) or
              file.lookup_static_symbol(name))
    if symbol is None:
        raise Wrong(f'the kernel has no {name}')
    return symbol.value()


def offset(type_name, field):
    """Returns a field's offset in bytes; field may be a path, A.B."""
    kind, total = type_of(type_name), 0
    for part in field.split('.'):
        found = member(kind, part)
        if not found:
            raise Wrong(f'{type_name} has no field {field}')
        at, kind = found
        total += at
    return total


def member(kind, name):
    """Returns (offset, type) of a member, in unnamed ones too, or None."""
    for one in kind.strip_typedefs().fields():
        if one.name == name:
            return one.bitpos // 8, one.type
        if not one.name:
            inner = member(one.type, name)
            if inner:
                return one.bitpos // 8 + inner[0], inner[1]
    return None


def entries(head, type_name, field):
    """Yields the structures on a LIST_ENTRY list, from its head's Value."""
    start, back = address(head), offset(type_name, field)
    link = number(head['Flink'])
    for _ in range(LONGEST_LIST):
        if link == start or not link:
            return
        yield at(link - back, type_name)
        link = machine.quad(link)
    raise Wrong(f'the list at {start:x} has no end')


def text(value):
    """Returns a UNICODE_STRING's text."""
    data = machine.read(number(value['Buffer']), int(value['Length']))
    return data.decode('utf-16-le', 'replace')


# ---- the processor


def pcr():
    """Returns the KPCR of the processor, whichever base gs has.

    It is found where KPCR.Self points to itself: the gs base in ring 0, what
    swapgs will bring in ring 3 and in the first instructions of an entry.
    """
    self_at = offset('KPCR', 'Self')
    for name in ('gs_base', 'k_gs_base'):
        base = machine.register(name)
        try:
            if base and machine.quad(base + self_at) == base:
                return at(base, 'KPCR')
        except machine.NoMemory:
            pass
    raise Wrong('no KPCR: the kernel has not set up gs yet')


def prcb():
    return pcr()['Prcb']


def thread():
    """Returns the ETHREAD that the processor runs."""
    return at(number(prcb()['CurrentThread']), 'ETHREAD')


def process():
    """Returns the EPROCESS whose addresses are loaded, as cr3 tells."""
    root = machine.register('cr3') & ~0xFFF
    for one in processes():
        if root in roots(one):
            return one
    return at(number(thread()['Tcb']['ApcState']['Process']), 'EPROCESS')


# ---- processes and threads


def roots(owner):
    """Returns the page tables of an EPROCESS: the kernel's half, and the
    user's where KVA shadow gives it one.
    """
    tables = (number(owner['Pcb'][field]) & ~0xFFF for field in
              ('DirectoryTableBase', 'UserDirectoryTableBase'))
    return {table for table in tables if table}


def processes():
    """Yields every EPROCESS, the System process first."""
    machine.connection()
    head = variable('PsActiveProcessHead')
    if not number(head['Flink']):
        return
    yield from entries(head, 'EPROCESS', 'ActiveProcessLinks')


def threads(owner):
    """Yields the ETHREADs of an EPROCESS."""
    yield from entries(owner['ThreadListHead'], 'ETHREAD', 'ThreadListEntry')


def pid(owner):
    return number(owner['UniqueProcessId'])


def tid(one):
    return number(one['Cid']['UniqueThread'])


def image_name(owner):
    """Returns EPROCESS.ImageFileName: 14 characters of the image's name."""
    raw = machine.read(address(owner) + offset('EPROCESS', 'ImageFileName'),
                       15)
    return raw.split(b'\0')[0].decode('ascii', 'replace')


def process_with(wanted):
    """Returns the EPROCESS with a process id, or at an address."""
    known = []
    for one in processes():
        if wanted in (pid(one), address(one)):
            return one
        known.append(f'{pid(one):x} {image_name(one)}')
    raise Wrong(f'no process {wanted:x} (there are: {", ".join(known)})')


# ---- the page tables


class Entry(NamedTuple):
    """A page-table entry that a walk has come by."""
    level: int                          # 3: PXE, 2: PPE, 1: PDE, 0: PTE
    where: int                          # physical
    value: int

    @property
    def valid(self):
        return bool(self.value & 1)

    @property
    def last(self):
        """The walk ends here: not valid, a PTE, or a large page."""
        return not self.valid or self.level == 0 or \
            self.level < 3 and bool(self.value & LARGE_PAGE)

    @property
    def span(self):
        """How many bytes of addresses it is for."""
        return 1 << 12 + 9 * self.level


def walk(virtual, root=None):
    """Returns the Entries for an address, read from memory, as the processor
    reads them, the last one last; root: another cr3.
    """
    table = (machine.register('cr3') if root is None else root) & PAGE_FRAME
    result = []
    for level in (3, 2, 1, 0):
        where = table + (virtual >> 12 + 9 * level & 511) * 8
        if machine.unwinding:
            # gdb cannot read physical memory now.
            value = machine.quad(number(variable(WINDOWS[level])) +
                                 (virtual >> 12 + 9 * level
                                  & (512 << 9 * (3 - level)) - 1) * 8)
        else:
            value = machine.physical_quad(where)
        result.append(Entry(level, where, value))
        if result[-1].last:
            break
        table = result[-1].value & PAGE_FRAME
    return result


def physical(virtual, root=None):
    """Returns where an address is in memory, or None."""
    entry = walk(virtual, root)[-1]
    if not entry.valid:
        return None
    return (entry.value & PAGE_FRAME & -entry.span) | \
        (virtual & entry.span - 1)


def words(data):
    """Returns bytes as 64-bit numbers."""
    return struct.unpack(f'<{len(data) // 8}Q', data)

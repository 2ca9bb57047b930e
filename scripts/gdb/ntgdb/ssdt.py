"""ssdt.py: the service tables, and nt ssdt.

An entry is (routine - base) << 4 | arguments on the stack; numbers from 1000h
on are the second table's. 32-bit code has tables of its own, XP's, with
routines and bytes of arguments (kernel/wow64/service.c).
"""
import gdb

from . import expression, headers, kernel, machine, modules
from .command import Command, Wrong, say

ENTRY_SHIFT, ARGUMENTS = 4, 0xF
SHADOW_FIRST = 0x1000
TABLES = ('KeServiceDescriptorTable', 'KeServiceDescriptorTableShadow')
XP_TABLES = "'kernel/wow64/service.c'::tables"
THREADS = 'kernel/include/ke_thread.h'


def services():
    """Returns {name: number} of the services that the kernel has."""
    result = {}
    for table in (0, 1):
        base, limit, entries = entries_of(table)
        names = modules.table(modules.kernel_path())
        for index, entry in enumerate(entries[:limit]):
            found = names.name_of(routine(base, entry))
            if found and not found[1] and found[0] != 'invalid_service':
                result.setdefault(found[0], table * SHADOW_FIRST + index)
    return result


def entries_of(table):
    """Returns (base, limit, entries) of a service table."""
    machine.connection()
    row = kernel.variable(TABLES[1])[table]
    base, limit = kernel.number(row['Base']), kernel.number(row['Limit'])
    if not base:
        raise Wrong('the kernel has not made its service tables yet')
    data = machine.read(base, 4 * limit)
    return base, limit, memoryview(data).cast('i').tolist()


def routine(base, entry):
    return base + (entry >> ENTRY_SHIFT) & (1 << 64) - 1


class Call:
    """A number that 64-bit code calls, and what the tables say about it.

    base None: the table that the thread sees has no such entry. table: the
    offset of the table's descriptor; thread: an ETHREAD.
    """

    def __init__(self, number, thread):
        self.number = number & 0xFFFFFFFF
        self.base = self.routine = None
        which, index = divmod(number & 2 * SHADOW_FIRST - 1, SHADOW_FIRST)
        self.table = which * kernel.type_of('KSERVICE_TABLE_DESCRIPTOR').sizeof
        gui = headers.constants(THREADS)['THREAD_FLAGS_GUI_THREAD']
        shadow = int(thread['Tcb']['ThreadFlags']) & gui
        self.table_name = TABLES[1 if shadow or which else 0]
        base, self.limit, entries = entries_of(which)
        if index >= self.limit:
            return
        self.base, self.signed = base, entries[index]
        self.entry = self.signed & 0xFFFFFFFF
        self.routine = routine(base, self.signed)
        self.stacked = self.signed & ARGUMENTS


class Call32:
    """The same for 32-bit code; bytes: of its arguments."""

    def __init__(self, number):
        self.number = number & 0xFFFFFFFF
        self.base = self.routine = None
        self.table_name = 'SSDT32'
        which, index = divmod(number & 4 * SHADOW_FIRST - 1, SHADOW_FIRST)
        if which > 1:
            return
        table = gdb.parse_and_eval(XP_TABLES)[which]
        self.limit = int(table['Limit'])
        if index < self.limit:
            self.base = kernel.address(table['Base'])
            self.routine = self.entry = kernel.number(table['Base'][index])
            self.bytes = int(table['Number'][index])


class Ssdt(Command):
    name = 'ssdt'
    windbg = '!ssdt'
    usage = '[NUMBER | NAME]'
    summary = 'the service tables: entry, arithmetic, routine, arguments'
    help = ('Without a word: all services. NUMBER is hexadecimal, from 1000 '
            'on in the\nshadow table. WinDbg itself has: dds '
            'nt!KiServiceTable.')
    most = 1

    def run(self, words):
        if not words:
            self.show_all()
            return
        number = self.number(words[0])
        table, index = divmod(number, SHADOW_FIRST)
        if table > 1:
            raise Wrong(f'{words[0]}: numbers have 13 bits')
        base, limit, entries = entries_of(table)
        if index >= limit:
            raise Wrong(f'{number:x}: the table has {limit:x} entries')
        entry = entries[index]
        target = routine(base, entry)
        say(f'{TABLES[1] if table else TABLES[0]}[{table}]: Base '
            f'{base:016x} {modules.stack_text(base)}  Limit {limit:x}')
        say(f'entry {number:04x} at {base + 4 * index:016x} = '
            f'{entry & 0xFFFFFFFF:08x}')
        say(f'routine = {base:016x} + ({entry & 0xFFFFFFFF:08x} >> 4 = '
            f'{"-" if entry < 0 else ""}{abs(entry >> ENTRY_SHIFT):x}) = '
            f'{target:016x} {modules.stack_text(target)}')
        say(f'arguments on the stack = {entry & 0xFFFFFFFF:08x} & f = '
            f'{entry & ARGUMENTS}')

    def number(self, word):
        known = services()
        for name in (word, word.partition('!')[2]):
            if name in known:
                return known[name]
        if not expression.is_number(word):
            raise Wrong(f'no service is called {word}')
        return expression.value(word)

    def show_all(self):
        for table in (0, 1):
            base, limit, entries = entries_of(table)
            say(f'{TABLES[1]}[{table}]: Base {base:016x} '
                f'{modules.stack_text(base)}  Limit {limit:x}')
            names = modules.table(modules.kernel_path())
            for index, entry in enumerate(entries):
                target = routine(base, entry)
                found = names.name_of(target)
                name = found[0] if found else ''
                if name != 'invalid_service':
                    say(f'{table * SHADOW_FIRST + index:4x}  '
                        f'{entry & 0xFFFFFFFF:08x}  {target:016x}  '
                        f'{entry & ARGUMENTS:x}  nt!{name}')

    def choices(self, words):
        return [] if words else sorted(services())


COMMANDS = (Ssdt,)

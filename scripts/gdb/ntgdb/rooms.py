"""rooms.py: which room of the house an instruction is in.

The README's table says which files are rooms. An instruction belongs to the
file of the nearest symbol before it; what a room calls, and what is no room's
file, counts as the room's.
"""
import os

import check_rooms
import gdb

from . import modules

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
PROGRAM, STUB, DOOR, DISPATCH, SERVICE, EXIT, APC, DISPATCHER = range(8)
LINES_OF_A_MACRO = 32
TITLES = ('The program', 'The stub', 'The door', 'The dispatcher',
          'The service', 'The way out', 'A user APC', 'Back in ntdll')

# Parts of rooms that have no row of their own: symbol to room and file.
ALSO = {
    'NtwCallSyscall': (STUB, 'ntdll-stub/amd64/doors.asm'),
    'NtwCallInt2e': (STUB, 'ntdll-stub/amd64/doors.asm'),
    'NtwCallSysenter': (STUB, 'ntdll-stub/amd64/doors.asm'),
    'KiFastSystemCallRet': (STUB, 'ntdll-stub/i386/stubs.asm'),
    'KiExceptionExit': (EXIT, 'arch/amd64/entry/traps.asm'),
}


class Place:
    """What a symbol's instructions are part of."""

    def __init__(self, module, symbol, room, file):
        self.module, self.symbol = module, symbol
        self.room, self.file = room, file       # None: no room's
        self.kernel = module == modules.KERNEL


class House:
    """The README's table, and the places that have been asked for.

    What is mapped is looked up once: a walk maps nothing new.
    """

    def __init__(self):
        table = check_rooms.TABLE.search(
            check_rooms.read(ROOT, 'README.md'))
        self.files, self.symbols = {}, {}
        for room, files, symbols in check_rooms.ROW.findall(table.group()):
            files = check_rooms.CODE.findall(files)
            for file in files:
                self.files[file] = int(room)
            for symbol in check_rooms.CODE.findall(symbols):
                self.symbols.setdefault(symbol, []).append(
                    (int(room), files[0]))
        self.places = {}
        self.loaded = modules.loaded()

    def module_at(self, address):
        for module in self.loaded:
            if module.base <= address < module.end:
                return module
        return None

    def name_of(self, address):
        """Returns module!symbol+offset, or ''."""
        module = self.module_at(address)
        if module is None:
            return ''
        name, beyond = self.nearest(module, address)
        return f'{module.name}!{name}' + (f'+0x{beyond:x}' if beyond else '')

    def nearest(self, module, address):
        found = module.path and modules.table(module.path).name_of(
            address - module.shift)
        return found or ('', address - module.base)

    def place(self, address):
        module = self.module_at(address)
        if module is None:
            return Place('', '', None, '')
        symbol, beyond = self.nearest(module, address)
        key = module.name, module.path, symbol
        if key not in self.places:
            self.places[key] = self.find(module, symbol, address - beyond)
        return self.places[key]

    def find(self, module, symbol, start):
        if symbol in ALSO:
            return Place(module.name, symbol, *ALSO[symbol])
        if module.name == modules.KERNEL:
            file = source(start)
            return Place(module.name, symbol, self.files.get(file), file)
        wide = module.path and not module.path.endswith('32.dll')
        folder = 'ntdll-stub/amd64' if wide else 'ntdll-stub/i386'
        if module.name.startswith('ntdll'):
            for room, file in self.symbols.get(symbol, ()):
                if file.startswith(folder):
                    return Place(module.name, symbol, room, file)
            if symbol.startswith(('Nt', 'Zw')):
                return Place(module.name, symbol, STUB, f'{folder}/stubs.asm')
        return Place(module.name, symbol, PROGRAM, '')


def routine_at(address):
    """Returns the gdb.Block of the function there, or None.

    What it begins with may be another function's, inlined.
    """
    block, found = gdb.block_for_pc(address), None
    while block and not block.is_static:
        found = block if block.function else found
        block = block.superblock
    return found


def source(address):
    """Returns the source file of a routine of the kernel, or ''."""
    block = routine_at(address)
    function = block and block.function
    table = function.symtab if function else assembly(address)
    name = table.filename if table else ''
    return os.path.relpath(name, ROOT) if os.path.isabs(name) else name


def assembly(address):
    """Returns the file of an address that is no function's.

    The first instruction may be a macro's, of another file.
    """
    for _ in range(LINES_OF_A_MACRO):
        line = gdb.find_pc_line(address)
        if line.symtab is None or not line.symtab.filename.endswith('.inc'):
            return line.symtab
        address = line.last + 1
    return line.symtab

"""modules.py: which images are where, and the names in them.

The kernel is "nt", as WinDbg says. What a process has mapped comes from its
regions (VadRoot): a view of an image is a view of one of the boot files, whose
name the loader block has. The files with symbols are those of the build, and
the program's own (NTWALK_SYMBOLS, a path list).
"""
import os
from typing import NamedTuple

import gdb

from ntwalk import symbols
from ntwalk.errors import Usage

from . import kernel, machine
from .command import Wrong

MEM_IMAGE = 0x1000000
KERNEL = 'nt'
KERNEL_FIRST = 1 << 63

options = ''            # the kernel's command line, session.py's
tables = {}             # path: symbols.Table
placed = {}             # path: the base for which gdb has its symbols
found_in = {}           # cr3: Modules, while the machine stands


class Module(NamedTuple):
    name: str           # without .dll or .exe; "nt" for the kernel
    base: int
    end: int
    path: str           # the file with symbols, or None
    shift: int          # base - the base it was linked for


def kernel_path():
    path = gdb.current_progspace().filename
    if not path:
        raise Wrong('gdb has no kernel: file BUILD/ntoskrnl.elf')
    return path


def build():
    return os.path.dirname(os.path.abspath(kernel_path()))


def table(path):
    if path not in tables:
        try:
            tables[path] = symbols.read(path)
        except Usage as wrong:
            raise Wrong(str(wrong)) from None
    return tables[path]


def candidates(file):
    """Yields where a file with symbols may be."""
    for path in os.environ.get('NTWALK_SYMBOLS', '').split(os.pathsep):
        if path and os.path.basename(path).lower() == file.lower():
            yield path
    for folder in ('debug', 'debug/programs', 'debug/user', 'debug/user32'):
        yield os.path.join(build(), folder, file)


def symbol_file(file):
    """Returns the first that has symbols, else the first that is there."""
    there = [path for path in candidates(file) if os.path.exists(path)]
    named = [path for path in there if table(path)]
    return (named + there + [None])[0]


def optional_header(path):
    with open(path, 'rb') as file:
        data = file.read(0x400)
    return data[int.from_bytes(data[0x3C:0x40], 'little') + 24:]


def linked_base(path):
    """Returns ImageBase of a PE file."""
    header = optional_header(path)
    wide = header[:2] == b'\x0b\x02'
    return int.from_bytes(header[24:32] if wide else header[28:32], 'little')


def image_size(path):
    return int.from_bytes(optional_header(path)[56:60], 'little')


def boot_file_ranges():
    """Yields (physical address, size, name) of the boot files."""
    block = kernel.variable('loader_block')
    for index in range(int(block['module_count'])):
        row = block['modules'][index]
        yield int(row['base']), int(row['size']), row['name'].string()


def boot_files():
    """Returns {physical address: name} of the boot files."""
    return {base: name for base, _, name in boot_file_ranges()}


def file_of(region, files):
    """Returns the name of the boot file that a region shows, or None."""
    section = kernel.number(region['section'])
    if not section:
        return None
    segment = region['section']['segment']
    where = kernel.number(segment['bytes'])
    return files.get(kernel.physical(where)) if where else None


def views(node):
    """Yields the regions below a node of VadRoot, in order of address."""
    while node:
        region = kernel.at(node, 'mi_vad')
        below = region['range']['node']
        yield from views(kernel.number(below['child'][0]))
        yield region
        node = kernel.number(below['child'][1])


def of_process(owner):
    """Returns the Modules that an EPROCESS has mapped."""
    files, result = boot_files(), []
    for region in views(kernel.number(owner['VadRoot'])):
        if int(region['type']) != MEM_IMAGE:
            continue
        name = file_of(region, files)
        if not name:
            continue
        base = kernel.number(region['range']['node']['key'])
        path = symbol_file(name)
        result.append(Module(
            name.rsplit('.', 1)[0], base,
            kernel.number(region['range']['end']), path,
            base - linked_base(path) if path else 0))
    return result


def nt():
    path = kernel_path()
    rows = table(path)
    return Module(KERNEL, rows.address_of('kernel_start'),
                  rows.address_of('kernel_end'), path, 0)


def expected():
    """Returns the ntdlls and the program as they will be mapped.

    For the time before the first process; both prefer the addresses that
    they were linked for, and get them.
    """
    program = options.partition(' -- ')[2].split(' ')[0]
    result = []
    for file in ('ntdll.dll', 'ntdll32.dll', program):
        path = symbol_file(file) if file else None
        if path:
            base = linked_base(path)
            result.append(Module(file.rsplit('.', 1)[0], base,
                                 base + image_size(path), path, 0))
    return result


def loaded():
    """Returns the kernel and what the process of cr3 has mapped."""
    try:
        root = machine.register('cr3')
    except Wrong:
        return [nt(), *expected()]
    if root not in found_in:
        try:
            mapped = of_process(kernel.process())
        except Wrong:
            mapped = []
        found_in[root] = [nt(), *(mapped or expected())]
    return found_in[root]


def forget(*_):
    """The machine has gone on: what is mapped has to be asked again."""
    found_in.clear()


def place():
    """Gives gdb the symbols of what is mapped, where it is mapped."""
    for module in loaded():
        if not module.path or module.name == KERNEL or \
                placed.get(module.path) == module.base:
            continue
        if module.path in placed:
            gdb.execute(f'remove-symbol-file "{module.path}"',
                        to_string=True)
        gdb.execute(f'add-symbol-file "{module.path}" -o {module.shift}',
                    to_string=True)
        placed[module.path] = module.base


# ---- names


def module_at(where):
    for module in loaded():
        if module.base <= where < module.end:
            return module
    return None


def name_of(where):
    """Returns module!symbol+offset for an address, or None.

    In a module without symbols, module+offset.
    """
    module = module_at(where)
    if module is None:
        return None
    found = module.path and table(module.path).name_of(where - module.shift)
    if not found or found[0] in ('kernel_start',):
        return f'{module.name}+0x{where - module.base:x}'
    name, beyond = found
    return f'{module.name}!{name}' + (f'+0x{beyond:x}' if beyond else '')


def matching(module_name):
    """Yields the loaded modules with a name; ntdll has two files."""
    for module in loaded():
        if module.name.lower() == module_name.lower():
            yield module


def address_of(module_name, symbol):
    """Returns the address of module!symbol, or raises Wrong."""
    modules = list(matching(module_name))
    if not modules:
        names = ' '.join(module.name for module in loaded())
        raise Wrong(f'no module {module_name} here (there are: {names})')
    for module in modules:
        found = module.path and table(module.path).address_of(symbol)
        if found:
            return found + module.shift
    raise Wrong(f'{module_name} has no symbol {symbol}')


def find(symbol):
    """Returns the address of a symbol of any module, the kernel's first."""
    for module in loaded():
        found = module.path and table(module.path).address_of(symbol)
        if found:
            return found + module.shift
    return None


def names_from(begun):
    """Returns what may complete the beginning of a name: modules, then
    their symbols, or the kernel's without a module.
    """
    module_name, bang, _ = begun.rpartition('!')
    if not bang:
        return [f'{module.name}!' for module in loaded()] + \
            list(table(kernel_path()).by_name)
    return [f'{module_name}!{name}' for module in matching(module_name)
            if module.path for name in table(module.path).by_name]


def stack_text(where):
    """Returns the name of an address that is code, for stacks; or ''."""
    try:
        return name_of(where) or ''
    except machine.NoMemory:
        return ''

"""codemap.py: the functions of a run, and the file that tells the plugin.

Functions have their names from the symbol tables of what was linked: the
kernel, both ntdlls, the programs. Their rooms are those of README.md's table:
of ring 0 by file (the linker's map tells which), of ring 3 by name.
"""
import bisect
import os
import re
import struct
import subprocess
import sys
from typing import NamedTuple

from . import boot, numbering, pe
from .errors import Usage

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'scripts'))

import check_rooms                                          # noqa: E402

# scripts/plugin/symbols.h
KERNEL, FIRST, LAST, VECTOR, INTERRUPT, DOOR, FINDS_SERVICE, CALLS_USER, \
    THREAD, DISPATCHER, CONTINUES = (1 << bit for bit in range(11))
SPECIAL = {'boot_start32': FIRST, 'kd_report': LAST,
           'KiCallUserMode': CALLS_USER, 'ki_thread_begin': THREAD,
           'NtContinue': CONTINUES, 'NtContinueEx': CONTINUES,
           'wow64_NtContinue': CONTINUES}
VECTORS = 256
# What comes whoever runs: NMI, machine check, and all beyond the exceptions
# but the software interrupts 29h to 2Eh.
ASYNCHRONOUS = {2, 18, 0x1F, *range(0x2F, VECTORS)}
SECTION_IS_CODE = 0x20
OBJECT = re.compile(r'^ \.(?:entry|boot|text\S*)\s+0x([0-9a-f]+)\s+0x[0-9a-f]+'
                    r'\s+\S*?obj/(\S+)\.o$', re.M)


class Symbol(NamedTuple):
    name: str                   # as it is shown
    kernel: bool
    vector: str                 # '', 'exception', 'interrupt'
    room: str                   # '1' to '7', or ''


class Rooms:
    """README.md's table, by file and by name."""

    def __init__(self, root=ROOT):
        self.files, self.names = {}, {}
        for number, files, names in check_rooms.rooms(root):
            self.files.update(dict.fromkeys(files, number))
            for path in files:
                self.names.setdefault(number, set()).update(names)
        if not self.files:
            raise Usage('README.md has no table of rooms')

    def numbers(self):
        return sorted(self.names)

    def files_of(self, number):
        return [path for path, room in self.files.items() if room == number]


def nm(path):
    """Yields (address, name) of a file's code, in ascending order."""
    try:
        done = subprocess.run(['nm', '-n', path], check=False, text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        raise Usage('nm is missing: run scripts/setup') from None
    best = {}
    for line in done.stdout.splitlines():
        found = re.fullmatch(r'([0-9a-f]+) ([TtWw]) ([^.\s]\S*)', line)
        if found:
            # Of several names: not the linker's, a global one, not Zw.
            name = found[3]
            key = (name.startswith('__'), found[2] in 'tw',
                   name.startswith(('Zw', '_Zw')), name)
            address = int(found[1], 16)
            best[address] = min(best.get(address, (key, name)), (key, name))
    for address in sorted(best):
        yield address, best[address][1]


def undecorated(name):
    return re.sub(r'^[_@]|@\d+$', '', name)


class Elf:
    """What is needed of the kernel: bytes at an address."""

    def __init__(self, path):
        self.data = boot.read(path)
        at, = struct.unpack_from('<Q', self.data, 32)
        size, count = struct.unpack_from('<HH', self.data, 54)
        self.segments = [struct.unpack_from('<QQQQ', self.data,
                                            at + size * i + 8)
                         for i in range(count)]

    def read(self, address, size):
        for offset, start, _, filled in self.segments:
            if start <= address and address + size <= start + filled:
                return self.data[offset + address - start:][:size]
        return b''


class CodeMap:
    """All symbols; symbols[0] is code that has none."""

    def __init__(self, build, rooms):
        self.build, self.rooms = build, rooms
        self.symbols = [Symbol('no symbol', False, '', '')]
        self.lines = []
        self.services = set(numbering.built_services(
            os.path.join(build, 'gen/stubs.inc')))

    def image(self, start, end, code):
        self.lines.append(f'image {start:x} {end:x} {code.hex() or "-"}')

    def symbol(self, address, flags, symbol):
        self.lines.append(f'symbol {address:x} {flags:x}')
        self.symbols.append(symbol)

    # ---- ring 0

    def kernel(self):
        path = os.path.join(self.build, 'ntoskrnl.elf')
        elf = Elf(path)
        symbols = dict(nm(path))
        if not symbols:
            raise Usage(f'{path} has no symbols')
        everything = self.all_names(path)
        vectors = self.vectors(elf, everything['ki_vectors'])
        places = self.objects()
        low = [at for at in symbols if at < 1 << 63]
        end = everything['boot_end']
        self.image(low[0], end, elf.read(low[0], end - low[0]))
        seen_high = False
        for address, name in symbols.items():
            if address >= 1 << 63 and not seen_high:
                seen_high = True
                self.image(address, everything['kernel_text_end'], b'')
            self.kernel_symbol(address, name.partition('.')[0], vectors,
                               places)

    @staticmethod
    def all_names(path):
        text = subprocess.run(['nm', path], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        return {words[2]: int(words[0], 16) for words in
                map(str.split, text.splitlines()) if len(words) == 3}

    @staticmethod
    def vectors(elf, address):
        """Returns {address: vector} of the IDT's entries."""
        table = elf.read(address, 8 * VECTORS)
        return {at: vector for vector, at in
                enumerate(struct.unpack(f'<{VECTORS}Q', table))}

    def objects(self):
        """Returns (addresses, files), ascending, from the linker's map."""
        path = os.path.join(self.build, 'ntoskrnl.map')
        try:
            with open(path, encoding='utf-8') as text:
                # A long section name has a line of its own.
                text = re.sub(r'^( \.\S+)\n\s+', r'\1 ', text.read(),
                              flags=re.M)
        except OSError as error:
            raise Usage(f'{path}: {error.strerror}') from None
        pairs = sorted((int(at, 16), file) for at, file in
                       OBJECT.findall(text))
        return [at for at, _ in pairs], [file for _, file in pairs]

    def kernel_symbol(self, address, name, vectors, places):
        at = bisect.bisect_right(places[0], address)
        file = places[1][at - 1] if at else ''
        room = self.rooms.files.get(file, '')
        # Room 4 is wherever room 3 leads: NtClose stands for all of them.
        room = '' if room == '4' else room
        flags, vector = KERNEL | SPECIAL.get(name, 0), ''
        if address in vectors:
            vector = 'interrupt' if vectors[address] in ASYNCHRONOUS \
                else 'exception'
            flags |= VECTOR | INTERRUPT * (vector == 'interrupt')
        if room == '2' and name in self.rooms.names['2']:
            flags |= DOOR
        if room == '3' and file.endswith('.asm'):
            flags |= FINDS_SERVICE
        self.symbol(address, flags, Symbol(name, True, vector, room))

    # ---- ring 3

    def program(self, name, path):
        """The code of a DLL or program, with the symbols it was linked with.

        path is the file on the image, or its like.
        """
        relative = os.path.relpath(path, self.build)
        debug = os.path.join(self.build, 'debug', relative)
        symbols = debug if os.path.exists(debug) else path
        image = pe.Image(boot.read(path))
        base, sections = code_of(image)
        names = list(nm(symbols))
        module = os.path.splitext(os.path.basename(name))[0]
        is_ntdll = module in ('ntdll', 'ntdll32')
        for start, code in sections:
            start += base
            self.image(start, start + len(code), code)
            before = ''
            for address, full in names:
                if not start <= address < start + len(code):
                    continue
                own = full if image.is_64bit() else undecorated(full)
                own = own.partition('.')[0]
                if own != before:
                    self.program_symbol(address, own, module, is_ntdll)
                before = own

    def program_symbol(self, address, name, module, is_ntdll):
        room = ''
        if is_ntdll and name in self.rooms.names['7']:
            room = '7'
        elif is_ntdll and (name in self.services or
                           name in self.rooms.names['1']):
            room = '1'
        shown = f'{"ntdll" if is_ntdll else module}!{name}'
        self.symbol(address, DISPATCHER * (room == '7'),
                    Symbol(shown, False, '', room))

    def write(self, path):
        with open(path, 'w', encoding='ascii') as out:
            out.write('\n'.join(self.lines) + '\n')


def code_of(image):
    """Returns (base, [(rva, bytes)]) of a PE file's code."""
    wide = image.is_64bit()
    optional = image.directories - (112 if wide else 96)
    base, = image.unpack('<Q' if wide else '<I', optional + (24 if wide
                                                             else 28), 'base')
    first = image.directories + 8 * image.directory_count
    sections = []
    for i, (size, rva, raw_size, raw) in enumerate(image.sections):
        flags, = image.unpack('<I', first + pe.SECTION_SIZE * i + 36,
                              'a section header')
        if flags & SECTION_IS_CODE:
            code = image.data[raw:raw + min(size, raw_size)]
            sections.append((rva, code))
    return base, sections

"""image.py: the entry code of a built kernel, instruction by instruction.

What the file itself cannot tell is added: which NOPs become STAC and CLAC at
boot (smap_sites), and where a fault goes on (ki_fixups).
"""
import bisect
import os
import re
import struct
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'scripts'))

from ntwalk import symbols                                  # noqa: E402
from ntwalk.errors import Usage                             # noqa: E402

LINE = re.compile(r'\s*([0-9a-f]+):\t(.*\S)\s*$')
MAP_ROW = re.compile(r'^ (\.\w+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$', re.M)
# Assembly that lies among the C: section, end of the object's name.
OUTSIDE = (('.text', '/mm/usercopy.asm.o'),)


class Image:
    """code: {address: text}; what follows it: after[address]."""

    def __init__(self, elf):
        if not os.path.isfile(elf):
            raise Usage(f'{elf}: no kernel is there (make parts builds one)')
        self.path = elf
        build = os.path.dirname(os.path.abspath(elf))
        with open(elf, 'rb') as data:
            self.data = data.read()
        self.sections = self.read_sections()
        self.names, self.sizes = {}, {}
        self.symbols = self.read_symbols()
        self.sorted = sorted(self.names)
        self.offsets = symbols.offsets_of_kernel(build)
        with open(os.path.splitext(elf)[0] + '.map',
                  encoding='utf-8') as text:
            rows = MAP_ROW.findall(text.read())
        self.ranges = entry_ranges(rows)
        # What ring 3's page tables map, too.
        self.shadow = ranges_of(rows, '.kvas', '.kvas_data') + [
            (self.symbols['ki_panic_stack_top'],
             self.symbols['ki_debug_stack_top'] + 16)]
        self.code, self.after = {}, {}
        for start, end in joined(self.ranges):
            self.disassemble(elf, start, end)
        for site, on in self.table('smap_sites', 'smap_sites_end', 2):
            if site in self.code:
                self.code[site] = 'stac' if on else 'clac'
        self.fixups = list(self.table('ki_fixups', 'ki_fixups_end', 3))
        self.vectors = self.gates('ki_vectors')
        self.shadow_vectors = self.gates('ki_shadow_vectors')

    def gates(self, table):
        return [self.quad(self.symbols[table] + 8 * vector)
                for vector in range(256)]

    def read_sections(self):
        """Returns [(type, address, offset, size, link)]."""
        start, = struct.unpack_from('<Q', self.data, 0x28)
        size, count = struct.unpack_from('<HH', self.data, 0x3A)
        return [(row[1], row[3], row[4], row[5], row[6]) for row in
                (struct.unpack_from('<IIQQQQI', self.data, start + i * size)
                 for i in range(count))]

    def read_symbols(self):
        found = {}
        for kind, _, offset, size, link in self.sections:
            if kind != 2:                               # SHT_SYMTAB
                continue
            strings = self.sections[link][2]
            for at in range(offset, offset + size, 24):
                name, info, _, _, value, length = struct.unpack_from(
                    '<IBBHQQ', self.data, at)
                if name and info & 15 < 3:
                    end = self.data.index(b'\0', strings + name)
                    text = self.data[strings + name:end].decode()
                    found[text] = value
                    self.sizes[value] = length
                    if text.startswith('..@'):          # nasm's own
                        continue
                    if info >> 4 or value not in self.names:
                        self.names[value] = text        # global ones first
        return found

    def quad(self, address):
        for kind, start, offset, size, _ in self.sections:
            if kind == 1 and start and start <= address < start + size:
                return struct.unpack_from('<Q', self.data,
                                          offset + address - start)[0]
        raise ValueError(f'nothing in the file at {address:#x}')

    def table(self, first, end, width):
        """Yields the rows of a table of quadwords."""
        for at in range(self.symbols[first], self.symbols[end], 8 * width):
            yield tuple(self.quad(at + 8 * i) for i in range(width))

    def disassemble(self, elf, start, end):
        rows = disassembled(elf, start, end)
        for i, (at, words) in enumerate(rows):
            if any(low <= at < high for low, high in self.ranges):
                self.code[at] = words
                self.after[at] = rows[i + 1][0] if i + 1 < len(rows) else end

    def name(self, address):
        """Symbol+offset, as a person looks for it."""
        start = self.start_of(address)
        offset = address - start
        return f'{self.names[start]}+{offset:#x}' if offset else \
            self.names[start]

    def symbol(self, address):
        """The last name at or before address."""
        return self.names[self.start_of(address)]

    def start_of(self, address):
        at = bisect.bisect_right(self.sorted, address)
        return self.sorted[max(at, 1) - 1]


def disassembled(elf, start, end):
    """Returns [(address, instruction)] of the kernel's text."""
    text = subprocess.run(
        ['objdump', '-D', '-j', '.text', '--no-show-raw-insn', '-M', 'intel',
         f'--start-address={start}', f'--stop-address={end}', elf],
        stdout=subprocess.PIPE, check=True, text=True).stdout
    return [(int(at, 16), ' '.join(words.split())) for at, words in
            (row.groups() for row in map(LINE.match, text.splitlines())
             if row)]


def ranges_of(rows, *sections):
    """Returns [(start, end)] of input sections, from the linker's map."""
    return sorted((int(start, 16), int(start, 16) + int(size, 16))
                  for section, start, size, _ in rows
                  if section in sections and int(size, 16))


def entry_ranges(rows):
    """The same of the entry code."""
    outside = [row for row in rows if any(
        row[0] == name and row[3].endswith(end) for name, end in OUTSIDE)]
    return sorted(ranges_of(rows, '.entry', '.kvas') +
                  ranges_of(outside, *(name for name, _ in OUTSIDE)))


def joined(ranges, gap=256):
    """Neighbours as one, so that one objdump does for all of them."""
    spans = []
    for start, end in ranges:
        if spans and start - spans[-1][1] < gap:
            spans[-1][1] = end
        else:
            spans.append([start, end])
    return spans

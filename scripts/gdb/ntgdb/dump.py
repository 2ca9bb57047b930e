"""dump.py: nt db, dw, dd, dq, da, du, dps, dds: memory as WinDbg prints it.

What is not in memory is printed as question marks.
"""
from . import expression, machine, modules
from .command import Wrong, say

PAGE = 0x1000
MOST = 0x10000                          # bytes that one command shows
LONGEST_TEXT = 0x100                    # characters of nt da and du
TEXT_LINE = 32


def read_some(address, size):
    """Returns a list of bytes, None for those that are not there."""
    result = []
    while len(result) < size:
        at = address + len(result) & expression.MASK
        count = min(size - len(result), PAGE - at % PAGE)
        try:
            result += machine.read(at, count)
        except machine.NoMemory:
            result += [None] * count
    return result


def number_text(part):
    """Returns the hexadecimal digits of a little-endian number."""
    if None in part:
        return '??' * len(part)
    return bytes(reversed(part)).hex()


def letter(byte):
    return chr(byte) if byte is not None and 32 <= byte < 127 else \
        '?' if byte is None else '.'


class Dump(expression.AboutAddress):
    """Subclasses set unit (bytes of an item), line (items) and count."""

    usage = 'ADDRESS [L COUNT]'
    unit, line, count = 1, 16, 128
    fewest, most = 1, 3

    def range(self, words):
        """Returns the address and how many items."""
        address = expression.value(words[0])
        rest = ''.join(words[1:])
        if not rest:
            return address, self.count
        if rest[0] not in 'lL' or not rest[1:]:
            raise Wrong(f'usage: nt {self.name} {self.usage}')
        count = expression.value(rest[1:])
        if count * self.unit > MOST:
            raise Wrong(f'{count:x} items are too many at once')
        return address, count

    def run(self, words):
        address, count = self.range(words)
        data = read_some(address, count * self.unit)
        step = self.line * self.unit
        for at in range(0, len(data), step):
            say(self.row(address + at & expression.MASK,
                         data[at:at + step]))

    def row(self, address, data):
        words = [number_text(data[at:at + self.unit])
                 for at in range(0, len(data), self.unit)]
        return f'{address:016x}  {" ".join(words)}'


class DumpBytes(Dump):
    name = windbg = 'db'
    summary = 'memory as bytes and characters'

    def row(self, address, data):
        words = [number_text([byte]) for byte in data]
        text = ' '.join(words[:8]) + \
            ('-' + ' '.join(words[8:]) if words[8:] else '')
        return f'{address:016x}  {text:<47}  {"".join(map(letter, data))}'


class DumpWords(Dump):
    name = windbg = 'dw'
    summary = 'memory as 16-bit numbers'
    unit, line, count = 2, 8, 64


class DumpDoubleWords(Dump):
    name = windbg = 'dd'
    summary = 'memory as 32-bit numbers'
    unit, line, count = 4, 4, 32


class DumpQuadWords(Dump):
    name = windbg = 'dq'
    summary = 'memory as 64-bit numbers'
    unit, line, count = 8, 2, 16


class DumpPointers(Dump):
    name = windbg = 'dps'
    summary = 'memory as 64-bit numbers, each with its name'
    help = 'On a stack: the return addresses, and what else looks like one.'
    unit, line, count = 8, 1, 16

    def row(self, address, data):
        name = '' if None in data else \
            modules.stack_text(int.from_bytes(bytes(data), 'little'))
        return f'{super().row(address, data)} {name}'.rstrip()


class DumpShortPointers(DumpPointers):
    name = windbg = 'dds'
    summary = 'memory as 32-bit numbers, each with its name'
    help = 'For stacks of 32-bit code.'
    unit, count = 4, 32


class DumpAscii(Dump):
    name = windbg = 'da'
    summary = 'a string of 8-bit characters'
    help = 'Until its end, or COUNT characters.'
    count = LONGEST_TEXT
    encoding = 'latin-1'

    def run(self, words):
        address, count = self.range(words)
        data = read_some(address, count * self.unit)
        text = ''
        for at in range(0, len(data), self.unit):
            part = data[at:at + self.unit]
            if None in part and not at:
                raise machine.NoMemory(address)
            if None in part or not any(part):
                break
            text += bytes(part).decode(self.encoding, 'replace')
        for at in range(0, len(text) or 1, TEXT_LINE):
            line = text[at:at + TEXT_LINE]
            shown = ''.join(c if c.isprintable() else '.' for c in line)
            say(f'{address + at * self.unit:016x}  "{shown}"')


class DumpUnicode(DumpAscii):
    name = windbg = 'du'
    summary = 'a string of 16-bit characters'
    unit, encoding = 2, 'utf-16-le'


COMMANDS = (DumpPointers, DumpShortPointers, DumpBytes, DumpWords,
            DumpDoubleWords, DumpQuadWords, DumpAscii, DumpUnicode)

"""pe.py: reading PE files, 64-bit and 32-bit, that nobody has checked.

Every field of the headers may be garbage. Whatever is wrong ends in Broken,
whose text is one line; nothing is read outside the file.
"""
import struct

MACHINE_AMD64 = 0x8664
MACHINE_I386 = 0x014C
MAGIC_PE32_PLUS = 0x20B
MAGIC_PE32 = 0x10B
# machine: magic, where the directories begin in the optional header
FORMS = {MACHINE_AMD64: (MAGIC_PE32_PLUS, 112),
         MACHINE_I386: (MAGIC_PE32, 96)}
SECTION_SIZE = 40
MAX_SECTIONS = 96
MAX_EXPORTS = 0x10000
MAX_NAME = 512


class Broken(Exception):
    """The file is not a PE file for this kernel, or not a sound one."""


class Image:
    """The headers, sections and exports of one PE32+ or PE32 file."""

    def __init__(self, data):
        self.data = data
        if data[:2] != b'MZ':
            raise Broken('not a PE file (no MZ)')
        header = self.unpack('<I', 0x3C, 'the MZ header')[0]
        if self.bytes(header, 4, 'the PE header') != b'PE\0\0':
            raise Broken('not a PE file (no PE signature)')
        self.machine, count = self.unpack('<HH', header + 4,
                                          'the file header')
        if self.machine not in FORMS:
            raise Broken('neither for x86-64 nor for i386 '
                         f'(machine {self.machine:#06x})')
        wanted, directories = FORMS[self.machine]
        size = self.unpack('<H', header + 20, 'the file header')[0]
        optional = header + 24
        magic = self.unpack('<H', optional, 'the optional header')[0]
        if magic != wanted:
            raise Broken(f'not a PE32+ image (magic {magic:#05x})'
                         if self.is_64bit() else
                         f'not a PE32 image (magic {magic:#05x})')
        if not 1 <= count <= MAX_SECTIONS:
            raise Broken(f'{count} sections')
        self.directories = optional + directories
        self.directory_count = self.unpack(
            '<I', self.directories - 4, 'the optional header')[0]
        self.sections = [self.unpack('<IIII', optional + size + 8
                                     + SECTION_SIZE * i, 'a section header')
                         for i in range(count)]

    def is_64bit(self):
        return self.machine == MACHINE_AMD64

    def bytes(self, offset, size, what):
        if offset < 0 or offset + size > len(self.data):
            raise Broken(f'{what} lies outside the file')
        return self.data[offset:offset + size]

    def unpack(self, form, offset, what):
        return struct.unpack(form, self.bytes(offset, struct.calcsize(form),
                                              what))

    def offset_of(self, rva, what):
        """Where in the file a relative virtual address lies."""
        for _, address, raw_size, raw in self.sections:
            if address <= rva < address + raw_size:
                return raw + rva - address
        raise Broken(f'{what} ({rva:#x}) lies outside every section')

    def read(self, form, rva, what):
        return self.unpack(form, self.offset_of(rva, what), what)

    def text(self, rva, what):
        start = self.offset_of(rva, what)
        end = self.data.find(b'\0', start, start + MAX_NAME)
        if end < 0:
            raise Broken(f'{what} does not end')
        return self.data[start:end].decode('latin-1')

    def exports(self):
        """Yields (name, rva) of every named export, forwarders left out."""
        if self.directory_count < 1:
            raise Broken('no export table')
        table, size = self.unpack('<II', self.directories, 'the directories')
        if not table:
            raise Broken('no export table')
        functions, names = self.read('<II', table + 20, 'the export table')
        at_function, at_name, at_ordinal = self.read(
            '<III', table + 28, 'the export table')
        if max(functions, names) > MAX_EXPORTS:
            raise Broken(f'an export table of {max(functions, names)} rows')
        for i in range(names):
            name = self.text(self.read('<I', at_name + 4 * i,
                                       'an export name')[0], 'an export name')
            ordinal = self.read('<H', at_ordinal + 2 * i, 'an ordinal')[0]
            if ordinal >= functions:
                raise Broken(f'{name} has ordinal {ordinal} of {functions}')
            rva = self.read('<I', at_function + 4 * ordinal,
                            f'the address of {name}')[0]
            if not table <= rva < table + size:
                yield name, rva


# Windows 8 to 10 1507 first stored the four register arguments.
HOMES = bytes.fromhex('48894c2408 4889542410 4c89442418 4c894c2420')
MOV_R10_RCX_MOV_EAX = bytes.fromhex('4c8bd1b8')
SYSCALL = bytes.fromhex('0f05')
STUB_REACH = 32


def stub_number(image, rva):
    """Returns (number, its offset in the file), or None: not a stub."""
    try:
        start = image.offset_of(rva, 'code')
    except Broken:
        return None
    code = image.data[start:start + len(HOMES) + STUB_REACH]
    at = len(HOMES) if code.startswith(HOMES) else 0
    if code[at:at + 4] != MOV_R10_RCX_MOV_EAX or len(code) < at + 8:
        return None
    if SYSCALL not in code[at + 8:at + STUB_REACH]:
        return None
    return struct.unpack('<I', code[at + 4:at + 8])[0], start + at + 4


def stubs(image):
    """Yields (name, number, file offset of the number) of the Nt stubs.

    Only 64-bit ones: XP's numbers are not for choosing.
    """
    for name, rva in image.exports():
        if name.startswith('Nt'):
            found = stub_number(image, rva)
            if found:
                yield (name, *found)


def check(data):
    """Raises Broken unless the bytes look like a PE file."""
    Image(data)

"""Images that are not what they say: a status, and nothing stays behind.

Each is ldra.dll with some bytes changed; tests/user/broken.c tells what
becomes of them.
"""
import os
import re
import struct

import pytest

from conftest import BUILD

NOT_AT_BASE = '40000003'
INVALID = 'c000007b'
NOT_MZ = 'c000012f'
CONFLICT = 'c0000018'


class Editor:
    """A PE32+ file and where its headers are."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.header = struct.unpack_from('<I', data, 0x3C)[0]
        self.optional = self.header + 24
        size = struct.unpack_from('<H', data, self.header + 20)[0]
        self.sections = self.optional + size

    def put(self, form, offset, *values):
        struct.pack_into('<' + form, self.data, offset, *values)
        return self.data

    def get(self, form, offset):
        return struct.unpack_from('<' + form, self.data, offset)[0]

    def section(self, name):
        return self.sections + 40 * [
            bytes(self.data[at:at + 8]).rstrip(b'\0')
            for at in range(self.sections, self.optional_end(), 40)
        ].index(name)

    def optional_end(self):
        return self.sections + 40 * self.get('H', self.header + 6)


def cases(sound):
    """Yields name, bytes, and the line: a part of it, or a pattern."""
    def new():
        return Editor(sound)

    def optional(form, offset, *values):
        file = new()
        return file.put(form, file.optional + offset, *values)

    def section(name, form, offset, *values):
        file = new()
        return file.put(form, file.section(name) + offset, *values)

    refused = f' {INVALID} '
    yield 'sound', sound, f' 00000000 00000000 10 {NOT_AT_BASE} 10 '
    yield 'no MZ', b'ZM' + sound[2:], f' {NOT_MZ} '
    yield 'MZ alone', b'MZ', f' {NOT_MZ} '
    yield 'no PE', new().put('I', 0x3C, len(sound) - 2), refused
    yield 'e_lfanew < 0', new().put('I', 0x3C, 0xFFFFFFF0), refused
    yield 'machine', new().put('H', new().header + 4, 0xAA64), refused
    yield 'many sections', new().put('H', new().header + 6, 0xFFFF), refused
    yield 'no section', new().put('H', new().header + 6, 0), refused
    yield 'SizeOfOptionalHeader', new().put('H', new().header + 20, 0xFFF0), \
        refused
    yield 'alignment 0', optional('I', 32, 0), refused
    yield 'alignment 600h', optional('I', 32, 0x600), refused
    yield 'alignment 2 GiB', optional('I', 32, 0x80000000), refused
    yield 'entry outside', optional('I', 16, 0xA000), refused
    yield 'odd ImageBase', optional('Q', 24, 0x66001000), refused
    yield 'ImageBase 0', optional('Q', 24, 0), \
        f' 00000000 {NOT_AT_BASE} 10 {NOT_AT_BASE} 10 '
    yield 'ImageBase of the kernel', optional('Q', 24, 0xFFFFF80000000000), \
        f' 00000000 {NOT_AT_BASE} 10 {NOT_AT_BASE} 10 '
    yield 'ImageBase at the end', optional('Q', 24, 0xFFFFFFFFFFFF0000), \
        f' 00000000 {NOT_AT_BASE} 10 {NOT_AT_BASE} 10 '
    yield 'SizeOfImage 0', optional('I', 56, 0), refused
    yield 'SizeOfImage 4 GiB', optional('I', 56, 0xFFFFFFFF), refused
    yield 'SizeOfImage small', optional('I', 56, 0x9000), refused
    yield 'SizeOfImage large', optional('I', 56, 0x10000), refused
    yield 'SizeOfHeaders 0', optional('I', 60, 0), refused
    yield 'SizeOfHeaders large', optional('I', 60, 0x80000), refused
    yield 'sections overlap', section(b'.rdata', 'I', 12, 0x2000), refused
    yield 'a hole', section(b'.reloc', 'I', 12, 0xA000), refused
    yield 'a large section', section(b'.rdata', 'I', 8, 0xFFFFF000), refused
    yield 'no size', section(b'.bss', 'I', 8, 0), refused
    yield 'data behind the file', section(b'.data', 'I', 20, len(sound)), \
        refused
    yield 'data at the end of the world', section(b'.data', 'I', 20,
                                                  0xFFFFFE00), refused
    yield 'write and execute', section(b'.text', 'I', 36, 0xE0000020), refused
    yield 'no relocations, one place', \
        new().put('H', new().header + 22, new().get('H', new().header + 22) |
                  1), f' 00000000 00000000 10 {CONFLICT} '
    for what, block in (('none', (0, 0)), ('tiny', (0x2000, 7)),
                        ('huge', (0x2000, 0xFFFFFFFC)),
                        ('elsewhere', (0xFFFFF000, 12)),
                        ('outside', (0xA000, 12))):
        file = new()
        at = file.get('I', file.section(b'.reloc') + 20)
        yield f'relocations: {what}', file.put('IIH', at, *block, 0xA000), \
            f' 00000000 00000000 10 {INVALID} '


def lines(run, files, tmp_path):
    added = [os.path.join(BUILD, 'user', 'broken.exe')]
    for at, data in enumerate(files):
        added.append(str(tmp_path / f'{at}.pe'))
        with open(added[-1], 'wb') as out:
            out.write(data)
    result = run('broken.exe', build=BUILD, add=added)
    assert result.status == 0
    return [re.search(rf'^{at}:(.*)$', result.console, re.M).group(1) + ' '
            for at in range(len(files))]


@pytest.fixture(name='sound')
def sound_image():
    with open(os.path.join(BUILD, 'user', 'ldra.dll'), 'rb') as data:
        return data.read()


def test_broken_images(run, sound, tmp_path):
    names, files, expected = zip(*cases(sound))
    for name, line, text in zip(names, lines(run, files, tmp_path), expected):
        assert line.startswith(text), name


def test_relocation_of_zeroes(run, sound, tmp_path):
    """An address in bytes that are not in the file is relocated, too."""
    file = Editor(sound)
    reloc = file.get('I', file.section(b'.reloc') + 20)
    file.put('II6H', reloc, 0x1000, 20, 0xA000, 0, 0, 0, 0, 0)
    file.put('I', file.section(b'.text') + 16, 0)
    words = lines(run, [sound, file.data], tmp_path)[1].split()
    assert int(words[5], 16) - file.get('Q', file.optional + 24) == \
        int(words[6], 16)

#!/usr/bin/env python3
"""seeds.py: what the fuzz targets start from.

usage: seeds.py pe|numbering|unwind|acpi|usb FOLDER [FILE...]

pe: each FILE as it is, and once more with its sections' bytes shortened, so
that a change is likely to hit something that matters. numbering: a few files
of the kinds that people write. unwind: a function with each code, one with an
epilogue at rip, a chain. acpi: a root pointer, a list of processors, a sleep,
names. usb: a keyboard's configuration, reports.
"""
import os
import sys

TEXTS = [b'', b'NtClose 15\nNtReadFile 0x6\n',
         b'# numbers\r\n\tNtGdiFlush\t0x1012 # flush\r\nNtUserGetDC 4106',
         b'NtOther 0xfff\nNtAnother 0x1fff\nNtReadFile 1\nNtClose 2\n',
         b'NtClose 1\nNtClose 2\n', b'NtClose 0x2000\n', b'NtClose\n']

# Begin, length, place of the information, rip, type; registers; the image.
HEAD = bytes([0, 0x40, 0x40, 0, 0x20, 1, 0, 0]) + bytes([64] * 16)
CODE = b'\x90' * 0x20 + b'\x48\x83\xc4\x20\x5f\x5b\xc3'.ljust(0x20, b'\xcc')
UNWINDS = [
    HEAD + CODE + bytes([9, 8, 2, 0, 8, 0x32, 1, 0x30, 0x10, 0, 0, 0]),
    HEAD + CODE.replace(b'\x48', b'\x90') +
    bytes([1, 8, 10, 0x15, 8, 0x68, 1, 0, 7, 0x74, 2, 0, 6, 3, 5, 1, 2, 0,
           4, 0x11, 0, 1, 0, 0]),
    HEAD + CODE.replace(b'\x48', b'\x90') +
    bytes([0x21, 0, 1, 0, 0, 0x30, 0, 0]) +
    bytes([0, 0, 0, 0, 0x40, 0, 0, 0, 0x54, 0, 0, 0]) +
    bytes([1, 0, 1, 0, 0, 0x0A, 0, 0]),
]

# A header of 36 bytes, whose length the target sets, and a table's own.
ACPI = [
    b'RSD PTR '.ljust(15, b'\0') + b'\2' + bytes([1] * 20),
    bytes(44) + bytes([0, 8, 0, 0, 1, 0, 0, 0, 1, 12]) + bytes(10) +
    bytes([2, 10]) + bytes(8) + bytes([9, 16]) + bytes([1] * 14),
    bytes(38) + b'\x08_S5_\x12\x06\x04\x0a\x05\x0a\x07\0\0',
    bytes([1] * 276),
    bytes([0, 9, 0, 0, 1, 2, 0, 0, 3]) + b'a\0b\0c\0\0' +
    bytes([1, 6, 0, 0, 1, 2]) + b'd\0e\0\0' + bytes([127, 4, 0, 0, 0, 0]),
]

USB = [
    bytes([9, 2, 34, 0, 1, 1, 0, 0xA0, 50, 9, 4, 0, 0, 1, 3, 1, 1, 0,
           9, 0x21, 0x11, 1, 0, 1, 0x22, 0x3F, 0, 7, 5, 0x81, 3, 8, 0, 7]),
    bytes([2, 0, 4, 5, 6, 7, 8, 9, 0, 20, 4, 0, 0, 0, 0, 0] + [0] * 8),
]
SEEDS = {'unwind': UNWINDS, 'acpi': ACPI, 'usb': USB}


def write(folder, name, data):
    with open(os.path.join(folder, name), 'wb') as out:
        out.write(data)


def main(kind, folder, files):
    os.makedirs(folder, exist_ok=True)
    if kind == 'numbering':
        for at, text in enumerate(TEXTS):
            write(folder, f'text{at}', text)
        return
    if kind in SEEDS:
        for at, data in enumerate(SEEDS[kind]):
            write(folder, f'{kind}{at}', data)
        return
    for path in files:
        with open(path, 'rb') as data:
            data = data.read()
        name = os.path.basename(path)
        write(folder, name, data)
        write(folder, name + '.headers', data[:0x400])


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2], sys.argv[3:])

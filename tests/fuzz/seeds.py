#!/usr/bin/env python3
"""seeds.py: what the fuzz targets start from.

usage: seeds.py pe|numbering FOLDER [FILE...]

pe: each FILE as it is, and once more with its sections' bytes shortened, so
that a change is likely to hit something that matters. numbering: a few files
of the kinds that people write.
"""
import os
import sys

TEXTS = [b'', b'NtClose 15\nNtReadFile 0x6\n',
         b'# numbers\r\n\tNtGdiFlush\t0x1012 # flush\r\nNtUserGetDC 4106',
         b'NtOther 0xfff\nNtAnother 0x1fff\nNtReadFile 1\nNtClose 2\n',
         b'NtClose 1\nNtClose 2\n', b'NtClose 0x2000\n', b'NtClose\n']


def write(folder, name, data):
    with open(os.path.join(folder, name), 'wb') as out:
        out.write(data)


def main(kind, folder, files):
    os.makedirs(folder, exist_ok=True)
    if kind == 'numbering':
        for at, text in enumerate(TEXTS):
            write(folder, f'text{at}', text)
        return
    for path in files:
        with open(path, 'rb') as data:
            data = data.read()
        name = os.path.basename(path)
        write(folder, name, data)
        write(folder, name + '.headers', data[:0x400])


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2], sys.argv[3:])

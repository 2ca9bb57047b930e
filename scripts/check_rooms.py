#!/usr/bin/env python3
"""check_rooms.py: the README's table of rooms says the truth.

usage: check_rooms.py [ROOT]

Every row "| 2 | `path` | `Symbol`, ... | what |" names a file that exists,
whose header comment begins with that room's number, and symbols that are
defined there: a label, a function, or, where the file includes the generated
stubs, a row of kernel/ke/services.tab. Names of 32-bit code may carry their
bytes of arguments (_Symbol@4).
"""
import os
import re
import sys

TABLE = re.compile(r'^\| room \| file \|.*?(?=\n\n|\Z)', re.M | re.S)
ROW = re.compile(r'^\|\s*(\d+)\s*\|([^|]*)\|([^|]*)\|', re.M)
CODE = re.compile(r'`([^`]+)`')
STUBS = re.compile(r'%include "stubs(32)?\.inc"')
HEADER_LINES = 3


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8') as text:
        return text.read()


def defines(root, text, symbol):
    name = re.escape(symbol)
    if re.search(rf'^(_{name}@\d+|{name})(:|\()', text, re.M) or \
            re.search(rf'^[A-Za-z].*\b{name}\([^;]*$', text, re.M):
        return True
    return STUBS.search(text) is not None and re.search(
        rf'\b{name}$', read(root, 'kernel/ke/services.tab'), re.M) is not None


def complaints(root, number, files, symbols):
    """Yields what is wrong with one row."""
    existing = [path for path in files
                if os.path.isfile(os.path.join(root, path))]
    for path in sorted(set(files) - set(existing)):
        yield f'{path} does not exist'
    texts = {path: read(root, path) for path in existing}
    for path, text in texts.items():
        head = ' '.join(text.splitlines()[:HEADER_LINES])
        if f'room {number}:' not in head:
            yield f'{path} does not begin with "room {number}:"'
    for symbol in symbols:
        if not any(defines(root, text, symbol) for text in texts.values()):
            yield f'{symbol} is not defined in {", ".join(files)}'


def rooms(root):
    """Returns [(number, files, symbols)], a row each."""
    table = TABLE.search(read(root, 'README.md'))
    return [(number, CODE.findall(files), CODE.findall(symbols))
            for number, files, symbols in
            (ROW.findall(table.group()) if table else [])]


def main(root):
    rows = rooms(root)
    if not rows:
        sys.exit('README.md has no table of rooms')
    wrong, names = [], 0
    for number, files, symbols in rows:
        names += len(files) + len(symbols)
        wrong += [f'README.md: room {number}: {complaint}' for complaint in
                  complaints(root, number, files, symbols)]
    if wrong:
        sys.exit('\n'.join(wrong))
    print(f'{len(rows)} rooms, {names} files and symbols, all there')


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else
         os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

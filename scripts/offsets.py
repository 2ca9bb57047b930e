#!/usr/bin/env python3
"""offsets.py: structure offsets for assembly.

usage: offsets.py genamd64.s ksamd64.inc

genamd64.c is compiled to assembly, never assembled. Its lines
"->KTRAP_FRAME.Rip 360" become "KTRAP_FRAME.Rip equ 360" for NASM.
"""
import re
import sys

MARK = re.compile(r'->\s*([A-Za-z_][\w.]*)\s+\$?(-?(?:0x[0-9a-fA-F]+|\d+))')


def main(source, target):
    rows = []
    seen = {}
    with open(source, encoding='ascii', errors='replace') as lines:
        for line in lines:
            found = MARK.search(line)
            if not found:
                if '->' in line and '#' not in line:
                    sys.exit(f'offsets.py: {source}: not "->NAME VALUE": '
                             f'{line.strip()}')
                continue
            name, value = found.group(1), int(found.group(2), 0)
            if seen.setdefault(name, value) != value:
                sys.exit(f'offsets.py: {source}: {name} has two values')
            rows.append((name, value))
    if not rows:
        sys.exit(f'offsets.py: {source}: no "->NAME VALUE" lines')
    width = max(len(name) for name, _ in rows)
    text = '; ksamd64.inc: made from arch/amd64/genamd64.c.\n'
    for name, value in dict(rows).items():
        text += f'{name:<{width}} equ {value:#x}\n'
    with open(target, 'w', encoding='ascii') as out:
        out.write(text)


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit('usage: offsets.py genamd64.s ksamd64.inc')
    main(sys.argv[1], sys.argv[2])

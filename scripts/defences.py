#!/usr/bin/env python3
"""defences.py: kernel/defences.tab, for C and for NASM.

usage: defences.py defences.tab OUT.h OUT.inc [BUG]
       defences.py --page PAGE.md

BUG is the one defence that is left out. OUT.h has BUG_NAME 0 or 1 for each
row, OUT.inc the same for NASM; each is written only when it changes, so that
nothing is made again that need not be. Other scripts read the table through
read_table.
"""
import collections
import os
import re
import sys

TABLE = os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), 'kernel/defences.tab')
NAME = re.compile(r'[a-z][a-z0-9_]*')

Defence = collections.namedtuple('Defence', 'name missing scenarios probes')


class Wrong(Exception):
    """One line for the user."""


def split(cell):
    """Returns the words between commas; a lone "-" says there are none."""
    return [] if cell == '-' else [word.strip() for word in cell.split(',')]


def read_table(path):
    """Returns the rows of the table; raises Wrong."""
    rows = []
    with open(path, encoding='ascii') as lines:
        for at, line in enumerate(lines, 1):
            if line.startswith('#') or not line.strip():
                continue
            cells = [cell.strip() for cell in line.split('|')]
            if len(cells) != 4 or not all(cells):
                raise Wrong(f'{path}:{at}: not "name | missing | scenarios | '
                            'probes"')
            name, missing, scenarios, probes = cells
            if not NAME.fullmatch(name):
                raise Wrong(f'{path}:{at}: {name} is not a name')
            if name in [row.name for row in rows]:
                raise Wrong(f'{path}:{at}: {name} is there twice')
            rows.append(Defence(name, missing, split(scenarios),
                                split(probes)))
    return rows


def header(rows, bug):
    left_out = [row for row in rows if row.name == bug]
    lines = ['/* bug.h: made from kernel/defences.tab.  BUG(name): the kernel '
             'has that bug. */', '#pragma once', '#define BUG(name) BUG_##name',
             '#define UNLESS_BUG(name, value) (BUG(name) ? 0 : (value))']
    lines += [f'#define BUG_{row.name} {int(row.name == bug)}'
              for row in rows]
    if left_out:
        lines += [f'#define BUG_NAME "{bug}"',
                  f'#define BUG_MISSING "{left_out[0].missing}"']
    return '\n'.join(lines) + '\n'


def equates(rows, bug):
    lines = ['; bug.inc: made from kernel/defences.tab.']
    lines += [f'%define BUG_{row.name} {int(row.name == bug)}'
              for row in rows]
    return '\n'.join(lines) + '\n'


def write_if_changed(path, text):
    if os.path.exists(path):
        with open(path, encoding='ascii') as old:
            if old.read() == text:
                return
        os.unlink(path)         # a copy of the build may share the file
    with open(path, 'w', encoding='ascii') as out:
        out.write(text)


def page_rows(rows):
    """Returns the lines of docs/defences.md's table."""
    return [f'| `{row.name}` | {row.missing} | {", ".join(row.scenarios)} | '
            f'{", ".join(row.probes)} |' for row in rows]


def write_page(path):
    """Replaces what follows the page's last table head."""
    with open(path, encoding='utf-8') as text:
        head, mark, _ = text.read().rpartition('|---|---|---|---|\n')
    with open(path, 'w', encoding='utf-8') as out:
        out.write(head + mark + '\n'.join(page_rows(read_table(TABLE))) +
                  '\n')


def main(table, c_target, asm_target, bug=''):
    try:
        rows = read_table(table)
        if bug and bug not in [row.name for row in rows]:
            names = ', '.join(sorted(row.name for row in rows))
            raise Wrong(f'no BUG {bug}; there are: {names}')
    except Wrong as error:
        sys.exit(f'defences.py: {error}')
    write_if_changed(c_target, header(rows, bug))
    write_if_changed(asm_target, equates(rows, bug))


if __name__ == '__main__':
    if sys.argv[1:2] == ['--page'] and len(sys.argv) == 3:
        sys.exit(write_page(sys.argv[2]))
    if len(sys.argv) not in (4, 5):
        sys.exit('usage: defences.py defences.tab OUT.h OUT.inc [BUG]\n'
                 '       defences.py --page PAGE.md')
    main(*sys.argv[1:])

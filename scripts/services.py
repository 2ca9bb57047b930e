#!/usr/bin/env python3
"""services.py: everything that is made from the list of services.

usage: services.py --out DIR [--exports FILE]... [--exports32 FILE]...
                   services.tab [more.tab]...

A row of the list is "table number xp arguments name [word]", for instance
"nt 0x000f 0x0019 h NtClose"; services.tab explains it. From it come, in DIR:

    services.h       each service's number, the counts and limits
    services.inc.c   rows SERVICE(table, number, stack_args, argc, name)
    stubs.inc        rows SERVICE_STUB name, number
    ntdll.def        what ntdll exports: Nt and Zw names, and the FILEs' names
    services32.inc.c rows SERVICE32(table, xp number, "letters", routine, name)
    stubs32.inc      rows SERVICE_STUB name, xp number, bytes of arguments
    calls.inc.c      rows CALL(number, xp number or -1, argc, letters, is_value,
                     name)
    exports32.def    the same of the 32-bit ntdll: services that XP has, and
                     the names of --exports32; decorate.py adds bytes
"""
import argparse
import os
import re
import sys
from typing import NamedTuple

TABLES = {'nt': (0x0000, 0x0FFF), 'win32k': (0x1000, 0x1FFF)}
LETTERS = set('pblrushqHIPNOU')
WORDS = {'', 'thunk', 'none', 'value'}
REGISTER_ARGS = 4
MAX_ARGS = REGISTER_ARGS + 14           # KiSystemServiceCopyStart's reach


class Service(NamedTuple):
    table: str
    number: int
    xp: int | None                      # its number in XP SP3
    letters: str                        # one for each argument
    name: str
    word: str                           # thunk, none, value, or nothing

    @property
    def argc(self):
        return len(self.letters)

    @property
    def stack_args(self):
        return max(0, self.argc - REGISTER_ARGS)

    @property
    def bytes32(self):
        return 4 * (self.argc + self.letters.count('q'))


class Wrong(Exception):
    """One line for the user: what is wrong, and in which line."""


def parse_number(table, text):
    """Returns a number that belongs to the table, or raises Wrong."""
    try:
        number = int(text, 0)
    except ValueError:
        raise Wrong(f'"{text}" is not a number') from None
    low, high = TABLES[table]
    if not low <= number <= high:
        raise Wrong(f'{number:#x} is outside {table} ({low:#x}-{high:#x})')
    return number


def parse_row(words):
    """Returns the Service of one row, or raises Wrong without a place."""
    if not 5 <= len(words) <= 6:
        raise Wrong('expected "table number xp arguments name [word]"')
    table, number, xp, letters, name = words[:5]
    word = words[5] if len(words) == 6 else ''
    if table not in TABLES:
        raise Wrong(f'unknown table "{table}" (nt or win32k)')
    letters = '' if letters == '-' else letters
    if not set(letters) <= LETTERS:
        raise Wrong(f'"{letters}" has a letter that nobody knows')
    if len(letters) > MAX_ARGS:
        raise Wrong(f'{name} has {len(letters)} arguments (0-{MAX_ARGS})')
    if not re.fullmatch(r'Nt[A-Za-z0-9_]+', name):
        raise Wrong(f'"{name}" is not the name of a service')
    if word not in WORDS:
        raise Wrong(f'"{word}" is none of thunk, none, value')
    return Service(table, parse_number(table, number),
                   None if xp == '-' else parse_number(table, xp), letters,
                   name, word)


def read_tabs(paths):
    """Returns the services of all files; each table sorted by number."""
    services, names, last, xp = [], set(), {}, {}
    for path in paths:
        with open(path, encoding='utf-8') as lines:
            for at, line in enumerate(lines, 1):
                words = line.split('#')[0].split()
                if not words:
                    continue
                try:
                    row = parse_row(words)
                    if row.name in names:
                        raise Wrong(f'{row.name} is listed twice')
                    before = last.get(row.table)
                    if before is not None and row.number == before.number:
                        raise Wrong(f'{row.number:#06x} is taken by '
                                    f'{before.name}')
                    if before is not None and row.number < before.number:
                        raise Wrong(f'{row.name} is out of order: it '
                                    f'belongs before {before.name}')
                    if row.xp in xp:
                        raise Wrong(f'XP\'s {row.xp:#06x} is taken by '
                                    f'{xp[row.xp]}')
                except Wrong as wrong:
                    raise Wrong(f'{path}:{at}: {wrong}') from None
                names.add(row.name)
                if row.xp is not None:
                    xp[row.xp] = row.name
                last[row.table] = row
                services.append(row)
    if not services:
        raise Wrong(f'{paths[0]}: no services')
    return services


def read_exports(paths, taken):
    """Returns the lines of exports.txt files; a name comes first in each."""
    rows, taken = [], set(taken)
    for path in paths:
        with open(path, encoding='utf-8') as lines:
            for at, line in enumerate(lines, 1):
                line = line.split('#')[0].strip()
                if not line:
                    continue
                name = re.split(r'[\s=]', line)[0]
                if name in taken:
                    raise Wrong(f'{path}:{at}: {name} is exported twice')
                taken.add(name)
                rows.append(line)
    return sorted(rows)


def header(services):
    text = ['/* services.h: made from services.tab. */', '#pragma once', '',
            f'#define SERVICE_COUNT {len(services)}']
    for table, (low, _) in TABLES.items():
        rows = [row for row in services if row.table == table]
        limit = rows[-1].number - low + 1 if rows else 0
        word = table.upper()
        text += [f'#define {word}_SERVICE_COUNT {len(rows)}',
                 f'#define {word}_SERVICE_LIMIT {limit:#x}']
    text += ['', 'enum service_number {']
    text += [f'    SERVICE_{row.name} = {row.number:#06x},'
             for row in services]
    return text + ['};']


def rows_for_c(services):
    return (['/* services.inc.c: made from services.tab.',
             ' * SERVICE(table, number, stack_args, argc, name) */']
            + [f'SERVICE({row.table}, {row.number:#06x}, {row.stack_args}, '
               f'{row.argc}, {row.name})' for row in services])


def rows_for_nasm(services):
    return (['; stubs.inc: made from services.tab.']
            + [f'SERVICE_STUB {row.name}, {row.number:#06x}'
               for row in services])


def definitions(services, exports):
    text = ['LIBRARY "ntdll.dll"', 'EXPORTS']
    for row in services:
        text.append(f'    {row.name}')
        if row.table == 'nt':
            text.append(f'    Zw{row.name[2:]} = {row.name}')
    return text + [f'    {row}' for row in exports]


def rows_for_c32(services):
    """The routine: the service itself, its thunk, or NULL."""
    text = ['/* services32.inc.c: made from services.tab.',
            ' * SERVICE32(table, xp number, letters, routine, name) */']
    for row in services:
        if row.xp is None:
            continue
        routine = {'thunk': f'wow64_{row.name}',
                   'none': 'NULL'}.get(row.word, row.name)
        text.append(f'SERVICE32({row.table}, {row.xp:#06x}, '
                    f'"{row.letters}", {routine}, {row.name})')
    return text


def rows_for_trace(services):
    text = ['/* calls.inc.c: made from services.tab.',
            ' * CALL(number, xp number, argc, letters, is_value, name) */']
    for row in services:
        xp = '-1' if row.xp is None else f'{row.xp:#06x}'
        text.append(f'CALL({row.number:#06x}, {xp}, {row.argc}, '
                    f'"{row.letters}", {int(row.word == "value")}, '
                    f'{row.name})')
    return text


def rows_for_nasm32(services):
    return (['; stubs32.inc: made from services.tab.']
            + [f'SERVICE_STUB {row.name}, {row.xp:#06x}, {row.bytes32}'
               for row in services if row.xp is not None])


def write(folder, name, lines):
    path = os.path.join(folder, name)
    with open(path, 'w', encoding='ascii') as out:
        out.write('\n'.join(lines) + '\n')


def main():
    parser = argparse.ArgumentParser(prog='services.py', allow_abbrev=False)
    parser.add_argument('--out', required=True)
    parser.add_argument('--exports', action='append', default=[])
    parser.add_argument('--exports32', action='append', default=[])
    parser.add_argument('tabs', nargs='+')
    options = parser.parse_args()
    try:
        services = read_tabs(options.tabs)
        taken = {row.name for row in services}
        taken |= {'Zw' + row.name[2:] for row in services
                  if row.table == 'nt'}
        exports = read_exports(options.exports, taken)
        exports32 = read_exports(options.exports32, taken)
    except (Wrong, OSError, UnicodeDecodeError) as wrong:
        sys.exit(f'services.py: {wrong}')
    os.makedirs(options.out, exist_ok=True)
    write(options.out, 'services.h', header(services))
    write(options.out, 'services.inc.c', rows_for_c(services))
    write(options.out, 'stubs.inc', rows_for_nasm(services))
    write(options.out, 'ntdll.def', definitions(services, exports))
    write(options.out, 'services32.inc.c', rows_for_c32(services))
    write(options.out, 'calls.inc.c', rows_for_trace(services))
    write(options.out, 'stubs32.inc', rows_for_nasm32(services))
    write(options.out, 'exports32.def', definitions(
        [row for row in services if row.xp is not None], exports32))


if __name__ == '__main__':
    main()

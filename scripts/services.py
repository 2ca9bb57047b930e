#!/usr/bin/env python3
"""services.py: everything that is made from the list of services.

usage: services.py --out DIR [--exports FILE] services.tab [more.tab]...

A row of the list is "table number argc name", for instance
"nt 0x000f 1 NtClose". From it come, in DIR:

    services.h      each service's number, the counts and limits
    services.inc.c  rows SERVICE(table, number, stack_args, argc, name)
    stubs.inc       rows SERVICE_STUB name, number
    ntdll.def       what ntdll exports: Nt and Zw names, and FILE's names
"""
import argparse
import os
import re
import sys
from typing import NamedTuple

TABLES = {'nt': (0x0000, 0x0FFF), 'win32k': (0x1000, 0x1FFF)}
REGISTER_ARGS = 4
MAX_ARGS = REGISTER_ARGS + 14           # KiSystemServiceCopyStart's reach


class Service(NamedTuple):
    table: str
    number: int
    argc: int
    name: str

    @property
    def stack_args(self):
        return max(0, self.argc - REGISTER_ARGS)


class Wrong(Exception):
    """One line for the user: what is wrong, and in which line."""


def parse_row(words):
    """Returns the Service of one row, or raises Wrong without a place."""
    if len(words) != 4:
        raise Wrong('expected "table number argc name"')
    table, number, argc, name = words
    if table not in TABLES:
        raise Wrong(f'unknown table "{table}" (nt or win32k)')
    try:
        number, argc = int(number, 0), int(argc, 0)
    except ValueError:
        raise Wrong('number and argc must be numbers') from None
    low, high = TABLES[table]
    if not low <= number <= high:
        raise Wrong(f'{number:#x} is outside {table} ({low:#x}-{high:#x})')
    if not 0 <= argc <= MAX_ARGS:
        raise Wrong(f'{name} has {argc} arguments (0-{MAX_ARGS})')
    if not re.fullmatch(r'Nt[A-Za-z0-9_]+', name):
        raise Wrong(f'"{name}" is not the name of a service')
    return Service(table, number, argc, name)


def read_tabs(paths):
    """Returns the services of all files; each table sorted by number."""
    services, names, last = [], set(), {}
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
                except Wrong as wrong:
                    raise Wrong(f'{path}:{at}: {wrong}') from None
                names.add(row.name)
                last[row.table] = row
                services.append(row)
    if not services:
        raise Wrong(f'{paths[0]}: no services')
    return services


def read_exports(path, taken):
    """Returns the lines of exports.txt; a name comes first in each."""
    rows = []
    with open(path, encoding='utf-8') as lines:
        for at, line in enumerate(lines, 1):
            line = line.split('#')[0].strip()
            if not line:
                continue
            name = re.split(r'[\s=@]', line)[0]
            if name in taken:
                raise Wrong(f'{path}:{at}: {name} is exported twice')
            taken.add(name)
            rows.append(line)
    return rows


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


def write(folder, name, lines):
    path = os.path.join(folder, name)
    with open(path, 'w', encoding='ascii') as out:
        out.write('\n'.join(lines) + '\n')


def main():
    parser = argparse.ArgumentParser(prog='services.py', allow_abbrev=False)
    parser.add_argument('--out', required=True)
    parser.add_argument('--exports')
    parser.add_argument('tabs', nargs='+')
    options = parser.parse_args()
    try:
        services = read_tabs(options.tabs)
        taken = {row.name for row in services}
        taken |= {'Zw' + row.name[2:] for row in services
                  if row.table == 'nt'}
        exports = read_exports(options.exports, taken) \
            if options.exports else []
    except (Wrong, OSError, UnicodeDecodeError) as wrong:
        sys.exit(f'services.py: {wrong}')
    os.makedirs(options.out, exist_ok=True)
    write(options.out, 'services.h', header(services))
    write(options.out, 'services.inc.c', rows_for_c(services))
    write(options.out, 'stubs.inc', rows_for_nasm(services))
    write(options.out, 'ntdll.def', definitions(services, exports))


if __name__ == '__main__':
    main()

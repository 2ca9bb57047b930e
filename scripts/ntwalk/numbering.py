"""numbering.py: service numbers as data.

A numbering file has lines "name number". The kernel rebuilds its tables by
it, and patched() gives ntdll the same numbers by the same rule: a service
keeps the file's number; one that the file lacks gets, in the order of
services.tab, the next free number above the highest of its table in the file.
"""
import re
import struct

from . import pe

TABLE_BASE = {'nt': 0x0000, 'win32k': 0x1000}
MAX_NUMBER = 0x1FFF
LINE = re.compile(r'[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]+'
                  r'(0[xX][0-9a-fA-F]+|[0-9]+)[ \t]*\Z')
STUB_ROW = re.compile(r'SERVICE_STUB (\w+), (0x[0-9a-f]+)')


class Invalid(Exception):
    """The kernel will refuse the file; the text says where and why."""


def table_of(number):
    return 'win32k' if number & 0x1000 else 'nt'


def parse(text, services):
    """Returns {name: number} of the known names, and the highest per table.

    services is {name: number} as built. Raises Invalid where the kernel would
    stop the boot: unreadable lines, numbers out of range or in the wrong
    table, a name or a number given twice.
    """
    numbers, names, taken = {}, set(), set()
    highest = {table: base - 1 for table, base in TABLE_BASE.items()}
    for at, line in enumerate(text.split('\n'), 1):
        line = line.rstrip('\r').split('#')[0]
        if not line.strip(' \t'):
            continue
        found = LINE.match(line)
        if not found:
            raise Invalid(f'line {at}: not "name number"')
        name, word = found.groups()
        number = int(word, 16 if word[:2] in ('0x', '0X') else 10)
        if number > MAX_NUMBER:
            raise Invalid(f'line {at}: {word} is out of range')
        if name in names:
            raise Invalid(f'line {at}: {name} is given twice')
        if number in taken:
            raise Invalid(f'line {at}: {word} is given twice')
        table = table_of(number)
        if name in services and table != table_of(services[name]):
            raise Invalid(f'line {at}: {word} is in the wrong table')
        names.add(name)
        taken.add(number)
        highest[table] = max(highest[table], number)
        if name in services:
            numbers[name] = number
    return numbers, highest


def complete(numbers, highest, services):
    """Adds the names that the file lacks; returns {name: number}."""
    highest = dict(highest)
    result = dict(numbers)
    for name, built in services.items():
        if name not in result:
            table = table_of(built)
            highest[table] += 1
            if highest[table] > TABLE_BASE[table] + 0xFFF:
                raise Invalid(f'no free number is left for {name}')
            result[name] = highest[table]
    return result


def built_services(stubs_path):
    """Returns {name: number} from stubs.inc, in the order of the list."""
    with open(stubs_path, encoding='ascii') as text:
        return {name: int(number, 16)
                for name, number in STUB_ROW.findall(text.read())}


def patched(ntdll, text, services):
    """Returns a copy of our ntdll.dll with the numbers of the file."""
    numbers = complete(*parse(text, services), services)
    result = bytearray(ntdll)
    for name, _, offset in pe.stubs(pe.Image(ntdll)):
        if name in numbers:
            struct.pack_into('<I', result, offset, numbers[name])
    return bytes(result)

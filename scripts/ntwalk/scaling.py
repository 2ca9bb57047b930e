"""scaling.py: what several processors do at once, and what they share in it.

    text = scaling.timed(build, smp)            the program's own table
    text = scaling.counted(build, smp)          what a call of each kind shares
    found = scaling.count(build, kind, smp)     a Count, of one of KINDS

The program is programs/bench/scaling.c. Time is taken on a machine whose
processors run at the same time. What they share is told by a plugin that
watches their calls (scripts/plugin/share.c), on a machine whose clock counts
instructions and whose processors take turns.
"""
import os
import re
import tempfile
from typing import NamedTuple

from . import boot, codemap, symbols
from .bench import Differ
from .errors import Usage
from .machine import plugin

PROGRAM = 'scaling'
KINDS = {'null': 'NtGetCurrentProcessorNumber', 'own': 'NtResetEvent',
         'one': 'NtResetEvent'}
DOORS = ('KiSystemCall64', 'KiSystemCall64Shadow')
TABLES = ('ki_vectors', 'ki_shadow_vectors')
ROWS = ('interlocked instructions', 'on lines that others use',
        'lines that others use, written', 'a lock was taken, in all calls')
TITLES = ('null', 'own event', 'one event')
TABLE = re.compile(r'^scaling: (?:.*\n)+? +processors .*\n(?: +\d.*\n)+', re.M)
MOST = 8                        # processors (share.c)
LIMIT = 300                     # seconds


class Count(NamedTuple):
    """What a run's calls did; functions by name, and how often."""
    calls: list                 # by processor
    locked: dict                # interlocked instructions
    shared: dict                # lines that others use, by who writes them
    contended: list             # interlocked instructions there, by line
    waited: dict                # PAUSEs: a lock was found taken

    def each(self):
        """Returns the numbers of a call that finds no lock taken: interlocked
        instructions, those on lines that others use, such lines.

        Who finds one taken tries again; that is far less than one in a call.
        """
        calls = sum(self.calls)
        return (round(sum(self.locked.values()) / calls),
                round(sum(self.contended) / calls), sum(self.shared.values()))


def run(build, *words, **options):
    """Returns the program's console."""
    result = boot.run(boot.Config(
        program=PROGRAM, args=list(words), build=build, make=False,
        framebuffer=False, timeout=LIMIT, **options))
    if result.status:
        raise Usage(f'{PROGRAM}: {result.reason or result.status}')
    return result.console


def timed(build, smp):
    return TABLE.search(run(build, smp=smp))[0]


def places(build, service):
    """Yields (kind, address) of what the plugin must know."""
    names = symbols.of_kernel(build)
    elf = codemap.Elf(os.path.join(build, 'ntoskrnl.elf'))
    doors = {names[name] for name in DOORS}
    entries = doors.union(*(codemap.CodeMap.vectors(elf, names[table])
                            for table in TABLES))
    yield 'service', names[service]
    for kind, addresses in (('door', doors), ('entry', entries)):
        for at in sorted(addresses):
            yield kind, at


def function(table, address):
    """Its name, without what GCC adds to that of a part."""
    return table.name_of(int(address, 16))[0].partition('.')[0]


def read(path, table):
    """Returns the Count that the plugin has written."""
    found = Count([], {}, {}, [], {})
    with open(path, encoding='ascii') as text:
        for kind, number, where, *line in map(str.split, text):
            if kind == 'calls':
                found.calls.append(int(where))
                continue
            rows, name = getattr(found, kind), function(table, where)
            if kind == 'shared':
                found.contended.append(int(line[1]))
                number = 1
            rows[name] = rows.get(name, 0) + int(number)
    return found


def count(build, kind, smp, icount=True):
    """Without icount they do not take turns, and find locks taken."""
    with tempfile.TemporaryDirectory() as folder:
        known, out = (os.path.join(folder, name) for name in ('places', 'out'))
        with open(known, 'w', encoding='ascii') as text:
            for what, at in places(build, KINDS[kind]):
                text.write(f'{what} {at:x} {at + 1:x}\n')
        run(build, kind, smp=smp, icount=icount, qemu_args=plugin(
            os.path.join(build, 'share.so'), places=known, out=out))
        return read(out, symbols.read(os.path.join(build, 'ntoskrnl.elf')))


def count_twice(build, kind, smp):
    """Returns Count.each(); Differ if it is not the same again."""
    first, second = (count(build, kind, smp).each() for _ in range(2))
    if first != second:
        raise Differ(f'{kind}: {first}, and then {second}')
    return first


def counted(build, smp):
    """Returns the text of what calls share."""
    each = zip(*(count_twice(build, kind, smp) for kind in KINDS))
    waits = [sum(count(build, kind, smp, icount=False).waited.values())
             for kind in KINDS]
    lines = [f'   {name:32}' + ''.join(f'{number:12}' for number in numbers)
             for name, numbers in zip(ROWS, [*each, waits])]
    return '\n'.join([f'In a call, while {smp} processors make it', '',
                      ' ' * 35 + ''.join(f'{title:>12}' for title in TITLES),
                      *lines])

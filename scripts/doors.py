#!/usr/bin/env python3
"""doors.py: every service, and what each door calls it.

usage: doors.py services.tab [more.tab]...

64-bit code calls Windows 10 2004's numbers, by syscall, int 2e or sysenter;
32-bit code calls XP SP3's, by sysenter or int 2e. The last column tells how
a 32-bit call becomes a 64-bit one:

    same        every argument is widened, and that is all
    translated  it points to structures that have another form in 64 bits
    thunk       a routine of its own makes the 64-bit call
    none        STATUS_NOT_SUPPORTED
    not in XP   no number, so there is nothing to call
"""
import sys

from services import Wrong, read_tabs

ROW = '{:<28} {:>6} {:>5}   {:>6} {:>5}   {}'


def form(row):
    """Returns what 32-bit code gets."""
    if row.xp is None:
        return 'not in XP'
    if row.word in ('thunk', 'none'):
        return row.word
    translated = any(letter.isupper() for letter in row.letters)
    return 'translated' if translated else 'same'


def line(row):
    xp = ('-', '-') if row.xp is None else (f'{row.xp:#06x}', row.bytes32)
    return ROW.format(row.name, f'{row.number:#06x}', row.argc, *xp,
                      form(row))


def listing(services):
    """Yields the lines of the table, then who has no 32-bit form and why."""
    yield ROW.format('', '64-bit', '', '32-bit', '', '').rstrip()
    yield ROW.format('service', 'number', 'args', 'number', 'bytes',
                     '32-bit form')
    yield from (line(row) for row in services)
    yield ''
    for word, text in (('none', 'No 32-bit form, STATUS_NOT_SUPPORTED'),
                       ('not in XP', 'Not in XP SP3')):
        names = [row.name for row in services if form(row) == word]
        yield f'{text}: {", ".join(names) or "no service"}'


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.split('\n\n')[1])
    try:
        services = read_tabs(sys.argv[1:])
    except (Wrong, OSError, UnicodeDecodeError) as wrong:
        sys.exit(f'doors.py: {wrong}')
    print('\n'.join(listing(services)))


if __name__ == '__main__':
    main()

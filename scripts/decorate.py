#!/usr/bin/env python3
"""decorate.py: gives the names of a .def file their i386 decoration.

usage: decorate.py NM IN.DEF OUT.DEF OBJECT...

A stdcall routine is known to the linker as _Name@bytes, a cdecl one as _Name.
The objects say which is which: NM lists them, and OUT.DEF has "Name@bytes"
where IN.DEF has "Name". The linker takes the decoration off again when it
exports the names; programs are linked by it.
"""
import re
import subprocess
import sys

SYMBOL = re.compile(r'^[0-9a-f]+ [A-Z] _(\w+)(@\d+)?$', re.M)
ROW = re.compile(r'\s+(\w+)(?:\s*=\s*(\w+))?$')


def decorations(nm, objects):
    """Returns {name: "@bytes" or ""} of all global symbols."""
    done = subprocess.run([nm, '-g', '--defined-only', *objects], check=True,
                          stdout=subprocess.PIPE, text=True)
    return {name: bytes_ or '' for name, bytes_
            in SYMBOL.findall(done.stdout)}


def decorated(line, known):
    row = ROW.match(line)
    if not row:
        return line
    name, routine = row.groups()
    if (routine or name) not in known:
        sys.exit(f'decorate.py: nothing defines {routine or name}')
    suffix = known[routine or name]
    if routine:
        return f'    {name}{suffix} = {routine}{suffix}'
    return f'    {name}{suffix}'


def main(nm, source, target, objects):
    known = decorations(nm, objects)
    with open(source, encoding='ascii') as text:
        lines = text.read().splitlines()
    with open(target, 'w', encoding='ascii') as out:
        out.write('\n'.join(decorated(line, known) for line in lines) + '\n')


if __name__ == '__main__':
    if len(sys.argv) < 5:
        sys.exit('usage: decorate.py NM IN.DEF OUT.DEF OBJECT...')
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])

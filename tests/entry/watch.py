#!/usr/bin/env python3
"""watch.py: does ring 0 touch ring 3's memory as it may, and only once?

usage: watch.py [--build DIR] [--calls N | PROGRAM [WORD...]]

Runs PROGRAM, or all of PROGRAMS and N calls of the fuzzer, in a machine whose
every access to memory in ring 0 is looked at (scripts/plugin/watch.c), and
prints what must not be:

    an access to an address of the lower half by an instruction that is not in
    ki_fixups: the copies, room 3's arguments, its look at the TEB
    a read of bytes that the same thread has read in the same service
    instructions and accesses under ring 3's page tables that these have not

then a line of counts. DIR is a test build; without it, build/test.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

sys.dont_write_bytecode = True

import image as images                                      # noqa: E402
import watched                                              # noqa: E402
from ntwalk import boot                                     # noqa: E402
from ntwalk.arguments import Parser, told, whole            # noqa: E402

# As in tests/user/expected.txt: 32/NAME is for 32-bit code, --option=KEY=VALUE
# is the kernel's.
ON, OFF = '--option=kva=on', '--option=kva=off'
PROGRAMS = (
    f'pointers {ON}', f'probes {OFF}', f'answers {ON}', f'32/answers {ON}',
    f'outputs {OFF}', f'doors {ON} --option=debug=on', f'tracing {ON}',
    f'processes {ON}', f'32/wow64 {OFF}',
)


def config(build, program, *words):
    """The boot.Config of a program of the test build."""
    folder = 'user32' if program.startswith('32/') else 'user'
    name = program.rpartition('/')[2] + '.exe'
    path = os.path.join(build, folder, name)
    return boot.Config(
        program=name, args=[word for word in words
                            if not word.startswith('--')],
        add=[path] if os.path.exists(path) else [],
        options=[word.removeprefix('--option=') for word in words
                 if word.startswith('--option=')],
        build=build, make=False, framebuffer=False, timeout=3600)


def main():
    parser = Parser(prog='watch.py', allow_abbrev=False)
    parser.add_argument('--build', default=os.path.join(watched.ROOT,
                                                        'build/test'))
    parser.add_argument('--calls', type=whole, default=0)
    parser.add_argument('program', nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    watch = watched.Watch(images.Image(os.path.join(chosen.build,
                                                    'ntoskrnl.elf')))
    runs = [chosen.program] if chosen.program else \
        [line.split() for line in PROGRAMS]
    if chosen.calls:
        half = f'calls={(chosen.calls + 1) // 2}'
        runs += [['fuzz', half, ON], ['32/fuzz', half, OFF]]
    failed = False
    for words in runs:
        result = watch.run(config(chosen.build, *words))
        if result.status:
            print(f'{" ".join(words)}: status {result.status} '
                  f'{result.reason}\n{result.console}')
            failed = True
    findings = watch.findings()
    print(*findings, watch.summary(), sep='\n')
    return 1 if failed or findings else 0


if __name__ == '__main__':
    sys.exit(told('watch', main))

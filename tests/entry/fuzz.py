#!/usr/bin/env python3
"""fuzz: random calls against a model, in ring 3 of a machine of its own.

usage: tests/entry/fuzz.py [--build DIR] [--bits 32] [--cpu MODEL] [WORD=N]...

The words are those of tests/user/fuzz/fuzz.c: calls=, states=, contexts=,
seed=, at=. A finding is printed as the program prints it, and how to see it
again; so are a machine that hangs and a bugcheck, with the last call that is
known. The exit status is 0 only without any of them.
"""
import argparse
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'scripts'))
sys.dont_write_bytecode = True

from ntwalk import boot                                     # noqa: E402
from ntwalk.arguments import Parser, duration, told         # noqa: E402

BEGIN = 'fuzz: seed '
SECONDS_A_CALL = 60e-6          # seven times what it takes
WORDS = ('calls', 'states', 'contexts', 'seed', 'at', 'findings')


def word(text):
    """A word for the program, as (name, number)."""
    name, _, number = text.partition('=')
    try:
        if name in WORDS and 0 <= int(number, 0) < 1 << 32:
            return name, int(number, 0)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        f'{text}: not a number of {", ".join(WORDS)}')


def arguments():
    it = Parser(prog='fuzz.py', description=__doc__, allow_abbrev=False,
                formatter_class=argparse.RawDescriptionHelpFormatter)
    it.add_argument('--build', default=boot.default_build())
    it.add_argument('--bits', choices=('64', '32'), default='64')
    it.add_argument('--cpu', default='intel')
    it.add_argument('--option', action='append', default=[])
    it.add_argument('--timeout', type=duration)
    it.add_argument('words', nargs='*', type=word, metavar='WORD=N')
    return it.parse_args()


def words_of(options):
    """Where it does not say: a state and a context for a hundred calls."""
    words = {'calls': 200000, **dict(options.words)}
    others = 0 if 'at' in words else words['calls'] // 100
    return {'states': others, 'contexts': others, **words}


def config_of(options):
    folder = 'user' if options.bits == '64' else 'user32'
    words = words_of(options)
    return boot.Config(
        program='fuzz.exe', make=False, build=options.build,
        args=[f'{name}={number}' for name, number in words.items()],
        cpu=options.cpu, options=options.option,
        add=[os.path.join(options.build, folder, 'fuzz.exe')],
        timeout=options.timeout or
        60 + SECONDS_A_CALL * words['calls'])


class Lines:
    """Prints what the program says, a line at a time, as it comes."""

    def __init__(self):
        self.rest, self.begun = '', False

    def __call__(self, data):
        *lines, self.rest = (self.rest +
                             data.decode('ascii', 'replace')).split('\n')
        for line in lines:
            self.begun = self.begun or line.startswith(BEGIN)
            if self.begun and line.strip():
                print(line.rstrip(), flush=True)


def replay(options, seed, kind, at):
    """Calls are shown from their epoch on; the others begin with the first."""
    words = f'AT={at}' if kind == 'call' else \
        f'N=0 {kind.upper()}S={int(at) + 1}'
    bits = ' BITS=32' if options.bits == '32' else ''
    return f'again: make fuzz SEED={seed} {words}{bits}'


def last_call(console):
    """The seed, the findings, and the last call that a line has told."""
    seed = re.findall(r'fuzz: seed (\d+)', console)
    found = re.findall(r'FINDING at (call|state|context) (\d+)', console)
    told = re.findall(r'fuzz: seed \d+, (\d+) calls', console)
    return (seed or ['?'])[0], found, (told or ['0'])[-1]


def main():
    options = arguments()
    result = boot.run(config_of(options), Lines(),
                      lambda line: print(f'fuzz: {line}', file=sys.stderr))
    seed, found, told = last_call(result.console)
    if found:
        print(replay(options, seed, *found[0]))
    elif result.value != 0:
        print(f'FINDING: {result.reason or "the program has ended"}, seed '
              f'{seed}, behind call {told}')
        print(replay(options, seed, 'call', told))
    return 0 if result.value == 0 and not found else 1


if __name__ == '__main__':
    sys.exit(told('fuzz', main))

#!/usr/bin/env python3
"""mutants.py: every instruction of the entry code replaced by NOPs, in turn.

usage: mutants.py [--build DIR] [--part I/N] [--sample N [--seed S]] [NAME]...

Each mutant is the built test kernel without one instruction. First the walk
of all paths (paths.py) looks at it; what that does not see is written into a
running machine (lab.py) on which the programs of SUITE are run, one after
another until one of them goes wrong. A mutant that none notices has survived:
survivors.txt says of some why that must be so.

DIR is a finished test build (build/test). --part takes each Nth mutant, from
the Ith on; --sample N of them, by chance; NAME those of one symbol. Of the ways
in of unexpected vectors one is taken, and of the Zw stubs: each of these two
kinds is one macro (COPIES).
"""
import argparse
import collections
import concurrent.futures
import copy
import fnmatch
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bugs                                                 # noqa: E402
import image as images                                      # noqa: E402
import lab                                                  # noqa: E402
import paths                                                # noqa: E402

SURVIVORS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                         'survivors.txt')
JOBS = int(os.environ.get('NTWALK_JOBS', '2'))
NOP = b'\x90'
COPIES = re.compile(r'(ki_unexpected_(?!32(_shadow)?$)\d+(_shadow)?|'
                    r'Zw(?!Close$)\w+)$')
LEAST = 0.5                             # seconds

# Quick ones that see much come first.
SUITE = bugs.words_of("""
callregs, 32/callregs, 32/gate, exceptions, flags, 32/flags, numbers, args
debugregs, 32/debugregs, instrument, calloutregs, callback, context
selectors, 32/selectors, pointers, outplaces, 32/args, 32/exceptions, ring0 0
ring0 4, ring0 e, floating, ring0 60, ums, slists, initial
ring0 100, ring0 101, ring0 10c, ring0 103, crash step_sysenter
crash syscall32, crash rcx_non_canonical, flags ac int2e, flags ac sysenter
ring0 20, ring0 22, contexts2, 32/apc, apc, continuefuzz, isolation
threadstorm, apcstorm, nmi: 32/storm, nmi: isolation
""")

Mutant = collections.namedtuple('Mutant', 'address size name text')


def mutants_of(image):
    """Returns [Mutant], without what only fills."""
    found = []
    for address in sorted(image.code):
        text = image.code[address]
        if paths.FILLER.match(text) or \
                COPIES.match(image.symbol(address)):
            continue
        found.append(Mutant(address, image.after[address] - address,
                            image.name(address), text))
    return found


def copies_of(image):
    return sum(bool(COPIES.match(image.symbol(address)))
               for address, text in image.code.items()
               if not paths.FILLER.match(text))


def walk_notices(image, mutant):
    other = copy.copy(image)
    other.code = {**image.code, mutant.address: 'nop'}
    return bool(paths.Walk(other).run(most=1))


# ---- one process of several


class Judge:
    """Has a machine of its own."""

    def __init__(self, build, usual):
        self.image = images.Image(os.path.join(build, 'ntoskrnl.elf'))
        self.lab = lab.Lab(build, bugs.programs_of(SUITE))
        self.lab.start()
        self.usual = usual              # {probe: seconds}

    def measure(self):
        """How long each takes, and that none is red already."""
        for probe in SUITE:
            start = self.lab.seconds()
            outcome = self.run(probe, 60, ())
            self.usual[probe] = self.lab.seconds() - start
            if not bugs.is_right(probe.rpartition(': ')[2], outcome):
                sys.exit(f'mutants.py: {probe} is red on the kernel as it is '
                         f'({bugs.describe(outcome)})')
        self.lab.stop()

    def run(self, probe, limit, patches):
        kind, _, line = probe.rpartition(': ')
        program, *words = line.split()
        return self.lab.run(program, *words, limit=limit, patches=patches,
                            meanwhile=bugs.send_nmi if kind else None)

    def verdict(self, mutant):
        """Returns who notices, or ''."""
        if walk_notices(self.image, mutant):
            return 'paths'
        patches = [(mutant.address, NOP * mutant.size)]
        for probe in SUITE:
            if self.is_red(probe, patches) and self.is_red(probe, patches):
                return probe
        return ''

    def is_red(self, probe, patches):
        """Asked twice: a machine under load may have been late."""
        limit = max(LEAST, bugs.PATIENCE * self.usual[probe])
        try:
            outcome = self.run(probe, limit, patches)
        except (lab.Died, OSError, RuntimeError):
            self.lab.stop()
            self.lab.start()
            return True
        return not bugs.is_right(probe.rpartition(': ')[2], outcome)


def begin(build, usual):
    global judge
    judge = Judge(build, usual)


def judged(mutant):
    start = time.monotonic()
    return mutant, judge.verdict(mutant), time.monotonic() - start


# ---- all together


def reasons():
    """Returns [(symbol, instruction, reason)] of survivors.txt."""
    rows = []
    with open(SURVIVORS, encoding='ascii') as lines:
        for line in lines:
            if line.strip() and not line.startswith('#'):
                what, _, why = line.partition('|')
                symbol, _, text = what.partition(':')
                rows.append((symbol.strip(), text.strip(), why.strip()))
    return rows


def reason_of(mutant, rows):
    """Returns why it survives, or None."""
    symbol = mutant.name.partition('+')[0]
    text = re.sub(r' *<.*', '', mutant.text)
    for pattern, words, why in rows:
        if fnmatch.fnmatchcase(symbol, pattern) and \
                fnmatch.fnmatchcase(text, words.replace('[', '[[]')):
            return why
    return None


def chosen(mutants, arguments):
    if arguments.names:
        mutants = [mutant for mutant in mutants
                   if mutant.name.partition('+')[0] in arguments.names]
    if arguments.sample:
        mutants = random.Random(arguments.seed).sample(
            mutants, min(arguments.sample, len(mutants)))
    if arguments.part:
        first, _, count = arguments.part.partition('/')
        mutants = mutants[int(first) - 1::int(count)]
    return mutants


def run(build, mutants, verbose):
    rows, caught, left = reasons(), collections.Counter(), []
    usual = {}
    Judge(build, usual).measure()
    with concurrent.futures.ProcessPoolExecutor(
            JOBS, initializer=begin, initargs=(build, usual)) as pool:
        for mutant, by, seconds in pool.map(judged, mutants):
            if by:
                caught[by] += 1
            else:
                left.append(mutant)
            if verbose or not by:
                print(f'{mutant.name}: {mutant.text}: '
                      f'{by or reason_of(mutant, rows) or "SURVIVES"} '
                      f'({seconds:.1f} s)', flush=True)
    return rows, caught, left


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add = parser.add_argument
    add('--build', default=os.path.join(lab.ROOT, 'build/test'))
    add('--part')
    add('--sample', type=int)
    add('--seed', type=int, default=1)
    add('--verbose', action='store_true')
    add('names', nargs='*')
    arguments = parser.parse_args()
    start = time.monotonic()
    image = images.Image(os.path.join(arguments.build, 'ntoskrnl.elf'))
    mutants = chosen(mutants_of(image), arguments)
    if not mutants:
        sys.exit('mutants.py: there are none')
    rows, caught, left = run(arguments.build, mutants, arguments.verbose)
    known = [mutant for mutant in left if reason_of(mutant, rows)]
    for by, count in caught.most_common():
        print(f'{count:6} {by}')
    share = 100 * sum(caught.values()) / len(mutants)
    print(f'{len(mutants)} mutants, {sum(caught.values())} caught '
          f'({share:.1f} %), {len(left)} survive, {len(known)} of them with '
          f'a reason; {copies_of(image)} copies of two macros not tried; '
          f'{time.monotonic() - start:.0f} s')
    return 0 if share >= 95 and len(known) == len(left) else 1


if __name__ == '__main__':
    sys.exit(main())

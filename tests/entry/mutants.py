#!/usr/bin/env python3
"""mutants.py: every instruction of the entry code replaced by NOPs, in turn.

usage: mutants.py [--build DIR] [--part I/N] [--sample N [--seed S]]
                  [--verbose] [NAME]...

Each mutant is the built test kernel without one instruction. First the walk
of all paths (paths.py) looks at it; what that does not see is written into a
running machine (lab.py) on which the programs of SUITE are run, one after
another until one of them goes wrong. A mutant that none notices has survived:
survivors.txt says of some why that must be so.

Of SUITE only those programs are asked that execute the instruction at all
(scripts/plugin/coverage.c tells), and first of them who has noticed most so
far, for the time that it takes.

DIR is a finished test build (build/test), with a checked kernel: there C does
to registers what it may (tests/kernel/callees.asm). --part takes each Nth
mutant, from the Ith on; --sample N of them, by chance; NAME those of one
symbol. Of the ways in of unexpected vectors one is taken, and of the Zw stubs:
each of these two kinds is one macro (COPIES).
"""
import argparse
import collections
import concurrent.futures
import copy
import fnmatch
import hashlib
import mmap
import os
import pickle
import random
import re
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bugs                                                 # noqa: E402
import image as images                                      # noqa: E402
import lab                                                  # noqa: E402
import paths                                                # noqa: E402
from decode import JUMPS                                    # noqa: E402
from ntwalk.arguments import Parser, told, whole            # noqa: E402
from ntwalk.errors import Died, Usage                       # noqa: E402
from ntwalk.machine import plugin                           # noqa: E402

SURVIVORS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                         'survivors.txt')
JOBS = int(os.environ.get('NTWALK_JOBS', '2'))
NOP = b'\x90'
STOP = re.compile(r'\*\*\* STOP: 0x[0-9A-F]+ \(([^)]*)\)')
COPIES = re.compile(r'(ki_unexpected_(?!32(_shadow)?$)\d+(_shadow)?|'
                    r'ki_zw_stubs|Zw(?!wEcho2$)\w+)$')
LEAST = 0.5                             # seconds

# What runs as it is, and what does under KVA shadow, too (SETUPS).
PROGRAMS = """
callregs, 32/callregs, 32/gate, exceptions, flags, 32/flags, numbers, args
debugregs, 32/debugregs, instrument, calloutregs, callback, context
selectors, 32/selectors, outplaces, 32/args, 32/exceptions, initial, fired, ist
badiret, memory, ums, monitors, 32/monitors, 32/callback, doors, tracing
ring0 0, ring0 4, ring0 6, ring0 e, ring0 f, ring0 50, ring0 52, ring0 53
ring0 54
ring0 60, ring0 150, ring0 153, ring0 154, ring0 159, ring0 15a
ring0 15b, ring0 15c, ring0 15d, ring0 15e, ring0 15f, ring0 5b
doors gui syscall, doors gui int2e, doors gui sysenter, crash step_syscall
crash step_int2e, crash step_sysenter, crash rcx_non_canonical, crash int_29
32/apc, 32/raises
"""
SUITE = bugs.words_of(PROGRAMS) + bugs.words_of("""
compat, pointers, intel, slists, 32/slists, floating, 32/floating, gates
continuefuzz, contexts2, apc, isolation, threadstorm, apcstorm, kstack
faultloop
ring0 20, ring0 22, ring0 100, ring0 101, ring0 103, ring0 10c, ring0 151
ring0 152, ring0 155, ring0 156, ring0 160
32/unpinned, 32/unpinned 100, 32/unpinned 101, 32/unpinned 156
32/unpinned 160
flags ac int2e, flags ac sysenter
nmi: 32/storm, nmi: isolation, amd: crash syscall32
""") + ['shadow: ' + probe for probe in bugs.words_of(PROGRAMS)] + \
    bugs.words_of("""
amd shadow: crash syscall32, shadow: ring0 103, shadow: contexts2
shadow nmi: 32/flags, one: fired, one: flags, one: 32/flags, one: exceptions
one: ist
""")
OPTIONS = ['pagefile=8', 'debug=on']
SHADOW = OPTIONS + ['kva=on', 'spec=on']
ONE_SPACE = OPTIONS + ['kva=off', 'spec=on']
# Before a probe's colon, without "nmi".
SETUPS = {'': {'options': OPTIONS}, 'shadow': {'options': SHADOW},
          'one': {'options': ONE_SPACE},
          'amd': {'options': OPTIONS, 'cpu': 'EPYC'},
          'amd shadow': {'options': SHADOW, 'cpu': 'EPYC'}}


def checked(build):
    """The folder of the kernel."""
    return os.path.join(build, 'checked')


def kernel_of(build):
    return os.path.join(checked(build), 'ntoskrnl.elf')


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


class Walks(paths.Walk):
    """The walk of the kernel as it is, which tells others where to begin."""

    def __init__(self, image):
        super().__init__(image)
        self.states = collections.defaultdict(list)
        if self.run():
            raise Died('make paths first')

    def step(self, address, state):
        self.states[address].append(state)
        return super().step(address, state)

    def notices(self, mutant):
        """Walks on from the mutant; all that leads there is as before.

        Without a branch there may be code that nothing leads to any more.
        """
        image = copy.copy(self.image)
        image.code = {**image.code, mutant.address: 'nop'}
        states = self.states[mutant.address]
        walk = paths.Walk(image)
        walk.seen = self.seen - {(mutant.address, state.key())
                                 for state in states}
        walk.work = [(mutant.address, state) for state in states]
        walk.go_on(most=1)
        return bool(walk.violations) or \
            mutant.text.split()[0] in JUMPS | {'call'} and \
            bool(paths.Walk(image).run(most=1))


# ---- who executes what


class Counters:
    """How often instructions have begun, as the plugin counts them."""

    def __init__(self, image, build, path):
        self.start = image.symbols['kernel_start']
        self.places = sorted(image.code)
        end = image.symbols['kernel_text_end']
        self.size = 8 * (end - self.start)
        with open(path, 'w+b') as file:
            file.truncate(self.size)
            self.map = mmap.mmap(file.fileno(), self.size)
        self.arguments = plugin(
            os.path.join(os.path.abspath(build), 'coverage.so'),
            start=f'{self.start:x}', end=f'{end:x}', live=path)

    def clear(self):
        self.map[:] = bytes(self.size)

    def begun(self):
        with memoryview(self.map) as octets, octets.cast('Q') as counts:
            return {at for at in self.places if counts[at - self.start]}


class Known:
    """usual: {probe: seconds}; executed: {probe: addresses}; said: {probe:
    what a bugcheck's screen has begun with}, as far as it is always the same.

    Kept in the folder of the labs for who comes next.
    """

    def __init__(self, build):
        self.usual, self.executed, self.said = {}, {}, {}
        path = os.path.join(build, 'lab', f'known-{digest(build)}')
        if os.path.exists(path):
            with open(path, 'rb') as kept:
                self.usual, self.executed, self.said = pickle.load(kept)
            return
        self.ask_all(build)
        with open(path, 'wb') as kept:
            pickle.dump((self.usual, self.executed, self.said), kept)

    def ask_all(self, build):
        image = images.Image(kernel_of(build))
        with tempfile.NamedTemporaryFile() as file, \
                Machines(build, Counters(image, build, file.name)) as machines:
            for probe in SUITE:
                machines.one(probe)     # it has booted
                machines.counters.clear()
                self.measure(machines, probe)
                self.executed[probe] = machines.counters.begun()
        with Machines(build) as machines:
            for probe in SUITE:
                self.measure(machines, probe)

    def measure(self, machines, probe):
        """None is red on the kernel as it is."""
        one = machines.one(probe)
        computed, start = one.seconds(), time.monotonic()
        outcome = machines.run(probe, 60)
        self.usual[probe] = max(one.seconds() - computed,
                                time.monotonic() - start)
        if not bugs.is_right(probe.rpartition(': ')[2], outcome):
            raise Died(f'{probe} is red on the kernel as it is '
                       f'({bugs.describe(outcome)})')
        said = parameters(outcome)
        self.said[probe] = [one if one == other else None for one, other in
                            zip(said, self.said.get(probe, said))]

    def is_right(self, probe, outcome):
        return bugs.is_right(probe.rpartition(': ')[2], outcome) and all(
            right in (None, one) for one, right in
            zip(parameters(outcome), self.said[probe]))


def parameters(outcome):
    """Of a bugcheck, in words."""
    found = STOP.search(outcome.text or '')
    return found[1].split(',') if found else []


def digest(build):
    """Of all that decides what a program does."""
    found = hashlib.sha256(repr((SUITE, SETUPS)).encode())
    for folder in (build, checked(build), os.path.join(build, 'user'),
                   os.path.join(build, 'user32')):
        for name in sorted(os.listdir(folder)):
            if name.endswith(('.exe', '.elf')):
                with open(os.path.join(folder, name), 'rb') as data:
                    found.update(data.read())
    return found.hexdigest()[:16]


class Machines:
    """A lab for each of SETUPS that is asked for."""

    def __init__(self, build, counters=None):
        self.build, self.counters = build, counters
        self.labs = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.labs.values():
            one.stop()

    def one(self, probe):
        kind = probe.rpartition(': ')[0].removesuffix('nmi').strip()
        if kind not in self.labs:
            self.labs[kind] = lab.Lab(
                self.build, bugs.programs_of(SUITE), **SETUPS[kind],
                kernel=checked(self.build),
                qemu_args=self.counters.arguments if self.counters else ())
            self.labs[kind].start()
        return self.labs[kind]

    def run(self, probe, limit, patches=()):
        kind, _, line = probe.rpartition(': ')
        program, *words = line.split()
        return self.one(probe).run(
            program, *words, limit=limit, patches=patches,
            meanwhile=bugs.send_nmi if kind.endswith('nmi') else None)

    def again(self, probe):
        self.one(probe).stop()
        self.one(probe).start()


# ---- one process of several


class Judge:
    """Has machines of its own."""

    def __init__(self, build, known):
        self.walks = Walks(images.Image(kernel_of(build)))
        self.machines = Machines(build)
        self.known = known
        self.noticed = collections.Counter()    # by probe
        self.here = collections.Counter()       # by symbol, probe

    def verdict(self, mutant):
        """Returns who notices, or ''."""
        if self.walks.notices(mutant):
            return 'paths'
        patches = [(mutant.address, NOP * mutant.size)]
        symbol = mutant.name.partition('+')[0]
        for probe in self.order(mutant.address, symbol):
            if self.is_red(probe, patches):
                self.noticed[probe] += 1
                self.here[symbol, probe] += 1
                return probe
        return ''

    def order(self, address, symbol):
        """Whose turn it is: who notices much in little time comes first.

        Who executes it without KVA shadow is not asked again with it, if it
        is not about that.
        """
        executed = self.known.executed
        def worth(probe):
            return (-self.here[symbol, probe],
                    -(1 + self.noticed[probe]) / self.known.usual[probe])
        return sorted((probe for probe in SUITE if
                       address in executed[probe] and
                       (address not in executed.get(plain(probe), ()) or
                        self.asks_about_shadow(address))),
                      key=worth)

    def asks_about_shadow(self, address):
        """It looks at KiKvaShadow, or branches on that."""
        code = self.walks.image.code
        return any('<KiKvaShadow>' in code.get(at, '')
                   for at in range(address - 8, address + 1))

    def is_red(self, probe, patches):
        """Who hangs is asked twice: a machine under load may be late."""
        limit = max(LEAST, bugs.PATIENCE * self.known.usual[probe])
        for _ in range(2):
            try:
                outcome = self.machines.run(probe, limit, patches)
            except (lab.Died, OSError, RuntimeError):
                self.machines.again(probe)
                return True
            if outcome.kind != 'hang':
                break
        return not self.known.is_right(probe, outcome)


def plain(probe):
    """The same without KVA shadow; '' if it is without."""
    kind, _, line = probe.rpartition(': ')
    if 'shadow' not in kind:
        return ''
    kind = ' '.join(word for word in kind.split() if word != 'shadow')
    return f'{kind}: {line}' if kind else line


def begin(build, known):
    global judge
    judge = Judge(build, known)


def judged(mutant):
    start = time.monotonic()
    return mutant, judge.verdict(mutant), time.monotonic() - start


# ---- all together


def reasons():
    """Returns [(symbols, instructions, reason)] of survivors.txt."""
    rows = []
    with open(SURVIVORS, encoding='ascii') as lines:
        for line in lines:
            if line.strip() and not line.startswith('#'):
                what, _, why = line.partition('|')
                symbols, _, texts = what.partition(':')
                rows.append((symbols.split(), [
                    text.strip() for text in texts.split(' / ')], why.strip()))
    return rows


def reason_of(mutant, rows):
    """Returns why it survives, or None."""
    symbol = mutant.name.partition('+')[0]
    text = re.sub(r' *#.*', '', mutant.text)
    for symbols, texts, why in rows:
        if matches(symbol, symbols) and matches(text, texts):
            return why
    return None


def matches(word, patterns):
    return any(fnmatch.fnmatchcase(word, pattern.replace('[', '[[]'))
               for pattern in patterns)


def part(text):
    """I/N, as two numbers."""
    first, count = map(whole, text.split('/'))
    if first > count:
        raise ValueError
    return first, count


def chosen(mutants, arguments):
    if arguments.names:
        mutants = [mutant for mutant in mutants
                   if mutant.name.partition('+')[0] in arguments.names]
    if arguments.sample:
        mutants = random.Random(arguments.seed).sample(
            mutants, min(arguments.sample, len(mutants)))
    if arguments.part:
        first, count = arguments.part
        mutants = mutants[first - 1::count]
    return mutants


def run(build, mutants, verbose):
    rows, caught, left = reasons(), collections.Counter(), []
    known = Known(build)
    with concurrent.futures.ProcessPoolExecutor(
            JOBS, initializer=begin, initargs=(build, known)) as pool:
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
    parser = Parser(prog='mutants.py', description=__doc__,
                    allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--build', default=os.path.join(lab.ROOT, 'build/test'))
    add('--part', type=part, metavar='I/N')
    add('--sample', type=whole, metavar='N')
    add('--seed', type=int, default=1)
    add('--verbose', action='store_true')
    add('names', nargs='*')
    arguments = parser.parse_args()
    start = time.monotonic()
    image = images.Image(kernel_of(arguments.build))
    mutants = chosen(mutants_of(image), arguments)
    if not mutants:
        raise Usage('there is no such mutant')
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
    sys.exit(told('mutants', main))

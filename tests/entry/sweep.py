#!/usr/bin/env python3
"""sweep.py: an NMI, a machine check and a clock interrupt before every
instruction of the kernel's ways in and out.

entrypaths.exe takes each path; we step through it, and before each instruction
make something happen and compare everything (boundary.py). README.md says what
is left out, and what the figures mean.

Scenarios: A2, D1 to D3, D10, D11, M6.
"""
import argparse
import collections
import multiprocessing
import os
import queue
import random
import sys
import time

import image as images
from boundary import Boundary, PathOver
from events import EVENTS
from guest import Guest
from inject import KINDS
from ntwalk.arguments import Parser, some_of, told, whole
from ntwalk.errors import Died
from pairs import pairs_of
from state import IF, set_register
from stub import Stopped

LOOK = 0.2                              # seconds between looks at processes
LONGEST = 200000                        # boundaries of a path
SHORT = 1000                            # and of one that is taken often
HLT, STI = 0xF4, 0xFB
TRIES = 8                               # of a step: it may do nothing
KVA = ('off', 'on')

# What make test goes along; the others differ from these in C.
SHORT_FORM = [
    'syscall, no arguments', 'syscall, 18 arguments', 'syscall, no stack',
    'int2e, no arguments', 'int2e, no stack', 'sysenter, no arguments',
    'sysenter, 18 arguments', 'demand-zero page', 'callback', 'NtContinue',
    'yield', 'single step', 'read 8', 'clock in ring 0', 'DPC interrupt',
    'IPI', 'NMI in ring 3', 'NMI at a door', 'machine check in ring 3',
    'machine check at a door', 'SYSENTER with TF', 'IRETQ that faults']
# Of these only 64-bit code's: 32-bit code's are long and take the same way.
WIDE_FORM = ['demand-zero page', 'single step']


class Walk:
    """One path, once, from path_begin to path_end."""

    def __init__(self, guest, image, options, event=None, paired=None):
        self.guest, self.image, self.options = guest, image, options
        self.event = event
        self.paired = {} if paired is None else paired
        self.counts = collections.Counter()
        self.index = -1
        self.visits = collections.Counter()
        self.happened = False           # what self.event is about
        self.state = self.kind = None

    def code(self, state):
        """The first byte of the instruction."""
        byte = self.guest.read(state, state['rip'], 1)
        return byte[0] if byte else 0

    def step(self, state):
        """Executes one instruction; returns the state behind it.

        HLT is left out, and the interrupt that it waits for comes.
        """
        stub = self.guest.stub
        if state.ring == 0 and self.code(state) == HLT:
            stub.ask(set_register('rip', state['rip'] + 1))
            stub.ask(*KINDS['clock'].packets)
            state = self.guest.state()
        # Whoever is back at STI comes to SYSEXIT, and was there before.
        for _ in range(TRIES):
            stub.ask('s')
            after = self.guest.state()
            if after.packet != state.packet:
                return after
        raise Stopped('it does not get on')

    def comes(self, before, state):
        """Whether an interrupt that had to wait comes now."""
        opened = state['eflags'] & IF and (
            not before['eflags'] & IF or state['cr8'] < before['cr8'])
        return opened and self.guest.pending() >> 4 > state['cr8']

    def take(self, number, start=0):
        """Sweeps the path, from boundary start on; Stopped is a failure."""
        try:
            self.go_along(number, start)
        except PathOver:
            pass
        for kind in KINDS.values():
            self.guest.wipe(kind)
        self.guest.end_path()

    def go_along(self, number, start):
        guest = self.guest
        before = self.state = guest.begin_path(number)
        while self.state['rip'] != guest.end:
            state = self.state
            self.index += 1
            if self.index > LONGEST:
                raise Stopped('it does not end')
            if not self.comes(before, state) and self.index >= start and \
                    self.chosen(state):
                self.inject(state, self.code(before) == STI)
            if self.event and self.event.look(self, state):
                state = guest.state()
            before, self.state = state, self.step(state)

    def kinds(self, state, behind_sti):
        """What can happen here; loops of C are not swept without end."""
        rip = state['rip']
        self.visits[rip] += 1
        without = self.event.without if self.event else ()
        return [kind for kind in self.options.kinds
                if kind.name not in without and
                kind.possible(state, behind_sti) and
                (self.visits[rip] <= kind.visits or rip in self.image.code)]

    def chosen(self, state):
        """Whether this boundary is one of those that are swept."""
        every = self.options.every
        return (self.index + self.options.seed) % every == 0 or \
            Boundary(self.guest, state).critical()

    def inject(self, state, behind_sti):
        kinds = self.kinds(state, behind_sti)
        self.counts['boundaries'] += bool(kinds)
        self.counts['critical'] += bool(kinds) and \
            Boundary(self.guest, state).critical()
        for self.kind in kinds:
            self.counts[self.kind.plural] += 1
            fault = Boundary(self.guest, state).inject(
                self.kind, self.compared(self.counts[self.kind.plural]))
            if fault:
                raise Stopped(fault)
        if self.options.pairs:
            self.inject_pairs(state)
        self.kind = None

    def take_once(self, number, index, kind):
        """Makes kind happen once, before instruction index, and leaves all
        else to the program; returns what is wrong, or None."""
        guest = self.guest
        self.state = guest.begin_path(number)
        for self.index in range(index):
            if self.state['rip'] == guest.end:
                break
            self.state = self.step(self.state)
        count = guest.count(kind)
        kind.prepare(guest)
        if self.state['rip'] != guest.end:
            guest.stub.ask(*kind.packets, 'c')
            self.counts['single ' + kind.plural] += 1
            guest.expect(guest.end)
            if guest.count(kind) != count + 1:
                raise Stopped('not counted once')
        guest.end_path()

    def inject_pairs(self, state):
        """Each critical place once, whichever path it is on."""
        boundary = Boundary(self.guest, state)
        if self.event or not boundary.critical() or \
                state['rip'] in self.paired:
            return
        self.paired[state['rip']] = True
        handlers = {}
        for pair in pairs_of(self.options.kinds):
            self.kind = pair
            for fault in pair.at(boundary, handlers, self.options.every,
                                 self.options.seed):
                self.counts['pairs'] += 1
                if fault:
                    raise Stopped(fault)

    def compared(self, count):
        """How much memory is compared, every so often more."""
        return ('all' if count % self.options.whole == 0 else
                'data' if count % self.options.data == 0 else 'counter')


class Sweeper:
    """Takes paths on one machine after another: a failed one is replaced."""

    def __init__(self, options, image, setup, paired):
        self.options, self.image, self.setup = options, image, setup
        self.paired = paired
        self.guest = None

    def machine(self):
        if not self.guest:
            self.guest = Guest(self.options.build, self.image,
                               self.setup.wide, self.setup.options)
            try:
                self.guest.__enter__()
            except BaseException:
                self.guest = None
                raise
        return self.guest

    def drop(self):
        if self.guest:
            self.guest.__exit__()
        self.guest = None

    def describe(self, walk, name, fault):
        """One line: what, where, and what came of it."""
        where = walk.guest.name(walk.state['rip'])
        what = walk.kind.name if walk.kind else 'the step'
        return (f'{self.setup.name}, {name}: {what} before instruction '
                f'{walk.index}, {where} in ring {walk.state.ring}: {fault}')

    def take(self, name):
        """Returns (counts, failures) of one path."""
        counts, failures, start = collections.Counter(), [], 0
        while len(failures) < self.options.enough:
            guest = self.machine()
            event = EVENTS.get(name)
            walk = Walk(guest, self.image, self.options, event, self.paired)
            try:
                number = guest.paths[event.path if event else name]
                walk.take(number, start)
                counts += walk.counts
                if not event and walk.index < SHORT:
                    counts += self.take_singly(number, walk.index)
                break
            except (Stopped, Died) as fault:
                counts += walk.counts
                failures.append(self.describe(walk, name, fault))
                start = walk.index + 1
                self.drop()
        return counts, failures

    def take_singly(self, number, length):
        """Once through the path for each of some boundaries."""
        choice = random.Random(f'{self.options.seed} {number}')
        counts = collections.Counter()
        for _ in range(self.options.once):
            for kind in self.options.kinds:
                if kind.counter:
                    walk = Walk(self.guest, self.image, self.options)
                    walk.take_once(number, choice.randrange(length), kind)
                    counts += walk.counts
        return counts

    def finish(self):
        """The program's own verdict; returns failures."""
        if not self.guest:
            return []
        report = self.guest.finish()
        complaints = [f'{self.setup.name}: the program: {text}'
                      for text in self.guest.complaints()]
        self.drop()
        if report != ('exit', 0) and not complaints:
            complaints.append(f'{self.setup.name}: the program ends with '
                              f'{report}')
        return complaints


class Setup:
    """What a machine is made with."""

    def __init__(self, wide, kva):
        self.wide = wide
        self.options = [f'kva={kva}'] if kva else []
        self.name = ' '.join(['64-bit' if wide else '32-bit', *self.options])


def work(options, image, setups, turns, paired, first, results):
    """A process that takes paths."""
    for i in range(len(setups)):
        number = (first + i) % len(setups)
        take_paths(Sweeper(options, image, setups[number], paired[number]),
                   turns[number], results)


def take_paths(sweeper, turn, results):
    """Takes the setup's paths that nobody has taken yet."""
    options = sweeper.options
    paths = sweeper.machine().paths
    names = [name for name in [*paths, *EVENTS]
             if (name in paths or EVENTS[name].path in paths and
                 (sweeper.setup.wide or not EVENTS[name].wide_only)) and
             (not options.paths or name in options.paths) and
             (sweeper.setup.wide or name not in options.wide_only)]
    while True:
        with turn.get_lock():
            at = turn.value
            turn.value += 1
        if at >= len(names):
            break
        began = time.monotonic()
        counts, failures = sweeper.take(names[at])
        counts['paths'] = 1
        results.put((sweeper.setup.name, names[at], counts, failures,
                     time.monotonic() - began))
    results.put((sweeper.setup.name, None, collections.Counter(),
                 sweeper.finish(), 0))


def arguments():
    parser = Parser(prog='sweep.py', description=__doc__, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--build', default='build/test', help='a test build')
    add('--kinds', type=some_of(KINDS), default=list(KINDS),
        metavar='KINDS', help=f'of {", ".join(KINDS)}, by commas')
    add('--short', action='store_true',
        help='fewer paths, --every 121 --once 1, and a seed by chance')
    add('--every', type=whole, default=1, metavar='N',
        help='but for the critical ones, every N-th boundary')
    add('--seed', type=int, help='which those are')
    add('--once', type=whole, default=0, metavar='N',
        help='of each short path, N boundaries also one at a time')
    add('--no-pairs', dest='pairs', action='store_false')
    add('--kva', type=some_of(KVA), default=list(KVA), metavar='VALUES',
        help='of kva=, by commas')
    add('--data', type=whole, default=16, metavar='N',
        help="the kernel's data is compared every N times")
    add('--whole', type=whole, default=512, metavar='N',
        help='all of memory is compared every N times')
    add('--enough', type=whole, default=20, metavar='N',
        help='failures of a path: no more')
    add('--jobs', type=whole, default=2, help='machines at a time')
    add('paths', nargs='*', metavar='PATH')
    options = parser.parse_args()
    options.wide_only = []
    if options.short:
        options.every, options.once = 121, 1
        if not options.paths:
            options.paths, options.wide_only = SHORT_FORM, WIDE_FORM
    if options.seed is None:
        options.seed = random.randrange(1000000) if options.every > 1 else 0
    options.kinds = [KINDS[name] for name in options.kinds]
    return options


def results_of(processes, results):
    """Yields what they put there, until all have ended."""
    while True:
        running = any(process.is_alive() for process in processes)
        try:
            while True:
                yield results.get(timeout=LOOK)
        except queue.Empty:
            if not running:
                break


def dead(processes):
    """Yields a line for each that has not come to its end."""
    for number, process in enumerate(processes):
        process.join()
        if process.exitcode:
            yield f'process {number} has ended with {process.exitcode}'


def main():
    options = arguments()
    image = images.Image(os.path.join(options.build, 'ntoskrnl.elf'))
    if options.every > 1:
        print(f'every {options.every}th boundary, --seed {options.seed}',
              flush=True)
    setups = [Setup(wide, kva) for kva in options.kva
              for wide in (True, False)]
    turns = [multiprocessing.Value('i', 0) for _ in setups]
    manager = multiprocessing.Manager()
    paired = [manager.dict() for _ in setups]
    if options.short:                   # one place, whichever code led there
        paired[1::2] = paired[::2]
    results = multiprocessing.Queue()
    processes = [multiprocessing.Process(
        target=work, daemon=True,
        args=(options, image, setups, turns, paired, number, results))
        for number in range(options.jobs)]
    for process in processes:
        process.start()
    total, failures, swept = collections.Counter(), 0, set()
    for setup, name, counts, failed, seconds in results_of(processes, results):
        total += counts
        swept.add(name)
        failures += say_failed(failed)
        if name:
            print(f'{setup}, {name}: {figures(counts, len(failed))}, '
                  f'{seconds:.1f} s', flush=True)
    failures += say_failed(dead(processes))
    failures += say_failed(f'{name}: there is no such path'
                           for name in options.paths if name not in swept)
    print(figures(total, failures))
    return failures != 0


def say_failed(lines):
    """Returns how many there were."""
    count = 0
    for count, line in enumerate(lines, 1):
        print('FAILED', line, flush=True)
    return count


def figures(counts, failures):
    """A path's own line does not count paths."""
    names = ['paths'] if counts['paths'] > 1 else []
    names += ['boundaries', 'critical',
              *(kind.plural for kind in KINDS.values()), 'pairs',
              *(f'single {kind.plural}' for kind in KINDS.values())]
    return ', '.join([*(f'{counts[name]} {name}' for name in names
                        if counts[name]), f'{failures} failures'])


if __name__ == '__main__':
    sys.exit(told('sweep', main))

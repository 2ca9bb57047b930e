#!/usr/bin/env python3
"""bugs.py: leaves out each defence in turn, and sees which tests notice.

usage: bugs.py [--build DIR] [--short] [--learn] [NAME]...

For each row of kernel/defences.tab the test kernel is built without that
defence (BUG=NAME), and the probes below are run on it: those that the row
names must turn red, and no other. A defence that nothing notices fails, and so
does one that is noticed where its row does not say so. The kernel with all of
its defences comes first: there no probe is red.

A probe is
    paths               the walk of the entry code (paths.py)
    boot                it comes to the shell's prompt, and a program ends
                        there; without that there is nothing to ask
    flags ac syscall    a program of tests/user and its words; 32/flags: for
                        32-bit code
    KIND: crash step    the same on another machine: bochs, icount (it counts
                        instructions), nmi (that program, with NMIs as fast
                        as QEMU sends them), kva (with kva=on), watch
                        (watch.py looks on)
    kva-map             what ring 3's page tables have (scripts/kva-map)
    sweep: nmi PATH     sweep.py's: an NMI, or another of its kinds, at every
                        instruction of one path, until the first failure
    ~PROBE              it may notice, and need not: what happens then is a
                        matter of luck

The list PROBES is run on every kernel; what takes longer only for the rows
that name it.

DIR is a finished test build (build/test). --short: the rows of SHORT and no
probes but their own. --learn prints what each row should name.
"""
import argparse
import collections
import concurrent.futures
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import image as images                                      # noqa: E402
import lab                                                  # noqa: E402

ROOT = lab.ROOT
sys.path.insert(0, os.path.join(ROOT, 'scripts'))

import defences                                             # noqa: E402
from ntwalk import boot                                     # noqa: E402
from ntwalk.arguments import Parser, told                   # noqa: E402
from ntwalk.errors import Died, Usage                       # noqa: E402

TABLE = os.path.join(ROOT, 'kernel/defences.tab')
JOBS = int(os.environ.get('NTWALK_JOBS', '2'))
PATIENCE = 15                           # times as long as with all defences
LEAST = 1                               # seconds of work

PROBES = """
paths
callregs, numbers, args, context, instrument, debugregs, pointers, probes
outplaces, flags, selectors, compat, gates, continuefuzz, exceptions
initial, callback, calloutregs, memory, kstack, faultloop
32/callregs, 32/numbers, 32/args, 32/flags, 32/selectors, 32/gate
32/debugregs, 32/exceptions, 32/gates, 32/memory
crash continue_kernel, crash continue_non_canonical, crash continue_ring0
crash rcx_non_canonical, crash write_shared, crash run_shared, crash in
crash int_20, crash int_8, crash step, crash step_syscall, crash step_int2e
crash step_sysenter, crash stack_kernel, crash swapgs
ring0 0, ring0 1, ring0 f, ring0 10, ring0 11
ring0 100, ring0 101, ring0 103, ring0 104, ring0 106, ring0 10a, ring0 10c
ring0 127, ring0 129, ring0 12c, ring0 130, ring0 48, ring0 60
ring0 50, ring0 52, ring0 53, ring0 54, ring0 5b, ring0 5c, ring0 150
ring0 151, ring0 152, ring0 153, ring0 154, ring0 155, ring0 157, ring0 159
ring0 15a, ring0 15b, ring0 15c, ring0 15d, ring0 15e, ring0 15f, fired
flags ac syscall, flags ac int2e, flags ac sysenter
"""

# Not in a lab's machine, and what is otherwise in one.
OUTSIDE = ('bochs: ', 'watch: ', 'sweep: ')
SETUPS = {'': {}, 'icount': {'icount': True},
          'kva': {'options': ['pagefile=8', 'debug=on', 'kva=on']}}

# What ends in a bugcheck: its code. Other programs: tests/user/expected.txt.
BUGCHECKS = {
    'ring0 100': 0x4A, 'ring0 101': 0x01, 'ring0 103': 0x7F,
    'ring0 104': 0xBE, 'ring0 106': 0x50, 'ring0 10a': 0xBE,
    'ring0 10c': 0x3B, 'ring0 127': 0x0A, 'ring0 129': 0x0A,
    'ring0 12c': 0xFC, 'ring0 130': 0xF7, 'ring0 150': 0x111,
    'ring0 151': 0x0A, 'ring0 152': 0x7F, 'ring0 153': 0xFB,
    'ring0 154': 0x7F, 'ring0 155': 0x109, 'ring0 156': 0x109,
    'ring0 157': 0x109, 'ring0 159': 0x9C, 'ring0 15a': 0x7F,
    'ring0 15b': 0x3B, 'ring0 15c': 0x3B, 'ring0 15d': 0x3B,
    'ring0 15e': 0xFB, 'ring0 15f': 0x7F,
    'ring0 160': 0x01, '32/unpinned': 0x109, '32/unpinned 156': 0x109,
    '32/unpinned 100': 0x4A, '32/unpinned 101': 0x01, '32/unpinned 160': 0x01,
    'flags ac syscall': 0x50, 'flags ac int2e': 0x50, 'flags ac sysenter': 0x50,
}

# make test takes these: one of each kind, and no time.
SHORT = ('no_lfence_after_swapgs', 'context_cs_trusted', 'no_clac_at_entry',
         'stack_pointer_not_clamped', 'service_exit_unchecked')

Result = collections.namedtuple('Result', 'name red wrong seconds')


def words_of(text):
    return [word.strip() for line in text.strip().splitlines()
            for word in line.split(',')]


def statuses():
    """{"program words": exit status} of tests/user/expected.txt."""
    found = {}
    with open(os.path.join(ROOT, 'tests/user/expected.txt'),
              encoding='utf-8') as lines:
        for line in lines:
            words = line.split('#')[0].split()
            if words and '--cpu=amd' not in words:
                name = ' '.join([words[0]] + [word for word in words[3:]
                                              if not word.startswith('-')])
                found.setdefault(name, int(words[2], 16))
    return found


EXPECTED = statuses()


def is_right(probe, outcome):
    code = BUGCHECKS.get(probe)
    if code is not None:
        return outcome[:2] == ('bugcheck', code)
    return outcome[:2] == ('exit', EXPECTED.get(probe, 0))


# ---- a kernel without one of its defences


class Workshop:
    """A copy of a test build in which only the kernel is made again."""

    def __init__(self, base, folder):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.join(folder, 'obj'))
        for name in os.listdir(base):
            source, target = (os.path.join(it, name)
                              for it in (base, folder))
            if name in ('gen', 'boot') or name.startswith('ntoskrnl'):
                subprocess.run(['cp', '-a', source, target], check=True)
            elif name not in ('obj', 'images', 'lab', 'bugs', 'lock'):
                os.symlink(os.path.abspath(source), target)
        for name in os.listdir(os.path.join(base, 'obj')):
            if not name.startswith('ring3'):
                subprocess.run(['cp', '-a', os.path.join(base, 'obj', name),
                                os.path.join(folder, 'obj', name)],
                               check=True)
        self.rename(base)

    def rename(self, base):
        """The lists of what an object is made from name the folder."""
        old, new = (relative(path) + '/' for path in (base, self.folder))
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith('.d') and not os.path.islink(path):
                    times = os.stat(path)
                    with open(path, encoding='utf-8') as text:
                        text = text.read()
                    with open(path, 'w', encoding='utf-8') as out:
                        out.write(text.replace(old, new))
                    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def build(self, bug):
        """Makes the kernel; RuntimeError with make's words."""
        environment = {name: value for name, value in os.environ.items()
                       if name not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL',
                                       'BUG', 'TEST', 'BUILD')}
        done = subprocess.run(
            ['make', '-C', ROOT, 'TEST=1', f'BUILD={relative(self.folder)}',
             f'BUG={bug}', 'kernel'], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment, check=False,
            stdin=subprocess.DEVNULL)
        text = done.stdout.decode(errors='replace')
        if done.returncode:
            raise RuntimeError(f'BUG={bug} does not build:\n{text}')
        return text


def relative(path):
    """As the Makefile names a folder: relative inside the tree."""
    path = os.path.abspath(path)
    return path[len(ROOT) + 1:] if path.startswith(ROOT + '/') else path


# ---- probes


def send_nmi(running):
    running.monitor_command('inject-nmi')


class Bench:
    """Runs probes on the kernel of one folder."""

    def __init__(self, folder, limits):
        self.folder, self.limits = folder, limits
        self.labs = {}
        self.outcomes = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.labs.values():
            one.stop()

    def limit(self, probe):
        return max(LEAST, PATIENCE * self.limits.get(probe, 2))

    def is_red(self, probe, programs):
        if probe == 'paths':
            outcome = self.paths()
        elif probe == 'kva-map':
            outcome = self.script('../../scripts/kva-map', '--no-build')
        elif probe.startswith('bochs: '):
            outcome = self.bochs(probe[len('bochs: '):])
        elif probe.startswith('watch: '):
            outcome = self.script('watch.py', *probe.split()[1:])
        elif probe.startswith('sweep: '):
            kind, path = probe.split(maxsplit=2)[1:]
            outcome = self.script('sweep.py', '--jobs', '1', '--kva', 'off',
                                  '--no-pairs', '--enough', '1', '--kinds',
                                  kind, path)
        else:
            outcome = self.in_lab(probe, programs)
        self.outcomes[probe] = outcome
        name = probe.partition(': ')[2] or probe
        if probe.startswith(('watch: ', 'sweep: ')):
            name = 'paths'              # a script's status
        return not is_right(name, outcome)

    def script(self, name, *words):
        """Another script of this folder, about this kernel."""
        done = subprocess.run(
            [sys.executable, '-B', os.path.join(ROOT, 'tests/entry', name),
             '--build', self.folder, *words], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return lab.Outcome('exit', done.returncode,
                           done.stdout.decode(errors='replace'))

    def paths(self):
        done = subprocess.run(
            [sys.executable, '-B', os.path.join(ROOT, 'tests/entry/paths.py'),
             os.path.join(self.folder, 'ntoskrnl.elf')],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return lab.Outcome('exit', done.returncode, done.stdout.decode())

    def bochs(self, probe):
        program, *words = probe.split()
        bits, _, name = program.rpartition('/')
        path = os.path.join(self.folder, 'user' + bits, name + '.exe')
        result = boot.run(boot.Config(
            program=name, args=words, build=self.folder, make=False,
            add=[path], emulator='bochs', timeout=60))
        kind = {boot.BUGCHECK: 'bugcheck', boot.TIMEOUT: 'hang',
                boot.DEAD: 'reset'}.get(result.status, 'exit')
        return lab.Outcome(kind, result.value, result.console)

    def in_lab(self, probe, programs):
        kind, _, line = probe.rpartition(': ')
        program, *words = line.split()
        try:
            setup = kind if kind in SETUPS else ''
            if setup not in self.labs:
                self.labs[setup] = lab.Lab(self.folder, programs,
                                           **SETUPS[setup])
                self.labs[setup].start()
            one = self.labs[setup]
            before = one.seconds()
            outcome = one.run(program, *words, limit=self.limit(probe),
                              meanwhile=send_nmi if kind == 'nmi' else None)
            self.limits.setdefault(probe, one.seconds() - before)
            return outcome
        except (Died, OSError, RuntimeError) as died:
            self.labs[setup].stop()
            return lab.Outcome('boot', None, str(died))

    def boots(self, programs):
        """Does it come to the shell's prompt, and run a program there?"""
        try:
            self.labs[''] = lab.Lab(self.folder, programs)
            self.labs[''].start()
            if self.labs[''].run('ring0', '1', limit=LEAST).kind == 'exit':
                return True
            self.labs[''].stop()
        except (Died, OSError, RuntimeError):
            pass
        self.labs.clear()
        return False


def programs_of(probes):
    names = (probe.rpartition(': ')[2].split()[0] for probe in probes
             if probe not in ('paths', 'boot', 'kva-map') and
             not probe.startswith(OUTSIDE))
    return sorted(set(names))


def check_kernel(workshop, bug, probes, limits):
    """Returns {probe: Outcome} of what is red."""
    workshop.build(bug)
    with Bench(workshop.folder, limits) as bench:
        programs = programs_of(probes)
        if programs or 'boot' in probes:
            programs = sorted({*programs, 'ring0'})
        red = {}
        if programs and not bench.boots(programs):
            red['boot'] = lab.Outcome('boot', None, '')
            probes = [probe for probe in probes
                      if probe in ('paths', 'kva-map') or
                      probe.startswith(OUTSIDE)]
        for probe in probes:
            if probe != 'boot' and bench.is_red(probe, programs):
                red[probe] = bench.outcomes[probe]
        return red


def describe(outcome):
    if outcome.kind in ('exit', 'bugcheck'):
        return f'{outcome.kind} {outcome.value or 0:X}'
    return outcome.kind


# ---- the table


class Run:
    def __init__(self, base, rows, short):
        self.base, self.rows, self.short = base, rows, short
        self.common = words_of(PROBES)
        self.limits = {}
        self.free = []
        self.lock = threading.Lock()

    def probes_for(self, row):
        own = [probe.lstrip('~') for probe in row.probes]
        if self.short:
            return own
        return own + [probe for probe in self.common if probe not in own]

    def workshop(self):
        with self.lock:
            if self.free:
                return self.free.pop()
            self.made += 1
            folder = os.path.join(self.base, 'bugs', str(self.made))
        return Workshop(self.base, folder)

    made = 0

    def one(self, row):
        start = time.monotonic()
        workshop = self.workshop()
        try:
            red = check_kernel(workshop, row.name, self.probes_for(row),
                               self.limits)
        finally:
            with self.lock:
                self.free.append(workshop)
        wrong = [f'{probe} stays green' for probe in row.probes
                 if probe not in red and not probe.startswith('~')]
        wrong += [f'{probe} is red ({describe(red[probe])})'
                  for probe in red if probe not in row.probes and
                  '~' + probe not in row.probes]
        if not red:
            wrong.append('nothing notices')
        return Result(row.name, red, wrong, time.monotonic() - start)

    def all_green(self):
        """Returns what is red although nothing is left out."""
        probes = [] if self.short else list(self.common)
        for row in self.rows:
            probes += [probe for probe in self.probes_for(row)
                       if probe not in probes]
        workshop = self.workshop()
        try:
            return check_kernel(workshop, '', probes, self.limits)
        finally:
            self.free.append(workshop)

    def go(self, learn):
        red = self.all_green()
        for probe, outcome in red.items():
            print(f'{probe} is red with all defences ({describe(outcome)})')
        failed, unnoticed = len(red), 0
        width = max(len(row.name) for row in self.rows)
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            for result in pool.map(self.one, self.rows):
                failed += bool(result.wrong)
                unnoticed += not result.red
                names = ', '.join(result.red)
                print(f'{result.name:<{width}}  {names or "-"}'
                      f'{"" if learn else f"  ({result.seconds:.1f} s)"}',
                      flush=True)
                for line in [] if learn else result.wrong:
                    print(f'{"":<{width}}  WRONG: {line}')
        print(f'{len(self.rows)} switches, {len(self.rows) - unnoticed} '
              f'caught, {unnoticed} unnoticed')
        return 1 if failed or unnoticed else 0


def main():
    rows = defences.read_table(TABLE)
    parser = Parser(prog='bugs.py', description=__doc__, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build',
                        default=os.path.join(ROOT, 'build/test'))
    parser.add_argument('--short', action='store_true')
    parser.add_argument('--learn', action='store_true')
    parser.add_argument('names', nargs='*')
    arguments = parser.parse_args()
    wanted = arguments.names or (SHORT if arguments.short else
                                 [row.name for row in rows])
    unknown = set(wanted) - {row.name for row in rows}
    if unknown:
        raise Usage(f'{", ".join(sorted(unknown))}: not in '
                    'kernel/defences.tab')
    rows = [row for row in rows if row.name in wanted]
    images.Image(os.path.join(arguments.build, 'ntoskrnl.elf'))
    try:
        return Run(os.path.abspath(arguments.build), rows,
                   arguments.short).go(arguments.learn)
    except RuntimeError as error:
        raise Died(str(error)) from error


if __name__ == '__main__':
    sys.exit(told('bugs', main))

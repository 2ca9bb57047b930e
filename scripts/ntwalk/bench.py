"""bench.py: what things cost, counted in instructions and timed.

    counted = bench.count(build, cpu)           {name: instructions}
    timed = bench.time(build, cpu, runs)        {name: Time}
    everything = bench.measure(main, test)      what scripts/bench --json writes

A count comes from a machine whose time-stamp counter counts instructions: it
is the same on every run, and count() is told so by a second one. Nanoseconds
come from another machine without that clock and say little alone; so each is
told as a ratio to the null service's in the same run, too.

The figures are of the test build's kernel, which has services that do nothing
and doors that lead straight back; their names are programs/bench's. CPUS and
flags() are the machine that figures of other systems belong to as well.
"""
import json
import os
import re
import statistics
import struct
from typing import NamedTuple

from . import boot, machine, symbols
from .errors import Usage

CPUS = ('qemu64,vendor=GenuineIntel', 'max,vendor=GenuineIntel')
MEMORY = 768                    # MiB; what grows needs them
YARDSTICK = 'null service'
RUNS = 5
LIMIT = 300                     # seconds
BUDGET = os.path.join(boot.ROOT, 'tests/bench/budget.json')
TOLERANCE = 1.02                # of what is recorded

LOADER = 'reset to the kernel'
KERNEL = 'kernel to ring 3'
MEMORY_USED = 'memory in use, KiB'
IMAGE = 'kernel image, bytes'

# The bare doors under a figure, each as often as it goes through one. A fault
# and an interrupt come and go as INT and IRET do.
SYSCALL, INT, SYSENTER = 'floor syscall', 'floor int 2e', 'floor sysenter'
INT32, SYSENTER32 = '32-bit floor int 2e', '32-bit floor sysenter'
FLOORS = {
    **dict.fromkeys((
        'null service', 'wrong number', 'shadow call', 'NtClose(1234h)',
        '4 arguments', '9 arguments', '14 arguments', 'capture of 16 bytes',
        'capture of 4096 bytes', 'yield'), [SYSCALL]),
    'null by int 2e': [INT],
    'null by sysenter': [SYSENTER],
    '32-bit NtClose(1234h)': [SYSENTER32],
    '32-bit null by int 2e': [INT32],
    '32-bit null by sysenter': [SYSENTER32],
    '32-bit wrong number': [INT32],
    'event, there and back': 4 * [SYSCALL],
    'signal and wait': 2 * [SYSCALL],
    'user APC, there and back': 3 * [SYSCALL],
    'timer': 2 * [SYSCALL],
    'region': 2 * [SYSCALL],
    'exception, there and back': [INT, SYSCALL],
    **dict.fromkeys((
        'tick', 'demand-zero fault', 'copy-on-write fault', 'soft fault',
        'page-in'), [INT]),
}

# What KVA shadow makes dearer is told once more with it, by these names.
SHADOW = 'kva=on: '
SHADOWED = ('null service', 'null by int 2e', 'null by sysenter',
            'wrong number', 'yield', 'user APC, there and back', 'tick',
            'exception, there and back', 'demand-zero fault')
FLOORS.update({SHADOW + name: FLOORS[name] for name in SHADOWED})


def flags(icount):
    """QEMU's, of the machine that is measured; -cpu is one of CPUS."""
    clock = machine.ICOUNT if icount else ['-accel', 'tcg']
    return ['-no-user-config', '-nodefaults', '-machine', 'pc', *clock,
            '-smp', '1']


class Time(NamedTuple):
    ns: float                   # the shortest run's
    most: float                 # the longest one's
    ratio: float                # to the yardstick of the same run, the least


class Differ(Exception):
    """Two runs that must count the same do not."""


def read_budget():
    """Returns {name: {"recorded": count, "budget": most, if there is one}}."""
    with open(BUDGET, encoding='ascii') as file:
        return json.load(file)


def exceeded(figures, budget):
    """Returns a line for each figure that is too dear or is not known."""
    lines = [f'{name} is not in the list' for name in figures
             if name not in budget]
    lines += [f'{name} has no figure' for name in budget
              if name not in figures]
    for name, row in budget.items():
        number = figures.get(name, 0)
        most = row.get('budget', number)
        if number > most:
            lines.append(f'{name}: {number}, over its budget of {most}')
        elif number > row['recorded'] * TOLERANCE:
            lines.append(f'{name}: {number}, was {row["recorded"]}')
    if lines:
        lines.append('Another compiler counts differently; "make bench-record"'
                     ' writes tests/bench/budget.json anew, budgets stay.')
    return lines


def record(figures):
    """Writes the list anew; budgets stay."""
    old = read_budget()
    rows = {name: {**old.get(name, {}), 'recorded': number}
            for name, number in figures.items()}
    with open(BUDGET, 'w', encoding='ascii') as file:
        lines = (f'  {json.dumps(name)}: {json.dumps(row)}'
                 for name, row in rows.items())
        file.write('{\n' + ',\n'.join(lines) + '\n}\n')


def read_table(console):
    """Returns {name: number}, {name: (few, many or few, more, many)}."""
    figures, growth = {}, {}
    for line in console[console.index('\nbench: '):].splitlines():
        if found := re.fullmatch(r'   (\S.*?) +(\d+)  \S.*', line):
            figures[found[1]] = int(found[2])
        elif found := re.fullmatch(r'   (\S.*?)((?: +\d+){2,3})', line):
            growth[found[1]] = tuple(map(int, found[2].split()))
    return figures, growth


def run(build, cpu, *words, icount=True, options=()):
    """Boots the benchmark; returns its console."""
    result = boot.run(boot.Config(
        program='bench', args=list(words), build=build, make=False, cpu=cpu,
        icount=icount, memory=MEMORY, timeout=LIMIT, options=list(options)))
    if result.status:
        raise Usage(f'bench: {result.reason or result.status}')
    return result.console


def shadowed(figures):
    """Of a run with kva=on: the rows that tell something else then."""
    return {SHADOW + name: figures[name] for name in SHADOWED}


def count_once(build, cpu):
    plain = read_table(run(build, cpu, 'figures'))[0]
    shadow = read_table(run(build, cpu, 'figures', options=['kva=on']))[0]
    return {**plain, **shadowed(shadow)}


def count(build, cpu):
    """Counts twice; Differ if that makes a difference."""
    first, second = (count_once(build, cpu) for _ in range(2))
    different = [f'{name}: {first[name]} and {second.get(name)}'
                 for name in first if first[name] != second.get(name)]
    if different or len(first) != len(second):
        raise Differ(f'{cpu}: two runs differ: ' + ', '.join(different))
    return first


def rate_of(console):
    """Returns how many ticks a second the kernel has found."""
    return int(re.search(r'(\d+) a second', console)[1])


def usual(rates):
    """Returns the rate of most: a kernel on a busy host may be far off."""
    return statistics.median_low(rates)


def time(build, cpu, runs=RUNS, options=()):
    consoles = [run(build, cpu, 'time', icount=False, options=options)
                for _ in range(runs)]
    taken = [read_table(console)[0] for console in consoles]
    second = usual(map(rate_of, consoles))
    return {name: Time(min(one[name] for one in taken) * 1e9 / second,
                       max(one[name] for one in taken) * 1e9 / second,
                       min(one[name] / one[YARDSTICK] for one in taken))
            for name in taken[0]}


def kernel_numbers(running, build, name, count=1):
    data = running.read(symbols.of_kernel(build)[name], 8 * count)
    return struct.unpack(f'<{count}Q', data)


def boot_counts(build, cpu):
    """Instructions until ring 3, and memory in use when a shell waits."""
    config = boot.Config(program='shell', build=build, make=False, cpu=cpu,
                         icount=True, timeout=LIMIT)
    with boot.start(config) as running:
        running.wait_for('> $', LIMIT)
        kernel, user = kernel_numbers(running, build, 'ke_boot_clock', 2)
        total, = kernel_numbers(running, build, 'total_pages')
        free, = kernel_numbers(running, build, 'MmFreePageListHead')
    return {LOADER: kernel, KERNEL: user - kernel,
            MEMORY_USED: (total - free) * 4}


def image_size(build):
    """Bytes of the kernel's file as an image has it."""
    return os.path.getsize(os.path.join(build, 'boot/ntoskrnl.elf'))


def count_all(main, test, cpu=CPUS[0]):
    """What budget.json is about: calls of the test build, boot of the other.

    How long firmware and loader take depends on the disk, to some percent.
    """
    booted = boot_counts(main, cpu)
    del booted[LOADER]
    return {**count(test, cpu), **booted, IMAGE: image_size(main)}


def time_all(build, cpu, runs):
    """Also with KVA shadow, where a ratio is to the null service with it."""
    shadow = time(build, cpu, runs, ['kva=on'])
    return {**time(build, cpu, runs), **{
        SHADOW + name: shadow[name] for name in SHADOWED if name in shadow}}


def measure(main, test, cpus=CPUS, runs=RUNS):
    """main, test: the build folders. Returns what --json writes."""
    return {
        'flags': flags(True), 'memory': MEMORY, 'yardstick': YARDSTICK,
        IMAGE: image_size(main),
        'cpus': {cpu: {
            'instructions': count(test, cpu),
            'time': {name: one._asdict()
                     for name, one in time_all(test, cpu, runs).items()},
            'boot': boot_counts(main, cpu),
        } for cpu in cpus},
    }


def table(result):
    """Returns the text for people."""
    lines = []
    for cpu, figures in result['cpus'].items():
        counted, timed = figures['instructions'], figures['time']
        lines += [f'-cpu {cpu}', '',
                  f'{"":32}{"instr.":>7}{"floor":>7}{"ratio":>7}'
                  f'{"ns":>9}{"to":>9}{"x null":>8}']
        for name, number in counted.items():
            floor = sum(counted[door] for door in FLOORS.get(name, []))
            one = timed.get(name)
            beside = f'{floor:7}{number / floor:7.1f}' if floor else ' ' * 14
            taken = one and (f'{one["ns"]:9.0f}{one["most"]:9.0f}'
                             f'{one["ratio"]:8.2f}')
            lines.append(f'{name:32}{number:7}{beside}{taken or ""}'.rstrip())
        lines += ['', *(f'{name:26}{number:13,}'
                        for name, number in figures['boot'].items()),
                  f'{IMAGE:26}{result[IMAGE]:13,}', '']
    return '\n'.join(lines)

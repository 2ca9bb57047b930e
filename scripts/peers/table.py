"""table.py: both systems' figures side by side.

A record is what scripts/bench-peers --json writes:

    {"qemu": version, "linux": package and version,
     "options": {label: Linux' command line},
     "cpus": {model: {"counted": {system: {name: instructions}},
                      "timed": {system: [{name: ticks}, one for each run]},
                      "rate": ticks a second}}}

where a system is "ntwalk" or one of the labels. Both systems' ticks are of
one clock, the host's; its rate only scales the column of nanoseconds.
"""
OURS = 'ntwalk'
TO_RING_3 = 'reset to ring 3'           # counted, and not timed

# A line's title, our name of the figure, the name in scripts/peers/*.c.
ROWS = (
    ('null call, SYSCALL', 'null service', 'syscall'),
    ('null call, INT', 'null by int 2e', 'int80'),
    ('wrong number', 'wrong number', 'wrong'),
    ('32-bit null, INT', '32-bit null by int 2e', 'int80-32'),
    ('32-bit null, SYSENTER', '32-bit null by sysenter', 'sysenter-32'),
    ('32-bit wrong number', '32-bit wrong number', 'wrong-32'),
    ('exception / SIGFPE', 'exception, there and back', 'sigfpe'),
    ('APC / signal to itself', 'user APC, there and back', 'self-signal'),
    ('first store to a page', 'demand-zero fault', 'page-fault'),
    ('event / futex, FIFO', 'event, there and back', 'futex-pair'),
    ('event / futex, usual', 'event, there and back', 'futex-pair-usual'),
    ('yield, FIFO', 'yield', 'yield-pair'),
    ('yield, usual', 'yield', 'yield-pair-usual'),
    ('reset to ring 3', TO_RING_3, 'begin'),
)
TITLE = 22
MILLION = 1000000


def ratio(ours, theirs):
    return f'{ours / theirs:6.2f}' if theirs else f'{"-":>6}'


def short(number):
    return f'{number / MILLION:.0f}M' if number >= MILLION else str(number)


def counts(counted, labels, ours, theirs):
    """Instructions: ours; under each label theirs and the ratio."""
    mine = counted[OURS][ours]
    others = [counted[label][theirs] for label in labels]
    return f'{short(mine):>7}' + ''.join(
        f'{short(number):>6}{ratio(mine, number)}' for number in others)


def spread(values):
    """By how much of the least the greatest is more."""
    return (max(values) - min(values)) / min(values) if min(values) else 0


def times(figures, labels, ours, theirs):
    """The least of the runs: ours, a ratio for each label; widest spread."""
    timed = figures['timed']
    if ours not in timed[OURS][0]:
        return ''
    mine = [run[ours] for run in timed[OURS]]
    others = [[run[theirs] for run in timed[label]] for label in labels]
    return (f'{min(mine) * 1e9 / figures["rate"]:7.0f}' +
            ''.join(ratio(min(mine), min(values)) for values in others) +
            f'{max(map(spread, [mine, *others])):7.0%}')


def lines_of(figures, labels):
    runs = len(figures['timed'][OURS])
    wide = 7 + 12 * len(labels)
    yield (f'{"":{TITLE}}{"instructions":>{wide}}' +
           f'time, least of {runs}'.rjust(14 + 6 * len(labels)))
    yield (f'{"":{TITLE}}{OURS:>7}' +
           ''.join(f'{label:>6}{"ratio":>6}' for label in labels) +
           f'{"ns":>7}' + ''.join(f'{label:>6}' for label in labels) +
           f'{"spread":>7}')
    for title, ours, theirs in ROWS:
        if ours in figures['counted'][OURS]:
            yield (f'{title:{TITLE}}' +
                   counts(figures['counted'], labels, ours, theirs) +
                   times(figures, labels, ours, theirs))


def table(record):
    """Returns the text."""
    lines = [f'{record["linux"]}, QEMU {record["qemu"]}']
    lines += [f'    {label:5}{option}'
              for label, option in record['options'].items()]
    lines += ["    ratio: ntwalk's figure to that of Linux", '']
    for cpu, figures in record['cpus'].items():
        lines += [f'-cpu {cpu}', '',
                  *lines_of(figures, list(record['options'])), '']
    return '\n'.join(lines)

"""The benchmark: its table, what grows, and what has become dearer.

bench.json holds the counts of one build. A count may differ by TOLERANCE, as
it does from compiler to compiler; what has changed for a reason is written
anew by

    python3 tests/boot/test_bench.py [BUILD]
"""
import json
import os
import re
import sys

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bench.json')
TOLERANCE = 0.15
FLAT = 0.10
OPTIONS = {'icount': True, 'memory': 768, 'timeout': 300}


def read_table(console):
    """Returns {name: count} and {name: (few, many or few, more, many)}."""
    figures, growth = {}, {}
    for line in console[console.index('\nbench: '):].splitlines():
        if found := re.fullmatch(r'   (\S.*?) +(\d+)  \S.*', line):
            figures[found[1]] = int(found[2])
        elif found := re.fullmatch(r'   (\S.*?)((?: +\d+){2,3})', line):
            growth[found[1]] = tuple(map(int, found[2].split()))
    return figures, growth


def steep(counts):
    """Two: flat.  Three, each a hundred times as many: logarithmic at most."""
    if len(counts) == 2:
        return differs(counts[1], counts[0], FLAT)
    few, more, many = counts
    return many - more > max(more - few, 0) * 1.5 + few * FLAT


def differs(count, expected, share):
    return abs(count - expected) > expected * share


def test_bench(run):
    from conftest import BUILD
    result = run('bench', build=BUILD, **OPTIONS)
    assert result.status == 0, result.reason
    figures, growth = read_table(result.console)
    assert growth.pop('The same with so many others') == (10, 10000)
    with open(FILE, encoding='ascii') as file:
        expected = json.load(file)
    assert growth.pop('Among so many regions') == (10, 1000, 100000)
    assert list(figures) == list(expected['figures'])
    assert list(growth) == expected['growth']
    growing = {name: counts for name, counts in growth.items()
               if steep(counts)}
    changed = {name: (count, expected['figures'][name])
               for name, count in figures.items()
               if differs(count, expected['figures'][name], TOLERANCE)}
    assert (growing, changed) == ({}, {})


def refresh(build):
    root = os.path.dirname(os.path.dirname(os.path.dirname(FILE)))
    sys.path.insert(0, os.path.join(root, 'scripts'))
    from ntwalk import boot
    result = boot.run(boot.Config(program='bench', build=build, **OPTIONS))
    assert result.status == 0, result.reason
    figures, growth = read_table(result.console)
    growth.pop('The same with so many others')
    growth.pop('Among so many regions')
    with open(FILE, 'w', encoding='ascii') as file:
        json.dump({'figures': figures, 'growth': list(growth)}, file,
                  indent=2)
        file.write('\n')


if __name__ == '__main__':
    refresh(*sys.argv[1:] or ['build'])

"""The benchmark: what has become dearer, and what grows.

tests/bench/budget.json has what was counted when it was written, and the
most that some of it may ever be (ntwalk/bench.py reads it).
"""
import pytest

from conftest import BUILD
from ntwalk import bench

FLAT = 0.10
LOGARITHMIC = 1.5
ARGUMENT = 3                    # the most that one more on the stack takes
GROWTH = ['yield among ready equals', 'yield of two above them',
          'set and cancel a timer', 'tick of the clock',
          'expiry of one timer', 'queue a user APC behind them',
          'queue a special user APC', 'deliver a user APC before them',
          'reserve and release a region', 'find a region',
          'demand-zero fault']


def steep(counts):
    """Two: flat.  Three, each a hundred times as many: logarithmic at most.

    A table that is made on the way and one that is not are a page's zeroes
    apart, in any of the three.
    """
    if len(counts) == 2:
        return abs(counts[1] - counts[0]) > counts[0] * FLAT
    return counts[2] > max(counts[:2]) * LOGARITHMIC


def test_bench(run):
    result = run('bench', cpu=bench.CPUS[0], icount=True,
                 memory=bench.MEMORY, timeout=bench.LIMIT)
    assert result.status == 0, result.reason
    figures, growth = bench.read_table(result.console)
    shadow = run('bench', 'figures', cpu=bench.CPUS[0], icount=True,
                 memory=bench.MEMORY, timeout=bench.LIMIT, options=['kva=on'])
    figures.update(bench.shadowed(bench.read_table(shadow.console)[0]))
    figures.update(bench.boot_counts(BUILD, bench.CPUS[0]))
    del figures[bench.LOADER]
    figures[bench.IMAGE] = bench.image_size(BUILD)
    dear = bench.exceeded(figures, bench.read_budget())
    assert not dear, '\n'.join(dear)
    assert figures['14 arguments'] <= figures['9 arguments'] + 5 * ARGUMENT
    assert growth.pop('The same with so many others') == (10, 10000)
    assert growth.pop('Among so many regions') == (10, 1000, 100000)
    assert list(growth) == GROWTH
    assert not {name: counts for name, counts in growth.items()
                if steep(counts)}


def complaints(**figures):
    """What is said of these figures, without the closing advice."""
    budget = {'call': {'budget': 115, 'recorded': 100},
              'fault': {'recorded': 1000}}
    return bench.exceeded({'call': 100, 'fault': 1000, **figures},
                          budget)[:-1]


def test_what_is_too_dear():
    assert not complaints()
    assert not complaints(call=102, fault=10)
    assert complaints(call=103) == ['call: 103, was 100']
    assert complaints(call=116) == ['call: 116, over its budget of 115']
    assert complaints(fault=1021) == ['fault: 1021, was 1000']
    assert complaints(other=1) == ['other is not in the list']
    assert bench.exceeded({}, {'call': {'recorded': 100}})[:-1] == [
        'call has no figure']


def test_two_runs_that_differ(monkeypatch):
    """The tool does not print a number that another run does not have."""
    monkeypatch.setattr(bench, 'SHADOWED', ())
    empty = '\nbench: x\n'
    consoles = iter([f'{empty}   call         100  what\n', empty,
                     f'{empty}   call         101  what\n', empty])
    monkeypatch.setattr(bench, 'run', lambda *_, **__: next(consoles))
    with pytest.raises(bench.Differ, match='call: 100 and 101'):
        bench.count('build', bench.CPUS[0])


def test_a_clock_that_is_far_off(monkeypatch):
    """A kernel that was disturbed while it measured; the host's clock is one.
    """
    consoles = iter(f'{rate} a second\nbench: x\n'
                    f'   null service         {ticks}  what\n'
                    for rate, ticks in ((10 ** 9, 100), (10 ** 11, 103),
                                        (10 ** 9, 102)))
    monkeypatch.setattr(bench, 'run', lambda *_, **__: next(consoles))
    assert bench.time('build', bench.CPUS[0], 3) == {
        'null service': (100, 103, 1)}

"""The benchmark: what has become dearer, and what grows.

tests/bench/budget.json has what was counted when it was written, and the
most that some of it may ever be (ntwalk/bench.py reads it).
"""
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
    figures.update(bench.boot_counts(BUILD, bench.CPUS[0]))
    del figures[bench.LOADER]
    figures[bench.IMAGE] = bench.image_size(BUILD)
    assert not bench.exceeded(figures, bench.read_budget())
    assert figures['14 arguments'] <= figures['9 arguments'] + 5 * ARGUMENT
    assert growth.pop('The same with so many others') == (10, 10000)
    assert growth.pop('Among so many regions') == (10, 1000, 100000)
    assert list(growth) == GROWTH
    assert not {name: counts for name, counts in growth.items()
                if steep(counts)}

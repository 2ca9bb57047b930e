"""conftest.py: what the tests that start machines share.

The tests take what tests/run has built, three kernels. Which of them a
machine boots is what its test says to run or start:

  build=BUILD     the kernel of make run: tours, shell, gdb, benchmark, what
                  both kernels are to show
  nothing         the test kernel, of the same code as the one of make run:
                  counts of instructions (icount=True), storms and sweeps,
                  Bochs, addresses in the kernel, kva, doors, self maps
  kernel=CHECKED  the test kernel that looks for its own mistakes
                  (docs/hardening.md) and is slower: each ring-3 program
                  once, the ring-0 tests, some of the fuzzer's calls

Several pytest processes may share the work: with NTWALK_CLAIMS=DIR each test
is run by the process that first claims it there, or its file, where tests of
a file share a machine.
"""
import os
import re
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'scripts'))
sys.dont_write_bytecode = True

from ntwalk import boot                                     # noqa: E402
from ntwalk import browser as chromium                      # noqa: E402

BUILD = boot.default_build()
TEST_BUILD = os.environ.get('NTWALK_TEST_BUILD') or \
    os.path.join(BUILD, 'test')
CHECKED = os.path.join(TEST_BUILD, 'checked')   # a kernel and nothing else


def config(program=boot.TOUR, *args, **options):
    """A Config of the test kernel, unless it says of which."""
    options.setdefault('build', TEST_BUILD)
    return boot.Config(program=program, args=list(args), make=False,
                       **options)


# A checked kernel's lines about its stacks: how many bytes of each were used.
STACKS = re.compile(r'^STACK (.*)', re.M)
STACK = re.compile(r'(\S+) ([0-9a-f]+) of ([0-9a-f]+)')
MOST = 0.75                     # of a stack
NESTS = ('kstack',)             # callbacks in callbacks, until none is allowed
ENDED = 'It is now safe to turn off your computer.'


def check_stacks(console):
    """None was used beyond MOST, by the end of a run on the checked kernel."""
    stacks = [(name, int(used, 16), int(size, 16))
              for line in STACKS.findall(console)
              for name, used, size in STACK.findall(line)]
    assert stacks
    assert not [stack for stack in stacks if stack[1] > MOST * stack[2]]


@pytest.fixture
def run():
    """run(program, *args, **options): a machine to its end; a boot.Result.

    Its console is printed, so that a test that fails shows it.
    """
    def to_the_end(program=boot.TOUR, *args, **options):
        notes = []
        result = boot.run(config(program, *args, **options),
                          on_note=notes.append)
        print(result.console)
        print(*notes, f'status {result.status} {result.reason}', sep='\n')
        if (options.get('kernel') == CHECKED and ENDED in result.console and
                program not in NESTS):
            check_stacks(result.console)
        return result
    return to_the_end


@pytest.fixture
def start():
    """start(program, *args, **options): a machine, for a with statement."""
    def running(program=boot.TOUR, *args, **options):
        return boot.start(config(program, *args, **options))
    return running


@pytest.fixture(scope='module')
def browser():
    """A Chromium for the tests of one file."""
    if not chromium.program():
        pytest.skip('there is no Chromium here')
    with chromium.Browser() as one:
        yield one


claimed = set()


def claim(item):
    """Those of a file that share a machine go together, in their order."""
    name = item.nodeid
    if any(found[-1].scope == 'module'
           for found in item._fixtureinfo.name2fixturedefs.values()):
        name = item.location[0]
    name = name.replace('/', '~').replace('\0', '')[:200]
    path = os.path.join(os.environ['NTWALK_CLAIMS'], name)
    if name not in claimed:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        claimed.add(name)
    return True


def pytest_runtestloop(session):
    """Runs the tests that this process could claim."""
    if 'NTWALK_CLAIMS' not in os.environ or session.config.option.collectonly:
        return None
    items = (item for item in session.items if claim(item))
    item = next(items, None)
    while item is not None:
        following = next(items, None)
        item.config.hook.pytest_runtest_protocol(item=item,
                                                 nextitem=following)
        item = following
    return True

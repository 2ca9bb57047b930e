"""conftest.py: what the tests that start machines share.

The tests take what tests/run has built: the kernel of make run under
NTWALK_BUILD, the test kernel under NTWALK_TEST_BUILD (build/test) and the
checked one (docs/hardening.md) in its folder "checked". Several
pytest processes may share the work: with NTWALK_CLAIMS=DIR each test is run
by the process that first claims it there.
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


CHECKED = os.path.join(TEST_BUILD, 'checked')


def config(program=boot.TOUR, *args, **options):
    """A Config of the test kernel; build=BUILD takes the other."""
    options.setdefault('build', TEST_BUILD)
    return boot.Config(program=program, args=list(args), make=False,
                       **options)


def checked_kernel(options):
    """Returns the folder of the checked kernel, or None for the other."""
    return CHECKED if (options.get('build', TEST_BUILD) == TEST_BUILD and
                       not options.get('icount') and
                       os.path.isdir(CHECKED)) else None


# A checked kernel's line about its stacks: how many bytes of each were used.
STACKS = re.compile(r'^STACK (.*)', re.M)
STACK = re.compile(r'(\S+) ([0-9a-f]+) of ([0-9a-f]+)')
MOST = 0.75                     # of a stack
NESTS = ('kstack',)             # callbacks in callbacks, until none is allowed


def too_deep(console):
    """Returns the stacks that were used beyond MOST; [] without a line."""
    return [stack for line in STACKS.findall(console)
            for stack in STACK.findall(line)
            if int(stack[1], 16) > MOST * int(stack[2], 16)]


@pytest.fixture
def run():
    """run(program, *args, **options): a machine to its end; a boot.Result.

    Its console is printed, so that a test that fails shows it.  The test
    kernel is the checked one, where there is one and nobody counts.
    """
    def to_the_end(program=boot.TOUR, *args, **options):
        notes = []
        options.setdefault('kernel', checked_kernel(options))
        result = boot.run(config(program, *args, **options),
                          on_note=notes.append)
        print(result.console)
        print(*notes, f'status {result.status} {result.reason}', sep='\n')
        assert program in NESTS or not too_deep(result.console)
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


def claim(item):
    name = item.nodeid.replace('/', '~').replace('\0', '')[:200]
    path = os.path.join(os.environ['NTWALK_CLAIMS'], name)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
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

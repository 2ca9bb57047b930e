"""conftest.py: what the tests that start machines share.

The tests take what tests/run has built: the kernel of make run under
NTWALK_BUILD, the test kernel under NTWALK_TEST_BUILD (build/test). Several
pytest processes may share the work: with NTWALK_CLAIMS=DIR each test is run
by the process that first claims it there.
"""
import os
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


def config(program=boot.TOUR, *args, **options):
    """A Config of the test kernel; build=BUILD takes the other."""
    options.setdefault('build', TEST_BUILD)
    return boot.Config(program=program, args=list(args), make=False,
                       **options)


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

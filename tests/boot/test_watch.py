"""The watch over ring 0's use of ring 3's memory: nothing, and what there is.

The programs are those that give services bad pointers, overlapping ones and
all doors; the control is a self test that does what nobody should.

Scenarios: F8, H8.
"""
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT, TEST_BUILD

sys.path.insert(0, os.path.join(ROOT, 'tests/entry'))

import image as images                                      # noqa: E402
import watch                                                # noqa: E402
import watched                                              # noqa: E402

PROGRAMS = ('pointers', 'probes', '32/answers', 'doors --option=debug=on',
            'tracing')


@pytest.fixture(scope='module')
def kernel():
    return images.Image(os.path.join(TEST_BUILD, 'ntoskrnl.elf'))


def test_nothing_is_found(kernel):
    seen = watched.Watch(kernel)
    for words in map(str.split, PROGRAMS):
        result = seen.run(watch.config(TEST_BUILD, *words))
        assert result.status == 0, (words, result.reason, result.console)
    print(seen.summary())
    assert seen.findings() == []
    assert seen.counts['calls'] > 50000
    assert seen.counts['accesses'] == seen.counts['helpers'] > 1000000


def test_what_nobody_should_do_is_found():
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, 'tests/entry/watch.py'),
         '--build', TEST_BUILD, 'ring0', '40'], check=False, text=True,
        stdout=subprocess.PIPE)
    print(done.stdout)
    assert done.returncode == 1
    assert re.search(r'^1 x outside of the helpers: \w+ by test_watched',
                     done.stdout, re.M)
    assert re.search(r'^1 x read twice: \w+ by arch_copy_user.*test_watched'
                     r'.*\n +before by arch_copy_user.*test_watched',
                     done.stdout, re.M)
    assert done.stdout.endswith(', 1 outside, 1 double fetches\n')


def test_arguments_that_coincide_are_no_double_fetch(kernel):
    """By hand: a pair is exempt once it has read different bytes."""
    seen = watched.Watch(kernel)
    here = kernel.symbols['NtWaitForSingleObject']
    copy = kernel.symbols['arch_copy_user']
    one, two = f'{copy:x},{here + 8:x}', f'{copy:x},{here + 16:x}'
    seen.add('pair', '3', '0', '1000', two, one)
    assert [found[0] for found in seen.twice()] == [3]
    seen.add('pair', '0', '2', '0', two, one)
    assert list(seen.twice()) == []
    seen.add('pair', '1', '5', '1000', one, one)
    assert [found[0] for found in seen.twice()] == [1]

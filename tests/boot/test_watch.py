"""The watch over ring 0's use of ring 3's memory, and over what it uses under
ring 3's page tables: nothing is found, and what there is would be.

The programs are those that give services bad pointers, overlapping ones and
all doors; the controls are a self test that does what nobody should, and a
watch that is told of too few pages.

Scenarios: F8, H8, K10.
"""
import copy
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

PROGRAMS = ('fuzz calls=100000 --option=kva=on',
            '32/answers --option=kva=on',
            'doors --option=kva=off --option=debug=on',
            'tracing --option=kva=off')


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
    assert seen.counts['calls'] > 140000
    assert seen.counts['accesses'] == seen.counts['helpers'] > 1000000
    assert seen.counts['shadow'] > 400000


def test_what_ring_3s_page_tables_have_not_is_found(kernel):
    """Told of one page of code only, then of one page less."""
    less = copy.copy(kernel)
    end = (kernel.symbols['kvas_start'] & ~0xFFF) + 0x1000
    less.symbols = {**kernel.symbols, 'kvas_end': end}
    seen = watched.Watch(less)
    seen.run(watch.config(TEST_BUILD, 'ring0', '1', '--option=kva=on'))
    found = [line for line in seen.findings() if 'KiKernelSysretExit' in line]
    assert found and all('not in ring 3\'s page tables' in line
                         for line in found)
    seen = watched.Watch(kernel)
    seen.run(watch.config(TEST_BUILD, 'ring0', '1', '--option=kva=on'))
    assert seen.findings() == [] and len(seen.shared) > 8
    page = int(seen.pages[0][1], 16)
    seen.shared = {pages for pages in seen.shared if page not in range(*pages)}
    assert len(seen.findings()) == 1 and f'{page:x}' in seen.findings()[0]


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
    assert ', 1 outside, 1 double fetches; ' in done.stdout


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

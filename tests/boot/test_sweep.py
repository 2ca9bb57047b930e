"""The sweep of the ways in and out in its short form (make sweep is all of it).

Every critical boundary of its paths, and of the others one in 121: the same
ones each time.

Scenarios: D1 to D3, D10, D11, M6.
"""
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT, TEST_BUILD

SWEEP = os.path.join(ROOT, 'tests/entry/sweep.py')
SEED = '368890'
LEAST = {'off': {'critical': 150, 'pairs': 100},
         'on': {'critical': 500, 'pairs': 300}}


@pytest.mark.parametrize('kva', ['off', 'on'])
def test_nothing_changes(kva):
    done = subprocess.run(
        [sys.executable, '-B', SWEEP, '--build', TEST_BUILD, '--short',
         '--kva', kva, '--jobs', '1', '--seed', SEED, '--enough', '3'],
        check=False, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    print(*(line for line in done.stdout.splitlines()
            if ' 0 failures' not in line), sep='\n')
    assert done.returncode == 0
    last = done.stdout.splitlines()[-1]
    assert last.endswith(' 0 failures')
    for what, least in LEAST[kva].items():
        assert int(re.search(fr'(\d+) {what}', last)[1]) >= least

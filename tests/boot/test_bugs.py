"""Without a defence some test fails: the short form of make bugs."""
import os
import re
import subprocess
import sys

from conftest import ROOT, TEST_BUILD


def test_some_defences_left_out():
    done = subprocess.run(
        [sys.executable, '-B', os.path.join(ROOT, 'tests/entry/bugs.py'),
         '--build', TEST_BUILD, '--short'], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0
    assert re.search(r'^(\d+) switches, \1 caught, 0 unnoticed$', done.stdout,
                     re.M)

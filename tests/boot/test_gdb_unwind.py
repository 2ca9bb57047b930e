"""Whether gdb finds the way out of every instruction of a call.

walkout.py does the work inside gdb. By hand it also takes page faults, APCs,
callbacks and 32-bit code (docs/debugging.md).
"""
import os
import re

import pytest

from conftest import BUILD
from debugger import Debugger

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope='module')
def tour():
    with Debugger(BUILD, '--no-framebuffer', 'tour') as debugger:
        debugger.ask(f'python import sys; sys.path.insert(0, "{HERE}"); '
                     'import walkout')
        yield debugger


@pytest.mark.parametrize('place, names, least', [
    ('ntdll!NtClose', 'KEPT', 300),
    # They keep their clock in r12 to r15.
    ('timed_int2e', 'KEPT[:4]', 150),
    ('timed_sysenter', 'KEPT[:4]', 150)])
def test_every_instruction(tour, place, names, least):
    tour.ask(f'nt bp {place}')
    tour.ask('continue')
    tour.ask('delete')
    text = tour.ask(f'python walkout.call("{place}", walkout.{names})')
    found = re.search(r'(\d+) instructions in ring 0 and 3, 0 wrong', text)
    assert found, text
    assert int(found[1]) > least


def test_names(tour):
    """What a person sees from the middle of a service."""
    tour.ask('nt bp ntdll!NtClose')
    tour.ask('continue')
    tour.ask('delete')
    tour.ask('thbreak KiSystemServiceExit')
    tour.ask('continue')
    text = tour.ask('backtrace')
    lines = [line for line in text.splitlines() if line.startswith('#')]
    assert 'KiSystemServiceExit' in lines[0]
    frame = tour.value('$rbp - 0x80')
    assert f'<trap frame at {frame:x}>' in lines[1]
    assert 'NtClose' in lines[2] and '0x00000001800' in lines[2]
    assert 'NtProcessStartup' in text and '<signal handler' not in text

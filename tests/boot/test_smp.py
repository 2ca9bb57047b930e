"""Several processors: they start, and a bugcheck stops them all.

What they do together is tests/user/smp.c, and the programs of test_user.py.

Scenarios: M1.
"""
import os
import re

import pytest

from conftest import BUILD, TEST_BUILD
from ntwalk import scaling, symbols

RING0 = os.path.join(TEST_BUILD, 'user', 'ring0.exe')
ENDS_WELL = 'The tour ends well'
ASSERTION = '125'               # NtwSelfTest's number of a bugcheck
IPI_FROZEN = 0x2D88             # of KPRCB
FROZEN, OWNER = 2, 0x24         # 4, and the debugger's processor
MOST = 40000                    # of 50000 calls


def processors_of(console):
    found = re.search(r'^SMP   (\d+) processors run', console, re.M)
    return int(found[1]) if found else 1


@pytest.mark.parametrize('smp', [64, 255])
def test_many(run, smp):
    result = run(build=BUILD, smp=smp, timeout=240)
    assert result.status == 0, result.reason
    assert ENDS_WELL in result.console
    assert processors_of(result.console) == smp
    assert 'does not come' not in result.console


def test_little_memory(run):
    """As many processors as leave enough for ring 3."""
    result = run(build=BUILD, smp=64, memory=16)
    assert result.status == 0, result.reason
    assert ENDS_WELL in result.console
    left_out, = re.findall(r'no memory for (\d+) more processors',
                           result.console)
    assert processors_of(result.console) + int(left_out) == 64


@pytest.mark.parametrize('apic', ['auto', 'x2apic'])
def test_on_bochs(run, apic):
    """QEMU's own translation has no x2APIC."""
    result = run(build=BUILD, smp=2, emulator='bochs', timeout=240,
                 options=['apic=' + apic])
    assert result.status == 0, result.reason
    assert ENDS_WELL in result.console
    assert processors_of(result.console) == 2
    assert 'TSCs are in step' in result.console
    assert ('APIC  x2APIC' in result.console) == (apic == 'x2apic')


@pytest.mark.parametrize('kva', ['off', 'on'])
def test_races(run, kva):
    program = os.path.join(TEST_BUILD, 'user', 'smp.exe')
    assert run('smp', '200', smp=4, add=[program], options=['kva=' + kva],
               timeout=120).status == 0


def test_calls_share_nothing():
    """Side by side, in the path of a system call."""
    found = scaling.count(TEST_BUILD, 'null', 4, icount=False)
    assert min(found.calls[:4]) > MOST and not any(found.calls[4:])
    assert not found.locked and not found.shared and not found.waited


@pytest.mark.parametrize('kind, shares', [('own', False), ('one', True)])
def test_what_calls_share_is_found(kind, shares):
    """In turns: a number for each call, the same in another run."""
    locked, contended, lines = scaling.count_twice(TEST_BUILD, kind, 2)
    assert locked > 0
    assert (contended > 0, lines > 0) == (shares, shares)


@pytest.mark.parametrize('kind, waits', [('own', False), ('one', True)])
def test_locks_are_found_taken(kind, waits):
    """Side by side; who is made to wait is by chance."""
    found = scaling.count(TEST_BUILD, kind, 4, icount=False)
    assert bool(found.waited) == waits
    assert not found.waited.keys() - {'ExMapHandleToPointer',
                                      'ki_lock_object'}


def test_table():
    """A row for 1 and for 2; the program ends well if each call was made."""
    rows = re.findall(r'^ +(\d+)((?: +\d+\.\d\d){3})$',
                      scaling.timed(TEST_BUILD, 2), re.M)
    assert [int(count) for count, _ in rows] == [1, 2]
    assert set(rows[0][1].split()) == {'1.00'}


def test_bugcheck_stops_all(start):
    where = symbols.of_kernel(TEST_BUILD)['KiProcessorBlock']
    with start('ring0', ASSERTION, smp=4, add=[RING0]) as machine:
        assert machine.wait(60) and machine.report[0] == 'bugcheck'
        machine.monitor('stop')
        states = []
        for number in range(4):
            prcb = int.from_bytes(machine.read(where + 8 * number, 8),
                                  'little')
            states.append(int.from_bytes(machine.read(prcb + IPI_FROZEN, 4),
                                         'little'))
        assert sorted(states) == [FROZEN] * 3 + [OWNER]
        registers = machine.monitor('info registers -a')
        assert registers.count('HLT=1') >= 3    # the fourth has just told it
    assert machine.console.count('*** STOP') == 1

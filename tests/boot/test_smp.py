"""Several processors: they start, and a bugcheck stops them all.

What they do together is tests/user/smp.c, and the programs of test_user.py.

Scenarios: M1.
"""
import os
import re
import sys

import pytest

from conftest import BUILD, ROOT, TEST_BUILD
from ntwalk import symbols

sys.path.insert(0, os.path.join(ROOT, 'tests/entry'))

import image as images                                      # noqa: E402
import watched                                              # noqa: E402

RING0 = os.path.join(TEST_BUILD, 'user', 'ring0.exe')
ENDS_WELL = 'The tour ends well'
ASSERTION = '125'               # NtwSelfTest's number of a bugcheck
IPI_FROZEN = 0x2D88             # of KPRCB
FROZEN, OWNER = 2, 0x24         # 4, and the debugger's processor
MANY = 100                      # of 5000 calls


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
    result = run(build=BUILD, smp=255, memory=32, timeout=240)
    assert result.status == 0, result.reason
    assert ENDS_WELL in result.console
    left_out, = re.findall(r'no memory for (\d+) more processors',
                           result.console)
    assert processors_of(result.console) + int(left_out) == 255


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


def shared_in_calls(run, folder, *words):
    """Calls by processor, interlocked instructions and shared lines.

    Each of the latter is the name of the function that it is in, or that has
    written (scripts/plugin/share.c); only what many of the calls do.
    """
    kernel = images.Image(os.path.join(TEST_BUILD, 'ntoskrnl.elf'))
    places, out = str(folder / 'places'), str(folder / 'out')
    with open(places, 'w', encoding='ascii') as text:
        for kind, first, end in watched.places(kernel):
            if kind in ('door', 'entry'):
                text.write(f'{kind} {first:x} {end:x}\n')
    plugin = watched.plugin(os.path.join(TEST_BUILD, 'share.so'),
                            places=places, out=out)
    result = run('nullcalls', *words, smp=2, timeout=120,
                 add=[os.path.join(TEST_BUILD, 'user', 'nullcalls.exe')],
                 qemu_args=['-plugin', plugin])
    assert result.status == 0
    calls, locked, shared = [], set(), set()
    with open(out, encoding='ascii') as text:
        for kind, first, second, *_ in map(str.split, text):
            if kind == 'calls':
                calls.append(int(second))
            elif int(first) > MANY:
                {'locked': locked, 'shared': shared}[kind].add(
                    watched.function(kernel, int(second, 16)))
    return calls, locked, shared


def test_calls_share_nothing(run, tmp_path):
    """Between two processors, in the path of a system call."""
    calls, locked, shared = shared_in_calls(run, tmp_path, '5000')
    assert calls[0] > 4500 and calls[1] > 4500 and not any(calls[2:])
    assert not locked and not shared


def test_what_calls_share_is_found(run, tmp_path):
    calls, locked, shared = shared_in_calls(run, tmp_path, '5000', 'event')
    assert calls[0] > 2000 and calls[1] > 2000
    assert {'KeSetEvent', 'ki_lock_object'} & locked
    assert {'KeSetEvent', 'ki_lock_object', 'ki_unlock_object'} & shared


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

"""NMI, #MC, #DB and #DF, and the control registers that must stay.

Scenarios: D2, D4, D6, D7, F9.
"""
import os
import re
import struct

import pytest

from conftest import CHECKED, TEST_BUILD
from ntwalk import symbols

RING0 = os.path.join(TEST_BUILD, 'user', 'ring0.exe')
NOWHERE = 0xFFFFC00000000000
SECOND_AT = 0x800               # below an IST stack's top (entry/ist.asm)
SECOND = SECOND_AT + 0x30 + 0x30 + 0x160
RIPV, EIPV, MCIP = 1, 2, 4

VAL, OVER, UC, EN, MISCV, ADDRV, PCC, S, AR = (
    1 << bit for bit in range(63, 54, -1))
ACTION_OPTIONAL = VAL | UC | EN | S | MISCV | ADDRV | 0xC0


@pytest.mark.parametrize('number', ['50', '52', '53', '54'])
def test_self(run, number):
    assert run('ring0', number, add=[RING0], kernel=CHECKED).status == 0


def top(stack):
    return symbols.of_kernel(TEST_BUILD)[f'ki_{stack}_stack_top']


def stopped(console):
    """Returns code, name, parameters and the rest of a bugcheck's screen."""
    found = re.search(r'\*\*\* STOP: 0x([0-9A-F]+) \(([^)]*)\)\s+\*\*\* (\w+)',
                      console)
    return (int(found[1], 16), found[3],
            [int(word, 16) for word in found[2].split(',')],
            console[found.end():])


# NtwSelfTest's number, code, name, parameters (None: any), what the calls name
BUGCHECKS = [
    ('150', 0x111, 'RECURSIVE_NMI', lambda: [top('nmi') - SECOND], 'nmi_in'),
    ('151', 0xA, 'IRQL_NOT_LESS_OR_EQUAL', lambda: [NOWHERE, 15, 0],
     'fault_in_nmi'),
    ('152', 0x7F, 'UNEXPECTED_KERNEL_MODE_TRAP', lambda: [8, None, NOWHERE],
     'fault_on_no_stack'),
    ('153', 0xFB, 'RECURSIVE_MACHINE_CHECK', lambda: [top('mca') - SECOND],
     'ist_raise'),
    ('154', 0x7F, 'UNEXPECTED_KERNEL_MODE_TRAP',
     lambda: [1, top('debug') - SECOND], 'ist_raise'),
    ('155', 0x109, 'CRITICAL_STRUCTURE_CORRUPTION',
     lambda: [None, None, 4, 0x15], 'ki_broken_service'),
    ('156', 0x109, 'CRITICAL_STRUCTURE_CORRUPTION',
     lambda: [None, None, 0, 0x15], 'ki_broken_service'),
    ('157', 0x109, 'CRITICAL_STRUCTURE_CORRUPTION',
     lambda: [0xD00, 0xD01, 0xC0000080, 7], 'ki_clock_interrupt'),
    ('158', 0x109, 'CRITICAL_STRUCTURE_CORRUPTION',
     lambda: [None, None, 4, 0x15], 'ki_clock_interrupt'),
    ('159', 0x9C, 'MACHINE_CHECK_EXCEPTION', lambda: [3, None, 0xB2000000, 0],
     'crash_machine_check'),
    ('15f', 0x7F, 'UNEXPECTED_KERNEL_MODE_TRAP', lambda: [8, None, NOWHERE],
     'ist_raise'),
    ('15a', 0x7F, 'UNEXPECTED_KERNEL_MODE_TRAP', lambda: [8, None, NOWHERE],
     'fault_on_no_stack'),
]


@pytest.mark.parametrize('number, code, name, parameters, routine', BUGCHECKS)
def test_bugcheck(run, number, code, name, parameters, routine):
    result = run('ring0', number, add=[RING0])
    assert result.status == 125
    found_code, found_name, found, screen = stopped(result.console)
    assert (found_code, found_name) == (code, name)
    for one, right in zip(found, parameters()):
        assert right in (None, one), [hex(word) for word in found]
    assert f'  {routine}' in screen


@pytest.mark.parametrize('number, register, bit', [
    ('155', 'cr4', 1 << 20), ('156', 'cr0', 1 << 16)])
def test_pinned_value_is_put_back(run, number, register, bit):
    console = run('ring0', number, add=[RING0]).console
    _, _, (found, pinned, *_), screen = stopped(console)
    assert found ^ pinned == bit and pinned & bit
    assert f'{register} {pinned:016x}' in screen


def test_service_of_32_bit_code(run):
    program = os.path.join(TEST_BUILD, 'user32', 'unpinned.exe')
    result = run('unpinned', add=[program])
    assert result.status == 125
    code, _, found, screen = stopped(result.console)
    assert (code, found[2:]) == (0x109, [4, 0x15])
    assert '  ki_broken_service' in screen


def machine_check(machine, bank, status, mcg_status, address=0, misc=0):
    machine.monitor(f'mce 0 {bank} {status:#x} {mcg_status:#x} {address:#x} '
                    f'{misc:#x}')


def test_machine_checks_are_told_and_survived(start):
    with start('ring0', 'spin', add=[RING0]) as machine:
        machine.wait_for('spinning')
        for n in range(20):
            status = ACTION_OPTIONAL + (n << 16)
            machine_check(machine, n % 10, status, RIPV | EIPV | MCIP,
                          0x1000 * n, 0x8C)
            machine.wait_for(
                f'machine check: bank {n % 10}, status {status:016x}, '
                f'address {0x1000 * n:016x}, misc {0x8C:016x}, continued at '
                '[0-9a-f]{16}\n')
        assert not machine.ended()


def test_corrected_errors_are_found(run):
    """They raise nothing: somebody has to look."""
    result = run('ring0', '55', add=[RING0])
    assert result.status == 0
    assert (f'machine check: bank 5, status {VAL | EN | 0x150:016x}, address '
            f'{0:016x}, misc {0:016x}, found at {0:016x}\n') in result.console


@pytest.mark.parametrize('status, mcg_status', [
    (VAL | UC | EN | PCC | 0x175, RIPV | MCIP),
    (VAL | UC | EN | OVER | S | 0x175, RIPV | MCIP),
    (VAL | UC | EN | S | AR | ADDRV | MISCV | 0x134, RIPV | EIPV | MCIP),
    (VAL | UC | EN | 0x175, RIPV | MCIP),
])
def test_fatal_machine_check(start, status, mcg_status):
    with start('ring0', 'spin', add=[RING0]) as machine:
        machine.wait_for('spinning')
        machine_check(machine, 3, status, mcg_status, 0x12345000)
        machine.wait(30)
        assert machine.report == ('bugcheck', 0x9C)
        code, name, found, _ = stopped(machine.console)
        assert (code, name) == (0x9C, 'MACHINE_CHECK_EXCEPTION')
        assert (found[0], found[2], found[3]) == \
            (3, status >> 32, status & 0xFFFFFFFF)


def test_no_way_back_from_a_machine_check(start):
    with start('ring0', 'spin', add=[RING0]) as machine:
        machine.wait_for('spinning')
        machine_check(machine, 3, ACTION_OPTIONAL, MCIP)
        machine.wait(30)
        assert machine.report == ('bugcheck', 0x9C)
        assert stopped(machine.console)[2][0] == 0xFFFFFFFF


@pytest.mark.parametrize('kva', ['on', 'off'])
def test_machine_checks_anywhere_among_threads(start, kva):
    """Until the program has ended, each when the last one is through."""
    storm = os.path.join(TEST_BUILD, 'user', 'races.exe')
    counter = symbols.of_kernel(TEST_BUILD)['ki_machine_check_count']
    sent = 0

    def is_through():
        """By physical addresses, whatever CR3 is."""
        count, in_use = (
            machine.read(at - symbols.KERNEL_BASE, 4, physical=True)
            for at in (counter, top('mca')))
        return count == struct.pack('<I', sent) and in_use == bytes(4)

    with start('races', add=[storm], options=[f'kva={kva}']) as machine:
        machine.wait_for('storming')
        while not machine.ended():
            if is_through():
                machine_check(machine, sent % 10, ACTION_OPTIONAL, RIPV | MCIP)
                sent += 1
            machine.monitor_command('inject-nmi')
        assert machine.report == ('exit', 0), machine.console
    assert sent > 20

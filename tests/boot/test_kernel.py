"""What only ring 0 can show: bugchecks, self tests, NMI, odd interrupts.

Scenarios: A2, A7, B11, D1, D5, D8, D11, D13, F3, F7, F8, H11, H17, I2, I5,
J6, L1, M6, P1, P3, P4, P6.
"""
import os
import re
import struct
import time

import pytest

from conftest import BUILD, CHECKED, MOST, TEST_BUILD
from ntwalk import symbols

RING0 = os.path.join(TEST_BUILD, 'user', 'ring0.exe')

# NtwSelfTest's number, the STOP code, what the stack trace must name
BUGCHECKS = [
    ('100', 0x4A, 'IRQL_GT_ZERO_AT_SYSTEM_SERVICE', 'ki_broken_service'),
    ('101', 0x01, 'APC_INDEX_MISMATCH', 'ki_broken_service'),
    ('102', 0x50, 'PAGE_FAULT_IN_NONPAGED_AREA', 'NtwSelfTest'),
    ('103', 0x7F, 'UNEXPECTED_KERNEL_MODE_TRAP', 'recurse'),
    ('104', 0xBE, 'ATTEMPTED_WRITE_TO_READONLY_MEMORY', 'NtwSelfTest'),
    ('105', 0xFC, 'ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY',
     'KiSystemServiceCopyEnd'),
    ('106', 0x50, 'PAGE_FAULT_IN_NONPAGED_AREA', 'NtwSelfTest'),
    ('107', 0xC2, 'BAD_POOL_CALLER', 'NtwSelfTest'),
    ('108', 0x3B, 'SYSTEM_SERVICE_EXCEPTION', 'NtwSelfTest'),
    ('10a', 0xBE, 'ATTEMPTED_WRITE_TO_READONLY_MEMORY', 'NtwSelfTest'),
    ('10b', 0xFC, 'ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY',
     'mm_check_protections'),
    ('10c', 0x3B, 'SYSTEM_SERVICE_EXCEPTION', 'NtwSelfTest'),
    ('10d', 0x0A, 'IRQL_NOT_LESS_OR_EQUAL', 'KfRaiseIrql'),
    ('10e', 0x0A, 'IRQL_NOT_LESS_OR_EQUAL', 'KfLowerIrql'),
    ('10f', 0x0A, 'IRQL_NOT_LESS_OR_EQUAL', 'KiRetireDpcList'),
    ('120', 0x01, 'APC_INDEX_MISMATCH', 'KeLeaveCriticalRegion'),
    ('121', 0x01, 'APC_INDEX_MISMATCH', 'KeLeaveGuardedRegion'),
    ('122', 0x20, 'KERNEL_APC_PENDING_DURING_EXIT', 'KeRundownApcQueues'),
    ('123', 0x05, 'INVALID_PROCESS_ATTACH_ATTEMPT', 'KiDeliverApc'),
    ('124', 0x06, 'INVALID_PROCESS_DETACH_ATTEMPT',
     'KeUnstackDetachProcess'),
    ('125', 0xE2, 'MANUALLY_INITIATED_CRASH', 'KeWaitForSingleObject'),
    ('126', 0xB8, 'ATTEMPTED_SWITCH_FROM_DPC', 'wait_in_dpc'),
    ('127', 0x0A, 'IRQL_NOT_LESS_OR_EQUAL', 'NtwSelfTest'),
    ('128', 0x139, 'KERNEL_SECURITY_CHECK_FAILURE', 'NtwSelfTest'),
    ('129', 0x0A, 'IRQL_NOT_LESS_OR_EQUAL', 'arch_copy_user'),
    ('12a', 0x50, 'PAGE_FAULT_IN_NONPAGED_AREA', 'KiSystemServiceCopyEnd'),
    ('12b', 0x1E, 'KMODE_EXCEPTION_NOT_HANDLED', 'undefined'),
    ('12c', 0xFC, 'ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY',
     'KiSystemServiceCopyEnd'),
    ('130', 0xF7, 'DRIVER_OVERRAN_STACK_BUFFER', 'overrun'),
    ('109', 0x0A, 'IRQL_NOT_LESS_OR_EQUAL', 'NtwSelfTest'),
]

# The same, and only the checked kernel has them.
CHECKED_BUGCHECKS = [
    ('131', 0xC1, 'SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION', 'mi_check_free'),
    ('132', 0xC1, 'SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION', 'mi_check_end'),
    ('133', 0x3B, 'SYSTEM_SERVICE_EXCEPTION', 'overflow'),
    ('134', 0xE2, 'MANUALLY_INITIATED_CRASH', 'mi_check_dead_stack'),
]

NOWHERE = 0xFFFFC00000000000
TICK_COUNT = 0xFFFFF78000000320     # in the shared page
PATIENCE = 60                   # seconds
OVERRUN = 0x4142434445464748
IST_SIZE = 0x1FF0               # entry/stacks.asm
NO_EXECUTE_AND_VALID = 1 << 63 | 1

# NtwSelfTest's number, what its STOP's parameters are; None: anything
PARAMETERS = [
    ('102', [NOWHERE, 0, None, 2]),
    ('12a', [NOWHERE, 0x10, NOWHERE, 2]),
    ('109', [NOWHERE, 2, 0, None]),
    ('12b', [0xC000001D, None, 0, 0]),
]


@pytest.mark.parametrize('number', ['0', '1', '2', '3', '5', '6', '7', '8',
                                    '9', 'a', 'c', 'd', 'e', 'f', '10',
                                    '11', '20', '22', '48', '60'])
def test_self(run, number):
    assert run('ring0', number, add=[RING0], kernel=CHECKED).status == 0


@pytest.mark.parametrize('clock, words', [
    ('deadline', 'TSC deadline by'), ('periodic', 'periodic by'),
    ('auto', 'TSC deadline by')])
def test_timers_by_each_clock(run, clock, words):
    """Bochs has the TSC deadline, QEMU's processors have not."""
    result = run('ring0', 'a', add=[RING0], emulator='bochs',
                 options=[f'clock={clock}'], timeout=300)
    assert result.status == 0
    assert f'64 ticks a second, {words} the PIT' in result.console


def test_no_deadline_is_said(run):
    result = run('ring0', '3', add=[RING0], options=['clock=deadline'])
    assert result.status == 0
    assert 'this processor has no TSC deadline; periodic' in result.console


@pytest.mark.parametrize('size, words', [
    ('4x', 'OPT   pagefile=4x is no number of MiB'),
    ('8', 'DISK  page file: 8 MiB of memory'),
    ('300', 'DISK  page file: 24')])
def test_page_file(run, size, words):
    """One that is larger than memory leaves enough to run a program."""
    result = run('ring0', '5', add=[RING0], options=[f'pagefile={size}'])
    assert result.status == 0
    assert words in result.console


def test_timers_cost_the_same_however_many(run):
    assert run('ring0', 'b', add=[RING0], icount=True).status == 0


@pytest.mark.parametrize('number, code, name, routine',
                         BUGCHECKS + CHECKED_BUGCHECKS)
def test_bugcheck(run, number, code, name, routine):
    result = run('ring0', number, add=[RING0], kernel=CHECKED)
    assert result.status == 125
    assert f'*** STOP: 0x{code:08X} (' in result.console
    assert f'*** {name}' in result.console
    screen = result.console[result.console.index('*** STOP'):]
    assert 'cr2' in screen
    assert f'  {routine}' in screen


def parameters_of(run, number):
    console = run('ring0', number, add=[RING0]).console
    words = re.search(r'\*\*\* STOP: 0x[0-9A-F]+ \(([^)]*)\)', console)[1]
    return [int(word, 16) for word in words.split(',')]


@pytest.mark.parametrize('number, expected', PARAMETERS)
def test_bugcheck_parameters(run, number, expected):
    found = parameters_of(run, number)
    for parameter, right in zip(found, expected):
        assert right in (None, parameter), [hex(word) for word in found]


def test_bugcheck_shows_the_page_that_is_not_executable(run):
    pte = parameters_of(run, '105')[1]
    assert pte & NO_EXECUTE_AND_VALID == NO_EXECUTE_AND_VALID


def test_bugcheck_shows_what_the_cookie_was_and_is(run):
    """And it is another in each boot."""
    words = [parameters_of(run, '130') for _ in range(2)]
    for found, cookie, complement, last in words:
        assert found == OVERRUN
        assert cookie and cookie >> 48 == 0
        assert cookie ^ complement == 2 ** 64 - 1
        assert last == 0
    assert words[0][1] != words[1][1]


def use_of(machine, stack, size):
    """Returns how much of a stack was used, all of whose words were 0."""
    top = symbols.of_kernel(TEST_BUILD)[stack]
    words = machine.read(top - size, size)
    return len(words.lstrip(b'\0'))


def send_nmi(machine):
    """Sends one, and waits until its handler is through; how many were."""
    known = symbols.of_kernel(TEST_BUILD)

    def read(symbol):
        return struct.unpack('<I', machine.read(known[symbol], 4))[0]

    before = read('ki_nmi_count')
    machine.monitor_command('inject-nmi')
    until = time.monotonic() + PATIENCE
    while read('ki_nmi_count') == before or read('ki_nmi_stack_top'):
        assert time.monotonic() < until, 'it does not come'
    return read('ki_nmi_count')


def test_stack_of_nmi_has_room(start):
    with start('ring0', 'spin', add=[RING0]) as machine:
        machine.wait_for('spinning')
        for _ in range(5):
            send_nmi(machine)
        assert 0 < use_of(machine, 'ki_nmi_stack_top', IST_SIZE) <= (
            MOST * IST_SIZE)


def test_stack_of_double_fault_has_room_for_the_bugcheck(start):
    with start('ring0', '103', add=[RING0]) as machine:
        assert machine.wait(60) and machine.report[0] == 'bugcheck'
        assert 0 < use_of(machine, 'ki_panic_stack_top', IST_SIZE) <= (
            MOST * IST_SIZE)


def test_bugcheck_without_framebuffer(run):
    result = run('ring0', '102', add=[RING0], framebuffer=False)
    assert result.status == 125


@pytest.mark.parametrize('door', ['syscall', 'int2e', 'sysenter'])
def test_ac_of_ring_3_opens_no_window(run, door):
    flags = os.path.join(TEST_BUILD, 'user', 'flags.exe')
    result = run('flags', 'ac', door, add=[flags])
    assert result.status == 125
    assert '*** PAGE_FAULT_IN_NONPAGED_AREA' in result.console


def test_unexpected_interrupt_is_survived(run):
    result = run('ring0', '4', add=[RING0])
    assert result.status == 0
    assert 'unexpected interrupt 20h from ring 0' in result.console


def test_nmi_is_survived_and_counted(start):
    with start('ring0', 'spin', add=[RING0]) as machine:
        machine.wait_for('spinning')
        for expected in range(1, 6):
            assert send_nmi(machine) == expected
        before, until = machine.read(TICK_COUNT, 4), \
            time.monotonic() + PATIENCE
        while machine.read(TICK_COUNT, 4) == before:
            assert time.monotonic() < until, 'the clock stands still'
        assert not machine.ended()


@pytest.mark.parametrize('cpu', ['intel', 'amd'])
def test_nmis_anywhere_in_calls_of_32_bit_code(start, cpu):
    """As many as the machine takes, until the program has ended.

    One of them falls between STI and SYSEXIT: KiServiceExit's last
    instructions, where its IRET would let the clock in with the user's gs.
    """
    storm = os.path.join(TEST_BUILD, 'user32', 'storm.exe')
    sent = 0
    with start('storm', add=[storm], cpu=cpu) as machine:
        machine.wait_for('storming')
        while not machine.ended():
            machine.monitor_command('inject-nmi')
            sent += 1
        assert machine.report == ('exit', 0), machine.console
    assert sent > 1000


@pytest.mark.parametrize('program', ['apcstorm', 'threadstorm', 'isolation',
                                     'races', 'continuefuzz'])
def test_nmis_anywhere_among_threads(start, program):
    """As many as the machine takes, until the program has ended."""
    storm = os.path.join(TEST_BUILD, 'user', f'{program}.exe')
    sent = 0
    with start(program, add=[storm]) as machine:
        machine.wait_for('storming')
        while not machine.ended():
            machine.monitor_command('inject-nmi')
            sent += 1
        assert machine.report == ('exit', 0), machine.console
    assert sent > 1000


@pytest.mark.parametrize('way', ['call', 'trap', 'continue'])
@pytest.mark.parametrize('folder, door', [
    ('user', 'doors=syscall'), ('user', 'doors=int2e'),
    ('user32', 'xpdoor=sysenter'), ('user32', 'xpdoor=int2e')])
def test_apc_at_each_instruction_of_the_way_back(run, folder, door, way):
    program = os.path.join(TEST_BUILD, folder, 'sweep.exe')
    result = run('sweep', way, add=[program], icount=True, options=[door])
    assert result.status == 0
    assert re.search(r'^\d+ instructions$', result.console, re.M)


@pytest.mark.parametrize('folder', ['user', 'user32'])
def test_memory_changes_at_each_instruction_of_a_service(run, folder):
    """H7, H8."""
    program = os.path.join(TEST_BUILD, folder, 'meanwhile.exe')
    assert run('meanwhile', add=[program], icount=True).status == 0


def test_options_are_shown_and_unknown_ones_named(run):
    result = run(build=BUILD, options=['selfmap=0x1D7', 'colour=red'])
    assert result.status == 0
    assert 'selfmap  = 0x1D7' in result.console
    assert 'colour=red is not an option' in result.console


def test_no_page_is_writable_and_executable(run):
    assert 'executable, none both' in run(build=BUILD).console


def test_ring3_cannot_read_the_kernel_unless_debugged(run):
    result = run(build=BUILD, options=['debug=off'])
    assert result.status == 0
    assert 'debug=on' in result.console


@pytest.mark.parametrize('firmware, feature, words', [
    ('bios', 'nx', 'NX'), ('bios', 'syscall', 'SYSCALL'),
    ('bios', 'apic', 'local APIC'), ('uefi', 'nx', 'NX'),
    ('uefi', 'syscall', 'SYSCALL')])
def test_missing_feature(start, firmware, feature, words):
    """One sentence; UEFI's loader says it, and OVMF itself needs an APIC."""
    with start(build=BUILD, firmware=firmware,
               cpu=f'qemu64,-{feature}') as running:
        with running.changed:
            assert running.changed.wait_for(
                lambda: running.ended() or re.search(
                    f'processor .*{words}',
                    running.console + running.firmware_text), 60)
        if firmware == 'bios':
            running.wait_for('UNSUPPORTED_PROCESSOR')
        assert re.search(f'processor .*{words}',
                         running.console + running.firmware_text)

"""XP's two doors from 32-bit code, and the way to 64-bit code and back.

The programs are tests/user/i386. Each runs on an Intel processor, by both
doors, and on an AMD one, which has INT 2Eh alone; and where Bochs follows
Intel's processors closer than QEMU does.
"""
import os
import re

import pytest

from conftest import BUILD, CHECKED, TEST_BUILD

PROGRAMS = ['callregs', 'numbers', 'args', 'flags', 'selectors', 'gate',
            'apc']

# What ends a program, or can be done only once: words, status.
ONCE = [
    ('gui int2e', 0), ('gui sysenter', 0),
    ('end_process int2e', 0x12345678), ('end_process sysenter', 0x12345678),
    ('end_thread int2e', 0x23456789), ('end_thread sysenter', 0x23456789),
    ('stack_null', 0xC0000005), ('stack_page_end', 0xC0000005),
    ('stack_2gib', 0xC0000005), ('stack_wrap', 0xC0000005),
    ('stack_top', 0xC0000005), ('stack_below', 0xC0000005),
    ('return_nowhere', 0xC0000005),
    ('step_int2e', 0x80000004), ('step_sysenter', 0x80000004),
    ('breakpoint int2e', 0x80000004), ('breakpoint sysenter', 0x80000004),
    ('ds_08', 0xC0000005), ('es_10', 0xC0000005), ('fs_30', 0xC0000005),
    ('gs_40', 0xC0000005), ('ds_48', 0xC0000005), ('es_07', 0xC0000005),
    ('ss_1B', 0xC0000005),
]

# A processor of AMD's says #UD to SYSENTER in long mode. Both emulators enter
# the microcode, which finds SYSENTER_CS 0: #GP.
ONCE_AMD = [('gui int2e', 0), ('no_sysenter', 0xC0000005),
            ('step_int2e', 0x80000004), ('breakpoint int2e', 0x80000004)]

# What QEMU does not do: a breakpoint waits for the end of MOV SS.
ONCE_BOCHS = [('step_int2e', 0x80000004), ('step_sysenter', 0x80000004),
              ('past_ss int2e', 0), ('past_ss sysenter', 0)]


def check_expected(console):
    """What a program announces is on the line after its announcement."""
    lines = [line for line in console.splitlines() if line]
    for line, following in zip(lines, lines[1:] + ['']):
        if line.startswith('expected: '):
            assert line[len('expected: '):] in following


def check(run, program, *words, build=TEST_BUILD, status=0, **options):
    file = os.path.join(build, 'user32', program + '.exe')
    result = run(program, *words, build=build, add=[file], timeout=120,
                 **options)
    assert result.value is not None, result.reason
    assert f'{result.value:08X}' == f'{status:08X}'
    assert 'It is now safe to turn off your computer.' in result.console
    check_expected(result.console)
    return result.console


def system_call(console):
    return re.search(r'^XP +SystemCall \w{8} (\w+)', console, re.M).group(1)


@pytest.mark.parametrize('program', PROGRAMS)
def test_intel(run, program):
    console = check(run, program, kernel=CHECKED)
    assert system_call(console) == 'KiFastSystemCall'


@pytest.mark.parametrize('program', PROGRAMS)
def test_amd(run, program):
    build = TEST_BUILD if program == 'args' else BUILD
    console = check(run, program, build=build, cpu='amd')
    assert system_call(console) == 'KiIntSystemCall'


@pytest.mark.parametrize('program', PROGRAMS)
def test_bochs(run, program):
    check(run, program, emulator='bochs')


@pytest.mark.parametrize('program', ['callregs', 'args'])
def test_stubs_by_int2e(run, program):
    console = check(run, program, options=['xpdoor=int2e'])
    assert system_call(console) == 'KiIntSystemCall'


def test_no_sysenter_to_choose(run):
    console = check(run, 'callregs', build=BUILD, cpu='amd',
                    options=['xpdoor=sysenter'])
    assert 'xpdoor=sysenter: this processor has no SYSENTER' in console
    assert system_call(console) == 'KiIntSystemCall'


@pytest.mark.parametrize('words, status', ONCE,
                         ids=[words for words, _ in ONCE])
def test_once(run, words, status):
    check(run, 'once', *words.split(), status=status, kernel=CHECKED)


@pytest.mark.parametrize('words, status', ONCE_AMD,
                         ids=[words for words, _ in ONCE_AMD])
def test_once_on_amd(run, words, status):
    check(run, 'once', *words.split(), build=BUILD, status=status, cpu='amd')


@pytest.mark.parametrize('words, status', ONCE_BOCHS,
                         ids=[words for words, _ in ONCE_BOCHS])
def test_once_on_bochs(run, words, status):
    check(run, 'once', *words.split(), status=status, emulator='bochs')

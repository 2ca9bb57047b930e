"""32-bit code calls by XP's doors and gets the answers that 64-bit code gets.

tests/user/answers.c, built for both, prints a line for each of some 1,900
calls: the status, and which of its arguments' data changed. The lines must
be the same whatever the door.
"""
import os
import re

import pytest

from conftest import BUILD, CHECKED, ROOT, TEST_BUILD
from services import read_tabs

# Their answers differ by nature, or there is nothing to compare.
NOT_THERE = {'NtContinue', 'NtContinueEx', 'NtCreateThread',
             'NtCreateThreadEx', 'NtCreateUserProcess', 'NtGetContextThread',
             'NtGetCurrentProcessorNumber', 'NtQueueApcThreadEx',
             'NtRaiseException', 'NtSetContextThread',
             'NtSystemDebugControl', 'NtTraceControl'}


def said(run, folder, build, **options):
    """Returns the lines of answers.exe, which ends with 0."""
    program = os.path.join(build, folder, 'answers.exe')
    if options.get('emulator') != 'bochs':
        options['framebuffer'] = False          # thousands of lines to draw
    result = run('answers.exe', build=build, add=[program], timeout=120,
                 **options)
    assert result.status == 0, result.reason
    text = re.search(r'\nprocess \d+ answers[^\n]*\n(.*)\n\d+ system calls, ',
                     result.console, re.S).group(1)
    return [line for line in text.splitlines()
            if line and not line.startswith(('W^X', 'STACK'))]


FIRST = []


def first_said(run):
    """64-bit code by SYSCALL, asked once."""
    if not FIRST:
        FIRST.extend(said(run, 'user', TEST_BUILD))
    return FIRST


@pytest.mark.parametrize('folder, build, options', [
    ('user', TEST_BUILD, {'options': ['doors=int2e'], 'kernel': CHECKED}),
    ('user32', TEST_BUILD, {'kernel': CHECKED}),
    ('user32', TEST_BUILD, {'options': ['xpdoor=int2e']}),
    ('user32', BUILD, {'cpu': 'amd'}),
    ('user', TEST_BUILD, {'options': ['doors=int2e'], 'emulator': 'bochs'}),
    ('user32', TEST_BUILD, {'emulator': 'bochs'}),
], ids=['64-int2e', '32-sysenter', '32-int2e', '32-amd', '64-int2e-bochs',
        '32-sysenter-bochs'])
def test_answers(run, folder, build, options):
    expected = first_said(run)
    assert len(expected) > 1800
    assert said(run, folder, build, **options) == expected


def test_every_service_is_asked(run):
    lines = said(run, 'user32', TEST_BUILD)
    asked = set(re.findall(r'Nt\w+', '\n'.join(lines)))
    tab = os.path.join(ROOT, 'kernel/ke/services.tab')
    names = {row.name for row in read_tabs([tab])} - NOT_THERE
    assert names <= asked

"""scripts/boot --trace, and trace in the shell: lines of system calls.

tests/user/traced.c makes the calls; tests/user/tracing.c looks at the records
themselves.
"""
import os
import re
import subprocess

import pytest

from conftest import BUILD, ROOT, config
from ntwalk import boot
from shell import LIMIT, Shell

# Of 64-bit and of 32-bit code; ADDRESS: any.
CALLS = r'''
NtClose(0x1234) = STATUS_INVALID_HANDLE
NtCreateEvent([0x10], 0x1f0003, "\BaseNamedObjects\bell", 0, 0) = ''' \
    r'''STATUS_SUCCESS
NtOpenEvent([0x14], 0x100000, "\BaseNamedObjects\bell") = STATUS_SUCCESS
NtSetEvent(0x10, NULL) = STATUS_SUCCESS
NtWaitForSingleObject(0x14, 0, NULL) = STATUS_SUCCESS
NtClearEvent(0x10) = STATUS_SUCCESS
NtWaitForSingleObject(0x10, 0, [-10000]) = STATUS_TIMEOUT
NtOpenEvent(ADDRESS, 0x100000, {0x10, "\BaseNamedObjects\bell"}) = ''' \
    r'''STATUS_OBJECT_TYPE_MISMATCH
NtOpenEvent(0x8, 0x100000, 0xc) = STATUS_ACCESS_VIOLATION
NtClose(0x14) = STATUS_SUCCESS
NtClose(0x10) = STATUS_SUCCESS
NtClose(0x10) = STATUS_INVALID_HANDLE
NtAllocateVirtualMemory(current process, [0x10000000], 0, [1 => 0x1000], ''' \
    r'''0x3000, 4) = STATUS_SUCCESS
NtFreeVirtualMemory(current process, [0x10000000], [0 => 0x1000], 0x8000) ''' \
    r'''= STATUS_SUCCESS
NtFreeVirtualMemory(current process, NULL, NULL, 0x8000) = ''' \
    r'''STATUS_ACCESS_VIOLATION
a "line"
NtWriteFile(8, 0, NULL, NULL, {STATUS_SUCCESS, 9}, "a \"line\"\n", 9, ''' \
    r'''NULL, NULL) = STATUS_SUCCESS
NtYieldExecution() = STATUS_NO_YIELD_PERFORMED
'''

THREADS = r'''
[OTHER] NtContinue(ADDRESS, 1) = does not return
[OTHER] NtTestAlert() = STATUS_SUCCESS
[OTHER] NtTerminateThread(current thread, 7) = does not return
[FIRST] NtWaitForSingleObject(0x10, 0, NULL) = STATUS_SUCCESS
[FIRST] NtClose(0x10) = STATUS_SUCCESS
[FIRST] NtQueryInformationThread(current thread, 0xc, ADDRESS, 4, NULL) ''' \
    r'''= STATUS_SUCCESS
[FIRST] NtTerminateProcess(0, 5) = STATUS_SUCCESS
[FIRST] NtTerminateProcess(current process, 5) = does not return
ended with 00000005 ''' '''
'''

CREATE = {
    'user': 'NtCreateThreadEx([0x10], 0x1fffff, {}, current process, ADDRESS, '
            'NULL, 0, NULL, NULL, NULL, ADDRESS) = STATUS_SUCCESS\n',
    'user32': 'NtCreateThread([0x10], 0x1fffff, {}, current process, ADDRESS, '
              'ADDRESS, ADDRESS, 0) = STATUS_SUCCESS\n',
}


def matches(lines):
    text = re.escape(lines.lstrip('\n'))
    for word, pattern in (('ADDRESS', '0x[0-9a-f]+'), ('OTHER', r'\d+'),
                          ('FIRST', r'\d+')):
        text = text.replace(word, pattern)
    return text


def run_boot(*words):
    done = subprocess.run(
        ['scripts/boot', '--build', BUILD, '--no-build', '--no-framebuffer',
         *words], cwd=ROOT,
        timeout=LIMIT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_program_32():
    program = os.path.join(BUILD, 'user32/traced.exe')
    status, out, error = run_boot('--add', program, '--trace', 'traced')
    assert (status, error) == (5, '')
    check(out, 'user32')


def check(out, folder):
    assert re.search(r'\nNtContinue\(0x[0-9a-f]+, 1\) = does not return\n' +
                     matches(CALLS), out)
    assert re.search(r'\n' + matches(CREATE[folder]) + matches(THREADS), out)
    assert 'unfinished' not in out and 'lost' not in out


def test_program_and_instructions():
    """With --icount each line of a call that returned says how many."""
    program = os.path.join(BUILD, 'user/traced.exe')
    status, out, _ = run_boot('--add', program, '--icount', '--trace', 'traced')
    assert status == 5
    counts = re.findall(r'^NtClose\(0x1[0-9a-f]+\) = \w+ <(\d+)>$', out, re.M)
    assert len(counts) == 4 and all(20 < int(n) < 5000 for n in counts)
    assert not re.search(r'does not return.', out)
    check(re.sub(r' <\d+>$', '', out, flags=re.M), 'user')


def test_no_such_program():
    status, out, error = run_boot('--trace', 'nothing')
    assert (status, out) == (127, '')
    assert error.startswith('boot: nothing.exe is not on the image')


def test_options_and_arguments():
    """The options are the traced program's, and so are the words."""
    traced = boot.Config(program='tour', args=['walk'], trace=True)
    assert boot.command_line(traced, 'tour.exe') == [
        'report=e9', 'debug=on', 'pagefile=4', '--', 'trace.exe', 'tour.exe',
        'walk']
    traced.icount = True
    assert boot.command_line(traced, 'shell.exe') == [
        'report=e9', '--', 'trace.exe', '-c', 'shell.exe', 'walk']


SAME = ('callregs', 'pointers', 'context', 'calloutregs')
SAME32 = ('threads32', 'runtime32')


@pytest.fixture(scope='module')
def one_shell():
    """For all the tests of this file: each leaves no trace that runs."""
    programs = [os.path.join(BUILD, folder, name + '.exe')
                for folder, names in (('user', (*SAME, 'forever', 'traced')),
                                      ('user32', SAME32)) for name in names]
    with boot.start(config('shell', build=BUILD, add=programs,
                           framebuffer=False)) as machine:
        it = Shell(machine)
        it.expect_prompt()
        yield it


@pytest.fixture
def shell(one_shell):
    at = one_shell.seen
    yield one_shell
    print(one_shell.machine.console[at:])


def show(shell):
    """Prompts are in what it says, too, but not where a line begins."""
    shell.type('trace show\r')
    shell.expect('trace show\n')
    at = shell.seen
    shell.expect('\nntwalk> ')
    return shell.machine.console[at:shell.seen - len('ntwalk> ')]


def test_shell(shell):
    assert shell.command('trace show') == 'trace: there is none\n'
    assert shell.command('trace off') == 'trace: it is off\n'
    assert shell.command('trace on') == ''
    assert shell.command('trace on') == 'trace: it is on\n'
    shell.command('run traced')
    for door in ('syscall', 'int2e', 'sysenter'):
        shell.command(f'call {door} NtClose 0x1234')
    shell.command('call syscall NtCreateEvent val:0 0x1F0003 '
                  'name:"\\BaseNamedObjects\\bell" 0 0')
    shell.command('call syscall 0x1D0 1 2')
    assert shell.command('trace off') == ''
    out = show(shell)
    assert out.startswith('       ms thread door         ticks call\n')
    found = re.findall(r'^ +\d+\.\d\d\d +\d+ (\w+) +\d+ NtClose\(0x1234\) = '
                       r'STATUS_INVALID_HANDLE$', out, re.M)
    assert found == ['syscall', 'syscall', 'int2e', 'sysenter']
    assert re.search(r' NtCreateEvent\(\[0x\w+\], 0x1f0003, '
                     r'"\\BaseNamedObjects\\bell", 0, 0\) = STATUS_SUCCESS$',
                     out, re.M)
    assert re.search(r' 0x1d0\(\) = STATUS_INVALID_SYSTEM_SERVICE$', out, re.M)
    assert re.search(r' zw +\d+ ZwOpenFile\(\.\.\.\) = STATUS_SUCCESS$', out,
                     re.M)
    assert not re.search('(?i)ffff[89a-f][0-9a-f]{11}', out)
    assert ' NtTraceControl(2, NULL, 0, NULL, 0, ' in out
    assert shell.command('trace show') == 'trace: there is none\n'
    for words in ('', ' no', ' off 4', ' show 4'):
        assert shell.command('trace' + words) == \
            'usage: trace on [PID]|off|show\n'
    assert shell.command('trace on x') == 'trace: x is no process id\n'


def test_two_at_once(shell):
    """There is one trace; a program that wants another one says so."""
    shell.command('trace on')
    out = shell.command('run trace shell')
    assert '\ntrace: C0000035 STATUS_OBJECT_NAME_COLLISION\n' in out
    shell.command('trace off')
    out = shell.command('run trace nothing')
    assert 'nothing.exe: C0000034 STATUS_OBJECT_NAME_NOT_FOUND\n' in out
    assert shell.command('trace show') == 'trace: there is none\n'
    assert 'usage: trace [-c] PROGRAM' in shell.command('run trace')


def test_a_thread_that_is_ended(shell):
    """Ctrl-C ends a program in the middle of a call: that is told, too."""
    shell.command('trace on')
    shell.type('run forever sleep\r')
    shell.expect(r'forever\n')
    shell.type('\x03')
    shell.expect_prompt()
    shell.command('trace off')
    out = show(shell)
    assert re.search(r' NtDelayExecution\(0, \[-\d+\]\) = does not return$|'
                     r' NtDelayExecution\(0, \[-\d+\]\) = STATUS_\w+$', out,
                     re.M)
    assert ' NtTerminateProcess(0x' in out


def test_one_process(shell):
    """What the others do is not in it."""
    own = re.search(r'(\d+) +\d+ +1 .* shell.exe\n', shell.command('ps'))[1]
    shell.command('run shell')
    shell.command(f'trace on {own}')
    shell.command('call syscall NtClose 0x4321')
    shell.command('exit')
    shell.command('call syscall NtClose 0x8765')
    shell.command('trace off')
    out = show(shell)
    assert 'NtClose(0x8765) = STATUS_INVALID_HANDLE\n' in out
    assert 'NtClose(0x4321)' not in out


def test_traced_programs_see_no_difference(shell):
    """H19. Registers, contexts, bad pointers, while all is recorded."""
    shell.command('trace on')
    for name in SAME + SAME32:
        out = shell.command('run ' + name)
        assert f'{name} ended with 00000000 STATUS_SUCCESS' in out, name
    shell.command('trace off')
    out = show(shell)
    lost, records = re.search(r'\n(\d+) of (\d+) records were lost\n$',
                              out).groups()
    assert 0 < int(lost) < int(records)
    assert re.search(r' NtTerminateProcess\(current process, 0\) = does not '
                     r'return$', out, re.M)

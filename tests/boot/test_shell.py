"""programs/shell, typed at over COM1 and on the keyboard."""
import os
import pty
import re
import subprocess
import termios

import pytest

from conftest import BUILD, ROOT
from shell import LIMIT, PROMPT, Shell


@pytest.fixture
def shell(start):
    with start('shell', build=BUILD) as machine:
        it = Shell(machine)
        it.expect_prompt()
        yield it
        print(machine.console)


def test_commands(shell):
    assert '  echo WORD...' in shell.command('help')
    assert shell.command('echo one   "two  ""2"""  3') == 'one two  "2" 3\n'
    assert re.fullmatch(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC, '
                        r'up for \d+\.\d\d s\n', shell.command('time'))
    assert shell.command('') == ''
    shell.type('exit 0x2A\r')
    shell.end(42)


def test_complaints(shell):
    assert shell.command('frobnicate') == \
        'frobnicate: there is no such command; "help" lists them\n'
    for line in ('echo "one', 'echo "one"two', 'echo' + ' 1' * 30):
        assert 'quotation mark' in shell.command(line)
    assert shell.command('help me') == 'usage: help \n'
    for status in ('', 'x', '12a', '0x', '0x100000000', '-2147483649'):
        assert shell.command(f'exit "{status}"') == \
            f'exit: {status} is no status\n'
    shell.type('exit -1\r')
    shell.end(0xFFFFFFFF)


@pytest.mark.parametrize('keys', ['\x04', '\x1a', '\x1a\r' * 100])
def test_end_of_input(shell, keys):
    shell.type(keys)
    shell.end(0)


def test_calls(shell):
    for door in ('syscall', 'int2e', 'sysenter'):
        assert shell.command(f'call {door} NtClose 0x1234') == \
            'rax 00000000C0000008 STATUS_INVALID_HANDLE\n'
        assert shell.command(f'call {door} 0xF 0x4444') == \
            'rax 00000000C0000008 STATUS_INVALID_HANDLE\n'
    out = shell.command('call syscall NtDisplayString "said by  ring 0"')
    assert out.startswith('said by  ring 0rax 0000000000000000 STATUS_SUCC')
    out = shell.command('call int2e NtQuerySystemInformation 0 buf:64 64 '
                        'val:0xFFFFFFFFFFFFFFFF')
    assert 'STATUS_SUCCESS\nargument 2:\n  0000  00 00 00 00 ' in out
    assert re.search(r'argument 4:\n  0000  40 00 00 00 FF FF FF FF ', out)


def test_a_call_that_opens(shell):
    """A handle comes back in val:, and can be closed once."""
    path = '\\SystemRoot\\System32\\ntdll.dll'
    out = shell.command(f'call syscall NtOpenFile val:0 0x80100000 '
                        f'name:"{path}" buf:16 1 0x20')
    assert 'rax 0000000000000000 STATUS_SUCCESS' in out
    low, high = re.search(r'argument 1:\n  0000  (\w\w) (\w\w)', out).groups()
    line = f'call int2e NtClose 0x{high}{low}'
    assert 'STATUS_SUCCESS' in shell.command(line)
    assert 'STATUS_INVALID_HANDLE' in shell.command(line)
    out = shell.command('call syscall NtOpenFile val:0 0x80100000 '
                        'name:"\\nothing" buf:16 1 0x20')
    assert 'STATUS_OBJECT_NAME_NOT_FOUND' in out


def test_calls_with_bad_pointers(shell):
    """The kernel answers for them, so the shell lives on."""
    for pointer in ('0', '8', '-8', '0xFFFFF78000000000',
                    '0x800000000000', '0x7FFFFFFF0000'):
        out = shell.command(f'call syscall NtQuerySystemTime {pointer}')
        assert out == 'rax 00000000C0000005 STATUS_ACCESS_VIOLATION\n'


@pytest.mark.parametrize('words, complaint', [
    ('gate NtClose 1', 'gate is no door'),
    ('syscall NtFlyToTheMoon', 'NtFlyToTheMoon is no service'),
    ('syscall RtlGetVersion 0', 'RtlGetVersion is no service'),
    ('syscall NtClose', 'NtClose takes 1 argument'),
    ('syscall NtClose 1 2', 'NtClose takes 1 argument'),
    ('syscall NtClose one', 'one is no argument'),
    ('syscall NtClose 18446744073709551616', 'is no argument'),
    ('syscall NtClose buf:', 'buf: has no number'),
    ('syscall NtClose buf:0', 'buf:0 is not 1 to 4096 bytes'),
    ('syscall NtClose buf:4097', 'buf:4097 is not 1 to 4096 bytes'),
    ('syscall NtClose q"text"', 'text is no kind of string'),
    ('syscall 0xF' + ' buf:4096' * 5, 'buf:4096 is too much memory'),
    ('syscall 0xF' + ' 0' * 19, '0xF takes 18 arguments'),
])
def test_bad_calls(shell, words, complaint):
    assert shell.command('call ' + words) == f'call: {complaint}\n' \
        or complaint in shell.command('call ' + words)


def test_without_sysenter(start):
    with start('shell', build=BUILD, cpu='amd') as machine:
        shell = Shell(machine)
        shell.expect_prompt()
        assert 'has no sysenter' in shell.command('call sysenter NtClose 1')
        assert 'sysenter' not in shell.command('call')


def test_apc(shell):
    """The frame of the APC: its parts, and what it says of the stub."""
    for _ in range(2):
        out = shell.command('apc')
        assert re.search(r'during +routine\(1, 2, 3\), r9 (\w+),', out)
        at = int(re.search(r'r9 (\w+)', out).group(1), 16)
        for offset, what in ((0, 'CONTEXT '), (0x78, '  Rax '),
                             (0x98, '  Rsp '), (0xF8, '  Rip '),
                             (0x4D0, 'CONTEXT_EX '),
                             (0x4F0, 'KCONTINUE_ARGUMENT '),
                             (0x510, 'MACHINE_FRAME ')):
            assert f'{at + offset:012X} +{offset:03X}  {what}' in out
        assert 'rsp in the stub\n' in out
        assert out.count('rsp in the stub\n') == 2
        assert 'NtTestAlert+14\n' in out
        assert '000000C0, what NtDelayExecution is to return' in out
        assert 'NtDelayExecution+14\n' in out
        for status in ('00000000 STATUS_SUCCESS', '000000C0 STATUS_USER_APC'):
            assert re.search(rf'after +rax {status}, rsp \w+ as before; '
                             r'ran 1 time\n', out)


def processes(shell):
    found = re.findall(r' *(\d+) +(\d+) +(\d+) +(\d+) +(-?\d+) +'
                       r'(\d+\.\d\d) +(\d+\.\d\d)  (\S+)\n',
                       shell.command('ps'))
    return [(name, int(pid), int(parent), int(threads), int(handles))
            for pid, parent, threads, handles, _, _, _, name in found]


def test_ps(shell):
    """Processes as they come and go, threads and what they wait for."""
    system, own = processes(shell)
    assert system[:3] == ('System', 4, 0)
    assert own[0] == 'shell.exe' and own[3] == 1
    out = shell.command('run shell')
    child, thread = re.search(r'process (\d+), thread (\d+)', out).groups()
    assert processes(shell)[2][:4] == ('shell.exe', int(child), own[1], 1)
    out = shell.command(f'ps {own[1]}')
    assert re.search(r'\n +\d+ Waiting +UserRequest +\d+ ', out)
    out = shell.command(f'ps {int(child):#x}')
    assert re.search(rf'\n +{thread} Running +\d+ +\d+\.\d\d +\d+\.\d\d  '
                     r'[0-9A-F]+\n$', out)
    shell.command('exit')
    assert [process[:4] for process in processes(shell)] == \
        [system[:4], own[:4]]
    assert shell.command(f'ps {child}') == f'ps: no process {child}\n'
    assert shell.command('ps 18446744073709551612').startswith('ps: no proc')
    for word in ('x', '7', '-1', '18446744073709551616'):
        for command in ('ps', 'handles'):
            assert shell.command(f'{command} {word}') == \
                f'{command}: {word} is no process id\n'
    assert shell.command('ps 4 4') == 'usage: ps [PID]\n'
    assert shell.command('ps 4').count('Waiting') == system[3]


def test_run(shell):
    """Programs of both kinds, one inside the other, and what cannot be."""
    out = shell.command('run tour')
    assert re.match(r'process [0-9A-F]+, thread [0-9A-F]+\n', out)
    assert 'The tour ends well' in out
    assert out.endswith('tour ended with 00000000 STATUS_SUCCESS\n')
    assert 'The tour ends well' in shell.command('run TOUR32.exe')
    assert 'This is ring 3' in shell.command('run shell.exe an "argument x"')
    assert shell.command('echo inside') == 'inside\n'
    assert shell.command('exit 0xC0000008').endswith(
        'shell.exe ended with C0000008 STATUS_INVALID_HANDLE\n')
    assert shell.command('run nothing') == \
        'nothing: C0000034 STATUS_OBJECT_NAME_NOT_FOUND\n'
    assert shell.command('run ntoskrnl.sym').startswith('ntoskrnl.sym: C000')
    assert shell.command('run') == 'usage: run PROGRAM [ARG...]\n'
    assert shell.command('run ""').startswith(': C0')
    assert shell.command('echo back') == 'back\n'


EVENT = '\\BaseNamedObjects\\bell'


def handles(shell, words=''):
    """What `handles` shows: type, rights and name by handle."""
    out = shell.command('handles ' + words)
    assert out.startswith(' handle access   type         name\n')
    found = re.findall(r' +(0x[0-9a-f]+) ([0-9A-F]{8}) (\S+) +(.*)\n', out)
    assert len(found) == out.count('\n') - 1
    return {int(handle, 16): (kind, int(access, 16), name)
            for handle, access, kind, name in found}


def test_handles(shell):
    """Handles come and go, in this process and in another."""
    before = handles(shell)
    assert {kind for kind, _, _ in before.values()} == {'File'}
    own = processes(shell)[1]
    assert len(before) == own[4]
    out = shell.command(f'call syscall NtCreateEvent val:0 0x100003 '
                        f'name:"{EVENT}" 0 0')
    low, high = re.search(r'argument 1:\n  0000  (\w\w) (\w\w)', out).groups()
    event = int(high + low, 16)
    after = handles(shell)
    assert after == {**before, event: ('Event', 0x100003, EVENT)}
    shell.command('run shell')
    assert handles(shell).items() <= before.items()
    theirs = handles(shell, str(own[1]))
    assert after.items() < theirs.items()
    assert {theirs[handle][0] for handle in theirs.keys() - after.keys()} == \
        {'File', 'Process', 'Thread'}
    shell.command('exit')
    assert shell.command(f'handles {own[1] + 400}') == \
        f'handles: no process {own[1] + 400}\n'
    shell.command(f'call syscall NtClose {event:#x}')
    assert handles(shell, f'{own[1]:#x}') == before


def test_names(shell):
    """Directories: the root, one that changes, one of many, what is none."""
    assert re.search(r'^Directory +BaseNamedObjects$', shell.command('names'),
                     re.M)
    assert shell.command('names \\') == shell.command('names')
    assert shell.command('names \\BaseNamedObjects') == ''
    for kind, name in (('Event', 'bell'), ('Semaphore', 'gate')):
        out = shell.command(f'call syscall NtCreate{kind} val:0 0x1F0003 '
                            f'name:"\\BaseNamedObjects\\{name}" 0 1')
        assert 'STATUS_SUCCESS' in out
    out = shell.command('names "\\BaseNamedObjects"')
    assert sorted(line.split() for line in out.splitlines()) == \
        [['Event', 'bell'], ['Semaphore', 'gate']]
    assert re.search(r'^Type +File$', shell.command('names \\ObjectTypes'),
                     re.M)
    for path, status in ((EVENT, 'C0000024 STATUS_OBJECT_TYPE_MISMATCH'),
                         ('\\x', 'C0000034 STATUS_OBJECT_NAME_NOT_FOUND'),
                         ('x', 'C000003B STATUS_OBJECT_PATH_SYNTAX_BAD')):
        assert shell.command(f'names {path}') == f'{path}: {status}\n'


def test_many_names(shell):
    """More than one answer of the kernel holds."""
    for number in range(24):
        name = f'{number:02}' * 100
        out = shell.command(f'call syscall NtCreateEvent val:0 0x1F0003 '
                            f'name:"\\BaseNamedObjects\\{name}" 0 0')
        assert 'STATUS_SUCCESS' in out
    out = shell.command('names \\BaseNamedObjects')
    assert sorted(out.splitlines()) == [
        f'{"Event":14} ' + f'{number:02}' * 100 for number in range(24)]


@pytest.fixture
def forever(start):
    """A shell that can run forever.exe."""
    program = os.path.join(BUILD, 'user', 'forever.exe')
    with start('shell', build=BUILD, add=[program]) as machine:
        it = Shell(machine)
        it.expect_prompt()
        yield it
        print(machine.console)


def test_interrupt(forever):
    """Ctrl-C ends what runs, in ring 3 or waiting, and nothing else."""
    shell = forever
    before = processes(shell)
    for word in ('spin', 'sleep', 'read') * 2:
        shell.type(f'run forever {word}\r')
        shell.expect(r'forever\n')
        if word == 'read':
            shell.type('one\r')
            shell.expect('read: one\n')
            shell.type('typed')
            shell.expect('typed')
        shell.type('\x03')
        assert shell.expect_prompt() == '^C\n' \
            'forever ended with C000013A STATUS_CONTROL_C_EXIT\n'
    assert processes(shell) == before
    shell.type('never\x03')
    shell.expect(r'never\^C\n')
    shell.expect_prompt()
    assert shell.command('echo on') == 'on\n'


def test_interrupt_of_the_innermost(forever):
    """A shell in a shell takes Ctrl-C as a key, or for what it runs."""
    shell = forever
    shell.command('run shell')
    shell.type('never\x03')
    shell.expect(r'never\^C\n')
    shell.expect_prompt()
    shell.type('run forever spin\r')
    shell.expect(r'forever\n')
    shell.type('\x03')
    assert 'ended with C000013A' in shell.expect_prompt()
    assert len(processes(shell)) == 3
    assert 'shell ended with 00000005' in shell.command('exit 5')
    assert len(processes(shell)) == 2


def test_editing(shell):
    assert shell.result('echo ac\x1b[Db') == 'abc'
    assert shell.result('cho x\x01e\x05y') == 'xy'
    assert shell.result('cho x\x1b[He\x1b[Fy') == 'xy'
    assert shell.result('echo xyz\x7f\b!') == 'x!'
    assert shell.result('xecho one two\x1b[H\x1b[3~') == 'one two'
    assert shell.result('echo one two\x1b[D\x1b[D\x1b[D\x1b[D\x0b') == 'one'
    assert shell.result('junk echo\x15echo one') == 'one'
    shell.type('echo never\x03')
    shell.expect(r'\^C\n')
    shell.expect_prompt()
    shell.type('echo ab\x0c')
    shell.expect('\x1b\\[2J\x1b\\[Hntwalk> echo ab')
    assert shell.result('c') == 'abc'


def test_history(shell):
    for word in ('one', 'two', 'three'):
        shell.command(f'echo {word}')
    assert shell.result('\x1b[A') == 'three'
    assert shell.result('\x1b[A\x1b[A') == 'two'
    assert shell.result('\x1b[A\x1b[A\x1b[A\x1b[B\x08\x08\x08') == 'th'
    assert shell.result('echo x\x1b[A\x1b[By') == 'xy'


def test_long_lines(shell):
    """Many characters at once, more than the ports and the line hold."""
    text = ''.join(chr(ord('a') + i % 26) for i in range(480))
    assert shell.result('echo ' + text) == text
    assert shell.result('echo ' + text * 4) == (text * 4)[:506]
    shell.type('echo a\recho b\recho c\r' * 50)
    for _ in range(50):
        for word in 'abc':
            shell.expect(f'\n{word}\n')


def test_keyboard(shell):
    """Keys of the keyboard: shift, caps lock, ctrl, arrows."""
    shell.press_line()
    shell.press('up')
    shell.press('home')
    shell.press('delete')
    shell.press('ctrl', 'e')
    shell.press('kp_enter')
    shell.expect('cho: there is no such command')
    shell.press('ctrl', 'd')
    shell.end(0)


def test_both(shell):
    shell.type('echo one ')
    shell.expect('one ')
    shell.press('t')
    shell.expect('t')
    shell.type('wo\r')
    shell.expect('\none two\n')


def test_nobody_reads(start, tmp_path):
    """Keys that nobody takes neither hurt nor stop a program."""
    with start('tour', build=BUILD) as machine:
        machine.wait_for('ntwalk', LIMIT)
        machine.send('x' * 5000)
        for _ in range(20):
            machine.monitor_command('send-key', keys=[
                {'type': 'qcode', 'data': 'a'}])
        assert machine.wait(LIMIT)
        assert machine.report == ('exit', 0)


def test_exit_status_of_scripts_boot():
    done = subprocess.run(
        ['scripts/boot', '--build', BUILD, '--no-build', '--interactive',
         'shell'], input=b'echo piped\nexit 7\n', cwd=ROOT, timeout=LIMIT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (7, b'')
    assert b'\npiped\n' in done.stdout


def test_terminal():
    """Ctrl-C is the shell's, Ctrl-] ends all, the terminal is as before."""
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    with subprocess.Popen(
            ['setsid', '--ctty', '--wait', 'scripts/boot', '--build', BUILD,
             '--no-build', '--interactive', 'shell'], cwd=ROOT, stdin=theirs,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        def read_until(text):
            seen = b''
            while text not in seen:
                data = os.read(process.stdout.fileno(), 4096)
                assert data, seen
                seen += data
        try:
            read_until(PROMPT.encode())
            os.write(ours, b'never\x03')
            read_until(b'never^C\n' + PROMPT.encode())
            os.write(ours, b'echo on\r')
            read_until(b'\non\n')
            assert termios.tcgetattr(theirs) != before
            os.write(ours, b'\x1d')
            error = process.communicate(timeout=LIMIT)[1]
        finally:
            process.terminate()
    assert (process.returncode, error) == (130, b'')
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_bochs(start):
    with start('shell', build=BUILD, emulator='bochs') as machine:
        shell = Shell(machine)
        shell.expect_prompt()
        assert shell.result('echo on Bochs') == 'on Bochs'
        shell.type('exit 3\r')
        shell.end(3)

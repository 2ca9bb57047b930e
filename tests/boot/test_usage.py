"""scripts/boot and others from outside: one clear line and 127, and statuses.

Scenarios: D9.
"""
import os
import pty
import struct
import subprocess
import sys

import pytest

from conftest import BUILD, ROOT
from ntwalk import kvm, pe


def boot(*words, **more):
    return subprocess.run(
        ['scripts/boot', '--build', BUILD, '--no-build', *words], cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
        check=False, **({'stdin': subprocess.DEVNULL} | more))


@pytest.mark.parametrize('words, complaint', [
    (['--bogus'], '--bogus'),
    (['--firmware', 'coreboot'], 'coreboot'),
    (['--firm', 'bios'], '--firm'),
    (['--media', 'dvd'], 'dvd'),
    (['--emulator', 'vmware'], 'vmware'),
    (['--cpu', 'no-such-model'], 'no-such-model'),
    (['--cpu', 'no-such', '--emulator', 'bochs'], 'no-such'),
    (['--smp', '0'], '--smp'),
    (['--smp', 'many'], '--smp'),
    (['--memory', '2'], '--memory'),
    (['--timeout', '-1'], '--timeout'),
    (['--option', 'debug'], 'key=value'),
    (['--option', 'a b=c'], 'key=value'),
    (['--add'], '--add'),
    (['--add', '/no/such/file'], 'No such file'),
    (['--add', '/tmp'], 'Is a directory'),
    (['--numbering', '/no/such/file'], 'No such file'),
    (['nothere'], 'nothere.exe'),
    (['ntoskrnl.sym'], 'not a PE'),
    (['tour', ''], 'argument'),
    (['--emulator', 'bochs', '--firmware', 'uefi'], 'Bochs'),
    (['--screendump', '/no/such/folder/a.png'], 'no such folder'),
])
def test_usage(words, complaint):
    done = boot(*words)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 127
    assert len(lines) == 1 and complaint in lines[0]
    assert not done.stdout


@pytest.mark.parametrize('words, complaint', [
    (['scripts/soak', '1.2.3'], '1.2.3'),
    (['scripts/soak', '0'], "'0'"),
    (['scripts/kva-map', '--no-build', '--build', '/no/where'], '/no/where'),
    (['tests/entry/fuzz.py', 'calls=abc'], 'calls=abc'),
    (['tests/entry/fuzz.py', 'sed=1'], 'sed=1'),
    (['tests/entry/fuzz.py', '--bits', '16'], '16'),
    (['tests/entry/sweep.py', '--kinds', 'nmi,cmc'], 'cmc is none of nmi'),
    (['tests/entry/sweep.py', '--kva', 'maybe'], 'maybe is none of off, on'),
    (['tests/entry/sweep.py', '--every', '0'], '--every'),
    (['tests/entry/sweep.py', '--build', '/no/where'], 'no kernel is there'),
    (['tests/entry/watch.py', '--calls', 'many'], 'many'),
    (['tests/entry/coverage.py', '--build', '/no/where'],
     'no kernel is there'),
    (['tests/entry/paths.py', '/no/where'], 'no kernel is there'),
])
def test_usage_of_others(words, complaint):
    done = subprocess.run(
        [sys.executable, '-B', *words], cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=120, check=False)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 127
    assert len(lines) == 1 and complaint in lines[0]
    assert not done.stdout


def pe_file(machine, magic, sections=1):
    """Headers and nothing else: of a machine, in a form."""
    return (b'MZ' + bytes(58) + struct.pack('<I4sHH12xHHH', 0x40, b'PE',
                                            machine, sections, 0, 0, magic)
            + bytes(300))


def test_the_headers_of_the_next_test(tmp_path):
    """They are refused for what is wrong in them, and nothing else."""
    for machine, magic in ((0x8664, 0x20B), (0x014C, 0x10B)):
        pe.check(pe_file(machine, magic))


@pytest.mark.parametrize('data', [
    b'', b'#!/bin/sh\n', b'MZ', b'MZ' + bytes(62), b'MZ' + b'\xff' * 100,
    pe_file(0x014C, 0), pe_file(0x014C, 0x20B), pe_file(0x8664, 0x10B),
    pe_file(0x01C4, 0x10B), pe_file(0x014C, 0x10B, sections=0)])
def test_not_a_pe(tmp_path, data):
    path = tmp_path / 'broken.exe'
    path.write_bytes(data)
    for words in (['broken.exe'], []):
        done = boot('--add', path, *words)
        assert done.returncode == 127
        assert done.stderr.decode().count('\n') == 1


def test_two_files_of_one_name(tmp_path):
    path = tmp_path / 'NTDLL.dll'
    path.write_bytes(open(os.path.join(BUILD, 'programs/tour.exe'),
                          'rb').read())
    assert boot('--add', path).returncode == 127


def test_name_of_the_numbering_file(tmp_path):
    path = tmp_path / 'Numbering.TXT'
    path.write_text('NtClose 1')
    done = boot('--add', path)
    assert done.returncode == 127 and b'--numbering' in done.stderr


def test_timeout():
    done = boot('--timeout', '0.3')
    assert done.returncode == 124
    assert b'no end after 0.3 s' in done.stderr


def test_closed_input():
    read, write = os.pipe()
    os.close(write)
    assert boot(stdin=read).returncode == 0
    os.close(read)


def test_unknown_option_is_reported():
    done = boot('--option', 'bogus=1')
    assert done.returncode == 0
    assert b'bogus' in done.stdout


def test_reader_that_goes_away():
    script = f'scripts/boot --build {BUILD} --no-build | head -n 1'
    done = subprocess.run(['bash', '-o', 'pipefail', '-c', script], cwd=ROOT,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b'')


def test_emulator_that_dies():
    done = boot('--qemu-arg=-bogus')
    assert done.returncode == 126
    assert b'bogus' in done.stderr


def test_picture(tmp_path):
    path = tmp_path / 'screen.png'
    assert boot('--screendump', path).returncode == 0
    assert path.read_bytes().startswith(b'\x89PNG\r\n\x1a\n')


def test_keyboard():
    """A terminal's keys reach COM1, one by one, and are not echoed here."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
            ['scripts/boot', '--build', BUILD, '--no-build'], cwd=ROOT,
            stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True) as process:
        os.write(ours, b'keys\n')
        out, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, b'')
    assert b'The tour ends well' in out
    os.close(ours)
    os.close(theirs)


def test_the_probe_of_kvm():
    assert kvm.probe('tcg') is None

"""Service numbers from a file: of other Windows releases, and broken ones."""
import os
import subprocess

import pytest

from conftest import BUILD, ROOT


def numbering(what):
    return subprocess.run([os.path.join(ROOT, 'scripts/numbering'), what],
                          stdout=subprocess.PIPE, check=True).stdout


@pytest.fixture
def boot_with(run, tmp_path):
    def boot(data, program='tour', *args, **options):
        path = tmp_path / 'numbers'
        path.write_bytes(data)
        return run(program, *args, build=BUILD, numbering=str(path),
                   **options)
    return boot


@pytest.mark.parametrize('release', ['win7', 'win10-2004', 'win10-22h2'])
def test_tour(boot_with, release):
    result = boot_with(numbering(release))
    assert result.status == 0
    assert 'renumbered by numbering.txt' in result.console


def test_windows_7_numbers_are_in_use(boot_with):
    tour = boot_with(numbering('win7')).console
    # NtClose is 0Ch there, and 0Fh in Windows 10.
    assert 'B80C000000' in tour and 'eax 000C' in tour


@pytest.mark.parametrize('program', ['files', 'memory', 'pointers'])
def test_programs(boot_with, program):
    path = os.path.join(BUILD, 'user', program + '.exe')
    assert boot_with(numbering('win7'), program, add=[path]).status == 0


def test_our_own_ntdll(boot_with):
    rows = numbering(os.path.join(BUILD, 'ntdll.dll'))
    assert b'0x000f' in rows
    assert boot_with(rows).status == 0


def test_one_name_and_the_others_above_it(boot_with):
    result = boot_with(b'NtClose 0x123\nNtUserGetThreadState 0x1100')
    assert result.status == 0
    assert 'eax 0123' in result.console


def test_every_kind_of_line(boot_with):
    result = boot_with(b'# comment\r\n\r\n \tNtClose\t 291 # decimal\r\n'
                       b'NtNobodyKnows 0\nunknown_name 0x1f00')
    assert result.status == 0
    assert '1 names used, 2 unknown' in result.console


@pytest.mark.parametrize('data, line', [
    (b'NtClose', 1),
    (b'NtClose 0x', 1),
    (b'\n\nNtClose 12 13\n', 3),
    (b'NtClose twelve', 1),
    (b'NtClose -1', 1),
    (b'NtClose 0x2000', 1),
    (b'NtClose 99999999999999999999', 1),
    (b'NtClose 0x1005', 1),
    (b'NtGdiFlush 0x5', 1),
    (b'NtClose 1\nNtReadFile 2\nNtClose 3', 3),
    (b'NtClose 1\nNtReadFile 1', 2),
    (b'NtUnknown 1\nNtUnknown 2', 2),
    (b'NtUnknown 1\nNtClose 1', 2),
    (b'NtClose 1\0', 1),
    (b'\xff\xfeN\0t\0', 1),
    (b'\x7fELF', 1),
])
def test_broken(boot_with, data, line):
    result = boot_with(data)
    assert result.status == 125
    assert f'numbering.txt:{line}:' in result.console


def test_no_number_left(boot_with):
    assert boot_with(b'NtClose 0xfff').status == 125


def test_empty_file(boot_with):
    result = boot_with(b'')
    assert result.status == 0

"""The tours' doors: which ones there are, and what each one costs."""
import re

import pytest

from conftest import BUILD

SYSCALL = '0F 05'
INT2E = 'CD 2E'
SYSENTER = '0F 34'


def complete(result):
    assert result.status == 0, result.reason
    assert 'The tour ends well' in result.console


def row(console, name):
    """The columns of each row of that name, chapter 3's first."""
    chapter = console[console.index('3. Three doors'):]
    return [re.split(r'  +', line.strip())[1:]
            for line in chapter.splitlines()
            if line.startswith(f'   {name} ')]


def ticks(console):
    return [[int(number) for number in numbers]
            for numbers in row(console, 'ticks')]


@pytest.mark.parametrize('emulator', ['qemu', 'bochs'])
def test_three_doors(run, emulator):
    result = run(build=BUILD, emulator=emulator, timeout=120)
    complete(result)
    assert row(result.console, 'bytes') == [[SYSCALL, INT2E, SYSENTER]]
    for label in ('KiSystemCall64', 'KiSystemService', 'KiFastCallEntry'):
        assert re.search(rf'[0-9A-F]{{16}} +{label}\n', result.console)


def test_no_sysenter_on_amd(run):
    result = run(build=BUILD, cpu='amd')
    complete(result)
    assert row(result.console, 'bytes') == [[SYSCALL, INT2E]]
    assert 'AuthenticAMD has no SYSENTER in long mode' in result.console


@pytest.mark.parametrize('cpu', ['intel', 'amd'])
@pytest.mark.parametrize('door, code', [('syscall', SYSCALL),
                                        ('int2e', INT2E)])
def test_door_of_the_stubs(run, door, code, cpu):
    result = run(build=BUILD, cpu=cpu, options=[f'doors={door}'])
    complete(result)
    name = {'syscall': 'syscall', 'int2e': 'int 2e'}[door]
    assert f"ntdll's stubs go by {name}, {code}" in result.console


def test_without_debugging_ring_0_stays_hidden(run):
    result = run(build=BUILD, options=['debug=off'])
    complete(result)
    assert row(result.console, 'bytes') == [[SYSCALL, INT2E, SYSENTER]]
    assert 'LSTAR' not in result.console[result.console.index('3. Three'):]


def test_price_in_instructions(run):
    """QEMU's count is the same twice, and the one that Bochs makes."""
    first, second = (ticks(run(build=BUILD, icount=True).console)
                     for _ in range(2))
    assert first == second
    work, bare = first
    assert len(work) == len(bare) == 3
    assert all(50 < less < more < 1000 for less, more in zip(bare, work))
    bochs = run(build=BUILD, emulator='bochs', timeout=120)
    assert ticks(bochs.console) == first

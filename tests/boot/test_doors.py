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
    """The columns of each row of that name, from the doors' chapter on."""
    chapter = console[re.search(r"^\d\. (Three|XP's two) doors", console,
                                re.M).start():]
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


@pytest.mark.parametrize('program', ['tour.exe', 'tour32.exe'])
@pytest.mark.parametrize('kva', ['off', 'on'])
def test_predictors(run, program, kva):
    """K7, K9: the shadow doors do all that a processor may need."""
    result = run(program, build=BUILD, options=['spec=on', f'kva={kva}'])
    complete(result)
    assert 'return stack              filled at each way in' in result.console
    assert 'KiSystemCall64Shadow' in result.console


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
    """QEMU's count is the same twice, and the one that Bochs makes (they
    disagree about REP, which is nowhere on this path)."""
    first, second = (ticks(run(build=BUILD, icount=True).console)
                     for _ in range(2))
    assert first == second
    work, bare = first
    assert len(work) == len(bare) == 3
    assert all(50 < less < more < 1000 for less, more in zip(bare, work))
    bochs = run(build=BUILD, emulator='bochs', timeout=120)
    assert ticks(bochs.console) == first


# ---- 32-bit code


FAST, INT = 'KiFastSystemCall', 'KiIntSystemCall'
ROUTINES = {FAST: '8B D4 0F 34 C3', INT: '8D 54 24 08 CD 2E C3'}


@pytest.mark.parametrize('options, routine, codes', [
    ({'cpu': 'intel'}, FAST, [INT2E, SYSENTER]),
    ({'cpu': 'amd'}, INT, [INT2E]),
    ({'options': ['xpdoor=sysenter']}, FAST, [INT2E, SYSENTER]),
    ({'options': ['xpdoor=int2e']}, INT, [INT2E, SYSENTER]),
    ({'options': ['xpdoor=int2e'], 'cpu': 'amd'}, INT, [INT2E]),
    ({'options': ['xpdoor=sysenter'], 'cpu': 'amd'}, INT, [INT2E]),
    ({'emulator': 'bochs'}, FAST, [INT2E, SYSENTER]),
    ({'emulator': 'bochs', 'cpu': 'amd'}, INT, [INT2E]),
], ids=lambda value: ' '.join(map(str, value.values()))
    if isinstance(value, dict) else '')
def test_32_bit_tour(run, options, routine, codes):
    result = run('tour32.exe', build=BUILD, timeout=120, **options)
    complete(result)
    assert f'3. Calls, by {routine}\n' in result.console
    assert re.search(rf'\+300 SystemCall +7C90[0-9A-F]{{4}} {routine}: '
                     f'{ROUTINES[routine]}', result.console)
    assert row(result.console, 'bytes') == [codes]
    assert 'cs 001B: 32-bit code again' in result.console
    assert ('no SYSENTER' in result.console) == (SYSENTER not in codes)


def test_32_bit_tour_twice_by_instruction_count(run):
    first, second = (run('tour32.exe', build=BUILD, icount=True)
                     for _ in range(2))
    complete(first)
    assert first.console == second.console
    assert all(50 < number < 1000
               for numbers in ticks(first.console) for number in numbers)


def test_32_bit_tour_by_other_numbers(run, tmp_path):
    """64-bit numbers may change; XP's stay."""
    path = tmp_path / 'numbers.txt'
    path.write_text('NtClose 0x000c\n')
    result = run('tour32.exe', build=BUILD, numbering=str(path))
    complete(result)
    assert 'C0000008 STATUS_INVALID_HANDLE' in result.console


def test_width_of_the_32_bit_tour(run):
    console = run('tour32.exe', build=BUILD).console
    tour = console[console.index('\nntwalk: the walk'):]
    assert not [line for line in tour.splitlines() if len(line) >= 80]

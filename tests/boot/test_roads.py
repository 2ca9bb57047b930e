"""The tour on every road from power-on, and at its edges.

What differs in several ways at once is test_matrix.py's.
"""
import os
import re
import time

import pytest

from conftest import BUILD, TEST_BUILD
from ntwalk import symbols

LOADERS = {'bios': 'BOOT  GRUB 2', 'uefi': 'BOOT  BOOTX64.EFI, UEFI'}
SAFE = 'It is now safe to turn off your computer.'


def check(result):
    assert result.status == 0, result.reason
    assert result.console.startswith('ntwalk ')
    assert 'The tour ends well' in result.console
    assert result.console.rstrip().endswith(SAFE)


@pytest.mark.parametrize('media', ['cd', 'usb'])
@pytest.mark.parametrize('firmware', ['bios', 'uefi'])
def test_road(run, firmware, media):
    result = run(build=BUILD, firmware=firmware, media=media, cpu='max')
    check(result)
    assert LOADERS[firmware] in result.console


@pytest.mark.parametrize('media', ['cd', 'usb'])
def test_bochs(run, media):
    check(run(build=BUILD, emulator='bochs', media=media, timeout=120))


@pytest.mark.parametrize('firmware, memory', [
    ('bios', 32), ('bios', 64), ('bios', 3584), ('uefi', 128)])
def test_memory(run, firmware, memory):
    check(run(build=BUILD, firmware=firmware, memory=memory))


@pytest.mark.parametrize('firmware', ['bios', 'uefi'])
def test_no_framebuffer(run, firmware):
    check(run(build=BUILD, framebuffer=False, firmware=firmware))


def test_no_console_at_all(run):
    result = run(build=BUILD, framebuffer=False, serial=False)
    assert (result.status, result.console) == (0, '')


def verdict(machine, address):
    """What the kernel has noted in memory of its end, or '' so far."""
    try:
        return machine.read(address, 64).partition(b'\n')[0].decode('ascii')
    except (RuntimeError, UnicodeDecodeError):  # there is no kernel yet
        return ''


@pytest.mark.parametrize('program, words', [
    (['tour'], '~ntwalk exit 0x00000000'),
    (['crash', 'ud2'], '~ntwalk exit 0xc000001d')])
def test_verdict_in_memory(start, program, words):
    """A machine that tells nobody: no console, no report."""
    address = symbols.of_kernel(BUILD)['kd_last_report']
    limit = time.monotonic() + 60
    crash = os.path.join(TEST_BUILD, 'user/crash.exe')
    with start(*program, build=BUILD, framebuffer=False, serial=False,
               add=[crash], options=['report=none']) as machine:
        while not verdict(machine, address).startswith('~'):
            assert time.monotonic() < limit
            time.sleep(0.1)
        assert verdict(machine, address) == words
        assert machine.report is None and not machine.console


@pytest.mark.parametrize('slot', ['0x100', '0x1D7', '0x1EE', '0x1F6',
                                  'random'])
def test_self_map(run, slot):
    check(run(build=BUILD, options=[f'selfmap={slot}']))


def test_the_same_twice_by_instruction_count(run):
    first, second = (run(build=BUILD, icount=True) for _ in range(2))
    check(first)
    assert first.console == second.console


def test_width_of_the_tour(run):
    result = run(build=BUILD)
    tour = result.console[result.console.index('\nntwalk: the walk'):]
    wide = [line for line in tour.splitlines() if len(line) >= 80]
    assert not wide


def test_more_files_than_there_is_room_for(run, tmp_path):
    files = [tmp_path / f'{number}.txt' for number in range(140)]
    for path in files:
        path.write_text('one of many')
    result = run(build=BUILD, add=[str(path) for path in files])
    check(result)
    left_out = re.search(r'FILE  (\d+) more are left out: there is room for '
                         r'(\d+)\n', result.console)
    told = len(re.findall(r'FILE  \w{11} ', result.console))
    assert told == int(left_out[2]) and told + int(left_out[1]) > 140


def test_image_is_small():
    assert os.path.getsize(os.path.join(BUILD, 'ntwalk.iso')) < 8 << 20

"""The framebuffer console shows the same text as COM1."""
import os
import struct

import pytest

from conftest import BUILD, TEST_BUILD
from ntwalk import pagewalk, symbols
from picture import HEIGHT, WIDTH, code_texts, read_ppm, screen_text
from tour import machine

WRITE_THROUGH, CACHE_DISABLE = 0x8, 0x10    # of a page-table entry


@pytest.mark.parametrize('firmware', ['bios', 'uefi'])
def test_same_text(run, tmp_path, firmware):
    picture = str(tmp_path / 'screen.ppm')
    program = os.path.join(TEST_BUILD, 'user/crash.exe')
    result = run('crash', 'ud2', add=[program], firmware=firmware,
                 screendump=picture)
    shown = screen_text(picture)
    assert len(shown) == 768 // HEIGHT
    # The cursor stands in the last row, which is empty.
    expected = result.console.split('\n')[-len(shown):]
    assert max(map(len, expected)) < 1024 // WIDTH
    assert shown == [line.rstrip() for line in expected]


def test_bugcheck_is_shown(run, tmp_path):
    picture = str(tmp_path / 'screen.ppm')
    program = os.path.join(TEST_BUILD, 'user/ring0.exe')
    result = run('ring0', '102', add=[program], screendump=picture)
    assert result.status == 125
    assert any('*** STOP: 0x00000050' in line
               for line in screen_text(picture))


@pytest.mark.parametrize('smp', [1, 4])
def test_the_tour_draws(run, tmp_path, smp):
    """Boxes, and a code that has the lines of the last chapter."""
    picture = str(tmp_path / 'screen.ppm')
    result = run(build=BUILD, smp=smp, options=['debug=off'],
                 screendump=picture)
    assert result.status == 0
    _, _, pixels = read_ppm(picture)
    colours = {pixels[at:at + 3] for at in range(0, len(pixels), 3)}
    assert len(colours) > 4             # text, its background, black and white
    assert code_texts(picture) == [machine.check(result.console)]


def test_writes_are_combined(start):
    """The framebuffer's pages say so, by the PAT that is loaded."""
    table = symbols.read(os.path.join(BUILD, 'ntoskrnl.elf'))
    with start(build=BUILD) as machine:
        machine.wait_for('The tour ends well')
        machine.monitor('stop')
        assert 'PAT   0007010600070106 ' in machine.console
        tables = pagewalk.Tables(machine, machine.registers()['cr3'])
        base, = struct.unpack('<Q', machine.read(
            tables.physical(table.by_name['screen']), 8, physical=True))
        entry, = struct.unpack('<Q', machine.read(
            tables.entry_address(base), 8, physical=True))
    assert entry & (WRITE_THROUGH | CACHE_DISABLE) == WRITE_THROUGH

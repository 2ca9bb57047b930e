"""The framebuffer console shows the same text as COM1."""
import gzip
import os
import struct

import pytest

from conftest import BUILD, TEST_BUILD
from ntwalk import pagewalk, symbols

WRITE_THROUGH, CACHE_DISABLE = 0x8, 0x10    # of a page-table entry
FONT = '/usr/share/consolefonts/Lat15-Terminus16.psf.gz'
WIDTH, HEIGHT = 8, 16


def glyphs():
    """Returns {picture of a cell: character}."""
    with gzip.open(FONT) as data:
        font = data.read()
    start = 4 if font[:2] == b'\x36\x04' else int.from_bytes(font[8:12],
                                                             'little')
    return {font[start + HEIGHT * code:start + HEIGHT * (code + 1)]: chr(code)
            for code in range(0x7E, 0x1F, -1)}


def read_ppm(path):
    with open(path, 'rb') as data:
        magic, size, depth, pixels = data.read().split(b'\n', 3)
    assert (magic, depth) == (b'P6', b'255')
    width, height = map(int, size.split())
    return width, height, pixels


def screen_text(path):
    """Reads the picture back as rows of text; ? is an unknown cell."""
    width, height, pixels = read_ppm(path)
    background = pixels[-3:]
    known = glyphs()
    rows = []
    for top in range(0, height - HEIGHT + 1, HEIGHT):
        row = ''
        for left in range(0, width, WIDTH):
            cell = bytearray()
            for y in range(top, top + HEIGHT):
                at = 3 * (y * width + left)
                line = pixels[at:at + 3 * WIDTH]
                cell.append(sum(
                    (line[3 * x:3 * x + 3] != background) << (7 - x)
                    for x in range(WIDTH)))
            row += known.get(bytes(cell), '?')
        rows.append(row.rstrip())
    return rows


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


def test_the_tour_draws(run, tmp_path):
    picture = str(tmp_path / 'screen.ppm')
    assert run(build=BUILD, screendump=picture).status == 0
    _, _, pixels = read_ppm(picture)
    colours = {pixels[at:at + 3] for at in range(0, len(pixels), 3)}
    assert len(colours) > 2             # more than text and its background


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

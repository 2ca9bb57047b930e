"""picture.py: what is on a screendump: text, and a QR code."""
import gzip

from pyzbar import pyzbar

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
    """Reads the picture back as rows of text; ? is an unknown cell.

    No letter fills the corner of its cell.
    """
    width, height, pixels = read_ppm(path)
    background = pixels[:3]
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


def code_texts(path):
    """The texts of all QR codes there."""
    width, height, pixels = read_ppm(path)
    return [code.data.decode('ascii') for code in pyzbar.decode(
        (pixels[1::3], width, height), symbols=[pyzbar.ZBarSymbol.QRCODE])]

"""png.py: a picture as PNG, with nothing but zlib."""
import struct
import zlib


def chunk(kind, data):
    return (struct.pack('>I', len(data)) + kind + data
            + struct.pack('>I', zlib.crc32(kind + data)))


def from_ppm(picture):
    """Turns the bytes of a P6 file into those of a PNG file."""
    magic, size, depth, pixels = picture.split(b'\n', 3)
    if (magic, depth) != (b'P6', b'255'):
        raise ValueError('not a P6 file of 8-bit colours')
    width, height = map(int, size.split())
    row = width * 3
    lines = b''.join(b'\0' + pixels[row * y:row * (y + 1)]
                     for y in range(height))
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header)
            + chunk(b'IDAT', zlib.compress(lines, 9)) + chunk(b'IEND', b''))

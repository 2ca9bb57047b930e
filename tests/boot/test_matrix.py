"""The tour on machines that differ in everything at once.

Sixteen of them: any two of firmware, media, memory, serial port and number of
processors come together in each of their ways, and every processor twice, once
without a serial port, where the screen is read.  The QR code there is whole.
"""
import itertools

import pytest

from conftest import BUILD
from picture import code_texts, screen_text
from tour.machine import checksum

FIRMWARE, MEDIA = ('bios', 'uefi'), ('cd', 'usb')
MEMORY, SERIAL = (256, 6144), (True, False)
PROCESSORS = (1, 2, 4, 16)
CPUS = ('Skylake-Client', 'Skylake-Client,-smep,-smap', 'max,-umip,-x2apic',
        'Nehalem,-pcid', 'qemu64,vendor=GenuineIntel', 'EPYC,-xsave,-avx',
        'EPYC,-smap', 'Opteron_G1')
ENDS_WELL = 'The tour ends well'


def machines():
    """Yields (firmware, media, memory, serial, processors, cpu)."""
    for number in range(16):
        bit = [number >> place & 1 for place in range(4)]
        yield (FIRMWARE[bit[0]], MEDIA[bit[1]], MEMORY[bit[2]],
               SERIAL[bit[3]],
               PROCESSORS[2 * (bit[0] ^ bit[2]) + (bit[1] ^ bit[3])],
               CPUS[number % len(CPUS)])


def test_every_pair_is_there():
    for first, second in itertools.combinations(range(5), 2):
        values = [{row[place] for row in machines()}
                  for place in (first, second)]
        assert {(row[first], row[second]) for row in machines()} == \
            set(itertools.product(*values))
    assert {row[5] for row in machines()} == set(CPUS)


@pytest.mark.parametrize('firmware, media, memory, serial, smp, cpu',
                         machines())
def test_machine(run, tmp_path, firmware, media, memory, serial, smp, cpu):
    picture = str(tmp_path / 'end.ppm')
    result = run(build=BUILD, firmware=firmware, media=media, memory=memory,
                 serial=serial, smp=smp, cpu=cpu, screendump=picture)
    assert result.status == 0, result.reason
    text = result.console if serial else '\n'.join(screen_text(picture))
    assert ENDS_WELL in text
    assert serial or not result.console
    code, = code_texts(picture)
    checksum(code)

"""make usb: which disks it refuses, what it writes, that it reads it back.

The disks are files, and what sysfs and /proc would say of them.
"""
import os
import subprocess

import pytest

from conftest import ROOT
from ntwalk import usb
from ntwalk.errors import Usage

IMAGE = 3 * usb.CHUNK + 512


class Machine:
    """A stick of 8 MiB, sdb, with a partition sdb1."""

    def __init__(self, folder, removable=True, size=8 << 20):
        self.folder = folder
        self.put('dev/sdb', 'x' * size)
        self.put('dev/sdb1', '')
        self.put('sys/block/sdb/size', str(size // 512))
        self.put('sys/block/sdb/ro', '0')
        self.put('sys/block/sdb/removable', '01'[removable])
        self.put('sys/block/sdb/device/vendor', 'ACME    ')
        self.put('sys/block/sdb/device/model', 'Stick')
        self.put('sys/block/sdb/sdb1/partition', '1')
        self.put('sys/class/block/sdb1/partition', '1')
        self.put('sys/class/block/sdb/size', str(size // 512))
        self.put('proc/self/mounts', '/dev/sda1 / ext4 rw 0 0\n')
        self.put('proc/swaps', 'Filename Type Size Used Priority\n')

    def path(self, name):
        return os.path.join(self.folder, name)

    def put(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), 'w', encoding='ascii') as out:
            out.write(text)

    def disk(self, name='dev/sdb'):
        return usb.Disk(self.path(name), self.path('sys'), self.path('proc'))

    def refusal(self, force=False):
        with pytest.raises(Usage) as wrong:
            self.disk().check(IMAGE, force)
        return str(wrong.value)


@pytest.fixture
def machine(tmp_path):
    return Machine(str(tmp_path))


@pytest.fixture
def image(tmp_path):
    path = tmp_path / 'image'
    path.write_bytes(os.urandom(IMAGE))
    return str(path)


def test_a_stick(machine):
    machine.disk().check(IMAGE, False)
    assert machine.disk().title() == 'ACME Stick 8 MiB'


def test_not_a_disk(machine):
    for name, complaint in (('dev/sdc', 'no such device'),
                            ('dev/sdb1', 'is a partition'),
                            ('proc/swaps', 'not a disk')):
        with pytest.raises(Usage, match=complaint):
            machine.disk(name)


@pytest.mark.parametrize('device', ['sdb', 'sdb1'])
def test_in_use(machine, device):
    machine.put('proc/self/mounts', f'/dev/{device} /media vfat rw 0 0\n')
    assert 'mounted on /media' in machine.refusal(force=True)
    machine.put('proc/self/mounts', '')
    machine.put('proc/swaps', f'Filename\n/dev/{device} partition 1 0 -2\n')
    assert 'swapping' in machine.refusal(force=True)
    machine.put('proc/swaps', '')
    part = '' if device == 'sdb' else device + '/'
    machine.put(f'sys/block/sdb/{part}holders/dm-0', '')
    assert 'used by dm-0' in machine.refusal(force=True)


def test_fixed_disk(tmp_path):
    fixed = Machine(str(tmp_path), removable=False)
    assert 'FORCE=1' in fixed.refusal()
    fixed.disk().check(IMAGE, True)


def test_too_small(tmp_path):
    small = Machine(str(tmp_path), size=1 << 20)
    assert 'has 1048576 bytes' in small.refusal()


def test_read_only(machine):
    machine.put('sys/block/sdb/ro', '1')
    assert 'read-only' in machine.refusal(force=True)


def test_written_and_verified(machine, image):
    seen = []
    device = machine.path('dev/sdb')
    usb.write(image, device, lambda *words: seen.append(words))
    with open(image, 'rb') as source, open(device, 'rb') as target:
        assert target.read(IMAGE) == source.read()
        assert set(target.read()) == {ord('x')}
    sizes = [usb.CHUNK, 2 * usb.CHUNK, 3 * usb.CHUNK, IMAGE]
    assert seen == [(what, size, IMAGE) for what in ('written', 'verified')
                    for size in sizes]


def test_a_bad_stick(machine, image):
    """One bit is another when it is read back."""
    device = machine.path('dev/sdb')

    def spoil(what, done, total):
        if what == 'verified' or done != total:
            return
        with open(device, 'r+b') as target:
            target.seek(2 * usb.CHUNK + 5)
            byte = target.read(1)[0]
            target.seek(-1, os.SEEK_CUR)
            target.write(bytes([byte ^ 1]))
    with pytest.raises(Usage, match=f'before byte {3 * usb.CHUNK}'):
        usb.write(image, device, spoil)


@pytest.mark.parametrize('words, complaint', [
    ([], 'IMAGE'), (['{image}'], 'DEVICE'),
    (['{image}', '/no/such'], 'no such device'),
    (['{image}', '/dev/null'], 'not a disk'),
    (['/no/such', '/dev/null'], 'no such image')])
def test_usage(image, words, complaint):
    done = subprocess.run(
        [os.path.join(ROOT, 'scripts/usb'),
         *(word.format(image=image) for word in words)], check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 127 and not done.stdout
    assert done.stderr.count('\n') == 1 and complaint in done.stderr


def test_which_device():
    done = subprocess.run(['make', '-C', ROOT, 'which-device'], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    assert done.returncode == 2 and 'DEVICE=/dev/sdX' in done.stderr

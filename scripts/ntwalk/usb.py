"""usb.py: a disk that an image may be written to, and writing it.

What a disk is comes from sysfs, who uses it from /proc; tests give others.
"""
import os

from .errors import Usage

CHUNK = 1 << 20
SECTOR = 512                            # of sysfs's sizes, whatever the disk's


def read(path, default=''):
    try:
        with open(path, encoding='utf-8') as text:
            return text.read().strip()
    except OSError:
        return default


class Disk:
    """A whole disk by the path of its device."""

    def __init__(self, path, system='/sys', processes='/proc'):
        self.path = path
        self.processes = processes
        name = os.path.basename(os.path.realpath(path))
        self.folder = os.path.join(system, 'block', name)
        if not os.path.exists(path):
            raise Usage(f'{path}: there is no such device')
        if os.path.exists(os.path.join(system, 'class/block', name,
                                       'partition')):
            raise Usage(f'{path} is a partition: give the whole disk')
        if not os.path.isdir(self.folder):
            raise Usage(f'{path} is not a disk')
        self.names = [name] + [
            entry for entry in os.listdir(self.folder)
            if os.path.exists(os.path.join(self.folder, entry, 'partition'))]

    def size(self):
        return int(read(os.path.join(self.folder, 'size'), '0')) * SECTOR

    def title(self):
        device = os.path.join(self.folder, 'device')
        words = [read(os.path.join(device, name))
                 for name in ('vendor', 'model')]
        return ' '.join([*filter(None, words), f'{self.size() >> 20} MiB'])

    def users(self):
        """Yields where it, or a partition of it, is used."""
        devices = {os.path.join('/dev', name) for name in self.names}
        for line in read(os.path.join(self.processes,
                                      'self/mounts')).splitlines():
            if os.path.realpath(line.split()[0]) in devices:
                yield 'mounted on ' + line.split()[1]
        for line in read(os.path.join(self.processes, 'swaps')).splitlines():
            if line.split()[0] in devices:
                yield 'used for swapping'
        for name in self.names:
            parts = [] if name == self.names[0] else [name]
            holders = os.path.join(self.folder, *parts, 'holders')
            for holder in os.listdir(holders) if os.path.isdir(holders) \
                    else []:
                yield 'used by ' + holder

    def check(self, size, force):
        """Raises Usage unless so many bytes may be written."""
        for use in self.users():
            raise Usage(f'{self.path} is {use}: unmount it first')
        if read(os.path.join(self.folder, 'ro')) == '1':
            raise Usage(f'{self.path} is read-only')
        if read(os.path.join(self.folder, 'removable')) != '1' and not force:
            raise Usage(f'{self.path} is not removable; FORCE=1 writes to it '
                        'all the same')
        if self.size() < size:
            raise Usage(f'{self.path} has {self.size()} bytes, the image '
                        f'{size}')


def write(image, device, show):
    """Writes an image, and reads it back; show(what, bytes, of so many)."""
    total = os.path.getsize(image)
    try:
        with open(image, 'rb') as source, \
                open(device, 'r+b', opener=alone) as target:
            for chunk, done in chunks(source, total):
                target.write(chunk)
                target.flush()
                show('written', done, total)
            os.fsync(target.fileno())
            # What is read now must come from the disk.
            os.posix_fadvise(target.fileno(), 0, total,
                             os.POSIX_FADV_DONTNEED)
        with open(image, 'rb') as source, open(device, 'rb') as target:
            for chunk, done in chunks(source, total):
                if target.read(len(chunk)) != chunk:
                    raise Usage(f'{device} does not have what was written, '
                                f'before byte {done}: try another stick')
                show('verified', done, total)
    except OSError as error:
        raise Usage(f'{error.filename or device}: {error.strerror}') from None


def alone(path, flags):
    """Opens a device that nobody else has: Linux says EBUSY otherwise."""
    return os.open(path, flags | os.O_EXCL)


def chunks(source, total):
    """Yields (bytes, how many so far)."""
    done = 0
    while done < total:
        chunk = source.read(CHUNK)
        done += len(chunk)
        yield chunk, done

"""symbols.py: names of addresses, from what nm says of an ELF or PE file."""
import bisect
import os
import re
import subprocess

from .errors import Usage

# No local labels of assembly (name.label), but parts of functions.
LINE = re.compile(r'^([0-9a-f]{8,16}) ([TtDdBbRrVvWw]) '
                  r'([^.\s]+(?:\.(?:isra|part|constprop|cold)\S*)?)$', re.M)
KERNEL_BASE = 0xFFFFFFFF80000000        # of physical address 0 (linker.ld)
EQU = re.compile(r'^(\S+)\s+equ\s+(0x[0-9a-f]+|\d+)$', re.M)


class Table:
    """Names by address and addresses by name, both ways."""

    def __init__(self, pairs):
        rows = sorted(set(pairs))
        self.addresses = [address for address, _ in rows]
        self.names = [name for _, name in rows]
        self.by_name = {}
        for address, name in rows:
            self.by_name.setdefault(name, address)

    def __bool__(self):
        return bool(self.names)

    def name_of(self, address):
        """Returns (name, offset) of the nearest name below, or None.

        Of several names of one address the first in the alphabet counts.
        """
        index = bisect.bisect_right(self.addresses, address) - 1
        if index < 0:
            return None
        found = self.addresses[index]
        index = bisect.bisect_left(self.addresses, found)
        return self.names[index], address - found

    def names_at(self, address):
        """Returns all names of exactly that address."""
        return self.names[bisect.bisect_left(self.addresses, address):
                          bisect.bisect_right(self.addresses, address)]

    def after(self, address):
        """Returns (address, name) of the next name above, or None."""
        index = bisect.bisect_right(self.addresses, address)
        if index == len(self.addresses):
            return None
        return self.addresses[index], self.names[index]

    def address_of(self, name):
        """Returns the address, or None."""
        return self.by_name.get(name)

    def rows(self):
        """Yields (address, name), ascending."""
        return zip(self.addresses, self.names)


def offsets_of_kernel(build):
    """Returns {"STRUCTURE.Member": offset}, and assembly's other numbers."""
    with open(os.path.join(build, 'gen/ksamd64.inc'),
              encoding='ascii') as text:
        return {name: int(value, 0) for name, value in EQU.findall(text.read())}


def of_kernel(build):
    """Returns {name: address} of ntoskrnl.sym, which the kernel has, too."""
    with open(os.path.join(build, 'ntoskrnl.sym'), encoding='ascii') as lines:
        rows = [line.split() for line in lines]
    return {name: int(address, 16) for address, _, name in rows}


def undecorated(name):
    """Returns the C name of a 32-bit name: _NtClose@4 is NtClose."""
    return re.sub(r'^_(\w+)@\d+$', r'\1', name)


def read(path):
    """Returns the Table of an ELF or PE file that has symbols, at the
    addresses it was linked for; it is empty for a stripped file.
    """
    done = subprocess.run(['nm', '-n', path], check=False, text=True,
                          stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise Usage(f'{path}: {done.stderr.strip() or "nm failed"}')
    return Table((int(address, 16), undecorated(name))
                 for address, _, name in LINE.findall(done.stdout))

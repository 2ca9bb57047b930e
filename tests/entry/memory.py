"""memory.py: the guest's memory, which is a file that we have mapped, too."""
import mmap
import struct

PAGE = 0x1000
FRAME = 0x000FFFFFFFFFF000


class Memory:
    """Physical memory by address; virtual memory through page tables."""

    def __init__(self, path):
        with open(path, 'r+b') as file:
            self.bytes = mmap.mmap(file.fileno(), 0)
        self.size = len(self.bytes)

    def close(self):
        self.bytes.close()

    def entry(self, table, index):
        at = (table & FRAME) + 8 * index
        if at + 8 > self.size:
            return 0
        return self.quad(at)

    def physical(self, cr3, address):
        """Returns the physical address, or None."""
        if not -1 <= (address >> 47) - (1 << 17) < 0 and address >> 47:
            return None
        table = cr3
        for shift in (39, 30, 21, 12):
            table = self.entry(table, address >> shift & 511)
            if not table & 1:
                return None
            if shift < 39 and (table & 0x80 or shift == 12):
                mask = (1 << shift) - 1
                found = (table & FRAME & ~mask) | (address & mask)
                return found if found < self.size else None
        return None

    def read(self, cr3, address, size):
        """Returns the bytes, or None where a page is not there."""
        found = b''
        while size:
            part = min(size, PAGE - address % PAGE)
            physical = self.physical(cr3, address)
            if physical is None:
                return None
            found += self.bytes[physical:physical + part]
            address += part
            size -= part
        return found

    def quad(self, physical):
        return struct.unpack_from('<Q', self.bytes, physical)[0]

    def long(self, physical):
        return struct.unpack_from('<I', self.bytes, physical)[0]

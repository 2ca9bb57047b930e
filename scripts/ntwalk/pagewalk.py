"""pagewalk.py: page tables, walked in physical memory.

What a processor would find, without asking it: it may be in ring 3, whose page
tables have next to nothing of the kernel.
"""
import struct
from typing import NamedTuple

PAGE = 0x1000
ADDRESS = 0x000FFFFFFFFFF000
PRESENT, WRITE, USER, LARGE, GLOBAL = 1, 2, 4, 1 << 7, 1 << 8
NO_EXECUTE = 1 << 63
FIRST_KERNEL_SLOT = 256
ENTRIES = 512


class Leaf(NamedTuple):
    va: int
    physical: int
    write: bool
    user: bool
    execute: bool
    is_global: bool = False


class Tables:
    """The tables below one CR3 of a stopped machine."""

    def __init__(self, machine, cr3):
        self.machine, self.top = machine, cr3 & ADDRESS
        self.pages = {}

    def table(self, physical):
        if physical not in self.pages:
            data = self.machine.read(physical, PAGE, physical=True)
            self.pages[physical] = struct.unpack(f'<{ENTRIES}Q', data)
        return self.pages[physical]

    def entries(self, slots):
        """The entries of the top table."""
        return [self.table(self.top)[slot] for slot in slots]

    def physical(self, va):
        """Where an address of the kernel's lies, or None."""
        table = self.top
        for shift in (39, 30, 21, 12):
            entry = self.table(table)[va >> shift & ENTRIES - 1]
            if not entry & PRESENT:
                return None
            if shift == 12 or shift < 39 and entry & LARGE:
                rest = (1 << shift) - 1
                return entry & ADDRESS & ~rest | va & rest
            table = entry & ADDRESS
        return None

    def entry_address(self, va):
        """Where the last entry on the way to va lies; None: nowhere."""
        table = self.top
        for shift in (39, 30, 21, 12):
            at = table + 8 * (va >> shift & ENTRIES - 1)
            if shift == 12:
                return at
            entry = self.table(table)[va >> shift & ENTRIES - 1]
            if not entry & PRESENT or shift < 39 and entry & LARGE:
                return None
            table = entry & ADDRESS
        return None

    def leaves(self, slots):
        """Yields the pages below these slots; w, u, x by the whole way."""
        for slot in slots:
            va = slot << 39
            if slot >= FIRST_KERNEL_SLOT:
                va |= 0xFFFF << 48
            yield from self.below(self.table(self.top)[slot], 39, va,
                                  (True, True, True))

    def below(self, entry, shift, va, rights):
        if not entry & PRESENT:
            return
        write, user, execute = rights
        rights = (write and bool(entry & WRITE), user and bool(entry & USER),
                  execute and not entry & NO_EXECUTE)
        if shift == 12 or shift < 39 and entry & LARGE:
            yield Leaf(va, entry & ADDRESS & -1 << shift, *rights,
                       bool(entry & GLOBAL))
            return
        for i, inner in enumerate(self.table(entry & ADDRESS)):
            yield from self.below(inner, shift - 9, va | i << shift - 9,
                                  rights)

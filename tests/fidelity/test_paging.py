"""The page tables, walked from CR3 by their physical addresses.

The kernel checks its own tables through the self map; this walk shares
nothing with that code.

Scenarios: E7.
"""
import json
import os

import pytest

from ntwalk.pagewalk import (ADDRESS, ENTRIES, NO_EXECUTE, PRESENT, USER, WRITE,
                             Tables)

FOLDER = os.path.dirname(os.path.abspath(__file__))
USER_SHARED, KERNEL_SHARED = 0x7FFE0000, 0xFFFFF78000000000
KERNEL_SHARED_XP = KERNEL_SHARED + 0x1000
HIGHEST_USER = 0x7FFFFFFEFFFF
HIGHEST_USER_32 = 0x7FFEFFFF


class Space(Tables):
    """The tables below one CR3: mapped is {va: Leaf}, but the self map."""

    def __init__(self, machine, cr3):
        super().__init__(machine, cr3)
        slots = range(ENTRIES)
        self.slots = [slot for slot, entry in zip(slots, self.entries(slots))
                      if entry & PRESENT and entry & ADDRESS == self.top]
        self.mapped = {leaf.va: leaf for leaf in self.leaves(
            slot for slot in slots if slot not in self.slots)}


def stopped_space(machine, text):
    """The address space of a program that has just printed text."""
    machine.wait_for(text, 60)
    machine.monitor('stop')
    return Space(machine, machine.registers()['cr3'])


@pytest.fixture(params=['0x1ED', '0x1D7', 'random'])
def space(request, start):
    """The address space of the tour, stopped while it runs."""
    with start(options=[f'selfmap={request.param}']) as machine:
        result = stopped_space(machine, 'told from ring 3')
        result.wanted = request.param
        result.console = machine.console
        yield result


def test_address_space(space):
    check_self_map(space)
    check_protections(space)
    check_halves(space, HIGHEST_USER)
    check_shared_page(space, KERNEL_SHARED, KERNEL_SHARED_XP)


def test_address_space_of_32_bit_code(start):
    """All of it below 2 GiB, and the other of the shared pages."""
    with start('tour32.exe') as machine:
        space = stopped_space(machine, 'told from 32-bit code')
        check_protections(space)
        check_halves(space, HIGHEST_USER_32)
        check_shared_page(space, KERNEL_SHARED_XP, KERNEL_SHARED)


def check_self_map(space):
    """One slot, the wanted one, for the kernel only, not executable."""
    assert len(space.slots) == 1
    slot = space.slots[0]
    assert 0x100 <= slot < 0x200
    if space.wanted != 'random':
        assert slot == int(space.wanted, 16)
    entry = space.table(space.top)[slot]
    assert entry & WRITE and not entry & USER and entry & NO_EXECUTE
    with open(os.path.join(FOLDER, 'selfmap.json'), encoding='ascii') as text:
        bases = json.load(text)['slots'][f'0x{slot:X}']
    for base in bases[:4]:
        assert base.lower() in space.console.lower()


def check_protections(space):
    both = [hex(leaf.va) for leaf in space.mapped.values()
            if leaf.write and leaf.execute]
    assert not both, f'writable and executable: {both}'


def check_halves(space, highest):
    """User pages lie below, and only they are the user's."""
    for leaf in space.mapped.values():
        if leaf.va < 1 << 47:
            assert leaf.user and not leaf.is_global, hex(leaf.va)
            assert 0x10000 <= leaf.va <= highest, hex(leaf.va)
        else:
            assert not leaf.user, hex(leaf.va)
    assert any(leaf.va < 1 << 47 for leaf in space.mapped.values())


def check_shared_page(space, seen, hidden):
    """Ring 3 has one of the kernel's two pages, and not the other."""
    user, other = space.mapped[USER_SHARED], space.mapped[hidden]
    assert user.physical == space.mapped[seen].physical
    assert not user.write and not user.execute and user.user
    for va in (seen, hidden):
        kernel = space.mapped[va]
        assert kernel.write and not kernel.execute and not kernel.user
    assert [hex(leaf.va) for leaf in space.mapped.values()
            if leaf.physical == other.physical] == [hex(hidden)]

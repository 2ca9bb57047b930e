"""GDT, TSS and IDT as the processor sees them, read through QEMU.

Scenarios: D7.
"""
import json
import os
import struct

import pytest

from conftest import TEST_BUILD

FOLDER = os.path.dirname(os.path.abspath(__file__))
PAGE = 0x1000

# selector: type with S and accessed bits, DPL, L, D, G, limit
SEGMENTS = {
    0x08: (0x1B, 0, 1, 0, 0, None),     # ring-0 code, 64-bit: no limit
    0x10: (0x13, 0, 0, 1, 1, 0xFFFFF),  # ring-0 data
    0x18: (0x1B, 3, 0, 1, 1, 0xFFFFF),  # ring-3 code, 32-bit
    0x20: (0x13, 3, 0, 1, 1, 0xFFFFF),  # ring-3 data
    0x28: (0x1B, 3, 1, 0, 0, None),     # ring-3 code, 64-bit
    0x30: (0x13, 0, 0, 1, 0, 0),        # the limit is the processor's number
    0x38: (0x13, 3, 0, 1, 0, 0x3C00),   # the 32-bit TEB
}
TSS = 0x40
IST_STACKS = {1: 'ki_panic_stack_top', 2: 'ki_mca_stack_top',
              3: 'ki_nmi_stack_top', 4: 'ki_debug_stack_top'}
RING3_VECTORS = {0x03, 0x04, 0x29, 0x2C, 0x2D, 0x2E}


def symbols():
    path = os.path.join(TEST_BUILD, 'ntoskrnl.sym')
    with open(path, encoding='ascii') as lines:
        rows = [line.split() for line in lines]
    return [(int(address, 16), name) for address, _, name in rows]


@pytest.fixture(scope='module')
def state():
    """What a machine that has run the tour has in its registers and tables."""
    from conftest import config
    from ntwalk import boot
    with boot.start(config()) as machine:
        assert machine.wait(60), 'the tour did not end'
        machine.monitor('stop')
        registers = machine.registers()
        result = {'registers': registers}
        for name in ('gdt', 'idt'):
            base, limit = registers[name]
            result[name] = machine.read(base, limit + 1)
        result['tss'] = machine.read(registers['tr'][1], 0x68)
        tops = struct.unpack_from('<7Q', result['tss'], 0x24)
        result['pages'] = {top: mapped_below(machine, top)
                           for top in tops if top}
    return result


def mapped_below(machine, top):
    """Counts the mapped pages below a stack's top; 16 at most are asked."""
    for count in range(16):
        page = top - PAGE * (count + 1)
        if 'Unmapped' in machine.monitor(f'gva2gpa {page:#x}'):
            return count
    return 16


def test_gdt_is_as_long_as_its_selectors(state):
    assert state['registers']['gdt'][1] == 0x4F
    assert state['gdt'][:8] == bytes(8)


@pytest.mark.parametrize('selector', SEGMENTS)
def test_segment(state, selector):
    low, high = struct.unpack_from('<II', state['gdt'], selector)
    kind, dpl, is_64, is_32, pages, limit = SEGMENTS[selector]
    assert high >> 8 & 0x1F == kind
    assert high >> 13 & 3 == dpl
    assert high >> 15 & 1 == 1
    assert (high >> 21 & 1, high >> 22 & 1, high >> 23 & 1) == \
        (is_64, is_32, pages)
    if limit is not None:
        assert low & 0xFFFF | high & 0xF0000 == limit
    if selector != 0x38:
        assert low >> 16 | (high & 0xFF) << 16 | high & 0xFF000000 == 0


def test_selectors_that_sysret_computes(state):
    """STAR's user base is 1Bh: SYSRETQ takes +16, SS is +8."""
    def kind(selector):
        high = struct.unpack_from('<II', state['gdt'], selector & ~7)[1]
        return high >> 8 & 0x1F, high >> 13 & 3, high >> 21 & 1
    assert kind(0x1B + 16) == (0x1B, 3, 1)
    assert kind(0x1B + 8) == (0x13, 3, 0)
    assert kind(0x1B) == (0x1B, 3, 0)
    assert kind(0x08) == (0x1B, 0, 1)
    assert kind(0x08 + 8) == (0x13, 0, 0)


def test_task_register(state):
    selector, base, limit, _ = state['registers']['tr']
    low, high, upper, zero = struct.unpack_from('<IIII', state['gdt'], TSS)
    assert selector == TSS and limit == 0x67
    assert high >> 8 & 0xFF == 0x8B             # present, busy 64-bit TSS
    assert (low >> 16 | (high & 0xFF) << 16 | high & 0xFF000000
            | upper << 32) == base
    assert low & 0xFFFF == 0x67 and zero == 0


def test_tss(state):
    tops = struct.unpack_from('<7Q', state['tss'], 0x24)
    by_name = {name: address for address, name in symbols()}
    for ist, name in IST_STACKS.items():
        assert tops[ist - 1] == by_name[name]
    assert tops[4:] == (0, 0, 0)
    assert struct.unpack_from('<H', state['tss'], 0x66)[0] >= 0x68


def test_interrupt_stacks_end_at_a_guard_page(state):
    for top, pages in state['pages'].items():
        assert top % 16 == 0
        assert 1 <= pages < 16, f'{pages} pages below {top:#x}'


def gate(table, vector):
    """Returns (selector, ist, type, dpl, present, handler)."""
    low, selector, flags, middle, high, zero = \
        struct.unpack_from('<HHHHII', table, 16 * vector)
    assert zero == 0
    return (selector, flags & 7, flags >> 8 & 0x1F, flags >> 13 & 3,
            flags >> 15, low | middle << 16 | high << 32)


def test_every_gate(state):
    assert state['registers']['idt'][1] == 0xFFF
    for vector in range(256):
        selector, ist, kind, dpl, present, _ = gate(state['idt'], vector)
        assert (selector, kind, present) == (0x08, 0xE, 1)
        assert dpl == (3 if vector in RING3_VECTORS else 0)
        assert ist == {0x01: 4, 0x02: 3, 0x08: 1, 0x12: 2}.get(vector, 0)


def test_handlers_have_windows_names(state):
    with open(os.path.join(FOLDER, 'idt.json'), encoding='ascii') as text:
        facts = json.load(text)
    names = {}
    for address, name in symbols():
        names.setdefault(address, set()).add(name)
    for vector, (handler, dpl, ist) in facts['gates'].items():
        found = gate(state['idt'], int(vector, 16))
        assert handler in names.get(found[5], ()), f'vector {vector}'
        assert (found[3], found[1]) == (dpl, ist), f'vector {vector}'
    for vector in facts['absent']:
        found = gate(state['idt'], int(vector, 16))
        assert any(name.startswith('ki_') for name in names[found[5]])

"""KVA shadow: what ring 3's page tables have of the kernel, and what runs so.

The programs of tests/user run under it in test_user.py.

Scenarios: K1, K2, K5, K11, B7.
"""
import os
import re

import pytest

from conftest import BUILD, TEST_BUILD
from ntwalk import kvamap, pagewalk, symbols
from ntwalk.pagewalk import Leaf
from tour import apcs, exception, instrument, page

RUNNING = {'tour.exe': 'told from ring 3',
           'tour32.exe': 'told from 32-bit code'}
GDT = 0xFFFFFFFF80150000


@pytest.mark.parametrize('build', [BUILD, TEST_BUILD], ids=['', 'test'])
@pytest.mark.parametrize('program', ['tour.exe', 'tour32.exe'])
def test_map(start, build, program):
    """Of the kernel ring 3 has what is listed, with these rights (G15)."""
    with start(program, build=build, options=['kva=on']) as machine:
        machine.wait_for(RUNNING[program], 60)
        machine.monitor('stop')
        found = kvamap.Map(machine, build)
        tables = pagewalk.Tables(machine, found.directory)
        user = sum(1 for leaf in tables.leaves(kvamap.USER_SLOTS)
                   if leaf.user)
    print(*found.text(), sep='\n')
    assert not found.findings
    assert len(found.pages) == len(found.listed) and user > 20


def test_no_shadow(start):
    """Without it there is one set of page tables, and the map says so."""
    with start(build=BUILD, options=['kva=off']) as machine:
        machine.wait_for(RUNNING['tour.exe'], 60)
        machine.monitor('stop')
        found = kvamap.Map(machine, BUILD)
    assert found.findings == ['ring 3 has no page tables of its own']


def test_lacking_stack(start):
    """Without the transition stack the next way in is a double fault (B7)."""
    with start(build=BUILD, options=['kva=on']) as machine:
        machine.wait_for(RUNNING['tour.exe'], 60)
        machine.monitor('stop')
        kernel = kvamap.Kernel(BUILD)
        start_of, _ = kernel.span('ki_transition_stack_top', 'stack')
        _, directory = kvamap.directories(machine, kernel)
        entry = pagewalk.Tables(machine, directory).entry_address(start_of)
        gdb = machine.gdb()
        gdb.physical(True)
        gdb.write(entry, bytes(8))
        gdb.close()
        machine.monitor('cont')
        machine.wait(60)
        assert machine.report == ('bugcheck', 0x7F)
        console = machine.console
    assert 'UNEXPECTED_KERNEL_MODE_TRAP' in console


def leaf(va, **rights):
    return Leaf(va, 0, **{'write': False, 'user': False, 'execute': False,
                          **rights})


@pytest.mark.parametrize('pages, finding', [
    ([leaf(GDT), leaf(GDT + 0x1000)], 'is not listed'),
    ([leaf(GDT, write=True)], 'has rights "RW "'),
    ([leaf(GDT, execute=True)], 'has rights "R X"'),
    ([leaf(GDT, user=True)], 'ring 3 itself may access it'),
    ([], 'is not there'),
])
def test_findings(pages, finding):
    found = list(kvamap.findings(pages, {GDT: ('GDT', 'R  ')}))
    assert len(found) == 1 and finding in found[0]
    assert not list(kvamap.findings([leaf(GDT)], {GDT: ('GDT', 'R  ')}))


class Top:
    """Both top tables' entries of ring 3's half."""

    def __init__(self, entry):
        self.entry = entry

    def entries(self, _):
        return [0, self.entry]


@pytest.mark.parametrize('kernel, user, finding', [
    (0x8000000000123067, 0x124067, 'differs'),
    (0x123067, 0x123067, 'ring 0 may execute'),
    (0x8000000000123067, 0x8000000000123067, 'ring 3 may not execute'),
    (0x8000000000123067, 0, 'differs'),
])
def test_halves(kernel, user, finding):
    found = list(kvamap.halves(Top(kernel), Top(user)))
    assert len(found) == 1 and finding in found[0]


@pytest.mark.parametrize('options', [
    {}, {'emulator': 'bochs'}, {'cpu': 'amd'}], ids=str)
def test_tour(run, options):
    """On Bochs with PCIDs: translations are kept, and none too long (K5)."""
    result = run(build=BUILD, timeout=120, options=['kva=on'], **options)
    assert 'The tour ends well' in result.console
    known = symbols.of_kernel(BUILD).get
    apcs.check(result.console, known)
    exception.check(result.console, known)
    page.check(result.console, True, True)
    instrument.check(result.console, True, False)
    cr3, cr4 = (int(word, 16) for word in re.search(
        r'^CR3 +([0-9a-f]+) +CR4 ([0-9a-f]+)', result.console,
        re.M).groups())
    pcids = options.get('emulator') == 'bochs'
    assert (bool(cr4 & 1 << 17), cr3 & 0xFFF) == (pcids, 2 if pcids else 0)
    assert not cr4 & 1 << 7, 'global pages stay in the TLB'


def test_translations_with_pcids(run):
    """What is unmapped is gone for ring 3, although its CR3 keeps the rest."""
    result = run('memory.exe', emulator='bochs', options=['kva=on'],
                 timeout=120, add=[os.path.join(TEST_BUILD, 'user/memory.exe')])
    assert result.value == 0, result.reason


@pytest.mark.parametrize('cpu, option, shadow', [
    ('intel', 'auto', True), ('amd', 'auto', False), ('intel', 'off', False),
    ('amd', 'on', True)])
def test_option(start, cpu, option, shadow):
    """auto: processors that give the kernel's memory away have it."""
    words = 'KVA   shadow: ' if shadow else 'KVA   no shadow: '
    with start(build=BUILD, cpu=cpu, options=[f'kva={option}']) as machine:
        machine.wait_for(words, 60)

"""What the firmware tells of the machine (ACPI), off and reset."""
import re

import pytest

from conftest import BUILD

END = 'It is now safe to turn off your computer.'
MAKERS = {'bios': 'SeaBIOS', 'uefi': 'EFI Development Kit II / OVMF'}
BANNER = re.compile(r'^ntwalk \d', re.M)


@pytest.mark.parametrize('firmware', ['bios', 'uefi'])
@pytest.mark.parametrize('smp, ids', [(1, '0'), (3, '0-2')])
def test_tables(run, firmware, smp, ids):
    text = run(build=BUILD, firmware=firmware, smp=smp).console
    assert re.search(r'^ACPI  [RX]SDT [0-9a-f]+: FACP DSDT APIC HPET ', text,
                     re.M)
    assert f'CPUS  {smp}, APIC ids {ids}\n' in text
    assert (f'SMP   {smp} processors run;' in text) == (smp > 1)
    assert 'IOAPIC 0 at fec00000, from interrupt 0\n' in text
    assert re.search(r'^ISA   0 is 2/0 5 is 5/d ', text, re.M)
    assert re.search(r'^POWER  timer port [0-9a-f]+, 24 bits.*  '
                     r'S5 is 0, 0  in port [0-9a-f]+\n', text, re.M)
    assert 'HPET  fed00000' in text
    assert 'PC    QEMU Standard PC (i440FX + PIIX, 1996)\n' in text
    assert re.search(rf'^BIOS  {MAKERS[firmware]} .*, \d\d/\d\d/\d{{4}}\n',
                     text, re.M)


def test_newer_chipset(run):
    """It has a register for resets, and PCI Express."""
    text = run(build=BUILD, qemu_args=['-machine', 'q35']).console
    assert '  reset port cf9' in text
    assert 'PCI configuration b0000000' in text


def test_no_acpi(run):
    result = run(build=BUILD, qemu_args=['-machine', 'acpi=off'])
    assert result.status == 0
    assert 'ACPI  the firmware has none\n' in result.console
    assert 'CPUS' not in result.console


def ends_in_state(running):
    """QEMU's word for what became of the machine."""
    running.wait_for(END)
    with running.changed:
        assert running.changed.wait_for(lambda: running.closed, 60)
    return running.monitor_command('query-status')['status']


@pytest.mark.parametrize('firmware', ['bios', 'uefi'])
def test_off(start, firmware):
    """A reset would begin anew here."""
    with start(build=BUILD, firmware=firmware,
               options=['report=none', 'end=off'],
               qemu_args=['-action', 'reboot=reset']) as running:
        assert ends_in_state(running) == 'shutdown'
        assert len(BANNER.findall(running.console)) == 1


def test_off_cannot_be(start):
    with start(build=BUILD, options=['report=none', 'end=off'],
               qemu_args=['-machine', 'acpi=off']) as running:
        running.wait_for('This machine does not switch itself off')


@pytest.mark.parametrize('chipset', ['pc', 'q35'])
def test_reset(start, chipset):
    """The second time from the beginning."""
    with start(build=BUILD, options=['report=none', 'end=reset'],
               qemu_args=['-machine', chipset, '-action',
                          'reboot=reset']) as running:
        running.wait_for(f'(?s){END}.*{BANNER.pattern.lstrip("^")}')

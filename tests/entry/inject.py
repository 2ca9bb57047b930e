"""inject.py: what is made to happen at a boundary.

fire makes it pending while the machine stands; handled tells how often it was
handled so far, or None where nothing counts exactly.
"""
from state import IF
from stub import NMI_MESSAGE, send_interrupt

CLOCK_VECTOR = 0xD1
CLOCK_IRQL = 0xD
# Uncorrected, but nothing that was running is lost: bank, MCi_STATUS (VAL UC
# EN MISCV ADDRV S, a memory scrubber's), MCG_STATUS (RIPV MCIP), address, misc.
CONTINUABLE = '1 0xbd000000000000c0 0x5 0x1234000 0x8c'


class Nmi:
    name, plural = 'NMI', 'NMIs'
    counter = 'ki_nmi_count'
    packets = (send_interrupt(NMI_MESSAGE),)

    def prepare(self, guest):
        """What the packets cannot do."""

    def possible(self, state):
        return True


class MachineCheck(Nmi):
    name, plural = 'machine check', 'machine checks'
    counter = 'ki_machine_check_count'
    packets = ()

    def prepare(self, guest):
        guest.machine.monitor(f'mce 0 {CONTINUABLE}')


class Clock(Nmi):
    name, plural = 'clock interrupt', 'clock interrupts'
    counter = None
    packets = (send_interrupt(CLOCK_VECTOR),)

    def possible(self, state):
        return bool(state['eflags'] & IF) and state['cr8'] < CLOCK_IRQL


KINDS = {'nmi': Nmi(), 'mc': MachineCheck(), 'clock': Clock()}

"""inject.py: what is made to happen at a boundary.

prepare and then the packets make it pending while the machine stands.  Its
handler calls routine, and counts it in counter, or in PRCB.InterruptCount.
Where not keeps_cr2 other threads may have run, and faulted.  What it leaves in
notes is wiped out again: the clock's DPC would print it, and path by path
there would be more to print.  With stops_time the time stays what it is: a
tick at every instruction would make timers due faster than they are handled.
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
    routine = 'ki_nmi'
    keeps_cr2 = True
    notes = None
    stops_time = False
    visits = 4                          # of one instruction of C's
    packets = (send_interrupt(NMI_MESSAGE),)

    def prepare(self, guest):
        """What the packets cannot do."""

    def possible(self, state, behind_sti):
        return True

    def expected(self, state, guest):
        """Whoever comes back to SYSEXIT executes STI before it once more."""
        if state['rip'] == guest.symbols['ki_exit32_sysexit']:
            return state.changed(rip=guest.symbols['ki_exit32_sti'],
                                 eflags=state['eflags'] & ~IF)
        return state


class MachineCheck(Nmi):
    name, plural = 'machine check', 'machine checks'
    counter = 'ki_machine_check_count'
    routine = 'ki_machine_check'
    notes = 'checks'                    # thread/machinecheck.c
    packets = ()

    def prepare(self, guest):
        guest.machine.monitor(f'mce 0 {CONTINUABLE}')


class Clock(Nmi):
    name, plural = 'clock interrupt', 'clock interrupts'
    counter = None
    routine = 'ki_clock_interrupt'
    keeps_cr2 = False
    visits = 1
    stops_time = True
    packets = (send_interrupt(CLOCK_VECTOR),)

    def prepare(self, guest):
        guest.expect_tick()

    def possible(self, state, behind_sti):
        return (state['eflags'] & IF and not behind_sti and
                state['cr8'] < CLOCK_IRQL)

    def expected(self, state, guest):
        return state


KINDS = {'nmi': Nmi(), 'mc': MachineCheck(), 'clock': Clock()}

"""boundary.py: one boundary between two instructions, and what is done there.

    fault = Boundary(guest, state).inject(kind)

makes kind happen before the instruction at rip and runs until the same thread
is there again.  fault is None, or says what is not as it was: a register, a
flag, a segment's base, a control register, the stack from rsp up, the kernel's
data or all of memory, the counter.
"""
from guest import KERNEL_BASE
from state import MASKED_IF, State
from stub import Stopped

ABOVE = 0x400                           # bytes of the stack that are compared
VISITS = 2000                           # of rip by others, at most


class Boundary:
    def __init__(self, guest, state):
        self.guest = guest
        self.state = state
        self.rip, self.rsp = state['rip'], state['rsp']

    def stack(self):
        """SYSENTER's rsp is in the kernel's data, which is compared whole."""
        if self.rsp >= KERNEL_BASE:
            return None
        return self.guest.read(self.state, self.rsp, ABOVE)

    def expected(self):
        """Whoever comes back to SYSEXIT executes STI before it once more."""
        guest = self.guest
        if self.rip == guest.symbols['ki_exit32_sysexit']:
            return self.state.changed(
                rip=guest.symbols['ki_exit32_sti'],
                eflags=self.state['eflags'] & MASKED_IF)
        return self.state

    def come_back(self, address, packets):
        """Runs until this thread is at address again; returns its State.

        What is pending happens before the breakpoint is looked at.
        """
        stub = self.guest.stub
        stub.ask(f'Z0,{address:x},1', *packets, 'c')
        for _ in range(VISITS):
            state = State(stub.ask('g')[0])
            if state['rip'] != address:
                raise Stopped('ends at ' + self.guest.name(state['rip']))
            if state['rsp'] == self.rsp:
                stub.forget(address)
                return state
            stub.ask('s')
            stub.ask('c')
        raise Stopped('never comes back')

    def inject(self, kind, compared='all'):
        guest = self.guest
        expected = self.expected()
        stack = self.stack()
        memory = guest.snapshot(kind, self.state, compared)
        kind.prepare(guest)
        after = self.come_back(expected['rip'], kind.packets)
        if after.packet != expected.packet:
            return expected.differences(after)
        if self.stack() != stack:
            return 'the stack above rsp'
        return guest.compare(kind, memory)

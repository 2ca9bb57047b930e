"""boundary.py: one boundary between two instructions, and what is done there.

    fault = Boundary(guest, state).inject(kind)

makes kind happen before the instruction at rip and runs until the same thread
is there again.  fault is None, or says what is not as it was: a register, a
flag, a segment's base, a control register, the stack from rsp up, the kernel's
data or all of memory, the counter.
"""
from ntwalk.symbols import KERNEL_BASE
from state import AC, DF, IF, TF
from stub import Stopped

ABOVE = 0x400                           # bytes of the stack that are compared
VISITS = 2000                           # of rip by others, at most
NOT_THE_KERNELS = AC | DF | IF | TF


class PathOver(Exception):
    """Another thread was preempted, and the path's own has come to its end."""


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

    def critical(self):
        """Whether ring 0 has not yet, or no longer, all that is its own."""
        guest, state = self.guest, self.state
        return state.ring == 0 and (
            state['gs_base'] != guest.pcr or self.rsp < 1 << 63 or
            guest.shadow and state['cr3'] == guest.user_cr3)

    def in_handler(self, kind):
        """Runs into the handler's C, which must find the kernel's state."""
        guest = self.guest
        routine = guest.symbols[kind.routine]
        guest.stub.ask(f'Z0,{routine:x},1', *kind.packets, 'c')
        state = guest.expect(routine)
        guest.stub.forget(routine)
        if state['gs_base'] != guest.pcr:
            return f'{kind.routine} has gs base {state["gs_base"]:x}'
        if guest.shadow and state['cr3'] == guest.user_cr3:
            return f'{kind.routine} has CR3 {state["cr3"]:x}'
        if state['eflags'] & NOT_THE_KERNELS:
            return f'{kind.routine} has flags {state["eflags"]:x}'
        return None

    def come_back(self, kind, address, packets):
        """Runs until this thread is at address again; returns its State.

        What is pending happens before the breakpoint is looked at.
        """
        stub = self.guest.stub
        stub.ask(f'Z0,{address:x},1', *packets, 'c')
        for _ in range(VISITS):
            state = self.guest.state()
            if state['rip'] == self.guest.end and not kind.keeps_cr2:
                stub.forget(address)
                raise PathOver
            if state['rip'] != address:
                raise Stopped('ends at ' + self.guest.name(state['rip']))
            if state['rsp'] == self.rsp:
                stub.forget(address)
                return state
            stub.ask('s')
            stub.ask('c')
        raise Stopped('never comes back')

    def inject(self, kind, compared='all'):
        guest, packets = self.guest, kind.packets
        expected = kind.expected(self.state, guest)
        stack = self.stack()
        memory = guest.snapshot(kind, self.state, compared)
        kind.prepare(guest)
        if self.critical():
            wrong = self.in_handler(kind)
            if wrong:
                return wrong
            packets = ()
        after = self.come_back(kind, expected['rip'], packets)
        if not kind.keeps_cr2:
            expected = expected.changed(cr2=after['cr2'])
        if after.packet != expected.packet:
            return expected.differences(after)
        if self.stack() != stack:
            return 'the stack above rsp'
        return guest.compare(kind, memory)

"""events.py: paths that begin when something comes by itself.

An Event makes it come once, on one of entrypaths.exe's paths, before the step
that takes it.  without: kinds that cannot be made to happen on this path, for
they are what it is about.
"""
from inject import CLOCK_VECTOR, KINDS
from state import TF, set_register
from stub import send_interrupt

DPC, APC, IPI = 0x2F, 0x1F, 0xE1         # vectors
LATER = 3                               # boundaries from the first mark
DOORS = (b'\x0f\x05', b'\x0f\x34', b'\xcd\x2e') # SYSCALL, SYSENTER, INT 2Eh
IRETQ = b'\x48\xcf'
FRAME_CS, FRAME_SS = 8, 32
NO_SELECTOR = 0x1238                    # beyond the GDT


class Event:
    def __init__(self, path, when, what, without=(), wide_only=False):
        self.path, self.when, self.what = path, when, what
        self.without = without
        self.wide_only = wide_only      # not with 32-bit code

    def look(self, walk, state):
        """Before the step that the walk is about to do; True: it changes."""
        if walk.happened or not self.when(walk, state):
            return False
        walk.happened = self.what(walk, state)
        return True


def soon(walk, state):
    return walk.index == LATER


def in_service(walk, state):
    return state['rip'] == walk.guest.symbols['KiSystemServiceStart']


def at_door(walk, state):
    """The first instruction of ring 0, whichever door."""
    return state.ring == 0


def instruction(walk, state):
    return walk.guest.read(state, state['rip'], 2)


def before_door(walk, state):
    return state.ring == 3 and instruction(walk, state) in DOORS


def message(vector):
    def send(walk, _):
        walk.guest.stub.ask(send_interrupt(vector))
        return True
    return send


def inject(kind):
    def send(walk, _):
        KINDS[kind].prepare(walk.guest)
        walk.guest.stub.ask(*KINDS[kind].packets, 'g')
        return True
    return send


def step(walk, state):
    walk.guest.stub.ask(set_register('eflags', state['eflags'] | TF))
    return True


def clock_and_bad_return(walk, state):
    """The clock's interrupt, and then a bad SS in what it returns by."""
    guest = walk.guest
    if walk.index == LATER:
        guest.stub.ask(*KINDS['clock'].packets)
        return False
    frame = state['rsp']
    if guest.read(state, frame + FRAME_CS, 1)[0] & 3 != 3:
        return False
    guest.write(state, frame + FRAME_SS, NO_SELECTOR.to_bytes(8, 'little'))
    return True


def soon_and_at_iretq(walk, state):
    return soon(walk, state) or (
        state.ring == 0 and instruction(walk, state) == IRETQ)


CALL = 'int2e, no arguments'
# A second machine check resets the machine, a clock's DPC would print it.
NO_MORE = ['machine check', 'clock interrupt']
EVENTS = {
    'clock in ring 3': Event('nothing', soon, message(CLOCK_VECTOR)),
    'clock in ring 0': Event(CALL, in_service, message(CLOCK_VECTOR)),
    'DPC interrupt': Event('nothing', soon, message(DPC)),
    'APC interrupt': Event('nothing', soon, message(APC)),
    'IPI': Event('nothing', soon, message(IPI)),
    'NMI in ring 3': Event('nothing', soon, inject('nmi'), ['NMI']),
    'NMI at a door': Event(CALL, at_door, inject('nmi'), ['NMI']),
    'machine check in ring 3': Event('nothing', soon, inject('mc'), NO_MORE),
    'machine check at a door': Event(CALL, at_door, inject('mc'), NO_MORE),
    'SYSCALL with TF': Event('syscall, no arguments', before_door, step),
    # 32-bit code's path comes back on a stack without room for an exception.
    'SYSENTER with TF': Event('sysenter, no arguments', before_door, step,
                              wide_only=True),
    'INT 2Eh with TF': Event(CALL, before_door, step),
    'IRETQ that faults': Event('nothing', soon_and_at_iretq,
                               clock_and_bad_return),
}

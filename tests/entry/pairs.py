"""pairs.py: something that comes while the handler of the first one runs.

A second NMI waits until the first one's handler has returned, and then comes.
A machine check does not wait; its own return must not let in an NMI that does.
"""
from inject import KINDS
from stub import Stopped

LONGEST = 2000                          # instructions of a handler


class Pair:
    """first, and at each instruction of its handler all of second."""

    def __init__(self, first, second):
        self.first, self.second = first, second
        self.name = ', then '.join(kind.name for kind in [first, *second])

    def handler(self, boundary):
        """Returns the addresses that first's handler goes through."""
        stub, guest = boundary.guest.stub, boundary.guest
        back = self.first.expected(boundary.state, guest)
        self.first.prepare(guest)
        stub.ask(*self.first.packets, 'g')
        seen = []
        for _ in range(LONGEST):
            stub.ask('s')
            state = guest.state()
            if state['rip'] == back['rip'] and state['rsp'] == boundary.rsp \
                    and seen:
                guest.wipe(self.first)
                if state.packet != back.packet:
                    raise Stopped(back.differences(state))
                return list(dict.fromkeys(seen))
            if state.packet != boundary.state.packet:
                seen.append(state['rip'])
        raise Stopped('its handler does not end')

    def at(self, boundary, handlers, every, seed):
        """Yields what is wrong, or None, for every so many instructions.

        handlers: what handler has returned at this boundary, by what came
        first.
        """
        if self.first not in handlers:
            handlers[self.first] = self.handler(boundary)
        handler = handlers[self.first]
        for address in handler[(seed + boundary.rip) % every::every]:
            yield self.once(boundary, address)

    def once(self, boundary, address):
        guest, stub = boundary.guest, boundary.guest.stub
        kinds = [self.first, *self.second]
        expected = self.first.expected(boundary.state, guest)
        counts = [guest.count(kind) for kind in kinds]
        self.first.prepare(guest)
        stub.ask(f'Z0,{address:x},1', *self.first.packets, 'c')
        guest.expect(address)
        stub.forget(address)
        packets = []
        for kind in self.second:
            kind.prepare(guest)
            packets += kind.packets
        after = boundary.come_back(self.first, expected['rip'],
                                   packets)
        for kind in kinds:
            guest.wipe(kind)
        if after.packet != expected.packet:
            return (f'{guest.name(address)}: ' +
                    expected.differences(after))
        for kind, count in zip(kinds, counts):
            came = guest.count(kind) - count
            if came != kinds.count(kind):
                return f'{guest.name(address)}: {came} {kind.plural}'
        return None


def pairs_of(kinds):
    """Those of which all kinds are asked for."""
    nmi, check = KINDS['nmi'], KINDS['mc']
    return [pair for pair in (Pair(nmi, [nmi]), Pair(nmi, [check]),
                              Pair(nmi, [nmi, check]), Pair(check, [nmi]))
            if {pair.first, *pair.second} <= set(kinds)]

"""profile.py: what the plugin counted, by room, by service, by stack.

The plugin's tree (scripts/plugin/tree.h) has the stacks as they were: room 3
calls room 4, room 5 calls room 6. Here every room of a service stands beside
the others, under the service. Every instruction is in one of these:

    1 to 7      README.md's rooms; 4 is all that the routine does
    ring 3      programs and ntdll, but for rooms 1 and 7
    exceptions  from a vector to the return, wherever it came
    interrupts  the same; they stand apart from whom they interrupted
    system      ring 0 outside of all that: threads of the kernel, boot
    no symbol   code that is in no file on the image
"""
from dataclasses import dataclass, field

from .errors import Usage

OTHERS = ('ring 3', 'exceptions', 'interrupts', 'system', 'no symbol')
FUNCTION, SERVICE, TRAP = range(3)      # tree.h's kinds of nodes
UNKNOWN_SERVICE = 'service: none called'


@dataclass
class Frame:
    """A box of a flame graph; count is its own, total with all above."""
    name: str
    room: str
    count: int = 0
    total: int = 0
    calls: int = 0
    above: dict = field(default_factory=dict)

    def child(self, name, room):
        return self.above.setdefault(name, Frame(name, room))


@dataclass
class Service:
    calls: int = 0
    count: int = 0                      # ring 0's, its exceptions included
    routine: int = 0                    # of these, in room 4


@dataclass
class Place:
    """What a node of the plugin's tree has become.

    frame is what its callees stand on, own (if it is another) what counts for
    itself. service is the frame of the service it is in, routine that one's
    symbol, payer the name under which Profile.services has it.
    """
    frame: Frame
    room: str
    service: Frame = None
    routine: int = 0
    payer: str = ''
    own: Frame = None


def read_tree(path):
    """Returns ({word: number}, [a node's numbers])."""
    try:
        with open(path, encoding='ascii') as text:
            lines = [line.split() for line in text]
    except OSError as error:
        raise Usage(f'{path}: {error.strerror}') from None
    notes = {words[0]: int(words[1]) for words in lines if len(words) == 2}
    if 'total' not in notes:
        raise Usage(f'{path}: the plugin has written nothing')
    return notes, [tuple(map(int, words)) for words in lines
                   if len(words) == 6]


class Graph:
    """A tree of Frames made from the plugin's.

    With callers, everything stands where it was called. Without, ring 3 is
    left out: services are at the bottom, each with its stub (room 1).
    """

    def __init__(self, nodes, symbols, callers=True):
        self.symbols, self.callers = symbols, callers
        self.root = Frame('all', 'system')
        self.rooms, self.services = {}, {}
        self.places = {0: Place(self.root, 'system')}
        for node in nodes:
            self.node(*node)
        add_up(self.root)

    def node(self, number, parent, kind, symbol, count, calls):
        above = self.places[parent]
        if kind == SERVICE:
            place = self.service(above, symbol, calls)
        elif kind == TRAP:
            place = self.trap(above, self.symbols[symbol])
        else:
            place = self.function(above, symbol, calls)
        self.places[number] = place
        own = place.own or place.frame
        if own is not self.root:
            own.count += count
            own.calls += calls
        self.rooms[place.room] = self.rooms.get(place.room, 0) + count
        if place.payer:
            service = self.services[place.payer]
            service.count += count
            service.routine += count if place.room == '4' else 0

    def service(self, above, symbol, calls):
        name = UNKNOWN_SERVICE
        if symbol:
            routine = self.symbols[symbol].name
            name = f'service {routine.removeprefix("wow64_")}'
        self.services.setdefault(name, Service()).calls += calls
        under = above.frame if self.callers else self.root
        frame = under.child(name, 'service')
        return Place(frame, 'service', frame, symbol, name)

    def trap(self, above, known):
        kind = known.vector or 'exception'
        frame = above.frame
        if frame is self.root or kind == 'interrupt':
            frame = self.root.child(f'{kind}s', f'{kind}s')
        # What happens there is in no room, but the service pays for it.
        return Place(frame.child(f'{kind} {known.name}', f'{kind}s'),
                     f'{kind}s', payer=above.payer)

    def function(self, above, symbol, calls):
        known = self.symbols[symbol]
        if not known.kernel:
            return self.user(above, known)
        room = self.room_of(above, symbol, calls)
        frame = above.frame
        if frame is self.root:
            frame = frame.child('system', 'system')
        elif room != above.room and room.isdigit():
            frame = (above.service or frame).child(f'room {room}', room)
        return Place(frame.child(known.name, room), room, above.service,
                     above.routine, above.payer)

    def room_of(self, above, symbol, calls):
        """The room of ring 0's code: its file's, or its caller's."""
        own = self.symbols[symbol].room
        if own:
            return own
        # Where room 3's "call r10" leads; a routine that does not return
        # leaves by a jump, which is not a call.
        if above.routine and (symbol == above.routine or
                              above.room == '3' and not calls):
            return '4'
        return 'system' if above.room in ('service', 'ring 3', '1', '7') \
            else above.room

    def user(self, above, known):
        room = known.room or ('ring 3' if known.name != 'no symbol'
                              else known.name)
        if not self.callers:
            return Place(self.root, room, own=self.alone(known, room))
        name = f'room {room}: {known.name}' if known.room else known.name
        frame = above.frame
        if frame is self.root:
            frame = frame.child('ring 3', 'ring 3')
        return Place(frame.child(name, room), room)

    def alone(self, known, room):
        """Where code of ring 3 counts when its callers do not matter."""
        if room == '1':
            stub = known.name.partition('!')[2]
            frame = self.root.child(f'service {stub}', 'service')
            return frame.child('room 1', '1').child(known.name, '1')
        if room == '7':
            return self.root.child('room 7', '7').child(known.name, '7')
        return None

    def folded(self):
        """Returns lines "frame;frame;frame count", sorted."""
        lines = []
        pending = [((), frame) for frame in self.root.above.values()]
        while pending:
            path, frame = pending.pop()
            path += (frame.name,)
            if frame.count:
                lines.append(f'{";".join(path)} {frame.count}')
            pending += [(path, child) for child in frame.above.values()]
        return sorted(lines)


def add_up(root):
    """Fills .total and drops frames in which nothing was counted."""
    order, pending = [], [root]
    while pending:
        frame = pending.pop()
        order.append(frame)
        pending += frame.above.values()
    for frame in reversed(order):
        frame.total = frame.count + sum(child.total for child in
                                        frame.above.values())
        frame.above = {name: child for name, child in frame.above.items()
                       if child.total}

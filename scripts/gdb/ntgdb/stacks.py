"""stacks.py: the two stacks of a walk, every slot with a name and a writer.

A slot is 8 bytes. Names come from structures that the walk meets (the trap
frame, what an APC leaves on the user stack) and from how a slot was written.
"""
import gdb

from . import kernel, machine

SLOT = 8
SHOWN_BELOW = 64        # slots below rsp, of what a service has written


def fields(kind, start=0, prefix=''):
    """Yields (offset, size, name) of a structure's plain fields."""
    for one in kind.strip_typedefs().fields():
        if one.name and one.name.lower().startswith(('pad', 'fill', 'spare')):
            continue
        at = start + one.bitpos // 8
        of = one.type.strip_typedefs()
        name = prefix + (one.name or '')
        if of.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            yield from fields(of, at, f'{name}.' if one.name else prefix)
        elif of.code == gdb.TYPE_CODE_ARRAY and of.sizeof > SLOT:
            item = of.target().sizeof
            for index in range(of.sizeof // item):
                yield at + index * item, item, f'{name}[{index}]'
        else:
            yield at, of.sizeof, name


class Stack:
    """One of the two; top is the address above its first slot."""

    def __init__(self, top):
        self.top = self.lowest = top
        self.names, self.kinds = {}, {}         # by slot address
        self.writer, self.by, self.step = {}, {}, {}

    def has(self, address):
        return self.top - 0x6000 <= address < self.top

    def name_structure(self, start, type_name, title=None):
        title = title or type_name
        kind = kernel.type_of(type_name)
        for at in range(start, start + kind.sizeof, SLOT):
            self.names.setdefault(at, f'{title} +{at - start:x}')
        found = {}
        for offset, size, name in fields(kind):
            for part in range(offset & -SLOT, offset + size, SLOT):
                rest = f' +{part - offset:x}' if part > offset else ''
                names = found.setdefault(start + part, [])
                if f'{name}{rest}' not in names:
                    names.append(f'{name}{rest}')
        for at, names in found.items():
            self.names[at] = f'{title}.{", ".join(names[:3])}'
        self.lowest = min(self.lowest, start)

    def wrote(self, address, size, room, by, kind, step):
        """step: the place in the room's code, or None."""
        for at in range(address & -SLOT, address + size, SLOT):
            if not self.has(at):
                continue
            self.writer[at], self.by[at] = room, by
            self.kinds[at], self.step[at] = kind, step
            self.lowest = min(self.lowest, at)

    def values(self, down_to):
        """Returns {address: value} from an address up to the top."""
        try:
            data = machine.read(down_to, self.top - down_to)
        except machine.NoMemory:
            return {}
        return dict(zip(range(down_to, self.top, SLOT), kernel.words(data)))

    def named(self, at):
        if at in self.names:
            return self.names[at]
        return {'call': 'return address', 'push': 'pushed'}.get(
            self.kinds.get(at), '')

    def rows(self, house, pointer, deepest, room):
        """Returns the slots from the top down to pointer, for walk.json.

        deepest: also what is below it, as far down as that (or None).
        room: whose picture this is.
        """
        down = pointer
        if deepest is not None:
            down = max(min(pointer, deepest), pointer - SHOWN_BELOW * SLOT)
        values = self.values(min(down & -SLOT, self.top))
        return [{
            'address': f'{at:#018x}', 'value': f'{values[at]:#018x}',
            'name': self.named(at), 'writer': self.writer.get(at),
            'by': self.by.get(at, ''), 'text': house.name_of(values[at]),
            'step': self.step.get(at) if self.writer.get(at) == room
            else None,
        } for at in sorted(values, reverse=True)]

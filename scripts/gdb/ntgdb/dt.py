"""dt.py: nt dt: a structure's layout, or what one in memory holds."""
import fnmatch
import re
from typing import NamedTuple

import gdb

from . import expression, kernel, layout, machine, modules
from .command import Command, Wrong, say

LINE = 16                               # bytes of an array

# ---- what is meant


def split_name(word):
    """Returns a type's name without nt!."""
    module, _, name = word.rpartition('!')
    if module.lower() not in ('', modules.KERNEL):
        raise Wrong(f'{word}: types are the kernel\'s, nt!{name}')
    return name


def kind_of(word):
    """Returns a type; case counts only where two names differ in it."""
    name = split_name(word)
    try:
        return kernel.type_of(name)
    except Wrong:
        for known in layout.names():
            if known.lower() == name.lower():
                return kernel.type_of(known)
        raise


# ---- lines


class Place(NamedTuple):
    """A structure that is shown: its type and where it is, or None."""
    kind: gdb.Type
    address: int

    def bytes(self):
        if self.address is None:
            return None
        return machine.read(self.address, self.kind.sizeof)


def row(field, text, depth):
    return (f'{"   " * (depth + 1)}+{field.offset:#05x} {field.name:<16} : '
            f'{text}').rstrip()


def rows_of(place, wanted, depth):
    """Yields the lines of fields."""
    data = place.bytes()
    for field in wanted:
        yield row(field, layout.field_text(field, place.kind, data), depth)


def chosen(kind, name):
    """Returns the Fields that a name, a beginning or a pattern means."""
    fields = layout.fields_of(kind) if layout.is_structure(kind) else []
    return [field for field in fields if field.name == name] or \
        [field for field in fields if fnmatch.fnmatchcase(field.name, name)
         or name and field.name.startswith(name)]


def element(place, field, index):
    """Returns an element of an array as a Field of the same owner."""
    real = layout.bare(field.kind)
    if real.code != gdb.TYPE_CODE_ARRAY:
        raise Wrong(f'{field.name} is no array')
    if index >= layout.length(real):
        raise Wrong(f'{field.name} has {layout.length(real)} elements')
    kind = real.target()
    return layout.Field(f'{field.name}[{index}]',
                        field.offset + index * kind.sizeof, kind)


def inside(place, field):
    """Returns the Place of a structure that a field is or points to."""
    if layout.is_structure(field.kind):
        return Place(field.kind, place.address is not None and
                     place.address + field.offset or None)
    real = layout.bare(field.kind)
    if real.code != gdb.TYPE_CODE_PTR or \
            not layout.is_structure(real.target()):
        raise Wrong(f'{field.name} has no fields')
    if place.address is None:
        return Place(real.target(), None)
    target = machine.quad(place.address + field.offset)
    if not target:
        raise Wrong(f'{field.name} is null')
    return Place(real.target(), target)


def rows_of_array(place, field, depth):
    """Yields all elements of an array, bytes by the line."""
    real = layout.bare(field.kind)
    yield row(field, layout.type_name(field.kind), depth)
    if real.target().sizeof == 1:
        data = machine.read(place.address + field.offset, real.sizeof)
        for at in range(0, len(data), LINE):
            yield f'{"   " * (depth + 2)}[{at:02}] ' \
                f'{data[at:at + LINE].hex(" ")}'
        return
    for index in range(layout.length(real)):
        one = element(place, field, index)
        data = machine.read(place.address + one.offset, one.kind.sizeof)
        yield (f'{"   " * (depth + 2)}[{index:02}] '
               f'{layout.value_text(data, one.kind)}')


def rows_of_path(place, path, depth=0):
    """Yields what a path of fields leads to, its owners above it."""
    first, dot, rest = path.partition('.')
    name, _, index = first.partition('[')
    found = chosen(place.kind, name)
    if not found:
        raise Wrong(f'{layout.type_name(place.kind)} has no field {name}')
    if index:
        found = [element(place, field, expression.index(index))
                 for field in found]
    if dot:
        if len(found) > 1:
            raise Wrong(f'{name} may be '
                        f'{", ".join(field.name for field in found)}')
        yield row(found[0], '', depth)
        within = inside(place, found[0])
        yield from rows_of_path(within, rest, depth + 1) if rest else \
            rows_of(within, layout.fields_of(within.kind), depth + 1)
    elif len(found) == 1 and is_list(place, found[0]):
        yield from rows_of_array(place, found[0], depth)
    else:
        yield from rows_of(place, found, depth)


def rows_of_type(place):
    """Yields what a type is, or what is there."""
    kind, real = place.kind, layout.bare(place.kind)
    if layout.is_structure(kind):
        yield f'nt!{layout.type_name(kind)}'
        yield from rows_of(place, layout.fields_of(kind), 0)
    elif place.address is not None:
        yield layout.value_text(place.bytes(), kind)
    elif real.code == gdb.TYPE_CODE_ENUM:
        yield (f'Enum {layout.type_name(kind)},  {len(real.fields())} '
               'total enums')
        for field in real.fields():
            yield f'   {field.name} = 0n{field.enumval}'
    else:
        yield layout.type_name(kind)


def is_list(place, field):
    """It is an array in memory that is no text."""
    real = layout.bare(field.kind)
    if real.code != gdb.TYPE_CODE_ARRAY or place.address is None or \
            layout.type_name(real.target()) == 'Wchar':
        return False
    return real.target().sizeof > 1 or not layout.quoted(
        machine.read(place.address + field.offset, real.sizeof))


# ---- nt dt


class DisplayType(Command):
    name = 'dt'
    windbg = 'dt'
    usage = 'TYPE [ADDR] [FIELD]...'
    summary = 'a structure\'s layout, or its contents at an address'
    help = ('TYPE: KTHREAD, _KTHREAD, nt!_KTHREAD, struct mi_vad, or a '
            'pattern (nt!*APC*),\nwhich lists types. FIELD: a name, how it '
            'begins, or a pattern; or a path:\nTcb.State, Tcb.ApcState. (a '
            'dot behind it: what is inside),\nTcb.Process.BasePriority '
            '(through a pointer), Tcb.WaitBlock[1].Object.')
    fewest = 1

    def run(self, words):
        if words[0] in ('struct', 'union', 'enum'):
            words = words[1:]
        if not words:
            raise Wrong(f'usage: nt {self.name} {self.usage}')
        if re.search(r'[*?]', words[0]):
            self.list_types(split_name(words[0]))
            return
        kind = kind_of(words[0])
        address, paths = None, []
        for word in words[1:]:
            if self.is_field(kind, word):
                paths.append(word)
            elif address is None:
                address = self.address_of(kind, word)
            else:
                raise Wrong(f'{layout.type_name(kind)} has no field {word}')
        place = Place(kind, address)
        lines = list(rows_of_type(place)) if not paths else \
            [f'nt!{layout.type_name(kind)}'] + \
            [line for path in paths for line in rows_of_path(place, path)]
        for line in lines:
            say(line)

    def is_field(self, kind, word):
        name = re.split(r'[.\[]', word)[0]
        found = chosen(kind, name)
        return bool(found) and (found[0].name == name or
                                not expression.is_number(word) and
                                modules.find(word) is None)

    def address_of(self, kind, word):
        try:
            return expression.value(word)
        except Wrong:
            if re.fullmatch(r'[A-Za-z_][\w.\[\]]*', word):
                raise Wrong(f'{layout.type_name(kind)} has no field {word}, '
                            'nor is it an address') from None
            raise

    def list_types(self, pattern):
        found = [name for name in layout.names()
                 if fnmatch.fnmatchcase(name.lower(), pattern.lower())]
        if not found:
            raise Wrong(f'no type is like {pattern}')
        for name in found:
            say(f'          nt!{name}')

    def choices(self, words):
        if words and words[0] in ('struct', 'union', 'enum'):
            words = words[1:]
        prefix = 'nt!' if self.begun.startswith('nt!') else ''
        if not words:
            return [prefix + name for name in layout.names()]
        place = Place(kind_of(words[0]), None)
        before, dot, _ = self.begun.rpartition('.')
        for part in before.split('.') if dot else ():
            place = inside(place, chosen(place.kind,
                                         part.partition('[')[0])[0])
        return [before + dot + field.name
                for field in layout.fields_of(place.kind)]


COMMANDS = (DisplayType,)

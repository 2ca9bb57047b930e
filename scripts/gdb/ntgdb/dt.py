"""dt.py: nt dt, the kernel's structures as WinDbg lays them out.

Types are the kernel's. Fields of structures without a name count as their
owner's, as in WinDbg; padding (pad_50) is left out.
"""
import fnmatch
import re
from typing import NamedTuple

import gdb

from . import expression, kernel, machine, modules
from .command import Command, Wrong, say

SHOWN_ELEMENTS, SHOWN_BYTES = 4, 16      # of an array not asked for itself
LONGEST_TEXT = 512                      # bytes of a string

STRUCTURES = (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION)
NUMBERS = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_BOOL)
WORDS = {1: 'Char', 2: 'Int2B', 4: 'Int4B', 8: 'Int8B'}

# Bytes that hold a value of an enumeration.
MEANINGS = {
    ('_KTHREAD', 'State'): '_KTHREAD_STATE',
    ('_KTHREAD', 'WaitReason'): '_KWAIT_REASON',
    ('_DISPATCHER_HEADER', 'Type'): '_KOBJECTS',
    ('_KAPC', 'Type'): '_KOBJECTS',
    ('_KDPC', 'Type'): '_KOBJECTS',
}


class Field(NamedTuple):
    name: str
    offset: int                         # of the unit, for a field of bits
    kind: gdb.Type
    bit: int = 0
    bits: int = 0                       # 0: not a field of bits

    @property
    def end(self):
        return self.offset + self.kind.sizeof


# ---- types


def bare(kind):
    return kind.strip_typedefs().unqualified()


def is_structure(kind):
    return bare(kind).code in STRUCTURES


def type_name(kind):
    """Returns WinDbg's name: _KTHREAD, Ptr64 Void, [4] Uint4B."""
    real = bare(kind)
    if real.code == gdb.TYPE_CODE_PTR:
        target = bare(real.target())
        if target.code == gdb.TYPE_CODE_FUNC:
            return 'Ptr64 function'
        return f'Ptr64 {type_name(real.target())}'
    if real.code == gdb.TYPE_CODE_ARRAY:
        return f'[{length(real)}] {type_name(real.target())}'
    if real.code == gdb.TYPE_CODE_VOID:
        return 'Void'
    if real.code in NUMBERS and real.sizeof in WORDS:
        if kind.unqualified().name == 'WCHAR':
            return 'Wchar'
        return word_name(real)
    return real.tag or kind.unqualified().name or '<unnamed-tag>'


def word_name(real):
    name = WORDS[real.sizeof]
    if real.is_signed:
        return name
    return 'UChar' if name == 'Char' else 'Ui' + name[1:]


def length(array):
    low, high = array.range()
    return high - low + 1


def fields_of(kind, base=0):
    """Returns the Fields of a structure."""
    result = []
    for field in bare(kind).fields():
        unit = field.type.sizeof
        if not field.name:
            result += fields_of(field.type, base + field.bitpos // 8)
        elif field.bitsize:
            start = field.bitpos // (8 * unit) * unit
            result.append(Field(field.name, base + start, field.type,
                                field.bitpos - 8 * start, field.bitsize))
        elif not re.fullmatch(r'pad_[0-9a-f]+', field.name):
            result.append(Field(field.name, base + field.bitpos // 8,
                                field.type))
    return result


def names():
    """Returns the names of the kernel's types."""
    if not names.known:
        listing = gdb.execute('info types -q', to_string=True)
        for block in listing.split('\nFile ')[1:]:
            path, _, rows = block.partition(':\n')
            if re.search(r'(^|/)(kernel|arch|boot)/', path):
                names.known |= set(re.findall(r'(\w+);$', rows, re.M))
    return sorted(names.known)


names.known = set()


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
        for known in names():
            if known.lower() == name.lower():
                return kernel.type_of(known)
        raise


# ---- values


def number(data, kind):
    return int.from_bytes(data, 'little',
                          signed=bool(bare(kind).is_signed))


def enumerator(value, kind):
    for field in bare(kind).fields():
        if field.enumval == value:
            return field.name
    return '???'


def quoted(data):
    """Returns a byte string as text, '' if it is none."""
    text, _, rest = data.partition(b'\0')
    if not text or rest.strip(b'\0') or not all(32 <= c < 127 for c in text):
        return ''
    return f'"{text.decode()}"'


def number_text(data, kind):
    value = number(data, kind)
    if bare(kind).sizeof == 1:
        letter = chr(value & 255) if 32 <= value & 255 < 127 else ''
        return f'{value & 255:#x} \'{letter}\'' if value >= 0 else \
            f'0n{value} \'\''
    return f'0n{value}' if bare(kind).is_signed else f'{value:#x}'


def pointer_text(data, kind):
    value = number(data, kind) & expression.MASK
    target = bare(kind).target()
    if not value:
        return '(null)'
    if bare(target).code == gdb.TYPE_CODE_FUNC:
        return f'{value:#018x} {modules.stack_text(value)}'.rstrip()
    return f'{value:#018x} {type_name(target)}'


def array_text(data, kind):
    real = bare(kind)
    element, count = real.target(), length(real)
    size = element.sizeof
    if type_name(element) in ('Char', 'UChar') and quoted(data):
        return f'[{count}] {quoted(data)}'
    if type_name(element) == 'Wchar':
        text = data.decode('utf-16-le', 'replace').partition('\0')[0]
        return f'[{count}] "{text}"'
    if is_structure(element):
        return f'[{count}] {type_name(element)}'
    if size == 1:
        return f'[{count}] {data[:SHOWN_BYTES].hex(" ")}' + \
            (' ...' if count > SHOWN_BYTES else '')
    shown = [value_text(data[at * size:(at + 1) * size], element)
             for at in range(min(count, SHOWN_ELEMENTS))]
    return f'[{count}] {", ".join(shown)}' + \
        (', ...' if count > SHOWN_ELEMENTS else '')


def structure_text(data, kind):
    name = type_name(kind)
    whole = int.from_bytes(data[:8], 'little')
    if name == '_LIST_ENTRY':
        back = int.from_bytes(data[8:16], 'little')
        return f'{name} [ {whole:#018x} - {back:#018x} ]'
    if name in ('_LARGE_INTEGER', '_ULARGE_INTEGER'):
        return f'{name} {whole:#x}'
    if name == '_UNICODE_STRING':
        return f'{name} {unicode_text(data)}'
    return name


def unicode_text(data):
    size = int.from_bytes(data[:2], 'little')
    buffer = int.from_bytes(data[8:16], 'little')
    if not size:
        return '""'
    try:
        text = machine.read(buffer, min(size, LONGEST_TEXT))
    except machine.NoMemory:
        return f'"--- no memory at {buffer:x} ---"'
    return f'"{text.decode("utf-16-le", "replace")}"'


def value_text(data, kind):
    real = bare(kind)
    if real.code in STRUCTURES:
        return structure_text(data, kind)
    if real.code == gdb.TYPE_CODE_ARRAY:
        return array_text(data, kind)
    if real.code == gdb.TYPE_CODE_PTR:
        return pointer_text(data, kind)
    if real.code == gdb.TYPE_CODE_ENUM:
        value = number(data, kind)
        return f'{value} ( {enumerator(value, kind)} )'
    if real.code in NUMBERS:
        return number_text(data, kind)
    return type_name(kind)


def field_text(field, owner, data):
    """Returns what stands behind a field's colon; data None: its type."""
    if field.bits:
        if data is None:
            return f'Pos {field.bit}, {field.bits} ' + \
                ('Bit' if field.bits == 1 else 'Bits')
        whole = int.from_bytes(data[field.offset:field.end], 'little')
        value = whole >> field.bit & (1 << field.bits) - 1
        return f'0y{value:0{field.bits}b}' + \
            (f' ({value:#x})' if field.bits > 3 else '')
    if data is None:
        return type_name(field.kind)
    part = data[field.offset:field.end]
    meaning = MEANINGS.get((type_name(owner), field.name))
    if meaning:
        value = number(part, field.kind)
        return f'{value:#x} ( {enumerator(value, kernel.type_of(meaning))} )'
    return value_text(part, field.kind)


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
        yield row(field, field_text(field, place.kind, data), depth)


def chosen(kind, name):
    """Returns the Fields that a name, a beginning or a pattern means."""
    fields = fields_of(kind) if is_structure(kind) else []
    return [field for field in fields if field.name == name] or \
        [field for field in fields if fnmatch.fnmatchcase(field.name, name)
         or name and field.name.startswith(name)]


def element(place, field, index):
    """Returns an element of an array as a Field of the same owner."""
    real = bare(field.kind)
    if real.code != gdb.TYPE_CODE_ARRAY:
        raise Wrong(f'{field.name} is no array')
    if index >= length(real):
        raise Wrong(f'{field.name} has {length(real)} elements')
    kind = real.target()
    return Field(f'{field.name}[{index}]', field.offset + index * kind.sizeof,
                 kind)


def inside(place, field):
    """Returns the Place of a structure that a field is or points to."""
    if is_structure(field.kind):
        return Place(field.kind, place.address is not None and
                     place.address + field.offset or None)
    real = bare(field.kind)
    if real.code != gdb.TYPE_CODE_PTR or not is_structure(real.target()):
        raise Wrong(f'{field.name} has no fields')
    if place.address is None:
        return Place(real.target(), None)
    target = machine.quad(place.address + field.offset)
    if not target:
        raise Wrong(f'{field.name} is null')
    return Place(real.target(), target)


def rows_of_array(place, field, depth):
    real = bare(field.kind)
    yield row(field, type_name(field.kind), depth)
    for index in range(length(real)):
        one = element(place, field, index)
        data = machine.read(place.address + one.offset, one.kind.sizeof)
        yield (f'{"   " * (depth + 2)}[{index:02}] '
               f'{value_text(data, one.kind)}')


def rows_of_path(place, path, depth=0):
    """Yields what a path of fields leads to, its owners above it."""
    first, dot, rest = path.partition('.')
    name, _, index = first.partition('[')
    found = chosen(place.kind, name)
    if not found:
        raise Wrong(f'{type_name(place.kind)} has no field {name}')
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
            rows_of(within, fields_of(within.kind), depth + 1)
    elif len(found) == 1 and place.address is not None and is_list(found[0]):
        yield from rows_of_array(place, found[0], depth)
    else:
        yield from rows_of(place, found, depth)


def rows_of_type(place):
    """Yields what a type is, or what is there."""
    kind, real = place.kind, bare(place.kind)
    if is_structure(kind):
        yield f'nt!{type_name(kind)}'
        yield from rows_of(place, fields_of(kind), 0)
    elif place.address is not None:
        yield value_text(place.bytes(), kind)
    elif real.code == gdb.TYPE_CODE_ENUM:
        yield f'Enum {type_name(kind)},  {len(real.fields())} total enums'
        for field in real.fields():
            yield f'   {field.name} = 0n{field.enumval}'
    else:
        yield type_name(kind)


def is_list(field):
    real = bare(field.kind)
    return real.code == gdb.TYPE_CODE_ARRAY and \
        type_name(real.target()) not in ('Char', 'UChar', 'Wchar')


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
                raise Wrong(f'{type_name(kind)} has no field {word}')
        place = Place(kind, address)
        lines = list(rows_of_type(place)) if not paths else \
            [f'nt!{type_name(kind)}'] + \
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
                raise Wrong(f'{type_name(kind)} has no field {word}, '
                            'nor is it an address') from None
            raise

    def list_types(self, pattern):
        found = [name for name in names()
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
            return [prefix + name for name in names()]
        place = Place(kind_of(words[0]), None)
        before, dot, _ = self.begun.rpartition('.')
        for part in before.split('.') if dot else ():
            place = inside(place, chosen(place.kind,
                                         part.partition('[')[0])[0])
        return [before + dot + field.name for field in fields_of(place.kind)]


COMMANDS = (DisplayType,)

"""layout.py: structures as WinDbg lays them out: fields, types, values.

Types are the kernel's. Fields of structures without a name count as their
owner's, as in WinDbg; padding (pad_50) is left out.
"""
import re
from typing import NamedTuple

import gdb

from . import expression, kernel, machine, modules

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

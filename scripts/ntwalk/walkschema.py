"""walkschema.py: what walk.json holds; docs/walk.md tells what it means.

A shape is a dictionary (a name that ends in "?" may be missing), a list of
one shape, a tuple of shapes any of which will do, a compiled expression that
a string has to match, a type, or a value.
"""
import re

VERSION = 1
LONG = re.compile(r'0x[0-9a-fA-F]{16}')
SELECTOR = re.compile(r'0x[0-9a-fA-F]{4}')
LONGS = ('rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9',
         'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip', 'rflags',
         'fs_base', 'gs_base', 'k_gs_base', 'cr3', 'cr8')
SELECTORS = ('cs', 'ss', 'ds', 'es', 'fs', 'gs')
NUMBER = (int, None)

STATE = {**dict.fromkeys(LONGS, LONG), **dict.fromkeys(SELECTORS, SELECTOR)}

SLOT = {
    'address': LONG,
    'value': LONG,
    'name': str,
    'writer': NUMBER,
    'by': str,
    'text': str,
    'step?': NUMBER,
}

STACK = {
    'current': bool,
    'pointer': LONG,
    'top': LONG,
    'slots': [SLOT],
}

CHANGE = {
    'kind': re.compile('register|selector|gs|cr3|irql|flag|stack'),
    'what': str,
    'before': str,
    'after': str,
    'role': str,
}

DECISION = {
    'kind': re.compile('msr|gdt|idt|tss|ssdt|kthread|kpcr|kuser|frame'),
    'name': str,
    'value': str,
    'meaning': str,
}

LINE = {
    'address': LONG,
    'bytes': re.compile('([0-9a-f]{2})*'),
    'text': str,
    'label': str,
    'file': str,
    'line': NUMBER,
    'source?': str,
    'changed?': {f'{name}?': shape for name, shape in STATE.items()},
}

ROOM = {
    'index': int,
    'room': int,
    'title': str,
    'file': str,
    'symbol': str,
    'ring': (0, 3),
    'summary': str,
    'instructions': NUMBER,
    'before': STATE,
    'after': STATE,
    'changes': [CHANGE],
    'roles': {f'{name}?': str for name in STATE},
    'decided': [DECISION],
    'code': [LINE],
    'calls': [{'name': str, 'depth': int, 'instructions': NUMBER}],
    'stacks': {'user': STACK, 'kernel': (STACK, None)},
}

WALK = {
    'schema': VERSION,
    'call': str,
    'door': re.compile('syscall|int2e|sysenter'),
    'apc': bool,
    'firmware': str,
    'loader': str,
    'cpu': str,
    'process': {'name': str, 'pid': int},
    'thread': {'tid': int, 'address': LONG},
    'number': LONG,
    'arguments': [{'name': str, 'value': LONG}],
    'status': LONG,
    'status_name': str,
    'instructions': NUMBER,
    'rooms': [ROOM],
}


def dictionary(value, shape, path):
    if not isinstance(value, dict):
        yield f'{path} is no object'
        return
    known = {name.rstrip('?'): name for name in shape}
    for name in value:
        if name not in known:
            yield f'{path}.{name} is not in the schema'
    for name, key in known.items():
        if name in value:
            yield from complaints(value[name], shape[key], f'{path}.{name}')
        elif name == key:
            yield f'{path}.{name} is missing'


def complaints(value, shape, path='walk'):
    """Yields what is wrong with a value, a line each."""
    if isinstance(shape, dict):
        yield from dictionary(value, shape, path)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f'{path} is no array'
            return
        for index, part in enumerate(value):
            yield from complaints(part, shape[0], f'{path}[{index}]')
    elif isinstance(shape, tuple):
        tries = [list(complaints(value, part, path)) for part in shape]
        if all(tries):
            yield tries[0][0]
    elif isinstance(shape, re.Pattern):
        if not isinstance(value, str) or not shape.fullmatch(value):
            yield f'{path} is {value!r:.40}, not {shape.pattern}'
    elif isinstance(shape, type):
        if type(value) is not shape:
            yield f'{path} is {value!r:.40}, not of type {shape.__name__}'
    elif value != shape or type(value) is not type(shape):
        yield f'{path} is {value!r:.40}, not {shape!r}'


def unsound(walk):
    """Yields what fits the shapes and cannot be."""
    if not walk['rooms']:
        yield 'walk.rooms is empty'
    for number, room in enumerate(walk['rooms']):
        path = f'walk.rooms[{number}]'
        if room['index'] != number:
            yield f'{path}.index is {room["index"]}'
        for which, stack in room['stacks'].items():
            at = [int(slot['address'], 16)
                  for slot in (stack or {}).get('slots', [])]
            if any(high - low != 8 for high, low in zip(at, at[1:])):
                yield f'{path}.stacks.{which}: a slot is not 8 bytes below' \
                    ' the one before'
            for index, slot in enumerate((stack or {}).get('slots', [])):
                if (slot['writer'] or 0) not in range(number + 1):
                    yield f'{path}.stacks.{which}.slots[{index}].writer is' \
                        f' {slot["writer"]}, a room to come'


def first_complaint(walk):
    """Returns what is wrong first, or None."""
    return next(complaints(walk, WALK), None) or next(unsound(walk), None)

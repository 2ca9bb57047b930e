"""pathcheck.py: docs/path.md against walks of the machine it tells of.

    complaints(text, walks, listed)

walks: {'syscall', 'int2e', 'sysenter', 'alert'}: walk.json of NtClose by each
door, and of NtTestAlert with an APC. listed(symbol): {offset: bytes} of a
routine of the 32-bit ntdll.

Checked are the listings ("+03   0f 05   syscall" below a symbol's line), the
registers in the tables below "At `LABEL`", the fields of the trap frame, and
where the structures on the user stack lie. No address of a build may be in
the text. What a table's cell cannot say in numbers it says with the names
that the page's beginning lists.
"""
import re

SECTIONS = (('## The path', None), ('## The way back with an APC', 'alert'),
            ('## The second door', 'int2e'), ('## The third door', 'sysenter'),
            ('## A 32-bit program', 'xp'))
HEAD = re.compile(r'^    ([A-Za-z_]\w*(?:@\d+)?)$')
LINE = re.compile(r'^    \+([0-9a-f]{2,3})   '
                  r'((?:[0-9a-f]{2}|\.{3})(?: (?:[0-9a-f]{2}|\.{3}))*)  ?\S? ')
AT = re.compile(r'[Aa]t\s+`(\w+)`')
ADDRESS = re.compile(r'\b(ffff[0-9a-f]{8,12}|0*7ffff[0-9a-f]{7}|'
                     r'0*1[48]000[0-9a-f]{4}|7ffa[0-9a-f]{4}|'
                     r'7c90[0-9a-f]{4})\b', re.I)
WIDTHS = {'ExceptionActive': 1, 'MxCsr': 4, 'SegCs': 2, 'EFlags': 4,
          'SegSs': 2}
# Cells that are words, and labels of C, inside of which nobody stepped.
WORDS = ('whatever NtClose left',)
IN_C = {'KiDeliverApc': ('KEXCEPTION_FRAME', 0x160)}
FIRST_ROOMS = 6                 # of the alert's walk, up to the delivery


def number(text):
    return int(text, 16)


def code_of(walks):
    """Returns ({label: address}, {address: bytes}) of all that ran."""
    labels, code = {}, {}
    for walk in walks.values():
        for room in walk['rooms']:
            for line in room['code']:
                at = number(line['address'])
                code[at] = re.findall('..', line['bytes'])
                if line['label']:
                    labels[line['label'].partition('!')[2]] = at
    return labels, code


def stack_slots(room, which):
    """Returns {field: (address, value)} of structures' fields."""
    found = {}
    for slot in room['stacks'][which]['slots']:
        for name in slot['name'].partition('.')[2].split(', '):
            found[name] = number(slot['address']), number(slot['value'])
    return found


class Names:
    """What the cells of a walk's tables mean."""

    def __init__(self, walk, labels):
        rooms = walk['rooms']
        kernel = rooms[1]['stacks']['kernel']
        self.labels = labels
        self.routines = {room['symbol'].partition('!')[2]:
                         number(room['before']['rip']) for room in rooms[3:4]}
        top = number(kernel['top'])
        self.values = {
            'user rsp': number(rooms[0]['before']['rsp']), 'Rsp0': top,
            'frame': top - 0x190, 'KTHREAD': number(walk['thread']['address']),
            'KPCR': number(rooms[1]['after']['gs_base']),
            'TEB': number(rooms[0]['before']['gs_base'])}
        for one in rooms[1]['decided']:
            self.values[one['name'].partition(' ')[0]] = number(one['value'])
        for room in rooms:
            if room['room'] == 7:
                self.values.setdefault('the CONTEXT',
                                       number(room['before']['rsp']))

    def means(self, cell, value):
        """Whether a cell (its words up to a comma) is a value."""
        symbol = re.match(r'`(\w+)(?:\+([0-9a-f]+))?`', cell)
        if symbol:
            base, offset = symbol[1], number(symbol[2] or '0')
            return value - offset in (self.labels.get(base),
                                      self.routines.get(base))
        pattern = re.match(r'([0-9A-F]+)\.\.\.$', cell)
        if pattern:
            return f'{value:016X}'.startswith(pattern[1])
        if re.fullmatch(r'[0-9A-F]+', cell):
            return number(cell) == value
        name = re.fullmatch(r'(.*?)(?: ([+-]) ([0-9A-F]+)h?)?', cell)
        if name[1] not in self.values:
            raise ValueError(f'"{cell}" is no name that is known')
        distance = number(name[3] or '0') * (-1 if name[2] == '-' else 1)
        return self.values[name[1]] + distance == value


def state_at(walk, label):
    """Returns the state before the first instruction of a label."""
    for room in walk['rooms']:
        state = dict(room['before'])
        for line in room['code']:
            if line['label'].partition('!')[2] == label:
                return state
            state |= line['changed']
    return None


def register(state, name):
    """Returns a register's value; eax is the lower half of rax."""
    if name == 'gs base':
        return number(state['gs_base'])
    if re.fullmatch('e[a-ds][xip]', name):
        return number(state['r' + name[1:]]) & 0xFFFFFFFF
    return number(state[name])


def cells(line):
    return [cell.strip() for cell in line.strip()[1:-1].split('|')]


def check_listing(symbol, offset, bytes_, labels, code, listed):
    given = bytes_.split()
    if listed:
        real = listed(symbol).get(offset)
    else:
        real = code.get(labels.get(symbol, 0) + offset)
    where = f'{symbol}+{offset:02x}'
    if real is None:
        return f'{where}: nothing was executed there'
    if len(given) != len(real) or any(
            one not in ('...', other) for one, other in zip(given, real)):
        return f'{where}: {bytes_} is {" ".join(real)}'
    return None


def check_registers(row, label, state, names):
    registers = row[0].split(', ')
    if row[1] in WORDS:
        return
    holds = row[1].split(', ')
    if len(registers) > 1 and len(holds) == 1:
        holds = holds * len(registers)
    for name, cell in zip(registers, holds):
        if not names.means(cell, register(state, name)):
            yield f'at {label}: {name} is {register(state, name):x},' \
                f' not {cell}'


def check_return(row, walk, names):
    """A row of the table of what the program finds after the call."""
    if 'xmm' in row[0]:
        return
    before = walk['rooms'][0]['before']
    after = walk['rooms'][-1]['before']
    for cell, state in ((row[1], before), (row[2], after)):
        value = register(state, row[0])
        if not names.means(cell.split(', ')[0], value):
            yield f'{row[0]} is {value:x}, not {cell}'


def check_field(row, walk, names):
    """offset | field | value, of the trap frame after room 2."""
    frame, offset = names.values['frame'], number(row[0])
    slots = stack_slots(walk['rooms'][1], 'kernel')
    width = WIDTHS.get(row[1], 8)
    value = dict(slots.values())[frame + (offset & ~7)]
    value = value >> 8 * (offset & 7) & (1 << 8 * width) - 1
    known = slots.get(row[1], (frame + (offset & ~7), 0))[0] - frame
    if known != offset & ~7:
        yield f'{row[1]} is at {known:x}, not {row[0]}'
    if not names.means(row[2].split(', ')[0], value):
        yield f'the field {row[1]} is {value:x}, not {row[2]}'


def check_structure(row, walk, names):
    """offset | structure | what, on the user stack."""
    if row[1]:
        room = next(room for room in walk['rooms'] if room['room'] == 7)
        lowest = min(number(slot['address'])
                     for slot in room['stacks']['user']['slots']
                     if slot['name'].startswith((f'{row[1]}.',
                                                 f'{row[1]} +')))
    elif "program's rsp" in row[2]:
        lowest = names.values['user rsp']
    else:
        return
    if lowest - names.values['the CONTEXT'] != number(row[0]):
        yield f'{row[1] or row[2]} is at' \
            f' {lowest - names.values["the CONTEXT"]:x}, not {row[0]}'


def check_delivery(row, walk, names):
    """field | before | after: the frame before and behind room 6."""
    rooms = walk['rooms'][:FIRST_ROOMS]
    for cell, room in ((row[1], rooms[1]), (row[2], rooms[-1])):
        value = stack_slots(room, 'kernel')[row[0]][1]
        if not names.means(cell.split(', ')[0], value):
            yield f'{row[0]} is {value:x}, not {cell}'


def check_in_c(label, walk, names):
    """Where the structure lies that a routine of C is called with."""
    kind, below = IN_C[label]
    lowest = min(number(slot['address']) for slot in
                 walk['rooms'][5]['stacks']['kernel']['slots']
                 if slot['name'].startswith(f'{kind}.'))
    if names.values['frame'] - lowest != below:
        yield f'the {kind} is not {below:x} below the frame'


class Reader:
    """Goes through the page, line by line."""

    def __init__(self, walks, listed):
        self.walks, self.listed = walks, listed
        self.labels, self.code = code_of(walks)
        self.names = {name: Names(walk, self.labels)
                      for name, walk in walks.items()}
        self.symbol, self.label, self.table = '', '', None
        self.which, self.rows = 'syscall', 0

    def row(self, line):
        """Yields complaints about a row of a table."""
        row = cells(line)
        if set(line) <= set('|- \n'):
            return
        if self.table is None:
            self.table = tuple(row[:3])
            return
        if self.which == 'xp':
            return
        walk, names = self.walks[self.which], self.names[self.which]
        row += [''] * (3 - len(row))
        checks = {
            ('register', 'before the call', 'after it'): check_return,
            ('offset', 'field', 'value'): check_field,
            ('offset', 'structure', 'what'): check_structure,
            ('field', 'before', 'after'): check_delivery}
        if self.table[:2] == ('register', 'holds'):
            self.rows += 1
            if self.label in IN_C:
                yield from check_in_c(self.label, walk, names)
                return
            state = state_at(walk, self.label)
            if state is None:
                yield f'nobody was at {self.label}'
            else:
                yield from check_registers(row, self.label, state, names)
        elif self.table in checks:
            self.rows += 1
            yield from checks[self.table](row, walk, names)

    def line(self, line):
        for title, which in SECTIONS:
            if line.startswith(title):
                self.which = which or self.which
        if line.startswith('|'):
            yield from self.row(line)
            return
        self.table = None
        head, code = HEAD.match(line.rstrip('\n')), LINE.match(line)
        if head:
            self.symbol = head[1]
        elif code:
            self.rows += 1
            yield check_listing(
                self.symbol, number(code[1]), code[2], self.labels,
                self.code, self.listed if self.which == 'xp' else None)


def complaints(text, walks, listed):
    """Returns (what is wrong, how many rows and lines were checked)."""
    reader, wrong = Reader(walks, listed), []
    above = ''
    for line in text.splitlines(keepends=True):
        for found in AT.finditer(above + line):
            reader.label = found[1]
        above = line
        try:
            wrong += [one for one in reader.line(line) if one]
        except (KeyError, ValueError) as error:
            wrong.append(f'{line.strip()}: {error}')
        if ADDRESS.search(line):
            wrong.append(f'an address of a build: {line.strip()}')
    return wrong, reader.rows

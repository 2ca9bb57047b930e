#!/usr/bin/env python3
"""walkpage.py: a walk as one page of pictures (docs/walk.md).

usage: walkpage.py WALK.JSON FOLDER

Writes FOLDER/walk.json and FOLDER/index.html. The page needs nothing else: no
network, and no script to be read; the script in it (walk.html) shows one room
at a time and steps through its instructions. All words are made here: what a
step changes goes into the page as rows of (value, words).
"""
import json
import os
import re
import sys
from html import escape

if __name__ == '__main__':
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))))

from ntwalk import walkschema                               # noqa: E402
from ntwalk.errors import Usage                             # noqa: E402

TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        'walk.html')
FOLD = 4                # a run of so many slots nobody wrote is folded
FOLD_WRITTEN = 12       # and of slots that one room has written
SHOWN_WRITTEN = 3       # so many of these are left at either end

DOORS = {'syscall': 'SYSCALL', 'int2e': 'INT 2Eh', 'sysenter': 'SYSENTER'}
CPUS = {'intel': 'an Intel processor', 'amd': 'an AMD processor'}
KINDS = {'msr': 'MSR', 'gdt': 'GDT', 'idt': 'IDT', 'tss': 'TSS',
         'ssdt': 'service table', 'kthread': 'KTHREAD', 'kpcr': 'KPCR',
         'kuser': 'shared page', 'frame': 'trap frame'}
SELECTORS = {
    0x00: 'null', 0x08: 'ring 0, 64-bit code', 0x10: 'ring 0, data',
    0x1b: 'ring 3, 32-bit code', 0x23: 'ring 3, data',
    0x2b: 'ring 3, 64-bit code', 0x30: 'the PCR',
    0x33: 'the PCR', 0x3b: 'the 32-bit TEB', 0x40: 'the TSS'}
IRQLS = {0: 'PASSIVE_LEVEL', 1: 'APC_LEVEL', 2: 'DISPATCH_LEVEL',
         12: 'SYNCH_LEVEL', 13: 'CLOCK_LEVEL', 14: 'IPI_LEVEL',
         15: 'HIGH_LEVEL'}
FLAGS = {0: 'CF', 2: 'PF', 4: 'AF', 6: 'ZF', 7: 'SF', 8: 'TF', 10: 'DF',
         11: 'OF', 14: 'NT', 16: 'RF', 18: 'AC'}
IF = 1 << 9
IN_RING_3 = (0, 1, 7)           # rooms: the program, the stub, the dispatcher
MANY = 9                        # so many tiles have space for their titles

SIZE = re.compile(r'\b([BDQ]?WORD|BYTE|XMMWORD|FWORD) PTR ')
REGISTER = re.compile(r'\b(r[a-ds0-9][xpi0-9]?[0-9]?[bwd]?|e[a-ds][xpi]|'
                      r'xmm\d+|[c-g]s)$')
SIZED = ('movzx', 'movsx', 'movsxd')

REGISTERS = ('rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8',
             'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip')
PLACE = {'ring': 'ring', 'cs': 'cs', 'ss': 'ss', 'gs_base': 'gs base',
         'k_gs_base': 'other base', 'cr3': 'cr3', 'cr8': 'IRQL',
         'if': 'interrupts', 'flags': 'flags'}
SELDOM = {'ds': 'ds', 'es': 'es', 'fs': 'fs', 'gs': 'gs',
          'fs_base': 'fs base'}


def digits(value):
    """Returns a number of walk.json as it is shown."""
    return value[2:].lower() if value.startswith('0x') else value


def number(value):
    return int(value, 16)


def number_span(value):
    """Digits with the zeros in front of them dimmed."""
    zeros, rest = re.fullmatch('(0*)(.*?)', digits(value)).groups()
    if not rest:
        zeros, rest = zeros[:-1], '0'
    return f'<i class="z">{zeros}</i>{escape(rest)}'


# ---- A state as rows of (value, words) ---------------------------------------

def ring(state):
    return number(state['cs']) & 3


def flags(state):
    value = number(state['rflags'])
    return ' '.join(name for bit, name in FLAGS.items() if value >> bit & 1)


def place_row(key, state):
    if key == 'ring':
        return str(ring(state)), ('the kernel', '', '',
                                  'the program')[ring(state)]
    if key == 'if':
        on = number(state['rflags']) & IF
        return ('on', 'IF is set') if on else ('off', 'IF is clear')
    if key == 'flags':
        return flags(state) or 'none', f'rflags {number(state["rflags"]):x}'
    if key == 'cr8':
        level = number(state[key])
        return str(level), IRQLS.get(level, 'a device')
    value = digits(state[key])
    if key in walkschema.SELECTORS:
        return value, SELECTORS.get(number(state[key]), '')
    if key in ('gs_base', 'k_gs_base'):
        return value, 'the KPCR' if number(state[key]) >> 47 else 'the TEB'
    if key == 'cr3':
        return value, 'the page tables'
    return value, ''


def row_keys(room):
    """What has a row in a room: registers, then its place."""
    seldom = [key for key in SELDOM
              if room['before'][key] != room['after'][key]]
    return [*REGISTERS, *PLACE, *seldom]


def rows(room, state):
    """Returns {key: (value, words)} of a state in a room."""
    roles = {change['what']: change['role'] for change in room['changes']
             if change['role']} | room['roles']
    result = {}
    for key in row_keys(room):
        if key in REGISTERS:
            value, words = digits(state[key]), ''
        else:
            value, words = place_row(key, state)
        if key in roles and state[key] == room['after'][key]:
            words = roles[key]
        result[key] = (value, words)
    return result


def steps(room):
    """Returns, for each line, the rows that it changes.

    It is empty when nobody looked at the registers between lines; what the
    lines do not tell belongs to the last one.
    """
    if not any(line.get('changed') for line in room['code']):
        return []
    state, before, result = room['before'], rows(room, room['before']), []
    for index, line in enumerate(room['code']):
        state = state | line.get('changed', {})
        if index == len(room['code']) - 1:
            state = room['after']
        after = rows(room, state)
        result.append({key: row for key, row in after.items()
                       if row != before[key]})
        before = after
    return result


def pointers(room):
    """Returns rsp after each line."""
    rsp, result = room['before']['rsp'], []
    for line in room['code']:
        rsp = line.get('changed', {}).get('rsp', rsp)
        result.append(rsp)
    return result[:-1] + [room['after']['rsp']] * bool(result)


# ---- Parts of a room ---------------------------------------------------------

def where_of(room):
    steps_taken = '' if room['instructions'] is None else \
        f'<li>{count(room["instructions"], "instruction")}'
    return (f'<ul class="where"><li><code>{escape(room["symbol"])}</code>'
            f'<li><code>{escape(room["file"])}</code>{steps_taken}</ul>')


def count(amount, noun):
    return f'{amount} {noun}{"" if amount == 1 else "s"}'


def crossing(room):
    rings = [ring(room['before']), ring(room['after'])]
    if rings[0] == rings[1]:
        return f'ring {rings[0]}'
    return f'ring {rings[0]} <span aria-label="to">→</span> ring {rings[1]}'


def decided(room):
    if not room['decided']:
        return ''
    items = ''.join(
        f'<li><span class="kind">{KINDS[one["kind"]]}</span>'
        f'<span class="entry">{escape(one["name"])}</span> '
        f'<code>{escape(digits(one["value"]))}</code>'
        f'<span class="meaning">{escape(one["meaning"])}</span>'
        for one in room['decided'])
    return (f'<section class="decided"><h3>What decided</h3>'
            f'<ul>{items}</ul></section>')


def table_row(key, name, before, after):
    changed = ' class="changed"' if before[key][0] != after[key][0] else ''
    value, words = after[key]
    return (f'<tr data-key="{key}"{changed}><th scope="row">{name}'
            f'<td><span class="was">{number_span(before[key][0])}</span>'
            f'<span class="is">{number_span(value)}</span>'
            f'<span class="words">{escape(words)}</span>')


def registers(room):
    before, after = rows(room, room['before']), rows(room, room['after'])
    names = PLACE | SELDOM
    parts = []
    for kind, title, keys in (
            ('place', 'The processor',
             [key for key in row_keys(room) if key not in REGISTERS]),
            ('registers', 'Registers', REGISTERS)):
        body = ''.join(table_row(key, names.get(key, key), before, after)
                       for key in keys)
        parts.append(f'<section class="{kind}"><h3>{title}</h3>'
                     f'<table>{body}</table></section>')
    return f'<div class="state">{"".join(parts)}</div>'


def source_of(line):
    if not line['file']:
        return ''
    return os.path.basename(line['file']) + (
        f':{line["line"]}' if line['line'] else '')


def spoken(line):
    """Returns a line as its source has it, or as it was disassembled, then
    without the sizes that its registers tell.
    """
    text = line['text']
    if line.get('source'):
        return line['source']
    name, _, operands = text.partition(' ')
    told = any(REGISTER.match(one) for one in operands.split(','))
    if told and name not in SIZED:
        return SIZE.sub('', text)
    return SIZE.sub(lambda size: size[1].lower() + ' ', text)


def disassembled(line):
    """The text, when what is shown is the source."""
    if not line.get('source'):
        return ''
    return f'<span class="plain">{escape(line["text"])}</span>'


def code(room):
    if not room['code']:
        return ''
    items, last = [], len(room['code']) - 1
    for index, line in enumerate(room['code']):
        if line['label']:
            items.append(f'<li class="label">{escape(line["label"])}')
        spaced = ' '.join(re.findall('..', line['bytes']))
        current = ' aria-current="step"' if index == last else ''
        items.append(
            f'<li><button type="button" data-line="{index}"{current}'
            f' title="{escape(digits(line["address"]))}">'
            f'<span class="at">{digits(line["address"])[-6:]}</span>'
            f'<span class="text">{escape(spoken(line))}</span>'
            f'<span class="bytes">{spaced}</span>{disassembled(line)}'
            f'<span class="source">{escape(source_of(line))}</span>'
            '</button>')
    return (f'<section class="code"><h3>Code, as it ran</h3>'
            f'<p class="after">After line <b>{last + 1}</b> of {last + 1}</p>'
            f'<ol>{"".join(items)}</ol></section>')


def calls(room):
    if not room['calls']:
        return ''
    most = max(one['instructions'] or 0 for one in room['calls']) or 1
    items = ''.join(
        f'<li style="--depth:{one["depth"]};'
        f'--part:{100 * (one["instructions"] or 0) // most}%">'
        f'<span class="text">{escape(one["name"])}</span>'
        f'<span class="steps">{one["instructions"] or ""}</span>'
        for one in room['calls'])
    return (f'<section class="calls"><h3>Functions, as entered</h3>'
            f'<ol>{items}</ol><p>The numbers are instructions.</p></section>')


# ---- Stacks ------------------------------------------------------------------

def visited(room):
    """The addresses rsp has in a room."""
    return {room['before']['rsp'], room['after']['rsp'], *pointers(room)}


def structure(slot):
    """KTRAP_FRAME of "KTRAP_FRAME.Rip" and of "KTRAP_FRAME +28"."""
    found = re.match(r'([A-Z0-9_]+)[. ]', slot['name'])
    return found[1] if found else ''


def folds(stack, room):
    """Returns [(first, end)] of the runs of slots that are folded away.

    Slots that rsp points to, what the room wrote, and arguments stay; of a
    long run that one room wrote both ends do.
    """
    shown = visited(room) | {stack['pointer']}

    def kind(slot):
        if slot['address'] in shown or slot['name'].startswith('argument '):
            return None
        if slot['writer'] is None:
            return 'nobody'
        return slot['writer'], structure(slot)

    kinds = [kind(slot) for slot in stack['slots']]
    result, first = [], 0
    for end in range(1, len(kinds) + 1):
        if end < len(kinds) and kinds[end] == kinds[first]:
            continue
        if kinds[first] == 'nobody' and end - first >= FOLD:
            result.append((first, end))
        elif kinds[first] not in (None, 'nobody') and \
                end - first >= FOLD_WRITTEN:
            result.append((first + SHOWN_WRITTEN, end - SHOWN_WRITTEN))
        first = end
    return result


def slot_name(slot):
    name = escape(slot['name'])
    if structure(slot):
        name = name[len(structure(slot)):].lstrip('. ')
    return f'<span class="name">{name}</span>' if name else ''


def slot_row(slot, stack, room, rooms, tail):
    writer = slot['writer']
    classes = ['slot', f'w{rooms[writer]["room"]}' if writer is not None
               else 'nobody']
    by = 'there before'
    step = ''
    if writer is not None:
        by = f'room {rooms[writer]["room"]}'
        if slot['by']:
            by += f', {slot["by"]}'
        if slot['by'] == 'the processor':
            classes.append('cpu')
        if writer == room['index']:
            classes.append('here')
            if slot.get('step') is not None:
                step = f' data-step="{slot["step"]}"'
    if number(slot['address']) < number(stack['pointer']):
        classes.append('free')
    letter = rooms[writer]['room'] if writer is not None else '·'
    text = title = ''
    if slot['text']:
        text = f'<span class="text">{escape(slot["text"])}</span>'
        title = f' title="{escape(slot["text"])}"'
    return (f'<tr class="{" ".join(classes)}"{step}'
            f' data-address="{slot["address"]}">'
            f'<td class="arrow">{arrow(stack, slot["address"])}'
            f'<td class="by" title="{escape(by)}">{letter}'
            f'<th scope="row">{digits(slot["address"])[-tail:]}'
            f'<td class="what"{title}><div>{slot_name(slot)}{text}</div>'
            f'<span class="value">{number_span(slot["value"])}</span>')


def arrow(stack, address):
    if address != stack['pointer']:
        return ''
    if stack['current']:
        return '<b>rsp</b>'
    return '<b class="waiting" title="where rsp will be again">rsp</b>'


def fold_row(slots):
    names = [structure(slot) for slot in slots]
    of = f' of {names[0]}' if names[0] and len(set(names)) == 1 else ''
    ends = ' to '.join(slot['name'][len(structure(slot)):].lstrip('. ')
                       for slot in (slots[0], slots[-1]) if slot['name'])
    span = f'<span class="span">{escape(ends)}</span>' if ends else ''
    return (f'<tbody class="fold"><tr><td colspan="4">'
            f'<button type="button" aria-expanded="false">'
            f'{len(slots)} slots{escape(of)}{span}</button>')


def edge_row(stack, address, words):
    return (f'<tbody><tr class="edge" data-address="{address}">'
            f'<td class="arrow">{arrow(stack, address)}'
            f'<td colspan="3">{words} <code>{digits(address)}</code>')


def structure_row(slots, index):
    """A line with the structure's name above its highest slot."""
    name = structure(slots[index])
    if not name or index and structure(slots[index - 1]) == name:
        return ''
    return f'<tr class="of"><td colspan="2"><td colspan="2">{name}'


def stack_table(which, stack, room, rooms):
    slots = stack['slots']
    tail = 4
    while len({slot['address'][:-tail] for slot in slots}) > 1:
        tail += 1
    parts, begin = [edge_row(stack, stack['top'], 'top,')], 0

    def shown(first, end, kind='run'):
        if first < end:
            parts.append(f'<tbody class="{kind}">' + ''.join(
                structure_row(slots, index)
                + slot_row(slots[index], stack, room, rooms, tail)
                for index in range(first, end)))

    for first, end in folds(stack, room):
        shown(begin, first)
        parts.append(fold_row(slots[first:end]))
        shown(first, end, 'run folded')
        begin = end
    shown(begin, len(slots))
    known = {slot['address'] for slot in slots} | {stack['top']}
    if stack['pointer'] not in known:
        parts.append(edge_row(stack, stack['pointer'], 'below,'))
    state = 'in use' if stack['current'] else 'waiting'
    return (f'<div class="stack{" current" if stack["current"] else ""}"'
            f' data-stack="{which}"><table>'
            f'<caption>The {which} stack <span>{state}</span></caption>'
            f'<colgroup><col><col><col><col></colgroup>{"".join(parts)}'
            f'</table></div>')


def stacks(room, rooms):
    pictures = ''.join(stack_table(which, stack, room, rooms)
                       for which, stack in room['stacks'].items() if stack)
    return (f'<section class="stacks"><h3>The stacks</h3>'
            f'<div class="pair">{pictures}</div></section>')


# ---- The page ----------------------------------------------------------------

def ids(rooms):
    """room-3 is the first visit of room 3, room-3-2 the second."""
    visits, result = {}, []
    for room in rooms:
        visit = visits[room['room']] = visits.get(room['room'], 0) + 1
        result.append(f'room-{room["room"]}'
                      + (f'-{visit}' if visit > 1 else ''))
    return result


def section(room, rooms, name):
    return (f'<section class="room w{room["room"]}" id="{name}"'
            f' aria-labelledby="{name}-title">'
            f'<header><h2 id="{name}-title"><span class="badge">'
            f'<span class="unseen">Room </span>{room["room"]}</span> '
            f'{escape(room["title"])}</h2>'
            f'<p class="crossing">{crossing(room)}</p>{where_of(room)}'
            f'<p class="summary">{escape(room["summary"])}</p></header>'
            f'<div class="picture"><div class="did">{calls(room)}{code(room)}'
            f'{decided(room)}</div>{registers(room)}{stacks(room, rooms)}'
            f'</div></section>\n')


def tile(room, name):
    ring_ = 3 if room['room'] in IN_RING_3 else 0
    return (f'<li class="w{room["room"]} ring{ring_}">'
            f'<a href="#{name}" title="{escape(room["title"])}">'
            f'<b>{room["room"]}</b>'
            f'<span>{escape(room["title"])}</span>'
            f'<span class="unseen">, ring {ring_}</span></a>')


def facts(walk):
    machine = ', '.join((walk['firmware'], walk['loader'],
                         CPUS.get(walk['cpu'], walk['cpu'])))
    return ''.join(
        f'<div><dt>{name}<dd>{escape(value)}</div>' for name, value in (
            ('service', f'{number(walk["number"]):02X}h'),
            ('program', f'{walk["process"]["name"]}, process'
                        f' {walk["process"]["pid"]}, thread'
                        f' {walk["thread"]["tid"]}'),
            ('machine', machine),
            ('way', way(walk))))


def way(walk):
    rooms = count(len(walk['rooms']), 'room')
    if walk['instructions'] is None:
        return rooms
    return f'{count(walk["instructions"], "instruction")}, {rooms}'


def equation(walk):
    arguments = ', '.join(
        f'<span>{escape(one["name"])} = {number(one["value"]):x}</span>'
        for one in walk['arguments'])
    return (f'<code>{escape(walk["call"])}({arguments})</code>'
            f' <span aria-label="returns">→</span>'
            f' <code>{number(walk["status"]):08X}</code>'
            f' {escape(walk["status_name"])}')


def embedded(rooms, names):
    """What the script needs, as JSON that cannot end its element."""
    data = [{'id': name, 'room': room['room'], 'title': room['title'],
             'before': rows(room, room['before']), 'steps': steps(room),
             'rsp': pointers(room)}
            for room, name in zip(rooms, names)]
    return json.dumps(data, separators=(',', ':')).replace('<', '\\u003c')


def page(walk):
    """Returns the page of a walk."""
    rooms, names = walk['rooms'], ids(walk['rooms'])
    apc = ', with a user APC on the way back' if walk['apc'] else ''
    places = {
        'TITLE': f'{walk["call"]} by {DOORS[walk["door"]]}{apc}',
        'CALL': escape(walk['call']),
        'WAY': f'by {DOORS[walk["door"]]}{apc}',
        'EQUATION': equation(walk),
        'FACTS': facts(walk),
        'MANY': ' class="many"' if len(rooms) > MANY else '',
        'TILES': ''.join(map(tile, rooms, names)),
        'ROOMS': ''.join(section(room, rooms, name)
                         for room, name in zip(rooms, names)),
        'DATA': embedded(rooms, names),
    }
    places['TITLE'] = escape(places['TITLE'])
    with open(TEMPLATE, encoding='utf-8') as template:
        return re.sub('@([A-Z]+)@', lambda place: places[place[1]],
                      template.read())


def write(walk, folder):
    """Writes folder/walk.json and folder/index.html."""
    complaint = walkschema.first_complaint(walk)
    if complaint:
        raise Usage(f'not a walk: {complaint}')
    text = page(walk)
    try:
        os.makedirs(folder, exist_ok=True)
        for name, content in (
                ('walk.json', json.dumps(walk, indent=1) + '\n'),
                ('index.html', text)):
            with open(os.path.join(folder, name), 'w',
                      encoding='utf-8') as file:
                file.write(content)
    except OSError as error:
        raise Usage(f'{error.filename}: {error.strerror}') from None


def read(path):
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file)
    except OSError as error:
        raise Usage(f'{path}: {error.strerror}') from None
    except ValueError as error:
        raise Usage(f'{path}: no JSON: {error}') from None


def main(words):
    if len(words) != 2:
        raise Usage('usage: walkpage.py WALK.JSON FOLDER')
    write(read(words[0]), words[1])


if __name__ == '__main__':
    try:
        main(sys.argv[1:])
    except Usage as error:
        sys.exit(f'walkpage: {error}')

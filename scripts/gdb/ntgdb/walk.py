"""walk.py: nt walk, a system call room by room.

follow.py makes the walk; here it is printed, and becomes walk.json.
"""
import json
import os
import textwrap

import gdb

from ntwalk.walk import counts

from . import explain, headers, kernel, machine, modules
from .command import Command, Wrong, say
from .follow import BASES, DOORS, GENERAL, SELECTORS, STATE, Walk
from .rooms import PROGRAM, STUB, TITLES, routine_at

WIDTH = 79
SCHEMA = 1
KINDS = {**{name: 'register' for name in GENERAL},
         **{name: 'selector' for name in SELECTORS},
         **{name: 'gs' for name in BASES}, 'cr3': 'cr3', 'cr8': 'irql',
         'rflags': 'flag'}


def title(walk, room):
    if room.number == STUB and room.back:
        return 'Back in the stub'
    return TITLES[room.number]


def changes(walk, room):
    """Returns what is different at the room's end, as walk.json has it."""
    rows = []
    for name in [*GENERAL, *SELECTORS, *BASES, 'cr3', 'cr8']:
        before, after = room.before[name], room.after[name]
        if before != after:
            rows.append({'kind': 'stack' if name == 'rsp' else KINDS[name],
                         'what': name, 'before': number(name, before),
                         'after': number(name, after),
                         'role': room.roles.get(name) or
                         role_of_base(walk, name, after)})
    different = room.before['rflags'] ^ room.after['rflags']
    for bit, name in explain.FLAG_NAMES.items():
        if different >> bit & 1 and name in explain.SYSTEM_FLAGS:
            rows.append({'kind': 'flag', 'what': name,
                         'before': str(room.before['rflags'] >> bit & 1),
                         'after': str(room.after['rflags'] >> bit & 1),
                         'role': explain.SYSTEM_FLAGS[name]})
    return rows


def role_of_base(walk, name, value):
    if name in ('gs_base', 'k_gs_base'):
        return 'KPCR' if value >> 63 else 'TEB'
    if name == 'cr8':
        return explain.IRQLS.get(value, 'IRQL')
    return ''


def number(name, value):
    return f'{value:#06x}' if name in SELECTORS else f'{value:#018x}'


# ---- printed


def show(walk):
    """Prints the walk in less than two screens."""
    call = walk.call
    arguments = ', '.join(f'{value:x}' for value in call.arguments)
    say(f'{walk.name}({arguments}) by {walk.door}, number {call.number:x}: '
        f'{kernel.image_name(walk.process)}, pid {kernel.pid(walk.process):x},'
        f' thread {walk.thread:x}')
    for room in walk.rooms:
        show_room(walk, room)
    status = returned(walk)
    say(f'    rax {status:x} ({status_name(status) or "what it returned"})')


def show_room(walk, room):
    rings = {0: 'ring 0', 3: 'ring 3'}
    before, after = room.before['cs'] & 3, room.after['cs'] & 3
    ring = rings[before] if before == after else \
        f'{rings[before]} -> {rings[after]}'
    steps = f'{room.steps} instruction{"s" * (room.steps != 1)}' \
        if room.stepped else 'not stepped to its end'
    say(f'{room.number or "-"} {title(walk, room)}: '
        f'{walk.house.name_of(room.before["rip"])}  '
        f'[{room.place.file or room.place.module}]  {steps}, {ring}')
    for row in room.decided:
        say(textwrap.fill(
            f'{row["name"]} = {int(row["value"], 16):x}: {row["meaning"]}',
            WIDTH, initial_indent='    ', subsequent_indent='      ',
            break_long_words=False, break_on_hyphens=False))
    words = [change_text(row) for row in changes(walk, room)
             if row['role'] or row['kind'] != 'register']
    for line in wrapped(words):
        say(f'    {line}')


def change_text(row):
    before, after = (value if row['kind'] == 'flag' else f'{int(value, 16):x}'
                     for value in (row['before'], row['after']))
    role = f' ({row["role"]})' if row['role'] else ''
    if row['kind'] == 'register':
        return f'{row["what"]} {after}{role}'
    return f'{row["what"]} {before} -> {after}{role}'


def wrapped(words):
    """Yields lines of words that belong together, separated by ; ."""
    line = ''
    for word in words:
        if line and len(line) + len(word) + 6 > WIDTH:
            yield line + ';'
            line = ''
        line += ('; ' if line else '') + word
    if line:
        yield line


# ---- as data


def as_data(walk):
    """Returns walk.json, schema 1 (docs/walk.md)."""
    block = kernel.variable('loader_block')
    call, status = walk.call, returned(walk)
    steps = [room.steps for room in walk.rooms if room.number != PROGRAM]
    return {
        'schema': SCHEMA, 'call': walk.name, 'door': walk.door,
        'apc': walk.apc_seen, 'firmware': block['firmware'].string(),
        'loader': block['loader_name'].string(), 'cpu': vendor(),
        'process': {'name': kernel.image_name(walk.process),
                    'pid': kernel.pid(walk.process)},
        'thread': {'tid': kernel.tid(walk.thread_value),
                   'address': f'{walk.thread:#018x}'},
        'number': f'{call.number:#018x}',
        'arguments': [{'name': name, 'value': f'{value:#018x}'}
                      for name, value in zip(parameters(walk),
                                             call.arguments)],
        'status': f'{status:#018x}', 'status_name': status_name(status),
        'instructions': sum(steps) if all(room.stepped for room in walk.rooms)
        else None,
        'rooms': [room_data(walk, room) for room in walk.rooms],
    }


def room_data(walk, room):
    return {
        'index': room.index, 'room': room.number,
        'title': title(walk, room), 'file': room.place.file,
        'symbol': f'{room.place.module}!{room.place.symbol}',
        'ring': room.after['cs'] & 3, 'summary': explain.summary(walk, room),
        'instructions': room.steps if room.stepped else None,
        'before': state_data(room.before), 'after': state_data(room.after),
        'changes': changes(walk, room), 'roles': room.roles,
        'decided': room.decided, 'calls': room.calls,
        'code': [line_data(line) for line in room.code],
        'stacks': room.stacks,
    }


def line_data(line):
    return {**line, 'changed': {name: number(name, value) for name, value in
                                line['changed'].items()}}


def state_data(values):
    return {name: number(name, values[name])
            for name in [*STATE, 'rflags']}


def parameters(walk):
    """Returns the names of the service's parameters."""
    block = routine_at(walk.call.routine)
    names = [one.name for one in block if one.is_argument] if block else []
    return names + [f'argument {index + 1}'
                    for index in range(len(names), walk.count)]


def vendor():
    return 'amd' if int(kernel.prcb()['CpuVendor']) == 1 else 'intel'


def returned(walk):
    return walk.rooms[-1].after['rax'] & 0xFFFFFFFF


def status_name(status):
    """Returns STATUS_..., or ''."""
    return next(iter(headers.names(headers.STATUSES, status, 'STATUS_')), '')


class WalkCommand(Command):
    name = 'walk'
    usage = 'CALL [DOOR] [apc] [> FILE]'
    summary = 'run to the next call of a service and follow it room by room'
    help = ('CALL is a service\'s name (NtClose); DOOR is syscall, int2e or '
            'sysenter. The\nwalk ends where the call returns to. apc: a user '
            'APC that is queued to the\nthread runs on the way back, also if '
            'the service is not alertable. > FILE also\nwrites walk.json '
            '(docs/walk.md). docs/path.md tells such a walk in prose.')
    fewest, most = 1, 5

    def run(self, words):
        machine.connection()
        target = None
        if '>' in words:
            at = words.index('>')
            if at != len(words) - 2:
                raise Wrong('> wants one file, at the end')
            words, target = words[:at], words[-1]
            folder = os.path.dirname(os.path.abspath(target))
            if not os.access(folder, os.W_OK) or os.path.isdir(target):
                raise Wrong(f'{target}: no file can be written there')
        apc = 'apc' in words[1:]
        doors = [word for word in words[1:] if word != 'apc']
        if len(doors) > 1:
            raise Wrong(f'usage: nt {self.name} {self.usage}')
        walk = Walk(words[0], *doors, apc=apc) if doors else \
            Walk(words[0], apc=apc)
        try:
            walk.follow()
        except (gdb.error, Wrong):
            if gdb.selected_inferior().pid:
                raise
            raise Wrong('the machine ended before the call '
                        'came back') from None
        show(walk)
        if target and not walk.wide:
            raise Wrong('a file shows 64-bit code only')
        if target:
            try:
                with open(target, 'w', encoding='utf-8') as file:
                    json.dump(as_data(walk), file, indent=1)
            except OSError as error:
                raise Wrong(f'{target}: {error.strerror}') from None

    def choices(self, words):
        if words:
            return [*DOORS, 'apc']
        return list(counts(modules.build()))


COMMANDS = (WalkCommand,)

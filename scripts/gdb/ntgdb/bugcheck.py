"""bugcheck.py: nt analyze: why the machine has stopped.

The code and its parameters are in KiBugCheckData; the usual reasons in the
table of docs/debugging.md.
"""
import os
import re

import gdb

from . import headers, kernel, machine, modules, stack, threads, unwind
from .command import Command, Wrong, say

PAGE = 'docs/debugging.md'
ROW = re.compile(r'^\| ([0-9A-F, ]+) \| (.+) \|$', re.M)
# What the parameters are; None: not used here.
PARAMETERS = {
    0x0A: ('the address', 'the IRQL, FF with interrupts off',
           'what: 0 reading, 1 writing, 8 executing', 'the instruction'),
    0x18: ('the type\'s index as it is stored', 'the object'),
    0x1E: ('the exception\'s code', 'the instruction',
           'its first parameter', 'its second parameter'),
    0x3B: ('the exception\'s code', 'the instruction', 'the CONTEXT or trap '
           'frame'),
    0x4A: ('the service\'s caller in ring 3', 'the IRQL', None,
           'the trap frame + 80h'),
    0x01: ('the service\'s caller in ring 3', 'ApcStateIndex',
           'CombinedApcDisable', 'the trap frame + 80h'),
    0x50: ('the address', 'what: 0 reading, 2 writing, 10 executing',
           'the instruction', 'how far the page tables go: 2 not even a '
           'page table'),
    0x7F: ('the vector', 'the trap frame', 'rsp then', 'rip then'),
    0xBE: ('the address', 'its PTE', 'the trap frame'),
    0xC2: ('what is wrong with the call: 6, 7 freed already', 'the memory'),
    0xE2: ('the line of the ASSERT',),
    0xFC: ('the address', 'its PTE', 'the trap frame'),
    0x139: ('the reason of INT 29h', 'the trap frame', 'the exception'),
}


def at_entry():
    """Returns code and parameters while KeBugCheckEx has done nothing yet."""
    start = modules.address_of(modules.KERNEL, 'KeBugCheckEx')
    if machine.register('rip') != start:
        return None
    fifth = machine.quad(machine.register('rsp') + 0x28)
    return [machine.register(name) for name in ('rcx', 'rdx', 'r8', 'r9')] + \
        [fifth]


def data():
    """Returns [code, four parameters], or raises Wrong."""
    found = at_entry()
    if found is None:
        value = kernel.variable('KiBugCheckData')
        found = [kernel.number(value[index]) for index in range(5)]
    if not found[0] & 0xFFFFFFFF:
        raise Wrong('no bugcheck has happened; stop at one with '
                    '"thbreak KeBugCheckEx"')
    return [found[0] & 0xFFFFFFFF, *found[1:]]


def name_of(code):
    names = headers.names(headers.STATUSES, code, cast='')
    return names[0] if names else 'UNKNOWN'


def reason(code):
    """Returns the usual reason, from the page's table."""
    with open(os.path.join(headers.ROOT, PAGE), encoding='utf-8') as file:
        rows = ROW.findall(file.read())
    for codes, words in rows:
        if any(int(one, 16) == code for one in codes.split(', ')):
            return words.replace('`', '')
    return None


def parameter(value):
    """Returns a value's name, where it has one."""
    return modules.stack_text(value) if value >= modules.KERNEL_FIRST else ''


def trapped():
    """Returns the first trap frame behind KeBugCheckEx, or None."""
    for frame in stack.walk():
        if int(frame.pc()) == unwind.TRAPPED_PC:
            return stack.trap_frame_of(frame)
    return None


class Analyze(Command):
    name = 'analyze'
    windbg = '!analyze -v'
    usage = '[-v]'
    summary = 'why the machine has stopped: code, parameters, trap, stack'
    help = 'Stop at a bugcheck with "thbreak KeBugCheckEx" before it happens.'
    most = 1

    def run(self, words):
        if words and words[0] != '-v':
            raise Wrong(f'usage: nt {self.name} {self.usage}')
        code, *values = data()
        say('*' * 79)
        say(f'{name_of(code)} ({code:x})')
        if words := reason(code):
            say(f'Usual reason: {words}.')
        say('Arguments:')
        meanings = PARAMETERS.get(code, ())
        for index, value in enumerate(values):
            meaning = meanings[index] if index < len(meanings) else None
            say(f'Arg{index + 1}: {value:016x}  {meaning or "not used"}'
                f'{"  " + parameter(value) if parameter(value) else ""}')
        say()
        owner = kernel.process()
        say(f'PROCESS_NAME:  {kernel.image_name(owner)}  (pid '
            f'{kernel.pid(owner):x})')
        say(f'CURRENT_IRQL:  {machine.register("cr8"):x}')
        say('CURRENT_THREAD:')
        threads.show_line(kernel.thread(), '  ')
        if where := trapped():
            say('\nTRAP_FRAME:')
            try:
                stack.show_trap(where)
            except (Wrong, gdb.error) as error:
                say(str(error))
        say('\nSTACK_TEXT:')
        stack.show_stack()
        say(f'\nSee {PAGE}, "A bugcheck".')

    def choices(self, words):
        return [] if words else ['-v']


COMMANDS = (Analyze,)

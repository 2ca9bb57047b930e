"""descriptors.py: nt idt, gdt, tss: the tables that the processor reads.

Where they are is asked of the processor (GDTR, IDTR, TR), not of the KPCR.
"""
import re
import struct
from typing import NamedTuple

from . import expression, headers, kernel, machine, modules
from .command import Command, Wrong, say

UNEXPECTED = 'ki_unexpected_'           # gates of vectors nobody expects
TSS_SIZE = 0x68
ISTS = 7

# SDM: 3A, 3.5: types of system descriptors, those of 64-bit mode.
SYSTEM_TYPES = {0x2: 'LDT', 0x9: 'TSS64 Av', 0xB: 'TSS64 Bu',
                0xC: 'Call64', 0xE: 'Int64', 0xF: 'Trap64'}


def table_register(name):
    """Returns (base, limit) of the GDT or the IDT."""
    base, limit = machine.hidden_registers()[name]
    if base < modules.KERNEL_FIRST:
        raise Wrong(f'the kernel has not loaded its {name.upper()} yet')
    return base, limit


# ---- the IDT


class Gate(NamedTuple):
    vector: int
    target: int
    selector: int
    ist: int
    type: int
    dpl: int
    present: int

    @property
    def name(self):
        return modules.name_of(self.target) or ''


def gates():
    """Returns the base and the Gates of the IDT."""
    base, limit = table_register('idt')
    result = []
    data = machine.read(base, (limit + 1) // 16 * 16)
    for vector, (low, selector, flags, middle, high, _) in \
            enumerate(struct.iter_unpack('<HHHHII', data)):
        result.append(Gate(vector, high << 32 | middle << 16 | low, selector,
                           flags & 7, flags >> 8 & 15, flags >> 13 & 3,
                           flags >> 15))
    return base, limit, result


class Idt(Command):
    name = 'idt'
    windbg = '!idt'
    usage = '[-a | VECTOR]'
    summary = 'the interrupt gates: handler, DPL, IST'
    help = ('Without a word: those that have a handler of their own. -a: all '
            '256.\nVECTOR is hexadecimal: nt idt e.')
    most = 1

    def run(self, words):
        base, limit, rows = gates()
        if words and words[0] != '-a':
            vector = expression.value(words[0])
            if vector >= len(rows):
                raise Wrong(f'vectors go from 0 to {len(rows) - 1:x}')
            shown = [rows[vector]]
        else:
            shown = [gate for gate in rows if words or gate.dpl or
                     not gate.name.startswith(f'nt!{UNEXPECTED}')]
        say(f'Dumping IDT: {base:016x} limit {limit:04x}')
        stacks = ists(tss()[2])
        for gate in shown:
            self.show(gate, stacks)

    def show(self, gate, stacks):
        stack = f'  IST {gate.ist} = {stacks[gate.ist]:016x}' \
            if gate.ist else ''
        say(f'{gate.vector:02x}: {gate.target:016x} {gate.name:<31} '
            f'{gate.selector:04x} '
            f'{SYSTEM_TYPES.get(gate.type, f"type {gate.type:x}")} '
            f'DPL {gate.dpl}{"" if gate.present else " not present"}{stack}')

    def choices(self, words):
        return [] if words else ['-a']


# ---- the GDT


class Descriptor(NamedTuple):
    selector: int
    base: int
    limit: int
    access: int                         # type, S, DPL, P
    flags: int                          # AVL, L, D, G

    @property
    def is_system(self):
        return not self.access & 0x10

    @property
    def type(self):
        if self.is_system:
            return SYSTEM_TYPES.get(self.access & 15,
                                    f'type {self.access & 15:x}')
        code, both = self.access & 8, self.access & 2
        kind = ('Code R' + 'E' * bool(both)) if code else \
            ('Data R' + ('W' if both else 'O'))
        if code:
            kind = 'Code ' + ('RE' if both else 'EO')
        return kind + (' Ac' if self.access & 1 else '')

    @property
    def dpl(self):
        return self.access >> 5 & 3


def descriptor(selector, data):
    """Returns the Descriptor in 16 bytes; of these a system one takes all."""
    low, upper = struct.unpack('<QI', data[:12])
    base = low >> 16 & 0xFFFFFF | low >> 56 << 24
    limit = low & 0xFFFF | low >> 32 & 0xF0000
    flags = low >> 52 & 15
    if flags & 8:
        limit = limit << 12 | 0xFFF
    access = low >> 40 & 255
    if access & 0x80 and not access & 0x10:
        base |= upper << 32
    return Descriptor(selector, base, limit, access, flags)


def descriptors():
    """Returns the base, the limit and the Descriptors of the GDT."""
    base, limit = table_register('gdt')
    data = machine.read(base, limit + 1) + bytes(8)
    result, at = [], 0
    while at < limit:
        found = descriptor(at, data[at:at + 16])
        result.append(found)
        at += 16 if found.access & 0x80 and found.is_system else 8
    return base, limit, result


def selector_name(selector):
    found = [name for name in headers.names(headers.DESCRIPTORS, selector)
             if name.startswith('KGDT') and name != 'KGDT64_LAST']
    return found[0] if found else ''


class Gdt(Command):
    name = 'gdt'
    windbg = 'dg'
    usage = '[SELECTOR]'
    summary = 'the segment descriptors: base, limit, type, ring'
    help = ('Pl: ring. Si: size of operands, of 64-bit code nothing. Gr: '
            'limit in pages or\nbytes. Pr: present. Lo: 64-bit code. A TSS '
            'takes two places. KGDT_R0_PCR\'s\nlimit is the processor\'s '
            'number; KGDT_R3_TEB\'s base is fs in 32-bit code.')
    most = 1

    def run(self, words):
        base, limit, rows = descriptors()
        if words:
            wanted = expression.value(words[0]) & ~7
            rows = [row for row in rows if row.selector == wanted]
            if not rows:
                raise Wrong(f'no descriptor {wanted:04x}, the limit is '
                            f'{limit:04x}')
        say(f'GDT: {base:016x} limit {limit:04x}')
        say('                                                    '
            'P Si Gr Pr Lo')
        say('Sel        Base              Limit          Type    '
            'l ze an es ng Flags')
        say('---- ---------------- ---------------- ---------- '
            '- -- -- -- -- --------')
        for row in rows:
            self.show(row)

    def show(self, row):
        words = ('Bg' if row.flags & 4 else 'Nb',
                 'Pg' if row.flags & 8 else 'By',
                 'P ' if row.access & 0x80 else 'Np',
                 'Lo' if row.flags & 2 else 'Nl')
        kind = row.type if row.access else '<Reserved>'
        say(f'{row.selector:04x} {row.base:016x} {row.limit:016x} '
            f'{kind:<10} {row.dpl} {" ".join(words)} '
            f'{row.flags << 12 | row.access:08x} '
            f'{selector_name(row.selector)}'.rstrip())


# ---- the TSS


def tss():
    """Returns selector, base and bytes of the task-state segment."""
    selector, base, limit = machine.hidden_registers()['tr'][:3]
    if base < modules.KERNEL_FIRST or limit < TSS_SIZE - 1:
        raise Wrong('the kernel has not loaded its TSS yet')
    return selector, base, machine.read(base, TSS_SIZE)


def ists(data):
    """Returns the stacks of the TSS by number, [0] is nothing."""
    return [0, *struct.unpack_from(f'<{ISTS}Q', data, 0x24)]


def stack_name(top):
    """Returns the name of a stack of the image that ends there."""
    names = modules.table(modules.kernel_path()).names_at(top)
    found = [name for name in names if 'stack' in name]
    if found:
        return f'nt!{found[0]}'
    for owner in kernel.processes():
        for thread in kernel.threads(owner):
            if kernel.number(thread['Tcb']['InitialStack']) == top:
                return (f'kernel stack of thread '
                        f'{kernel.pid(owner):x}.{kernel.tid(thread):x} '
                        f'{kernel.image_name(owner)}')
    return modules.stack_text(top)


class Tss(Command):
    name = 'tss'
    windbg = '!tss'
    summary = 'the stacks that gates switch to'
    help = ('Rsp0 is for every gate and every thread: the context switch '
            'writes it. The IST\nstacks are for vectors that can come at any '
            'instruction.')
    most = 0

    def run(self, words):
        selector, base, data = tss()
        rsp0, = struct.unpack_from('<Q', data, 4)
        ports, = struct.unpack_from('<H', data, 0x66)
        say(f'TSS: {base:016x} selector {selector:04x}')
        say(f'   Rsp0      : {rsp0:016x} {stack_name(rsp0)}')
        users = gates()[2]
        for number, top in enumerate(ists(data)):
            if top:
                uses = ', '.join(
                    f'{gate.vector:02x} {re.sub("^nt!", "", gate.name)}'
                    for gate in users if gate.ist == number)
                say(f'   Ist[{number}]    : {top:016x} {stack_name(top)}: '
                    f'{uses}')
        say(f'   IoMapBase : {ports:04x}' +
            (', beyond the limit: no ports for ring 3'
             if ports >= TSS_SIZE else ''))


COMMANDS = (Idt, Gdt, Tss)

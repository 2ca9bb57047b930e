"""stepper.py: one instruction of one thread at a time.

A step tells what it wrote to memory, as far as the instruction's text says so;
what a step cannot tell (XSAVE, FXSAVE) the walk finds by comparing.
A page fault on the way is not part of the walk: the thread is run until it is
back at the instruction, or where the kernel's table of fixups sends it.
"""
import re

import gdb

from . import kernel, machine
from .command import Wrong

SIZES = {'BYTE': 1, 'WORD': 2, 'DWORD': 4, 'QWORD': 8, 'XMMWORD': 16,
         'YMMWORD': 32}
TARGET = re.compile(r'^(\w+) PTR (?:([d-g]s):)?\[([^\]]+)\]')
TERM = re.compile(r'([+-]?)([^+-]+)')
READS = {'cmp', 'test', 'call', 'jmp', 'bt', 'push', 'ldmxcsr', 'div', 'idiv',
         'mul', 'imul', 'prefetchw', 'nop', 'lgdt', 'lidt', 'invlpg', 'ltr',
         'comisd', 'ucomisd'}
MOST_REPEATS = 1 << 20
GATES, GATE = 256, 16            # of the IDT: how many, bytes each


class Instruction:
    """What an address holds; text in Intel's syntax."""

    def __init__(self, address):
        frame = gdb.newest_frame()
        found = frame.architecture().disassemble(address)[0]
        self.address, self.length = address, found['length']
        text = found['asm'].partition('#')[0].strip()
        text = re.sub(r'0x[0-9a-f]+ <([^>]+)>', r'\1', text)
        self.text = re.sub(r'\s+', ' ', text)
        words = self.text.split(' ', 1)
        self.prefix = ''
        if words[0] in ('rep', 'repz', 'lock', 'repnz', 'ds', 'cs', 'bnd'):
            self.prefix = words[0]
            words = (words + [''])[1].split(' ', 1)
        self.name = words[0]
        self.operands = words[1] if len(words) > 1 else ''
        self.bytes = machine.read(address, self.length).hex()
        line = gdb.find_pc_line(address)
        self.line = line.line if line.symtab else None
        self.file = line.symtab.filename if line.symtab else ''


class Stepper:
    """Follows the thread that runs now."""

    def __init__(self):
        self.thread = kernel.address(kernel.thread())
        self.known = {}
        self.gates = gates()
        self.faults = 0

    def at(self, address):
        if address not in self.known:
            self.known[address] = Instruction(address)
        return self.known[address]

    def step(self):
        """Runs one instruction; returns (Instruction, writes).

        writes: (address, size, how) tuples; how is 'push', 'call', 'int' or
        'mov'.
        """
        before, rsp = machine.register('rip'), machine.register('rsp')
        one = self.at(before)
        target = self.target(one)
        ring = machine.ring()
        for _ in range(MOST_REPEATS):
            machine.quietly('stepi')
            now = machine.register('rip')
            if now in self.gates and one.name not in ('int', 'int3'):
                self.faults += 1
                if self.run_to(before, rsp, *fixup(before)) != before:
                    return one, []
            elif now != before:
                return one, self.writes(one, target, ring, rsp)
        raise Wrong(f'{before:x} does not go on')

    def target(self, one):
        """Returns (address, size) of the memory an instruction will write."""
        if one.name in READS or one.name.startswith('set') and \
                '[' not in one.operands:
            return None
        if one.prefix == 'rep':
            return machine.register('rdi'), 0
        found = TARGET.match(one.operands)
        if not found or found[2] in ('fs', 'gs') or found[1] not in SIZES:
            return None
        return self.evaluate(found[3]), SIZES[found[1]]

    @staticmethod
    def evaluate(text):
        total = 0
        for sign, term in TERM.findall(text):
            name, _, scale = term.partition('*')
            value = int(name, 16) if name.startswith('0x') else \
                machine.register(name)
            value *= int(scale or '1', 0)
            total += -value if sign == '-' else value
        return total & 0xFFFFFFFFFFFFFFFF

    @staticmethod
    def writes(one, target, ring, rsp_before):
        rsp = machine.register('rsp')
        if one.name == 'int':
            count = 40 if ring == 3 else rsp_before - rsp
            return [(rsp, count, 'int')]
        if one.name in ('push', 'call', 'pushf', 'pushfq'):
            return [(rsp, rsp_before - rsp,
                     'call' if one.name == 'call' else 'push')]
        if target is None:
            return []
        start, size = target
        if one.prefix == 'rep':
            end = machine.register('rdi')
            start, size = min(start, end), abs(end - start)
        return [(start, size, 'mov')] if size else []

    def run_to(self, address, rsp, *others):
        """Runs the machine until this thread is at an address with rsp, or
        at one of the others; returns which.
        """
        stops = [gdb.Breakpoint(f'*{one:#x}', gdb.BP_HARDWARE_BREAKPOINT,
                                internal=True) for one in (address, *others)]
        for stop in stops:
            stop.silent = True
        try:
            while True:
                machine.quietly('continue')
                at = machine.register('rip')
                if at not in (address, *others):
                    raise Wrong(f'stopped elsewhere: {at:x}')
                if machine.register('rsp') == rsp and \
                        kernel.address(kernel.thread()) == self.thread:
                    return at
        finally:
            for stop in stops:
                stop.delete()


def fixup(address):
    """Returns [where a fault at an address leads], or [] (ki_fixups)."""
    start, end = (kernel.address(kernel.variable(name)) for name in
                  ('ki_fixups', 'ki_fixups_end'))
    words = kernel.words(machine.read(start, end - start))
    return [target for first, last, target in
            zip(words[::3], words[1::3], words[2::3])
            if first <= address < last]


def gates():
    """Returns the addresses that the IDT's gates lead to."""
    return {gate_target(low, high) for low, high in
            zip(*[iter(gate_words(0, GATES))] * 2)}


def gate_words(first, count):
    base = kernel.number(kernel.pcr()['IdtBase'])
    return kernel.words(machine.read(base + first * GATE, count * GATE))


def gate_target(low, high):
    return (low & 0xFFFF | low >> 32 & 0xFFFF0000 |
            (high & 0xFFFFFFFF) << 32)

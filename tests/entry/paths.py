#!/usr/bin/env python3
"""paths.py: walks every path through the entry code, and says what is wrong.

usage: paths.py [ntoskrnl.elf]

From every entry (entries.py) to every SYSRET, SYSEXIT, IRET and return to C,
along both sides of every branch, with what is known of the machine:

    gs      user | kernel | ring (the saved CS will tell) | told (it has, the
            user's) | unfenced (swapped, or not, on its word: LFENCE must
            come first)
            | found (IST: nobody knows until MSR_GS_BASE is written)
    cr3     kernel | user | ring (the saved CS will tell) | found (IST: perhaps
            ring 3's, which map .kvas only) | only (there is no other) | same
            (on the way out: ring 3's are the kernel's)
    shadow  the way in was KVA shadow's, or not, or nobody knows
    flags   IF off | shadow (just behind STI) | on | None; DF, AC off or not
    bpb     'entered' or 'left': ki_enter_predictors, ki_leave_predictors were
            called; 'due': a shadow door has not called the first yet
    msr     'due': SPEC_CTRL must be written, 'told': and its copy has been;
            'barrier': PRED_CMD must be
    empty   VERW has run, or need not, and nothing was read since
    apc     the thread's user APCs were looked at and nothing can have come
    loaded  those of rbx, rsi, rdi that the frame has given, and nothing can
            have set them there since
    regs, mem   the few values that matter: addresses on a stack, the saved
            CS, return addresses, the gs base; "user" is what ring 3 left in
            a register

A branch on the saved CS splits what is known; any other goes both ways. An
instruction that this does not understand is a violation.

Taken as given: C keeps to its calling convention, comes back with gs, DF and
AC as they were, and leaves in the frames what decides where they lead: the
ring in CS, return addresses, the gs base and CR3 that an IST entry has found;
and that it says only of NMI's handler that the way back is without IRETQ.
"""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

sys.dont_write_bytecode = True

import entries                                              # noqa: E402
import image as images                                      # noqa: E402
from decode import GENERAL, JUMPS, OTHER, REGISTERS         # noqa: E402
from decode import Instruction, Mem                         # noqa: E402
from ntwalk.arguments import Parser, told                   # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
MSR_GS_BASE = 0xC0000101
FRAME_BIAS = 0x80                       # rbp - frame, as macros.inc has it
IF, DF, AC = 0x200, 0x400, 0x40000
HOME = 0x20                             # above a return address: the callee's
MOST_STATES = 512                       # of one instruction
NOT_MAPPED = 'ring 3\'s page tables may not have it'
FILLER = re.compile(r'(cs |data16 )*(nop\b.*|xchg ax,ax|int3|ud2)$')
CALL = re.compile(r'call ([0-9a-f]+) ')
VOLATILE = ('rax', 'rcx', 'rdx', 'r8', 'r9', 'r10', 'r11')
# Those of the user's that C keeps and a frame has.
KEPT = frozenset(('rbx', 'rsi', 'rdi'))
# Change flags and their first operand, of which nothing is known then.
ARITHMETIC = frozenset('add sub sbb or and xor shl shr sar inc dec'.split())
# Those that change a bit of it.
BITS = frozenset('btr bts'.split())
# Set flags for somebody to ask; change them, or nobody asks any more.
COMPARISONS = frozenset('cmp test bt btr'.split())
LEAVES = frozenset('jmp call ret iretq sysretq sysexitd popf'.split())
# Change their first operand only.
MOVES = frozenset('movzx movsxd lsl cmovne cmovae cmovb movaps pxor'.split())
READERS = frozenset('cmp test bt prefetchw ldmxcsr verw'.split())
FORGET_TEST = ARITHMETIC | BITS | {'cmp', 'test', 'bt'}
COMPUTE = ARITHMETIC | BITS | MOVES | READERS | {'stmxcsr'}
ASK_FLAGS = JUMPS - {'jmp'}
CHANGE_FLAGS = ARITHMETIC | BITS | COMPARISONS | LEAVES
MSR_SPEC_CTRL, MSR_PRED_CMD = ('const', 0x48), ('const', 0x49)
IBPB = ('const', 1)


class Violation(Exception):
    """What is wrong with the instruction at hand."""


class State:
    """What is known before an instruction."""

    __slots__ = ('gs', 'cr3', 'shadow', 'bpb', 'msr', 'empty', 'iff', 'df',
                 'ac', 'apc', 'loaded', 'flags', 'test', 'paranoid', 'regs',
                 'mem', 'entry', 'trail')

    def __init__(self, entry, gs, iff, df, ac):
        self.gs, self.iff, self.df, self.ac = gs, iff, df, ac
        self.cr3, self.shadow = 'kernel', None
        self.bpb, self.msr, self.empty = None, None, False
        self.apc = self.paranoid = False
        self.loaded = frozenset()
        # The flags have been 'set', by a comparison 'compared', a branch has
        # asked: 'used'; None: nobody here has set them.
        self.flags = None
        # What they tell: (slot, its value) of a ring test; ('below',
        # register) while carry says that it is below a table's limit; ('zero',
        # value) whether that is 0; (what,) is jump_on's.
        self.test = None
        self.regs = dict.fromkeys(GENERAL)
        self.mem = {}
        self.entry, self.trail = entry, ()

    def copy(self):
        other = State.__new__(State)
        for slot in State.__slots__:
            setattr(other, slot, getattr(self, slot))
        other.regs, other.mem = dict(self.regs), dict(self.mem)
        return other

    def key(self):
        return (self.gs, self.cr3, self.shadow, self.bpb, self.msr, self.empty,
                self.iff, self.df, self.ac, self.apc, self.loaded, self.flags,
                self.test, self.paranoid,
                tuple(self.regs.values()), frozenset(self.mem.items()))

    def interruptible(self):
        """An APC may come: a user APC, or a kernel's that sets a frame."""
        self.apc, self.loaded = False, frozenset()

    def push(self, value):
        self.stack()
        _, base, offset = self.regs['rsp']
        self.regs['rsp'] = ('addr', base, offset - 8)
        self.put((base, offset - 8), value)

    def pop(self):
        self.stack()
        _, base, offset = self.regs['rsp']
        self.regs['rsp'] = ('addr', base, offset + 8)
        return self.mem.get((base, offset))

    def put(self, slot, value):
        if value in (None, 'user'):     # what was the user's is not followed
            self.mem.pop(slot, None)
        else:
            self.mem[slot] = value

    def stack(self):
        if not is_stack(self.regs['rsp']):
            raise Violation('the stack is used before it is the kernel\'s')
        self.mapped(self.regs['rsp'])

    def mapped(self, value):
        if self.cr3 not in ('kernel', 'only', 'same') and not (
                is_stack(value) and value[1] in entries.SHARED_STACKS):
            raise Violation(f'{NOT_MAPPED}: cr3 is {self.cr3}')

    def forget_below(self, extra=0):
        """Drops what lies below rsp + extra on this stack."""
        if is_stack(self.regs['rsp']):
            _, base, offset = self.regs['rsp']
            for slot in [slot for slot in self.mem if slot[0] == base and
                         slot[1] < offset + extra]:
                del self.mem[slot]


def is_stack(value):
    return isinstance(value, tuple) and value[0] == 'addr' and \
        value[1] != 'tss'


def ring_of(value):
    """3, 0, 'cs' (one of them), or None: it is no saved CS."""
    if isinstance(value, tuple) and value[0] == 'const':
        return 3 if value[1] & 1 else 0
    if isinstance(value, tuple) and value[0] == 'ring':
        return value[1]
    return 'cs' if value == 'cs' else None


class Walk:
    """One walk through one image; violations, states, visited."""

    def __init__(self, image, only=None):
        self.image, self.only = image, only     # only: one entry's address
        self.offsets = image.offsets
        self.decoded, self.seen, self.visited = {}, set(), set()
        self.violations, self.reported = [], set()
        self.used = set()
        self.count = {}                 # states of each instruction
        self.entries = 0
        self.work = []
        self.no_return, self.keep_if = (
            {image.symbols[name] for name in names if name in image.symbols}
            for names in (entries.NO_RETURN, entries.KEEP_IF))
        self.routines = self.find_routines()
        self.predictor_code = {
            image.symbols['ki_enter_predictors']: 'entered',
            image.symbols['ki_leave_predictors']: 'left'}
        self.predictors = {
            image.offsets[f'KPCR.Prcb.Bpb{name}SpecCtrl']
            for name in ('Current', 'Kernel', 'User', 'Nmi')}
        self.in_frame = {               # as [rbp + offset]
            name: image.offsets[f'KTRAP_FRAME.{name.capitalize()}'] -
            FRAME_BIAS for name in KEPT}
        self.handlers = {
            'mov': self.mov, 'movabs': self.mov, 'lea': self.lea,
            'push': self.do_push, 'pop': self.do_pop, 'leave': self.leave,
            'pushf': self.pushf, 'popf': self.popf, 'swapgs': self.swapgs,
            'rdmsr': self.rdmsr, 'wrmsr': self.wrmsr, 'movs': self.movs,
        }

    def find_routines(self):
        """What is entered by a call or from outside, not from before it."""
        image = self.image
        called = {int(found[1], 16) for found in
                  map(CALL.match, image.code.values()) if found}
        names = [name for name in image.symbols
                 if name in entries.FROM_C or name in entries.SYSCALL or
                 name in entries.SYSENTER or re.match(entries.ZW_STUB, name)]
        return called & image.names.keys() | \
            {*image.vectors, *image.shadow_vectors} | \
            {image.symbols[name] for name in names}

    # ---- Where it begins ---------------------------------------------------

    def begin(self, address, state):
        if self.only not in (None, address):
            return
        self.entries += 1
        self.work.append((address, state))

    def from_user(self, name, df, ac, stack, shadow=False):
        state = State(name, 'user', 'off', df, ac)
        state.shadow = shadow
        state.cr3 = 'user' if shadow else 'kernel'
        state.regs = dict.fromkeys(GENERAL, 'user')
        state.regs['rsp'] = stack
        state.mem[('tss', 0)] = ('addr', 'stack', 0)
        self.begin(self.image.symbols[name], state)

    def from_gate(self, address, vector, shadow=False):
        ist = vector in entries.IST_VECTORS
        state = State(self.image.name(address), 'found' if ist else 'ring',
                      'off', 'user', 'user')
        state.shadow = shadow
        state.cr3 = 'ring' if shadow else 'kernel'
        state.paranoid = ist
        state.regs = dict.fromkeys(GENERAL, 'user')
        state.regs['rsp'] = ('addr', 'gate', 0)
        error = 8 if vector in entries.ERROR_VECTORS else 0
        state.mem[('gate', error + 8)] = 'cs'
        if vector in entries.IRETQ_VECTORS:
            state.mem[('gate', error)] = 'rip'
            state.mem[('gate', error + 0x18)] = ('addr', 'iretq', 0)
            state.mem[('iretq', 8)] = 'cs'
        if ist:
            state.cr3 = 'found'
            state.mem[('gate', error)] = 'back'
            state.mem[('gate', error + 16)] = 'no IF'
            state.mem[('gate', error + 24)] = ('addr', 'interrupted', 0)
        self.begin(address, state)

    def from_c(self, name, arguments, iff=None):
        state = State(name, 'kernel', iff, 'off', 'off')
        state.regs['rsp'] = ('addr', 'caller', 0)
        for register, base in arguments.items():
            state.regs[register] = ('addr', base, 0)
        state.mem[('caller', 0)] = 'C'
        state.mem[('frame', self.offsets['KTRAP_FRAME.SegCs'])] = 'cs'
        state.mem[('callout', self.offsets['KEXCEPTION_FRAME.Return'])] = 'C'
        self.begin(self.image.symbols[name], state)

    def begin_all(self):
        symbols = self.image.symbols
        for name in entries.SYSCALL:
            self.from_user(name, 'off', 'off', 'user')
            self.from_user(name + 'Shadow', 'off', 'off', 'user', True)
        for name in entries.SYSENTER:
            tss = ('addr', 'tss', 0)
            self.from_user(name, 'user', 'user', tss)
            self.from_user(name + 'Shadow', 'user', 'user', tss, True)
        for vector in range(256):
            plain, shadow = self.image.vectors[vector], \
                self.image.shadow_vectors[vector]
            self.from_gate(plain, vector)
            if shadow != plain:
                self.from_gate(shadow, vector, True)
        for name, address in symbols.items():
            if re.match(entries.ZW_STUB, name) and \
                    address in self.image.code:
                self.from_c(name, {})
        for name, arguments in entries.FROM_C.items():
            self.from_c(name, arguments)
        for name in entries.THREAD_START:
            state = State(name, 'kernel', 'off', 'off', 'off')
            state.regs['rsp'] = ('addr', 'thread', 0)
            self.begin(symbols[name], state)
        for name, shadow in entries.RESUMED.items():
            state = State(name, 'user', 'off', 'user', 'user')
            state.apc, state.loaded, state.shadow = True, KEPT, shadow
            state.bpb, state.empty = 'left', True
            state.cr3 = 'user' if shadow else 'kernel'
            state.regs = dict.fromkeys(GENERAL, 'user')
            self.begin(symbols[name], state)

    # ---- The walk ----------------------------------------------------------

    def run(self, most=None):
        """Returns the violations; most: how many are enough."""
        self.begin_all()
        self.go_on(most)
        if self.only is None and not self.work:
            self.leftovers()
        return self.violations

    def go_on(self, most=None):
        """Walks until nothing is left, or there are enough violations."""
        while self.work and len(self.violations) != most:
            address, state = self.work.pop()
            key = (address, state.key())
            if key in self.seen:
                continue
            self.seen.add(key)
            self.count[address] = self.count.get(address, 0) + 1
            way = state.trail
            if self.count[address] > MOST_STATES:
                self.report(address, state.entry, way,
                            'more states than can be walked')
                break
            try:
                self.work += self.step(address, state)
            except Violation as wrong:
                self.report(address, state.entry, way, str(wrong))

    def leftovers(self):
        """Code that no path reaches; rows of entries.py that nothing uses."""
        for address, text in sorted(self.image.code.items()):
            if address not in self.visited and not FILLER.match(text):
                self.violations.append(
                    f'{self.image.name(address)}: {text}: no entry leads here')
        for row in set(entries.INDIRECT) - self.used:
            self.violations.append(f'{row[0]}: {row[1]}: listed, not there')

    def report(self, address, entry, trail, what):
        text = self.image.code.get(address, '')
        if (address, what) in self.reported:
            return
        self.reported.add((address, what))
        way = []
        while trail:
            trail, at = trail
            way.append(self.image.name(at))
        self.violations.append(
            f'{self.image.name(address)}: {text}: {what} '
            f'(from {" ".join([entry, *reversed(way[:12])])})')

    def step(self, address, state):
        """Returns [(address, state)]: where it may go on; state changes."""
        if address not in self.image.code:
            raise Violation('runs out of the entry code')
        text = self.image.code[address]
        self.visited.add(address)
        insn = self.decoded.get(text)
        if insn is None:
            insn = self.decoded[text] = Instruction(text)
        next_address = self.image.after[address]
        behind_sti = state.iff == 'shadow'
        faulted = self.fault(address, state)
        self.windows(state)
        state.bpb = self.predictor_code.get(address, state.bpb)
        if state.cr3 not in ('kernel', 'only', 'same') and \
                not self.in_shadow(address):
            raise Violation(f'runs while cr3 is {state.cr3}')
        found = self.execute(insn, address, next_address, state)
        if next_address in self.routines and insn.op not in ('jmp', 'call') \
                and any(at == next_address for at, _ in found):
            raise Violation('runs into a routine')
        for _, after in found:
            if behind_sti and after.iff == 'shadow':
                after.iff = 'on'
                after.interruptible()
        return found + faulted

    def windows(self, state):
        """What must hold before every instruction."""
        if state.iff in ('off', 'shadow'):
            return
        if state.gs != 'kernel':
            raise Violation(f'interrupts may be on while gs is {state.gs}')
        if state.cr3 != 'kernel':
            raise Violation(f'interrupts may be on while cr3 is {state.cr3}')
        if not is_stack(state.regs['rsp']):
            raise Violation('interrupts may be on without a kernel stack')

    def in_shadow(self, address):
        return any(start <= address < end
                   for start, end in self.image.shadow)

    def fault(self, address, before):
        """The paths of FIXUP: the trap's way in has cleared AC."""
        found = []
        for start, end, target in self.image.fixups:
            if start <= address < end:
                state = before.copy()
                state.regs['rax'], state.ac = None, 'off'
                state.flags = state.test = None
                found.append((target, state))
        return found

    def execute(self, insn, address, next_address, state):
        op = insn.op
        on = [(next_address, state)]
        self.look_at_flags(op, state)
        if op in JUMPS:
            return self.jump(insn, address, next_address, state)
        if op == 'call':
            return self.call(insn, address, next_address, state)
        if op == 'ret':
            return self.ret(insn, address, state)
        if op == 'iretq':
            return self.iret(state)
        if op in ('sysretq', 'sysexitd'):
            self.to_user(state)
            return []
        if op == 'nop' or FILLER.match(insn.text) and op == 'xchg':
            return on
        if insn.prefix == 'lock' and op in ARITHMETIC or not insn.prefix or \
                insn.prefix == 'rep' and op == 'movs':
            if op in self.handlers:
                self.handlers[op](insn, state)
                return on
            if op in FLAGS_AND_FENCES:
                FLAGS_AND_FENCES[op](state)
                return on
            if op in COMPUTE:
                self.compute(insn, state)
                return on
        raise Violation('not understood')

    def look_at_flags(self, op, state):
        """Whoever compares asks; whoever asks has set them."""
        if op in ASK_FLAGS or op.startswith('cmov'):
            if state.flags in (None, 'used'):
                raise Violation('flags are asked that nobody has set')
            state.flags = 'used'
        elif op in CHANGE_FLAGS:
            if state.flags == 'compared':
                raise Violation('nobody has asked what was compared')
            state.flags = 'compared' if op in COMPARISONS else \
                None if op in LEAVES else 'set'

    # ---- Memory and values -------------------------------------------------

    def slot(self, mem, state):
        """Checks an access; returns (base, offset) if it is on a stack."""
        if mem.segment == 'gs':
            if state.gs != 'kernel':
                raise Violation(f'an access through gs while gs is {state.gs}')
            if not self.is_shadow_field(mem.offset):
                state.mapped(None)
            return None
        if mem.segment not in (None, 'ds', 'es', 'ss'):
            raise Violation('not understood')
        if mem.base == 'rip':
            if not self.in_shadow(mem.target):
                state.mapped(None)
            return None
        if mem.base is None or mem.base not in state.regs:
            raise Violation('not understood')
        value = state.regs[mem.base]
        if mem.base in ('rsp', 'rbp') and not (
                isinstance(value, tuple) and value[0] == 'addr'):
            raise Violation(f'{mem.base} is used before it is the kernel\'s')
        if mem.scale == 4 and state.regs.get(mem.index) != 'clamped':
            raise Violation('a table is read by an index that speculation '
                            'can bring beyond it')
        used = [value] + ([state.regs[REGISTERS[mem.index][0]]]
                          if mem.index else [])
        if 'user' in used and state.ac != 'on':
            raise Violation('an access through a register of the user\'s')
        state.mapped(value)
        if isinstance(value, tuple) and value[0] == 'addr' and not mem.index:
            return value[1], value[2] + mem.offset
        return None

    def is_shadow_field(self, offset):
        """Is this field of the KPCR in the page that ring 3 has?"""
        return offset >> 12 == \
            self.offsets['KPCR.Prcb.KernelDirectoryTableBase'] >> 12

    def load(self, mem, state):
        slot = self.slot(mem, state)
        state.empty = False
        if mem.segment == 'gs':
            if mem.offset in (self.offsets['KPCR.Prcb.RspBase'],
                              self.offsets['KPCR.Prcb.RspBaseShadow']):
                return ('addr', 'stack', 0)
            if mem.offset == \
                    self.offsets['KPCR.Prcb.KernelDirectoryTableBase']:
                return 'directory'
            if mem.offset == self.offsets['KPCR.TssBase']:
                return 'tss'
            if mem.offset == self.offsets['KPCR.Prcb.CurrentThread']:
                return 'thread'
            return 'predictors' if mem.offset in self.predictors else None
        if slot is not None:
            return self.part(state, slot, mem.size)
        if mem.base == 'rip' and \
                mem.target == self.image.symbols['ki_system_directory']:
            return 'directory'
        base = state.regs.get(mem.base)
        if base == 'thread':
            return self.of_thread(mem, state)
        if base == 'process' and \
                mem.offset == self.offsets['KPROCESS.UserDirectoryTableBase']:
            return 'user directory'
        if base == 'tss' and mem.offset == self.offsets['KTSS64.Rsp0']:
            return ('addr', 'transition', 0)
        if base == ('sym', self.image.symbols['KiProcessorBlock']):
            return 'prcb'
        if mem.offset == self.offsets['KTHREAD.KernelStack']:
            return state.mem.get(('switch', 0))
        return None

    def part(self, state, slot, size):
        value = state.mem.get(slot)
        if size != 4:
            return value
        if isinstance(value, tuple) and value[0] == 'gs':
            return ('gslo', value[1])
        low = state.mem.get((slot[0], slot[1] - 4))
        if isinstance(low, tuple) and low[0] == 'gs':
            return ('gshi', low[1])
        return value if value == 'user' else None

    def of_thread(self, mem, state):
        if mem.offset == self.offsets['KTHREAD.ApcState.UserApcPendingAll']:
            if state.iff == 'off':
                state.apc = True
        elif mem.offset == self.offsets['KTHREAD.TrapFrame']:
            return ('addr', 'frame', 0)
        elif mem.offset == self.offsets['KTHREAD.InitialStack']:
            return ('addr', 'callout', 0)
        elif mem.offset == self.offsets['KTHREAD.ApcState.Process']:
            return 'process'
        return None

    def read(self, operand, state):
        if isinstance(operand, Mem):
            return self.load(operand, state)
        if isinstance(operand, int):
            return ('const', operand)
        if operand == 'cr3':
            return ('cr3', state.cr3)
        if operand in REGISTERS:
            name, size = REGISTERS[operand]
            value = state.regs[name]
            return value if size == 8 or value == 'user' else None
        if OTHER.match(operand):
            return None
        raise Violation('not understood')

    def write(self, operand, value, state):
        if isinstance(operand, Mem):
            slot = self.slot(operand, state)
            if slot is not None:
                if slot[0] == 'tss':
                    raise Violation('a write where SYSENTER begins')
                state.put(slot, value)
            elif operand.segment == 'gs' and state.msr == 'due' and \
                    operand.offset == \
                    self.offsets['KPCR.Prcb.BpbCurrentSpecCtrl']:
                state.msr = 'told'
            elif operand.segment is None and operand.size == 8 and \
                    operand.offset == self.offsets['KTHREAD.KernelStack'] \
                    and is_stack(value):
                state.mem[('switch', 0)] = value
            return
        if operand == 'cr3':
            known = {'directory': 'kernel', ('cr3', 'found'): 'found',
                     'user directory': 'user', ('cr3', 'kernel'): 'user'}
            if value not in known:
                raise Violation('CR3 gets a table that nobody knows')
            if (state.cr3, known[value]) == ('user', 'kernel'):
                state.bpb = 'due'
            state.cr3 = known[value]
            return
        if operand in REGISTERS:
            name, size = REGISTERS[operand]
            if size < 4 and state.regs[name] == 'user':
                return                  # the rest is the user's still
            state.regs[name] = value
        elif not isinstance(operand, str) or not OTHER.match(operand) or \
                operand in ('cr0', 'cr4'):
            raise Violation('not understood')

    # ---- Instructions ------------------------------------------------------

    def mov(self, insn, state):
        to, source = insn.operands
        value = self.read(source, state)
        if isinstance(source, int) and (
                to.size == 1 if isinstance(to, Mem) else
                to not in ('rcx', 'ecx') and (to, source) != ('eax', IBPB[1])):
            value = None                # a number that nothing here asks for
        self.write(to, value, state)
        if to in KEPT and isinstance(source, Mem) and state.iff == 'off' and \
                (source.base, source.offset) == ('rbp', self.in_frame[to]):
            state.loaded |= {to}

    def lea(self, insn, state):
        to, mem = insn.operands
        if mem.base == 'rip':
            value = ('sym', mem.target)
        elif mem.base not in state.regs:
            raise Violation('not understood')
        else:
            base = state.regs[REGISTERS[mem.base][0]]
            if isinstance(base, tuple) and base[0] == 'addr' and \
                    not mem.index and to in state.regs:
                value = ('addr', base[1], base[2] + mem.offset)
            else:
                value = 'user' if base == 'user' else None
        self.write(to, value, state)

    def do_push(self, insn, state):
        value = self.read(insn.operands[0], state)
        if isinstance(value, tuple) and value[0] == 'const' and \
                is_stack(state.regs['rsp']) and \
                state.regs['rsp'][1] == 'gate':
            value = None                # in the place of an error code
        state.push(value)

    def do_pop(self, insn, state):
        self.write(insn.operands[0], state.pop(), state)

    def leave(self, _, state):
        state.regs['rsp'] = state.regs['rbp']
        state.regs['rbp'] = state.pop()

    def pushf(self, _, state):
        state.push(None)

    def popf(self, _, state):
        value = state.pop()
        if value != 'no IF':
            state.interruptible()
        state.flags = state.test = None
        if isinstance(value, tuple) and value[0] == 'const':
            state.iff = 'on' if value[1] & IF else 'off'
            state.df = 'on' if value[1] & DF else 'off'
            state.ac = 'on' if value[1] & AC else 'off'
        else:
            state.iff = 'off' if value == 'no IF' else None
            state.df = state.ac = 'user'

    def swapgs(self, _, state):
        if state.gs == 'found' and \
                ring_of(state.mem.get(('gate', 8))) == 3:
            state.gs, state.paranoid = 'told', False
            state.cr3 = 'user' if state.shadow else 'kernel'
        other = {'user': 'kernel', 'told': 'unfenced', 'kernel': 'user',
                 'unfenced': 'user'}
        if state.gs not in other:
            raise Violation(f'swapgs while gs is {state.gs}')
        state.gs = other[state.gs]

    def rdmsr(self, _, state):
        self.gs_base(state)
        state.regs['rax'] = ('gslo', state.gs)
        state.regs['rdx'] = ('gshi', state.gs)

    def wrmsr(self, _, state):
        low, high = state.regs['rax'], state.regs['rdx']
        if state.regs['rcx'] in (MSR_SPEC_CTRL, MSR_PRED_CMD) and \
                state.gs == 'kernel':
            self.write_predictors(state, low, high)
            return
        self.gs_base(state)
        if (low, high) == ('pcr', 'pcrhi'):
            state.gs = 'kernel'
        elif isinstance(low, tuple) and isinstance(high, tuple) and \
                (low[0], high[0]) == ('gslo', 'gshi') and low[1] == high[1]:
            state.gs = low[1]
        else:
            raise Violation('gs gets a base that nobody knows')

    def write_predictors(self, state, low, high):
        """Where C may be interrupted, by an NMI that puts back the copy of
        SPEC_CTRL, that must have been written before."""
        if state.regs['rcx'] == MSR_PRED_CMD:
            good = (state.msr, low) == ('barrier', IBPB)
        else:
            good = low == 'predictors' and (
                state.msr == 'told' or state.msr == 'due' and state.paranoid)
        if not good or high != 'zero':
            raise Violation('not what that MSR must be')
        state.msr = None

    def gs_base(self, state):
        if state.regs['rcx'] != ('const', MSR_GS_BASE):
            raise Violation('an MSR that is not MSR_GS_BASE')

    def movs(self, insn, state):
        if state.df != 'off':
            raise Violation('a string instruction before DF is the kernel\'s')
        to, source = state.regs['rdi'], state.regs['rsi']
        count = state.regs['rcx']
        if 'user' in (to, source) and state.ac != 'on':
            raise Violation('an access through a register of the user\'s')
        if is_stack(to):
            if not is_stack(source) or not isinstance(count, tuple):
                raise Violation('not understood')
            moved = [(slot, value) for slot, value in state.mem.items()
                     if slot[0] == source[1] and 0 <= slot[1] - source[2] <
                     8 * count[1]]
            for slot, value in moved:
                state.put((to[1], to[2] + slot[1] - source[2]), value)
        for register in ('rdi', 'rsi', 'rcx'):
            state.regs[register] = None

    def compute(self, insn, state):
        op, (to, *rest) = insn.op, insn.operands
        values = [None if isinstance(word, int) else self.read(word, state)
                  for word in insn.operands]
        flags = state.test
        if op in FORGET_TEST:
            state.test = None
        if op == 'cmp' and isinstance(rest[0], Mem) and to in REGISTERS and \
                rest[0].offset == self.offsets['KSERVICE_TABLE_DESCRIPTOR.'
                                               'Limit']:
            state.test = ('below', REGISTERS[to][0])
        if op == 'sbb' and rest == [to] and flags and flags[0] == 'below':
            self.write(to, ('mask', flags[1]), state)
            return
        if op in ('cmp', 'test') and isinstance(to, Mem):
            state.test = self.about_shadow(op, to, rest)
        if op == 'cmp' and to == 'al' and isinstance(rest[0], Mem) and \
                values[1] == 'predictors':
            state.test = ('predictors',)
        if op == 'cmp' and values[1] == 'rip':
            for name, shadow in entries.IRETQS.items():
                if values[0] == ('sym', self.image.symbols[name]):
                    state.test = ('shadow\'s iretq' if shadow else 'iretq',)
        if op == 'test' and isinstance(to, Mem) and rest == [1]:
            slot = self.slot(to, state)
            if slot is not None and ring_of(values[0]) is not None:
                state.test = (slot, ring_of(values[0]))
        if op == 'test' and [to] == rest and (
                values[0] in ('directory', 'zero') or
                isinstance(values[0], tuple) and values[0][0] == 'cr3'):
            state.test = ('zero', values[0])
        if op == 'verw':
            state.empty = True
        if op not in READERS:
            self.write(to, self.result(op, to, rest, values, state), state)

    def about_shadow(self, op, mem, rest):
        """What a comparison asks of KVA shadow: is it on, one CR3 only?"""
        if op == 'cmp' and mem.base == 'rip' and rest == [0] and \
                mem.target == self.image.symbols['KiKvaShadow']:
            return ('shadow',)
        if op == 'cmp' and mem.segment == 'gs' and rest == [0] and \
                mem.offset == self.offsets['KPCR.Prcb.VerwSelector']:
            return ('selector',)
        if op == 'test' and mem.segment == 'gs' and \
                mem.offset == self.offsets['KPCR.Prcb.ShadowFlags'] and \
                rest == [self.offsets['KI_SHADOW_ONE_SPACE']]:
            return ('one space',)
        if op == 'test' and mem.segment == 'gs' and \
                mem.offset == self.offsets['KPCR.Prcb.BpbState'] and \
                rest == [self.offsets['BPB_IBPB_ON_TRAP']]:
            return ('barrier',)
        return None

    def result(self, op, to, rest, values, state):
        """What is known of what an instruction leaves in its operand."""
        old, by = values[0], rest[0] if rest else None
        kind = old[0] if isinstance(old, tuple) else old
        if op in ('add', 'sub') and kind == 'addr' and to in state.regs:
            if isinstance(by, int):
                return ('addr', old[1], old[2] + (by if op == 'add' else -by))
            if to == 'rsp' and op == 'sub' and values[1] != 'user':
                return ('addr', 'area', 0)      # of a size C has told
        if op == 'sub' and old == 'prcb' and \
                by == self.offsets['KPCR.Prcb']:
            return 'pcr'
        if op == 'shr' and old == 'pcr' and by == 32:
            return 'pcrhi'
        if op == 'shl' and kind == 'gshi' and by == 32:
            return old
        if op == 'or' and kind == 'gslo' and values[1] == ('gshi', old[1]):
            return ('gs', old[1])
        if op == 'and' and by in state.regs and values[1] == ('mask', to):
            return 'clamped'
        if op == 'or' and old == 'cs' and isinstance(to, Mem) and by == 3:
            return ('ring', 3)
        if op in BITS:
            return old                  # a bit that is not of the address
        if op == 'and' and isinstance(by, int):
            return 'no IF' if isinstance(to, Mem) and not by & IF else None
        if op == 'xor' and rest == [to]:
            return 'zero' if state.cr3 == 'found' or to == 'edx' else None
        if op == 'movzx' and values[1] == 'predictors':
            return values[1]
        if op in MOVES and not op.startswith('cmov'):
            return 'user' if 'user' in values[1:] else None
        return 'user' if 'user' in values else None

    # ---- Branches ----------------------------------------------------------

    def turn(self, address, target, state):
        state.trail = (state.trail, address)
        state.forget_below()
        return target, state

    def jump(self, insn, address, next_address, state):
        target = insn.operands[0]
        if not isinstance(target, int):
            return self.indirect(insn, address, next_address, state)
        if insn.op == 'jmp':
            return [self.turn(address, target, state)]
        test, state.test = state.test, None
        if test is None or test[0] == 'below' or \
                insn.op not in ('je', 'jne'):
            taken = self.turn(address, target, state.copy())
            if test and test[0] == 'below' and insn.op == 'jae':
                state.test = test
            return [(next_address, state), taken]
        if len(test) == 1:
            return self.jump_on(test[0], insn.op == 'je', state, next_address,
                                lambda after: self.turn(address, target,
                                                        after))
        if test[0] == 'zero':
            return self.jump_zero(insn, address, next_address, state, test[1])
        found = []
        slot, ring = test
        for one in (3, 0):
            if ring in ('cs', one):
                after = state.copy()
                self.learn(after, slot, one)
                taken = (one == 0) == (insn.op == 'je')
                found.append(self.turn(address, target, after) if taken
                             else (next_address, after))
        return found

    def jump_on(self, what, when_equal, state, next_address, turn):
        """A branch on something else than a ring: equal, not equal."""
        found = []
        for equal in (True, False):
            after = state.copy()
            if what in ('iretq', 'shadow\'s iretq') and equal:
                if after.shadow != (what != 'iretq'):
                    continue
                after.gs = 'user'
                after.cr3 = 'user' if after.shadow else 'kernel'
            elif what == 'selector' and equal:
                after.empty = True
            elif what in ('predictors', 'barrier') and not equal:
                self.predictors_done(after)
                after.msr = 'due' if what == 'predictors' else what
            elif what == 'one space' and not equal and after.gs == 'kernel':
                if after.cr3 == 'user':
                    after.cr3, after.bpb = 'kernel', 'due'
                elif after.cr3 == 'kernel':
                    after.cr3 = 'same'
            elif what == 'shadow':
                if after.shadow == equal:
                    continue
                after.shadow = not equal
            found.append(turn(after) if equal == when_equal
                         else (next_address, after))
        return found

    def jump_zero(self, insn, address, next_address, state, value):
        """Is there a directory for CR3, was one put away?"""
        target, found = insn.operands[0], []
        for zero in (True, False):
            if value != 'directory' and zero != (value == 'zero'):
                continue
            after = state.copy()
            if zero and value == 'directory' and after.cr3 == 'found':
                after.cr3 = 'only'
            found.append(self.turn(address, target, after)
                         if zero == (insn.op == 'je')
                         else (next_address, after))
        return found

    def learn(self, state, slot, ring):
        """The saved CS has told who was interrupted."""
        if state.mem.get(slot) == 'cs':
            state.mem[slot] = ('ring', ring)
            if state.cr3 == 'ring':
                state.cr3 = 'user' if ring == 3 else 'kernel'
            if state.gs == 'ring':
                state.gs = 'told' if ring == 3 else 'unfenced'

    def indirect(self, insn, address, next_address, state):
        row = (self.image.symbol(address), insn.text)
        if row not in entries.INDIRECT:
            raise Violation('an indirect branch that is not listed')
        self.used.add(row)
        targets = entries.INDIRECT[row][0]
        if targets is None:
            return self.call_c(address, None, next_address, state)
        first, end, step = targets
        return [self.turn(address, at, state.copy())
                for at in range(self.image.symbols[first],
                                self.image.symbols[end], step)]

    def call(self, insn, address, next_address, state):
        target = insn.operands[0]
        if not isinstance(target, int):
            return self.indirect(insn, address, next_address, state)
        if target not in self.image.code:
            return self.call_c(address, target, next_address, state)
        state.push(('ret', next_address))
        return [self.turn(address, target, state)]

    def predictors_done(self, state):
        if state.msr:
            raise Violation('SPEC_CTRL or PRED_CMD should have been written')

    def call_c(self, address, target, next_address, state):
        state.stack()
        self.predictors_done(state)
        if state.gs != 'kernel':
            raise Violation(f'C is called while gs is {state.gs}')
        if state.cr3 not in ('kernel', 'only'):
            raise Violation(f'C is called while cr3 is {state.cr3}')
        if state.bpb in ('due', 'left'):
            raise Violation('C is called before the predictors are the '
                            'kernel\'s')
        if state.df != 'off':
            raise Violation('C is called before DF is the kernel\'s')
        if state.ac != 'off':
            raise Violation('C is called before AC is the kernel\'s')
        if target in self.no_return:
            return []
        for register in VOLATILE:
            state.regs[register] = None
        state.interruptible()
        state.bpb = None
        state.flags = state.test = None
        if target not in self.keep_if:
            state.iff = None
        state.forget_below(HOME)
        return [(next_address, state)]

    def ret(self, insn, address, state):
        value = state.pop()
        self.predictors_done(state)
        if isinstance(value, tuple) and value[0] == 'ret':
            return [self.turn(address, value[1], state)]
        if value == 'back' and state.paranoid:
            self.as_found(state)
            return []
        if value != 'C' or insn.operands:
            raise Violation('a return to nobody knows where')
        if self.image.symbol(address) in entries.LET_IN and \
                state.iff not in ('shadow', 'on'):
            raise Violation('back to C, interrupts may be off')
        if state.gs != 'kernel':
            raise Violation(f'back to C while gs is {state.gs}')
        if state.cr3 != 'kernel':
            raise Violation(f'back to C while cr3 is {state.cr3}')
        if (state.df, state.ac) != ('off', 'off'):
            raise Violation('back to C with DF or AC')
        return []

    def iret(self, state):
        state.stack()
        self.predictors_done(state)
        _, base, offset = state.regs['rsp']
        ring = ring_of(state.mem.get((base, offset + 8)))
        if state.paranoid:
            if (base, state.mem.get((base, offset))) != ('gate', 'back'):
                raise Violation('an IRET from nobody knows where')
            self.as_found(state)
        elif ring == 3:
            self.to_user(state)
        elif ring != 0:
            raise Violation('an IRET to nobody knows which ring')
        elif state.gs != 'kernel':
            raise Violation(f'back to ring 0 while gs is {state.gs}')
        elif state.cr3 != 'kernel':
            raise Violation(f'back to ring 0 while cr3 is {state.cr3}')
        return []

    def as_found(self, state):
        if state.gs != 'found':
            raise Violation('gs is not put back as it was found')
        if state.cr3 == 'kernel':
            raise Violation('CR3 is not put back as it was found')

    def to_user(self, state):
        self.predictors_done(state)
        if state.gs != 'user':
            raise Violation(f'back to ring 3 while gs is {state.gs}')
        if state.cr3 not in (('user', 'same') if state.shadow
                             else ('kernel',)):
            raise Violation(f'back to ring 3 while cr3 is {state.cr3}, with '
                            f'{"" if state.shadow else "no "}shadow')
        if state.shadow and state.bpb != 'left':
            raise Violation('back to ring 3 with the kernel\'s predictors')
        if state.shadow and not state.empty:
            raise Violation('back to ring 3, buffers may have what is the '
                            'kernel\'s')
        if state.iff not in ('off', 'shadow'):
            raise Violation('back to ring 3, interrupts may be on')
        if not state.apc:
            raise Violation('back to ring 3, a user APC may have come')
        if state.loaded != KEPT:
            raise Violation('back to ring 3, an APC may have set another rbx, '
                            'rsi or rdi')


def set_if(state):
    if state.iff == 'off':
        state.iff = 'shadow'
    else:
        state.iff = 'on'
        state.interruptible()


def clear_if(state):
    state.iff = 'off'


def clear_df(state):
    state.df = 'off'


def set_ac(state):
    state.ac = 'on'


def clear_ac(state):
    state.ac = 'off'


def fence(state):
    if state.gs == 'unfenced':
        state.gs = 'kernel'


FLAGS_AND_FENCES = {'sti': set_if, 'cli': clear_if, 'cld': clear_df,
                    'stac': set_ac, 'clac': clear_ac, 'lfence': fence}


def main():
    parser = Parser(prog='paths.py', allow_abbrev=False)
    parser.add_argument('elf', nargs='?', metavar='FILE.elf',
                        default=os.path.join(ROOT, 'build/ntoskrnl.elf'))
    elf = parser.parse_args().elf
    start = time.monotonic()
    walk = Walk(images.Image(elf))
    violations = walk.run()
    for line in violations:
        print(line)
    print(f'{walk.entries} entries, {len(walk.visited)} instructions, '
          f'{len(walk.seen)} states, {len(violations)} violations, '
          f'{time.monotonic() - start:.1f} s')
    return 1 if violations else 0


if __name__ == '__main__':
    sys.exit(told('paths', main))

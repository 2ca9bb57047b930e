"""explain.py: what a room of a walk does: its title, roles, what decided.

A role is named only where the register holds what the role says, so the
words are checked by the machine that they are about.
"""
from . import kernel, machine, msr
from .rooms import (APC, DISPATCH, DISPATCHER, DOOR, EXIT, PROGRAM, SERVICE,
                    STUB)
from .stepper import gate_target, gate_words

SHARED_SYSTEM_CALL, SHARED_SYSTEM_CALL_XP = 0x7FFE0308, 0x7FFE0300
SYSTEM_FLAGS = {'IF': 'interrupts', 'TF': 'single step', 'DF': 'direction',
                'NT': 'nested task', 'AC': 'alignment check'}
IRQLS = {0: 'PASSIVE_LEVEL', 1: 'APC_LEVEL', 2: 'DISPATCH_LEVEL'}
FLAG_NAMES = {0: 'CF', 2: 'PF', 4: 'AF', 6: 'ZF', 7: 'SF', 8: 'TF', 9: 'IF',
              10: 'DF', 11: 'OF', 14: 'NT', 16: 'RF', 18: 'AC'}

DOORS = {
    'syscall': 'SYSCALL leaves rip in rcx and the flags in r11, and changes '
               'no stack: the kernel finds its own by swapgs, and builds the '
               'trap frame by hand.',
    'int2e': 'The processor takes the stack from the TSS and pushes the '
             'caller\'s ss, rsp, flags, cs, rip; the rest of the trap frame '
             'is built by hand.',
    'sysenter': 'SYSENTER saves nothing: where to go back is what caller and '
                'kernel have agreed on. The trap frame is built by hand.',
}
SUMMARIES = {
    PROGRAM: 'The program\'s own code.',
    STUB: 'A C call becomes a service number in eax; argument 1 moves to r10 '
          'where the door needs rcx.',
    DISPATCH: 'The number picks a table and an entry; the entry holds the '
              'routine and how many arguments to copy from the user stack.',
    SERVICE: 'The routine does the work and returns an NTSTATUS in rax.',
    EXIT: 'Checks, with interrupts off: is a user APC pending, are '
          'breakpoints to be loaded? Then the frame\'s state is the '
          'processor\'s again, and nothing of the kernel stays in a register.',
    APC: 'A user APC is pending: the state that was to be returned to goes '
         'to the user stack as a CONTEXT, and the frame is changed to enter '
         'ntdll instead.',
    DISPATCHER: 'ntdll calls the APC\'s routine and asks the kernel, by '
                'NtContinue, to go on where the APC came in between.',
}
AFTER_STUB = 'Back behind the door: the stub returns to its caller.'


def summary(walk, room):
    if room.number == DOOR:
        return DOORS[walk.door]
    if room.number == STUB and room.index > 0 and room.back:
        return AFTER_STUB
    return SUMMARIES[room.number]


def flags(value):
    """Returns the names of the flags that are set."""
    return ' '.join(name for bit, name in sorted(FLAG_NAMES.items())
                    if value >> bit & 1) or 'none'


# ---- roles: (register, text, what it must hold)


def expected(walk, room):
    call, number = room.call, room.number
    argument = getattr(call, 'arguments', [])
    if number == STUB:
        yield 'rax', 'service number', call.number
        if argument:
            yield 'r10', 'argument 1', argument[0]
    if number in (STUB, DOOR) and not walk.wide:
        yield 'rdx', 'where the arguments begin', room.after['rdx']
    elif number in (STUB, DOOR, DISPATCH):
        if argument and number != STUB:
            yield 'rcx', 'argument 1', argument[0]
        for name, value in list(zip(('rdx', 'r8', 'r9'), argument[1:])):
            yield name, f'argument {"rdx r8 r9".split().index(name) + 2}', \
                value
    if number == DOOR:
        yield 'rax', 'service number', call.number
        yield 'rbx', 'current thread (KTHREAD)', walk.thread
        yield 'rbp', 'trap frame + 80h', walk.frame + 0x80
        yield 'rsp', 'the thread\'s kernel stack', walk.frame
    if number == DISPATCH and walk.wide:
        yield 'rbx', 'current thread (KTHREAD)', walk.thread
        yield 'rbp', 'trap frame + 80h', walk.frame + 0x80
        yield 'r10', 'the routine', call.routine
        yield 'rdi', 'offset of the table\'s descriptor', call.table
    if number == SERVICE:
        # NtContinue does not come back; the frame has all registers.
        if not walk.house.name_of(room.after['rip']).endswith(
                '!KiExceptionExit'):
            yield 'rax', 'the status', room.after['rax']
        yield 'rbp', 'trap frame + 80h', walk.frame + 0x80
    if number == EXIT and room.after['cs'] & 3 == 3 and not walk.apc_seen:
        yield 'rax', 'the status', room.after['rax']
        yield 'rcx', 'the user rip, as SYSRET wants it', room.after['rip']
        yield 'rcx', 'the user esp, as SYSEXIT wants it', room.after['rsp']
        if not walk.wide:
            yield 'rdx', 'the user eip, as SYSEXIT wants it', \
                room.after['rip']
        yield 'r11', 'the user flags, as SYSRET wants them', \
            room.after['rflags'] & ~0x10000
        yield 'rsp', 'the user stack again', room.after['rsp']


def roles(walk, room):
    found = {}
    for name, text, value in expected(walk, room):
        if room.after[name] == value:
            found.setdefault(name, text)
    return found


# ---- what decided: rows of walk.json's "decided"


def row(kind, name, value, meaning):
    return {'kind': kind, 'name': name, 'value': f'{value:#018x}',
            'meaning': meaning}


def by_msr(name, meaning):
    number, value = msr.read_by_name(name)
    return row('msr', f'{name} ({number:X})', value,
               meaning(value) if callable(meaning) else meaning)


def selectors(value):
    return (f'cs {value >> 32 & 0xFFFC:x}, ss {(value >> 32 & 0xFFFC) + 8:x} '
            'from bits 47-32')


def door_rows(walk, room):
    name = walk.house.name_of
    if walk.door == 'syscall':
        yield by_msr('LSTAR', lambda value: f'rip = {name(value)}')
        yield by_msr('STAR', selectors)
        yield by_msr('FMASK', lambda value: f'clears {flags(value)}')
    elif walk.door == 'int2e':
        yield gate_row(walk, 0x2E)
        yield row('tss', 'TSS.Rsp0', rsp0(), 'rsp = the thread\'s own stack')
    else:
        yield by_msr('SYSENTER_EIP', lambda value: f'rip = {name(value)}')
        yield by_msr('SYSENTER_CS', lambda value:
                     f'cs {value:x}, ss {value + 8:x}')
        yield by_msr('SYSENTER_ESP', 'rsp = the address of TSS.Rsp0')
    yield row('msr', 'KERNEL_GS_BASE (C0000102)', room.after['gs_base'],
              'swapgs: gs = KPCR, the TEB\'s base waits')
    if walk.door != 'int2e':
        yield row('kpcr' if walk.door == 'syscall' else 'tss',
                  'KPCR.Prcb.RspBase' if walk.door == 'syscall'
                  else 'TSS.Rsp0', walk.kernel_stack.top,
                  'rsp = the thread\'s own stack')


def gate_row(walk, vector):
    low, high = gate_words(vector, 1)
    target = gate_target(low, high)
    return row('idt', f'IDT[{vector:X}]', low,
               f'rip = {walk.house.name_of(target)}, cs {low >> 16 & 0xFFFF:x}'
               f', DPL {low >> 45 & 3}')


def rsp0():
    return kernel.number(kernel.pcr()['TssBase']['Rsp0'])


def dispatch_rows(walk, room):
    call = room.call
    if call.base is None:
        return
    if not walk.wide:
        yield row('ssdt', f'{call.table_name} entry {call.number & 0xFFF:X}',
                  call.entry, f'{walk.house.name_of(call.routine)}, '
                  f'{call.bytes} bytes of arguments')
        return
    yield row('ssdt', f'{call.table_name}.Base', call.base,
              f'table {call.number >> 12 & 3} of {call.limit} services')
    yield row('ssdt', f'entry {call.number & 0xFFF:X}', call.entry,
              f'{call.base:x} + ({call.signed:x} >> 4) = {call.routine:x} '
              f'{walk.house.name_of(call.routine)}; & Fh = {call.stacked} '
              'on the stack')


def exit_rows(walk, room):
    pending = room.pending
    if pending is not None:
        yield row('kthread', 'ApcState.UserApcPendingAll', pending,
                  'a user APC is to be delivered' if pending & 3
                  else 'no user APC: on to ring 3')
    if room.forced:
        yield row('kthread', 'ApcState.UserApcPending', 1,
                  'set by the debugger, as an alert would: the APC was '
                  'queued, the call is not alertable')
    last = room.last
    if last.name.startswith('sysret'):
        value = msr.read_by_name('STAR')[1]
        yield row('msr', 'STAR (C0000081)', value,
                  f'cs {(value >> 48) + 16 | 3:x}, '
                  f'ss {(value >> 48) + 8 | 3:x} from bits 63-48; '
                  'rip = rcx, flags = r11')
    elif last.name.startswith('iret'):
        yield row('frame', 'KTRAP_FRAME.Rip', room.after['rip'],
                  'IRETQ: rip, cs, flags, rsp, ss from the frame')
    elif last.name.startswith('sysexit'):
        yield by_msr('SYSENTER_CS', lambda value:
                     f'cs {value + 16 | 3:x}, ss {value + 24 | 3:x}; '
                     'rip = rdx, rsp = rcx')


def stub_rows(walk, room):
    if room.back or walk.wide and walk.door == 'sysenter':
        return
    if not walk.wide:
        value = int.from_bytes(machine.read(SHARED_SYSTEM_CALL_XP, 4),
                               'little')
        yield row('kuser', 'KUSER_SHARED_DATA.SystemCall', value,
                  f'the stub calls {walk.house.name_of(value)}')
        return
    value = machine.read(SHARED_SYSTEM_CALL, 1)[0]
    yield row('kuser', 'KUSER_SHARED_DATA.SystemCall', value,
              'the stub\'s choice: int 2Eh' if value & 1
              else 'the stub\'s choice: SYSCALL')


def apc_rows(walk, room):
    if room.apc is not None:
        yield row('kthread', 'ApcState.ApcListHead[1]', room.apc,
                  'the KAPC that was first in the user queue')
    yield row('frame', 'KTRAP_FRAME.Rip', walk.frame_field('Rip'),
              f'now {walk.house.name_of(walk.frame_field("Rip"))}')


ROWS = {STUB: stub_rows, DOOR: door_rows, DISPATCH: dispatch_rows,
        EXIT: exit_rows, APC: apc_rows}


def decided(walk, room):
    return list(ROWS.get(room.number, lambda *_: ())(walk, room))

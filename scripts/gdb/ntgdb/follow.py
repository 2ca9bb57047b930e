"""follow.py: follows one system call from its stub until it is back there.

A Walk runs the machine to the next call of a service and then steps, one
instruction at a time; a Room is what happened between two changes of room.
walk.py shows it.
"""
import os

import gdb

from ntwalk.walk import counts

from . import explain, headers, kernel, machine, modules
from .command import Wrong
from .rooms import (APC, DISPATCH, DISPATCHER, DOOR, EXIT, House, PROGRAM,
                    ROOT, SERVICE, STUB)
from .ssdt import Call, Call32
from .stacks import Stack
from .stepper import Stepper

DOORS = {'syscall': 'KiSystemCall64', 'int2e': 'KiSystemService',
         'sysenter': 'KiFastCallEntry'}
NTW_DOORS = {'NtwCallSyscall': 'syscall', 'NtwCallInt2e': 'int2e',
             'NtwCallSysenter': 'sysenter'}
GENERAL = ('rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 '
           'r15').split()
SELECTORS = 'cs ss ds es fs gs'.split()
BASES = 'fs_base gs_base k_gs_base'.split()
STATE = [*GENERAL, 'rip', *SELECTORS, *BASES, 'cr3', 'cr8']
MOST_STEPS = 6000       # of one service; what is longer is run, not stepped
CODE32 = 0x1B
APC_HEADER = 'kernel/include/ke_apc.h'


def state():
    values = machine.registers([*STATE, 'eflags'])
    values['rflags'] = values.pop('eflags')
    return values


class Stop(gdb.Breakpoint):
    """A breakpoint that asks whether the walk begins here."""

    def __init__(self, address, wanted):
        super().__init__(f'*{address:#x}', gdb.BP_HARDWARE_BREAKPOINT,
                         internal=True)
        self.silent = True
        self.wanted = wanted

    def stop(self):
        try:
            return self.wanted()
        except (Wrong, gdb.error):
            return False


class Room:
    def __init__(self, index, number, place, before):
        self.index, self.number = index, number
        self.place, self.before = place, before
        self.known = before             # as of the last line of code
        self.call = None                # the Call whose rooms these are
        self.after = None
        self.code, self.calls, self.depth = [], [], 0
        self.steps = 0
        self.stepped = True
        self.back = False               # the stub, behind its door
        self.pending = self.apc = self.last = None
        self.forced = False
        self.deepest = None             # what it wrote lowest, of the kernel
        self.roles, self.decided = {}, []
        self.stacks = {}


class Walk:
    """One call. name: of the service; door: only by this one, or None.

    apc: a queued user APC is to run on the way back, whatever the service.
    """

    def __init__(self, name, door=None, apc=False):
        known = counts(modules.build())
        if name not in known:
            raise Wrong(f'no service {name}')
        if door and door not in DOORS:
            raise Wrong(f'no door {door} (there are: {" ".join(DOORS)})')
        self.name, self.door, self.apc = name, door, apc
        self.count = known[name]
        self.rooms = []
        self.sources = {}
        self.apc_seen = False

    # ---- the beginning

    def begins(self):
        """Sets the breakpoints where the call may begin."""
        stops = []
        for module in [*modules.loaded(), *modules.expected()]:
            if not module.name.startswith('ntdll') or not module.path:
                continue
            table = modules.table(module.path)
            for symbol in (self.name, *NTW_DOORS):
                at = table.address_of(symbol)
                if at is not None:
                    stops.append(Stop(at + module.shift, self.wanted(symbol)))
        return stops

    def wanted(self, symbol):
        def at_stub():
            if machine.ring() != 3:
                return False
            if symbol in NTW_DOORS:
                return self.door in (None, NTW_DOORS[symbol]) and \
                    self.is_service(machine.register('rcx'))
            return self.door in (None, self.door_of_stubs())
        return at_stub

    @staticmethod
    def door_of_stubs():
        """What the shared page makes the stubs of this thread take."""
        if machine.register('cs') == CODE32:
            target = modules.name_of(int.from_bytes(
                machine.read(explain.SHARED_SYSTEM_CALL_XP, 4), 'little'))
            return 'int2e' if 'KiIntSystemCall' in target else 'sysenter'
        return 'int2e' if machine.read(explain.SHARED_SYSTEM_CALL, 1)[0] & 1 \
            else 'syscall'

    def is_service(self, number):
        call = Call(number & 0xFFFFFFFF, kernel.thread())
        return call.routine is not None and \
            call.routine == modules.table(modules.kernel_path()).address_of(
                self.name)

    def find(self):
        """Runs the machine to the call."""
        stops = self.begins()
        try:
            machine.quietly('continue')
            if not any(stop.location and machine.register('rip') ==
                       int(stop.location[1:], 16) for stop in stops):
                raise Wrong('stopped elsewhere first: '
                            f'{modules.name_of(machine.register("rip"))}')
        finally:
            for stop in stops:
                if stop.is_valid():
                    stop.delete()

    # ---- the way

    def follow(self):
        self.find()
        self.house = House()
        self.stepper = Stepper()
        self.process = kernel.process()
        self.thread_value = kernel.thread()
        self.thread = kernel.address(self.thread_value)
        now = state()
        self.wide = now['cs'] != CODE32
        self.user_pointer = self.rsp = now['rsp']
        self.end = self.user_word(now['rsp'])
        self.user_stack = Stack(now['rsp'] + 8 * (2 + max(4, self.count)))
        if self.wide:
            self.name_arguments(now['rsp'])
        top = kernel.number(kernel.prcb()['RspBase'])
        self.kernel_stack = Stack(top)
        back = kernel.offset('KTRAP_FRAME', 'SegSs') + 8
        self.frame = top - back
        self.call = None
        self.enter(STUB, now)
        while True:
            self.step()
            now = state()
            if self.at_end(now):
                break
            place = self.house.place(now['rip'])
            number = self.number_of(place, now)
            if number != self.rooms[-1].number:
                self.leave(now)
                self.enter(number, now)
            if place.symbol == 'KiSwapContext':
                self.skip_switch()
        self.leave(now)
        return self

    def name_arguments(self, rsp):
        """The caller's stack at the first instruction of the stub.

        Of the NtwCall doors argument 1 is the number, 2 the service's first.
        """
        names = self.user_stack.names
        names[rsp] = 'return address'
        symbol = self.house.place(machine.register('rip')).symbol
        extra = symbol in NTW_DOORS
        for index in range(max(4, self.count + extra)):
            if index < 4:
                name = f'home of argument {index + 1}'
            else:
                name = f'argument {index + 1 - extra}'
            names[rsp + 8 * (index + 1)] = name

    def at_end(self, now):
        return now['rip'] == self.end and now['cs'] & 3 == 3 and \
            now['rsp'] > self.rsp

    def number_of(self, place, now):
        """Returns the room of the next instruction."""
        before = self.rooms[-1].number
        last = self.rooms[-1].last
        if now['cs'] & 3:
            return PROGRAM if place.room is None else place.room
        if before == SERVICE:
            if place.file.endswith('.asm') and (
                    place.room in (DISPATCH, EXIT)):
                return EXIT
            return SERVICE
        if before == DISPATCH and (
                last.name == 'call' and last.operands == 'r10' or
                place.symbol == self.name and last.name == 'call'):
            return SERVICE
        if before == EXIT and place.room == DISPATCH:
            return EXIT                 # the instructions behind the call
        if before == APC:
            return EXIT if place.room == EXIT else APC
        return before if place.room in (None, SERVICE) else place.room

    def step(self):
        room = self.rooms[-1]
        at = machine.register('rip')
        place = self.house.place(at)
        if place.symbol == 'KiDeliverApc' and room.number == APC:
            self.meet_apc(room)
        if room.number == EXIT and room.steps == 0 and self.apc:
            self.force_apc(room)
        if room.number == EXIT == place.room != room.place.room:
            room.place = place          # it began behind room 3's call
        in_code = place.file.endswith('.asm') or not place.kernel
        one, writes = self.stepper.step()
        room.last = one
        room.steps += 1
        for address, size, how in writes:
            if self.kernel_stack.has(address):
                room.deepest = min(room.deepest or address, address)
            for stack in (self.user_stack, self.kernel_stack):
                stack.wrote(address, size, room.index, 'the processor'
                            if how == 'int' else place.symbol, how,
                            len(room.code) if in_code else None)
        if in_code:
            self.add_code(room, one, place)
        else:
            self.add_call(room, one, place)
        if 'UserApcPendingAll' in self.source_line(one):
            room.pending = machine.read(
                self.thread + kernel.offset(
                    'KTHREAD', 'ApcState.UserApcPendingAll'), 1)[0]
        if room.number == SERVICE and room.steps > MOST_STEPS:
            self.run_service(room)

    def source_line(self, one):
        """Returns the line of assembly that an instruction is, or ''.

        Nor a line of a macro that has operands: they are the macro's.
        """
        if not one.file.endswith(('.asm', '.inc')) or not one.line:
            return ''
        if one.file not in self.sources:
            with open(os.path.join(ROOT, one.file),
                      encoding='utf-8') as file:
                self.sources[one.file] = file.read().splitlines()
        line = self.sources[one.file][one.line - 1].partition(';')[0]
        return '' if '%' in line else ' '.join(line.split())

    def add_code(self, room, one, place):
        """A line; what C changed since the line before counts as its own."""
        before, room.known = room.known, state()
        beyond = one.address - self.start_of(one.address)
        room.code.append({
            'address': f'{one.address:#018x}', 'bytes': one.bytes,
            'text': (one.prefix + ' ' if one.prefix else '') + one.name +
                    (' ' + one.operands if one.operands else ''),
            'label': f'{place.module}!{place.symbol}' if not beyond else '',
            'file': place.file, 'line': one.line if place.kernel else None,
            'source': self.source_line(one),
            'changed': {name: value for name, value in room.known.items()
                        if value != before[name]}})

    def start_of(self, address):
        module = self.house.module_at(address)
        return address - self.house.nearest(module, address)[1] \
            if module else address

    def add_call(self, room, one, place):
        if not room.calls:
            room.calls.append({'name': f'{place.module}!{place.symbol}',
                               'depth': 0, 'instructions': 0})
            room.open = [0]
        room.calls[room.open[-1]]['instructions'] += 1
        if one.name == 'call':
            target = self.house.place(machine.register('rip'))
            room.calls.append({'name': f'{target.module}!{target.symbol}',
                               'depth': len(room.open), 'instructions': 0})
            room.open.append(len(room.calls) - 1)
        elif one.name == 'ret' and len(room.open) > 1:
            room.open.pop()

    def run_service(self, room):
        """The rest of a long service at full speed."""
        back = self.service_return
        self.stepper.run_to(*back)
        room.stepped = False

    def skip_switch(self):
        """This thread waits: others run until it is back."""
        rsp = machine.register('rsp')
        self.stepper.run_to(machine.quad(rsp), rsp + 8)

    # ---- rooms begin and end

    def enter(self, number, now):
        place = self.house.place(now['rip'])
        room = Room(len(self.rooms), number, place, now)
        room.call = self.rooms[-1].call if self.rooms else None
        self.rooms.append(room)
        if number == DOOR:
            self.begin_door(room, place)
        elif number == SERVICE:
            rsp = now['rsp']
            self.service_return = machine.quad(rsp), rsp + 8
        elif number == STUB:
            room.back = bool(room.index) and (
                now['rip'] != self.start_of(now['rip']) or
                place.symbol == 'KiFastSystemCallRet')
        elif number == DISPATCHER:
            self.name_user_frame(now['rip'], now['rsp'])

    def begin_door(self, room, place):
        """The first instruction behind the door: what was called."""
        doors = {label: door for door, label in DOORS.items()}
        if place.symbol not in doors:
            raise Wrong(f'{place.symbol} is no door that walks know')
        if self.call is None:
            self.door = doors[place.symbol]
            self.call = self.call_of(room)
            self.call.arguments = self.read_arguments(room)
            for earlier in self.rooms:
                earlier.call = self.call
                if earlier is not room:
                    self.explain(earlier)
        else:
            room.call = self.call_of(room)
        if not self.kernel_stack.names:
            self.kernel_stack.name_structure(self.frame, 'KTRAP_FRAME')

    def call_of(self, room):
        number = room.before['rax']
        return Call(number, self.thread_value) if self.wide else \
            Call32(number)

    def user_word(self, address):
        return int.from_bytes(machine.read(address, 8 if self.wide else 4),
                              'little')

    def read_arguments(self, room):
        now = room.before
        if not self.wide:
            start = now['rdx'] + (8 if self.door == 'sysenter' else 0)
            return [self.user_word(start + 4 * index)
                    for index in range(self.count)]
        values = [now['r10'], now['rdx'], now['r8'], now['r9']]
        rsp = now['rsp'] if self.door == 'syscall' else self.user_rsp(now)
        for index in range(4, self.count):
            at = rsp + 8 * (index + 1)
            values.append(machine.quad(at))
        return values[:self.count]

    def user_rsp(self, now):
        if self.door == 'int2e':
            return machine.quad(now['rsp'] + 24)
        return now['r11']

    def leave(self, now):
        room = self.rooms[-1]
        room.after = now
        rsp = now['rsp']
        in_kernel = self.kernel_stack.has(rsp)
        if self.user_stack.has(rsp):
            self.user_pointer = rsp
        elif in_kernel:
            self.user_pointer = self.frame_field('Rsp')
            self.name_user_frame(self.frame_field('Rip'), self.user_pointer)
        room.stacks = {
            'user': self.picture(self.user_stack, self.user_pointer,
                                 rsp == self.user_pointer, None, room),
            'kernel': self.picture(self.kernel_stack,
                                   rsp if in_kernel else self.frame,
                                   in_kernel, room.deepest, room)
            if self.kernel_stack.names else None}
        if self.call is not None:
            self.explain(room)

    def explain(self, room):
        room.roles = explain.roles(self, room)
        room.decided = explain.decided(self, room)

    def picture(self, stack, pointer, current, deepest, room):
        return {'current': current, 'pointer': f'{pointer:#018x}',
                'top': f'{stack.top:#018x}',
                'slots': stack.rows(self.house, pointer, deepest,
                                    room.index)}

    def frame_field(self, name):
        return kernel.number(kernel.at(self.frame, 'KTRAP_FRAME')[name])

    # ---- user APCs

    def force_apc(self, room):
        """Lets a queued user APC run, as an alert would."""
        self.apc = False
        apcs = kernel.at(self.thread, 'KTHREAD')['ApcState']
        head = apcs['ApcListHead'][1]
        if kernel.number(head['Flink']) == kernel.address(head):
            raise Wrong('no user APC is queued to this thread')
        at = kernel.address(apcs['UserApcPendingAll'])
        flags = machine.read(at, 1)[0]
        pending = headers.constants(APC_HEADER)['USER_APC_PENDING']
        if not flags & pending:
            gdb.selected_inferior().write_memory(at, bytes([flags | pending]))
            room.forced = True

    def meet_apc(self, room):
        """At KiDeliverApc: the APC, and the KEXCEPTION_FRAME of the exit."""
        if room.apc is not None or self.apc_seen:
            return
        self.apc_seen = True
        head = kernel.at(self.thread, 'KTHREAD')['ApcState']['ApcListHead'][1]
        room.apc = kernel.number(head['Flink']) - kernel.offset(
            'KAPC', 'ApcListEntry')
        self.kernel_stack.name_structure(machine.register('rdx'),
                                         'KEXCEPTION_FRAME')

    def name_user_frame(self, rip, rsp):
        """What KiUserApcDispatcher will find, or finds, at rsp."""
        if rsp >= self.rsp or \
                self.house.place(rip).symbol != 'KiUserApcDispatcher':
            return
        for title, at in (('CONTEXT', 'head.context'),
                          ('CONTEXT_EX', 'head.context_ex'),
                          ('KCONTINUE_ARGUMENT', 'continue_argument'),
                          ('MACHINE_FRAME', 'machine_frame')):
            self.user_stack.name_structure(
                rsp + kernel.offset('user_apc_frame', at), title)
        parts = rsp + kernel.offset('user_apc_frame', 'head.context_ex')
        rest = kernel.at(parts, 'CONTEXT_EX')['XState']
        for at in range(0, int(rest['Length']), 8):
            self.user_stack.names.setdefault(
                parts + int(rest['Offset']) + at, f'XSTATE +{at:x}')

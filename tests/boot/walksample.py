"""walksample.py: a walk.json that no machine made.

    walk = sample()             NtClose by SYSCALL
    walk = sample(apc=True)     the same, with a user APC on the way back

What a page of a walk can show is in it: slots that rooms, the processor and
nobody wrote, a CONTEXT of 154 slots, functions instead of code, and strings
that would be HTML. Its instructions are a few of the real ones.
"""
REGISTERS = ('rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8',
             'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip', 'rflags')
SELECTORS = ('cs', 'ss', 'ds', 'es', 'fs', 'gs')
USER_TOP, USER_RSP = 0x7ffffffbfb40, 0x7ffffffbfae0
KERNEL_TOP = 0xfffff88000370c80
FRAME = KERNEL_TOP - 0x190
TEB, KPCR = 0x7fffffdb0000, 0xffffffff80159000
CODE = 0x1800010e0
ENTRY = 0xffffffff8010a000

# A KTRAP_FRAME's slots, from offset 0.
FIELDS = (['P1Home', 'P2Home', 'P3Home', 'P4Home', 'P5',
           'PreviousMode ... MxCsr', 'Rax', 'Rcx', 'Rdx', 'R8', 'R9', 'R10',
           'R11', 'GsBase']
          + [f'Xmm{n // 2}{"+8" if n % 2 else ""}' for n in range(12)]
          + ['FaultAddress', 'Dr0', 'Dr1', 'Dr2', 'Dr3', 'Dr6', 'Dr7',
             'DebugControl', 'LastBranchToRip', 'LastBranchFromRip',
             'LastExceptionToRip', 'LastExceptionFromRip', 'SegDs ... SegGs',
             'TrapFrame', 'Rbx', 'Rdi', 'Rsi', 'Rbp', 'ErrorCode', 'Rip',
             'SegCs', 'EFlags', 'Rsp', 'SegSs'])


def long(value):
    return f'0x{value & (1 << 64) - 1:016x}'


def short(value):
    return f'0x{value:04x}'


class Walker:
    """Executes what it is told, and keeps the rooms."""

    def __init__(self):
        self.state = dict.fromkeys(REGISTERS, 0)
        self.state |= dict.fromkeys(SELECTORS, 0)
        for index, name in enumerate(REGISTERS[:16]):
            self.state[name] = 0x0101010101010101 * (0xa0 + index)
        self.state |= {
            'rsp': USER_RSP, 'rcx': 0x1234, 'rip': CODE, 'rflags': 0x246,
            'cs': 0x2b, 'ss': 0x23, 'fs_base': 0, 'gs_base': TEB,
            'k_gs_base': KPCR, 'cr3': 0x4a2000, 'cr8': 0}
        self.saved = {'user': USER_RSP, 'kernel': KERNEL_TOP}
        self.slots = {}
        self.rooms = []
        self.label = ''
        for address in range(USER_RSP - 8, USER_TOP, 8):
            self.slots[address] = dict(value=0, name='', writer=None, by='',
                                       text='')
        for index, field in enumerate(FIELDS):
            self.slots[FRAME + 8 * index] = dict(
                value=0, name=f'KTRAP_FRAME.{field}', writer=None, by='',
                text='')

    def room(self, room, title, file, symbol, summary):
        self.end()
        self.label = symbol
        self.rooms.append({
            'index': len(self.rooms), 'room': room, 'title': title,
            'file': file, 'symbol': symbol, 'ring': 3, 'summary': summary,
            'instructions': 0, 'before': self.picture(), 'after': None,
            'changes': [], 'roles': {}, 'decided': [], 'code': [],
            'calls': [], 'stacks': None})

    def end(self):
        """What the room's end looks like."""
        if not self.rooms:
            return
        room = self.rooms[-1]
        room['ring'] = self.state['cs'] & 3
        room['after'] = self.picture()
        room['changes'] = [
            {'kind': 'selector' if name in SELECTORS else 'register',
             'what': name, 'before': room['before'][name],
             'after': room['after'][name], 'role': ''}
            for name in room['after']
            if room['before'][name] != room['after'][name]]
        room['stacks'] = {'user': self.stack('user'),
                          'kernel': self.stack('kernel')}

    def picture(self):
        return {name: short(value) if name in SELECTORS else long(value)
                for name, value in self.state.items()}

    def where(self):
        return 'kernel' if self.state['rsp'] >> 47 else 'user'

    def stack(self, which):
        addresses = [a for a in sorted(self.slots, reverse=True)
                     if (a >> 47 != 0) == (which == 'kernel')]
        return {
            'current': self.where() == which,
            'pointer': long(self.saved[which]),
            'top': long(addresses[0] + 8),
            'slots': [{'address': long(a), **self.slots[a],
                       'value': long(self.slots[a]['value'])}
                      for a in addresses]}

    def step(self, code, text, poke=(), by='', source='', **changed):
        """One instruction; poke: (address, value, name, text), ..."""
        room = self.rooms[-1]
        rip = self.state['rip']
        changed.setdefault('rip', rip + len(code) // 2)
        for address, value, name, words in poke:
            self.slots[address] = dict(
                value=value, name=name, writer=room['index'],
                by=by or room['symbol'], text=words,
                step=len(room['code']))
        self.state |= changed
        self.saved[self.where()] = self.state['rsp']
        room['code'].append({
            'address': long(rip), 'bytes': code, 'text': text,
            'label': self.label, 'file': room['file'],
            'line': 40 + len(room['code']), 'source': source,
            'changed': {name: self.picture()[name] for name in changed}})
        room['instructions'] += 1
        self.label = ''

    def push(self, code, text, value, name='', words='', **changed):
        rsp = self.state['rsp'] - 8
        if not name and rsp >= FRAME and self.where() == 'kernel':
            name = f'KTRAP_FRAME.{FIELDS[(rsp - FRAME) // 8]}'
        self.step(code, text, [(rsp, value, name, words)], rsp=rsp,
                  **changed)

    def field(self, field, value, code, text, words='', **changed):
        address = FRAME + 8 * FIELDS.index(field)
        self.step(code, text,
                  [(address, value, f'KTRAP_FRAME.{field}', words)],
                  **changed)

    def decide(self, kind, name, value, meaning):
        self.rooms[-1]['decided'].append(
            {'kind': kind, 'name': name, 'value': long(value),
             'meaning': meaning})

    def roles(self, **roles):
        self.rooms[-1]['roles'] = roles


def stub(walk, number, name):
    walk.room(1, 'The stub', 'ntdll-stub/amd64/stubs.asm', f'ntdll!{name}',
              'A C call becomes a service number in eax; argument 1 moves to'
              ' r10, for SYSCALL is about to overwrite rcx.')
    walk.push('ff15b21f0000', f'call [{name}]', 0x140001a2c, 'return address',
              'walk!main+0x1c', rip=CODE)
    walk.step('4c8bd1', 'mov r10,rcx', r10=walk.state['rcx'])
    walk.step(f'b8{number:02x}000000', f'mov eax,{number:#x}', rax=number)
    walk.step('f604250803fe7f01', 'test byte ptr [0x7ffe0308],0x1')
    walk.step('7503', 'jne ntdll!NtClose+0x15')
    walk.roles(rax='service number', r10='argument 1', rsp='return address')


def door(walk):
    state = walk.state
    walk.room(2, 'The door', 'arch/amd64/entry/syscall64.asm',
              'nt!KiSystemCall64',
              'The processor goes to LSTAR, in ring 0 and still on the'
              " program's stack. The door finds the kernel's gs and stack and"
              " puts the program's registers into a KTRAP_FRAME.")
    back = state['rip'] + 2
    walk.label = 'ntdll!NtClose+0x12'
    walk.step('0f05', 'syscall', rcx=back, r11=state['rflags'],
              rflags=0x46, cs=8, ss=0x10, rip=ENTRY)
    walk.label = 'nt!KiSystemCall64'
    walk.step('0f01f8', 'swapgs', gs_base=KPCR, k_gs_base=TEB)
    walk.step('654889242510000000', 'mov QWORD PTR gs:0x10,rsp',
              source='mov [PCR(UserRsp)], rsp')
    user = state['rsp']
    walk.step('65488b2425a8010000', 'mov rsp,gs:0x1a8', rsp=KERNEL_TOP)
    walk.push('6a23', 'push 0x23', 0x23, words='ring 3 data')
    walk.push('65ff342510000000', 'push qword ptr gs:0x10', user,
              words="the program's stack")
    walk.push('4153', 'push r11', state['r11'], words='IF ZF PF')
    walk.push('682b000000', 'push 0x5002b', 0x5002b, words='ring 3 code')
    walk.push('51', 'push rcx', back, words='ntdll!NtClose+0x14')
    walk.step('4c89d1', 'mov rcx,r10', rcx=state['r10'])
    walk.step('4883ec08', 'sub rsp,0x8', rsp=state['rsp'] - 8)
    walk.push('55', 'push rbp', state['rbp'])
    walk.step('4881ec58010000', 'sub rsp,0x158', rsp=FRAME)
    walk.step('488dac2480000000', 'lea rbp,[rsp+0x80]', rbp=FRAME + 0x80)
    for name in ('Rbx', 'Rdi', 'Rsi', 'Rax', 'Rcx', 'Rdx'):
        walk.field(name, state[name.lower()], '48899dc0000000',
                   f'mov [rbp{FIELDS.index(name) * 8 - 0x80:+#x}],'
                   f'{name.lower()}')
    walk.label = 'nt!KiSystemServiceUser'
    walk.field('PreviousMode ... MxCsr', 0x1f80_0200_0000_01 >> 0,
               'c645ab02', 'mov byte ptr [rbp-0x55],0x2', 'a service')
    walk.step('65488b1c2588010000', 'mov rbx,gs:0x188',
              rbx=0xfffff88000368030)
    walk.step('fb', 'sti', rflags=0x246)
    walk.decide('msr', 'LSTAR (C0000082)', ENTRY, 'rip = KiSystemCall64')
    walk.decide('msr', 'STAR (C0000081)', 0x001b000800000000,
                'cs = 8, ss = 10: ring 0')
    walk.decide('msr', 'FMASK (C0000084)', 0x44700,
                'TF, IF, DF, NT and AC are cleared')
    walk.decide('kpcr', 'KPRCB.RspBase (gs:[1A8])', KERNEL_TOP,
                "rsp = the thread's kernel stack")
    walk.roles(rax='service number', rbx='KTHREAD', rbp='frame + 80h',
               rsp='KTRAP_FRAME', rcx='argument 1', r11='user flags')


def dispatch(walk, name):
    state = walk.state
    walk.room(3, 'From a number to a routine',
              'arch/amd64/entry/dispatch.asm', 'nt!KiSystemServiceStart',
              'Bit 12 of the number chooses the table, the lower twelve the'
              ' entry; the entry is a distance and a count of arguments.')
    walk.step('4889a390000000', 'mov [rbx+0x90],rsp')
    walk.step('89c7', 'mov edi,eax', rdi=state['rax'])
    walk.step('c1ef07', 'shr edi,0x7', rdi=0)
    walk.step('83e720', 'and edi,0x20', rflags=0x246)
    walk.step('25ff0f0000', 'and eax,0xfff')
    walk.label = 'nt!KiSystemServiceRepeat'
    walk.step('4c8d15c49e0300', 'lea r10,[nt!KeServiceDescriptorTable]',
              r10=0xffffffff801441a0)
    walk.step('4d631c82', 'movsxd r11,dword ptr [r10+rax*4]',
              r11=0xffffffffffe1df00)
    walk.step('4c89d8', 'mov rax,r11', rax=0xffffffffffe1df00)
    walk.step('49c1fb04', 'sar r11,0x4', r11=0xfffffffffffe1df0)
    walk.step('4d01da', 'add r10,r11', r10=0xffffffff80125f90)
    walk.step('83e00f', 'and eax,0xf', rax=0)
    walk.label = 'nt!KiSystemServiceCopyEnd'
    walk.step('0f01ca', 'clac')
    back = state['rip'] + 3
    walk.step('41ffd2', 'call r10',
              [(state['rsp'] - 8, back, 'return address',
                'nt!KiSystemServiceCopyEnd+0x16')],
              rsp=state['rsp'] - 8, rip=0xffffffff80125f90)
    walk.decide('ssdt', f'KiServiceTable[0F], {name}', 0xffe1df00,
                'FFE1DF00 >> 4 = -1E210: ffffffff801441a0 - 1E210 ='
                f' {name}; 0 stack arguments')
    walk.roles(rcx='argument 1', r10='routine', rbx='KTHREAD',
               rbp='frame + 80h')


def work(walk, name, file, status):
    state = walk.state
    walk.room(4, 'The work', file, f'nt!{name}',
              'An ordinary C function. It looks for a handle <b>1234</b>'
              ' & finds none.')
    top = state['rsp']
    for index in range(1, 9):
        walk.slots[top - 8 * index] = dict(
            value=index * 0x1111, name='', writer=walk.rooms[-1]['index'],
            by=f'nt!{name}', text='nt!ObpLookup+0x2a' if index == 4 else '')
    room = walk.rooms[-1]
    room['instructions'] = 71
    room['calls'] = [
        {'name': f'nt!{name}', 'depth': 0, 'instructions': 21},
        {'name': 'nt!ObpReferenceHandle', 'depth': 1, 'instructions': 32},
        {'name': 'nt!ExpLookup<T>', 'depth': 2, 'instructions': 12},
        {'name': 'nt!KeLeaveCriticalRegion', 'depth': 1, 'instructions': 6}]
    walk.state |= {'rax': status, 'rsp': state['rsp'] + 8, 'rcx': 3,
                   'rdx': 0, 'r8': 0x40, 'rip': 0xffffffff8010a416}
    walk.saved['kernel'] = walk.state['rsp']
    walk.roles(rax='status')


def leave(walk, apc=False):
    walk.room(5, 'The way out', 'arch/amd64/entry/exit.asm',
              'nt!KiSystemServiceExit',
              'Checks that the service left things as they were, looks for'
              ' user APCs, and gives the frame back to the processor.')
    walk.step('488b9dc0000000', 'mov rbx,[rbp+0xc0]',
              rbx=0xa1a1a1a1a1a1a1a1)
    walk.step('654c8b1c2588010000', 'mov r11,QWORD PTR gs:0x188',
              r11=0xfffff88000368030)
    walk.step('440f20c1', 'mov rcx,cr8', rcx=0)
    walk.step('fa', 'cli', rflags=0x46)
    walk.step('41f683c200000003', 'test BYTE PTR [r11+0xc2],0x3')
    walk.roles(rax='status', r11='KTHREAD', rbp='frame + 80h')
    walk.decide('kthread', 'KTHREAD.ApcState.UserApcPendingAll',
                2 if apc else 0,
                'a user APC is pending' if apc else 'no user APC is pending')
    if apc:
        walk.step('756a', 'jne nt!user_apc', rip=0xffffffff8010b038)
        return
    slot = {field: walk.slots[FRAME + 8 * FIELDS.index(field)]['value']
            for field in ('Rip', 'Rsp', 'Rbp', 'EFlags')}
    walk.step('4531d2', 'xor r10d,r10d', r10=0)
    walk.step('4c8b8500010000', 'mov r8,[rbp+0x100]', r8=slot['Rsp'])
    walk.step('4c8b8dd8000000', 'mov r9,[rbp+0xd8]', r9=slot['Rbp'])
    walk.step('488b8de8000000', 'mov rcx,[rbp+0xe8]', rcx=slot['Rip'])
    walk.step('448b9df8000000', 'mov r11d,[rbp+0xf8]', r11=slot['EFlags'])
    walk.step('4c89cd', 'mov rbp,r9', rbp=slot['Rbp'])
    walk.saved['kernel'] = KERNEL_TOP
    walk.step('4c89c4', 'mov rsp,r8', rsp=slot['Rsp'])
    walk.step('0f01f8', 'swapgs', gs_base=TEB, k_gs_base=KPCR)
    walk.step('480f07', 'sysret', rip=slot['Rip'], rflags=slot['EFlags'],
              cs=0x2b, ss=0x23)
    walk.decide('msr', 'STAR (C0000081)', 0x001b000800000000,
                'cs = 1B + 10, ss = 1B + 8: ring 3')
    walk.roles(rax='status', rcx='return address', r11='user flags',
               r8='rsp', r9='rbp')


def deliver(walk):
    walk.room(6, 'A user APC', 'kernel/ke/deliver.c', 'nt!KiDeliverApc',
              'One user APC is taken off the queue; all that the program had'
              ' is written onto its own stack.')
    room = walk.rooms[-1]
    base = walk.saved['user'] - 0x6a8
    index = room['index']
    names = ([f'CONTEXT.{n}' for n in ('P1Home', 'P2Home', 'P3Home', 'P4Home',
                                       'P5Home', 'P6Home')]
             + [f'CONTEXT.{n:02x}' for n in range(0x30, 0x4d0, 8)]
             + [f'CONTEXT_EX+{n:x}' for n in range(0, 0x20, 8)]
             + [f'KCONTINUE_ARGUMENT+{n:x}' for n in range(0, 0x20, 8)]
             + [f'MACHINE_FRAME.{n}' for n in ('Rip', 'SegCs', 'EFlags',
                                               'Rsp', 'SegSs')])
    for number in range(0, walk.saved['user'] - base, 8):
        slot = number // 8
        named = slot < len(names)
        walk.slots[base + number] = dict(
            value=number * 0x101, name=names[slot] if named else '',
            writer=index if named else None,
            by='nt!KiInitializeUserApc' if named else '', text='')
    room['instructions'] = 412
    room['calls'] = [
        {'name': 'nt!KiInitiateUserApc', 'depth': 0, 'instructions': 40},
        {'name': 'nt!KiDeliverApc', 'depth': 1, 'instructions': 92},
        {'name': 'nt!KiInitializeUserApc', 'depth': 2, 'instructions': 280}]
    walk.field('Rip', 0x180001b40, '', '', 'ntdll!KiUserApcDispatcher')
    walk.field('Rsp', base, '', '', 'the CONTEXT')
    room['code'] = []
    room['instructions'] = 412
    walk.saved['user'] = base
    walk.state |= {'cr8': 0, 'rax': 0, 'rip': 0xffffffff8010afc3}
    walk.roles(rbp='frame + 80h')


def dispatcher(walk):
    state = walk.state
    walk.room(7, 'The dispatcher', 'ntdll-stub/amd64/dispatch.asm',
              'ntdll!KiUserApcDispatcher',
              'Nobody called, so there is no return address: rsp points to'
              ' the CONTEXT.')
    walk.step('488b0c24', 'mov rcx,[rsp]', rcx=1)
    walk.step('488b542408', 'mov rdx,[rsp+0x8]', rdx=0x22)
    walk.step('4c8b442410', 'mov r8,[rsp+0x10]', r8=0x333)
    walk.step('4989e1', 'mov r9,rsp', r9=state['rsp'])
    walk.push('ff542418', 'call [rsp+0x18]', state['rip'] + 4,
              'return address', 'ntdll!KiUserApcDispatcher+0x15',
              rip=0x140004850)
    walk.room(0, 'The APC routine', 'programs/walk/main.c', 'walk!routine',
              'The program itself.')
    walk.step('b801000000', 'mov eax,0x1', rax=1)
    walk.step('c3', 'ret', rsp=state['rsp'] + 8, rip=0x180001b55)


def call(walk, number, name, file, status, apc=False):
    stub(walk, number, name)
    door(walk)
    dispatch(walk, name)
    work(walk, name, file, status)
    leave(walk, apc)


def sample(apc=False, **header):
    walk = Walker()
    if apc:
        call(walk, 0xf, 'NtClose', 'kernel/ob/close.c', 0xc0000008, True)
        deliver(walk)
        leave(walk)
        dispatcher(walk)
        call(walk, 0xa5, 'NtContinueEx', 'arch/amd64/entry/continue.asm', 0)
    else:
        call(walk, 0xf, 'NtClose', 'kernel/ob/close.c', 0xc0000008)
    walk.room(1, 'Back in the stub', 'ntdll-stub/amd64/stubs.asm',
              'ntdll!NtClose', 'The stub returns what is in eax.')
    walk.step('c3', 'ret', rsp=walk.state['rsp'] + 8, rip=0x140001a2c)
    walk.room(0, 'The program', 'programs/walk/main.c', 'walk!main',
              'The caller looks at the status.')
    walk.step('3d080000c0', 'cmp eax,0xc0000008', rflags=0x246)
    walk.end()
    return {
        'schema': 1, 'call': 'NtClose', 'door': 'syscall', 'apc': apc,
        'firmware': 'BIOS', 'loader': 'GRUB 2.06', 'cpu': 'intel',
        'process': {'name': 'walk.exe', 'pid': 28},
        'thread': {'tid': 32, 'address': '0xfffff88000368030'},
        'number': long(0xf),
        'arguments': [{'name': 'Handle', 'value': long(0x1234)}],
        'status': long(0xc0000008), 'status_name': 'STATUS_INVALID_HANDLE',
        'instructions': sum(room['instructions'] for room in walk.rooms),
        'rooms': walk.rooms, **header}

"""threads.py: nt process, thread: processes and threads as WinDbg lists them.
"""
import gdb

from . import expression, kernel, machine, modules, objects
from .command import Command, Wrong, say

TICKS_PER_SECOND = 64
WAITING = 5                             # KTHREAD.State
ALL_WAIT = 0                            # KWAIT_BLOCK.WaitType
MISC_FLAGS_ALERTABLE = 0x10             # KTHREAD.MiscFlags
OBJECT_TYPE = 0x7F                      # of DISPATCHER_HEADER.Type


def word_of(kind, number):
    """Returns the name of an enumeration's value, as the kernel has it."""
    return str(gdb.Value(number).cast(kernel.type_of(kind)))


def duration(ticks):
    """Returns clock ticks as hh:mm:ss.mmm."""
    thousandths = ticks * 1000 // TICKS_PER_SECOND
    minutes, thousandths = divmod(thousandths, 60000)
    return (f'{minutes // 60:02}:{minutes % 60:02}:'
            f'{thousandths // 1000:02}.{thousandths % 1000:03}')


def all_threads():
    """Yields every ETHREAD that a process has."""
    for owner in kernel.processes():
        yield from kernel.threads(owner)


def thread_with(wanted):
    """Returns the ETHREAD with a thread id, or at an address."""
    for one in all_threads():
        if wanted in (kernel.tid(one), kernel.address(one)):
            return one
    idle = kernel.number(kernel.prcb()['IdleThread'])
    if wanted == idle:
        return kernel.at(idle, 'ETHREAD')
    raise Wrong(f'no thread {wanted:x} (nt process 0 7 lists them)')


def owner_of(tcb):
    return kernel.at(kernel.number(tcb['Process']), 'EPROCESS')


def state(tcb):
    """Returns RUNNING, WAIT: (UserRequest) UserMode Alertable, ..."""
    value = kernel.number(tcb['State'])
    word = word_of('_KTHREAD_STATE', value)
    if value != WAITING:
        return word.upper()
    reason = word_of('_KWAIT_REASON', kernel.number(tcb['WaitReason']))
    mode = 'UserMode' if kernel.number(tcb['WaitMode']) else 'KernelMode'
    alertable = kernel.number(tcb['MiscFlags']) & MISC_FLAGS_ALERTABLE
    return f'WAIT: ({reason}) {mode} ' \
           f'{"Alertable" if alertable else "Non-Alertable"}'


def dispatcher_name(address):
    """Returns NotificationEvent, Mutant - owning thread ..., and a name."""
    header = kernel.at(address, 'DISPATCHER_HEADER')
    kind = word_of('_KOBJECTS', kernel.number(header['Type']) & OBJECT_TYPE)
    kind = kind.removesuffix('Object')
    for front in ('Event', 'Timer'):
        if kind.startswith(front) and kind != front:
            kind = kind.removeprefix(front) + front
    if kind == 'Mutant':
        owner = kernel.number(kernel.at(address, 'KMUTANT')['OwnerThread'])
        kind += f' - owning thread {owner:x}' if owner else ' - not owned'
    if kind == 'Thread':
        kind += f' {kernel.tid(kernel.at(address, "ETHREAD")):x}'
    if kind == 'Process':
        kind += f' {kernel.pid(kernel.at(address, "EPROCESS")):x}'
    type_name = objects.type_of(address)
    name = objects.name_of(address) if type_name else ''
    return kind + (f'  "{name}"' if name else '')


def wait_blocks(tcb):
    """Yields the KWAIT_BLOCKs of a waiting thread."""
    first = kernel.number(tcb['WaitBlockList'])
    for index in range(kernel.number(tcb['WaitBlockCount'])):
        yield kernel.at(first + index *
                        kernel.type_of('KWAIT_BLOCK').sizeof, 'KWAIT_BLOCK')


def show_waits(tcb, indent):
    blocks = list(wait_blocks(tcb))
    if len(blocks) > 1:
        every = kernel.number(blocks[0]['WaitType']) == ALL_WAIT
        say(f'{indent}for {"all" if every else "any"} of:')
    for block in blocks:
        where = kernel.number(block['Object'])
        say(f'{indent}{where:016x}  {dispatcher_name(where)}')


def symbol(address):
    """Returns nt!routine (0123456789abcdef), or the address."""
    name = modules.stack_text(address)
    return f'{name} ({address:016x})' if name else f'{address:016x}'


def pending_apcs(tcb):
    """Returns how many APCs wait, of both modes."""
    lists = tcb['ApcState']['ApcListHead']
    return [sum(1 for _ in kernel.entries(lists[mode], 'KAPC',
                                          'ApcListEntry'))
            for mode in (0, 1)]


def show_line(one, indent=''):
    tcb = one['Tcb']
    process, thread = (kernel.number(one['Cid'][part]) for part in
                       ('UniqueProcess', 'UniqueThread'))
    say(f'{indent}THREAD {kernel.address(one):016x}  Cid {process:04x}.'
        f'{thread:04x}  Teb: {kernel.number(tcb["Teb"]):016x} Win32Thread: '
        f'{kernel.number(tcb["Win32Thread"]):016x} {state(tcb)}')


def show(one, indent=''):
    tcb = one['Tcb']
    show_line(one, indent)
    inner = indent + '    '

    def row(name, value):
        say(f'{inner}{name:<25} {value}')

    if kernel.number(tcb['State']) == WAITING:
        show_waits(tcb, inner)
    owner = owner_of(tcb)
    row('Owning Process', f'{kernel.address(owner):016x}  Image: '
        f'{kernel.image_name(owner)}')
    attached = kernel.number(tcb['ApcState']['Process'])
    if attached != kernel.address(owner):
        row('Attached Process', f'{attached:016x}')
    row('Wait Start TickCount', f'{kernel.number(tcb["WaitTime"])}')
    row('Context Switch Count', f'{kernel.number(tcb["ContextSwitches"])}')
    row('UserTime', duration(kernel.number(tcb['UserTime'])))
    row('KernelTime', duration(kernel.number(tcb['KernelTime'])))
    if start := kernel.number(one['Win32StartAddress']):
        row('Win32 Start Address', symbol(start))
    elif start := kernel.number(one['StartAddress']):
        row('Start Address', symbol(start))
    say(f'{inner}Stack Init {kernel.number(tcb["InitialStack"]):016x} '
        f'Current {kernel.number(tcb["KernelStack"]):016x}')
    say(f'{inner}Base {kernel.number(tcb["StackBase"]):016x} Limit '
        f'{kernel.number(tcb["StackLimit"]):016x}')
    say(f'{inner}Priority {int(tcb["Priority"])} BasePriority '
        f'{int(tcb["BasePriority"])} PriorityDecrement '
        f'{int(tcb["PriorityDecrement"])} Quantum target '
        f'{kernel.number(tcb["QuantumTarget"]):x} of '
        f'{kernel.number(tcb["CycleTime"]):x} cycles')
    row('TrapFrame', f'{kernel.number(tcb["TrapFrame"]):016x}')
    kernel_apcs, user_apcs = pending_apcs(tcb)
    row('Pending APCs', f'{kernel_apcs} kernel, {user_apcs} user')
    if count := int(tcb['SuspendCount']):
        row('SuspendCount', f'{count}')


class Thread(Command):
    name = 'thread'
    windbg = '!thread'
    usage = '[ADDRESS | TID]'
    summary = 'a thread: state, what it waits for, priority, stack, APCs'
    help = 'Without a word: the one that runs. nt k ADDRESS shows its stack.'
    most = 1

    def run(self, words):
        show(thread_with(expression.value(words[0])) if words
             else kernel.thread())


# ---- processes


def show_process(owner):
    pcb = owner['Pcb']
    say(f'PROCESS {kernel.address(owner):016x}')
    parent = kernel.number(owner['InheritedFromUniqueProcessId'])
    say(f'    SessionId: none  Cid: {kernel.pid(owner):04x}    Peb: '
        f'{kernel.number(owner["Peb"]):016x}  ParentCid: {parent:04x}')
    say(f'    DirBase: {kernel.number(pcb["DirectoryTableBase"]):08x}  '
        f'UserDirBase: {kernel.number(pcb["UserDirectoryTableBase"]):08x}  '
        f'ObjectTable: {kernel.number(owner["ObjectTable"]):016x}  '
        f'HandleCount: {objects.handle_count(owner):3}.')
    say(f'    Image: {kernel.image_name(owner)}')


def show_memory(owner):
    def row(name, value):
        say(f'    {name:<33} {value}')

    say(f'    VadRoot {kernel.number(owner["VadRoot"]):016x} Vads '
        f'{kernel.number(owner["VadCount"])} Private '
        f'{kernel.number(owner["NumberOfPrivatePages"])}.')
    times = owner['Pcb']
    row('UserTime', duration(kernel.number(times['UserTime'])))
    row('KernelTime', duration(kernel.number(times['KernelTime'])))
    if wow := kernel.number(owner['WoW64Process']):
        peb = kernel.number(kernel.at(wow, '_EWOW64PROCESS')['Peb'])
        row('Wow64 Peb', f'{peb:08x}')
    row('VirtualSize', f'{kernel.number(owner["VirtualSize"]) >> 10} KB')
    row('PageFaultCount', kernel.number(owner['Vm']['PageFaultCount']))
    row('BasePriority', int(times['BasePriority']))
    row('WorkingSet', f'{kernel.number(owner["Vm"]["WorkingSetSize"])} '
        'pages')
    row('CommitCharge', f'{kernel.number(owner["CommitCharge"])} pages')


class Process(Command):
    name = 'process'
    windbg = '!process'
    usage = '[0 | -1 | PID | ADDRESS] [FLAGS]'
    summary = 'the processes, or one with its threads'
    help = ('0: all, one after another; -1 or nothing: the one whose '
            'addresses are seen.\nFLAGS, hexadecimal: 1 memory and times, 2 '
            'the threads and what they wait for,\n4 the threads in full. '
            'Without FLAGS: 0 for all, 7 for one.')
    most = 2

    def run(self, words):
        flags = expression.value(words[1]) if len(words) > 1 else None
        if words and words[0] == '0':
            machine.connection()
            say('**** NT ACTIVE PROCESS DUMP ****')
            for owner in kernel.processes():
                self.show(owner, flags or 0)
            return
        owner = kernel.process() if not words or words[0] == '-1' else \
            kernel.process_with(expression.value(words[0]))
        self.show(owner, 7 if flags is None else flags)

    def show(self, owner, flags):
        show_process(owner)
        if flags & 1:
            show_memory(owner)
        if flags & 6:
            say()
            for one in kernel.threads(owner):
                if flags & 4:
                    show(one, '        ')
                else:
                    show_line(one, '        ')
                    if kernel.number(one['Tcb']['State']) == WAITING:
                        show_waits(one['Tcb'], '            ')
        say()

    def choices(self, words):
        if words:
            return []
        return ['0', '-1'] + [f'{kernel.pid(owner):x}'
                              for owner in kernel.processes()]


COMMANDS = (Process, Thread)

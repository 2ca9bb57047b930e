"""queues.py: nt apc, dpcs, ready, timer: what waits for its turn."""
from . import expression, headers, kernel, machine, modules, threads
from .command import Command, say

PRIORITIES = 32
TIMER_LISTS = 256
IMPORTANCES = '_KDPC_IMPORTANCE'
UNITS_PER_MS = 10000                    # of interrupt time: 100 ns


# ---- APCs


def show_apc(apc, indent):
    mode = 'UserMode' if kernel.number(apc['ApcMode']) else 'KernelMode'
    say(f'{indent}KAPC @ {kernel.address(apc):016x}  '
        f'{kind_of(apc)}  {mode}  Inserted '
        f'{kernel.number(apc["Inserted"])}')
    for name in ('KernelRoutine', 'RundownRoutine', 'NormalRoutine'):
        routine = kernel.number(apc[name])
        say(f'{indent}  {name:<16}'
            f'{threads.symbol(routine) if routine else "none"}')
    say(f'{indent}  NormalContext   {kernel.number(apc["NormalContext"]):x}, '
        f'SystemArgument1 {kernel.number(apc["SystemArgument1"]):x}, '
        f'SystemArgument2 {kernel.number(apc["SystemArgument2"]):x}')


def kind_of(apc):
    normal = kernel.number(apc['NormalRoutine'])
    user = kernel.number(apc['ApcMode'])
    if user:
        return 'user APC'
    return 'normal kernel APC' if normal else 'special kernel APC'


def show_thread(one, even_empty):
    tcb = one['Tcb']
    state = tcb['ApcState']
    queues = [list(kernel.entries(state['ApcListHead'][mode], 'KAPC',
                                  'ApcListEntry')) for mode in (0, 1)]
    if not even_empty and not any(queues):
        return 0
    say(f'Thread {kernel.address(one):016x} ApcStateIndex '
        f'{kernel.number(tcb["ApcStateIndex"])}  KernelApcPending '
        f'{kernel.number(state["KernelApcPending"])}  UserApcPendingAll '
        f'{kernel.number(state["UserApcPendingAll"]):x}  InProgress '
        f'{kernel.number(state["InProgressFlags"]):x}')
    say(f'  KernelApcDisable {int(tcb["KernelApcDisable"])}  '
        f'SpecialApcDisable {int(tcb["SpecialApcDisable"])}')
    for mode, queue in zip(('KERNEL', 'USER'), queues):
        head = state['ApcListHead'][mode == 'USER']
        say(f'  ApcListHead {kernel.address(head):016x} [{mode}]'
            f'{"" if queue else "  (empty)"}')
        for apc in queue:
            show_apc(apc, '    ')
    return sum(map(len, queues))


class Apc(Command):
    name = 'apc'
    windbg = '!apc'
    usage = '[THREAD]'
    summary = 'the APCs that wait, of a thread or of all'
    help = 'THREAD is a thread id or the address of an ETHREAD.'
    most = 1

    def run(self, words):
        if words:
            show_thread(threads.thread_with(expression.value(words[0])),
                        True)
            return
        machine.connection()
        say('*** Enumerating APCs in all processes')
        count = 0
        for owner in kernel.processes():
            for one in kernel.threads(owner):
                count += show_thread(one, False)
        if not count:
            say('No thread has an APC waiting.')


# ---- DPCs


class Dpcs(Command):
    name = 'dpcs'
    windbg = '!dpcs'
    summary = 'the DPCs that wait, and the one that runs'
    most = 0

    def run(self, words):
        prcb = kernel.prcb()
        number = kernel.number(prcb['Number'])
        data = prcb['DpcData'][0]
        say(f'CPU Importance    KDPC               Function    (depth '
            f'{int(data["DpcQueueDepth"])}, {kernel.number(data["DpcCount"])}'
            ' queued so far)')
        if active := kernel.number(data['ActiveDpc']):
            self.show(number, active, 'runs')
        link = kernel.number(data['DpcList']['ListHead']['Next'])
        if not link and not active:
            say('No DPC waits.')
        back = kernel.offset('KDPC', 'DpcListEntry')
        while link:
            self.show(number, link - back, None)
            link = machine.quad(link)

    def show(self, number, where, word):
        dpc = kernel.at(where, 'KDPC')
        importance = word or threads.word_of(
            IMPORTANCES, kernel.number(dpc['Importance'])).removesuffix(
                'Importance')
        routine = kernel.number(dpc['DeferredRoutine'])
        say(f'{number:2x}: {importance:<13} {where:016x}   '
            f'{threads.symbol(routine)}')


# ---- ready threads


class Ready(Command):
    name = 'ready'
    windbg = '!ready'
    summary = 'the threads that wait for the processor, by priority'
    most = 0

    def run(self, words):
        prcb = kernel.prcb()
        number = kernel.number(prcb['Number'])
        found = False
        for priority in reversed(range(PRIORITIES)):
            head = prcb['DispatcherReadyListHead'][priority]
            rows = list(kernel.entries(head, 'KTHREAD', 'WaitListEntry'))
            if rows:
                found = True
                say(f'Processor {number:x}: Ready Threads at priority '
                    f'{priority}')
            for tcb in rows:
                threads.show_line(kernel.at(kernel.address(tcb), 'ETHREAD'),
                                  '    ')
        link = kernel.number(prcb['DeferredReadyListHead']['Next'])
        back = kernel.offset('KTHREAD', 'QueueListEntry')
        while link:
            found = True
            say(f'Processor {number:x}: Deferred')
            threads.show_line(kernel.at(link - back, 'ETHREAD'), '    ')
            link = machine.quad(link)
        if not found:
            say(f'Processor {number:x}: No threads in READY state')


# ---- timers


def interrupt_time():
    shared = headers.constants(headers.SHARED_PAGE)['KI_USER_SHARED_DATA']
    return machine.quad(shared + kernel.offset('KUSER_SHARED_DATA',
                                               'InterruptTime'))


def timers(table):
    """Yields (row, list, KTIMER) of the timers that are set."""
    for row in (0, 1):
        for index in range(TIMER_LISTS):
            head = table['TimerEntries'][row][index]['Entry']
            for timer in kernel.entries(head, 'KTIMER', 'TimerListEntry'):
                yield row, index, timer


class Timer(Command):
    name = 'timer'
    windbg = '!timer'
    summary = 'the timers that are set: when they are due, and for whom'
    help = ('L and H: the near and the far half of the table. Periods are in '
            'ms.')
    most = 0

    def run(self, words):
        now = interrupt_time()
        say(f'Interrupt time: {now:016x}')
        say('List   Timer             Due               in ms       DPC or '
            'thread')
        rows = sorted(timers(kernel.prcb()['TimerTable']),
                      key=lambda row: kernel.number(row[2]['DueTime']))
        for row, index, timer in rows:
            due = kernel.number(timer['DueTime'])
            period = kernel.number(timer['Period'])
            say(f'{"LH"[row]} {index:3x}  {kernel.address(timer):016x}  '
                f'{due:016x}  {(due - now) / UNITS_PER_MS:10.3f}  '
                f'{self.purpose(timer)}'
                f'{f"  every {period}" if period else ""}')
        say(f'Total Timers: {len(rows)}')

    def purpose(self, timer):
        if dpc := kernel.number(timer['Dpc']):
            routine = kernel.number(kernel.at(dpc, 'KDPC')
                                    ['DeferredRoutine'])
            return f'DPC {threads.symbol(routine)}'
        where = kernel.address(timer)
        for one in threads.all_threads():
            if where == kernel.address(one['Tcb']['Timer']):
                return f'thread {kernel.address(one):016x}'
        name = modules.stack_text(where)
        return name or threads.dispatcher_name(where)


COMMANDS = (Apc, Dpcs, Ready, Timer)

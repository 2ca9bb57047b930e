"""stack.py: nt k, .trap: stacks, through trap frames into ring 3."""
import gdb

from . import expression, kernel, machine, modules, threads, unwind
from .command import Command, Wrong, say

MOST_FRAMES = 100
SERVICE = 2                             # KTRAP_FRAME.ExceptionActive
KINDS = ('interrupt', 'exception', 'service')
# What a service's frame has; the rest is the kernel's to lose.
KEPT_BY_SERVICE = ('Rbx', 'Rdi', 'Rsi', 'Rbp', 'Rsp', 'Rip')
ROWS = (('Rax', 'Rbx', 'Rcx'), ('Rdx', 'Rsi', 'Rdi'),
        ('Rip', 'Rsp', 'Rbp'), ('R8', 'R9', 'R10'), ('R11',))
FLAGS = ((11, 'ov', 'nv'), (10, 'dn', 'up'), (9, 'ei', 'di'),
         (7, 'ng', 'pl'), (6, 'zr', 'nz'), (4, 'ac', 'na'), (2, 'po', 'pe'),
         (0, 'cy', 'nc'))


def number(frame, name):
    return unwind.unsigned(frame.read_register(name))


def trap_frame_of(frame):
    """Returns the KTRAP_FRAME that a frame without code stands for."""
    return number(frame, 'rsp') - kernel.offset('KTRAP_FRAME', 'Rip')


def walk():
    """Yields the frames that gdb finds, until it finds no more."""
    machine.connection()
    frame = gdb.newest_frame()
    for _ in range(MOST_FRAMES):
        if frame is None:
            return
        yield frame
        try:
            frame = frame.older()
        except gdb.error:
            return


def place(frame):
    sal = frame.find_sal()
    if sal.symtab is None or not sal.line:
        return ''
    return f' [{sal.symtab.filename} @ {sal.line}]'


def show_stack():
    """Prints the stack from the processor's registers."""
    frames = list(walk())
    say(' # Child-SP          RetAddr               Call Site')
    index = 0
    for at, frame in enumerate(frames):
        pc = int(frame.pc())
        if pc == unwind.TRAPPED_PC:
            say(f'    (TrapFrame @ {trap_frame_of(frame):016x})')
            continue
        if pc == unwind.SWITCHED_PC:
            say('    (another stack)')
            continue
        if not pc and at:
            return
        if frame.type() == gdb.INLINE_FRAME:
            say(f'{index:02x} (Inline Function)  ----------------      '
                f'{modules.module_at(pc).name}!{frame.name()}'
                f'{place(frame)}')
            index += 1
            continue
        older = [int(one.pc()) for one in frames[at + 1:]
                 if int(one.pc()) < unwind.TRAPPED_PC]
        name = modules.stack_text(pc) or f'0x{pc:x}'
        say(f'{index:02x} {number(frame, "rsp"):016x}  '
            f'{older[0] if older else 0:016x}      {name}{place(frame)}')
        index += 1


class asleep:
    """with asleep(thread): the processor's registers are a thread's that
    does not run: as if it had just been switched to.
    """

    NAMES = ('rip', 'rsp', 'cr3')

    def __init__(self, one):
        tcb = one['Tcb']
        switch = kernel.number(tcb['KernelStack'])
        root = kernel.at(kernel.number(tcb['ApcState']['Process']),
                         'KPROCESS')['DirectoryTableBase']
        back = kernel.number(kernel.at(switch, 'KSWITCH_FRAME')['Return'])
        self.wanted = {'rip': back, 'cr3': kernel.number(root),
                       'rsp': switch + kernel.offset('KSWITCH_FRAME',
                                                     'Return') + 8,
                       'rbp': kernel.number(kernel.at(
                           switch, 'KSWITCH_FRAME')['Rbp'])}

    def __enter__(self):
        self.before = machine.registers(list(self.wanted))
        self.set(self.wanted)

    def __exit__(self, *_):
        self.set(self.before)

    def set(self, values):
        for name, value in values.items():
            machine.set_register(name, value)


class K(Command):
    name = 'k'
    windbg = 'k'
    usage = '[THREAD]'
    summary = 'the stack, through trap frames into ring 3'
    help = ('THREAD is a thread id or the address of an ETHREAD; without it, '
            'what runs.\ngdb\'s own backtrace, up, frame and finish know the '
            'same frames.')
    most = 1

    def run(self, words):
        one = threads.thread_with(expression.value(words[0])) if words \
            else None
        if one is None or kernel.address(one) == \
                kernel.address(kernel.thread()):
            show_stack()
            return
        if not kernel.number(one['Tcb']['KernelStack']):
            raise Wrong('the thread has not run yet')
        with asleep(one):
            unwind.loaded.forget()
            show_stack()


# ---- trap frames


def around():
    """Returns the trap frame nearest to here."""
    if machine.ring() == 0:
        for frame in walk():
            if int(frame.pc()) == unwind.TRAPPED_PC:
                return trap_frame_of(frame)
    where = kernel.number(kernel.thread()['Tcb']['TrapFrame'])
    if not where:
        raise Wrong('no trap frame here: the thread is the kernel\'s')
    return where


def flags_in_words(value):
    words = ' '.join(on if value >> bit & 1 else off
                     for bit, on, off in FLAGS)
    return f'iopl={value >> 12 & 3}         {words}'


def show_trap(where):
    frame = kernel.copy_at(where, 'KTRAP_FRAME')
    active = kernel.number(frame['ExceptionActive'])
    if active >= len(KINDS):
        raise Wrong(f'{where:x} is no trap frame: ExceptionActive is '
                    f'{active:x}')
    say(f'KTRAP_FRAME at {where:016x}, of {"an" if active < 2 else "a"} '
        f'{KINDS[active]}')
    if active == SERVICE:
        say('NOTE: a service\'s frame does not keep rax, rcx, rdx, r8 to r11;'
            '\n      r12 to r15 are still in the processor.')
    for row in ROWS:
        words = [f'{name.lower():>3}={kernel.number(frame[name]):016x}'
                 for name in row
                 if active != SERVICE or name in KEPT_BY_SERVICE]
        if words:
            say(' '.join(words))
    value = kernel.number(frame['EFlags'])
    say(flags_in_words(value))
    say(f'cs={kernel.number(frame["SegCs"]):04x}  '
        f'ss={kernel.number(frame["SegSs"]):04x}'
        f'                                    efl={value:08x}')
    rip = kernel.number(frame['Rip'])
    say(f'{modules.stack_text(rip) or f"{rip:x}"}:')
    if kernel.number(frame['SegCs']) != unwind.CODE_32:
        say(instruction(rip))


def instruction(address):
    try:
        return gdb.execute(f'x/i {address:#x}', to_string=True).rstrip()
    except gdb.MemoryError:
        return f'   {address:#x}:\t??'


class Trap(Command):
    name = '.trap'
    windbg = '.trap'
    usage = '[ADDRESS]'
    summary = 'a KTRAP_FRAME as registers'
    help = ('Without ADDRESS: the nearest one on the stack, or the thread\'s '
            'last.')
    most = 1

    def run(self, words):
        show_trap(expression.value(words[0]) if words else around())


COMMANDS = (K, Trap)

"""session.py: connecting, stepping, and whose addresses are seen."""
import os
import struct

import gdb

from . import expression, kernel, machine, modules
from .command import Command, Wrong, say

DEFAULT = ':1234'
STEP_ALONE, STEP_WITH_INTERRUPTS = 7, 1     # QEMU's Qqemu.sstep
PAGING = 1 << 31
# What lets the machine go on or leaves it: the seen process goes back first.
RESUMING = ('continue', 'step', 'stepi', 'next', 'nexti', 'finish', 'until',
            'advance', 'jump', 'signal', 'call', 'detach', 'disconnect',
            'kill', 'quit')

own_root = None         # the processor's cr3 while another process is seen


# ---- connecting


def kernel_is_there():
    """The kernel that gdb knows is in memory, and paging is on."""
    if not machine.register('cr0') & PAGING:
        return False
    start = modules.nt().base
    try:
        return machine.read(start, 16) == text_of_kernel(start, 16)
    except machine.NoMemory:
        return False


def text_of_kernel(address, size):
    """Returns what the kernel's file has at an address."""
    with open(modules.kernel_path(), 'rb') as file:
        data = file.read()
    at, count = struct.unpack_from('<Q', data, 32)[0], \
        struct.unpack_from('<H', data, 56)[0]
    for index in range(count):
        kind, _, offset, virtual, _, length = struct.unpack_from(
            '<IIQQQQ', data, at + index * 56)
        if kind == 1 and virtual <= address < virtual + length:
            offset += address - virtual
            return data[offset:offset + size]
    return None


def connect(address=DEFAULT):
    """Connects; runs a machine that has no kernel yet to KiSystemStartup."""
    gdb.execute('set disassembly-flavor intel')
    gdb.execute('set architecture i386:x86-64', to_string=True)
    try:
        gdb.execute(f'target remote {address}', to_string=True)
    except gdb.error as error:
        why = str(error).removeprefix(f'{address}: ')
        raise Wrong(f'{address}: {why}') from None
    if not kernel_is_there():
        # Only a breakpoint of the processor survives the loading.
        gdb.execute('thbreak *KiSystemStartup', to_string=True)
        gdb.execute('continue', to_string=True)
        block = kernel.at(machine.register('rcx'), 'LOADER_PARAMETER_BLOCK')
        modules.options = block['options'].string()
    else:
        modules.options = kernel.variable('loader_block')['options'].string()
    modules.place()


class Connect(Command):
    name = 'connect'
    usage = '[ADDRESS]'
    summary = 'connect to a machine (scripts/boot --debug), port 1234'
    help = ('ADDRESS is what QEMU\'s -gdb got: :PORT, HOST:PORT, or the path '
            'of a\nsocket. A machine that has no kernel in memory yet is run '
            'to KiSystemStartup.')
    most = 1

    def run(self, words):
        connect(*words)
        gdb.execute('frame')


# ---- stepping


class Parameter(gdb.Parameter):
    """Steps run interrupts that are waiting, too.

QEMU hides interrupts and timers from single steps unless this is on.
"""

    set_doc = 'Set whether steps run waiting interrupts.'
    show_doc = 'Show whether steps run waiting interrupts.'

    def __init__(self):
        super().__init__('ntwalk irq-while-stepping', gdb.COMMAND_RUNNING,
                         gdb.PARAM_BOOLEAN)
        self.value = False

    def get_set_string(self):
        mode = STEP_WITH_INTERRUPTS if self.value else STEP_ALONE
        try:
            machine.packet(f'Qqemu.sstep=0x{mode:x}')
        except Wrong:
            self.value = False
            raise gdb.GdbError('no machine: "nt connect" first') from None
        return ''

    def get_show_string(self, text):
        return f'Steps run waiting interrupts: {text}.'


class Prefix(gdb.Command):
    """ntwalk's settings."""

    def __init__(self, name):
        super().__init__(name, gdb.COMMAND_RUNNING, prefix=True)


# ---- whose addresses


def look_at(owner):
    """Loads the address space of an EPROCESS until the machine goes on."""
    global own_root
    root = kernel.number(owner['Pcb']['DirectoryTableBase'])
    if own_root is None:
        own_root = machine.register('cr3')
    machine.set_register('cr3', root)
    if root == own_root:
        own_root = None
    modules.forget()
    modules.place()


def look_back():
    """The processor's own address space again."""
    global own_root
    if own_root is not None:
        machine.set_register('cr3', own_root)
        own_root = None


class space:
    """with space(process): another process's addresses are seen."""

    def __init__(self, owner):
        self.owner = owner

    def __enter__(self):
        self.before = machine.register('cr3')
        root = kernel.number(self.owner['Pcb']['DirectoryTableBase'])
        machine.set_register('cr3', root)

    def __exit__(self, *_):
        machine.set_register('cr3', self.before)


class LookBack(Command):
    name = 'look-back'
    summary = 'the processor\'s own address space again, after nt .process'
    most = 0

    def run(self, words):
        look_back()


def hook_resuming():
    for command in RESUMING:
        gdb.execute(f'define hook-{command}\npython '
                    'ntgdb.session.look_back()\nend', to_string=True)


class SetProcess(Command):
    name = '.process'
    windbg = '.process'
    usage = '[PID]'
    summary = 'see the addresses of a process, until the machine goes on'
    help = ('Everything that reads memory then sees them, gdb\'s x and print '
            'too: cr3 is\nset, and set back before the machine goes on. '
            'Without PID: which process is\nseen. PID may be the address of '
            'an EPROCESS.')
    most = 1

    def run(self, words):
        if words:
            look_at(kernel.process_with(expression.value(words[0])))
        owner = kernel.process()
        say(f'Implicit process is now {kernel.address(owner):016x} '
            f'(pid {kernel.pid(owner):x}, {kernel.image_name(owner)})')


class Breakpoint(gdb.Breakpoint):
    """A breakpoint that only one process stops at."""

    def __init__(self, address, owner):
        super().__init__(f'*{address:#x}', gdb.BP_HARDWARE_BREAKPOINT)
        self.silent = False
        self.roots = owner and kernel.roots(owner)

    def stop(self):
        return self.roots is None or \
            machine.register('cr3') & ~0xFFF in self.roots


class SetBreakpoint(expression.AboutAddress):
    name = 'bp'
    windbg = 'bp'
    usage = '[/p PID] ADDRESS'
    summary = 'a breakpoint, of one process only if you like'
    help = ('Programs share addresses: ntdll is at the same one in all. With '
            '/p only\nPID stops. The memory need not be there yet. info '
            'breakpoints, delete and\ncondition are gdb\'s.')
    fewest, most = 1, 3

    def run(self, words):
        owner = None
        if words[0] == '/p':
            if len(words) != 3:
                raise Wrong(f'usage: nt {self.name} {self.usage}')
            owner = kernel.process_with(expression.value(words[1]))
            with space(owner):
                address = expression.value(words[2])
        elif len(words) == 1:
            address = expression.value(words[0])
        else:
            raise Wrong(f'usage: nt {self.name} {self.usage}')
        Breakpoint(address, owner)

    def choices(self, words):
        return super().choices(words[2:] if words[:1] == ['/p'] else words)


COMMANDS = (Connect, LookBack, SetProcess, SetBreakpoint)


# ---- starting


def before_prompt():
    """Symbols follow what is mapped; quiet when there is no machine."""
    modules.forget()
    if gdb.selected_inferior().pid:
        try:
            modules.place()
        except (Wrong, gdb.error):
            pass


def start():
    """Settings and hooks, and the machine; once, from nt.py."""
    Prefix('set ntwalk')
    Prefix('show ntwalk')
    Parameter()
    hook_resuming()
    gdb.events.cont.connect(modules.forget)
    gdb.events.before_prompt.connect(before_prompt)
    if os.environ.get('NTWALK_GDB'):
        connect(os.environ['NTWALK_GDB'])

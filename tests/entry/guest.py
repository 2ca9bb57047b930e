"""guest.py: a machine that runs entrypaths.exe, stopped at its marks."""
import os
import re
import shutil
import struct
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'scripts'))
sys.dont_write_bytecode = True

from ntwalk import boot, symbols                            # noqa: E402
from ntwalk.symbols import KERNEL_BASE                      # noqa: E402
import memory                                               # noqa: E402
from state import IF, State, set_register                   # noqa: E402
from stub import Stopped, Stub                              # noqa: E402

MEBIBYTES = 64
PROGRAM = 'entrypaths'
PATH = re.compile(r'^path (\d+) (.*?)\r?$', re.M)
PENDING = re.compile(r'^IRR\s+(\d[\d ]*)', re.M)
NO_PATH = 0xFFFFFFFF
ACCESSED_AND_DIRTY = 0x60
SHARED_DATA = 0xFFFFF78000000000
TIMES = 0x400                           # of KUSER_SHARED_DATA: all of them
INTERRUPT_TIME = 0x8                    # of KUSER_SHARED_DATA, and of XP's
TICK = 156250                           # of it
IST_STACK = 0x3000                      # with its guard page
COMPLAINT = re.compile(r'^(.* \S+\.c:\d+: .*?)\r?$', re.M)


def shared_memory():
    """A folder whose files never reach a disk, if there is one."""
    return '/dev/shm' if os.access('/dev/shm', os.W_OK) else None


class Guest:
    """with Guest(build, image, wide, options) as guest: ...

    Stands at path_asked when the block begins, and after each end_path. image
    is the kernel's (image.py); wide: the program is 64-bit code.
    """

    def __init__(self, build, image, wide=True, options=()):
        self.folder = tempfile.mkdtemp(prefix='ntwalk-ram-',
                                       dir=shared_memory())
        ram = os.path.join(self.folder, 'ram')
        folder = 'user' if wide else 'user32'
        self.machine = boot.start(boot.Config(
            program=PROGRAM, args=['step'], build=build, make=False,
            add=[os.path.join(build, folder, PROGRAM + '.exe')],
            memory=MEBIBYTES, options=list(options),
            qemu_args=['-S', '-machine', 'memory-backend=ram', '-object',
                       f'memory-backend-file,id=ram,size={MEBIBYTES}M,'
                       f'mem-path={ram},share=on']))
        self.ram = ram
        kernel = symbols.read(os.path.join(build, 'ntoskrnl.elf'))
        program = symbols.read(os.path.join(build, 'debug', folder,
                                            PROGRAM + '.exe'))
        ntdll = symbols.read(os.path.join(
            build, 'debug', 'ntdll.dll' if wide else 'ntdll32.dll'))
        self.tables = [kernel, program, ntdll]
        self.symbols = kernel.by_name
        self.interrupts = image.offsets['KPCR.Prcb.InterruptCount']
        self.stacks = (self.own('ki_panic_stack_top') - IST_STACK,
                       self.own('ki_debug_stack_top'))
        self.asked, self.begin, self.end = (
            program.address_of(name if wide else '_' + name) for name in
            ('path_asked', 'path_begin', 'path_end'))
        self.sizes = image.sizes
        self.shadow = 'kva=on' in options
        self.stub = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.stub:
            self.stub.close()
            self.memory.close()
        self.machine.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        machine = self.machine
        machine.__enter__()
        path = machine.path('gdb')
        machine.monitor(f'gdbserver unix:{path},server=on,wait=off')
        self.stub = Stub(path)
        self.memory = memory.Memory(self.ram)
        for mark in (self.asked, self.begin, self.end):
            self.stub.stop_at(mark)
        self.stub.ask('c', timeout=60)
        self.expect(self.asked)
        self.paths = {name: int(number) for number, name in
                      PATH.findall(self.console(r'^\d+ paths'))}

    def console(self, pattern):
        """Returns the console's text, when it matches."""
        self.machine.wait_for(re.compile(pattern, re.M), 10)
        return self.machine.console

    def state(self):
        return State(self.stub.ask('g')[0])

    def expect(self, address):
        state = self.state()
        if state['rip'] != address:
            raise Stopped(f'stands at {self.name(state["rip"])}')
        return state

    def begin_path(self, number):
        """From path_asked to path_begin; the NOPs there are left out."""
        self.stub.ask(set_register('rax', number),
                      set_register('rip', self.asked + 1), 'c')
        state = self.expect(self.begin)
        self.pcr = state['k_gs_base']
        self.user_cr3 = state['cr3']
        # With KVA shadow the kernel has page tables of its own.
        self.kernel_cr3 = self.memory.quad(
            self.own('ki_system_directory')) or self.user_cr3
        return state

    def end_path(self):
        """From path_end to path_asked."""
        self.stub.ask(set_register('rip', self.end + 1), 'c')
        self.expect(self.asked)

    def finish(self):
        """From path_asked to the end of the program; returns its status."""
        self.stub.ask(set_register('rax', NO_PATH),
                      set_register('rip', self.asked + 1))
        self.stub.run()
        self.machine.wait(10)
        return self.machine.report

    def name(self, address):
        for table in self.tables:
            found = table.name_of(address)
            if found and found[1] < 0x10000:
                return f'{found[0]}+{found[1]:#x}' if found[1] else found[0]
        return f'{address:#x}'

    def pending(self):
        """The highest vector that waits for the processor, or 0."""
        found = PENDING.search(self.machine.monitor('info lapic'))
        return max(map(int, found[1].split())) if found else 0

    # ---- Memory

    def read(self, state, address, size):
        """Virtual memory; the kernel's also while CR3 is ring 3's."""
        cr3 = state['cr3'] if address < 1 << 63 else self.kernel_cr3
        return self.memory.read(cr3, address, size)

    def write(self, state, address, data):
        """Within a page."""
        cr3 = state['cr3'] if address < 1 << 63 else self.kernel_cr3
        at = self.memory.physical(cr3, address)
        self.memory.bytes[at:at + len(data)] = data

    def count(self, kind):
        return self.memory.long(self.own(kind.counter))

    def own(self, name):
        """The physical address of a symbol of the kernel's image."""
        return self.symbols[name] - KERNEL_BASE

    def pcr_long(self, offset):
        return self.memory.long(self.memory.physical(self.kernel_cr3,
                                                     self.pcr + offset))

    def snapshot(self, kind, state, compared):
        """What compare will look at: 'counter', 'data' of the kernel, 'all'.
        """
        start, end = {'counter': (0, 0),
                      'data': (self.own('kernel_sealed_end'),
                               self.own('kernel_end')),
                      'all': (0, self.memory.size)}[compared]
        count = self.count(kind) if kind.counter else None
        return (start, self.memory.bytes[start:end], count,
                self.pcr_long(self.interrupts), state['eflags'] & IF,
                self.times() if kind.stops_time else None)

    def time_pages(self):
        """Where the clock's interrupt writes the time, and XP's time."""
        return [self.memory.physical(self.kernel_cr3, page)
                for page in (SHARED_DATA, SHARED_DATA + memory.PAGE)]

    def times(self):
        return [self.memory.bytes[page:page + TIMES]
                for page in self.time_pages()]

    def set_times(self, times):
        for page, data in zip(self.time_pages(), times):
            self.memory.bytes[page:page + TIMES] = data

    def expect_tick(self):
        """Interrupt time is a tick less: the tick brings it to where it was.

        Timers never see it go back.
        """
        for page in self.time_pages():
            at = page + INTERRUPT_TIME
            time = self.memory.quad(at) - TICK
            self.memory.bytes[at:at + 12] = struct.pack(
                '<QI', time, time >> 32)

    def wipe(self, kind):
        """Makes the kernel forget what the last one has left."""
        if kind.notes:
            at = self.own(kind.notes)
            size = self.sizes[self.symbols[kind.notes]]
            self.memory.bytes[at:at + size] = bytes(size)

    def compare(self, kind, snapshot):
        """Returns what has changed, or None.

        Where interrupts are on one that waited may have come, too: then
        nothing is the same.
        """
        start, data, count, interrupts, open_, times = snapshot
        self.wipe(kind)
        if kind.stops_time:
            self.set_times(times)
        taken = self.pcr_long(self.interrupts) - interrupts
        if not kind.counter:
            return None if taken else 'not taken'
        counted = self.count(kind) - count
        if counted != 1:
            return f'counted {counted} times'
        if taken:
            return None if open_ else f'{taken} interrupts came'
        now = self.memory.bytes[start:start + len(data)]
        if now == data:
            return None
        for page in range(0, len(data), memory.PAGE):
            if now[page:page + memory.PAGE] == data[page:page + memory.PAGE]:
                continue
            for at in range(page, page + memory.PAGE, 8):
                before, after = data[at:at + 8], now[at:at + 8]
                if before != after and not self.may_change(
                        kind, start + at, before, after):
                    return (f'memory at {start + at:#x} '
                            f'({self.name(start + at + KERNEL_BASE)}): '
                            f'{before.hex()} is {after.hex()}')
        return None

    def may_change(self, kind, at, before, after):
        """The handlers' own stacks, the counter; bits of page tables."""
        if self.stacks[0] <= at < self.stacks[1] or \
                at == self.own(kind.counter) & ~7:
            return True
        change = int.from_bytes(before, 'little') ^ \
            int.from_bytes(after, 'little')
        return not change & ~ACCESSED_AND_DIRTY

    def complaints(self):
        """What the program has complained of."""
        return COMPLAINT.findall(self.machine.console)

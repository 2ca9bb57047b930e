"""unwind.py: gdb's walk out of ring 3's code.

Who tells what (docs/adr/0033-cfi-in-assembly.md):

    C with debugging information        the compiler's .debug_frame
    the kernel's assembly               arch/cfi.inc's .debug_frame
    64-bit code of neither              its image's .pdata, as Windows does
    32-bit code                         its .debug_frame, read here, as gdb
                                        takes the processor's 64-bit mode

gdb asks the Unwinder below for every frame; it answers for the last two. The
ring and the mode are the frame's cs, which a walk out of the kernel brings.
"""
import struct

import gdb
import gdb.unwinder
from gdb.FrameDecorator import FrameDecorator

from ntwalk import cfi, pe, seh

from . import kernel, machine, modules
from .command import Wrong

CODE_32, CODE_64 = 0x1B, 0x2B           # KGDT_R3_CODE, KGDT64_R3_CODE + 3
# arch/cfi.inc: the pc of the frames that are no code's.
TRAPPED_PC, SWITCHED_PC = 0xFFFFFFFFFFFFF000, 0xFFFFFFFFFFFFF001
EXCEPTION_DIRECTORY = 3
LONGEST_EPILOGUE = 32
KEPT = ('cs', 'cr3', 'gs_base', 'k_gs_base')    # the same for every frame
PUSH_EBP = b'\x55'
MOV_EBP_ESP = (b'\x89\xe5', b'\x8b\xec')
STUB = b'\xb8\xba\x00\x03\xfe\x7f\xff\x12'    # without its number
MASK32 = 0xFFFFFFFF

images = {}                             # path or (cr3, base): Image
tables = {}                             # path: cfi.Table


class Image:
    """Reads by relative virtual address what an image has, and .pdata."""

    def __init__(self, module):
        self.base, self.file = module.base, None
        if module.path:
            with open(module.path, 'rb') as file:
                self.file = pe.Image(file.read())
            directory = self.file.directories + EXCEPTION_DIRECTORY * 8
            self.table = self.file.unpack('<II', directory, '.pdata')
        else:
            header = struct.unpack('<I', self.read(0x3C, 4))[0]
            self.table = struct.unpack('<II', self.read(
                header + 24 + 112 + EXCEPTION_DIRECTORY * 8, 8))

    def read(self, rva, size):
        if self.file:
            offset = self.file.offset_of(rva, 'unwind information')
            return self.file.data[offset:offset + size]
        return machine.read(self.base + rva, size)


class Loaded:
    """What the process of cr3 has mapped; looked up again when it must."""

    def __init__(self):
        self.root, self.modules = None, []

    def at(self, address):
        root = machine.register('cr3')
        for fresh in (False, True):
            if fresh or root != self.root:
                self.root, self.modules = root, modules.loaded()
            for module in self.modules:
                if module.base <= address < module.end:
                    return module
        return None

    def forget(self, *_):
        self.root = None


loaded = Loaded()


def image_of(module):
    key = module.path or (loaded.root, module.base)
    if key not in images or images[key].base != module.base:
        images[key] = Image(module)
    return images[key]


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


def unsigned(value, bits=64):
    return int(value) & ((1 << bits) - 1)


def known(pending, name):
    """Returns a register; those that calls lose are 0."""
    value = pending.read_register(name)
    return 0 if value.is_optimized_out else unsigned(value)


class Ring3(gdb.unwinder.Unwinder):
    """Walks out of ring 3's code that gdb cannot walk out of itself."""

    def __init__(self):
        super().__init__('ring 3')
        self.returns = None             # the (rsp, rip) told last

    def __call__(self, pending):
        try:
            cs = unsigned(pending.read_register('cs'), 16)
            machine.unwinding = pending
            if cs == CODE_64:
                return self.wide(pending)
            if cs == CODE_32:
                return self.narrow(pending)
        except (Wrong, gdb.error, pe.Broken, struct.error, OSError,
                ValueError, IndexError, KeyError):
            pass                        # gdb says what is missing, or guesses
        finally:
            machine.unwinding = None
        return None

    def wide(self, pending):
        rip = unsigned(pending.read_register('rip'))
        if gdb.current_progspace().find_pc_line(rip).symtab is not None:
            return None                 # gdb has the compiler's rules
        registers = [known(pending, name) for name in seh.REGISTERS]
        module = loaded.at(rip)
        if module is None:
            return None
        image = image_of(module)
        frame = seh.Frame(registers, rip, machine.quad, image.read)
        called = (registers[seh.RSP], rip) == self.returns
        begin = seh.step(frame, module.base, image.table,
                         machine.read(rip, LONGEST_EPILOGUE))
        if begin is None:
            begin = function(module, rip)
            if called:
                frame.rip = 0           # a leaf that calls is none: unknown
        self.returns = frame.registers[seh.RSP], frame.rip
        if frame.machine:
            self.returns = None         # the next instruction, no return
            callback(frame)
        saved = {name: frame.registers[index]
                 for index, name in enumerate(seh.REGISTERS)
                 if name in ('rbx', 'rbp', 'rsi', 'rdi', 'r12', 'r13', 'r14',
                             'r15')}
        return told(pending, begin, frame.registers[seh.RSP], frame.rip,
                    saved)

    def narrow(self, pending):
        eip = unsigned(pending.read_register('rip'), 32)
        registers = {number: known(pending, 'r' + name[1:]) & MASK32
                     for number, name in enumerate(cfi.REGISTERS)}
        module = loaded.at(eip)
        begin = function(module, eip) if module else eip
        # A return address belongs to the call before it.
        called = (registers[cfi.ESP], eip) == self.returns
        row = table_of(module).row(eip - called - module.shift) \
            if module and module.path else None
        try:
            result = cfi.caller(row or without_rules(eip, begin, called),
                                registers, read_long)
        except Wrong:
            result = {**registers, cfi.EIP: 0}      # nobody knows
        esp, eip = result[cfi.ESP], result[cfi.EIP]
        self.returns = esp, eip
        saved = {'r' + name[1:]: result[number]
                 for number, name in enumerate(cfi.REGISTERS)
                 if name in ('ebx', 'ebp', 'esi', 'edi')}
        return told(pending, begin, esp, eip, saved)


def read_long(address):
    return struct.unpack('<I', machine.read(address, 4))[0]


def table_of(module):
    if module.path not in tables:
        tables[module.path] = cfi.Table(module.path)
    return tables[module.path]


def function(module, address):
    """Returns where the function with an address begins, by its name."""
    found = module.path and modules.table(module.path).name_of(
        address - module.shift)
    return address - found[1] if found else module.base


def without_rules(eip, begin, called):
    """Assembly: it keeps ebp, or is a leaf, or a service's stub."""
    row = cfi.Row(rules={cfi.EIP: ('at', -4)})
    code = machine.read(begin, 12)
    if code[:1] == PUSH_EBP and code[1:3] in MOV_EBP_ESP:
        if eip > begin:
            ebp = cfi.REGISTERS.index('ebp')
            row.cfa = (ebp if eip >= begin + 3 else cfi.ESP, 8)
            row.rules[ebp] = ('at', -8)
    elif called and code[:1] + code[5:] != STUB:
        raise Wrong('code without rules that calls')
    return row


def callback(frame):
    """The registers of the code behind a kernel callback.

    A callback begins with registers of its own (NtCallbackReturn gives the
    others back), so those of the service that calls are in its trap frame.
    """
    thread = kernel.thread()['Tcb']
    top = kernel.number(thread['InitialStack'])
    for _ in range(int(thread['CallbackNestingLevel'])):
        kept = kernel.at(top, 'KEXCEPTION_FRAME')
        trap = kernel.at(kernel.number(kept['TrapFrame']), 'KTRAP_FRAME')
        if kernel.number(trap['Rsp']) == frame.registers[seh.RSP]:
            for source, names in ((trap, ('Rbx', 'Rbp', 'Rsi', 'Rdi')),
                                  (kept, ('R12', 'R13', 'R14', 'R15'))):
                for name in names:
                    frame.registers[seh.REGISTERS.index(name.lower())] = \
                        kernel.number(source[name])
            return
        top = kernel.number(kept['Spare1'])


def told(pending, begin, rsp, rip, saved):
    """Returns the answer for gdb: this frame's name and caller."""
    wide = gdb.lookup_type('unsigned long long')
    info = pending.create_unwind_info(FrameId(
        gdb.Value(rsp).cast(wide), gdb.Value(begin).cast(wide)))
    for name, value in {**saved, 'rsp': rsp, 'rip': rip}.items():
        info.add_saved_register(name, gdb.Value(value).cast(wide))
    for name in KEPT:
        value = pending.read_register(name)
        size = value.type.sizeof
        # A copy: gdb must not be asked for it again later.
        raw = unsigned(value, 8 * size).to_bytes(size, 'little')
        info.add_saved_register(name, gdb.Value(raw, value.type))
    return info


# ---- what the frames that are no code's are called


class Trapped(FrameDecorator):
    def address(self):
        return None                     # there is no code

    def function(self):
        frame = self.inferior_frame()
        if frame.pc() == SWITCHED_PC:
            return '<other stack>'
        rsp = unsigned(frame.read_register('rsp'))
        return f'<trap frame at {rsp - kernel.offset("KTRAP_FRAME", "Rip"):x}>'


class Names:
    """A frame filter: "backtrace" names trap frames and ends at the end."""

    def __init__(self):
        self.name, self.priority, self.enabled = 'trap frames', 100, True
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        for frame in frames:
            pc = unsigned(frame.inferior_frame().pc())
            if not pc and frame.inferior_frame().level():
                return                  # what began a thread
            yield Trapped(frame) if pc in (TRAPPED_PC, SWITCHED_PC) else frame


COMMANDS = ()


def start():
    """Once, from nt.py."""
    gdb.unwinder.register_unwinder(None, Ring3())
    Names()
    gdb.events.before_prompt.connect(loaded.forget)

"""msr.py: model-specific registers, which QEMU's stub does not tell.

The processor itself is asked: it runs one RDMSR of the kernel's text. For
that rip, rcx and, in ring 3, cs and ss are set; interrupts are off and the
stack is moved to where a fault does no harm; then all is put back. This goes
by packets, so gdb, its breakpoints and its hooks do not notice.
"""
import functools

from . import machine, modules
from .command import Wrong

RDMSR, RDTSC = b'\x0f\x32', b'\x0f\x31'
# QEMU's numbers of the registers, and how they go over the line.
RAX, RCX, RDX, RSP, RIP, EFLAGS, CS, SS = 0, 2, 3, 7, 16, 17, 18, 19
WIDTH = {EFLAGS: 4, CS: 4, SS: 4}
QUIET_FLAGS = 2                         # no IF, no TF
KERNEL_CODE, KERNEL_DATA = 0x08, 0x10
SPARE_STACK = 'ki_panic_stack_top'      # #DF's: nobody comes back from there
SPARE_SIZE = 0x2000

# SDM: volume 4, 2.1: architectural MSRs; AMD's names for those of SYSCALL.
NAMES = {
    'TSC': 0x10, 'APIC_BASE': 0x1B, 'FEATURE_CONTROL': 0x3A,
    'TSC_ADJUST': 0x3B, 'SPEC_CTRL': 0x48, 'MTRRCAP': 0xFE,
    'ARCH_CAPABILITIES': 0x10A, 'SYSENTER_CS': 0x174,
    'SYSENTER_ESP': 0x175, 'SYSENTER_EIP': 0x176, 'MCG_CAP': 0x179,
    'MCG_STATUS': 0x17A, 'MISC_ENABLE': 0x1A0, 'DEBUGCTL': 0x1D9,
    'PAT': 0x277, 'MTRR_DEF_TYPE': 0x2FF, 'TSC_DEADLINE': 0x6E0,
    'XSS': 0xDA0, 'EFER': 0xC0000080, 'STAR': 0xC0000081,
    'LSTAR': 0xC0000082, 'CSTAR': 0xC0000083, 'FMASK': 0xC0000084,
    'SYSCALL_MASK': 0xC0000084, 'FS_BASE': 0xC0000100,
    'GS_BASE': 0xC0000101, 'KERNEL_GS_BASE': 0xC0000102,
    'TSC_AUX': 0xC0000103,
}

# QEMU sometimes stops without having run the instruction.
STEPS = 8


def get(number):
    width = WIDTH.get(number, 8)
    data = bytes.fromhex(machine.packet(f'p{number:x}'))
    return int.from_bytes(data[:width], 'little')


def put(number, value):
    data = value.to_bytes(WIDTH.get(number, 8), 'little')
    if machine.packet(f'P{number:x}={data.hex()}') != 'OK':
        raise Wrong('the machine does not let registers be set')


def spare_stack():
    """Returns a stack pointer that a fault may push to."""
    top = modules.address_of(modules.KERNEL, SPARE_STACK)
    here = get(RSP)
    return here if top - SPARE_SIZE <= here < top else top


def step_at(address, rcx):
    """Runs the instruction there in ring 0, with an rcx.

    Returns (rip, rax, rdx) behind it. The machine is as it was before.
    """
    segments = {CS: get(CS), SS: get(SS)}
    if segments[CS] & 3:
        put(CS, KERNEL_CODE)            # first: registers have 64 bits then
        put(SS, KERNEL_DATA)
    else:
        segments = {}
    saved = {number: get(number)
             for number in (RAX, RCX, RDX, RSP, RIP, EFLAGS)}
    try:
        for number, value in ((RIP, address), (RCX, rcx),
                              (RSP, spare_stack()), (EFLAGS, QUIET_FLAGS)):
            put(number, value)
        for _ in range(STEPS):
            machine.packet('s')
            if get(RIP) != address:
                break
        return get(RIP), get(RAX), get(RDX)
    finally:
        for number, value in {**saved, **segments}.items():
            put(number, value)


@functools.lru_cache(maxsize=None)
def find_instruction(code):
    """Returns where the kernel's text has these bytes."""
    start = modules.nt().base
    end = modules.address_of(modules.KERNEL, 'kernel_text_end')
    at = machine.read(start, end - start).find(code)
    if at < 0:
        raise Wrong(f'the kernel\'s text has no {code.hex(" ")}')
    return start + at


def read(number):
    """Returns an MSR; Wrong if the processor has none of that number."""
    code = RDTSC if number == NAMES['TSC'] else RDMSR
    address = find_instruction(code)
    rip, low, high = step_at(address, number)
    if rip != address + len(code):
        raise Wrong(f'no such MSR: {number:x}')
    return (high & 0xFFFFFFFF) << 32 | low & 0xFFFFFFFF


def read_by_name(name):
    """Returns (number, value)."""
    return NAMES[name], read(NAMES[name])

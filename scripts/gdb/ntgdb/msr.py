"""msr.py: model-specific registers, which QEMU's stub does not tell.

The processor itself is asked: it is set before an RDMSR of the kernel's, in
ring 0, runs that one instruction, and gets its registers back.
"""
from . import machine, modules
from .command import Wrong

RDMSR = b'\x0f\x32'
RING0 = {'cs': 0x08, 'ss': 0x10}

# SDM: volume 4, 2.1, architectural MSRs.
NAMES = {
    'TSC': 0x10, 'APIC_BASE': 0x1B, 'SYSENTER_CS': 0x174,
    'SYSENTER_ESP': 0x175, 'SYSENTER_EIP': 0x176, 'MCG_CAP': 0x179,
    'MCG_STATUS': 0x17A, 'MISC_ENABLE': 0x1A0, 'DEBUGCTL': 0x1D9,
    'PAT': 0x277, 'MTRR_DEF_TYPE': 0x2FF, 'TSC_DEADLINE': 0x6E0,
    'EFER': 0xC0000080, 'STAR': 0xC0000081, 'LSTAR': 0xC0000082,
    'CSTAR': 0xC0000083, 'FMASK': 0xC0000084, 'FS_BASE': 0xC0000100,
    'GS_BASE': 0xC0000101, 'KERNEL_GS_BASE': 0xC0000102,
    'TSC_AUX': 0xC0000103,
}


def site():
    """Returns the address of an RDMSR in the kernel's text."""
    rows = modules.table(modules.kernel_path())
    start = rows.address_of('kernel_start')
    text = machine.read(start, rows.address_of('kernel_text_end') - start)
    return start + text.index(RDMSR)


def read(number):
    """Returns an MSR; Wrong if the processor has none of that number."""
    there = site()
    wanted = {'rip': there, 'rcx': number, **RING0}
    names = [*wanted, 'rax', 'rdx', 'eflags']
    before = {name: machine.register(name) for name in names}
    try:
        for name in ('ss', 'cs', 'rcx', 'rip'):
            machine.set_register(name, wanted[name])
        machine.quietly('stepi')
        if machine.register('rip') != there + len(RDMSR):
            raise Wrong(f'this processor has no MSR {number:x}')
        return (machine.register('rdx') << 32 |
                machine.register('rax') & 0xFFFFFFFF)
    finally:
        for name in ('eflags', 'rdx', 'rax', 'rcx', 'ss', 'cs', 'rip'):
            machine.set_register(name, before[name])


def read_by_name(name):
    """Returns (number, value)."""
    return NAMES[name], read(NAMES[name])

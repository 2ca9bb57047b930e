"""state.py: the processor's state as the gdb stub tells it, whole."""

INTEGERS = ('rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 '
            'rip').split()
SELECTORS = ['eflags', 'cs', 'ss', 'ds', 'es', 'fs', 'gs']
BASES = ['fs_base', 'gs_base', 'k_gs_base', 'cr0', 'cr2', 'cr3', 'cr4', 'cr8',
         'efer']
FLOATING = ('fctrl fstat ftag fiseg fioff foseg fooff fop').split()

NUMBER_OF = {name: number for number, name in
             enumerate(INTEGERS + SELECTORS + BASES)}
TF, IF, DF, AC = 0x100, 0x200, 0x400, 0x40000


def layout():
    """Yields (name, offset, size) of everything in a g packet."""
    at = 0
    for names, size in ((INTEGERS, 8), (SELECTORS, 4), (BASES, 8),
                        ([f'st{i}' for i in range(8)], 10), (FLOATING, 4),
                        ([f'xmm{i}' for i in range(16)], 16),
                        (['mxcsr'], 4)):
        for name in names:
            yield name, at, size
            at += size


LAYOUT = {name: (at, size) for name, at, size in layout()}
SIZE = max(at + size for at, size in LAYOUT.values())


class State:
    """One moment's registers: state['rip']. Two compare as wholes."""

    def __init__(self, packet):
        self.packet = packet

    def __getitem__(self, name):
        at, size = LAYOUT[name]
        return int.from_bytes(bytes.fromhex(
            self.packet[2 * at:2 * (at + size)]), 'little')

    @property
    def ring(self):
        return self['cs'] & 3

    def differences(self, other):
        """Returns what other has in other registers, as text."""
        return ', '.join(f'{name} {self[name]:x} is {other[name]:x}'
                         for name in LAYOUT if self[name] != other[name])

    def changed(self, **values):
        """The same with other values in some registers."""
        packet = self.packet
        for name, value in values.items():
            at, size = LAYOUT[name]
            packet = (packet[:2 * at] + value.to_bytes(size, 'little').hex() +
                      packet[2 * (at + size):])
        return State(packet)


def set_register(name, value):
    """The packet that writes one of the first registers."""
    size = LAYOUT[name][1]
    return (f'P{NUMBER_OF[name]:x}='
            f'{(value & (1 << 8 * size) - 1).to_bytes(size, "little").hex()}')

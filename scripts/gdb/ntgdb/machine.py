"""machine.py: what gdb itself does not ask the machine for.

Packets go to QEMU's stub directly, so nothing here meets gdb's caches.
Addresses are those of the address space that is loaded (cr3), unless
physical.
"""
import re
import struct

import gdb

from .command import Wrong

CHUNK = 1024                            # bytes of memory a packet


def connection():
    found = gdb.selected_inferior().connection
    if found is None or not hasattr(found, 'send_packet'):
        raise Wrong('no machine: "nt connect" first')
    return found


def packet(text):
    """Sends one packet; returns the answer as text."""
    answer = connection().send_packet(text.encode())
    return (answer or b'').decode('latin-1')


def monitor(line):
    """Returns what QEMU's monitor answers."""
    connection()
    return gdb.execute(f'monitor {line}', to_string=True)


class NoMemory(Wrong):
    def __init__(self, address, physical=False):
        super().__init__(f'no memory at {"physical " if physical else ""}'
                         f'{address:x}')
        self.address = address


def read(address, size):
    """Returns bytes, or raises NoMemory."""
    if unwinding:
        return read_by_gdb(address, size)
    data = b''
    while len(data) < size:
        at = (address + len(data)) & 0xFFFFFFFFFFFFFFFF
        count = min(CHUNK, size - len(data))
        answer = packet(f'm{at:x},{count:x}')
        if not answer or re.fullmatch(r'E[0-9a-fA-F]{2}', answer):
            raise NoMemory(at)
        data += bytes.fromhex(answer)
    return data


def read_by_gdb(address, size):
    """The same while gdb walks: sending packets would begin another walk."""
    try:
        return bytes(gdb.selected_inferior().read_memory(address, size))
    except gdb.MemoryError:
        raise NoMemory(address) from None


def read_physical(address, size):
    packet('Qqemu.PhyMemMode:1')
    try:
        return read(address, size)
    except NoMemory as wrong:
        raise NoMemory(wrong.address, True) from None
    finally:
        packet('Qqemu.PhyMemMode:0')


def quad(address):
    return struct.unpack('<Q', read(address, 8))[0]


def physical_quad(address):
    return struct.unpack('<Q', read_physical(address, 8))[0]


unwinding = None        # the frame that gdb asks unwind.py about


def register(name):
    """Returns a register of the processor, by gdb's name, as a number."""
    return registers([name])[name]


def registers(names):
    """Returns several as {name: number}."""
    connection()
    # While it walks gdb has no newest frame yet.
    frame = unwinding or gdb.newest_frame()
    # Registers of flags can be printed, but not cast.
    return {name: int(frame.read_register(name).format_string(format='x'), 16)
            for name in names}


def set_register(name, value):
    # A register of flags (cr3, eflags) takes a number of its size only.
    size = gdb.newest_frame().read_register(name).type.sizeof
    suffix = 'ULL' if size == 8 else 'U'
    gdb.execute(f'set ${name} = {value:#x}{suffix}', to_string=True)


def quietly(command):
    """Runs a command that lets the machine go on; nothing is printed."""
    before = gdb.parameter('suppress-cli-notifications')
    gdb.execute('set suppress-cli-notifications on')
    try:
        gdb.execute(command, to_string=True)
    finally:
        if not before:
            gdb.execute('set suppress-cli-notifications off')


def ring():
    """The ring that the processor is in."""
    return register('cs') & 3


def hidden_registers():
    """Returns what only QEMU's monitor tells.

    gdt, idt: (base, limit); cs..., tr, ldt: (selector, base, limit, flags);
    dr0 to dr7, efer...: numbers.
    """
    text = monitor('info registers')
    result = {}
    for name, value in re.findall(r'\b([A-Z][A-Z0-9]+) *=([0-9a-f]{4,16})\b',
                                  text):
        result[name.lower()] = int(value, 16)
    for name, base, limit in re.findall(r'\b([GI]DT)= +([0-9a-f]+) '
                                        r'([0-9a-f]+)', text):
        result[name.lower()] = (int(base, 16), int(limit, 16))
    for name, *numbers in re.findall(
            r'\b([CDEFGS]S|TR|LDT) *=([0-9a-f]{4}) ([0-9a-f]+) ([0-9a-f]+) '
            r'([0-9a-f]+)', text):
        result[name.lower()] = tuple(int(word, 16) for word in numbers)
    return result

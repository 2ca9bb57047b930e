"""stub.py: QEMU's gdb stub without gdb.

Several packets go out in one write, which costs one turn instead of many:
    registers, _ = stub.ask('g', 's')
Only the last of them may let the machine run; its answer is why it stopped.
Memory is physical, and a write may also reach a device: that is how
interrupts are sent (send_interrupt).
"""
import socket
import time

# Where a device would write to interrupt the processor of APIC id 0.
INTERRUPT_ADDRESS = 0xFEE00000
NMI_MESSAGE = 0x400                     # delivery mode; the vector is nothing
PATIENCE = 30                           # seconds, of which a step takes none


class Stopped(Exception):
    """The machine does not stop where it should; the text says what it does.
    """


class Stub:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.pending = b''
        self.settle()
        # Who has not read this may not write registers.
        self.ask('qXfer:features:read:target.xml:0,ffb')
        self.ask('Qqemu.PhyMemMode:1')
        # Steps let in what waits, as the machine does by itself.
        self.ask('Qqemu.sstep=1')

    def settle(self):
        """Leaves behind what the stub says unasked when somebody connects.

        That comes before any answer, and begins otherwise than this one's.
        """
        until = time.monotonic() + PATIENCE
        self.send('qC')
        while not self.receive(until).startswith('QC'):
            pass

    def close(self):
        self.socket.close()

    def receive(self, until):
        """Returns the next packet's text, without what frames it."""
        while True:
            start = self.pending.find(b'$')
            end = self.pending.find(b'#', start)
            if 0 <= start < end <= len(self.pending) - 3:
                text = self.pending[start + 1:end]
                self.pending = self.pending[end + 3:]
                return text.decode('latin-1')
            left = until - time.monotonic()
            if left <= 0:
                raise Stopped('it does not stop')
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except socket.timeout:
                continue
            except OSError:
                data = b''
            if not data:
                raise Stopped('the emulator is gone')
            self.pending += data

    def send(self, *packets):
        """A packet acknowledges the answer before it: nothing else does."""
        self.socket.sendall(b''.join(
            b'$%s#%02x' % (data, sum(data) & 0xFF)
            for data in (text.encode() for text in packets)))

    def ask(self, *packets, timeout=PATIENCE):
        """Sends packets and returns their answers."""
        self.send(*packets)
        until = time.monotonic() + timeout
        answers = [self.receive(until) for _ in packets]
        for packet, answer in zip(packets, answers):
            if answer[:1] == 'E' and len(answer) == 3:
                raise RuntimeError(f'gdb stub: {packet}: {answer}')
        if packets[-1] in ('s', 'c') and not answers[-1].startswith('T05'):
            raise Stopped(f'the machine has reset: {answers[-1]}')
        return answers

    def run(self):
        """Lets the machine run, for good."""
        self.send('c')

    def stop_at(self, address):
        self.ask(f'Z0,{address:x},1')

    def forget(self, address):
        self.ask(f'z0,{address:x},1')


def send_interrupt(message):
    """The packet that makes the interrupt controller deliver message."""
    return f'M{INTERRUPT_ADDRESS:x},4:{message.to_bytes(4, "little").hex()}'

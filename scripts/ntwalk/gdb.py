"""gdb.py: a small client of QEMU's gdb stub, for tests."""
import socket
import struct

REGISTERS = ('rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 '
             'rip').split()


class Gdb:
    """Talks the remote serial protocol over a connected socket."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(30)
        self.pending = b''

    def close(self):
        self.socket.close()

    def byte(self):
        if not self.pending:
            self.pending = self.socket.recv(65536)
            if not self.pending:
                raise EOFError('the gdb stub closed the connection')
        first, self.pending = self.pending[:1], self.pending[1:]
        return first

    def send(self, text):
        data = text.encode()
        self.socket.sendall(b'$%s#%02x' % (data, sum(data) & 0xFF))

    def receive(self, timeout=30):
        self.socket.settimeout(timeout)
        try:
            while self.byte() != b'$':
                pass
            text = b''
            while (byte := self.byte()) != b'#':
                text += byte
            self.byte(), self.byte()
        except socket.timeout:
            raise TimeoutError('the gdb stub does not answer') from None
        self.socket.sendall(b'+')
        return text.decode('latin-1')

    def ask(self, text, timeout=30):
        self.send(text)
        answer = self.receive(timeout)
        if answer.startswith('E') and len(answer) == 3:
            raise RuntimeError(f'gdb stub: {text}: {answer}')
        return answer

    def registers(self):
        """Returns the general registers and rip, with eflags and selectors."""
        data = bytes.fromhex(self.ask('g'))
        values = struct.unpack_from('<17Q', data)
        result = dict(zip(REGISTERS, values))
        names = ('eflags', 'cs', 'ss', 'ds', 'es', 'fs', 'gs')
        result.update(zip(names, struct.unpack_from('<7I', data, 17 * 8)))
        return result

    def read(self, address, size):
        return bytes.fromhex(self.ask(f'm{address:x},{size:x}'))

    def write(self, address, data):
        self.ask(f'M{address:x},{len(data):x}:{data.hex()}')

    def physical(self, on):
        """Makes read and write take physical addresses, or virtual again."""
        self.ask(f'Qqemu.PhyMemMode:{int(on)}')

    def step(self, timeout=30):
        """One instruction. Sometimes the stub stops without having run it."""
        before = self.registers()['rip']
        for _ in range(4):
            self.ask('s', timeout)
            after = self.registers()['rip']
            if after != before:
                break
        return after

    def interrupt(self):
        self.socket.sendall(b'\x03')
        return self.receive()

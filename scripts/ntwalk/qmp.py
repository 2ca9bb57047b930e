"""qmp.py: QEMU's control channel.

Events that arrive between two commands are kept in .events.
"""
import json
import socket

from .errors import Died


class Qmp:
    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(30)
        self.pending = b''
        self.events = []
        self.message()                          # the greeting
        self.command('qmp_capabilities')

    def message(self):
        while b'\n' not in self.pending:
            try:
                data = self.socket.recv(65536)
            except (OSError, socket.timeout):
                data = b''
            if not data:
                raise Died('QEMU closed its control channel')
            self.pending += data
        line, self.pending = self.pending.split(b'\n', 1)
        return json.loads(line)

    def command(self, name, **arguments):
        """Runs one command and returns its answer."""
        words = {'execute': name}
        if arguments:
            words['arguments'] = arguments
        try:
            self.socket.sendall(json.dumps(words).encode() + b'\n')
        except OSError:
            raise Died('QEMU closed its control channel') from None
        while True:
            answer = self.message()
            if 'event' in answer:
                self.events.append(answer)
            elif 'error' in answer:
                raise RuntimeError(f'{name}: {answer["error"]["desc"]}')
            elif 'return' in answer:
                return answer['return']

    def monitor(self, line):
        """Runs one line of QEMU's human monitor; returns its text."""
        return self.command('human-monitor-command',
                            **{'command-line': line})

"""qmp.py: QEMU's control channel.

Events are passed over unread: a machine that is stepped tells two a step.
"""
import json
import socket

from .errors import Died

EVENT = b'{"timestamp"'                 # an event's line begins so, no answer


class Qmp:
    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(30)
        self.lines = connection.makefile('rb')
        self.line()                             # the greeting
        self.command('qmp_capabilities')

    def line(self):
        try:
            line = self.lines.readline()
        except (OSError, socket.timeout):
            line = b''
        if not line.endswith(b'\n'):
            raise Died('QEMU closed its control channel')
        return line

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
            line = self.line()
            answer = {} if line.startswith(EVENT) else json.loads(line)
            if 'error' in answer:
                raise RuntimeError(f'{name}: {answer["error"]["desc"]}')
            if 'return' in answer:
                return answer['return']

    def monitor(self, line):
        """Runs one line of QEMU's human monitor; returns its text."""
        return self.command('human-monitor-command',
                            **{'command-line': line})

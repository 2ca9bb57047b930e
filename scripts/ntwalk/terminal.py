"""terminal.py: what is typed here goes to the machine's COM1.

The machine's console echoes and edits lines, so a terminal is switched to
one key at a time without an echo of its own; Ctrl-C still ends us. The end of
a pipe or a file is what Windows' console takes for it: lines of Ctrl-Z.
"""
import os
import sys
import termios

END = b'\x1a\r'
ENDS = 100              # for programs that read on


class Keyboard:
    def __init__(self):
        self.saved = None

    def take(self):
        """Prepares a terminal; False when there is nothing to read from."""
        try:
            descriptor = sys.stdin.fileno()
        except (AttributeError, ValueError, OSError):
            return False
        if not os.isatty(descriptor):
            return True
        if os.tcgetpgrp(descriptor) != os.getpgrp():
            return False                # in the background: not our keys
        self.saved = termios.tcgetattr(descriptor)
        mode = termios.tcgetattr(descriptor)
        mode[0] &= ~termios.ICRNL
        mode[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, mode)
        return True

    def restore(self):
        if self.saved is not None:
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN,
                              self.saved)
            self.saved = None

    def relay(self, machine, limit):
        """Copies standard input to COM1, once the kernel has set it up."""
        if machine.serial is None or not machine.wait_for_kernel(limit):
            return
        try:
            if not self.take():
                return
            last = b'\n'
            while True:
                data = os.read(sys.stdin.fileno(), 4096)
                if not data:
                    break
                machine.send(data)
                last = data[-1:]
            machine.send((b'' if last == b'\n' else b'\r') + END * ENDS)
        except (OSError, termios.error):
            pass

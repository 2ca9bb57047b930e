"""terminal.py: what is typed here goes to the machine's COM1.

The machine's console echoes and edits lines, so a terminal is switched to
one key at a time without an echo of its own; Ctrl-C still ends us.
"""
import os
import sys
import termios


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
            while True:
                data = os.read(sys.stdin.fileno(), 4096)
                if not data:
                    return
                machine.send(data)
        except (OSError, termios.error):
            pass

"""terminal.py: what is typed here goes to the machine's COM1.

The machine's console echoes and edits lines, so a terminal is switched to
one key at a time without an echo of its own; Ctrl-C still ends us, unless all
keys are for the machine: then only Ctrl-] does. The end of a pipe or a file
is what Windows' console takes for it: lines of Ctrl-Z.
"""
import os
import signal
import sys
import termios
import threading

END = b'\x1a\r'
ENDS = 100              # for programs that read on
QUIT = b'\x1d'          # Ctrl-]


def quit_from_here():
    """Ends the program as Ctrl-C does, from a thread that is not the main."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


class Keyboard:
    """Standard input; all_keys: Ctrl-C and its kind are the machine's."""

    def __init__(self, all_keys=False):
        self.all_keys = all_keys
        self.saved = None
        if all_keys:                    # a job in the background ignores it
            signal.signal(signal.SIGINT, signal.default_int_handler)

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
        if self.all_keys:
            mode[0] &= ~(termios.IXON | termios.INLCR | termios.BRKINT)
            mode[3] &= ~(termios.ISIG | termios.IEXTEN)
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
                if self.all_keys and self.saved and QUIT in data:
                    machine.send(data[:data.index(QUIT)])
                    quit_from_here()
                    return
                machine.send(data)
                last = data[-1:]
            machine.send((b'' if last == b'\n' else b'\r') + END * ENDS)
        except (OSError, termios.error):
            pass

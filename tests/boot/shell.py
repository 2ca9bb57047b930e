"""shell.py: programs/shell on a machine, typed at."""
import re

PROMPT = 'ntwalk> '
LIMIT = 60


class Shell:
    """A machine that runs the shell; the console is read piece by piece."""

    def __init__(self, machine):
        self.machine = machine
        self.seen = 0

    def expect(self, pattern):
        """Waits for the pattern behind what was expected before."""
        found = self.machine.wait_for(
            rf'(?s)\A.{{{self.seen}}}.*?({pattern})', LIMIT)
        self.seen = found.end(1)
        return found.group(1)

    def expect_prompt(self):
        """Returns the text before the next prompt."""
        start = self.seen
        self.expect(re.escape(PROMPT))
        return self.machine.console[start:self.seen - len(PROMPT)]

    def type(self, keys):
        self.machine.send(keys)

    def command(self, line):
        """Enters a line; returns what came between it and the prompt."""
        self.type(line + '\r')
        self.expect(r'\n')
        return self.expect_prompt()

    def result(self, keys):
        """Types a line of keys that make an echo; returns its words."""
        return self.command(keys).strip()

    def press(self, *keys):
        """Presses keys of the keyboard together, by QEMU's names."""
        self.machine.monitor_command('send-key', keys=[
            {'type': 'qcode', 'data': key} for key in keys])

    def press_line(self):
        """An echo with shift, caps lock, keys that move and that erase."""
        for key in ('e', 'c', 'h', 'o', 'spc', 'b'):
            self.press(key)
        self.press('shift', 'a')
        self.press('caps_lock')
        self.press('c')
        self.press('caps_lock')
        self.press('shift_r', '1')
        for key in ('left', 'left', 'minus', 'end', 'x', 'backspace', 'ret'):
            self.press(key)
        self.expect('\nbA-C!\n')
        self.expect_prompt()

    def end(self, status):
        assert self.machine.wait(LIMIT)
        assert self.machine.report == ('exit', status)

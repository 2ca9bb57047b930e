"""debugger.py: gdb on a machine, typed to over a pty.

    with Debugger(BUILD, 'tour') as debugger:
        text = debugger.ask('nt pcr')

It is scripts/debug that runs: what a person gets who types "make debug".
"""
import os
import re
import tempfile

import pexpect

from ntwalk import boot

PROMPT = '(gdb) '
TIMEOUT = 60                    # for a machine that never stops


class Debugger:
    """words are scripts/boot's: options, a program and its arguments."""

    def __init__(self, build, *words):
        self.folder = tempfile.TemporaryDirectory(prefix='ntwalk-')
        self.log = os.path.join(self.folder.name, 'console')
        self.child = pexpect.spawn(
            os.path.join(boot.ROOT, 'scripts/debug'),
            [build, '--no-build', *words],
            env={**os.environ, 'NTWALK_LOG': self.log, 'TERM': 'dumb'},
            encoding='utf-8', codec_errors='replace', timeout=TIMEOUT,
            dimensions=(200, 200), echo=False)
        self.child.delaybeforesend = None
        self.greeting = self.answer()
        for setting in ('pagination off', 'width 0', 'confirm off'):
            self.ask(f'set {setting}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.sendline('kill')
        self.child.sendline('quit')
        self.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=10)
        self.child.close(force=True)
        self.folder.cleanup()

    def answer(self):
        self.child.expect_exact(PROMPT)
        text = re.sub(r'\x1b\[[0-9;?]*[a-zA-Z]', '', self.child.before)
        return text.replace('\r', '')

    def ask(self, line):
        """Types a line; returns what is printed until the next prompt."""
        self.child.sendline(line)
        text = self.answer()
        print(f'{PROMPT}{line}\n{text}')
        return text.removeprefix(line + '\n').rstrip('\n')

    def value(self, expression):
        """Returns a number as gdb itself evaluates it."""
        text = self.ask(f'output/x (unsigned long long)({expression})')
        return int(text.strip(), 16)

    def console(self):
        """Returns what the machine has written on COM1."""
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return file.read()

"""command.py: what every nt command shares.

A command is a class with a name, WinDbg's spelling, a usage and a summary;
run(words) does the work and raises Wrong for what the user can mend. A file
lists its classes in COMMANDS, nt.py lists the files.
"""
import re

import gdb


class Wrong(Exception):
    """One clear line for the user."""


def say(text=''):
    print(text)


class Command(gdb.Command):
    """Subclasses set name, windbg, usage ('' without words), summary, help.

    choices(words) may return the words that can come next, for completion;
    begun is what there is of that word already.
    """

    name = windbg = usage = summary = help = ''
    fewest, most = 0, None              # how many words it takes
    begun = ''

    def __init__(self):
        lines = [f'{self.windbg}: {self.summary}' if self.windbg
                 else self.summary, '',
                 f'Usage: nt {self.name} {self.usage}'.rstrip()]
        if self.help:
            lines += ['', self.help]
        # gdb takes the help text from the object's class.
        type(self).__doc__ = '\n'.join(lines)
        super().__init__(f'nt {self.name}', gdb.COMMAND_DATA)

    def invoke(self, text, from_tty):
        self.dont_repeat()
        try:
            words = split(text)
            if len(words) < self.fewest or \
                    self.most is not None and len(words) > self.most:
                raise Wrong(f'usage: nt {self.name} {self.usage}'.rstrip())
            self.run(words)
        except Wrong as wrong:
            raise gdb.GdbError(f'nt {self.name}: {wrong}') from None
        except gdb.error as error:
            line = ' '.join(str(error).split())
            raise gdb.GdbError(f'nt {self.name}: {line}') from None

    def run(self, words):
        raise NotImplementedError

    def choices(self, words):
        return []

    def complete(self, text, word):
        # gdb asks twice, first without a word; its words end at "!", too.
        if word is None:
            return []
        words = text.split()
        begun = '' if not text or text[-1].isspace() else words.pop()
        kept = len(begun) - len(word)
        self.begun = begun
        try:
            return [choice[kept:] for choice in self.choices(words)
                    if choice.startswith(begun)]
        except (Wrong, gdb.error):
            return []


def split(text):
    """Returns the words; quotes keep spaces, as gdb has it, backslashes stay.
    """
    words = []
    for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', text):
        words.append(plain or quoted)
    return words


class Nt(gdb.Command):
    """WinDbg's commands for ntwalk. gdb takes no "!": !pte is "nt pte".

A number is hexadecimal, as in WinDbg; 0n10 is decimal. An address may also be
a symbol, module!symbol, a register ($rsp or @rsp), a sum of these, or any
other expression of gdb's in one word.
docs/gdb.md has an example of each command.
"""

    def __init__(self):
        super().__init__('nt', gdb.COMMAND_DATA, prefix=True)

    def invoke(self, text, from_tty):
        """What is no command of nt, and nt alone."""
        if text:
            raise gdb.GdbError(f'nt: no command {text.split()[0]} '
                               '("help nt" lists them)')
        gdb.execute('help nt')

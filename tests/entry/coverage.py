#!/usr/bin/env python3
"""coverage.py: is every instruction of the entry code executed?

usage: coverage.py [--build DIR]

Runs a few machines that note which instructions of the kernel have begun
(scripts/plugin/coverage.c), and prints the instructions of the entry code that
none of them has executed and uncovered.txt does not explain; then a line of
counts. DIR is a test build; without it, build/test.
"""
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '../boot')]

sys.dont_write_bytecode = True

import image as images                                      # noqa: E402
import watch                                                # noqa: E402
import watched                                              # noqa: E402
from ntwalk import boot                                     # noqa: E402
from ntwalk.arguments import Parser, told                   # noqa: E402
from ntwalk.machine import plugin                           # noqa: E402
from shell import Shell                                     # noqa: E402

EXPLAINED = os.path.join(HERE, 'uncovered.txt')
FILLER = re.compile(r'(cs |data16 )*(nop\b.*|xchg ax,ax|int3)$')
BRANCH = re.compile(r'(j\w+|call|loop\w*) ([0-9a-f]{16})\b')
ENDS = re.compile(r'(j\w+|call|loop\w*|ret|iret\w*|sysret\w*|sysexit\w*|ud2'
                  r'|hlt)\b')
CONSTANT = re.compile(r'\b(0x)?[0-9a-f]+\b|# .*')

# What a shell runs on one machine: the processor, the kernel's options, the
# programs as in tests/user/expected.txt.
PROGRAMS = ('fired', 'ums', 'instrument', '32/debugregs', '32/raises',
            '32/apc', '32/gate', 'doors', 'monitors', 'args',
            'ring0 50', 'ring0 52', 'ring0 53', 'crash rcx_non_canonical',
            'crash int_29', 'crash step_sysenter')
SHELLS = (
    ('intel', ('kva=on', 'spec=on', 'debug=on'), PROGRAMS),
    ('intel', ('kva=off', 'spec=off', 'debug=on'), PROGRAMS),
    ('intel', ('kva=off', 'spec=on'), ('32/apc',)),
    ('amd', ('kva=off', 'spec=off'), ('crash syscall32',)),
    ('amd', ('kva=on', 'spec=on'), ('crash syscall32',)),
)
# NtwSelfTest's numbers that end in a bugcheck: on the way out, on the stack, by
# ring 3's door; NMI, #MC and #DB in their own handlers.
BUGCHECKS = ('100', '101', '103', '10c', '150', '153', '154')


class Coverage:
    """What has begun, in all runs so far."""

    def __init__(self, kernel, build):
        self.kernel, self.build = kernel, build
        self.start = kernel.symbols['kernel_start']
        self.end = kernel.symbols['kernel_text_end']
        self.begun = set()

    def noted(self, config, run):
        """run(config) with the plugin; returns what it returns."""
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, 'out')
            config.qemu_args = [*config.qemu_args, *plugin(
                os.path.join(self.build, 'coverage.so'),
                start=f'{self.start:x}', end=f'{self.end:x}', out=out)]
            result = run(config)
            with open(out, encoding='ascii') as text:
                self.begun.update(int(line, 16) for line in text)
        return result

    def program(self, *words):
        return self.noted(watch.config(self.build, *words), boot.run)

    def shell(self, cpu, options, programs):
        """Programs on one machine, then NMIs and a machine check."""
        config = watch.config(self.build, 'shell')
        config.framebuffer, config.cpu = True, cpu
        config.options = ['log=*:error', *options]
        lines = []
        for words in map(str.split, programs):
            config.add += watch.config(self.build, *words).add
            lines.append(' '.join([words[0].rpartition('/')[2], *words[1:]]))

        def run(config):
            with boot.start(config) as machine:
                shell = Shell(machine)
                shell.expect_prompt()
                said = [shell.command(f'run {line}') for line in lines]
                machine.monitor_command('inject-nmi')
                said.append(shell.command('time'))
                shell.type('exit\r')
                shell.end(0)
            return said
        return self.noted(config, run)

    def run(self):
        for row in SHELLS:
            self.shell(*row)
        for number in BUGCHECKS:
            self.program('ring0', number)


class Explained:
    """uncovered.txt: what no run executes, and why.

    places is {address: row}; a row is the line's words.
    """

    def __init__(self, coverage):
        self.kernel, self.begun = coverage.kernel, coverage.begun
        self.functions = {}
        for at in sorted(self.kernel.code):
            name = watched.function(self.kernel, at)
            self.functions.setdefault(name, []).append(at)
        self.places, self.rows = {}, []
        with open(EXPLAINED, encoding='utf-8') as text:
            for line in text:
                if line.strip() and not line.startswith('#'):
                    row = tuple(word.strip() for word in line.split(' | '))
                    self.rows.append(row)
                    self.add(row)

    def add(self, row):
        pattern, which, _ = row
        for name, places in self.functions.items():
            if not re.fullmatch(pattern, name):
                continue
            if which.startswith('behind '):
                places = self.behind(places, which.split()[1])
            elif which.startswith('like ') and \
                    not self.is_like(places, which.split()[1]):
                continue
            elif which.startswith(('only ', 'from ')):
                word, _, wanted = which.partition(' ')
                found = [i for i, at in enumerate(places)
                         if re.match(wanted, self.kernel.code[at])]
                places = places[found[0]:] if word == 'from' and found else \
                    [places[i] for i in found]
            self.places.update(dict.fromkeys(places, row))

    def behind(self, places, name):
        """What follows the call of a function that does not return."""
        for i, at in enumerate(places):
            if self.kernel.code[at].endswith(f'<{name}>'):
                return places[i + 1:]
        return []

    def is_like(self, places, name):
        """The same instructions but for numbers; there, all executed."""
        other = self.functions[name]
        return all(at in self.begun for at in self.real(other)) and \
            list(map(self.shape, self.real(places))) == \
            list(map(self.shape, self.real(other)))

    def real(self, places):
        return [at for at in places
                if not FILLER.match(self.kernel.code[at])]

    def shape(self, at):
        return CONSTANT.sub('', self.kernel.code[at])


def basic_blocks(kernel, start, end):
    """The first instructions of all basic blocks from start to end."""
    places, leaders, code = [], set(kernel.names), {}
    for at, text in images.disassembled(kernel.path, start, end):
        code[at] = text
        places.append(at)
    for at, following in zip(places, places[1:]):
        found = BRANCH.match(code[at])
        if found:
            leaders.add(int(found[2], 16))
        if ENDS.match(code[at]):
            leaders.add(following)
    return [at for at in leaders if at in code and not FILLER.match(code[at])]


def report(coverage):
    """Returns (lines of what is wrong, a line of counts)."""
    kernel, begun = coverage.kernel, coverage.begun
    explained = Explained(coverage)
    every = [at for at, text in sorted(kernel.code.items())
             if not FILLER.match(text)]
    missing = [at for at in every if at not in begun]
    wrong = [f'{kernel.name(at)}: {kernel.code[at]}' for at in missing
             if at not in explained.places]
    needed = {explained.places[at] for at in missing
              if at in explained.places}
    wrong += [f'uncovered.txt: {" | ".join(row[:2])} explains nothing'
              for row in explained.rows if row not in needed]
    blocks = basic_blocks(kernel, coverage.start, coverage.end)
    entered = sum(at in begun for at in blocks)
    left_out = len(missing) - sum(at not in explained.places
                                  for at in missing)
    return wrong, (
        f'{len(every)} instructions of the entry code: '
        f'{len(every) - len(missing)} executed, {left_out} explained, '
        f'{len(missing) - left_out} never; {entered} of {len(blocks)} basic '
        f'blocks of the kernel ({100 * entered / len(blocks):.1f} %)')


def main():
    parser = Parser(prog='coverage.py', allow_abbrev=False)
    parser.add_argument('--build', default=os.path.join(watched.ROOT,
                                                        'build/test'))
    build = parser.parse_args().build
    coverage = Coverage(images.Image(os.path.join(build, 'ntoskrnl.elf')),
                        build)
    coverage.run()
    wrong, counts = report(coverage)
    print(*wrong, counts, sep='\n')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(told('coverage', main))

"""names.py: nt ln, x, error: what an address or a number is called."""
import fnmatch
import os
import re

import gdb

from . import expression, headers, machine, modules
from .command import Command, Wrong, say
from .expression import AboutAddress

LONGEST = 500                           # lines of nt x
WIN32 = 'ntdll-stub/src/error.c'        # NTSTATUS to Win32, ntdll's table


def source_line(where):
    """Returns file and line of an address as WinDbg has it, or ''."""
    found = gdb.find_pc_line(where)
    if not found.symtab:
        return ''
    beyond = where - found.pc
    return f'[{found.symtab.filename} @ {found.line}]' + \
        (f'+0x{beyond:x}' if beyond else '')


class ListNearest(AboutAddress):
    name = 'ln'
    windbg = 'ln'
    usage = 'ADDRESS'
    summary = 'the names before and after an address, and its source line'
    fewest = most = 1

    def run(self, words):
        where = expression.value(words[0])
        module = modules.module_at(where)
        if module is None:
            raise Wrong(f'{where:x} is in no module')
        rows = modules.table(module.path) if module.path else None
        if not rows:
            raise Wrong(f'{module.name} has no symbols')
        if line := source_line(where):
            say(line)
        say('   |   '.join([*self.before(module, rows, where),
                            *self.after(module, rows, where)]))
        exact = rows.names_at(where - module.shift)
        if exact:
            say('Exact matches:')
            for name in exact:
                say(f'    {module.name}!{name}')

    def before(self, module, rows, where):
        found = rows.name_of(where - module.shift)
        if found:
            name, beyond = found
            yield (f'({where - beyond:016x})   {module.name}!{name}' +
                   (f'+0x{beyond:x}' if beyond else ''))

    def after(self, module, rows, where):
        found = rows.after(where - module.shift)
        if found and found[0] + module.shift < module.end:
            yield f'({found[0] + module.shift:016x})   ' \
                f'{module.name}!{found[1]}'


class Examine(AboutAddress):
    name = 'x'
    windbg = 'x'
    usage = '[MODULE!]PATTERN'
    summary = 'the names that are like a pattern, with their addresses'
    help = ('nt x nt!Ki*Fault; nt x *!NtClose; nt x *! lists the modules. '
            'Case does not count.')
    fewest = most = 1

    def run(self, words):
        module_pattern, bang, pattern = words[0].rpartition('!')
        found = [module for module in modules.loaded()
                 if not bang or fnmatch.fnmatch(module.name.lower(),
                                                module_pattern.lower())]
        if not found:
            raise Wrong(f'no module is like {module_pattern}')
        if bang and not pattern:
            self.list_modules(found)
            return
        like = re.compile(fnmatch.translate(pattern), re.I)
        lines = [f'{address + module.shift:016x} {module.name}!{name}'
                 for module in found if module.path
                 for address, name in modules.table(module.path).rows()
                 if like.match(name)]
        if not lines:
            raise Wrong(f'no symbol is like {words[0]}')
        for line in lines[:LONGEST]:
            say(line)
        if len(lines) > LONGEST:
            say(f'... and {len(lines) - LONGEST} more')

    def list_modules(self, found):
        say('start            end                 module name')
        for module in found:
            path = os.path.relpath(module.path) if module.path else \
                'no symbols'
            say(f'{module.base:016x} {module.end:016x}    '
                f'{module.name:<12} ({path})')


def win32_errors():
    """Returns {status's name: Win32 error}: RtlNtStatusToDosError's table."""
    with open(os.path.join(headers.ROOT, WIN32), encoding='utf-8') as file:
        rows = re.findall(r'\{ (STATUS_\w+), (\d+) \}', file.read())
    return {name: int(error) for name, error in rows}


class Error(Command):
    name = 'error'
    windbg = '!error'
    usage = '[CODE | NAME]'
    summary = 'what an NTSTATUS, a bugcheck or a Win32 code is called'
    help = ('Those that this system knows. Without a word: what eax has. For '
            'a status also the\nWin32 error that ntdll makes of it, for a '
            'Win32 error the statuses it comes from.')
    most = 1

    def run(self, words):
        known = headers.constants(headers.STATUSES)
        if words and words[0].upper() in known:
            code = known[words[0].upper()]
        else:
            code = expression.value(words[0]) if words else \
                machine.register('rax') & 0xFFFFFFFF
        if code >> 32 not in (0, 0xFFFFFFFF):
            raise Wrong(f'{code:x}: codes have 32 bits')
        code &= 0xFFFFFFFF
        lines = [*self.statuses(code), *self.others(code)]
        if not lines:
            raise Wrong(f'{code:08x} is no status, bugcheck or Win32 error '
                        'of this system')
        for line in lines:
            say(line)

    def statuses(self, code):
        names = headers.names(headers.STATUSES, code, cast='NTSTATUS')
        errors = win32_errors()
        for name in names:
            yield f'Error code: (NTSTATUS) 0x{code:x} ({code}) - {name}'
        if names:
            severity = ('success', 'informational', 'warning',
                        'error')[code >> 30]
            error = [errors[name] for name in names if name in errors]
            yield (f'    severity: {severity}; Win32: '
                   f'{error[0] if error else "none of its own, 317"}')

    def others(self, code):
        for name in headers.names(headers.STATUSES, code, cast=''):
            yield f'Error code: (bugcheck) 0x{code:x} ({code}) - {name}'
        names = [name for name, error in win32_errors().items()
                 if error == code]
        if names:
            yield (f'Error code: (Win32) 0x{code:x} ({code}) - of '
                   f'{", ".join(names)}')

    def choices(self, words):
        return [] if words else list(headers.constants(headers.STATUSES))


COMMANDS = (ListNearest, Examine, Error)

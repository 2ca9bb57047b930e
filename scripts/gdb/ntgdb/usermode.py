"""usermode.py: nt peb, teb: what ring 3 knows about itself.

They lie in the process whose addresses are seen; pages that nobody has
touched yet are not there.
"""
from . import expression, kernel, modules, threads
from .command import Command, Wrong, say


def field(name, value):
    say(f'    {name + ":":<25} {value}')


def text(value):
    """Returns a UNICODE_STRING's text, one of 32 bits, too."""
    if not kernel.number(value['Buffer']):
        return ''
    return f"'{kernel.text(value)}'"


def is_32bit(owner):
    return bool(kernel.number(owner['WoW64Process']))


def yes(value):
    return 'Yes' if kernel.number(value) else 'No'


class Peb(Command):
    name = 'peb'
    windbg = '!peb'
    usage = '[ADDRESS]'
    summary = 'the process\'s PEB, of a 32-bit one the 32-bit one'
    most = 1

    def run(self, words):
        owner = kernel.process()
        wide = not is_32bit(owner)
        where = kernel.number(owner['Peb']) if wide else kernel.number(
            kernel.at(kernel.number(owner['WoW64Process']),
                      '_EWOW64PROCESS')['Peb'])
        if words:
            where = expression.value(words[0])
        if not where:
            raise Wrong(f'process {kernel.pid(owner):x} has no PEB')
        self.show(where, *(('PEB', 'RTL_USER_PROCESS_PARAMETERS', 16)
                           if wide else
                           ('PEB32', 'RTL_USER_PROCESS_PARAMETERS32', 8)))

    def show(self, where, kind, parameters, digits):
        peb = kernel.copy_at(where, kind)
        rows = kernel.copy_at(kernel.number(peb['ProcessParameters']),
                              parameters)
        say(f'{kind} at {where:0{digits}x}')
        for name in ('InheritedAddressSpace', 'ReadImageFileExecOptions',
                     'BeingDebugged'):
            field(name, yes(peb[name]))
        for name in ('ImageBaseAddress', 'Ldr', 'ProcessHeap',
                     'ProcessParameters'):
            field(name, f'{kernel.number(peb[name]):0{digits}x}')
        field('NtGlobalFlag', f'{kernel.number(peb["NtGlobalFlag"]):x}')
        field('Version', f'{kernel.number(peb["OSMajorVersion"])}.'
              f'{kernel.number(peb["OSMinorVersion"])}.'
              f'{kernel.number(peb["OSBuildNumber"])}')
        field('NumberOfProcessors', kernel.number(peb['NumberOfProcessors']))
        say(f'    {"Base":<{digits}} {"End":<{digits}} Module')
        for module in modules.loaded()[1:]:
            say(f'    {module.base:0{digits}x} {module.end:0{digits}x} '
                f'{module.name}')
        field('CurrentDirectory', text(rows['CurrentDirectory']['DosPath']))
        for title, name in (('ImageFile', 'ImagePathName'),
                            ('CommandLine', 'CommandLine'),
                            ('DllPath', 'DllPath')):
            field(title, text(rows[name]))
        for name in ('StandardInput', 'StandardOutput', 'StandardError'):
            field(name, f'{kernel.number(rows[name]):x}')


class Teb(Command):
    name = 'teb'
    windbg = '!teb'
    usage = '[ADDRESS]'
    summary = 'the thread\'s TEB, of a 32-bit program both'
    help = 'ADDRESS is a TEB\'s, a 64-bit one\'s, or a thread\'s id.'
    most = 1

    def run(self, words):
        where = kernel.number(kernel.thread()['Tcb']['Teb'])
        if words:
            where = expression.value(words[0])
            for one in threads.all_threads():
                if kernel.tid(one) == where:
                    where = kernel.number(one['Tcb']['Teb'])
        if not where:
            raise Wrong('the thread has no TEB: it is the kernel\'s')
        teb = kernel.copy_at(where, 'TEB')
        self.show(where, teb, 'TEB', 16)
        if shift := int(teb['WowTebOffset']):
            self.show(where + shift, kernel.copy_at(where + shift, 'TEB32'),
                      'TEB32', 8)

    def show(self, where, teb, kind, digits):
        say(f'{kind} at {where:0{digits}x}')
        tib = teb['NtTib']
        for name in ('ExceptionList', 'StackBase', 'StackLimit',
                     'ArbitraryUserPointer', 'Self'):
            field(name, f'{kernel.number(tib[name]):0{digits}x}')
        ids = teb['ClientId']
        field('ClientId', ' . '.join(
            f'{kernel.number(ids[name]):0{digits}x}'
            for name in ('UniqueProcess', 'UniqueThread')))
        for title, name in (('Tls Storage', 'ThreadLocalStoragePointer'),
                            ('PEB Address', 'ProcessEnvironmentBlock'),
                            ('DeallocationStack', 'DeallocationStack')):
            field(title, f'{kernel.number(teb[name]):0{digits}x}')
        for name in ('LastErrorValue', 'LastStatusValue'):
            field(name, f'{kernel.number(teb[name]):x}')


COMMANDS = (Peb, Teb)

"""registers.py: nt irql, rdmsr: registers that gdb does not show."""
import re
import struct

from . import expression, headers, machine, modules, msr
from .command import Command, Wrong, say

EFER_BITS = {0: 'SCE', 8: 'LME', 10: 'LMA', 11: 'NXE', 12: 'SVME',
             14: 'FFXSR'}
FLAG_BITS = {0: 'CF', 2: 'PF', 4: 'AF', 6: 'ZF', 7: 'SF', 8: 'TF', 9: 'IF',
             10: 'DF', 11: 'OF', 14: 'NT', 16: 'RF', 17: 'VM', 18: 'AC',
             19: 'VIF', 20: 'VIP', 21: 'ID'}
APIC_BITS = {8: 'boot processor', 10: 'x2APIC', 11: 'enabled'}
CACHE_TYPES = {0: 'UC', 1: 'WC', 4: 'WT', 5: 'WP', 6: 'WB', 7: 'UC-'}


def bits(value, names):
    return ' '.join(name for bit, name in names.items() if value >> bit & 1)


def star(value):
    """SDM: 3A, 5.8.8: selectors that SYSCALL and SYSRET compute."""
    call, back = value >> 32 & 0xFFFF, value >> 48
    return (f'SYSCALL {call & ~3:02X}/{call + 8:02X}, SYSRETQ '
            f'{back + 16 | 3:02X}/{back + 8 | 3:02X}, SYSRETL '
            f'{back | 3:02X}/{back + 8 | 3:02X}')


def pat(value):
    return ' '.join(CACHE_TYPES.get(kind, '?')
                    for kind in struct.pack('<Q', value))


def in_words(number, value):
    """Returns what the value of an MSR means, or ''."""
    name = next((name for name, known in msr.NAMES.items()
                 if known == number), '')
    words = {
        'EFER': lambda: bits(value, EFER_BITS),
        'STAR': lambda: star(value),
        'FMASK': lambda: 'clears ' + bits(value, FLAG_BITS),
        'APIC_BASE': lambda: bits(value, APIC_BITS),
        'PAT': lambda: pat(value),
    }.get(name)
    if words:
        return words()
    if name in ('LSTAR', 'CSTAR') or name.endswith(('_BASE', '_EIP', '_ESP')):
        return modules.stack_text(value)
    return ''


class ReadMsr(Command):
    name = 'rdmsr'
    windbg = 'rdmsr'
    usage = 'NAME | NUMBER'
    summary = 'a model-specific register of the processor'
    help = (f'NAME: {" ".join(msr.NAMES)}.\n'
            'An RDMSR of the kernel\'s is run for it and everything put back; '
            'for the TSC an\nRDTSC. QEMU\'s own processor (TCG) reads MSRs '
            'that it does not know as 0.')
    fewest = most = 1

    def run(self, words):
        name = re.sub('^(IA32|MSR)_', '', words[0].upper())
        number = msr.NAMES[name] if name in msr.NAMES else number_of(words[0])
        value = msr.read(number)
        names = '/'.join(name for name, known in msr.NAMES.items()
                         if known == number)
        say(f'msr[{number:x}] = {value:016x}  {names}: '
            f'{in_words(number, value)}'.rstrip(': '))

    def choices(self, words):
        return [] if words else list(msr.NAMES)


def number_of(word):
    if not expression.is_number(word):
        raise Wrong(f'no MSR is called {word}; help nt rdmsr has their names')
    number = expression.value(word)
    if number >> 32:
        raise Wrong(f'{word}: numbers of MSRs have 32 bits')
    return number


# ---- IRQL


class Irql(Command):
    name = 'irql'
    windbg = '!irql'
    summary = 'the interrupt request level, cr8, and the interrupt flag'
    most = 0

    def run(self, words):
        level = machine.register('cr8')
        names = [name for name in headers.names(headers.LEVELS, level)
                 if name.endswith('_LEVEL')]
        name = names[0] if names else 'of devices'
        enabled = machine.register('eflags') >> 9 & 1
        say(f'Debugger saved IRQL for processor 0x0 -- {level} ({name})')
        say(f'rflags.IF = {enabled}: interrupts are '
            f'{"on" if enabled else "off"}')


COMMANDS = (Irql, ReadMsr)

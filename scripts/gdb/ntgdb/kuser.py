"""kuser.py: nt kuser, the page that kernel and ring 3 share, in words.

Where ring 3 sees it, a 32-bit process has XP's page instead: it is another
page of memory, and its fields are elsewhere.
"""
import datetime

from . import headers, kernel, machine
from .command import Command, say

CONSTANTS = headers.constants(headers.SHARED_PAGE)
USER = CONSTANTS['USER_SHARED_DATA']
KERNEL = CONSTANTS['KI_USER_SHARED_DATA']
XP = KERNEL + 0x1000
EPOCH = datetime.datetime(1601, 1, 1)
PRODUCTS = {1: 'NtProductWinNt', 2: 'NtProductLanManNt', 3: 'NtProductServer'}
STATES = {0: 'x87', 1: 'SSE', 2: 'AVX', 3: 'BNDREGS', 4: 'BNDCSR',
          5: 'opmask', 6: 'ZMM_Hi256', 7: 'Hi16_ZMM', 9: 'PKRU'}


def system_time(value):
    """Returns a KSYSTEM_TIME as a number."""
    return kernel.number(value['High1Time']) << 32 | \
        kernel.number(value['LowPart'])


def date(units):
    moment = EPOCH + datetime.timedelta(microseconds=units // 10)
    return moment.strftime('%Y-%m-%d %H:%M:%S.%f')[:-3] + ' UTC'


def seconds(units):
    return f'{datetime.timedelta(microseconds=units // 10)}'


def features(page):
    """Returns the names of the processor features that are there."""
    start = kernel.offset('KUSER_SHARED_DATA', 'ProcessorFeatures')
    present = page[start:start + CONSTANTS['PROCESSOR_FEATURE_MAX']]
    names = {number: name for name, number in CONSTANTS.items()
             if name.startswith('PF_')}
    return [names.get(number, f'{number}').removeprefix('PF_')
            .removesuffix('_AVAILABLE').removesuffix('_INSTRUCTIONS')
            .removesuffix('_ENABLED')
            for number, byte in enumerate(present) if byte]


def place_in_ring3(wide, xp):
    """Tells which page ring 3 sees, by where it is in memory."""
    seen = kernel.physical(USER)
    if seen is None:
        return 'not in this address space'
    if seen == wide:
        return 'the same page'
    return 'XP\'s page, for a 32-bit program' if seen == xp else \
        'another page'


class KUser(Command):
    name = 'kuser'
    windbg = '!kuser'
    summary = 'KUSER_SHARED_DATA, the page that kernel and ring 3 share'
    help = 'nt dt KUSER_SHARED_DATA 7ffe0000 has every field as it is.'
    most = 0

    def run(self, words):
        page = machine.read(KERNEL, kernel.type_of('KUSER_SHARED_DATA')
                            .sizeof)
        data = kernel.copy_at(KERNEL, 'KUSER_SHARED_DATA')
        wide, xp = kernel.physical(KERNEL), kernel.physical(XP)
        say(f'_KUSER_SHARED_DATA at {KERNEL:016x}, physical {wide:x}')
        say(f'in ring 3 at {USER:016x}: {place_in_ring3(wide, xp)}')
        if xp is not None:
            say(f'in XP\'s layout at {XP:016x}, physical {xp:x}')
        for name, value in self.rows(data, page):
            say(f'{name + ":":<20} {value}')

    def rows(self, data, page):
        def number(field):
            return kernel.number(data[field])

        ticks = system_time(data['TickCount'])
        multiplier = number('TickCountMultiplier')
        yield 'TickCount', (f'{multiplier:x} * {ticks:016x} >> 24 = '
                            f'{ticks * multiplier >> 24} ms')
        yield 'InterruptTime', seconds(system_time(data['InterruptTime']))
        yield 'SystemTime', date(system_time(data['SystemTime']))
        yield 'TimeZoneBias', seconds(system_time(data['TimeZoneBias']))
        yield 'Version', (f'{number("NtMajorVersion")}.'
                          f'{number("NtMinorVersion")}.'
                          f'{number("NtBuildNumber") & 0xFFFF}, '
                          f'{PRODUCTS.get(number("NtProductType"), "?")}')
        yield 'NtSystemRoot', self.text(data['NtSystemRoot'])
        yield 'ImageNumber range', (f'[{number("ImageNumberLow"):x} .. '
                                    f'{number("ImageNumberHigh"):x}]')
        yield 'Memory', (f'{number("NumberOfPhysicalPages"):x} pages, '
                         f'{number("NumberOfPhysicalPages") // 256} MiB')
        yield 'Processors', f'{number("ActiveProcessorCount")}'
        yield 'QpcFrequency', f'{number("QpcFrequency")} Hz'
        door = number('SystemCall')
        yield 'SystemCall', (f'{door:x}: stubs go by ' +
                             ('int 2e' if door & 1 else 'syscall'))
        yield 'Cookie', f'{number("Cookie"):08x}'
        yield 'KdDebuggerEnabled', f'{number("KdDebuggerEnabled"):x}'
        yield 'ProcessorFeatures', ' '.join(features(page))
        state = data['XState']
        enabled = kernel.number(state['EnabledFeatures'])
        yield 'XState', (' '.join(name for bit, name in STATES.items()
                                  if enabled >> bit & 1) or 'none') + \
            f', {kernel.number(state["Size"])} bytes'

    def text(self, value):
        return ''.join(map(chr, [int(value[at]) for at in range(260)])) \
            .partition('\0')[0]


COMMANDS = (KUser,)

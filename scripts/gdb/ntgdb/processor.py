"""processor.py: nt pcr, prcb, ssdt: the processor's block, service tables."""
from . import expression, kernel, machine, modules, threads
from .command import Command, Wrong, say

ENTRY_SHIFT, ARGUMENTS = 4, 0xF
SHADOW_FIRST = 0x1000
TABLES = ('KeServiceDescriptorTable', 'KeServiceDescriptorTableShadow')


def field(name, value, width=24):
    say(f'{name:>{width}}: {value}')


def block():
    pcr = kernel.pcr()
    return pcr, pcr['Prcb'], kernel.number(pcr['Prcb']['Number'])


class Pcr(Command):
    name = 'pcr'
    windbg = '!pcr'
    summary = 'the processor\'s KPCR'
    most = 0

    def run(self, words):
        pcr, prcb, number = block()
        say(f'KPCR for Processor {number:x} at {kernel.address(pcr):016x}:')
        say(f'    Major {kernel.number(pcr["MajorVersion"])} Minor '
            f'{kernel.number(pcr["MinorVersion"])}')
        for title, name in (('SelfPcr', 'Self'), ('Prcb', 'CurrentPrcb'),
                            ('UserRsp', 'UserRsp'), ('IDT', 'IdtBase'),
                            ('GDT', 'GdtBase'), ('TSS', 'TssBase')):
            field(title, f'{kernel.number(pcr[name]):016x}')
        field('Irql', f'{machine.register("cr8"):016x}')
        say()
        for name in ('CurrentThread', 'NextThread', 'IdleThread'):
            field(name, f'{kernel.number(prcb[name]):016x}')
        say()
        depth = int(prcb['DpcData'][0]['DpcQueueDepth'])
        field('DpcQueue', f'{depth} waiting (nt dpcs)')


class Prcb(Command):
    name = 'prcb'
    windbg = '!prcb'
    summary = 'the processor\'s KPRCB'
    most = 0

    def run(self, words):
        _, prcb, number = block()
        say(f'PRCB for Processor {number:x} at {kernel.address(prcb):016x}:')
        say(f'Current IRQL -- {machine.register("cr8")}')
        say('Threads--  ' + ' '.join(
            f'{word} {kernel.number(prcb[name]):016x}' for word, name in
            (('Current', 'CurrentThread'), ('Next', 'NextThread'),
             ('Idle', 'IdleThread'))))
        say(f'Number {number:x}, GroupSetMember '
            f'{kernel.number(prcb["GroupSetMember"]):x}, '
            f'{kernel.number(prcb["MHz"])} MHz, RspBase '
            f'{kernel.number(prcb["RspBase"]):016x}')
        say(f'Interrupt Count -- {kernel.number(prcb["InterruptCount"]):08x}')
        say('Times -- ' + '  '.join(
            f'{name.removesuffix("Time")} '
            f'{threads.duration(kernel.number(prcb[name]))}'
            for name in ('DpcTime', 'KernelTime', 'UserTime')))
        say('Counts -- ' + '  '.join(
            f'{word} {kernel.number(prcb[name])}' for word, name in
            (('system calls', 'KeSystemCalls'),
             ('switches', 'KeContextSwitches'),
             ('page faults', 'MmPageFaultCount'),
             ('exceptions', 'KeExceptionDispatchCount'))))
        say(f'Ready summary {kernel.number(prcb["ReadySummary"]):08x}, '
            f'quantum end {kernel.number(prcb["QuantumEnd"])}')


# ---- service tables


def services():
    """Returns {name: number} of the services that the kernel has."""
    result = {}
    for table in (0, 1):
        base, limit, entries = entries_of(table)
        names = modules.table(modules.kernel_path())
        for index, entry in enumerate(entries[:limit]):
            found = names.name_of(routine(base, entry))
            if found and not found[1] and found[0] != 'invalid_service':
                result.setdefault(found[0], table * SHADOW_FIRST + index)
    return result


def entries_of(table):
    """Returns (base, limit, entries) of a service table."""
    machine.connection()
    row = kernel.variable(TABLES[1])[table]
    base, limit = kernel.number(row['Base']), kernel.number(row['Limit'])
    if not base:
        raise Wrong('the kernel has not made its service tables yet')
    data = machine.read(base, 4 * limit)
    return base, limit, memoryview(data).cast('i').tolist()


def routine(base, entry):
    return base + (entry >> ENTRY_SHIFT) & (1 << 64) - 1


class Ssdt(Command):
    name = 'ssdt'
    windbg = '!ssdt'
    usage = '[NUMBER | NAME]'
    summary = 'the service tables: entry, arithmetic, routine, arguments'
    help = ('Without a word: all services. NUMBER is hexadecimal, from 1000 '
            'on in the\nshadow table. WinDbg itself has: dds '
            'nt!KiServiceTable.')
    most = 1

    def run(self, words):
        if not words:
            self.show_all()
            return
        number = self.number(words[0])
        table, index = divmod(number, SHADOW_FIRST)
        if table > 1:
            raise Wrong(f'{words[0]}: numbers have 13 bits')
        base, limit, entries = entries_of(table)
        if index >= limit:
            raise Wrong(f'{number:x}: the table has {limit:x} entries')
        entry = entries[index]
        target = routine(base, entry)
        say(f'{TABLES[1] if table else TABLES[0]}[{table}]: Base '
            f'{base:016x} {modules.stack_text(base)}  Limit {limit:x}')
        say(f'entry {number:04x} at {base + 4 * index:016x} = '
            f'{entry & 0xFFFFFFFF:08x}')
        say(f'routine = {base:016x} + ({entry & 0xFFFFFFFF:08x} >> 4 = '
            f'{"-" if entry < 0 else ""}{abs(entry >> ENTRY_SHIFT):x}) = '
            f'{target:016x} {modules.stack_text(target)}')
        say(f'arguments on the stack = {entry & 0xFFFFFFFF:08x} & f = '
            f'{entry & ARGUMENTS}')

    def number(self, word):
        known = services()
        for name in (word, word.partition('!')[2]):
            if name in known:
                return known[name]
        if not expression.is_number(word):
            raise Wrong(f'no service is called {word}')
        return expression.value(word)

    def show_all(self):
        for table in (0, 1):
            base, limit, entries = entries_of(table)
            say(f'{TABLES[1]}[{table}]: Base {base:016x} '
                f'{modules.stack_text(base)}  Limit {limit:x}')
            names = modules.table(modules.kernel_path())
            for index, entry in enumerate(entries):
                target = routine(base, entry)
                found = names.name_of(target)
                name = found[0] if found else ''
                if name != 'invalid_service':
                    say(f'{table * SHADOW_FIRST + index:4x}  '
                        f'{entry & 0xFFFFFFFF:08x}  {target:016x}  '
                        f'{entry & ARGUMENTS:x}  nt!{name}')

    def choices(self, words):
        return [] if words else sorted(services())


COMMANDS = (Pcr, Prcb, Ssdt)

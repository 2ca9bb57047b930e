"""processor.py: nt pcr, prcb: the processor's block."""
from . import kernel, machine, threads
from .command import Command, say


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


COMMANDS = (Pcr, Prcb)

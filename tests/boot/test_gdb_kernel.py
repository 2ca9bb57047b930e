"""gdb's commands about the kernel, each checked by another way to know.

One machine for all: it stands in ring 3, at the tour's first NtTestAlert,
with a user APC in the queue; later in KiDeliverApc, at last at a bugcheck.
The tests go in this order.
"""
import os
import re

import pytest

from conftest import BUILD
from debugger import Debugger
from ntwalk import boot, symbols

TRAP_RIP, TRAP_SIZE = 0x168, 0x190


@pytest.fixture(scope='module')
def stop():
    with Debugger(BUILD, '--no-framebuffer', 'tour') as debugger:
        debugger.early = {line: debugger.ask(line) for line in (
            'nt process 0 0', 'nt thread', 'nt ssdt', 'nt analyze')}
        debugger.ask('nt bp ntdll!NtTestAlert')
        debugger.ask('continue')
        debugger.ask('delete')
        for name in ('thread', 'process', 'prcb'):
            debugger.ask(f'python gdb.set_convenience_variable("{name}", '
                         f'ntgdb.kernel.address(ntgdb.kernel.{name}()))')
        yield debugger


def found(pattern, text):
    """Returns the groups of a pattern that must be there."""
    match = re.search(pattern, text, re.M)
    assert match, f'{pattern!r} is not in\n{text}'
    return match.groups()


def numbers(pattern, text):
    return [int(word, 16) for word in found(pattern, text)]


def complains(debugger, line, complaint):
    text = debugger.ask(line)
    assert text.startswith(complaint), text
    assert '\n' not in text and 'Traceback' not in text


def services():
    """Yields (number, stack arguments, name) of services.tab."""
    path = os.path.join(boot.ROOT, 'kernel/ke/services.tab')
    with open(path, encoding='ascii') as file:
        for line in file:
            words = line.split()
            if words and words[0] in ('nt', 'win32k'):
                count = 0 if words[3] == '-' else len(words[3])
                yield int(words[1], 16), max(0, count - 4), words[4]


def field(text, name):
    return int(found(rf'^ *{name}:? +([0-9a-f]+)', text)[0], 16)


def test_before_the_kernel_is_up(stop):
    assert stop.early['nt process 0 0'] == '**** NT ACTIVE PROCESS DUMP ****'
    assert stop.early['nt thread'].startswith('nt thread: no KPCR')
    assert stop.early['nt ssdt'] == \
        'nt ssdt: the kernel has not made its service tables yet'
    assert stop.early['nt analyze'].startswith('nt analyze: no bugcheck')


@pytest.mark.parametrize('name, windbg', [
    ('pcr', '!pcr'), ('prcb', '!prcb'), ('process', '!process'),
    ('thread', '!thread'), ('apc', '!apc'), ('dpcs', '!dpcs'),
    ('ready', '!ready'), ('timer', '!timer'), ('ssdt', '!ssdt'),
    ('peb', '!peb'), ('teb', '!teb'), ('handle', '!handle'),
    ('.trap', '.trap'), ('k', 'k'), ('analyze', '!analyze -v')])
def test_help_has_windbgs_name(stop, name, windbg):
    assert stop.ask(f'help nt {name}').startswith(f'{windbg}: ')


def test_completion(stop):
    assert stop.ask('complete nt ssdt NtYield') == \
        'nt ssdt NtYieldExecution'
    assert 'nt process 0' in stop.ask('complete nt process ').splitlines()


def test_wrong_words(stop):
    for line, complaint in (
            ('nt pcr 1', 'nt pcr: usage: nt pcr'),
            ('nt process 77', 'nt process: no process 77'),
            ('nt process nobody', 'nt process: nobody: '),
            ('nt thread 77', 'nt thread: no thread 77'),
            ('nt apc 77', 'nt apc: no thread 77'),
            ('nt ssdt bogus', 'nt ssdt: no service is called bogus'),
            ('nt ssdt fff', 'nt ssdt: fff: the table has 1d7 entries'),
            ('nt ssdt 2000', 'nt ssdt: 2000: numbers have 13 bits'),
            ('nt peb 1000', 'nt peb: no memory at 1000'),
            ('nt teb fff', 'nt teb: no memory at fff'),
            ('nt handle 444', 'nt handle: no handle 444 in process'),
            ('nt .trap 0', 'nt .trap: no memory at 0'),
            ('nt k 77', 'nt k: no thread 77'),
            ('nt analyze -x', 'nt analyze: usage: nt analyze [-v]')):
        complains(stop, line, complaint)


def test_pcr(stop):
    text = stop.ask('nt pcr')
    assert field(text, 'SelfPcr') == stop.value('$k_gs_base')
    assert field(text, 'Prcb') == stop.value('KiProcessorBlock[0]')
    info = stop.ask('monitor info registers')
    for name in ('GDT', 'IDT'):
        assert field(text, name) == numbers(rf'^{name}= +(\w+)', info)[0]
    assert field(text, 'TSS') == numbers(r'^TR =\w+ (\w+)', info)[0]
    assert field(text, 'CurrentThread') == stop.value('$thread')


def test_prcb(stop):
    text = stop.ask('nt prcb')
    prcb = '((KPRCB *)$prcb)'
    assert int(found(r'system calls (\d+)', text)[0]) == \
        stop.value(f'{prcb}->KeSystemCalls')
    assert numbers(r'RspBase (\w+)', text)[0] == \
        stop.value(f'{prcb}->RspBase')


def test_processes(stop):
    text = stop.ask('nt process 0 0')
    rows = re.findall(r'^PROCESS (\w{16})\n.*none  Cid: (\w{4}).*\n'
                      r' +DirBase: (\w+) .*\n +Image: (.+)$', text, re.M)
    assert [row[3] for row in rows] == ['System', 'tour.exe']
    assert rows[0][1] == '0004'
    address, pid, root, _ = rows[1]
    assert int(root, 16) == stop.value('$cr3')
    assert int(pid, 16) == stop.value('*(long *)($gs_base + 0x40)')
    for word in (pid, address, ''):
        one = stop.ask(f'nt process {word}')
        assert one.startswith(f'PROCESS {address}')
        assert one.count('THREAD ') == 1 and 'tour!NtProcessStartup' in one
    assert field(one, 'CommitCharge') and 'CommitCharge' in one


def test_thread(stop):
    text = stop.ask('nt thread')
    thread, pid, tid, teb = numbers(
        r'^THREAD (\w+)  Cid (\w+)\.(\w+)  Teb: (\w+) .* RUNNING$', text)
    assert thread == stop.value('$thread')
    assert teb == stop.value('$gs_base')
    assert tid == stop.value('*(long *)($gs_base + 0x48)')
    tcb = f'((KTHREAD *){thread:#x})'
    assert numbers(r'Base (\w+) Limit', text)[0] == \
        stop.value(f'{tcb}->StackBase')
    assert '0 kernel, 1 user' in text
    waiting = stop.ask('nt process 4 2')
    assert 'WAIT: (Executive) KernelMode Non-Alertable' in waiting
    assert re.search(rf'\w{{16}}  Process {pid:x}$', waiting, re.M)
    assert 'SynchronizationEvent' in waiting


def test_another_threads_stack(stop):
    before = stop.ask('info registers')
    waiting = stop.ask('nt process 4 2')
    tids = re.findall(r'Cid 0004\.(\w+)', waiting)
    texts = [stop.ask(f'nt k {tid}') for tid in tids]
    for text in texts:
        assert 'nt!KiSwapContext' in text
        assert 'nt!ki_start_thread' in text.splitlines()[-2]
    assert any('nt!PspReaper' in text for text in texts)
    assert stop.ask('info registers') == before


def test_apc(stop):
    for line in ('nt apc', 'nt apc $thread'):
        text = stop.ask(line)
        assert '*** Enumerating' in text or line != 'nt apc'
        apc, = numbers(r'KAPC @ (\w+)  user APC  UserMode', text)
        routine, = numbers(r'NormalRoutine +tour!apc_routine \((\w+)\)', text)
        assert routine == stop.value(f'((KAPC *){apc:#x})->NormalRoutine')
        kernel_routine, address = found(r'KernelRoutine +nt!(\w+) \((\w+)\)',
                                        text)
        assert symbols.of_kernel(BUILD)[kernel_routine] == int(address, 16)


def test_dpcs_and_ready(stop):
    assert stop.ask('nt dpcs').endswith('No DPC waits.')
    assert stop.ask('nt ready') == 'Processor 0: No threads in READY state'


def test_timer(stop):
    text = stop.ask('nt timer')
    now, = numbers(r'^Interrupt time: (\w+)', text)
    assert now == stop.value('*(long *)0x7ffe0008')
    rows = re.findall(r'^[LH] +\w+  (\w{16})  (\w{16}) +(-?[\d.]+)', text,
                      re.M)
    assert rows and f'Total Timers: {len(rows)}' in text
    for address, due, wait in rows:
        assert int(due, 16) == stop.value(f'((KTIMER *)0x{address})->DueTime')
        assert abs((int(due, 16) - now) / 10000 - float(wait)) < 0.001


def test_ssdt_of_one(stop):
    for number, stack, name in services():
        if name not in ('NtClose', 'NtWriteFile', 'NtGdiBitBlt'):
            continue
        text = stop.ask(f'nt ssdt {name}')
        assert text == stop.ask(f'nt ssdt {number:x}')
        at, entry = numbers(rf'^entry {number:04x} at (\w+) = (\w+)', text)
        assert entry == stop.value(f'*(unsigned int *){at:#x}')
        assert f'= {symbols.of_kernel(BUILD)[name]:016x} nt!{name}' in text
        assert text.endswith(f'& f = {stack}')


def test_ssdt_has_services_tab(stop):
    text = stop.ask('nt ssdt')
    rows = {int(number, 16): (int(target, 16), int(stack, 16), name)
            for number, target, stack, name in re.findall(
                r'^ *(\w+)  \w{8}  (\w{16})  (\w)  nt!(\w+)', text, re.M)}
    known = symbols.of_kernel(BUILD)
    assert rows == {number: (known[name], stack, name)
                    for number, stack, name in services()}


def test_peb_and_teb(stop):
    text = stop.ask('nt peb')
    peb = stop.value('*(long *)($gs_base + 0x60)')
    assert text.startswith(f'PEB at {peb:016x}\n')
    assert field(text, 'ImageBaseAddress') == \
        stop.value(f'*(long *)({peb} + 0x10)')
    assert "CommandLine:              'tour.exe'" in text
    assert re.search('^    0000000180000000 .* ntdll$', text, re.M)
    text = stop.ask('nt teb')
    assert text.startswith(f'TEB at {stop.value("$gs_base"):016x}\n')
    assert field(text, 'StackBase') == stop.value('*(long *)($gs_base + 8)')
    assert field(text, 'PEB Address') == peb


def test_handles(stop):
    text = stop.ask('nt handle')
    rows = re.findall(r'^(\w{4}): Object: (\w+) .* Type: (\w+)', text, re.M)
    assert [row[0] for row in rows][:2] == ['0004', '0008']
    assert {row[2] for row in rows} == {'File'}
    count, = found(r'HandleCount: +(\d+)\.', stop.ask('nt process -1 0'))
    assert int(count) == len(rows)
    assert rows[1][1] in stop.ask('nt handle 8')


def test_stack_of_ring_3(stop):
    text = stop.ask('nt k')
    sp, back, name = found(r'^00 (\w+)  (\w+) +(\S+)', text)
    assert int(sp, 16) == stop.value('$rsp')
    assert int(back, 16) == stop.value('*(long *)$rsp')
    assert name == 'ntdll!NtTestAlert'
    assert 'tour!call_with_registers+' in text
    assert 'tour!NtProcessStartup+' in text and 'tour/main.c' in text


def test_stack_through_a_trap_frame(stop):
    ring3 = stop.ask('nt k').splitlines()[2:]
    stop.ask('thbreak KiDeliverApc')
    stop.ask('continue')
    text = stop.ask('nt k')
    frame, = numbers(r'\(TrapFrame @ (\w+)\)', text)
    assert frame == stop.value('$r8')                   # its third argument
    names = re.findall(r'^\w\w \S.{37} +(\S+)', text.split('(TrapFrame')[0],
                       re.M)
    assert names[0] == 'nt!KiDeliverApc'
    assert names[-1].startswith('nt!user_apc')
    after = text.split('(TrapFrame')[1].splitlines()[1:]
    assert after[0].endswith('ntdll!NtTestAlert+0x14')
    assert [line.split(None, 1)[1] for line in after[1:]] == \
        [line.split(None, 1)[1] for line in ring3]
    assert stop.ask('nt apc').count('KAPC @') == 1


def test_trap(stop):
    text = stop.ask('nt .trap')
    frame, = numbers(r'^KTRAP_FRAME at (\w+), of a service$', text)
    assert text == stop.ask(f'nt .trap {frame:x}')
    for name in ('Rip', 'Rsp', 'Rbx', 'Rbp'):
        assert numbers(rf'\b{name.lower()}=(\w+)', text)[0] == \
            stop.value(f'((KTRAP_FRAME *){frame:#x})->{name}')
    assert 'rax=' not in text
    assert 'ntdll!NtTestAlert+0x14:' in text and text.endswith('ret')


def test_stack_of_a_dpc(stop):
    """It runs on another stack, above an interrupted thread."""
    stop.ask('nt bp nt!poll')
    stop.ask('continue')
    stop.ask('delete')
    dpc, routine = numbers(r'^ 0: runs +(\w+)   nt!poll \((\w+)\)',
                           stop.ask('nt dpcs'))
    assert dpc == stop.value('$rcx') and routine == stop.value('$rip')
    text = stop.ask('nt k')
    assert text.index('nt!KiRetireDpcList') < text.index('(another stack)') \
        < text.index('nt!KiDpcInterrupt') < text.index('(TrapFrame') \
        < text.index('tour!')
    names = stop.ask('backtrace')
    assert names.index('<other stack>') < names.index('<trap frame at')


def test_analyze(stop):
    """The kernel calls a service where no memory is."""
    stop.ask('thbreak KiSystemServiceCopyEnd')
    stop.ask('continue')
    stop.ask('thbreak KeBugCheckEx')
    stop.ask('set $r10 = 0xffffc00000000000')
    stop.ask('continue')
    at_entry = stop.ask('nt analyze')
    stop.ask('thbreak kd_report')
    stop.ask('continue')
    text = stop.ask('nt analyze -v')
    for one in (at_entry, text):
        assert 'PAGE_FAULT_IN_NONPAGED_AREA (50)' in one
        assert 'Usual reason: a page fault in ring 0' in one
        assert 'PROCESS_NAME:  tour.exe' in one
        assert 'rip=ffffc00000000000' in one
        assert one.index('nt!KeBugCheckEx') < one.index('nt!trap_common') < \
            one.index('nt!KiSystemServiceCopyEnd') < \
            one.index('tour!')
    arguments = re.findall(r'^Arg\d: (\w+)', text, re.M)
    code, *values = re.findall(
        r'0x([0-9A-F]+)', stop.console().split('*** STOP:')[1]
        .split('***')[0])
    assert int(code, 16) == 0x50
    assert [int(word, 16) for word in arguments] == \
        [int(word, 16) for word in values]
    with open(os.path.join(boot.ROOT, 'docs/debugging.md'),
              encoding='utf-8') as file:
        assert '\n## A bugcheck\n' in file.read()

"""gdb's commands about the machine, each checked by another way to know.

One machine for all: it stands in ring 3, at the tour's first NtClose, and its
self map is not in the usual slot. The last tests let it go on, so that an
earlier one that harmed it is found.
"""
import os
import re
import struct

import pytest

from conftest import BUILD
from debugger import Debugger
from ntwalk import pe, symbols


@pytest.fixture(scope='module')
def stop():
    with Debugger(BUILD, '--no-framebuffer', '--option', 'selfmap=0x1D7',
                  'tour') as debugger:
        debugger.early = {line: debugger.ask(line) for line in (
            'nt idt', 'nt gdt', 'nt tss', 'nt rdmsr EFER',
            'nt pte KiSystemStartup')}
        debugger.ask('nt bp ntdll!NtClose')
        debugger.ask('continue')
        debugger.ask('python gdb.set_convenience_variable("t", '
                     'ntgdb.kernel.address(ntgdb.kernel.thread()))')
        yield debugger


def found(pattern, text):
    """Returns the groups of a pattern that must be there."""
    match = re.search(pattern, text, re.M)
    assert match, f'{pattern!r} is not in\n{text}'
    return match.groups()


def log_rows(debugger, pattern):
    rows = re.findall(pattern, debugger.console(), re.M)
    assert rows
    return rows


def quads(debugger, address, count, command='x'):
    """Reads memory: gdb's x, or QEMU's xp for a physical address."""
    text = debugger.ask(f'{command}/{count}gx {address:#x}')
    return [int(word, 16)
            for line in text.splitlines()
            for word in re.findall(r'0x([0-9a-f]{16})\b',
                                   line.partition(':')[2])]


def physical(debugger, address):
    """Returns what QEMU makes of an address; None: nothing is there."""
    text = debugger.ask(f'monitor gva2gpa {address:#x}')
    match = re.search(r'gpa: (\w+)', text)
    return int(match[1], 16) if match else None


def registers(debugger):
    """Returns gdb's registers, read again from the machine."""
    debugger.ask('maint flush register-cache')
    return debugger.ask('info registers')


def complains(debugger, line, complaint):
    text = debugger.ask(line)
    assert text.startswith(complaint), text
    assert '\n' not in text and 'Traceback' not in text


# ---- before the kernel has set anything up


def test_before_there_are_tables(stop):
    for name in ('IDT', 'GDT'):
        assert stop.early[f'nt {name.lower()}'] == \
            f'nt {name.lower()}: the kernel has not loaded its {name} yet'
    assert stop.early['nt tss'] == \
        'nt tss: the kernel has not loaded its TSS yet'
    assert stop.early['nt rdmsr EFER'].endswith('EFER: LME LMA')
    assert 'no self map yet' in stop.early['nt pte KiSystemStartup']


# ---- help and completion


@pytest.mark.parametrize('name, windbg', [
    ('dt', 'dt'), ('idt', '!idt'), ('gdt', 'dg'), ('tss', '!tss'),
    ('irql', '!irql'), ('rdmsr', 'rdmsr'), ('pte', '!pte'),
    ('vtop', '!vtop'), ('address', '!address'), ('kuser', '!kuser'),
    ('ln', 'ln'), ('x', 'x'), ('error', '!error'), ('dps', 'dps'),
    ('db', 'db'), ('dw', 'dw'), ('dd', 'dd'), ('dq', 'dq'), ('da', 'da'),
    ('du', 'du'), ('dds', 'dds')])
def test_help_has_windbgs_name(stop, name, windbg):
    text = stop.ask(f'help nt {name}')
    assert text.startswith(f'{windbg}: ')
    assert f'Usage: nt {name}' in text


def test_completion(stop):
    for begun, whole in (
            ('nt dt KTH', 'nt dt KTHREAD'),
            ('nt dt nt!_KTH', 'nt dt nt!_KTHREAD_STATE'),
            ('nt dt KTHREAD SystemC', 'nt dt KTHREAD SystemCallNumber'),
            ('nt dt ETHREAD 0 Tcb.Process.Dir',
             'nt dt ETHREAD 0 Tcb.Process.DirectoryTableBase'),
            ('nt rdmsr SYSENTER_E', 'nt rdmsr SYSENTER_EIP'),
            ('nt ln nt!KiPageF', 'nt ln nt!KiPageFault'),
            ('nt x ntdll!NtCl', 'nt x ntdll!NtClose'),
            ('nt dps KiPageF', 'nt dps KiPageFault'),
            ('nt bp /p 1c ntdll!NtCl', 'nt bp /p 1c ntdll!NtClose'),
            ('nt pte tour!NtCl', 'nt pte tour!NtClose'),
            ('nt error STATUS_INVALID_HAN',
             'nt error STATUS_INVALID_HANDLE')):
        assert whole in stop.ask(f'complete {begun}').splitlines()


# ---- nt dt


def test_offsets_of_a_type(stop):
    text = stop.ask('nt dt nt!_KTHREAD')
    assert text.startswith('nt!_KTHREAD\n')
    for field in ('Header', 'InitialStack', 'TrapFrame', 'Priority',
                  'KernelApcDisable', 'PreviousMode', 'MutantListHead'):
        offset, = found(rf'^   \+0x([0-9a-f]+) {field} +: ', text)
        assert int(offset, 16) == stop.value(f'&((KTHREAD *)0)->{field}')
    assert 'pad_' not in text
    assert text == stop.ask('nt dt KTHREAD') == stop.ask('nt dt kthread')


def test_values_of_a_thread(stop):
    text = stop.ask('nt dt KTHREAD $t')
    for field in ('InitialStack', 'TrapFrame', 'KernelStack', 'Teb'):
        value, = found(rf' {field} +: 0x([0-9a-f]{{16}}) ', text)
        assert int(value, 16) == stop.value(f'((KTHREAD *)$t)->{field}')
    number, = found(r'SystemCallNumber : 0x(\w+)$', text)
    assert int(number, 16) == stop.value('((KTHREAD *)$t)->SystemCallNumber')
    assert ' State            : 0x2 ( Running )\n' in text
    links = found(r'ThreadListEntry  : _LIST_ENTRY '
                  r'\[ 0x(\w+) - 0x(\w+) \]', text)
    for link, word in zip(('Flink', 'Blink'), links):
        assert int(word, 16) == \
            stop.value(f'((KTHREAD *)$t)->ThreadListEntry.{link}')


def test_paths_of_fields(stop):
    text = stop.ask('nt dt ETHREAD $t Tcb.ApcState.')
    assert text.startswith('nt!_ETHREAD\n   +0x000 Tcb              :\n'
                           '      +0x098 ApcState         :\n'
                           '         +0x000 ApcListHead      : [2] ')
    root, = found(r'DirectoryTableBase : 0x(\w+)',
                  stop.ask('nt dt ETHREAD $t Tcb.Process.Directory'))
    assert int(root, 16) == stop.value('$cr3')
    assert 'BlockState' in stop.ask('nt dt ETHREAD $t Tcb.WaitBlock[1].')
    lists = stop.ask('nt dt ETHREAD $t Tcb.ApcState.ApcListHead')
    assert '\n            [01] _LIST_ENTRY [ 0xfff' in lists
    features = stop.ask('nt dt KUSER_SHARED_DATA 7ffe0000 ProcessorFeatures')
    assert bytes.fromhex(''.join(re.findall(r'\[\d\d\] ([0-9a-f ]+)$',
                                            features, re.M))) == \
        struct.pack('<8Q', *quads(stop, 0x7FFE0274, 8))


def test_bits_enumerations_and_text(stop):
    assert 'PageFrameNumber  : Pos 12, 36 Bits' in \
        stop.ask('nt dt MMPTE_HARDWARE')
    assert 'WrQuantumEnd = 0n30' in stop.ask('nt dt KWAIT_REASON')
    assert 'nt!KAPC_STATE' in stop.ask('nt dt nt!*apc*')
    assert stop.ask('nt dt struct mi_vad').startswith('nt!mi_vad\n')
    name = stop.ask('nt dt ETHREAD $t Tcb.Process').split('0x')[-1].split()[0]
    assert ': [15] "tour.exe"' in stop.ask(f'nt dt EPROCESS {name} ImageFile')
    assert 'NtSystemRoot     : [260] "C:\\Windows"' in \
        stop.ask('nt dt KUSER_SHARED_DATA 7ffe0000 NtSystemRoot')
    parameters = stop.value('((PEB *)((TEB *)((KTHREAD *)$t)->Teb)'
                            '->ProcessEnvironmentBlock)->ProcessParameters')
    assert '_UNICODE_STRING "tour.exe"' in stop.ask(
        f'nt dt RTL_USER_PROCESS_PARAMETERS {parameters:x} CommandLine')


# ---- descriptor tables


def test_idt_is_the_boot_logs(stop):
    text = stop.ask('nt idt')
    rows = log_rows(stop, r'^    (\w\w)  (f\w{15})  (\w+) +DPL (\d)  '
                          r'IST (\d)')
    for vector, handler, name, dpl, ist in rows:
        row = found(rf'^{vector}: (\w+) nt!(\w+) +0008 Int64 DPL (\d)'
                    r'(?:  IST (\d) = \w+)?$', text)
        assert row == (handler, name, dpl, None if ist == '0' else ist)
    assert len(text.splitlines()) == len(rows) + 1
    assert len(stop.ask('nt idt -a').splitlines()) == 257


def test_one_gate_is_what_memory_has(stop):
    base, handler = found(r'IDT: (\w+) limit 0fff\n2e: (\w+) nt!'
                          r'KiSystemService +0008 Int64 DPL 3$',
                          stop.ask('nt idt 2e'))
    low, high = quads(stop, int(base, 16) + 0x2E0, 2)
    assert int(handler, 16) == \
        high << 32 | low >> 48 << 16 | low & 0xFFFF


def test_gdt_is_the_processors(stop):
    text = stop.ask('nt gdt')
    names = dict(log_rows(stop, r'^    (\w\w)  \w{16}  (KGDT\w+) +DPL'))
    for selector, name in names.items():
        assert re.search(rf'^00{selector} .* {name}$', text, re.M)
    base, limit = found(r'^GDT: (\w+) limit (\w+)', text)
    registers = stop.ask('monitor info registers')
    assert re.search(rf'GDT= +{base} 0000{limit}', registers)
    tss, = found(r'^0040 (\w+) 0000000000000067 TSS64 Bu   0 ', text)
    assert re.search(rf'TR =0040 {tss} 00000067', registers)
    for register in ('DS', 'FS'):
        number, base, limit = found(
            rf'^{register} =(\w+) (\w+) (\w+) ', registers)
        assert re.search(rf'^{int(number, 16) & ~7:04x} {base} 0{{8}}{limit} ',
                         text, re.M)
    assert ' Data RW Ac 3 Bg By P  Nl 000040f3 KGDT_R3_TEB' in text
    assert ' Code RE Ac 3 Nb By P  Lo 000020fb KGDT64_R3_CODE' in \
        stop.ask('nt gdt 2b')


def test_tss_has_the_threads_stack(stop):
    text = stop.ask('nt tss')
    base, = found(r'^TSS: (\w+) selector 0040$', text)
    rsp0, thread = found(r'Rsp0 +: (\w+) kernel stack of thread '
                         r'([0-9a-f.]+) tour.exe$', text)
    words = quads(stop, int(base, 16) + 4, 1)
    assert [int(rsp0, 16)] == words
    assert words == [stop.value('((KTHREAD *)$t)->InitialStack')]
    cid = [stop.value(f'((ETHREAD *)$t)->Cid.Unique{name}')
           for name in ('Process', 'Thread')]
    assert thread == '{:x}.{:x}'.format(*cid)
    for number, stack, vector in (('1', 'panic', '08'), ('2', 'mca', '12'),
                                  ('3', 'nmi', '02'), ('4', 'debug', '01')):
        top, = found(rf'Ist\[{number}\] +: (\w+) nt!ki_{stack}_stack_top: '
                     rf'{vector} Ki', text)
        assert int(top, 16) == stop.value(f'&ki_{stack}_stack_top')


# ---- registers


def test_irql_is_cr8(stop):
    assert '-- 0 (PASSIVE_LEVEL)\nrflags.IF = 1' in stop.ask('nt irql')
    stop.ask('set $cr8 = 2')
    assert '-- 2 (DISPATCH_LEVEL)' in stop.ask('nt irql')
    stop.ask('set $cr8 = 0')


def test_model_specific_registers(stop):
    before = registers(stop)
    for name in ('EFER', 'STAR', 'LSTAR', 'CSTAR', 'FMASK'):
        value, = log_rows(stop, rf'^{name} +(\w{{16}})')
        assert f' = {value}  {name}' in stop.ask(f'nt rdmsr {name}')
    eip, = log_rows(stop, r'^SYSENTER_CS .* EIP (\w{16})')
    assert stop.ask('nt rdmsr 176') == \
        f'msr[176] = {eip}  SYSENTER_EIP: nt!KiFastCallEntry'
    for name, register in (('GS_BASE', 'gs_base'), ('FS_BASE', 'fs_base'),
                           ('KERNEL_GS_BASE', 'k_gs_base'),
                           ('IA32_EFER', 'efer')):
        value, = found(r'= (\w{16}) ', stop.ask(f'nt rdmsr {name}'))
        assert int(value, 16) == stop.value(f'${register}')
    assert 'boot processor enabled' in stop.ask('nt rdmsr APIC_BASE')
    assert 'nt!KiSystemCall64' in stop.ask('nt rdmsr lstar')
    assert registers(stop) == before


# Prints where a UD2 of the kernel's leads to.
FAULT = 'python import ntgdb.msr as m; ' \
    'print(hex(m.step_at(m.find_instruction(b"\\x0f\\x0b"), 0)[0]))'


def test_an_instruction_that_faults_does_no_harm(stop):
    """As RDMSR does for a number that the processor does not have."""
    before = registers(stop)
    assert int(stop.ask(FAULT), 16) == stop.value('&KiInvalidOpcodeFault')
    stop.ask('python m.RDMSR = b"\\x0f\\x0b"')
    complains(stop, 'nt rdmsr 123', 'nt rdmsr: no such MSR: 123')
    stop.ask('python m.RDMSR = b"\\x0f\\x32"')
    assert registers(stop) == before


# ---- page tables


@pytest.mark.parametrize('expression', [
    '$rip', '$rsp', 'nt!KiSystemCall64', 'nt!boot_pcr', '140000000',
    'fffff78000000000', 'ffffebf5fafd7000'])
def test_entries_of_an_address(stop, expression):
    text = stop.ask(f'nt pte {expression}')
    address = int(found(r'VA (\w+)', text)[0], 16)
    assert 'the self map and memory agree' in text
    for level in ('PXE', 'PPE', 'PDE', 'PTE'):
        where = int(found(rf'{level} at (\w+)', text)[0], 16)
        column = ('PXE', 'PPE', 'PDE', 'PTE').index(level)
        contains = re.findall(r'contains (\w+)', text)[column]
        memory = re.findall(r'memory (\w+)', text)[column]
        assert quads(stop, where, 1) == [int(contains, 16)]
        assert quads(stop, int(memory, 16), 1, 'monitor xp') == \
            [int(contains, 16)]
    assert int(found(r'^physical (\w+)$', text)[0], 16) == \
        physical(stop, address)


def test_what_a_valid_entry_says(stop):
    assert 'PTE: user, read-only, executable, clean, ' \
        'Protect: 3 - ExecuteRead' in stop.ask('nt pte $rip')
    assert 'PTE: user, writable, no-execute, written, ' \
        'Protect: 4 - ReadWrite' in stop.ask('nt pte $rsp')
    assert '----A--UREV' in stop.ask('nt pte $rip')
    assert '-G--A--KREV' in stop.ask('nt pte nt!KiSystemCall64')


def test_what_other_entries_say(stop):
    """The bytes behind each form are mm/vad.h's."""
    for entry, words in (
            (0x80, ['Demand zero', 'Protect: 4 - ReadWrite']),
            (0x280, ['Demand zero', 'Protect: 14 - ReadWrite Guard']),
            (0x123_0000_0080, ['PageFile: slot 123']),
            (0xABC880, ['Transition', 'pfn abc', 'Protect: 4'])):
        text = stop.ask(f'python print(ntgdb.paging.software({entry:#x}))')
        for word in words:
            assert word in text
    for entry, words in (
            (0x1007, 'Protect: 1 - ReadOnly'),
            (0x4000_0000_0000_1817, 'Protect: c - ReadWrite NoCache'),
            (0xD000_0000_0000_120D, 'Protect: 1d - WriteCopy WriteCombine')):
        assert stop.ask(f'python print(ntgdb.paging.hardware({entry:#x}))') \
            .endswith(words)
    text = stop.ask('nt pte 140010000')
    address, = found(r'^Proto: (\w+), ', text)
    contains, = found(r'^   contains (\w+)$', text)
    assert quads(stop, int(address, 16), 1) == [int(contains, 16)]
    assert 'Subsection: ' in text
    assert physical(stop, 0x140010000) is None
    guard = stop.value('((TEB *)((KTHREAD *)$t)->Teb)->NtTib.StackLimit') - 8
    text = stop.ask(f'nt pte {guard:x}')
    assert text.endswith('PTE: not valid\nDemand zero: nobody has touched it '
                         'yet\nProtect: 14 - ReadWrite Guard')


def test_an_address_in_memory(stop):
    text = stop.ask('nt vtop $rsp')
    value, = found(r'translates to physical address (\w+)\.$', text)
    assert int(value, 16) == physical(stop, stop.value('$rsp'))
    root = stop.value('$cr3')
    for word in (f'{root:x}', f'{root >> 12:x}', '0'):
        assert stop.ask(f'nt vtop {word} $rsp') == text
    system = stop.value('((EPROCESS *)((char *)PsActiveProcessHead.Flink - '
                        '(long)&((EPROCESS *)0)->ActiveProcessLinks))'
                        '->Pcb.DirectoryTableBase')
    assert 'is not in memory there.' in stop.ask(f'nt vtop {system:x} $rsp')
    assert 'translates' in stop.ask(f'nt vtop {system:x} nt!KiSystemCall64')


# ---- regions


def test_regions_of_an_image_are_its_sections(stop):
    path = os.path.join(BUILD, 'ntdll.dll')
    with open(path, 'rb') as file:
        image = pe.Image(file.read())
    text = stop.ask('nt address')
    rows = [(int(start, 16), int(end, 16), words)
            for start, end, words in re.findall(
                r'^[+ ] (\w{16}) (\w{16}) \w{16} (.*)$', text, re.M)]
    assert rows == sorted(rows)
    code, = [row for row in rows if row[0] <= stop.value('$rip') < row[1]]
    assert code[2].split() == ['MEM_IMAGE', 'MEM_COMMIT',
                               'PAGE_EXECUTE_READ', 'Image', '[ntdll.dll]']
    size, address, *_ = image.sections[0]           # .text
    assert code[0] == 0x180000000 + address
    assert code[1] - code[0] == size + -size % 0x1000


def test_regions_by_their_use(stop):
    text = stop.ask('nt address $rsp')
    assert re.search(r'^Usage: +Stack of thread \w+$', text, re.M)
    teb = stop.value('((KTHREAD *)$t)->Teb')
    base, top = stop.value(f'((TEB *){teb})->NtTib.StackLimit'), \
        stop.value(f'((TEB *){teb})->NtTib.StackBase')
    assert int(found(r'^Base Address: +(\w+)$', text)[0], 16) == base
    assert int(found(r'^End Address: +(\w+)$', text)[0], 16) == top
    assert 'PAGE_READWRITE | PAGE_GUARD' in stop.ask(
        f'nt address {base - 1:x}')
    assert 'TEB of thread' in stop.ask(f'nt address {teb:x}')
    assert re.search(r'Usage: +PEB$', stop.ask('nt address 7ffffffc0000'),
                     re.M)
    assert 'KUSER_SHARED_DATA' in stop.ask('nt address 7ffe0000')
    free = stop.ask('nt address 7ff000000000')
    assert 'Usage:                  Free' in free and 'MEM_FREE' in free


def test_of_another_process(stop):
    """System has no regions, and nothing at ring 3's addresses."""
    stop.ask('nt .process 4')
    assert not re.search(r'^[+ ] 0000', stop.ask('nt address'), re.M)
    assert 'Free' in stop.ask('nt address 140000000')
    assert 'PXE: not valid\nzero: ' in stop.ask('nt pte 140000000')
    assert 'not in this address space' in stop.ask('nt kuser')
    stop.ask('nt look-back')
    assert 'Image [tour.exe]' in stop.ask('nt address 140000000')


def test_areas_of_the_kernel(stop):
    text = stop.ask('nt address')
    base, slot = stop.value('MmPteBase'), stop.value('mi_selfmap_slot')
    assert f'{base:016x} {base + (1 << 39):016x} ' in text
    assert f'the self map, slot {slot:x}' in text
    highest = stop.value('highest_page')
    assert f'PfnDatabase: pages 0 to {highest:x}' in text
    assert 'Image [ntoskrnl.elf] .text' in stop.ask(
        'nt address nt!KiSystemCall64')
    assert 'Image [ntoskrnl.elf] .stacks' in stop.ask(
        'nt address ki_panic_stack_top-8')
    stack = stop.value('((KTHREAD *)$t)->StackBase')
    assert re.search(r'kernel stack of thread \w+\.\w+ tour.exe',
                     stop.ask(f'nt address {stack - 8:x}'))
    assert 'Contents:               pool' in stop.ask('nt address $t')


# ---- the shared page


def test_shared_page_in_words(stop):
    text = stop.ask('nt kuser')
    where, = found(r' at fffff78000000000, physical (\w+)$', text)
    assert physical(stop, 0xFFFFF78000000000) == int(where, 16)
    assert physical(stop, 0x7FFE0000) == int(where, 16)
    assert 'at 000000007ffe0000: the same page' in text
    assert re.search(r'^Version: +10\.0\.19041, NtProductWinNt$', text, re.M)
    assert re.search(r'^NtSystemRoot: +C:\\Windows$', text, re.M)
    ticks, = found(r'^TickCount: +fa00000 \* (\w+) >> 24', text)
    assert int(ticks, 16) == quads(stop, 0x7FFE0320, 1)[0]
    cookie, = found(r'^Cookie: +(\w+)$', text)
    assert int(cookie, 16) == quads(stop, 0x7FFE0330, 1)[0] & 0xFFFFFFFF
    pages, = found(r'^Memory: +(\w+) pages', text)
    assert int(pages, 16) == quads(stop, 0x7FFE02E8, 1)[0] & 0xFFFFFFFF
    year, = found(r'^SystemTime: +(\d+)-', text)
    units = quads(stop, 0x7FFE0014, 1)[0]
    assert int(year) == 1601 + int(units / 1e7 / 86400 / 365.2425)
    assert 'stubs go by syscall' in text and 'XMMI64' in text


# ---- names


def test_nearest_names(stop):
    names = symbols.of_kernel(BUILD)
    text = stop.ask('nt ln nt!KiPageFault+5')
    before, after, name = found(r'^\((\w+)\)   nt!KiPageFault\+0x5   \|   '
                                r'\((\w+)\)   nt!(\w+)$', text)
    assert int(before, 16) == names['KiPageFault']
    assert int(after, 16) == names[name]
    assert not [other for other, where in names.items()
                if int(before, 16) < where < int(after, 16)]
    assert text.startswith('[arch/amd64/')
    assert 'Exact matches:\n    ntdll!NtClose' in stop.ask('nt ln $rip')
    line, = found(r'^Line (\d+) of', stop.ask('info line *KiSystemStartup'))
    assert f'start.c @ {line}]' in stop.ask('nt ln KiSystemStartup')


def test_names_like_a_pattern(stop):
    text = stop.ask('nt x nt!Ki*Fault')
    rows = dict(re.findall(r'^(\w{16}) nt!(\S+)$', text, re.M))
    known = symbols.of_kernel(BUILD)
    for address, name in rows.items():
        assert int(address, 16) == known[name]
    assert 'KiPageFault' in rows.values() and len(rows) > 8
    modules = {line.split('!')[0].split()[1]
               for line in stop.ask('nt x *!ntclose').splitlines()}
    assert modules == {'nt', 'ntdll', 'tour'}
    assert re.search(r'^0000000180000000 \w+    ntdll ', stop.ask('nt x *!'),
                     re.M)


def test_codes(stop):
    """The numbers and names are those of Microsoft's ntstatus.h."""
    for words, answer in (
            ('c0000005', '(NTSTATUS) 0xc0000005 (3221225477) - '
                         'STATUS_ACCESS_VIOLATION\n'
                         '    severity: error; Win32: 998'),
            ('STATUS_INVALID_HANDLE', '(NTSTATUS) 0xc0000008 (3221225480) - '
                                      'STATUS_INVALID_HANDLE\n'
                                      '    severity: error; Win32: 6'),
            ('0xffffffffc0000022', 'STATUS_ACCESS_DENIED'),
            ('a', '(bugcheck) 0xa (10) - IRQL_NOT_LESS_OR_EQUAL'),
            ('6', '(Win32) 0x6 (6) - of STATUS_INVALID_HANDLE, '),
            ('80000003', 'STATUS_BREAKPOINT\n    severity: warning')):
        assert answer in stop.ask(f'nt error {words}')
    stop.ask('set $rax = 0xc0000034')
    assert 'STATUS_OBJECT_NAME_NOT_FOUND' in stop.ask('nt error')


# ---- memory


def test_memory_by_unit(stop):
    path = os.path.join(BUILD, 'ntoskrnl.elf')
    with open(path, 'rb') as file:
        data = file.read()
    where = stop.value('&KiSystemCall64')
    at, = [offset + where - virtual
           for kind, _, offset, virtual, _, size, *_ in struct.iter_unpack(
               '<IIQQQQQQ', data[64:64 + 56 * 5])
           if kind == 1 and virtual <= where < virtual + size]
    whole = data[at:at + 32]
    for name, unit in (('dw', 2), ('dd', 4), ('dq', 8)):
        text = stop.ask(f'nt {name} nt!KiSystemCall64 L{32 // unit:x}')
        words = [word for line in text.splitlines()
                 for word in line.split()[1:]]
        assert words == [whole[at:at + unit][::-1].hex()
                         for at in range(0, 32, unit)]
    line, second = stop.ask('nt db nt!KiSystemCall64 L20').splitlines()
    assert line.startswith(f'{where:016x}  {whole[:8].hex(" ")}-'
                           f'{whole[8:16].hex(" ")}  ')
    assert second.startswith(f'{where + 16:016x}  ')
    assert stop.ask('nt db 7ffe0ffe L4').split('  ')[1] == '00 00 ?? ??'


def test_texts_in_memory(stop):
    assert stop.ask('nt du 7ffe0030') == \
        '000000007ffe0030  "C:\\Windows"'
    name = stop.value('&((EPROCESS *)((KTHREAD *)$t)->Process)'
                      '->ImageFileName')
    assert stop.ask(f'nt da {name:x}') == f'{name:016x}  "tour.exe"'


def test_stack_with_names(stop):
    text = stop.ask('nt dps $rsp L4')
    words = [int(line.split()[1], 16) for line in text.splitlines()]
    assert words == quads(stop, stop.value('$rsp'), 4)
    caller = stop.ask(f'info symbol {words[0]:#x}').split(' ')[0]
    assert f'tour!{caller}+0x' in text.splitlines()[0]
    short = stop.ask('nt dds $rsp L2').splitlines()
    assert [int(line.split()[1], 16) for line in short] == \
        [words[0] & 0xFFFFFFFF, words[0] >> 32]


# ---- wrong words


def test_wrong_words(stop):
    for line, complaint in (
            ('nt dt', 'nt dt: usage: nt dt TYPE [ADDR] [FIELD]...'),
            ('nt dt KTHRED', 'nt dt: no type KTHRED'),
            ('nt dt KTHREAD nofield', 'nt dt: _KTHREAD has no field nofield'),
            ('nt dt KTHREAD 123', 'nt dt: no memory at 123'),
            ('nt dt ETHREAD $t Tcb.State.x', 'nt dt: State has no fields'),
            ('nt dt ETHREAD $t Tcb.WaitBlock[9].', 'nt dt: WaitBlock has 4'),
            ('nt dt *nosuch*', 'nt dt: no type is like *nosuch*'),
            ('nt dt tour!X', 'nt dt: tour!X: types are the kernel\'s'),
            ('nt idt 100', 'nt idt: vectors go from 0 to ff'),
            ('nt gdt 100', 'nt gdt: no descriptor 0100'),
            ('nt tss 1', 'nt tss: usage: nt tss'),
            ('nt irql 1', 'nt irql: usage: nt irql'),
            ('nt rdmsr', 'nt rdmsr: usage: nt rdmsr NAME | NUMBER'),
            ('nt rdmsr BLA', 'nt rdmsr: no MSR is called BLA'),
            ('nt rdmsr 123456789', 'nt rdmsr: 123456789: numbers of MSRs'),
            ('nt pte nowhere', 'nt pte: nowhere: No symbol'),
            ('nt pte 8000000000000000', 'nt pte: 8000000000000000 is no addr'),
            ('nt vtop 1 2 3', 'nt vtop: usage: nt vtop'),
            ('nt address 8000000000000000', 'nt address: 8000000000000000 is'),
            ('nt address ffff900000000000', 'nt address: ffff900000000000 is'),
            ('nt kuser 1', 'nt kuser: usage: nt kuser'),
            ('nt ln', 'nt ln: usage: nt ln ADDRESS'),
            ('nt ln 10000', 'nt ln: 10000 is in no module'),
            ('nt x nowhere!*', 'nt x: no module is like nowhere'),
            ('nt x nt!zz*', 'nt x: no symbol is like nt!zz*'),
            ('nt error 12345678', 'nt error: 12345678 is no status'),
            ('nt error 123456789', 'nt error: 123456789: codes have 32 bits'),
            ('nt error $nothing', 'nt error: $nothing is no number'),
            ('nt db', 'nt db: usage: nt db ADDRESS [L COUNT]'),
            ('nt dd $rsp 4', 'nt dd: usage: nt dd ADDRESS [L COUNT]'),
            ('nt dq $rsp L100000', 'nt dq: 100000 items are too many'),
            ('nt da 0', 'nt da: no memory at 0'),
            ('nt du 0', 'nt du: no memory at 0'),
            ('nt dps nt!nothing', 'nt dps: nt has no symbol nothing')):
        complains(stop, line, complaint)


# ---- the machine goes on


def test_in_ring_0(stop):
    """In the first room, where rsp and gs are still the user's."""
    stop.ask('delete')
    stop.ask('hbreak *KiSystemCall64')
    stop.ask('continue')
    before = registers(stop)
    assert stop.value('$cs') == 8
    assert 'SYSCALL 08/10, SYSRETQ 2B/23, SYSRETL 1B/23' in \
        stop.ask('nt rdmsr STAR')
    assert 'interrupts are off' in stop.ask('nt irql')
    assert int(stop.ask(FAULT), 16) == stop.value('&KiInvalidOpcodeFault')
    assert registers(stop) == before


def test_the_program_ends_as_ever(stop):
    stop.ask('delete')
    stop.ask('continue')
    assert 'the program\'s status is 00000000' in stop.console()

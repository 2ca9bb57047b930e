"""Every path through the entry code, and that the walk sees what is broken.

Each control takes the built kernel's instructions, changes one, and walks
them again: the walk must say so.

Scenarios: K2, K10, P2.
"""
import copy
import os
import re
import subprocess
import sys

import pytest

from conftest import BUILD, ROOT, TEST_BUILD

sys.path.insert(0, os.path.join(ROOT, 'tests/entry'))

import image as images                                      # noqa: E402
import paths                                                # noqa: E402

NEEDED = ('swapgs', 'wrmsr', 'rdmsr', 'cld', 'clac', 'lfence')
# Whoever comes here has cleared AC already (int2e.asm); nobody goes back from
# there, so what was found is for those who look at the frame.
# Behind LFENCE in predictors.asm gs has been the kernel's for long.
SPARE = ['ki_service_trap_in_kernel: clac', 'KiDoubleFaultAbort: rdmsr',
         'taken_again: rdmsr', 'ki_enter_predictors.done: lfence']
GATES = 'ki_unexpected_'                # 256 of a shape: one is enough


@pytest.fixture(scope='module')
def kernel():
    return images.Image(os.path.join(BUILD, 'ntoskrnl.elf'))


def changed(kernel, changes):
    """The same image with other instructions: {address: text}."""
    other = copy.copy(kernel)
    other.code = {**kernel.code, **changes}
    return other


def find(kernel, symbol, text):
    """The first instruction from symbol on that begins like text."""
    return min(at for at, words in kernel.code.items()
               if at >= kernel.symbols[symbol] and words.startswith(text))


def first_violation(kernel, changes, only=None):
    walk = paths.Walk(changed(kernel, changes), only)
    return (walk.run(most=1) or [''])[0]


@pytest.mark.parametrize('build', [BUILD, TEST_BUILD])
def test_no_violations(build):
    done = subprocess.run(
        [sys.executable, '-B', os.path.join(ROOT, 'tests/entry/paths.py'),
         os.path.join(build, 'ntoskrnl.elf')], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0
    counts = re.fullmatch(r'(\d+) entries, (\d+) instructions, (\d+) states, '
                          r'0 violations, .* s\n', done.stdout)
    assert counts, done.stdout
    counted, instructions, states = map(int, counts.groups())
    assert counted > 350 and instructions > 4000 and states > instructions


def test_what_is_needed(kernel):
    """Without any one of them there is a violation; of LFENCE, too (K4)."""
    unseen, tried = [], 0
    for at, text in kernel.code.items():
        name = kernel.name(at)
        if text not in NEEDED or name.startswith(GATES) and \
                name != GATES + '15':
            continue
        tried += 1
        entry = kernel.symbols[kernel.symbol(at)]
        if entry in kernel.vectors + kernel.shadow_vectors and \
                first_violation(kernel, {at: 'nop'}, entry):
            continue
        if not first_violation(kernel, {at: 'nop'}):
            unseen.append(f'{kernel.symbol(at)}: {text}')
    assert tried > 60
    assert sorted(unseen) == sorted(SPARE)


@pytest.mark.parametrize('symbol, text, new, what', [
    ('KiSystemCall64', 'mov rsp', 'nop', 'the stack is used before'),
    ('KiSystemCall64', 'mov rsp', 'mov rsp,rbx', 'the stack is used before'),
    ('KiSystemCall64', 'mov QWORD PTR gs', 'push rax',
     'the stack is used before'),
    ('KiSystemCall64', 'mov QWORD PTR gs', 'mov rax,QWORD PTR [rbp+0x8]',
     'rbp is used before'),
    ('KiSystemCall64', 'push r11', 'mov rax,QWORD PTR [rdx]',
     'a register of the user\'s'),
    ('KiFastCallEntry', 'mov rsp', 'push rax', 'the stack is used before'),
    ('flags_saved', 'push 0x2', 'push 0x402', 'before DF is'),
    ('flags_saved', 'push 0x2', 'push 0x40002', 'before AC is'),
    ('KiSystemServiceUser', 'mov', 'jmp rax', 'not listed'),
    ('KiSystemServiceUser', 'mov', 'jmp QWORD PTR [rax]', 'not listed'),
    ('KiSystemServiceCopyEnd', 'call r10', 'call r11', 'not listed'),
    ('KiSystemServiceUser', 'mov', 'mov cr3,rax', 'that nobody knows'),
    ('KiSystemServiceUser', 'mov', 'mov cr0,rax', 'not understood'),
    ('KiSystemServiceUser', 'mov', 'mov gs,eax', 'not understood'),
    ('KiSystemServiceUser', 'mov', 'hlt', 'not understood'),
    ('KiSystemServiceStart', 'mov edi', 'std', 'not understood'),
    ('KiSystemServiceStart', 'mov edi', 'swapgs', 'while gs is user'),
    ('KiSystemServiceExit.to_user', 'cli', 'nop', ''),
    ('KiServiceExit.to_user', 'cli', 'nop', ''),
    ('KiExceptionExit.to_user', 'cli', 'nop', ''),
    ('KiSystemServiceExit.to_user', 'test', 'test eax,eax',
     'a user APC may have come'),
    ('KiServiceExit.to_user', 'test', 'test eax,eax',
     'a user APC may have come'),
    ('KiServiceExit.to_user', 'test', 'nop', 'that nobody has set'),
    ('KiServiceExit.to_user', 'jne ', 'nop', 'nobody has asked'),
    ('KiExceptionExit.to_user', 'mov cl', 'nop', 'a user APC may have come'),
    ('KiSystemServiceExit.to_user', 'mov rbx', 'nop', 'set another rbx'),
    ('KiServiceExit.to_user', 'mov rdi', 'nop', 'set another rbx'),
    ('KiExceptionExit.rip_fits', 'mov rsi', 'nop', 'set another rbx'),
    ('KiSystemServiceExit.to_user', 'ldmxcsr', 'sti', 'interrupts may be on'),
    ('KiServiceExit', 'and DWORD', 'nop', 'interrupts may be on'),
    ('ki_exit32_sti', 'sysexitd', 'nop', 'while gs is user'),
    ('KiExceptionExit.rip_fits', 'iretq', 'jmp rcx', 'not listed'),
    ('enter_from_any', 'je ', 'jne ', ''),
    ('KiSystemService', 'je ', 'jne ', ''),
    ('KiExceptionExit', 'jne ', 'je ', ''),
    ('KiSystemCall64Shadow', 'mov cr3', 'nop', 'cr3 is user'),
    ('KiFastCallEntryShadow', 'mov cr3', 'nop', 'cr3 is user'),
    ('KiPageFaultShadow', 'mov cr3', 'nop', 'cr3 is user'),
    ('KiSystemCall64Shadow', 'mov QWORD PTR gs',
     'mov QWORD PTR gs:0x10,rsp', 'cr3 is user'),
    ('KiKernelSysretExit', 'mov cr3', 'nop', 'while cr3 is kernel'),
    ('ki_kernel_sysexit.two_spaces', 'cmp', 'mov cr3,r11', ''),
    ('ki_kernel_sysexit', 'mov cr3', 'nop', 'while cr3 is kernel'),
    ('ki_kernel_iret', 'mov cr3', 'nop', 'while cr3 is kernel'),
    ('ki_exit_by_iret', 'jne ', 'jb ', 'back to ring 3 while cr3 is'),
    ('ki_enter_predictors', 'mov BYTE', 'nop', 'not what that MSR must be'),
    ('ki_enter_predictors', 'wrmsr', 'nop', 'should have been written'),
    ('ki_leave_predictors', 'ret', 'nop', 'runs'),
    ('ki_deliver_service_apc', 'ret', 'nop', 'runs into a routine'),
    ('ki_return_from_callback', 'sti', 'nop', 'interrupts may be off'),
    ('KiDebugTrapOrFault', 'je ', 'jne ', ''),
    ('KiNmiInterrupt', 'sub rax', 'nop', 'a base that nobody knows'),
    ('KiNmiInterrupt', 'mov ecx', 'mov ecx,0xc0000102', 'not MSR_GS_BASE'),
    ('KiNmiInterrupt', 'cld', 'mov eax,DWORD PTR gs:0x20', 'gs is found'),
    ('KiNmiInterrupt', 'cld', 'sti', 'while gs is found'),
    ('KiNmiInterrupt', 'cld', 'swapgs', 'swapgs while gs is found'),
    ('KiNmiInterrupt', 'mov cr3', 'nop', 'cr3 is found'),
    ('KiNmiInterrupt', 'mov cr3', 'mov cr3,rcx', 'cr3 is found'),
    ('KiNmiInterrupt', 'mov cr3', 'mov cr3,rdx', 'a table that nobody knows'),
    ('KiNmiInterrupt', 'mov rcx,cr3', 'nop', ''),
    ('KiNmiInterrupt', 'test rax,rax', 'nop', ''),
    ('KiNmiInterrupt', 'add rsp', 'iretq', 'an IRET from nobody knows'),
    ('KiNmiInterrupt', 'mov cr8', 'jmp rax', 'not listed'),
    ('KiMcheckAbort', 'ret', 'iretq', ''),
    ('KiMcheckAbort', 'popf', 'nop', ''),
    ('exit_to_kernel', 'ret', 'iretq', ''),
    ('ki_thread_begin', 'sti', 'ret', 'nobody knows where'),
    ('arch_copy_user', 'rep movs', 'std', 'not understood'),
])
def test_controls(kernel, symbol, text, new, what):
    at = find(kernel, symbol, text)
    if new.endswith(' '):               # the same operands
        new = new + kernel.code[at].removeprefix(text)
    found = first_violation(kernel, {at: new})
    print(found)
    assert found and what in found


@pytest.mark.parametrize('text, new', [
    ('sbb', 'nop'),
    ('sbb', 'sbb r11,rax'),
    ('and', 'nop'),
    ('and', 'and rdx,r11'),
    ('jae', 'jne '),
    ('cmp', 'cmp ecx,DWORD PTR [r10+rdi*1+0x10]'),
])
def test_index_is_clamped(kernel, text, new):
    """J4: the service's index, behind its bounds check."""
    at = find(kernel, 'KiSystemServiceRepeat', text)
    if new.endswith(' '):
        new = new + kernel.code[at].removeprefix(text).strip()
    assert 'can bring beyond' in first_violation(kernel, {at: new})


def test_cr3_is_put_back(kernel):
    """The exit's, which is the second."""
    at = find(kernel, 'KiNmiInterrupt', 'mov cr3')
    at = min(other for other, text in kernel.code.items()
             if other > at and text.startswith('mov cr3'))
    assert 'CR3 is not put back' in first_violation(kernel, {at: 'nop'})


@pytest.mark.parametrize('exit_', ['KiKernelSysretExit', 'ki_kernel_sysexit',
                                   'ki_kernel_iret'])
def test_buffers_are_emptied(kernel, exit_):
    """K9: VERW is on each way out that KVA shadow has, and read last."""
    at = find(kernel, exit_, 'verw')
    assert 'buffers may have' in first_violation(kernel, {at: 'nop'})
    late = {kernel.after[at]: 'mov rdx,QWORD PTR gs:0x9010'}
    assert first_violation(kernel, late)


@pytest.mark.parametrize('door', [
    'KiSystemCall64Shadow', 'KiSystemCall32Shadow', 'KiFastCallEntryShadow',
    'KiPageFaultShadow', 'KiSystemServiceShadow',
    'HalpTimerClockInterruptShadow'])
def test_predictors_are_entered(kernel, door):
    """K7, before C is called."""
    at = find(kernel, door, 'call')
    assert 'ki_enter_predictors' in kernel.code[at]
    assert 'before the predictors' in first_violation(kernel, {at: 'nop'})


@pytest.mark.parametrize('exit_', ['KiKernelSysretExit', 'ki_kernel_sysexit',
                                   'ki_kernel_iret'])
def test_predictors_are_left(kernel, exit_):
    """K7"""
    at = find(kernel, exit_, 'call')
    assert 'ki_leave_predictors' in kernel.code[at]
    assert 'kernel\'s predictors' in first_violation(kernel, {at: 'nop'})


def test_moved_before_swapgs(kernel):
    """The first access through gs, one instruction too early."""
    at = kernel.symbols['KiSystemCall64']
    after = kernel.after[at]
    found = first_violation(kernel, {at: kernel.code[after],
                                     after: kernel.code[at]})
    assert 'through gs while gs is user' in found


def test_interrupts_between(kernel):
    """On for one instruction between the look at the APCs and SYSRET."""
    at = find(kernel, 'KiSystemServiceExit.debug_restored', 'mov r8')
    nop = kernel.after[at]
    assert not first_violation(kernel, {at: 'nop', nop: 'nop'})
    found = first_violation(kernel, {at: 'sti', nop: 'nop',
                                     kernel.after[nop]: 'cli'})
    assert 'a user APC may have come' in found


def test_unreached(kernel):
    """Code that no entry leads to is told, so that no entry is forgotten."""
    at = find(kernel, 'ki_system_service32', 'jmp')
    lines = paths.Walk(changed(kernel, {at: 'ud2'})).run()
    assert 'not understood' in lines[0]
    assert any('no entry leads here' in line for line in lines)

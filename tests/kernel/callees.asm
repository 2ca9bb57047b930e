; tests/kernel/callees.asm - the C functions that the entry code calls, with
; nothing spared that their calling convention leaves to them.
;
; What a compiler makes of a function today may leave a register alone, or its
; home area, that it changes tomorrow.  Here each of them changes all it may.
; And each wants what it is promised: a stack that is aligned, a frame that
; says what it is of, an interrupt's IRQL; and where that was ring 3, the frame
; at its one place, and the kernel's MXCSR.
;
; The other way round for assembly that C calls: its caller has a number of his
; own in each register that must be kept (callees.c for KiCallUserMode).

%include "arch/macros.inc"

extern KeBugCheckEx

MANUALLY_INITIATED_CRASH equ 0E2h

section .text progbits alloc exec nowrite align=16
CFI_BEGIN

; MUST condition
%macro MUST 1
        j%1     %%kept
        call    broken
%%kept:
%endmacro

; CHANGES name, 1 if it answers in eax.  Where more is promised, that is looked
; at between the two halves.
%macro CHANGES 2
        CHANGES_BEGIN %1
        CHANGES_END %1, %2
%endmacro

%macro CHANGES_BEGIN 1
        align   16
global __wrap_%1
__wrap_%1:
        CFI_RETURN
        push    rbp
        CFI_RETURN 8
        mov     rbp, rsp
        CFI_RBP
        test    rsp, 0Fh
        MUST    z
%assign at 10h
%rep 4
        mov     qword [rbp + at], -1            ; the home area
%assign at at + 8
%endrep
%endmacro

%macro CHANGES_END 2
extern __real_%1
        sub     rsp, 20h
        call    __real_%1
        leave
        CFI_RETURN
%if %2 == 0
        mov     rax, -1
%endif
        jmp     change
%endmacro

; CHECK_FRAME register with a KTRAP_FRAME *, its ExceptionActive; changes rax.
%macro CHECK_FRAME 2
        cmp     byte [%1 + KTRAP_FRAME.ExceptionActive], KEXCEPTION_ACTIVE_%2
        MUST    e
        mov     rax, [PRCB(CurrentThread)]
        test    byte [rax + KTHREAD.Header.DebugActive], DEBUG_ACTIVE_DR7
        jnz     %%debug
        cmp     word [%1 + KTRAP_FRAME.Dr7], 0
        MUST    e
%%debug:
        test    byte [%1 + KTRAP_FRAME.SegCs], 1
        jz      %%ring_0
        lea     rax, [%1 + KTRAP_FRAME_SIZE]
        cmp     rax, [PRCB(RspBase)]
        MUST    e
        cmp     rax, [PRCB(RspBaseShadow)]
        MUST    e
        push    rax
        stmxcsr [rsp]
        pop     rax
        cmp     eax, [PRCB(MxCsr)]
        MUST    e
%%ring_0:
%endmacro

; CHECK_EXCEPTION_FRAME register with a KTRAP_FRAME *, with its
; KEXCEPTION_FRAME *; changes rax.
%macro CHECK_EXCEPTION_FRAME 2
        lea     rax, [%1 + FRAME_BIAS]
        cmp     rax, [%2 + KEXCEPTION_FRAME.Rbp]
        MUST    e
        SAME    %1, %2, Rbx
        SAME    %1, %2, Rdi
        SAME    %1, %2, Rsi
%endmacro

%macro SAME 3
        mov     rax, [%1 + KTRAP_FRAME.%3]
        cmp     rax, [%2 + KEXCEPTION_FRAME.%3]
        MUST    e
%endmacro

; INTERRUPT_AT IRQL, name.  Here and in an exception the frame has xmm0-5, too;
; a service of 32-bit code counts on a C that does not know them.
%macro INTERRUPT_AT 2
        CHANGES_BEGIN %2
        mov     rax, cr8
        cmp     eax, %1
        MUST    e
        CHECK_FRAME rcx, INTERRUPT
        CHANGE_XMM
        CHANGES_END %2, 0
%endmacro

%macro CHANGE_XMM 0
%assign i 0
%rep 6
        pcmpeqd xmm %+ i, xmm %+ i
%assign i i + 1
%endrep
%endmacro

change:
        mov     rcx, -1
        mov     rdx, rcx
        mov     r8, rcx
        mov     r9, rcx
        mov     r10, rcx
        mov     r11, rcx
        ret

; Its return address tells which promise it was.
broken:
        CFI_RETURN
        mov     rdx, [rsp]
        mov     ecx, MANUALLY_INITIATED_CRASH
        and     rsp, -16
        sub     rsp, 38h
        jmp     KeBugCheckEx

INTERRUPT_AT APC_LEVEL, ki_apc_interrupt
INTERRUPT_AT DISPATCH_LEVEL, ki_dpc_interrupt
INTERRUPT_AT CLOCK_LEVEL, ki_clock_interrupt
INTERRUPT_AT IPI_LEVEL, ki_ipi_interrupt
INTERRUPT_AT CLOCK_LEVEL, ki_spurious_interrupt

        CHANGES_BEGIN ki_dispatch_trap
        CHECK_FRAME rdx, EXCEPTION
        CHECK_EXCEPTION_FRAME rdx, r8
        CHANGE_XMM
        CHANGES_END ki_dispatch_trap, 0

        CHANGES_BEGIN ki_begin_special_service
        CHECK_FRAME rcx, SERVICE
        CHANGES_END ki_begin_special_service, 1

CHANGES KiDeliverApc, 0
CHANGES KiConvertToGuiThread, 1
CHANGES KeGdiFlushUserBatch, 0
CHANGES wow64_system_service, 1
CHANGES KiContinue, 1
CHANGES KiContinueEx, 1
CHANGES KiRaiseException, 1
CHANGES wow64_continue, 1
CHANGES wow64_raise_exception, 1
CHANGES etw_tell_away, 0
CHANGES ki_call_tracked, 1
CHANGES ki_check_pinned_registers, 0
CHANGES KiRetireDpcList, 0
CHANGES ki_save_processor_state, 0
CHANGES ki_switch_processor_state, 0

; KEEPS name, routine, 1 if r12-r15 too: calls it.  C does not know those: they
; are ring 3's all the time, but where interrupts are off nobody asks.
%macro KEEPS 3
extern %2
        align   16
global %1
%1:
        sub     rsp, KEXCEPTION_FRAME.Return
        CFI_RETURN KEXCEPTION_FRAME.Return
        SAVE_EXCEPTION_FRAME
        CFI_EXCEPTION_FRAME
        EACH_KEPT FILL, %3
        call    %2
        EACH_KEPT COMPARE, %3
        cmp     rbp, [rsp + KEXCEPTION_FRAME.Rbp]
        MUST    e
        mov     rbx, [rsp + KEXCEPTION_FRAME.Rbx]
        mov     rdi, [rsp + KEXCEPTION_FRAME.Rdi]
        mov     rsi, [rsp + KEXCEPTION_FRAME.Rsi]
%if %3
        mov     r12, [rsp + KEXCEPTION_FRAME.R12]
        mov     r13, [rsp + KEXCEPTION_FRAME.R13]
        mov     r14, [rsp + KEXCEPTION_FRAME.R14]
        mov     r15, [rsp + KEXCEPTION_FRAME.R15]
%endif
        add     rsp, KEXCEPTION_FRAME.Return
        CFI_RETURN
        ret
%endmacro

; But rbp, for a chain of it leads up a stack.  Other stacks, other numbers.
%macro EACH_KEPT 2
        %1      rbx, 1
        %1      rdi, 2
        %1      rsi, 3
%if %2
        %1      r12, 4
        %1      r13, 5
        %1      r14, 6
        %1      r15, 7
%endif
%endmacro

%macro FILL 2
        lea     %1, [rsp + %2]
%endmacro

%macro COMPARE 2
        sub     %1, %2
        cmp     %1, rsp
        MUST    e
%endmacro

KEEPS __wrap_KiSwapContext, __real_KiSwapContext, 1
KEEPS __wrap_arch_call_service, __real_arch_call_service, 0
KEEPS __wrap_arch_call_on_stack, __real_arch_call_on_stack, 0
KEEPS __wrap_ZwClose, __real_ZwClose, 0
KEEPS __wrap_ZwQuerySystemTime, __real_ZwQuerySystemTime, 0
KEEPS call_user_mode, __real_KiCallUserMode, 0

; ANSWERS name: is called with no answer in rax yet.
%macro ANSWERS 1
extern __real_%1
global __wrap_%1
__wrap_%1:
        CFI_RETURN
        mov     rax, -1
        jmp     __real_%1
%endmacro

ANSWERS arch_copy_user
ANSWERS arch_touch_user

CFI_END

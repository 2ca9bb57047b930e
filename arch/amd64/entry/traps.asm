; arch/amd64/entry/traps.asm - exceptions and interrupts: the ways in that
; nobody asked for.
;
; Every entry has the same shape: complete the processor's frame to a
; KTRAP_FRAME, call one C function, leave through KiExceptionExit.  Whether gs
; is the user's is told by the saved CS, which is safe here: vectors that can
; come between two swapgs have their own stacks and do not ask (ist.asm).

%include "arch/macros.inc"

extern ki_dispatch_trap
extern ki_apc_interrupt
extern ki_dpc_interrupt
extern ki_clock_interrupt
extern ki_ipi_interrupt
extern ki_spurious_interrupt
extern KiSaveDebugRegisterState
extern KiRestoreDebugRegisterState
extern ki_deliver_user_apc
extern KiKvaShadow
extern ki_kernel_iret

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

; TRAP name, vector, 1 if the processor pushes an error code
%macro TRAP 3
        align   16
        global  %1
%1:
        CFI_MACHINE 8 * %3
        DEFENCE no_clac_at_entry, USER_ACCESS_END
        BEGIN_FRAME %3
        mov     [FRAME(Rax)], rax
        CFI_FRAME Rbp, Rax
        mov     eax, %2
        jmp     trap_common
%endmacro

; TRAP_OF_IRETQ name, vector: one with an error code that the IRETQ to ring 3
; may raise itself, with everything the user's but CS.  What it was to load
; becomes what a fault of ring 3 pushes; C makes sense of it (trap.c).
%macro TRAP_OF_IRETQ 2
        align   16
        global  %1
%1:
        CFI_MACHINE 8
        test    byte [rsp + 8 + MACHINE_FRAME.SegCs], 1
        jnz     %%not_iretq
        push    rax
        CFI_MACHINE 10h
        lea     rax, [rel ki_iret_user]
        cmp     rax, [rsp + 10h + MACHINE_FRAME.Rip]
        pop     rax
        CFI_MACHINE 8
        INSTEAD iretq_fault_is_the_kernels, jmp %%not_iretq
        jne     %%not_iretq
        mov     rsp, [rsp + 8 + MACHINE_FRAME.Rsp]
        CFI_MACHINE
        or      byte [rsp + MACHINE_FRAME.SegCs], 3
        push    0
        CFI_MACHINE 8
%%not_iretq:
        DEFENCE no_clac_at_entry, USER_ACCESS_END
        BEGIN_FRAME 1
        mov     [FRAME(Rax)], rax
        CFI_FRAME Rbp, Rax
        mov     eax, %2
        jmp     trap_common
%endmacro

; INTERRUPT name, IRQL, C function(KTRAP_FRAME *)
%macro INTERRUPT 3
        align   16
        global  %1
%1:
        CFI_MACHINE
        DEFENCE no_clac_at_entry, USER_ACCESS_END
        BEGIN_FRAME 0
        SAVE_VOLATILE
        CFI_FRAME Rbp, Rax, Rcx, Rdx, R8, R9, R10, R11
        call    enter_from_any
        CFI_TRAP_FRAME
        mov     byte [FRAME(ExceptionActive)], KEXCEPTION_ACTIVE_INTERRUPT
        inc     dword [PRCB(InterruptCount)]
        mov     rax, cr8
        mov     [FRAME(PreviousIrql)], al
        mov     eax, %2
        mov     cr8, rax
        lea     rcx, [rbp - FRAME_BIAS]
        call    %3                              ; home area: P1Home to P4Home
        movzx   eax, byte [FRAME(PreviousIrql)]
        mov     cr8, rax
        jmp     KiExceptionExit
%endmacro

TRAP KiDivideErrorFault, 0, 0
TRAP KiBreakpointTrap, 3, 0
TRAP KiOverflowTrap, 4, 0
TRAP KiBoundFault, 5, 0
TRAP KiInvalidOpcodeFault, 6, 0
TRAP KiNpxNotAvailableFault, 7, 0
TRAP KiNpxSegmentOverrunAbort, 9, 0
TRAP KiInvalidTssFault, 10, 1
TRAP_OF_IRETQ KiSegmentNotPresentFault, 11
TRAP_OF_IRETQ KiStackFault, 12
TRAP_OF_IRETQ KiGeneralProtectionFault, 13
TRAP KiPageFault, 14, 1
TRAP KiFloatingErrorFault, 16, 0
TRAP KiAlignmentFault, 17, 1
TRAP KiXmmException, 19, 0
TRAP KiVirtualizationException, 20, 0
TRAP KiControlProtectionFault, 21, 1
TRAP KiRaiseSecurityCheckFailure, 29h, 0
TRAP KiRaiseAssertion, 2Ch, 0
TRAP KiDebugServiceTrap, 2Dh, 0

; INT 2Eh in ring 0: nobody there has a reason to (int2e.asm).
TRAP ki_service_trap_in_kernel, 2Eh, 0

; #DB from ring 3, moved to the thread's stack by ist.asm.
TRAP ki_debug_from_user, 1, 0

INTERRUPT KiApcInterrupt, APC_LEVEL, ki_apc_interrupt

INTERRUPT KiDpcInterrupt, DISPATCH_LEVEL, ki_dpc_interrupt

INTERRUPT HalpTimerClockInterrupt, CLOCK_LEVEL, ki_clock_interrupt

INTERRUPT KiIpiInterrupt, IPI_LEVEL, ki_ipi_interrupt

; Vector FFh: the local APIC had nothing after all.
INTERRUPT ki_spurious, CLOCK_LEVEL, ki_spurious_interrupt

; gs, direction flag, MXCSR and debug registers for C, whoever was
; interrupted.  rax, rcx, rdx are free.
enter_from_any:
        CFI_FRAME Rbp, Rax, Rcx, Rdx, R8, R9, R10, R11
        DEFENCE no_cld, cld
        SAVE_NONVOLATILE
        CFI_TRAP_FRAME
        stmxcsr [FRAME(MxCsr)]
        mov     word [FRAME(Dr7)], 0
        test    byte [FRAME(SegCs)], 1
        jz      .no_swapgs
        swapgs
        DEFENCE no_lfence_after_swapgs, lfence
; At this point: gs is the KPCR's.
        DEFENCE users_mxcsr, ldmxcsr [PRCB(MxCsr)]
        mov     rax, [PRCB(CurrentThread)]
        test    byte [rax + KTHREAD.Header.DebugActive], DEBUG_ACTIVE_DR7
        jz      .done
        call    KiSaveDebugRegisterState
.done:
        ret
; A processor may have come here before it knew that it was ring 3.
.no_swapgs:
        DEFENCE no_lfence_after_swapgs, lfence
        ret

; eax = vector; rax is in the frame
        align   16
trap_common:
        CFI_FRAME Rbp, Rax
        mov     [FRAME(P5)], eax
        SAVE_VOLATILE_BUT_RAX
        CFI_FRAME Rbp, Rax, Rcx, Rdx, R8, R9, R10, R11
        call    enter_from_any
        CFI_TRAP_FRAME
        mov     ecx, [FRAME(P5)]
        mov     byte [FRAME(ExceptionActive)], KEXCEPTION_ACTIVE_EXCEPTION
        lea     rdx, [rbp - FRAME_BIAS]
        PUSH_EXCEPTION_FRAME
        mov     r8, rsp
        call    ki_dispatch_trap                ; (vector, frame, exception)
        add     rsp, KEXCEPTION_FRAME_SIZE      ; r12-r15 are still loaded

; The way back from everything but a service: every register from the frame,
; IRETQ.  rbp = frame + 80h; r12-r15 are the interrupted code's.
;
; User APCs that had to wait for 32-bit code are looked at on the way there.
global KiExceptionExit
KiExceptionExit:
        test    byte [FRAME(SegCs)], 1
        jnz     .to_user
        ldmxcsr [FRAME(MxCsr)]
        RESTORE_VOLATILE
        RESTORE_NONVOLATILE
        lea     rsp, [FRAME(Rip)]
        mov     rbp, [FRAME(Rbp)]
        CFI_MACHINE
        iretq
.user_apc:
        CFI_TRAP_FRAME
        lea     rsp, [rbp - FRAME_BIAS]
        call    ki_deliver_user_apc
.to_user:
        cli
        mov     rax, [PRCB(CurrentThread)]
        mov     cl, [rax + KTHREAD.ApcState.UserApcPendingAll]
        test    cl, USER_APCS
        jnz     .user_apc
        test    cl, USER_APCS_32
        jz      .apcs_done
        cmp     word [FRAME(SegCs)], KGDT_R3_CODE_USER
        je      .user_apc
.apcs_done:
; At this point: interrupts stay off until IRETQ, so no APC gets lost.
        cmp     word [FRAME(Dr7)], 0
        jz      .debug_restored
        call    KiRestoreDebugRegisterState
.debug_restored:
        cmp     word [FRAME(SegCs)], KGDT_R3_CODE_USER
        jne     .rip_fits
        mov     dword [FRAME(Rip) + 4], 0       ; 32-bit code ran off its end
.rip_fits:
        ldmxcsr [FRAME(MxCsr)]
        RESTORE_VOLATILE
        RESTORE_NONVOLATILE
        lea     rsp, [FRAME(Rip)]
        mov     rbp, [FRAME(Rbp)]

; The IRETQ to ring 3, also room 5's: only the processor's frame is left.
global ki_exit_by_iret
ki_exit_by_iret:
        CFI_MACHINE
        cmp     byte [rel KiKvaShadow], 0
        jne     ki_kernel_iret
        swapgs
global ki_iret_user
ki_iret_user:
        iretq

; rcx = a KTRAP_FRAME of user state: go there.  Other registers are cleared,
; a new thread has nothing of the kernel's in them.
global ki_enter_user
ki_enter_user:
        CFI_RETURN
        lea     rbp, [rcx + FRAME_BIAS]
        CFI_TRAP_FRAME
        mov     rsp, rcx
        xor     r12d, r12d
        xor     r13d, r13d
        xor     r14d, r14d
        xor     r15d, r15d
        jmp     KiExceptionExit

; The other vectors push their number, are told and survived (trap.c).
        align   16
global ki_unexpected
ki_unexpected:
        CFI_MACHINE 8
        DEFENCE no_clac_at_entry, USER_ACCESS_END
        BEGIN_FRAME 1
        mov     [FRAME(Rax)], rax
        CFI_FRAME Rbp, Rax
        mov     eax, [FRAME(ErrorCode)]
        jmp     trap_common

%macro GATE 3
%endmacro

%macro UNEXPECTED_GATES 2
%assign vector %1
%rep %2 - %1 + 1
        align   16
ki_unexpected_%[vector]:
        CFI_MACHINE
        push    vector
        jmp     ki_unexpected
%assign vector vector + 1
%endrep
%endmacro

global ki_unexpected_begin
ki_unexpected_begin:
%include "vectors.inc"
global ki_unexpected_end
ki_unexpected_end:

CFI_END
CFI_SIGNAL_FRAMES

; What the IDT is made from (cpu/idt.c).
extern KiDebugTrapOrFault
extern KiNmiInterrupt
extern KiDoubleFaultAbort
extern KiMcheckAbort
extern KiSystemService

%macro GATE 3
        dq      %1
%endmacro

%macro UNEXPECTED_GATES 2
%assign vector %1
%rep %2 - %1 + 1
        dq      ki_unexpected_%[vector]
%assign vector vector + 1
%endrep
%endmacro

section .rodata
        align   16
global ki_vectors
ki_vectors:
%include "vectors.inc"

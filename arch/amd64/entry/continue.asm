; arch/amd64/entry/continue.asm - NtContinue and NtRaiseException: services
; that do not return.
;
; The new state goes into the frame this very call came with; then every
; register is loaded from there, so the exit is that of an exception.  Only a
; refused context comes back to the caller, as a status.
;
; rcx = CONTEXT * of the user, dl = test-alert; NtContinueEx has all of rdx,
; which may also be a KCONTINUE_ARGUMENT *.  32-bit code has a CONTEXT of its
; own: wow64_NtContinue differs in the C function that reads it.
;
; NtRaiseException: rcx = EXCEPTION_RECORD *, rdx = CONTEXT *, r8b = first
; chance.  Its new state is the exception dispatcher's.

%include "arch/macros.inc"

extern KiContinue
extern KiContinueEx
extern KiRaiseException
extern wow64_continue
extern wow64_raise_exception
extern KiExceptionExit
extern etw_tell_away

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

; CONTINUE name, C function(the same arguments)
%macro CONTINUE 2
global %1
%1:
        CFI_RETURN
        sub     rsp, 28h
        CFI_RETURN 28h
        call    %2
        test    eax, eax
        js      %%refused
; At this point: r12-r15 are the new state's already.
        call    etw_tell_away
        mov     rax, [PRCB(CurrentThread)]
        mov     rax, [rax + KTHREAD.TrapFrame]
        lea     rbp, [rax + FRAME_BIAS]
        CFI_TRAP_FRAME
        jmp     KiExceptionExit
%%refused:
        CFI_RETURN 28h
        add     rsp, 28h
        CFI_RETURN
        ret
%endmacro

CONTINUE NtContinue, KiContinue
        align   16
CONTINUE NtContinueEx, KiContinueEx
        align   16
CONTINUE NtRaiseException, KiRaiseException
        align   16
CONTINUE wow64_NtContinue, wow64_continue
        align   16
CONTINUE wow64_NtRaiseException, wow64_raise_exception

CFI_END

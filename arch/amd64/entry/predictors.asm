; arch/amd64/entry/predictors.asm - branch predictors and buffers, on the way
; in from ring 3 and out to it.
;
; Only the shadow doors and exits do this (shadow.asm, shadowexit.asm): a
; processor that needs none of it, nor KVA shadow, never comes here.  What is
; done is decided at boot (cpu/speculation.c, docs/speculation.md).
;
; NT: the block between a door and KiSystemServiceUser, and the one of the
; exits, in Windows' order; there they stand in each door.

%include "arch/macros.inc"

extern ki_fill_return_stack

section .kvas progbits alloc exec nowrite align=64
CFI_BEGIN

; IA32_SPEC_CTRL, if it is not what %1, a field of KPRCB, says; changes rax,
; rcx, rdx and flags.  BpbCurrentSpecCtrl is told first: an NMI in between
; puts back what is told (ist.asm), and that is written again here.
%macro SET_SPEC_CTRL 1
        movzx   eax, byte [PRCB(%1)]
        cmp     al, [PRCB(BpbCurrentSpecCtrl)]
        je      %%same
        mov     [PRCB(BpbCurrentSpecCtrl)], al
        xor     edx, edx
        mov     ecx, MSR_SPEC_CTRL
        wrmsr
%%same:
%endmacro

; gs and CR3 are the kernel's, the stack is the thread's.  Keeps all registers.
global ki_enter_predictors
ki_enter_predictors:
        CFI_RETURN
        push    rax
        push    rcx
        push    rdx
        CFI_RETURN 18h
        SET_SPEC_CTRL BpbKernelSpecCtrl
        test    byte [PRCB(BpbState)], BPB_IBPB_ON_TRAP
        jz      .no_barrier
        mov     eax, PRED_CMD_IBPB
        xor     edx, edx
        mov     ecx, MSR_PRED_CMD
        wrmsr
        jmp     .done
.no_barrier:
        test    byte [PRCB(BpbState)], BPB_FLUSH_RSB_ON_TRAP
        jz      .done
        test    byte [PRCB(BpbFeatures)], BPB_SMEP
        jnz     .done
        call    ki_fill_return_stack
.done:
        lfence
        pop     rdx
        pop     rcx
        pop     rax
        CFI_RETURN
        ret

; The same on the way out, before CR3 is ring 3's.
global ki_leave_predictors
ki_leave_predictors:
        CFI_RETURN
        push    rax
        push    rcx
        push    rdx
        CFI_RETURN 18h
        SET_SPEC_CTRL BpbUserSpecCtrl
        pop     rdx
        pop     rcx
        pop     rax
        CFI_RETURN
        ret

CFI_END

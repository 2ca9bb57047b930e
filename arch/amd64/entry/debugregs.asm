; arch/amd64/entry/debugregs.asm - debug registers of a thread that uses them.
;
; While the kernel works for such a thread its breakpoints are off.  Dr7's
; bit 10 always reads 1, so that the stored word is never 0: that word tells
; the exit to put them back.  DR6 begins with 0, so that the next #DB tells no
; more than its own reasons (thread/debugregs.c).
;
; rbp = frame + 80h.  Changes rax only.

%include "arch/macros.inc"

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

global KiSaveDebugRegisterState
KiSaveDebugRegisterState:
        mov     rax, dr0
        mov     [FRAME(Dr0)], rax
        mov     rax, dr1
        mov     [FRAME(Dr1)], rax
        mov     rax, dr2
        mov     [FRAME(Dr2)], rax
        mov     rax, dr3
        mov     [FRAME(Dr3)], rax
        mov     rax, dr6
        mov     [FRAME(Dr6)], rax
        mov     rax, dr7
        mov     [FRAME(Dr7)], rax
        xor     eax, eax
        DEFENCE breakpoints_stay_on, mov dr7, rax
        ret

global KiRestoreDebugRegisterState
KiRestoreDebugRegisterState:
        mov     rax, [FRAME(Dr0)]
        mov     dr0, rax
        mov     rax, [FRAME(Dr1)]
        mov     dr1, rax
        mov     rax, [FRAME(Dr2)]
        mov     dr2, rax
        mov     rax, [FRAME(Dr3)]
        mov     dr3, rax
        xor     eax, eax
        mov     dr6, rax
        mov     rax, [FRAME(Dr7)]
        mov     dr7, rax
        ret

CFI_END

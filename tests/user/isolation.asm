; isolation.asm - a thread's whole register state, for isolation.c.

        bits    64
        default rel

        extern  NtYieldExecution
        global  hold_state

%include "../../programs/lib/nonvolatile.inc"

; struct of isolation.c
STATE_FLAGS     equ 0
STATE_SELECTORS equ 8                           ; ds es fs gs, words
STATE_YIELD     equ 16
STATE_COUNT     equ 20
STATE_X87       equ 32                          ; FXSAVE: in, then out
STATE_OUT       equ 32 + 512
STATE_FLAGS_OUT equ 32 + 1024
STATE_SEL_OUT   equ STATE_FLAGS_OUT + 8
STATE_R15_OUT   equ STATE_FLAGS_OUT + 16

SECTION .text align=16

; hold_state(struct state *): loads it, spins or yields count times, and puts
; what is left of it beside it.
hold_state:
        PUSH_NONVOLATILE
        sub     rsp, SAVED_XMM + 28h
        SAVE_XMM 20h
        mov     rbx, rcx
        fxrstor64 [rbx + STATE_X87]
        mov     ds, [rbx + STATE_SELECTORS]
        mov     es, [rbx + STATE_SELECTORS + 2]
        mov     fs, [rbx + STATE_SELECTORS + 4]
        mov     ecx, [rbx + STATE_COUNT]
        mov     r15, [rbx + STATE_FLAGS]
        cmp     dword [rbx + STATE_YIELD], 0
        push    r15
        jne     .yield
        popfq
.spin:
        lea     ecx, [ecx - 1]
        jecxz   .done
        jmp     .spin
.yield:
        popfq
        mov     esi, ecx
.again:
        call    NtYieldExecution
        lea     esi, [rsi - 1]
        mov     ecx, esi
        jecxz   .done
        jmp     .again
.done:
        pushfq
        pop     qword [rbx + STATE_FLAGS_OUT]
        push    202h
        popfq
        fxsave64 [rbx + STATE_OUT]
        mov     [rbx + STATE_SEL_OUT], ds
        mov     [rbx + STATE_SEL_OUT + 2], es
        mov     [rbx + STATE_SEL_OUT + 4], fs
        mov     [rbx + STATE_R15_OUT], r15
        mov     eax, 23h
        mov     ds, eax
        mov     es, eax
        fninit
        push    1F80h
        ldmxcsr [rsp]
        pop     rax
        RESTORE_XMM 20h
        add     rsp, SAVED_XMM + 28h
        POP_NONVOLATILE
        ret

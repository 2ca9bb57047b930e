; isolation.asm - a thread's whole register state, for isolation.c.

        bits    64
        default rel

        extern  NtYieldExecution
        global  hold_state

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
        push    rbx
        push    rbp
        push    rsi
        push    rdi
        push    r12
        push    r13
        push    r14
        push    r15
        sub     rsp, 10 * 16 + 28h
%assign i 0
%rep 10
%assign x i + 6
        movaps  [rsp + 20h + i * 16], xmm %+ x
%assign i i + 1
%endrep
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
%assign i 0
%rep 10
%assign x i + 6
        movaps  xmm %+ x, [rsp + 20h + i * 16]
%assign i i + 1
%endrep
        add     rsp, 10 * 16 + 28h
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rdi
        pop     rsi
        pop     rbp
        pop     rbx
        ret

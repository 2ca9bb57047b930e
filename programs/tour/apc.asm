; apc.asm - a user APC's routine, called by KiUserApcDispatcher.
;
; in   rcx, rdx, r8 = arguments 1 to 3
;      r9 = CONTEXT that NtContinueEx goes on with

        bits    64
        default rel

        extern  apc_note
        global  apc_routine

RUIN    equ 0BAD0BAD0BAD0BAD0h

SECTION .text align=16

; As a routine may not: no register is as it was, except rsp.
apc_routine:
        mov     rax, rsp
        sub     rsp, 38h
        mov     [rsp + 20h], rax                ; argument 5
        call    apc_note
        add     rsp, 38h
        mov     rax, RUIN
%macro  EACH 1-*
%rep %0
        mov     %1, rax
%rotate 1
%endrep
%endmacro
        EACH    rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13
        EACH    r14, r15
%assign i 0
%rep 16
        movq    xmm %+ i, rax
%assign i i + 1
%endrep
        ret

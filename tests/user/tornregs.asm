; tornregs.asm - a thread that goes from exception to exception, and a
; dispatcher for it (tornregs.c).

        bits    64
        default rel

        global  take_exceptions
        global  dispatch
        extern  exception_dispatcher
        extern  exceptions

CONTEXT_RBX     equ 090h
CONTEXT_RSP     equ 098h
CONTEXT_RSI     equ 0A8h
CONTEXT_RDI     equ 0B0h
CONTEXT_R12     equ 0D8h
CONTEXT_R13     equ 0E0h
CONTEXT_R14     equ 0E8h
CONTEXT_R15     equ 0F0h

SECTION .text align=16

; HLT, because the kernel looks at it: that takes a while.
take_exceptions:
        hlt
        int3

; The instrumentation callback: r10 = where ring 3 goes on.  For an exception
; rsp = its CONTEXT, which is taken as it is; no NtContinue, which would undo
; what somebody sets meanwhile.
        align   16
dispatch:
        cmp     r10, [exception_dispatcher]
        je      .exception
        jmp     r10
.exception:
        inc     dword [exceptions]
        mov     rbx, [rsp + CONTEXT_RBX]
        mov     rsi, [rsp + CONTEXT_RSI]
        mov     rdi, [rsp + CONTEXT_RDI]
        mov     r12, [rsp + CONTEXT_R12]
        mov     r13, [rsp + CONTEXT_R13]
        mov     r14, [rsp + CONTEXT_R14]
        mov     r15, [rsp + CONTEXT_R15]
        mov     rsp, [rsp + CONTEXT_RSP]
        jmp     take_exceptions

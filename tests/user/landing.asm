; landing.asm - go through NtContinue and look at every register on arrival.

        bits    64
        default rel

        extern  NtContinue
        global  continue_and_land
        global  landing

%include "../../programs/lib/call.inc"

SECTION .bss align=16
kept_rsp: resq  1
arrival: resq   1
scratch: resq   1

SECTION .text align=16

; NTSTATUS continue_and_land(CONTEXT *, struct registers *)
;
; in   rcx = context whose Rip is landing, rdx = where registers go
; out  rax = NtContinue's status if it came back, 103h after a landing
continue_and_land:
        push    rbx
        push    rbp
        push    rsi
        push    rdi
        push    r12
        push    r13
        push    r14
        push    r15
        sub     rsp, 10 * 16 + 20h + 8
%assign i 0
%rep 10
%assign x i + 6
        movaps  [rsp + 20h + i * 16], xmm %+ x
%assign i i + 1
%endrep
        mov     [kept_rsp], rsp
        mov     [arrival], rdx
        xor     edx, edx
        call    NtContinue
        jmp     back

; At this point: all registers are the context's.
landing:
        mov     [scratch], rax
        mov     rax, [arrival]
        mov     [rax + REGS.Rsp], rsp
        mov     rsp, [kept_rsp]
        pushfq
        pop     qword [rax + REGS.Rflags]
        push    202h
        popfq
        mov     [rax + REGS.Rcx], rcx
        mov     rcx, [scratch]
        mov     [rax + REGS.Rax], rcx
        mov     [rax + REGS.Rdx], rdx
        mov     [rax + REGS.Rbx], rbx
        mov     [rax + REGS.Rbp], rbp
        mov     [rax + REGS.Rsi], rsi
        mov     [rax + REGS.Rdi], rdi
        mov     [rax + REGS.R8], r8
        mov     [rax + REGS.R9], r9
        mov     [rax + REGS.R10], r10
        mov     [rax + REGS.R11], r11
        mov     [rax + REGS.R12], r12
        mov     [rax + REGS.R13], r13
        mov     [rax + REGS.R14], r14
        mov     [rax + REGS.R15], r15
        stmxcsr [rax + REGS.unused]
%assign i 0
%rep 16
        movaps  [rax + REGS.Xmm + i * 16], xmm %+ i
%assign i i + 1
%endrep
        push    1F80h
        ldmxcsr [rsp]
        pop     rcx
        mov     eax, 103h                       ; STATUS_PENDING: it landed
back:
%assign i 0
%rep 10
%assign x i + 6
        movaps  xmm %+ x, [rsp + 20h + i * 16]
%assign i i + 1
%endrep
        add     rsp, 10 * 16 + 20h + 8
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rdi
        pop     rsi
        pop     rbp
        pop     rbx
        ret

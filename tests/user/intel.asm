; intel.asm - runs the bytes that intel.c has put together, with registers that
; a door, a breakpoint, a bad address find useful.

        bits    64
        default rel

        global  run_code
        global  code_ended
        global  kept_stack
        global  left
        global  victim_again

extern victim_waits

%include "../../programs/lib/nonvolatile.inc"

NO_SERVICE      equ 0FFEh
RBX_MARK        equ 0B0B0B0B0B0B0B0B0h
R12_MARK        equ 0C0C0C0C0C0C0C0C0h
FLAGS           equ 202h

SECTION .bss align=16
kept_stack:     resq    1
left:           resq    6               ; struct left

SECTION .text align=16

; run_code(code, word, behind, far): code begins with eax = a number that no
; service has, rcx = r10 = behind, r11 = rsp, rsi = word, rdi = word + 1, rdx =
; rbp = far, r14 = rsp; it ends at code_ended, or the handler leads there.
run_code:
        PUSH_NONVOLATILE
        sub     rsp, 8
        mov     [kept_stack], rsp
        mov     r15, rcx
        mov     rsi, rdx
        lea     rdi, [rdx + 1]
        mov     rcx, r8
        mov     r10, r8
        mov     rdx, r9
        mov     rbp, r9
        mov     rbx, RBX_MARK
        mov     r12, R12_MARK
        mov     r13, r12
        mov     r14, rsp
        mov     r11, rsp
        mov     eax, NO_SERVICE
        jmp     r15

; Where the bytes end: what they have left in registers that stay.
code_ended:
        mov     [left], rbx
        mov     [left + 8], r12
        mov     [left + 10h], r13
        mov     [left + 18h], rsp
        mov     word [left + 20h], cs
        mov     word [left + 22h], ss
        pushfq
        pop     qword [left + 28h]
        mov     rsp, [kept_stack]
        push    FLAGS
        popfq
        add     rsp, 8
        POP_NONVOLATILE
        ret

; Where the handler leads intel.c's other thread: its stack is whole again.
victim_again:
        and     rsp, -16
        sub     rsp, 20h
        call    victim_waits            ; does not return

; unwind.asm - functions with every unwind code, to be left at every
; instruction; and frames whose handlers answer what they are told.

        bits    64
        default rel

        global  step_through
        global  stepped_begin, stepped_end, stepped_return
        global  stepped_rsp, stepped_integers, stepped_vectors
        global  stepped_functions
        global  framed_fault, framed_fault_return
        extern  frame_handler

%include "../../programs/lib/nonvolatile.inc"

SECTION .data align=16
stepped_rsp:    dq 0                            ; behind the call
stepped_integers:                               ; rbx rbp rsi rdi r12 - r15
        dq      1111111111111111h, 2222222222222222h, 3333333333333333h
        dq      4444444444444444h, 5555555555555555h, 6666666666666666h
        dq      7777777777777777h, 7888888888888888h
        align   16
stepped_vectors:                                ; xmm6 - xmm15
%assign number 6
%rep 10
        dq      0AA00h + number, 0BB00h + number
%assign number number + 1
%endrep

called:         dd 0                            ; twice's

SECTION .rdata rdata align=8
stepped_functions:
        dq      leaf, pushes, framed, large, distant, pieces, loops, twice
        dq      tail, tail_memory, early, 0

SECTION .text align=16

; void step_through(void (*function)(void)): call it with known registers and
; the trap flag set.
step_through:
        PUSH_NONVOLATILE
        sub     rsp, SAVED_XMM + 8
%assign number 6
%rep 10
        movaps  [rsp + 16 * (number - 6)], xmm%[number]
        movaps  xmm%[number], [stepped_vectors + 16 * (number - 6)]
%assign number number + 1
%endrep
        mov     rax, rcx
        mov     rbx, [stepped_integers]
        mov     rbp, [stepped_integers + 8]
        mov     rsi, [stepped_integers + 10h]
        mov     rdi, [stepped_integers + 18h]
        mov     r12, [stepped_integers + 20h]
        mov     r13, [stepped_integers + 28h]
        mov     r14, [stepped_integers + 30h]
        mov     r15, [stepped_integers + 38h]
        mov     [stepped_rsp], rsp
        pushfq
        or      dword [rsp], 100h
        popfq
        call    rax
stepped_return:
        pushfq
        and     dword [rsp], ~100h
        popfq
        RESTORE_XMM 0
        add     rsp, SAVED_XMM + 8
        POP_NONVOLATILE
        ret

stepped_begin:
leaf:
        mov     eax, 1
        ret

pushes:
        push    rbx
p1:     push    rsi
p2:     push    r12
p3:     push    r15
p4:     sub     rsp, 28h
p5:     xor     ebx, ebx
        xor     esi, esi
        xor     r12d, r12d
        xor     r15d, r15d
        add     rsp, 28h
        pop     r15
        pop     r12
        pop     rsi
        pop     rbx
        ret
pushes_end:

; A frame register that is not where rsp is, and rsp that moves.
framed:
        push    rbp
f1:     sub     rsp, 230h
f2:     lea     rbp, [rsp + 80h]
f3:     mov     [rbp + 80h], rdi
f4:     movaps  [rbp + 90h], xmm6
f5:     movaps  [rbp + 0A0h], xmm15
f6:     xor     edi, edi
        xorps   xmm6, xmm6
        xorps   xmm15, xmm15
        sub     rsp, 140h
        push    rax
        pop     rax
        mov     rdi, [rbp + 80h]
        movaps  xmm6, [rbp + 90h]
        movaps  xmm15, [rbp + 0A0h]
        lea     rsp, [rbp + 1B0h]
        pop     rbp
        ret
framed_end:

; An allocation in 32 bits, and one in 16 that are scaled.
large:
        push    r13
l1:     sub     rsp, 1008h
l2:     sub     rsp, 400h
l3:     xor     r13d, r13d
        add     rsp, 1408h
        pop     r13
        ret
large_end:

distant:
        sub     rsp, 98h
a1:     mov     [rsp + 40h], r14
a2:     movups  [rsp + 50h], xmm7
a3:     xor     r14d, r14d
        xorps   xmm7, xmm7
        mov     r14, [rsp + 40h]
        movups  xmm7, [rsp + 50h]
        add     rsp, 98h
        ret
distant_end:

; Two pieces: the second saves one more register.
pieces:
        push    rbx
c1:     sub     rsp, 30h
c2:     xor     ebx, ebx
        jmp     second
c3:     add     rsp, 30h
        pop     rbx
        ret
pieces_end:
        int3
second:
        mov     [rsp + 20h], rsi
s1:     xor     esi, esi
        mov     rsi, [rsp + 20h]
        jmp     c3
second_end:

; The second piece begins with a loop: the jump back to it is no tail call.
loops:
        push    rbx
o1:     sub     rsp, 20h
o2:     mov     ebx, 2
        jmp     again
o3:     add     rsp, 20h
        pop     rbx
        ret
loops_end:
        int3
again:
        dec     ebx
        jz      .done
        jmp     again
.done:
        jmp     o3
again_end:

; The second piece calls the function again, as its last act.
twice:
        push    rbx
w1:     sub     rsp, 20h
w2:     xor     ebx, ebx
        jmp     rest
twice_end:
        int3
rest:
        xor     dword [called], 1
        jz      .leave
        add     rsp, 20h
        pop     rbx
        jmp     twice
.leave:
        add     rsp, 20h
        pop     rbx
        ret
rest_end:

tail:
        push    rdi
t1:     sub     rsp, 20h
t2:     xor     edi, edi
        lea     rax, [leaf]
        add     rsp, 20h
        pop     rdi
        db      48h, 0FFh, 0E0h                 ; jmp rax, as compilers do
tail_end:

tail_memory:
        push    r12
m1:     xor     r12d, r12d
        pop     r12
        jmp     leaf
tail_memory_end:

; A jump inside the function is no tail call.
early:
        sub     rsp, 48h
e1:     jmp     .inside
        nop
.inside:
        nop
        add     rsp, 48h
        db      0F3h, 0C3h                      ; "rep ret"
early_end:
stepped_end:

; A frame with a handler; the instruction in it faults.
framed_fault:
        sub     rsp, 28h
ff1:    ud2
framed_fault_return:
        add     rsp, 28h
        ret
framed_fault_end:

OP_PUSH equ 0
OP_LARGE equ 1
OP_SMALL equ 2
OP_FRAME equ 3
OP_SAVE equ 4
OP_SAVE_FAR equ 5
OP_XMM equ 8
OP_XMM_FAR equ 9
CHAINED equ 4 << 3
EHANDLER equ 1 << 3
UHANDLER equ 2 << 3
%define CODE(where, op, info) db where, op | (info) << 4

SECTION .xdata rdata align=8
pushes_unwind:
        db      1, p5 - pushes, 5, 0
        CODE(p5 - pushes, OP_SMALL, 4)
        CODE(p4 - pushes, OP_PUSH, 15)
        CODE(p3 - pushes, OP_PUSH, 12)
        CODE(p2 - pushes, OP_PUSH, 6)
        CODE(p1 - pushes, OP_PUSH, 3)
        align   4
framed_unwind:
        db      1, f6 - framed, 10, 5 | 8 << 4
        CODE(f6 - framed, OP_XMM, 15)
        dw      120h / 16
        CODE(f5 - framed, OP_XMM, 6)
        dw      110h / 16
        CODE(f4 - framed, OP_SAVE, 7)
        dw      100h / 8
        CODE(f3 - framed, OP_FRAME, 0)
        CODE(f2 - framed, OP_LARGE, 0)
        dw      230h / 8
        CODE(f1 - framed, OP_PUSH, 5)
        align   4
large_unwind:
        db      1, l3 - large, 6, 0
        CODE(l3 - large, OP_LARGE, 0)
        dw      400h / 8
        CODE(l2 - large, OP_LARGE, 1)
        dd      1008h
        CODE(l1 - large, OP_PUSH, 13)
        align   4
distant_unwind:
        db      1, a3 - distant, 8, 0
        CODE(a3 - distant, OP_XMM_FAR, 7)
        dd      50h
        CODE(a2 - distant, OP_SAVE_FAR, 14)
        dd      40h
        CODE(a1 - distant, OP_LARGE, 0)
        dw      98h / 8
        align   4
pieces_unwind:
        db      1, c2 - pieces, 2, 0
        CODE(c2 - pieces, OP_SMALL, 5)
        CODE(c1 - pieces, OP_PUSH, 3)
        align   4
second_unwind:
        db      1 | CHAINED, s1 - second, 2, 0
        CODE(s1 - second, OP_SAVE, 6)
        dw      20h / 8
        dd      pieces wrt ..imagebase
        dd      pieces_end wrt ..imagebase
        dd      pieces_unwind wrt ..imagebase
loops_unwind:
        db      1, o2 - loops, 2, 0
        CODE(o2 - loops, OP_SMALL, 3)
        CODE(o1 - loops, OP_PUSH, 3)
        align   4
again_unwind:
        db      1 | CHAINED, 0, 0, 0
        dd      loops wrt ..imagebase
        dd      loops_end wrt ..imagebase
        dd      loops_unwind wrt ..imagebase
twice_unwind:
        db      1, w2 - twice, 2, 0
        CODE(w2 - twice, OP_SMALL, 3)
        CODE(w1 - twice, OP_PUSH, 3)
        align   4
rest_unwind:
        db      1 | CHAINED, 0, 0, 0
        dd      twice wrt ..imagebase
        dd      twice_end wrt ..imagebase
        dd      twice_unwind wrt ..imagebase
tail_unwind:
        db      1, t2 - tail, 2, 0
        CODE(t2 - tail, OP_SMALL, 3)
        CODE(t1 - tail, OP_PUSH, 7)
        align   4
tail_memory_unwind:
        db      1, m1 - tail_memory, 1, 0
        CODE(m1 - tail_memory, OP_PUSH, 12)
        align   4
early_unwind:
        db      1, e1 - early, 1, 0
        CODE(e1 - early, OP_SMALL, 8)
        align   4
framed_fault_unwind:
        db      1 | EHANDLER | UHANDLER, ff1 - framed_fault, 1, 0
        CODE(ff1 - framed_fault, OP_SMALL, 4)
        align   4
        dd      frame_handler wrt ..imagebase

%macro FUNCTION 3
        dd      %1 wrt ..imagebase
        dd      %2 wrt ..imagebase
        dd      %3 wrt ..imagebase
%endmacro

SECTION .pdata rdata align=4
        FUNCTION pushes, pushes_end, pushes_unwind
        FUNCTION framed, framed_end, framed_unwind
        FUNCTION large, large_end, large_unwind
        FUNCTION distant, distant_end, distant_unwind
        FUNCTION pieces, pieces_end, pieces_unwind
        FUNCTION second, second_end, second_unwind
        FUNCTION loops, loops_end, loops_unwind
        FUNCTION again, again_end, again_unwind
        FUNCTION twice, twice_end, twice_unwind
        FUNCTION rest, rest_end, rest_unwind
        FUNCTION tail, tail_end, tail_unwind
        FUNCTION tail_memory, tail_memory_end, tail_memory_unwind
        FUNCTION early, early_end, early_unwind
        FUNCTION framed_fault, framed_fault_end, framed_fault_unwind

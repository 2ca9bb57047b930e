; tests/kernel/fired.asm - a vector, as the processor would bring it from ring
; 3 (fired.c).

%include "arch/macros.inc"

extern fired_numbers                            ; rax ... r11, xmm0 to xmm5

section .text progbits alloc exec nowrite align=16
CFI_BEGIN

; rcx = the gate's address, rdx = the service's KTRAP_FRAME, r8 = the stack that
; the processor would take, r9 = whether it pushes an error code; on the stack
; the address of an IRETQ that leads to ring 3 and is what raised it, or 0.
; Ring 3 will find numbers in what the service may change, all else as behind
; it.
BY_IRETQ        equ 28h                         ; argument 5
global fire_vector
fire_vector:
        CFI_OUTERMOST
        cli
        mov     r10, [rsp + BY_IRETQ]
        mov     rsp, r8
        lea     rbp, [rdx + FRAME_BIAS]
; What follows may be pushed over the end of that frame.
        RESTORE_NONVOLATILE
        ldmxcsr [FRAME(MxCsr)]
        mov     r11, [FRAME(Rbp)]
        mov     word [FRAME(Dr7)], -1           ; as another frame may have it
        movzx   eax, word [FRAME(SegSs)]
        push    rax
        push    qword [FRAME(Rsp)]
        mov     eax, [FRAME(EFlags)]
        push    rax
        mov     eax, KGDT64_R3_CODE_USER
        push    rax
        push    qword [FRAME(Rip)]
        test    r10, r10
        jz      .pushed
; What IRETQ was to load lies where rsp points; that stack is in use.
        mov     rax, rsp
        and     rsp, -16
        push    KGDT_R0_DATA
        push    rax
        pushfq
        push    KGDT_R0_CODE
        push    r10
.pushed:
        test    r9, r9
        jz      .complete
        push    0
.complete:
        push    rcx
        mov     rbp, r11
%assign i 0
%macro FILL 1
        mov     %1, [rel fired_numbers + 8 * i]
%assign i i + 1
%endmacro
        FILL    rax
        FILL    rcx
        FILL    rdx
        FILL    r8
        FILL    r9
        FILL    r10
        FILL    r11
%assign i 0
%rep 6
        movq    xmm %+ i, [rel fired_numbers + 8 * (7 + i)]
        pshufd  xmm %+ i, xmm %+ i, 14h         ; above it, halves exchanged
%assign i i + 1
%endrep
        swapgs
        ret

CFI_END

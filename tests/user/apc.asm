; apc.asm - a user APC's routine that leaves no register as it was, and code
; that only an APC ends.

        bits    64
        default rel

        extern  apc_note
        global  apc_trash
        global  apc_spin
        global  apc_touch
        global  apc_r10

SECTION .data align=4
odd_mxcsr: dd   3F80h
        align   8, db 0
apc_r10: dq     0

SECTION .text align=16

; rax = a page that is not there yet.
apc_touch:
        mov     al, [rax]
        ret

; As NormalRoutine.  Nobody needs its non-volatile registers back: they are in
; the CONTEXT.
apc_trash:
        mov     [apc_r10], r10
        sub     rsp, 28h
        call    apc_note                        ; (argument 1, 2, 3, CONTEXT *)
        add     rsp, 28h
        fninit
        fld1
        fldpi
        ldmxcsr [odd_mxcsr]
        mov     rax, 0DEAD0000DEAD0000h
%macro  TRASH 1-*
%rep %0
        mov     %1, rax
        inc     rax
%rotate 1
%endrep
%endmacro
        TRASH   rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13
        TRASH   r14, r15
%assign i 0
%rep 16
        movq    xmm %+ i, rax
%assign i i + 1
%endrep
        ret

; Until apc_note has been called.
        extern  apc_count
apc_spin:
        cmp     dword [apc_count], 0
        je      apc_spin
        ret

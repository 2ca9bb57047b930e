; instrument.asm - an instrumentation callback that notes who comes by.
;
; The kernel goes to it in place of every return to ring 3.
;
; in   r10 = where it would have gone on
;      rax = a service's status
;      rsp and every other register as without a callback
;
; What the kernel starts in ring 3 has arguments in registers, so none may
; change; flags may.

        bits    64
        default rel

        global  note_return
        extern  return_count
        extern  returns

; struct kernel_return of instrument.c
RETURNS         equ 32
RETURN_SIZE     equ 24

SECTION .text align=16

note_return:
        push    rcx
        push    rdx
        mov     ecx, [return_count]
        inc     dword [return_count]
        cmp     ecx, RETURNS
        jae     .full
        imul    ecx, ecx, RETURN_SIZE
        lea     rdx, [returns]
        add     rdx, rcx
        mov     [rdx], r10
        mov     [rdx + 8], rax
        lea     rcx, [rsp + 10h]                ; without what is pushed here
        mov     [rdx + 10h], rcx
.full:
        pop     rdx
        pop     rcx
        jmp     r10

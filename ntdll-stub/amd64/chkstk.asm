; chkstk.asm - touch the pages of a large stack frame.
;
; A compiler calls this at the head of a function whose frame is larger than
; a page, so that stack pages are reached one by one and the guard page can
; do its work.
;
; in   rax = bytes the caller will subtract from rsp
; out  every register as it was

        bits    64
        default rel

        global  __chkstk

PAGE_SIZE equ 1000h

SECTION .text align=16

__chkstk:
        push    rcx
        push    rax
        lea     rcx, [rsp + 18h]                ; rsp before the call
        cmp     rax, PAGE_SIZE
        jb      .last
.page:
        sub     rcx, PAGE_SIZE
        test    [rcx], rcx                      ; a read is enough
        sub     rax, PAGE_SIZE
        cmp     rax, PAGE_SIZE
        ja      .page
.last:
        sub     rcx, rax
        test    [rcx], rcx
        pop     rax
        pop     rcx
        ret

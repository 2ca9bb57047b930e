; chkstk.asm - touch the pages of a large stack frame.
;
; A compiler calls this at the head of a function whose frame is larger than
; a page, so that stack pages are reached one by one and the guard page can
; do its work.

        bits    32

        global  __chkstk
        global  __alloca_probe
        global  ___chkstk_ms

PAGE_SIZE equ 1000h

SECTION .text align=16

; The pages from ecx down by eax bytes. ecx is lost, eax is 0 to a page.
%macro  TOUCH 0
        cmp     eax, PAGE_SIZE
        jb      %%last
%%page:
        sub     ecx, PAGE_SIZE
        test    [ecx], ecx                      ; a read is enough
        sub     eax, PAGE_SIZE
        cmp     eax, PAGE_SIZE
        ja      %%page
%%last:
        sub     ecx, eax
        test    [ecx], ecx
%endmacro

; Microsoft's contract, by two names: the stack grows here.
;
; in   eax = bytes
; out  esp lower by that many; eax and flags are lost
        align   16
__chkstk:
__alloca_probe:
        push    ecx
        lea     ecx, [esp + 8]                  ; esp before the call
        TOUCH
        mov     eax, esp                        ; ecx and the return address
        mov     esp, ecx
        mov     ecx, [eax]
        push    dword [eax + 4]
        ret

; GCC's contract: the caller moves esp itself.
;
; in   eax = bytes
; out  every register as it was
        align   16
___chkstk_ms:
        push    ecx
        push    eax
        lea     ecx, [esp + 12]                 ; esp before the call
        TOUCH
        pop     eax
        pop     ecx
        ret

; slist.asm - push, pop and flush without a lock, by CMPXCHG16B.
;
; A SLIST_HEADER is two words: Depth (16 bits) and Sequence, and the first
; entry's address, whose low four bits are not the address's. They are read
; one after the other, so they may not belong together: then the exchange sees
; it and the loop begins again. A push adds one to both numbers, a pop takes
; one off Depth, so the same pair does not come back while an entry does.
;
; A pop must read the first entry before it owns it. Another thread may have
; popped it by then and given its memory back: the kernel knows the three
; labels (arch/amd64/thread/slist.c), and a fault at Fault goes on at Resume.
; It does the same to a pop that was interrupted and lets other code run first.
; From Resume to End therefore nothing but r10 is needed, and nothing kept.

        bits    64
        default rel

        global  RtlInterlockedPushEntrySList
        global  RtlInterlockedPopEntrySList
        global  RtlInterlockedFlushSList
        global  ExpInterlockedPopEntrySListResume
        global  ExpInterlockedPopEntrySListFault
        global  ExpInterlockedPopEntrySListEnd

FIRST           equ 8                           ; the header's second word
NO_ADDRESS      equ 0Fh
ONE_MORE        equ 10001h                      ; Depth and Sequence

UNWIND_VERSION  equ 1
UWOP_PUSH_NONVOL equ 0
RBX_NUMBER      equ 3

SECTION .text align=16

; in   rcx = header, rdx = entry
; out  rax = the entry that was first, or 0
        align   16
RtlInterlockedPushEntrySList:
        push    rbx
        mov     r10, rcx
        mov     rcx, rdx
        mov     rax, [r10]
        mov     rdx, [r10 + FIRST]
push_again:
        mov     r8, rdx
        and     r8, ~NO_ADDRESS
        mov     [rcx], r8
        lea     rbx, [rax + ONE_MORE]
        lock cmpxchg16b [r10]
        jne     push_again
        mov     rax, r8
        pop     rbx
        ret
push_end:

; in   rcx = header
; out  rax = the entry that was first, or 0
        align   16
RtlInterlockedPopEntrySList:
        push    rbx
        mov     r10, rcx
ExpInterlockedPopEntrySListResume:
        mov     rax, [r10]
        mov     rdx, [r10 + FIRST]
        mov     r8, rdx
        and     r8, ~NO_ADDRESS
        jz      pop_done
        lea     rbx, [rax - 1]
ExpInterlockedPopEntrySListFault:
        mov     rcx, [r8]
ExpInterlockedPopEntrySListEnd:
        lock cmpxchg16b [r10]
        jne     ExpInterlockedPopEntrySListResume
pop_done:
        mov     rax, r8
        pop     rbx
        ret
pop_end:

; in   rcx = header
; out  rax = the entry that was first, or 0: the list is the caller's now
        align   16
RtlInterlockedFlushSList:
        push    rbx
        mov     r10, rcx
        mov     rax, [r10]
        mov     rdx, [r10 + FIRST]
        xor     ecx, ecx
flush_again:
        mov     r8, rdx
        and     r8, ~NO_ADDRESS
        jz      flush_done
        mov     rbx, rax
        xor     bx, bx                          ; Sequence stays
        lock cmpxchg16b [r10]
        jne     flush_again
flush_done:
        mov     rax, r8
        pop     rbx
        ret
flush_end:

; All three begin with the same push, of one byte.
SECTION .xdata rdata align=8
slist_unwind:
        db      UNWIND_VERSION, 1, 1, 0
        db      1, UWOP_PUSH_NONVOL | RBX_NUMBER << 4
        dw      0

SECTION .pdata rdata align=4
        dd      RtlInterlockedPushEntrySList wrt ..imagebase
        dd      push_end wrt ..imagebase
        dd      slist_unwind wrt ..imagebase
        dd      RtlInterlockedPopEntrySList wrt ..imagebase
        dd      pop_end wrt ..imagebase
        dd      slist_unwind wrt ..imagebase
        dd      RtlInterlockedFlushSList wrt ..imagebase
        dd      flush_end wrt ..imagebase
        dd      slist_unwind wrt ..imagebase

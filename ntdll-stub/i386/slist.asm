; slist.asm - push, pop and flush without a lock, by CMPXCHG8B.
;
; A SLIST_HEADER is the first entry's address, then Depth and Sequence (16 bits
; each). Both words are read one after the other, so they may not belong
; together: then the exchange sees it and the loop begins again. A push adds
; one to both numbers, a pop takes one off Depth.
;
; A pop must read the first entry before it owns it. Another thread may have
; popped it by then and given its memory back: the kernel knows the three
; labels (arch/amd64/thread/slist.c), and a fault at Fault goes on at Resume.
; It does the same to a pop that was interrupted and lets other code run first:
; 65536 pushes meanwhile, and Sequence would be what it was. From Resume to End
; therefore nothing but esi is needed, and nothing kept.

        bits    32

        global  _RtlInterlockedPushEntrySList@8
        global  _RtlInterlockedPopEntrySList@4
        global  _RtlInterlockedFlushSList@4
        global  _ExpInterlockedPopEntrySListResume
        global  _ExpInterlockedPopEntrySListFault
        global  _ExpInterlockedPopEntrySListEnd

NUMBERS         equ 4                           ; the header's second word
ONE_MORE        equ 10001h                      ; Depth and Sequence
ARGUMENT        equ 0Ch                         ; above two registers

SECTION .text align=16

; in   [esp + 4] = header, [esp + 8] = entry
; out  eax = the entry that was first, or 0; ecx, edx are lost
        align   16
_RtlInterlockedPushEntrySList@8:
        push    ebx
        push    esi
        mov     esi, [esp + ARGUMENT]
        mov     ebx, [esp + ARGUMENT + 4]
        mov     edx, [esi + NUMBERS]
        mov     eax, [esi]
push_again:
        mov     [ebx], eax
        lea     ecx, [edx + ONE_MORE]
        lock cmpxchg8b [esi]
        jne     push_again
        pop     esi
        pop     ebx
        ret     8

; in   [esp + 4] = header
; out  eax = the entry that was first, or 0; ecx, edx are lost
        align   16
_RtlInterlockedPopEntrySList@4:
        push    ebx
        push    esi
        mov     esi, [esp + ARGUMENT]
_ExpInterlockedPopEntrySListResume:
        mov     edx, [esi + NUMBERS]
        mov     eax, [esi]
        test    eax, eax
        jz      pop_done
        lea     ecx, [edx - 1]
_ExpInterlockedPopEntrySListFault:
        mov     ebx, [eax]
_ExpInterlockedPopEntrySListEnd:
        lock cmpxchg8b [esi]
        jne     _ExpInterlockedPopEntrySListResume
pop_done:
        pop     esi
        pop     ebx
        ret     4

; in   [esp + 4] = header
; out  eax = the entry that was first, or 0: the list is the caller's now
;      ecx, edx are lost
        align   16
_RtlInterlockedFlushSList@4:
        push    ebx
        push    esi
        mov     esi, [esp + ARGUMENT]
        mov     edx, [esi + NUMBERS]
        mov     eax, [esi]
        xor     ebx, ebx
flush_again:
        test    eax, eax
        jz      flush_done
        mov     ecx, edx
        xor     cx, cx                          ; Sequence stays
        lock cmpxchg8b [esi]
        jne     flush_again
flush_done:
        pop     esi
        pop     ebx
        ret     4

; doors.asm - what a stub does, with the door of one's choice.
;
; Targets of lib/i386/call.asm: the number is in eax, and two return addresses
; lie below the arguments when the door's routine starts, as both kinds expect.

        bits    32

        global  _by_door
        global  _timed_by_door
        global  _no_door
        global  _door

SECTION .bss align=4
_door:  resd    1                               ; KiFastSystemCall or the like

SECTION .text align=16
        align   16
_by_door:
        call    [_door]
        ret

; The same, edi = ticks of the time-stamp counter; esi is lost.
        align   16
_timed_by_door:
        mov     esi, eax
        rdtsc
        mov     edi, eax
        mov     eax, esi
        call    [_door]
        mov     esi, eax
        rdtsc
        sub     eax, edi                        ; the low halves are enough
        mov     edi, eax
        mov     eax, esi
        ret

        align   16
_no_door:
        ret

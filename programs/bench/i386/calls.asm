; i386/calls.asm - 32-bit calls by a door of one's choice, and the doors alone
; (tests/kernel/bare.asm).
;
; in   [esp + 4] = service number (not for the doors alone)
; lost eax, ecx, edx

        bits    32

        global  _call_int2e
        global  _call_sysenter
        global  _door_int2e
        global  _door_sysenter

SECTION .text align=16

; The kernel finds no arguments that it would look at.
        align   16
_call_int2e:
        mov     eax, [esp + 4]
        lea     edx, [esp + 8]
        int     2Eh
        ret

; Comes back to KiFastSystemCallRet, whose RET is this routine's.
        align   16
_call_sysenter:
        mov     eax, [esp + 4]
        mov     edx, esp
        sysenter

        align   16
_door_int2e:
        int     2Eh
        ret

; edx and ecx are SYSEXIT's, eip and esp.
        align   16
_door_sysenter:
        mov     edx, .back
        mov     ecx, esp
        sysenter
.back:
        ret

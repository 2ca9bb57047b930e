; apc.asm - a user APC's routine, called by KiUserApcDispatcher.
;
; in   [esp + 4], [esp + 8], [esp + 0Ch] = arguments
;      edi = CONTEXT that NtContinue goes on with
;
; XP's dispatcher needs its edi again; every other register is ruined here.

        bits    32

        extern  _apc_note@8
        global  _apc_routine@12

RUIN    equ 0BAD0BAD0h

SECTION .text align=16
        align   16
_apc_routine@12:
        mov     eax, esp
        push    edi
        push    eax
        call    _apc_note@8
        mov     eax, RUIN
        mov     ecx, eax
        mov     edx, eax
        mov     ebx, eax
        mov     ebp, eax
        mov     esi, eax
        ret     12

; landing.asm - 32-bit code at single instructions: doors for NtContinue to
; lead to (RF), doors that are single-stepped (TF), doors behind a breakpoint,
; SYSENTER with any edx.

        bits    32

        extern  _NtContinue@8
        global  _continue_and_land
        global  _landing
        global  _landing_ss
        global  _store
        global  _store_behind
        global  _sysenter_with_stack

WRONG_NUMBER equ 0FFFh
EFLAGS_PLAIN equ 202h
EFLAGS_TF   equ 100h

struc LANDED
.eax:           resd 1
.ecx:           resd 1
.edx:           resd 1
.ebx:           resd 1
.esp:           resd 1
.ebp:           resd 1
.esi:           resd 1
.edi:           resd 1
.eflags:        resd 1
endstruc

SECTION .bss align=16
kept_esp: resd  1
arrival: resd   1
scratch: resd   1

SECTION .rdata align=4
_landing_ss: dw 23h

SECTION .text align=16

; in   [esp + 4] = context that leads to landing, [esp + 8] = where registers
;      go; a context that is refused leaves NtContinue's status in eax there
        align   16
_continue_and_land:
        push    ebx
        push    ebp
        push    esi
        push    edi
        mov     [kept_esp], esp
        mov     ecx, [esp + 18h]
        mov     [arrival], ecx
        push    0                               ; TestAlert
        push    dword [esp + 18h]
        call    _NtContinue@8

_landing:
        mov     [scratch], eax
        mov     eax, [arrival]
        mov     [eax + LANDED.esp], esp
        mov     esp, [kept_esp]
        pushfd
        pop     dword [eax + LANDED.eflags]
        push    EFLAGS_PLAIN
        popfd
        mov     [eax + LANDED.ecx], ecx
        mov     [eax + LANDED.edx], edx
        mov     [eax + LANDED.ebx], ebx
        mov     [eax + LANDED.ebp], ebp
        mov     [eax + LANDED.esi], esi
        mov     [eax + LANDED.edi], edi
        mov     ecx, [scratch]
        mov     [eax + LANDED.eax], ecx
        pop     edi
        pop     esi
        pop     ebp
        pop     ebx
        ret

; DOOR name, instruction
%macro  DOOR 2+
        align   16
        global  _land_by_%1
        global  _land_past_ss_by_%1
        global  _step_%1
        global  _step_%1_behind
_land_past_ss_by_%1:
        mov     ss, [_landing_ss]
_land_by_%1:
        %2
        jmp     _landing

        align   16
_step_%1:
        push    dword 0                         ; the stub's caller
        push    _step_%1_behind
        mov     edx, esp
        mov     eax, WRONG_NUMBER
        pushfd
        or      dword [esp], EFLAGS_TF
        popfd
        %2
_step_%1_behind:
        nop
        hlt
%endmacro

        DOOR    int2e, int 2Eh
        DOOR    sysenter, sysenter

        align   16
_store:
        mov     eax, [esp + 4]
        mov     dword [eax], 1
_store_behind:
        ret

        align   16
_sysenter_with_stack:
        mov     eax, [esp + 4]
        mov     edx, [esp + 8]
        sysenter
        hlt

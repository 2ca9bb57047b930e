; exception.asm - a handler of the fs:[0] chain by hand, and a store that may
; need one.

        bits    32

        extern  _RtlUnwind@16
        global  _guarded@12
        global  _store_at@4
        global  _store_instruction

EXCEPTION_LIST  equ 0                           ; TEB's
EXECUTE         equ 100h                        ; exception.c

; What guarded puts onto its stack and in front of the chain; the first two
; dwords are an EXCEPTION_REGISTRATION_RECORD.
struc   GUARD
.next           resd 1
.handler        resd 1
.filter         resd 1
.edi            resd 1
.esi            resd 1
.ebx            resd 1
.ebp            resd 1
endstruc

SECTION .text align=16

; in   [esp + 4]   = routine, [esp + 8] = its argument (stdcall)
;      [esp + 0Ch] = filter
; out  eax = 1, or 0 when an exception has ended the routine
        align   16
_guarded@12:
        push    ebp
        mov     ebp, esp
        push    ebx
        push    esi
        push    edi
        push    dword [ebp + 10h]
        push    handler
        push    dword [fs:EXCEPTION_LIST]
        mov     [fs:EXCEPTION_LIST], esp
        push    dword [ebp + 0Ch]
        call    [ebp + 8]
        mov     eax, 1
leave_guarded:
        pop     dword [fs:EXCEPTION_LIST]
        add     esp, GUARD.edi - GUARD.handler
        pop     edi
        pop     esi
        pop     ebx
        pop     ebp
        ret     12

; in   [esp + 4] = EXCEPTION_RECORD, [esp + 8] = our GUARD, [esp + 0Ch] =
;      CONTEXT
; out  eax = disposition; or it does not return
;
; The filter says what to do. Unwinding restores no register but those that
; guarded itself has kept: its frame begins at the GUARD.
        align   16
handler:
        push    ebp
        mov     ebp, esp
        push    dword [ebp + 10h]
        push    dword [ebp + 0Ch]
        push    dword [ebp + 8]
        mov     eax, [ebp + 0Ch]
        call    [eax + GUARD.filter]            ; stdcall
        cmp     eax, EXECUTE
        je      .execute
        pop     ebp
        ret
.execute:
        push    0                               ; ReturnValue
        push    dword [ebp + 8]
        push    .unwound
        push    dword [ebp + 0Ch]
        call    _RtlUnwind@16
.unwound:
        mov     esp, [ebp + 0Ch]
        lea     ebp, [esp + GUARD.ebp]
        xor     eax, eax
        jmp     leave_guarded

; in   [esp + 4] = where to
;
; Every register but ecx and esp holds its own number when the store is done.
        align   16
_store_at@4:
        mov     ecx, [esp + 4]
        push    ebx
        push    ebp
        push    esi
        push    edi
        mov     eax, 0A0A0A0A0h
        mov     edx, 0A2A2A2A2h
        mov     ebx, 0A3A3A3A3h
        mov     ebp, 0A5A5A5A5h
        mov     esi, 0A6A6A6A6h
        mov     edi, 0A7A7A7A7h
_store_instruction:
        mov     [ecx], edx
        pop     edi
        pop     esi
        pop     ebp
        pop     ebx
        ret     4

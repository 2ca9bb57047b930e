; selectors.asm - a call with the segment registers chosen.
;
; While ds is not the program's, the record is reached through ss (ebp's
; segment), and while ss is not, through ds; nothing is pushed then.

        bits    32

        global  _selectors_get
        global  _selectors_call
        global  _selectors_call_behind
        global  _selectors_call_on_stack
        global  _selectors_call_on_stack_behind

; Layout: selectors.h.
struc SELECTORS
.by_sysenter:   resd 1
.eax:           resd 1
.edx:           resd 1
.in:            resd 4                          ; ds, es, fs, gs
.out:           resd 4
.ss:            resd 1
.esp:           resd 1
.ss_after:      resd 1
.esp_after:     resd 1
.ebx:           resd 1
.esi:           resd 1
.edi:           resd 1
.ebx_after:     resd 1
.esi_after:     resd 1
.edi_after:     resd 1
.kept_esp:      resd 1
endstruc

SECTION .text align=16

; %1 = where: four dwords; eax is lost
%macro  STORE_SEGMENTS 1
        mov     eax, ds
        mov     [%1], eax
        mov     eax, es
        mov     [%1 + 4], eax
        mov     eax, fs
        mov     [%1 + 8], eax
        mov     eax, gs
        mov     [%1 + 12], eax
%endmacro

%macro  BEGIN 0
        push    ebx
        push    ebp
        push    esi
        push    edi
        mov     ebp, [esp + 14h]
        push    ds
        push    es
        push    fs
        push    gs
        mov     [ebp + SELECTORS.kept_esp], esp
        mov     ebx, [ebp + SELECTORS.ebx]
        mov     esi, [ebp + SELECTORS.esi]
        mov     edi, [ebp + SELECTORS.edi]
%endmacro

%macro  END 0
        mov     [ebp + SELECTORS.ebx_after], ebx
        mov     [ebp + SELECTORS.esi_after], esi
        mov     [ebp + SELECTORS.edi_after], edi
        pop     gs
        pop     fs
        pop     es
        pop     ds
        pop     edi
        pop     esi
        pop     ebp
        pop     ebx
        ret
%endmacro

        align   16
_selectors_get:
        push    ebp
        mov     ebp, [esp + 8]
        STORE_SEGMENTS ebp
        pop     ebp
        ret

        align   16
_selectors_call:
        BEGIN
        cmp     dword [ebp + SELECTORS.by_sysenter], 0
        mov     eax, [ebp + SELECTORS.eax]
        mov     edx, [ebp + SELECTORS.edx]
        mov     gs, [ebp + SELECTORS.in + 12]
        mov     fs, [ebp + SELECTORS.in + 8]
        mov     es, [ebp + SELECTORS.in + 4]
        mov     ds, [ebp + SELECTORS.in]

; At this point: ds is the record's.
        jne     .sysenter
        int     2Eh
        jmp     _selectors_call_behind
.sysenter:
        sysenter
_selectors_call_behind:
        mov     esp, [ebp + SELECTORS.kept_esp]
        mov     [ebp + SELECTORS.eax], eax
        STORE_SEGMENTS ebp + SELECTORS.out
        END

        align   16
_selectors_call_on_stack:
        BEGIN
        cmp     dword [ebp + SELECTORS.by_sysenter], 0
        mov     eax, [ebp + SELECTORS.eax]
        mov     edx, [ebp + SELECTORS.edx]
        mov     ss, [ebp + SELECTORS.ss]
        mov     esp, [ds:ebp + SELECTORS.esp]

; At this point: ss and esp are the record's.
        jne     .sysenter
        int     2Eh
        jmp     _selectors_call_on_stack_behind
.sysenter:
        sysenter
_selectors_call_on_stack_behind:
        mov     ecx, ss
        mov     [ds:ebp + SELECTORS.ss_after], ecx
        mov     [ds:ebp + SELECTORS.esp_after], esp
        mov     [ds:ebp + SELECTORS.eax], eax
        mov     ecx, ds
        mov     ss, ecx
        mov     esp, [ebp + SELECTORS.kept_esp]
        END

; call.asm - a 32-bit call with every register chosen, and every register
; looked at afterwards. programs/lib/call.asm is the same for 64-bit code.
;
; One thread at a time: the pointer to the record lives in memory, because no
; register is free while the target runs.

        bits    32

        global  _call_with_registers
        global  _by_door
        global  _timed_by_door
        global  _no_door
        global  _door

SLOTS       equ 16
EFLAGS_PLAIN equ 202h                           ; interrupts on, nothing else

struc REGS
.Eax:           resd 1
.Ecx:           resd 1
.Edx:           resd 1
.Ebx:           resd 1
.Esp:           resd 1
.Ebp:           resd 1
.Esi:           resd 1
.Edi:           resd 1
.Eflags:        resd 1
endstruc

struc CALL
.target:        resd 1
.stack:         resd SLOTS
.in:            resb REGS_size
.out:           resb REGS_size
endstruc

; Registers that need no care, and where the record keeps them.
%macro  EACH_REGISTER 1
        %1      edx, Edx
        %1      ebx, Ebx
        %1      ebp, Ebp
        %1      esi, Esi
        %1      edi, Edi
%endmacro

SECTION .bss align=16
record: resd    1
target: resd    1
kept_esp: resd  1
_door:  resd    1

SECTION .text align=16

; in   [esp + 4] = record: target, in (Esp unused), stack
; out  the record's in.Esp and out; the target starts at in.Esp - 4, and may
;      take its arguments off the stack or leave them
        align   16
_call_with_registers:
        push    ebx
        push    ebp
        push    esi
        push    edi
        mov     ecx, [esp + 14h]
        mov     [record], ecx
        mov     eax, [ecx + CALL.target]
        mov     [target], eax
        mov     [kept_esp], esp
        sub     esp, SLOTS * 4
        mov     [ecx + CALL.in + REGS.Esp], esp
        cld
        lea     esi, [ecx + CALL.stack]
        mov     edi, esp
        mov     edx, ecx
        mov     ecx, SLOTS
        rep     movsd
        mov     ecx, edx
        push    dword [ecx + CALL.in + REGS.Eflags]
        popfd
%macro  LOAD 2
        mov     %1, [ecx + CALL.in + REGS.%2]
%endmacro
        EACH_REGISTER LOAD
        LOAD    eax, Eax
        LOAD    ecx, Ecx

        ; At this point: every register is the record's.
        call    [target]

        ; At this point: every register is the target's; mov keeps flags.
        mov     [target], eax
        mov     eax, [record]
        mov     [eax + CALL.out + REGS.Ecx], ecx
%macro  STORE 2
        mov     [eax + CALL.out + REGS.%2], %1
%endmacro
        EACH_REGISTER STORE
        STORE   esp, Esp
        mov     esp, [kept_esp]
        pushfd
        pop     dword [eax + CALL.out + REGS.Eflags]
        push    EFLAGS_PLAIN
        popfd
        mov     ecx, [target]
        mov     [eax + CALL.out + REGS.Eax], ecx
        pop     edi
        pop     esi
        pop     ebp
        pop     ebx
        ret

; A stub with the number left out: two return addresses lie below the
; arguments when the door's routine starts, as both kinds expect.
        align   16
_by_door:
        call    [_door]
        ret

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

; call.asm - a 32-bit call with every register chosen, and every register
; looked at afterwards; lib/call.asm is the same for 64-bit code.
;
; Its target is an ntdll stub, or one of the bare doors below.  One thread at
; a time: the pointer to the record lives in memory, because no register is
; free while the target runs.

        bits    32

        global  _call_with_registers

%include "call.inc"

; Registers and where the record keeps them; eax and esp are not among them.
%macro  EACH_REGISTER 1
        %1      ecx, Ecx
        %1      edx, Edx
        %1      ebx, Ebx
        %1      ebp, Ebp
        %1      esi, Esi
        %1      edi, Edi
%endmacro

EFLAGS_PLAIN equ 202h                           ; interrupts on, nothing else

SECTION .bss align=16
kept_fx: resb   512
record: resd    1
target: resd    1
kept_esp: resd  1
entry_esp: resd 1
door_esp: resd  1

SECTION .text align=16

; in   [esp + 4] = record: target, in (esp unused), stack
; out  the record's in.Esp, out and door_esp; in.Esp is esp at the call
;      instruction, so the target starts at in.Esp - 4
        align   16
_call_with_registers:
        push    ebx
        push    ebp
        push    esi
        push    edi
        mov     eax, [esp + 14h]
        mov     [record], eax
        mov     ecx, [eax + CALL.target]
        mov     [target], ecx
        mov     [kept_esp], esp
        fxsave  [kept_fx]
        sub     esp, CALL_STACK_SLOTS * 4
        mov     [eax + CALL.in + REGS.Esp], esp
        cld
        lea     esi, [eax + CALL.stack]
        mov     edi, esp
        mov     ecx, CALL_STACK_SLOTS
        rep     movsd
        fxrstor [eax + CALL.in + REGS.fx]
        push    dword [eax + CALL.in + REGS.Eflags]
        popfd
%macro  LOAD 2
        mov     %1, [eax + CALL.in + REGS.%2]
%endmacro
        EACH_REGISTER LOAD
        LOAD    eax, Eax

        ; At this point: every register is the record's.
        call    [target]

        ; At this point: every register is the target's; mov keeps flags.
        mov     [target], eax
        mov     eax, [record]
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
        fxsave  [eax + CALL.out + REGS.fx]
        fxrstor [kept_fx]
        mov     ecx, [target]
        STORE   ecx, Eax
        mov     ecx, [door_esp]
        mov     [eax + CALL.door_esp], ecx
        pop     edi
        pop     esi
        pop     ebp
        pop     ebx
        ret

; A door without a stub: the number and edx are the caller's.  NAME_behind is
; where INT comes back to, and where KiFastSystemCallRet's RET leads when [edx]
; says so.
;
; BARE_DOOR name, instruction
%macro  BARE_DOOR 2+
        align   16
        global  %1
        global  %1_behind
%1:
        mov     [entry_esp], esp
        %2
%1_behind:
        mov     [door_esp], esp
        mov     esp, [entry_esp]
        ret
%endmacro

        BARE_DOOR _call_raw_int2e, int 2Eh
        BARE_DOOR _call_raw_sysenter, sysenter

; gate.asm - from 32-bit code to 64-bit code and back ("heaven's gate").
;
; One process, one thread: a far jump changes cs from 1Bh to 2Bh, and with it
; what the processor takes the next bytes for.  The kernel is not asked.  By
; jumps: QEMU's far CALL uses the stack as if ring 0 did, which SMAP forbids.

        bits    32
        default abs

        global  _gate_call
        global  _gate_call_syscall_behind
        global  _gate_scrub
        global  _gate_scrub_behind
        global  _gate_sysenter
        global  _gate_sysenter_behind

CODE32          equ 1Bh
CODE64          equ 2Bh
STACK_SLOTS     equ 4
HOME_AND_RETURN equ 28h

; Layouts: gate.h.
struc CALL
.number:        resq 1
.arguments:     resq 4 + STACK_SLOTS
.by_int2e:      resq 1
.rax:           resq 1
.rcx:           resq 1
.r11:           resq 1
.teb:           resq 1
.cs:            resq 1
.kept_rsp:      resq 1
endstruc

struc SCRUB
.in:            resq 16                         ; rax, rcx, rdx, rbx, rsp, ...
.out:           resq 16
.by_sysenter:   resd 1
.kept_esp:      resd 1
endstruc

struc SYSENTER
.rax:           resq 1
.rdx:           resq 1
.rsp:           resq 1
.eax:           resd 1
.cs:            resd 1
.kept_esp:      resd 1
endstruc

SECTION .data align=4
; %1 = a label of 32-bit code, as 64-bit code jumps to it
%macro  WAY_TO 1
%1_way: dd      %1
        dw      CODE32
%endmacro
        WAY_TO  leave_gate
        WAY_TO  scrub_int2e
        WAY_TO  scrub_sysenter

SECTION .bss align=8
scrub_rbp: resq 1

SECTION .text align=16

; ebp = the record, the first argument
%macro  ENTER_GATE 0
        push    ebx
        push    ebp
        push    esi
        push    edi
        mov     ebp, [esp + 14h]
%endmacro

        align   16
leave_gate:
        pop     edi
        pop     esi
        pop     ebp
        pop     ebx
        ret

; ---- A call by 64-bit code -------------------------------------------------

        align   16
_gate_call:
        ENTER_GATE
        jmp     CODE64:.long

        bits    64
        default rel
; At this point: 64-bit code; the upper halves of rbp and rsp are 0.
.long:
        mov     [rbp + CALL.kept_rsp], rsp
        mov     [rbp + CALL.cs], cs
        mov     rax, [gs:abs 30h]
        mov     [rbp + CALL.teb], rax
        sub     rsp, HOME_AND_RETURN + STACK_SLOTS * 8
        and     rsp, -16
%assign slot 0
%rep STACK_SLOTS
        mov     rax, [rbp + CALL.arguments + (4 + slot) * 8]
        mov     [rsp + HOME_AND_RETURN + slot * 8], rax
%assign slot slot + 1
%endrep
        mov     r10, [rbp + CALL.arguments]
        mov     rdx, [rbp + CALL.arguments + 8]
        mov     r8, [rbp + CALL.arguments + 10h]
        mov     r9, [rbp + CALL.arguments + 18h]
        mov     rax, [rbp + CALL.number]
        cmp     qword [rbp + CALL.by_int2e], 0
        jne     call_int2e
        syscall
_gate_call_syscall_behind:
        jmp     call_behind
call_int2e:
        int     2Eh
call_behind:
        mov     [rbp + CALL.rax], rax
        mov     [rbp + CALL.rcx], rcx
        mov     [rbp + CALL.r11], r11
        mov     rsp, [rbp + CALL.kept_rsp]
        jmp     far dword [leave_gate_way]

; ---- What 64-bit code sees of a call by 32-bit code -------------------------

; Registers that need no care, and their numbers in the record.
%macro  EACH_REGISTER 1
        %1      rbx, 3
        %1      rsi, 6
        %1      rdi, 7
%assign number 8
%rep 8
        %1      r %+ number, number
%assign number number + 1
%endrep
%endmacro

%macro  LOAD 2
        mov     %1, [rbp + SCRUB.in + %2 * 8]
%endmacro

%macro  STORE 2
        mov     [rbp + SCRUB.out + %2 * 8], %1
%endmacro

; 32-bit code at %1 with the registers of the record; rsp and rbp are what they
; are, with the record's upper halves.
%macro  GO_TO 1
        LOAD    rcx, 4
        or      rsp, rcx
        LOAD    rcx, 1
        or      rbp, [rbp + SCRUB.in + 5 * 8]
        jmp     far dword [%1]
%endmacro

        bits    32
        align   16
_gate_scrub:
        ENTER_GATE
        mov     [ebp + SCRUB.kept_esp], esp
        jmp     CODE64:.long

        bits    64
.long:
        EACH_REGISTER LOAD
        LOAD    rax, 0
        LOAD    rdx, 2
        cmp     dword [rbp + SCRUB.by_sysenter], 0
        jne     .sysenter
        GO_TO   scrub_int2e_way
.sysenter:
        GO_TO   scrub_sysenter_way

        bits    32
scrub_int2e:
        int     2Eh
        jmp     _gate_scrub_behind
scrub_sysenter:
        sysenter
_gate_scrub_behind:
        jmp     CODE64:scrub_look

        bits    64
scrub_look:
        mov     [scrub_rbp], rbp
        mov     ebp, ebp
        EACH_REGISTER STORE
        STORE   rax, 0
        STORE   rcx, 1
        STORE   rdx, 2
        STORE   rsp, 4
        mov     rax, [scrub_rbp]
        STORE   rax, 5
        mov     esp, [rbp + SCRUB.kept_esp]
        jmp     far dword [leave_gate_way]

; ---- SYSENTER of 64-bit code -----------------------------------------------

        bits    32
        align   16
_gate_sysenter:
        ENTER_GATE
        mov     [ebp + SYSENTER.kept_esp], esp
        jmp     CODE64:.long

        bits    64
.long:
        mov     rax, [rbp + SYSENTER.rax]
        mov     rdx, [rbp + SYSENTER.rdx]
        mov     rsp, [rbp + SYSENTER.rsp]
        sysenter

        bits    32
_gate_sysenter_behind:
        mov     esp, [ebp + SYSENTER.kept_esp]
        mov     [ebp + SYSENTER.eax], eax
        mov     eax, cs
        mov     [ebp + SYSENTER.cs], eax
        jmp     leave_gate

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
DATA32          equ 23h
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
.in:            resq 8
.out:           resq 8
.by_sysenter:   resd 1
.eax:           resd 1
.edx:           resd 1
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
        WAY_TO  scrub_call

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
; At this point: ss is 23h, but AMD's SYSRET (and Bochs') has left the segment
; behind it as the kernel had it: none at all after INT.  64-bit code does not
; use it; 32-bit code does.
        mov     ecx, DATA32
        mov     ss, ecx
        jmp     far dword [leave_gate_way]

; ---- r8 to r15 across a call by 32-bit code --------------------------------

        bits    32
        align   16
_gate_scrub:
        ENTER_GATE
        mov     [ebp + SCRUB.kept_esp], esp
        jmp     CODE64:.long

        bits    64
.long:
%assign number 8
%rep 8
        mov     r%[number], [rbp + SCRUB.in + (number - 8) * 8]
%assign number number + 1
%endrep
        jmp     far dword [scrub_call_way]

        bits    32
scrub_call:
        mov     eax, [ebp + SCRUB.eax]
        mov     edx, [ebp + SCRUB.edx]
        cmp     dword [ebp + SCRUB.by_sysenter], 0
        jne     .sysenter
        int     2Eh
        jmp     _gate_scrub_behind
.sysenter:
        sysenter
_gate_scrub_behind:
        mov     esp, [ebp + SCRUB.kept_esp]
        mov     [ebp + SCRUB.eax], eax
        jmp     CODE64:scrub_look

        bits    64
scrub_look:
%assign number 8
%rep 8
        mov     [rbp + SCRUB.out + (number - 8) * 8], r%[number]
%assign number number + 1
%endrep
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

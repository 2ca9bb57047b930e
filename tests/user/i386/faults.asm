; faults.asm - instructions that are exceptions, one by one (faults.c).
;
; Each NAME is a routine for call_with_registers: NAME_at is the instruction,
; NAME_behind the next one.

        bits    32

SECTION .text align=16

%macro  FAULT 2+
        global  _%1
        global  _%1_at
        global  _%1_behind
        align   16
_%1:
_%1_at:
        %2
_%1_behind:
        ret
%endmacro

        FAULT   fault_int3, int3
        FAULT   fault_ud2, ud2
        FAULT   fault_divide, div ecx
        FAULT   fault_divide_overflow, idiv ecx
        FAULT   fault_into, into
        FAULT   fault_bound, bound eax, [ecx]
        FAULT   fault_hlt, hlt
        FAULT   fault_cli, cli
        FAULT   fault_in, in al, 64h
        FAULT   fault_int_20, int 20h
        FAULT   fault_int_2c, int 2Ch
        FAULT   fault_lock, db 0F0h, 90h        ; LOCK NOP
        FAULT   fault_read, mov eax, [ecx]
        FAULT   fault_write, mov [ecx], eax
        FAULT   fault_jump, jmp ecx
        FAULT   fault_x87, fwait
        FAULT   fault_sse, divps xmm0, xmm1

; Without ds, es, fs; the segments are the caller's again afterwards.
        global  _fault_segments
        global  _fault_segments_at
        global  _fault_segments_behind
        align   16
_fault_segments:
        push    ds
        push    es
        push    fs
        xor     edx, edx
        mov     ds, edx
        mov     es, edx
        mov     fs, edx
_fault_segments_at:
        ud2
_fault_segments_behind:
        pop     fs
        pop     es
        pop     ds
        ret

; The trap comes behind the instruction that follows POPFD.
        global  _fault_step
        global  _fault_step_at
        global  _fault_step_behind
        align   16
_fault_step:
        pushfd
        or      dword [esp], 100h
        popfd
        nop
_fault_step_at:
_fault_step_behind:
        nop
        ret

; debugregs.asm - single instructions to break on and to step over.

        bits    64
        default rel

        global  pass_on
        global  break_here
        global  over_syscall
        global  over_syscall_behind
        global  over_int2e
        global  over_int2e_behind
        global  over_int3
        global  over_int3_at
        global  over_int3_behind
        global  over_ud2
        global  over_ud2_at
        global  over_ud2_behind
        global  with_int3
        global  with_ud2
        global  with_icebp
        global  with_touch
        global  mov_ss_syscall
        global  mov_ss_int2e
        global  mov_ss_int3
        global  over_loop
        global  over_loop_at

NO_SERVICE      equ 0FFEh
RFLAGS_TF       equ 100h

SECTION .text align=16

; An instrumentation callback.
pass_on:
        jmp     r10

; ULONG break_here(ULONG): one more.
break_here:
        lea     eax, [rcx + 1]
        ret

; TF counts from behind the instruction that follows POPFQ.
%macro SET_TF 0
        pushfq
        or      dword [rsp], RFLAGS_TF
        popfq
%endmacro

; The step is reported here, or behind the first instruction here.
%macro DOOR 2+
%1:
        mov     eax, NO_SERVICE
        SET_TF
        %2
%1_behind:
        nop
        nop
        nop
        ret
%endmacro

        DOOR    over_syscall, syscall
        DOOR    over_int2e, int 2Eh

; Without TF until the handler sets it.
over_int3:
over_int3_at:
        int3
over_int3_behind:
        nop
        nop
        ret

over_ud2:
over_ud2_at:
        ud2
over_ud2_behind:
        nop
        nop
        ret

; (UCHAR *place): TF is set when the instruction at .._at runs.
%macro WITH_TF 2+
        global  %1_at
%1:
        SET_TF
%1_at:
        %2
        nop
        nop
        nop
        nop
        ret
%endmacro

        WITH_TF with_int3, int3
        WITH_TF with_ud2, ud2
        WITH_TF with_touch, mov al, [rcx]
        WITH_TF with_icebp, db 0F1h

; (USHORT *selector): a breakpoint on it is pending when the next instruction
; is done, which is one into the kernel.
%macro MOV_SS 2+
%1:
        mov     eax, NO_SERVICE
        mov     ss, [rcx]
        %2
        nop
        nop
        ret
%endmacro

        MOV_SS  mov_ss_syscall, syscall
        MOV_SS  mov_ss_int2e, int 2Eh
        MOV_SS  mov_ss_int3, int3

; ULONG over_loop(ULONG times): one instruction, again and again.
over_loop:
        SET_TF
        nop
over_loop_at:
        loop    over_loop_at
        mov     eax, ecx
        ret

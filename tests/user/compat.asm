; compat.asm - from 64-bit code to 32-bit code, through a door, and back.
;
; 32-bit code must lie below 4 GiB: compat.c copies what is between
; compat_code and compat_end to COMPAT_BASE.  r13 to r15 are beyond the reach
; of 32-bit code, so the way back is in them.

        bits    64
        default rel

        global  compat_call
        global  compat_code
        global  compat_end
        global  compat_offsets

%include "../../programs/lib/nonvolatile.inc"

COMPAT_BASE     equ 20000000h
CODE32          equ 1Bh
CODE64          equ 2Bh

; Layout: compat.c, struct compat.
struc COMPAT
.entry:         resq 1                          ; offset, selector
.Rax:           resq 1
.Rcx:           resq 1
.Rdx:           resq 1
.Rbx:           resq 1
.Rsp:           resq 1
.Rbp:           resq 1
.Rsi:           resq 1
.Rdi:           resq 1
.R8:            resq 1
.R9:            resq 1
.R10:           resq 1
.R11:           resq 1
.Cs:            resq 1
endstruc

%macro  EACH 1
        %1      rax, Rax
        %1      rdx, Rdx
        %1      rbx, Rbx
        %1      rbp, Rbp
        %1      rsi, Rsi
        %1      rdi, Rdi
        %1      r8, R8
        %1      r9, R9
        %1      r10, R10
        %1      r11, R11
%endmacro

SECTION .text align=16

; void compat_call(struct compat *): registers in, registers out.
compat_call:
        PUSH_NONVOLATILE
        mov     r15, rcx
        mov     r14, rsp
        lea     r13, [.back]
%macro  LOAD 2
        mov     %1, [r15 + COMPAT.%2]
%endmacro
        EACH LOAD
        LOAD    rcx, Rcx
        LOAD    rsp, Rsp
        jmp     far dword [r15 + COMPAT.entry]

        ; At this point: 64-bit code again, rsp as it came back.
.back:
%macro  STORE 2
        mov     [r15 + COMPAT.%2], %1
%endmacro
        EACH STORE
        STORE   rcx, Rcx
        STORE   rsp, Rsp
        mov     eax, cs
        STORE   rax, Cs
        mov     rsp, r14
        POP_NONVOLATILE
        ret

compat_code:
        bits    32
.int2e:
        int     2Eh
.int2e_behind:
        jmp     CODE64:COMPAT_BASE + (.to_caller - compat_code)
.sysenter:
        sysenter
        hlt                                     ; it returns to ecx
.nothing:
        jmp     CODE64:COMPAT_BASE + (.to_caller - compat_code)
        bits    64
.to_caller:
        jmp     r13
compat_end:

; In the order of enum compat_place.
compat_offsets:
        dd      compat_code.int2e - compat_code
        dd      compat_code.int2e_behind - compat_code
        dd      compat_code.sysenter - compat_code
        dd      compat_code.nothing - compat_code
        dd      compat_code.to_caller - compat_code

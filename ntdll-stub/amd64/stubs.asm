; stubs.asm - room 1: from a C call to a service number in eax.
;
; One stub per row of kernel/ke/services.tab, byte for byte Windows 10's: 24
; bytes, one stub every 32. Nothing of the caller's is touched but r10 and
; eax; the stack still looks as the call left it, which is how the kernel
; finds the fifth and later arguments.
;
; in   rcx, rdx, r8, r9 = arguments 1-4
;      [rsp]            = return address
;      [rsp + 08h]      = home slots of arguments 1-4
;      [rsp + 28h] ...  = arguments 5 and on
; out  rax = the service's result; rcx and r11 are lost to SYSCALL
;
; Argument 1 moves to r10 because SYSCALL puts the return address in rcx.

        bits    64
        default rel

SECTION .text align=32

; NT: NASM would encode "mov r10, rcx" as 49 89 CA, Microsoft's tools as
; 4C 8B D1. Programs that read stubs know the latter, so bytes it is.
%macro  SERVICE_STUB 2
        global  %1
        align   32
%1:
        db      4Ch, 8Bh, 0D1h                  ; mov   r10, rcx
        db      0B8h                            ; mov   eax, number
        dd      %2
        db      0F6h, 04h, 25h                  ; test  byte [7FFE0308h], 1
        dd      7FFE0308h                       ;   KUSER_SHARED_DATA's
        db      1                               ;   SystemCall
        db      75h, 3                          ; jne   use_int
        db      0Fh, 05h                        ; syscall
        db      0C3h                            ; ret
        db      0CDh, 2Eh                       ; use_int: int 2Eh
        db      0C3h                            ; ret
        db      0Fh, 1Fh, 84h, 0, 0, 0, 0, 0    ; to the next stub
%endmacro

%include "stubs.inc"

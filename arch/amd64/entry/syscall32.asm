; arch/amd64/entry/syscall32.asm - SYSCALL from 32-bit code (AMD): no door.
;
; Windows offers none either: the program gets an illegal-instruction
; exception at the return address, as if the opcode did not exist.
;
; On entry: as in syscall64.asm, but rcx and rsp are 32-bit code's.

%include "arch/macros.inc"

extern KiInvalidOpcodeFault

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

global KiSystemCall32
KiSystemCall32:
        CFI_CALLER Rcx, Rsp, KGDT_R3_CODE_USER
; At this point: gs is the TEB's, rsp the user's, interrupts off.
        swapgs
        mov     [PCR(UserRsp)], rsp
        mov     rsp, [PRCB(RspBase)]
        CFI_CALLER Rcx, UserRsp, KGDT_R3_CODE_USER
        push    KGDT_R3_DATA_USER
        push    qword [PCR(UserRsp)]
        push    r11
        push    KGDT_R3_CODE_USER
        push    rcx
        CFI_MACHINE
        swapgs
; At this point: what #UD would have left.
        jmp     KiInvalidOpcodeFault

CFI_END

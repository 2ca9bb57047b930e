; arch/amd64/entry/syscall64.asm - room 2: the door of SYSCALL.
;
; CPU registers -> KTRAP_FRAME, kernel stack, kernel gs.
;
; On entry (SDM: 2B, SYSCALL):
;   rax  service number; only eax counts
;   r10  argument 1; rdx, r8, r9 arguments 2 to 4; the rest on the user stack
;   rcx  user rip, r11 user rflags: SYSCALL put them there
;   rsp  still the user's: nothing may be pushed before it is replaced
;   cs   KGDT_R0_CODE, ss KGDT_R0_DATA; TF, IF, DF, NT and AC are clear (FMASK)
;
; At KiSystemServiceUser, where the other two doors of 64-bit code join
; (int2e.asm, sysenter.asm): the frame is complete, rbp = frame + 80h, rcx =
; argument 1.  After it, as in Windows 10, rbx = current thread.
;
; NT: here Windows sets AC for the whole service when KeSmapEnabled; ntwalk
; opens user memory only where it is read (docs/fidelity.md).  Windows' branch
; predictor block (flow of SPEC_CTRL) stands between the frame and
; KiSystemServiceUser.

%include "arch/macros.inc"

extern KiSystemServiceStart
extern KiSystemServiceExit
extern KiSaveDebugRegisterState
extern ki_begin_special_service

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

global KiSystemCall64
KiSystemCall64:
        CFI_CALLER Rcx, Rsp, KGDT64_R3_CODE_USER
; At this point: gs is the TEB's, rsp the user's, interrupts off.
        swapgs
        mov     [PCR(UserRsp)], rsp
        mov     rsp, [PRCB(RspBase)]
        CFI_CALLER Rcx, UserRsp, KGDT64_R3_CODE_USER
; At this point: gs is the KPCR's and the stack the thread's own, empty.
        push    KGDT_R3_DATA_USER
        push    qword [PCR(UserRsp)]
        push    r11
        push    KGDT64_R3_CODE_USER | SERVICE_DOOR_SYSCALL
        push    rcx
global system_call_entered
system_call_entered:                            ; shadow.asm joins here
        CFI_MACHINE
        mov     rcx, r10
        sub     rsp, 8                          ; no error code
        BEGIN_FRAME 1
        SAVE_NONVOLATILE
        mov     [FRAME(Rax)], rax
        mov     [FRAME(Rcx)], rcx
        mov     [FRAME(Rdx)], rdx

global KiSystemServiceUser
KiSystemServiceUser:
        BEGIN_SERVICE KiSystemServiceExit
        mov     [rbx + KTHREAD.FirstArgument], rcx
        mov     [rbx + KTHREAD.SystemCallNumber], eax
        jmp     KiSystemServiceStart

CFI_END

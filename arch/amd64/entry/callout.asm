; arch/amd64/entry/callout.asm - the kernel calls ring 3, and gets an answer.
;
; KiCallUserMode leaves the kernel in the middle of a service.  What is on the
; stack stays: a KEXCEPTION_FRAME at its end keeps the non-volatile registers
; (of user code, too: a callback may end anywhere), and the stack that the next
; entry from ring 3 uses begins right below it.  NtCallbackReturn (callback.c)
; finds that frame at KTHREAD.InitialStack and returns from KiCallUserMode with
; it.
;
; In that frame: TrapFrame the one of the service that calls, OutputBuffer and
; OutputLength where the answer goes, Spare1 the InitialStack before.

%include "arch/macros.inc"

extern KiExceptionExit
extern KiKvaShadow

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

; rax = the InitialStack from now on, r10 = the thread; interrupts are off.
; Changes r11.  Under KVA shadow TSS.Rsp0 is the transition stack.
%macro SET_INITIAL_STACK 0
        mov     [r10 + KTHREAD.InitialStack], rax
        mov     [PRCB(RspBase)], rax
        mov     [PRCB(RspBaseShadow)], rax
        cmp     byte [rel KiKvaShadow], 0
        jne     %%shadow
        mov     r11, [PCR(TssBase)]
        mov     [r11 + KTSS64.Rsp0], rax
%%shadow:
%endmacro

; KiCallUserMode(void **output, ULONG *length, const KTRAP_FRAME *frame): to
; ring 3 as frame says.  Returns what NtCallbackReturn is given.  Interrupts are
; off: no APC comes between the registers that are kept here and the new
; InitialStack; it would set the context of the wrong one.
global KiCallUserMode
KiCallUserMode:
        sub     rsp, KEXCEPTION_FRAME.Return    ; the return address is in it
        CFI_RETURN KEXCEPTION_FRAME.Return
        SAVE_EXCEPTION_FRAME
        CFI_EXCEPTION_FRAME
        movaps  [rsp + KEXCEPTION_FRAME.Xmm6], xmm6
        movaps  [rsp + KEXCEPTION_FRAME.Xmm7], xmm7
        movaps  [rsp + KEXCEPTION_FRAME.Xmm8], xmm8
        movaps  [rsp + KEXCEPTION_FRAME.Xmm9], xmm9
        movaps  [rsp + KEXCEPTION_FRAME.Xmm10], xmm10
        movaps  [rsp + KEXCEPTION_FRAME.Xmm11], xmm11
        movaps  [rsp + KEXCEPTION_FRAME.Xmm12], xmm12
        movaps  [rsp + KEXCEPTION_FRAME.Xmm13], xmm13
        movaps  [rsp + KEXCEPTION_FRAME.Xmm14], xmm14
        movaps  [rsp + KEXCEPTION_FRAME.Xmm15], xmm15
        mov     [rsp + KEXCEPTION_FRAME.OutputBuffer], rcx
        mov     [rsp + KEXCEPTION_FRAME.OutputLength], rdx
        mov     r10, [PRCB(CurrentThread)]
        mov     rax, [r10 + KTHREAD.TrapFrame]
        mov     [rsp + KEXCEPTION_FRAME.TrapFrame], rax
        mov     rax, [r10 + KTHREAD.InitialStack]
        mov     [rsp + KEXCEPTION_FRAME.Spare1], rax
        mov     rax, rsp
        SET_INITIAL_STACK
        inc     byte [r10 + KTHREAD.CallbackNestingLevel]
        sub     rsp, KTRAP_FRAME_SIZE
        CFI_EXCEPTION_FRAME KTRAP_FRAME_SIZE
        mov     [r10 + KTHREAD.TrapFrame], rsp
        mov     rsi, r8
        mov     rdi, rsp
        mov     ecx, KTRAP_FRAME_SIZE / 8
        rep movsq
        lea     rbp, [rsp + FRAME_BIAS]
        CFI_TRAP_FRAME
        xor     r12d, r12d
        xor     r13d, r13d
        xor     r14d, r14d
        xor     r15d, r15d
        jmp     KiExceptionExit

; ki_return_from_callback(buffer, length, status): to where KiCallUserMode was
; called.  Interrupts are off.
        align   16
global ki_return_from_callback
ki_return_from_callback:
        CFI_RETURN
        mov     r10, [PRCB(CurrentThread)]
        mov     r9, [r10 + KTHREAD.InitialStack]
        CFI_EXCEPTION_FRAME_AT R9, 0
        mov     rax, [r9 + KEXCEPTION_FRAME.OutputBuffer]
        mov     [rax], rcx
        mov     rax, [r9 + KEXCEPTION_FRAME.OutputLength]
        mov     [rax], edx
        mov     rax, [r9 + KEXCEPTION_FRAME.Spare1]
        SET_INITIAL_STACK
        dec     byte [r10 + KTHREAD.CallbackNestingLevel]
        mov     rax, [r9 + KEXCEPTION_FRAME.TrapFrame]
        mov     [r10 + KTHREAD.TrapFrame], rax
        mov     rsp, r9
        CFI_EXCEPTION_FRAME
        mov     eax, r8d
        mov     rbp, [rsp + KEXCEPTION_FRAME.Rbp]
        mov     rbx, [rsp + KEXCEPTION_FRAME.Rbx]
        mov     rdi, [rsp + KEXCEPTION_FRAME.Rdi]
        mov     rsi, [rsp + KEXCEPTION_FRAME.Rsi]
        mov     r12, [rsp + KEXCEPTION_FRAME.R12]
        mov     r13, [rsp + KEXCEPTION_FRAME.R13]
        mov     r14, [rsp + KEXCEPTION_FRAME.R14]
        mov     r15, [rsp + KEXCEPTION_FRAME.R15]
        movaps  xmm6, [rsp + KEXCEPTION_FRAME.Xmm6]
        movaps  xmm7, [rsp + KEXCEPTION_FRAME.Xmm7]
        movaps  xmm8, [rsp + KEXCEPTION_FRAME.Xmm8]
        movaps  xmm9, [rsp + KEXCEPTION_FRAME.Xmm9]
        movaps  xmm10, [rsp + KEXCEPTION_FRAME.Xmm10]
        movaps  xmm11, [rsp + KEXCEPTION_FRAME.Xmm11]
        movaps  xmm12, [rsp + KEXCEPTION_FRAME.Xmm12]
        movaps  xmm13, [rsp + KEXCEPTION_FRAME.Xmm13]
        movaps  xmm14, [rsp + KEXCEPTION_FRAME.Xmm14]
        movaps  xmm15, [rsp + KEXCEPTION_FRAME.Xmm15]
        add     rsp, KEXCEPTION_FRAME.Return
        CFI_RETURN
        sti
        ret

CFI_END

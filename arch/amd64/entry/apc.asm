; arch/amd64/entry/apc.asm - room 6: a user APC on the way back to ring 3.
;
; The exits call this with interrupts off when the thread has user APCs
; pending, on an empty stack (rsp = frame, rbp = frame + 80h), and look again
; afterwards.  What comes back is another user state in the frame: ring 3
; goes on in KiUserApcDispatcher.

%include "arch/macros.inc"

extern KiDeliverApc

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

; rax = what the service returns.  Its frame lacks the volatile registers,
; which a service does not keep: they become 0, in the APC's context as well.
; 32-bit code keeps its xmm0-5, which the kernel has left alone.
%macro SERVICE_APC 2
global %1
%1:
        CFI_RETURN
        mov     [FRAME(Rax)], rax
        xor     eax, eax
        mov     [FRAME(Rcx)], rax
        mov     [FRAME(Rdx)], rax
        mov     [FRAME(R8)], rax
        mov     [FRAME(R9)], rax
        mov     [FRAME(R10)], rax
        mov     [FRAME(R11)], rax
%if %2
        pxor    xmm0, xmm0
        pxor    xmm1, xmm1
        pxor    xmm2, xmm2
        pxor    xmm3, xmm3
        pxor    xmm4, xmm4
        pxor    xmm5, xmm5
%endif
        movaps  [FRAME(Xmm0)], xmm0
        movaps  [FRAME(Xmm1)], xmm1
        movaps  [FRAME(Xmm2)], xmm2
        movaps  [FRAME(Xmm3)], xmm3
        movaps  [FRAME(Xmm4)], xmm4
        movaps  [FRAME(Xmm5)], xmm5
        sub     rsp, 8
        CFI_RETURN 8
        call    ki_deliver_user_apc
        add     rsp, 8
        CFI_RETURN
        mov     rax, [FRAME(Rax)]
        ret
%endmacro

; SERVICE_APC name, 1 if xmm0-5 become 0
SERVICE_APC ki_deliver_service_apc, 1
SERVICE_APC ki_deliver_service_apc32, 0

; The frame is complete.
global ki_deliver_user_apc
ki_deliver_user_apc:
        mov     eax, APC_LEVEL
        mov     cr8, rax
        sti
        sub     rsp, 8
        CFI_RETURN 8
        call    KiInitiateUserApc
        add     rsp, 8
        CFI_RETURN
        cli                             ; the exits load what an APC may set
        xor     eax, eax
        mov     cr8, rax
        ret

; Room for the KEXCEPTION_FRAME of the APC's context. KiInitializeUserApc fills
; it: a kernel APC that comes first may set r12-r15 (ps/context.c), and C leaves
; them alone.
global KiInitiateUserApc
KiInitiateUserApc:
        sub     rsp, KEXCEPTION_FRAME.Return    ; the return address is in it
        CFI_RETURN KEXCEPTION_FRAME.Return
        mov     ecx, UserMode
        mov     rdx, rsp
        lea     r8, [rbp - FRAME_BIAS]
        call    KiDeliverApc
        add     rsp, KEXCEPTION_FRAME.Return
        CFI_RETURN
        ret

CFI_END

; arch/amd64/entry/exit.asm - room 5: the way out of a service.
;
; exit checks, user APCs, debug registers, instrumentation -> SYSRET (or IRET,
; or back to a Zw caller).
;
; On entry: rbp = frame + 80h, rax = the status.  rsp is not looked at: room 3
; leaves its argument area behind.  Services of 32-bit code leave by exit32.asm.
;
; What ring 3 finds: rax status, rcx its rip, r11 its rflags, rdx and r10 0,
; r8 its rsp, r9 its rbp, xmm0-5 0; everything else as it was.  If its process
; has an instrumentation callback: rip and rcx are that, r10 its rip.

%include "arch/macros.inc"

extern KeBugCheckEx
extern KiRestoreDebugRegisterState
extern ki_check_pinned_registers
extern ki_deliver_service_apc
extern KiKvaShadow
extern KiKernelSysretExit
extern ki_exit_by_iret

CANONICAL_BITS  equ 47                  ; of a user address

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

global KiSystemServiceExit
KiSystemServiceExit:
        CFI_SERVICE_FRAME
        mov     r11, [PRCB(CurrentThread)]
        test    byte [FRAME(SegCs)], 1
        jz      exit_to_kernel
        CHECK_SERVICE
.to_user:
        DEFENCE apc_before_cli, cli
        test    byte [r11 + KTHREAD.ApcState.UserApcPendingAll], USER_APCS
        jnz     user_apc
        INSTEAD apc_before_cli, cli
; At this point: interrupts stay off until SYSRET brings the user's flags, so
; no APC gets lost, nor what a kernel APC has set in the frame.
        RESTORE_NONVOLATILE
        ldmxcsr [FRAME(MxCsr)]
        DEFENCE r10_not_cleared, xor r10d, r10d
        INSTEAD r10_not_cleared, mov r10, r11   ; as a service might leave it
        cmp     word [FRAME(Dr7)], 0
        jz      .debug_restored
        mov     [FRAME(Rax)], rax
        call    KiRestoreDebugRegisterState
        mov     rax, [r11 + KTHREAD.ApcState.Process]
        mov     rax, [rax + KPROCESS.InstrumentationCallback]
        test    rax, rax
        jz      .not_instrumented
        cmp     word [FRAME(SegCs)], KGDT64_R3_CODE_USER
        jne     .not_instrumented
        mov     r10, [FRAME(Rip)]
        mov     [FRAME(Rip)], rax
.not_instrumented:
        mov     rax, [FRAME(Rax)]
.debug_restored:
        mov     r8, [FRAME(Rsp)]
        mov     r9, [FRAME(Rbp)]
        mov     rcx, [FRAME(Rip)]
        mov     rdx, rcx
        shr     rdx, CANONICAL_BITS
        DEFENCE sysret_unchecked, jnz exit_by_iret      ; CVE-2012-0217
%if !BUG_xmm_not_cleared
        pxor    xmm0, xmm0
        pxor    xmm1, xmm1
        pxor    xmm2, xmm2
        pxor    xmm3, xmm3
        pxor    xmm4, xmm4
        pxor    xmm5, xmm5
%endif
        mov     r11d, [FRAME(EFlags)]
        cmp     byte [rel KiKvaShadow], 0
        jne     KiKernelSysretExit
        mov     rbp, r9
        CFI_CALLER Rcx, R8, KGDT64_R3_CODE_USER
        mov     rsp, r8
; At this point: the user's stack; only IST vectors can still come.
        swapgs
        o64 sysret

; Room 6, and look again: another one may have come meanwhile.
user_apc:
        CFI_SERVICE_FRAME
        lea     rsp, [rbp - FRAME_BIAS]
        call    ki_deliver_service_apc
        mov     r11, [PRCB(CurrentThread)]
        jmp     KiSystemServiceExit.to_user

; A rip outside of user space: SYSRET would fault in ring 0 on the user's
; stack.  IRETQ to the nearest canonical address faults in ring 3 instead.
exit_by_iret:
        shl     rcx, 64 - CANONICAL_BITS - 1
        sar     rcx, 64 - CANONICAL_BITS - 1
        mov     [FRAME(Rip)], rcx
        xor     edx, edx
        pxor    xmm0, xmm0
        pxor    xmm1, xmm1
        pxor    xmm2, xmm2
        pxor    xmm3, xmm3
        pxor    xmm4, xmm4
        pxor    xmm5, xmm5
        mov     r11d, [FRAME(EFlags)]
        lea     rsp, [FRAME(Rip)]
        mov     rbp, r9
        jmp     ki_exit_by_iret

; The caller was a Zw stub (service.asm): give it back its previous mode.
exit_to_kernel:
        CFI_SERVICE_FRAME
        RESTORE_NONVOLATILE
        mov     rcx, [FRAME(TrapFrame)]
        mov     [r11 + KTHREAD.TrapFrame], rcx
        mov     cl, [FRAME(PreviousMode)]
        DEFENCE previous_mode_kept, mov [r11 + KTHREAD.PreviousMode], cl
        cli
        mov     rsp, rbp
        mov     rbp, [rsp + KTRAP_FRAME.Rbp - FRAME_BIAS]
        CFI_MACHINE KTRAP_FRAME.Rip - FRAME_BIAS
        mov     rsp, [rsp + KTRAP_FRAME.Rsp - FRAME_BIAS]
        CFI_RETURN
        sti
        ret

; CHECK_SERVICE leads here.  P1 user rip; P2, P3 by code; P4 frame + 80h.  If it
; is a control register, C says so and does not come back.
global ki_broken_service
ki_broken_service:
        CFI_SERVICE_FRAME
        lea     rsp, [rbp - FRAME_BIAS]         ; home area and P5 of the frame
        call    ki_check_pinned_registers
        mov     r11, [PRCB(CurrentThread)]
        mov     [rsp + 20h], rbp
        mov     rdx, [FRAME(Rip)]
        mov     r8, cr8
        xor     r9d, r9d
        mov     ecx, IRQL_GT_ZERO_AT_SYSTEM_SERVICE
        test    r8, r8
        jnz     .bugcheck
        movzx   r8d, byte [r11 + KTHREAD.ApcStateIndex]
        mov     r9d, [r11 + KTHREAD.CombinedApcDisable]
        mov     ecx, APC_INDEX_MISMATCH
.bugcheck:
        call    KeBugCheckEx

CFI_END

; arch/amd64/entry/exit32.asm - room 5: for 32-bit code.
;
; exit checks, user APCs, debug registers -> SYSEXIT, or IRET where the
; processor has no SYSEXIT in this mode and for a program that single-steps.
;
; On entry: rbp = frame + 80h, eax = the result.
;
; What ring 3 finds: eax the result, edx its eip, ecx its esp, as SYSEXIT needs
; them; ebx, esi, edi, ebp, its flags and its floating point as they were.  r8
; to r11, which only 64-bit code can see, are 0.
;
; NT: XP's KiServiceExit.  Its IRET leaves in ecx and edx what the service did.

%include "arch/macros.inc"

extern ki_broken_service
extern KiRestoreDebugRegisterState
extern ki_deliver_service_apc32
extern KiFastSystemCallIsIA32
extern KiKvaShadow
extern ki_kernel_sysexit
extern ki_exit_by_iret

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

global KiServiceExit
KiServiceExit:
        CFI_SERVICE_FRAME
        mov     r11, [PRCB(CurrentThread)]
        CHECK_SERVICE
.to_user:
        cli
        test    byte [r11 + KTHREAD.ApcState.UserApcPendingAll], USER_APCS_32
        jnz     user_apc32
; At this point: interrupts stay off until the user's flags are back, so no
; APC gets lost, nor what a kernel APC has set in the frame.
        RESTORE_NONVOLATILE
        ldmxcsr [FRAME(MxCsr)]
        cmp     word [FRAME(Dr7)], 0
        jz      .debug_restored
        mov     [FRAME(Rax)], rax
        call    KiRestoreDebugRegisterState
        mov     rax, [FRAME(Rax)]
.debug_restored:
        xor     r8d, r8d
        xor     r9d, r9d
        xor     r10d, r10d
        xor     r11d, r11d
        mov     eax, eax
        mov     edx, [FRAME(Rip)]
        mov     ecx, [FRAME(Rsp)]
        test    dword [FRAME(EFlags)], EFLAGS_TF
        jnz     exit32_by_iret
        cmp     byte [rel KiFastSystemCallIsIA32], 0
        je      exit32_by_iret
        and     dword [FRAME(EFlags)], ~EFLAGS_IF & 0FFFFFFFFh
        cmp     byte [rel KiKvaShadow], 0
        jne     ki_kernel_sysexit
        lea     rsp, [FRAME(EFlags)]
        mov     rbp, [FRAME(Rbp)]
        CFI_CALLER Rdx, Rcx, KGDT_R3_CODE_USER
        popfq
        swapgs
; At this point: the user's flags and gs, but interrupts are still off.  After
; STI the processor takes none before SYSEXIT is done, unless an NMI comes in
; between: its IRET lets them in.  So whoever returns to ki_exit32_sysexit goes
; back to ki_exit32_sti, interrupts off (thread/trap.c).
global ki_exit32_sti
ki_exit32_sti:
        sti
global ki_exit32_sysexit
ki_exit32_sysexit:
        sysexit
user_apc32:
        CFI_SERVICE_FRAME
        lea     rsp, [rbp - FRAME_BIAS]
        call    ki_deliver_service_apc32
        mov     r11, [PRCB(CurrentThread)]
        jmp     KiServiceExit.to_user
exit32_by_iret:
        mov     [FRAME(Rip)], rdx               ; 32 bits, whatever they were
        mov     [FRAME(Rsp)], rcx
        lea     rsp, [FRAME(Rip)]
        mov     rbp, [FRAME(Rbp)]
        jmp     ki_exit_by_iret

CFI_END

; arch/amd64/entry/int2e.asm - room 2: the door of INT 2Eh.
;
; The oldest of the three.  The gate of vector 2Eh (DPL 3) names the code, the
; TSS the stack, and the processor pushes the caller's state by itself; only
; the rest of the KTRAP_FRAME is left to do.
;
; On entry (SDM: 3A, 6.14):
;   rsp  the thread's kernel stack (TSS.Rsp0): rip, cs, rflags, rsp, ss
;   cs   KGDT_R0_CODE, ss 0; TF, IF, NT and RF are clear, DF and AC the user's
;   gs   still the user's
;   rax  service number; only eax counts
; 64-bit callers: r10 = argument 1, the others as for SYSCALL (syscall64.asm).
; 32-bit callers: edx = where the arguments begin; XP's KiIntSystemCall has
; made it so (edx = esp + 8).
;
; NT: Windows 10 refuses a 32-bit caller (KiSystemService32User); it has WoW64
; for them.  ntwalk answers as XP does.

%include "arch/macros.inc"

extern KiSystemServiceUser
extern ki_service_trap_in_kernel
extern ki_system_service32

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

global KiSystemService
KiSystemService:
        CFI_MACHINE
        DEFENCE no_clac_at_entry, USER_ACCESS_END
        test    byte [rsp + MACHINE_FRAME.SegCs], 1
        DEFENCE int2e_in_kernel, jz ki_service_trap_in_kernel
        swapgs
        DEFENCE no_lfence_after_swapgs, lfence
; At this point: gs is the KPCR's.
        sub     rsp, 8                          ; no error code
        BEGIN_FRAME 1
        DEFENCE no_cld, cld
        SAVE_NONVOLATILE
        mov     [FRAME(Rax)], rax
        cmp     word [FRAME(SegCs)], KGDT_R3_CODE_USER
        je      .from_32bit
        mov     ecx, KGDT_R0_DATA               ; SYSRET will want it (gdt.c)
        mov     ss, ecx
        mov     rcx, r10
        mov     [FRAME(Rcx)], rcx
        mov     [FRAME(Rdx)], rdx
        jmp     KiSystemServiceUser
.from_32bit:
        mov     [FRAME(Rcx)], rcx
        mov     edx, edx                        ; the upper half is nobody's
        jmp     ki_system_service32

CFI_END

; arch/amd64/entry/sysenter.asm - room 2: the door of SYSENTER.
;
; SYSENTER saves nothing: not where it was called, not on which stack, not the
; flags, not even from which mode.  What comes back is what both sides have
; agreed on, and there are two agreements; the process tells which one holds.
;
; 32-bit processes, XP's (KiFastSystemCall: mov edx, esp; sysenter):
;   edx  the user's esp; [edx] and [edx + 4] are two return addresses, the
;        arguments begin at edx + 8
;   The return is to KUSER_SHARED_DATA.SystemCallReturn, which does the RET,
;   with ds = es = KGDT_R3_DATA and fs = KGDT_R3_TEB, whatever they were.
; 64-bit processes, ntwalk's own (NT has none):
;   rcx  where to return, r11 = the user's rsp there
;   r10  argument 1; everything else as for SYSCALL, the return by SYSRETQ too
; Both: eax = service number.
;
; On entry (SDM: 2B, SYSENTER), always in 64-bit mode:
;   rsp  SYSENTER_ESP: this processor's TSS.Rsp0, the place, not its value
;   cs   KGDT_R0_CODE, ss KGDT_R0_DATA; IF and RF are clear
;   TF, DF, NT and AC are the user's: nothing may be called and no user memory
;   touched before the POPFQ below
;   gs   still the user's
;
; Intel only: AMD's processors have no SYSENTER in long mode, so SYSENTER_CS
; stays 0 there (cpu/features.c).

%include "arch/macros.inc"

extern KiSystemServiceUser
extern ki_system_service32

FLAGS_NONE      equ 2                   ; bit 1 is always 1
RETURN_ADDRESSES equ 8                  ; bytes: the stub's and its caller's

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

global KiFastCallEntry
KiFastCallEntry:
        CFI_SYSENTER 0
        swapgs
        mov     rsp, [rsp]
global fast_call_entered
fast_call_entered:                              ; shadow.asm joins here
; At this point: gs is the KPCR's and the stack the thread's own, empty.
        push    KGDT_R3_DATA_USER
        push    r11
        pushfq
flags_saved:
%if !BUG_sysenter_keeps_flags
        push    FLAGS_NONE
        popfq
%endif
; At this point: the flags are the kernel's, interrupts off.
        or      dword [rsp], EFLAGS_IF
        push    KGDT64_R3_CODE_USER | SERVICE_DOOR_SYSENTER
        push    rcx
        CFI_SYSENTER 1
        mov     rcx, r10
        sub     rsp, 8                          ; no error code
        push    rbp
        sub     rsp, KTRAP_FRAME.Rbp
        lea     rbp, [rsp + FRAME_BIAS]
        CFI_SYSENTER 2
        SAVE_NONVOLATILE
        CFI_SYSENTER 3
        mov     [FRAME(Rax)], rax
        mov     [FRAME(Rcx)], rcx
        mov     [FRAME(Rdx)], rdx
        mov     rbx, [PRCB(CurrentThread)]
        mov     rbx, [rbx + KTHREAD.Process]
        cmp     qword [rbx + EPROCESS.WoW64Process], 0
        je      KiSystemServiceUser

; XP's agreement.  The upper halves of its registers are nobody's.
        mov     edx, edx
        mov     [FRAME(Rsp)], rdx
        mov     word [FRAME(SegCs)], KGDT_R3_CODE_USER
        mov     rcx, KI_USER_SHARED_DATA_XP
        mov     ecx, [rcx + KUSER_SHARED_DATA_XP.SystemCallReturn]
        mov     [FRAME(Rip)], rcx
        CFI_SERVICE_FRAME
        add     rdx, RETURN_ADDRESSES
        mov     ecx, KGDT_R3_DATA_USER
        mov     ds, ecx
        mov     es, ecx
        mov     ecx, KGDT_R3_TEB_USER
        mov     fs, ecx
        jmp     ki_system_service32

; SYSENTER keeps TF, so that a single-stepping program traps on the first
; instruction above, in ring 0.  #DB (on its own stack) clears TF and sends us
; here: the same, with TF in the user's flags.  NT: KiFastCallEntry2 as well.
global KiFastCallEntry2
KiFastCallEntry2:
        CFI_SYSENTER 0
        swapgs
        mov     rsp, [rsp]
global fast_call_entered_stepping
fast_call_entered_stepping:
        push    KGDT_R3_DATA_USER
        push    r11
        pushfq
        or      dword [rsp], EFLAGS_TF
        jmp     flags_saved

CFI_END

; arch/amd64/entry/shadowexit.asm - the ways out under KVA shadow.
;
; Exits jump here with everything done but the last step: load the page tables
; of ring 3, swapgs, and go.  From MOV CR3 on only what shadow.asm names is
; mapped; the thread's stack is not.  With KI_SHADOW_ONE_SPACE there are no
; others, and CR3 is left alone: to write it would empty the TLB.
;
; On entry: gs is the KPCR's, interrupts are off.

%include "arch/macros.inc"

extern ki_leave_predictors

section .kvas progbits alloc exec nowrite align=64
CFI_BEGIN

; VERW empties the processor's buffers of what the kernel has left in them
; (MDS and its kin): where it is needed, and as the last thing that is read.
; Changes flags.
%macro EMPTY_BUFFERS 0
        cmp     word [PRCB(VerwSelector)], 0
        je      %%needless
        DEFENCE buffers_left_full, verw [PRCB(VerwSelector)]
%%needless:
%endmacro

; What CR3 gets for ring 3.  With PCIDs the processor keeps ring 3's
; translations unless one of them has become wrong.  Changes flags.
%macro USER_DIRECTORY 1
        mov     %1, [PRCB(CurrentThread)]
        mov     %1, [%1 + KTHREAD.ApcState.Process]
        mov     %1, [%1 + KPROCESS.UserDirectoryTableBase]
        bt      %1, USER_PCID_BIT
        jnc     %%known
        btr     dword [PRCB(ShadowFlags)], SHADOW_FLUSH_BIT
        jc      %%known
        bts     %1, CR3_NO_FLUSH_BIT
%%known:
%endmacro

; Changes the register and flags.
%macro LOAD_USER_DIRECTORY 1
        test    dword [PRCB(ShadowFlags)], KI_SHADOW_ONE_SPACE
        jnz     %%one_space
        USER_DIRECTORY %1
        mov     cr3, %1
%%one_space:
%endmacro

; SYSRET of KiSystemServiceExit: rax, rcx, r11 as ring 3 finds them, r8 = its
; rsp, r9 = its rbp.
global KiKernelSysretExit
KiKernelSysretExit:
        CFI_SERVICE_FRAME
        DEFENCE predictors_not_left, call ki_leave_predictors
        mov     rbp, r9
        CFI_CALLER Rcx, R8, KGDT64_R3_CODE_USER
        mov     rsp, r8
        DEFENCE kva_sysret_keeps_cr3, LOAD_USER_DIRECTORY rdx
        EMPTY_BUFFERS
        xor     edx, edx
        swapgs
        o64 sysret

; SYSEXIT of KiServiceExit: rax, rcx, rdx, r11 as ring 3 finds them.  No
; instruction behind POPFQ may change flags (exit32.asm), nor ask them.
        align   16
global ki_kernel_sysexit
ki_kernel_sysexit:
        CFI_SERVICE_FRAME
        call    ki_leave_predictors
        lea     rsp, [FRAME(EFlags)]
        mov     rbp, [FRAME(Rbp)]
        CFI_CALLER Rdx, Rcx, KGDT_R3_CODE_USER
        test    dword [PRCB(ShadowFlags)], KI_SHADOW_ONE_SPACE
        jz      .two_spaces
        EMPTY_BUFFERS
        popfq
        swapgs
        jmp     ki_exit32_sti_shadow
.two_spaces:
        USER_DIRECTORY r11
        EMPTY_BUFFERS
        popfq
        mov     cr3, r11
        mov     r11d, 0
        swapgs
global ki_exit32_sti_shadow
ki_exit32_sti_shadow:
        sti
global ki_exit32_sysexit_shadow
ki_exit32_sysexit_shadow:
        sysexit

; IRETQ to ring 3: rsp = what it loads, all other registers ring 3's.
        align   16
global ki_kernel_iret
ki_kernel_iret:
        CFI_MACHINE
        lea     rsp, [rsp - 8]                  ; the error code stays
        CFI_MACHINE 8
        call    ki_leave_predictors
        push    rax
        push    rcx
        CFI_MACHINE 18h
        mov     rax, [PCR(TssBase)]
        mov     rax, [rax + KTSS64.Rsp0]
%assign at MACHINE_FRAME_SIZE
%rep MACHINE_FRAME_SIZE / 8
        mov     rcx, [rsp + 10h + at]
        mov     [rax + at - 8 - MACHINE_FRAME_SIZE], rcx
%assign at at - 8
%endrep
        mov     rcx, [rsp + 8]
        mov     [rax - MACHINE_FRAME_SIZE - 8], rcx
        mov     rcx, [rsp]
        mov     [rax - MACHINE_FRAME_SIZE - 10h], rcx
        lea     rsp, [rax - MACHINE_FRAME_SIZE - 10h]
; At this point: the transition stack.
        LOAD_USER_DIRECTORY rax
        pop     rcx
        pop     rax
        CFI_MACHINE
        EMPTY_BUFFERS
        swapgs
global ki_iret_user_shadow
ki_iret_user_shadow:
        iretq

CFI_END

; arch/amd64/entry/shadow.asm - the ways in under KVA shadow.
;
; Ring 3 then runs on page tables that have next to nothing of the kernel: the
; code between kvas_start and kvas_end (this file, shadowexit.asm,
; predictors.asm, ist.asm), the processor's tables, the stacks of TSS.Rsp0 and
; TSS.Ist and one page of the KPCR (mm/shadow.c lists them).  Each door here
; loads the kernel's page tables, moves to the thread's stack, and joins the
; door that has its name without Shadow.
;
; TSS.Rsp0 is not the thread's stack then but the processor's transition
; stack: the only one that both page tables have.
;
; A fault or an interrupt that comes from ring 0 finds the kernel's page tables
; and stack.  The exception is the last instruction of shadowexit.asm.
;
; NT: KiSystemCall64Shadow and its brothers.  With KI_SHADOW_ONE_SPACE these
; doors are in use for what else they do, on one set of page tables.

%include "arch/macros.inc"

extern system_call_entered
extern fast_call_entered
extern fast_call_entered_stepping
extern KiInvalidOpcodeFault
extern ki_debug_paranoid
extern ki_debug_from_user
extern ki_unexpected
extern ki_iret_user_shadow
extern ki_enter_predictors

section .kvas progbits alloc exec nowrite align=64
CFI_BEGIN

; gs is the kernel's.  Changes the register and flags.
%macro LOAD_KERNEL_DIRECTORY 1
        test    dword [PRCB(ShadowFlags)], KI_SHADOW_ONE_SPACE
        jnz     %%one_space
        mov     %1, [PRCB(KernelDirectoryTableBase)]
        mov     cr3, %1
%%one_space:
%endmacro

; SYSCALL: what both of its doors begin with.  KGDT selector of the caller, door
%macro SHADOW_SYSTEM_CALL 2
        CFI_CALLER Rcx, Rsp, %1
; At this point: gs is the TEB's, rsp the user's, interrupts off.
        swapgs
        mov     [PRCB(UserRspShadow)], rsp
        CFI_CALLER Rcx, UserRspShadow, %1
        LOAD_KERNEL_DIRECTORY rsp
        mov     rsp, [PRCB(RspBaseShadow)]
; At this point: gs is the KPCR's and the stack the thread's own, empty.
        push    KGDT_R3_DATA_USER
        push    qword [PRCB(UserRspShadow)]
        push    r11
        push    %1 | %2
        push    rcx
        CFI_MACHINE
        sub     rsp, 8                          ; no error code
        CFI_MACHINE 8
        DEFENCE predictors_not_entered, call ki_enter_predictors
        add     rsp, 8
        CFI_MACHINE
%endmacro

global KiSystemCall64Shadow
KiSystemCall64Shadow:
        SHADOW_SYSTEM_CALL KGDT64_R3_CODE_USER, SERVICE_DOOR_SYSCALL
        jmp     system_call_entered

        align   16
global KiSystemCall32Shadow
KiSystemCall32Shadow:
        SHADOW_SYSTEM_CALL KGDT_R3_CODE_USER, 0
        swapgs
        jmp     KiInvalidOpcodeFault

; SYSENTER has left the user's flags as they are and saved nothing, so there
; must be no instruction here that changes them.
%macro SHADOW_FAST_CALL 0
        CFI_SYSENTER 0
        swapgs
        mov     rsp, [PRCB(KernelDirectoryTableBase)]
        mov     cr3, rsp
        mov     rsp, [PRCB(RspBaseShadow)]
        pushfq
        call    ki_enter_predictors
        popfq
%endmacro

        align   16
global KiFastCallEntryShadow
KiFastCallEntryShadow:
        SHADOW_FAST_CALL
        jmp     fast_call_entered

; Where #DB sends a program that steps through SYSENTER (sysenter.asm).
        align   16
global KiFastCallEntry2Shadow
KiFastCallEntry2Shadow:
        SHADOW_FAST_CALL
        jmp     fast_call_entered_stepping

; SHADOW_TRAP its name, from ring 0 to, from ring 3 to, 1 if error code.  What
; the processor has pushed moves to the thread's stack.
%macro SHADOW_TRAP 4
        align   16
        global  %1
%1:
        CFI_MACHINE 8 * %4
        test    byte [rsp + 8 * %4 + MACHINE_FRAME.SegCs], 1
        jz      %2
        swapgs
        lfence
        push    rax
        CFI_MACHINE 8 * %4 + 8
        LOAD_KERNEL_DIRECTORY rax
        mov     rax, rsp
        CFI_MACHINE_AT Rax, 8 * %4 + 8
        mov     rsp, [PRCB(RspBaseShadow)]
%assign at MACHINE_FRAME_SIZE + 8 * %4
%rep MACHINE_FRAME_SIZE / 8 + %4
        push    qword [rax + at]
%assign at at - 8
%endrep
        CFI_MACHINE 8 * %4
        mov     rax, [rax]
        call    ki_enter_predictors
        swapgs
; At this point: as if the processor had pushed it here.
        jmp     %3
%endmacro

%macro SHADOW_PLAIN 2
        SHADOW_TRAP %2, %1, %1, 0
%endmacro

%macro SHADOW_CODE 2
        SHADOW_TRAP %2, %1, %1, 1
%endmacro

%macro SHADOW_DEBUG 2
        SHADOW_TRAP %2, ki_debug_paranoid, ki_debug_from_user, 0
%endmacro

%macro SHADOW_OWN 2
%endmacro

; An IRETQ to ring 3 faults on the transition stack, with everything the user's
; but CS.  What it was to load becomes what a fault of ring 3 pushes.
%macro SHADOW_IRETQ 2
        SHADOW_TRAP %2, %%ring_0, %1, 1
%%ring_0:
        CFI_MACHINE 8
        push    rax
        CFI_MACHINE 10h
        lea     rax, [rel ki_iret_user_shadow]
        cmp     rax, [rsp + 10h + MACHINE_FRAME.Rip]
        pop     rax
        CFI_MACHINE 8
        INSTEAD iretq_fault_is_the_kernels, jmp %1
        jne     %1
        mov     rsp, [rsp + 8 + MACHINE_FRAME.Rsp]
        CFI_MACHINE
        or      byte [rsp + MACHINE_FRAME.SegCs], 3
        push    0
        CFI_MACHINE 8
        jmp     %2
%endmacro

%macro GATE 3
        extern  %1
        SHADOW_%3 %1, %2
%endmacro

; These push their number as an error code.
%macro UNEXPECTED_GATES 2
%assign vector %1
%rep %2 - %1 + 1
        align   16
ki_unexpected_%[vector]_shadow:
        CFI_MACHINE
        push    vector
        jmp     ki_unexpected_shadow
%assign vector vector + 1
%endrep
%endmacro

%include "vectors.inc"

        SHADOW_CODE ki_unexpected, ki_unexpected_shadow

CFI_END

; What the IDT is made from under KVA shadow (cpu/idt.c).
%macro GATE 3
        dq      %2
%endmacro

%macro UNEXPECTED_GATES 2
%assign vector %1
%rep %2 - %1 + 1
        dq      ki_unexpected_%[vector]_shadow
%assign vector vector + 1
%endrep
%endmacro

section .rodata
        align   16
global ki_shadow_vectors
ki_shadow_vectors:
%include "vectors.inc"

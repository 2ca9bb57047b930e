; arch/amd64/entry/ist.asm - the vectors that can come at any instruction.
;
; NMI, #MC, #DF and #DB arrive on stacks of their own (TSS.Ist), also between
; an entry's first instruction and its swapgs, or after the exit's.  Then the
; saved CS says ring 0 while gs, and with KVA shadow CR3, are still the user's
; (CVE-2018-8897), and the sign of the gs base proves nothing where ring 3 may
; write it.  So nothing is asked: gs base, CR3, CR2, DR7 and CR8 are put back
; as they were found, and the PCR is found by the processor number that the
; KGDT_R0_PCR descriptor carries as its limit.
;
; The code is in .kvas, which the page tables of ring 3 map, too.  Until CR3
; is the kernel's it touches its stack (#MC NMI's, too), the GDT and
; ki_system_directory only.
;
; From the top of such a stack down (docs/traps.md, "Taken again"):
;
;   top      dword: 1 while its handler runs (stacks.asm)
;   -30h     what the processor pushed, with an error code or a 0: where it
;            will push again if the vector comes again
;   -60h     a copy of that, the end of the KTRAP_FRAME
;
; In the frame: FaultAddress CR2, P1Home DR7, P2Home CR3 or 0, P3Home whether
; the way back is without IRETQ.

%include "arch/macros.inc"

extern KiProcessorBlock
extern ki_debug_from_user
extern ki_nmi
extern ki_machine_check
extern ki_double_fault
extern ki_debug_in_kernel
extern ki_taken_again

PUSHED_SIZE     equ MACHINE_FRAME_SIZE + 8      ; and an error code
PUSHED_RIP      equ 8
PUSHED_CS       equ 10h
IN_USE          equ PUSHED_SIZE
IN_USE_FROM_RIP equ 2 * PUSHED_SIZE - PUSHED_RIP
SECOND_AT       equ 800h                ; below the top: taken again
NMI_ABOVE       equ IST_STACK_STRIDE    ; NMI's stack, of the same processor

section .kvas_data nobits alloc noexec write align=4096
; The physical address of the System process's top table; 0 until Mm has it.
global ki_system_directory
ki_system_directory:
        resq    1

section .kvas progbits alloc exec nowrite align=64
CFI_BEGIN

; The stack has what the processor pushed %1 bytes above rsp: push it again.
%macro COPY_PUSHED 1
%assign %%at %1 + PUSHED_RIP
%rep PUSHED_SIZE / 8
        CFI_MACHINE %%at
        push    qword [rsp + %1 + PUSHED_SIZE - 8]
%assign %%at %%at + 8
%endrep
%endmacro

; rbp = frame + 80h, complete but for these; then C may be called.
%macro BEGIN_PARANOID 1
        SAVE_VOLATILE
        SAVE_NONVOLATILE
        cld
        stmxcsr [FRAME(MxCsr)]
        mov     word [FRAME(Dr7)], 0
        mov     byte [FRAME(ExceptionActive)], KEXCEPTION_ACTIVE_EXCEPTION
        mov     rax, cr2
        mov     [FRAME(FaultAddress)], rax
        mov     rax, dr7
        mov     [FRAME(P1Home)], rax
        xor     ecx, ecx
        DEFENCE ist_keeps_breakpoints, mov dr7, rcx
        mov     rax, [rel ki_system_directory]
        test    rax, rax
        jz      %%kernel_tables
        mov     rcx, cr3
        mov     cr3, rax
%%kernel_tables:
        mov     [FRAME(P2Home)], rcx
; At this point: CR3 is the kernel's, whatever it was.
        mov     ecx, MSR_GS_BASE
        rdmsr
        shl     rdx, 32
        or      rax, rdx
        mov     [FRAME(GsBase)], rax
%if BUG_%{1}_trusts_cs
        test    byte [FRAME(SegCs)], 1
        jz      %%kernel_gs
        swapgs
        lfence
%%kernel_gs:
%else
        mov     eax, KGDT_R0_PCR
        lsl     eax, eax                        ; the processor's number
        lea     rdx, [rel KiProcessorBlock]
        mov     rax, [rdx + rax * 8]
        sub     rax, KPCR.Prcb
        mov     rdx, rax
        shr     rdx, 32
        wrmsr
%endif
; At this point: gs is the KPCR's, whatever it was.
        movzx   eax, byte [PRCB(BpbNmiSpecCtrl)]
        cmp     al, [PRCB(BpbCurrentSpecCtrl)]
        je      %%kernel_predictors
        xor     edx, edx
        mov     ecx, MSR_SPEC_CTRL
        wrmsr
%%kernel_predictors:
        mov     rax, cr8
        mov     [FRAME(PreviousIrql)], al
        mov     eax, HIGH_LEVEL
        mov     cr8, rax
        CFI_TRAP_FRAME
        lea     rcx, [rbp - FRAME_BIAS]
%endmacro

; Everything but rsp, rbp and the processor's own.
%macro END_PARANOID 1
        movzx   eax, byte [FRAME(PreviousIrql)]
        mov     cr8, rax
        movzx   eax, byte [PRCB(BpbCurrentSpecCtrl)]
        cmp     al, [PRCB(BpbNmiSpecCtrl)]
        je      %%same_predictors
        xor     edx, edx
        mov     ecx, MSR_SPEC_CTRL
        wrmsr
%%same_predictors:
%if BUG_%{1}_trusts_cs
        test    byte [FRAME(SegCs)], 1
        jz      %%kernel_gs
        swapgs
%%kernel_gs:
%else
        mov     ecx, MSR_GS_BASE
        mov     eax, [FRAME(GsBase)]
        mov     edx, [FRAME(GsBase) + 4]
        wrmsr
%endif
        ldmxcsr [FRAME(MxCsr)]
        mov     rax, [FRAME(P1Home)]
        mov     dr7, rax
        mov     rax, [FRAME(FaultAddress)]
        DEFENCE ist_keeps_no_cr2, mov cr2, rax
        mov     rax, [FRAME(P2Home)]
        test    rax, rax
        jz      %%same_tables
        DEFENCE ist_keeps_no_cr3, mov cr3, rax
%%same_tables:
        RESTORE_VOLATILE
        RESTORE_NONVOLATILE
%endmacro

; To ring 0, at the same CS and SS, and there is room below its rsp.
%macro RETURN_WITHOUT_IRET 0
        CFI_TRAP_FRAME
        mov     rax, [FRAME(Rsp)]
        sub     rax, 18h
        mov     [FRAME(Rsp)], rax
        mov     rcx, [FRAME(Rbp)]
        mov     [rax], rcx
        mov     rcx, [FRAME(EFlags)]
        mov     [rax + 8], rcx
        mov     rcx, [FRAME(Rip)]
        mov     [rax + 10h], rcx
        mov     rax, [FRAME(Rax)]
        mov     rcx, [FRAME(Rcx)]
        mov     dword [FRAME(Rip) + IN_USE_FROM_RIP], 0
        mov     rsp, [FRAME(Rsp)]
        CFI_RETURN 10h
        pop     rbp
        CFI_RETURN 8
        popfq
        CFI_RETURN
        ret
%endmacro

; An NMI may have come to the IRETQ of #MC, whose stack is in use no longer,
; and this #MC to that NMI.  Each processor's stacks lie in one order, so NMI's
; is found from #MC's.  LOOK_BEHIND_NMI no, yes, end of #MC's code
%macro LOOK_BEHIND_NMI 3
        cmp     dword [rsp + NMI_ABOVE + IN_USE], 0
        jne     %%in_nmi
        cmp     qword [rsp + PUSHED_RIP], KiNmiInterrupt
        jb      %1
        cmp     qword [rsp + PUSHED_RIP], ki_nmi_interrupt_end
        jae     %1
%%in_nmi:
        test    byte [rsp + NMI_ABOVE + PUSHED_CS], 1
        jnz     %1
        cmp     qword [rsp + NMI_ABOVE + PUSHED_RIP], KiMcheckAbort
        jb      %1
        cmp     qword [rsp + NMI_ABOVE + PUSHED_RIP], %3
        jb      %2
%endmacro

; PARANOID name, vector, 1 if error code, its bugs' prefix,
;          C function(KTRAP_FRAME *), ways back
;
; Ways back: 0; 1, IRETQ; 2, the function answers whether it must leave NMIs as
; they are: NMI's own handler was interrupted, and IRETQ would let in the next.
%macro PARANOID 6
        align   16
        global  %1
%1:
        CFI_MACHINE 8 * %3
        USER_ACCESS_END
%if %3 == 0
        push    0
%endif
        CFI_MACHINE PUSHED_RIP
        test    byte [rsp + PUSHED_CS], 1
        jnz     %%begin
        cmp     qword [rsp + PUSHED_RIP], %1
        jb      %%look
        cmp     qword [rsp + PUSHED_RIP], %%end
        DEFENCE ist_nests_silently, jb %%again
%%look: cmp     dword [rsp + IN_USE], 0
        DEFENCE ist_nests_silently, jne %%again
%ifidn %1, KiMcheckAbort
        LOOK_BEHIND_NMI %%begin, %%again, %%end
%endif
%%begin:
        mov     dword [rsp + IN_USE], 1
        COPY_PUSHED 0
        BEGIN_FRAME 1
        BEGIN_PARANOID %4
        sub     rsp, 20h
        call    %5
%if %6 > 0
%if %6 > 1
        mov     [FRAME(P3Home)], al
%endif
        END_PARANOID %4
%if %6 > 1
        cmp     byte [FRAME(P3Home)], 0
        jne     %%without_iret
%endif
; #MC may come in between and go back without IRETQ: it writes below rsp, so
; nothing that is still to be read may lie there.
        lea     rsp, [FRAME(Rbp)]
        pop     rbp
        CFI_MACHINE 8
        add     rsp, 8                          ; the error code
        CFI_MACHINE
        mov     dword [rsp + IN_USE_FROM_RIP], 0
        iretq
%if %6 > 1
%%without_iret:
        RETURN_WITHOUT_IRET
%endif
%endif

; This stack is in use: what the processor pushed is its first frame's no
; longer, but nobody has looked at that since it was copied.
%%again:
        CFI_MACHINE PUSHED_RIP
        sub     rsp, SECOND_AT
        COPY_PUSHED SECOND_AT
        BEGIN_FRAME 1
        mov     dword [FRAME(P5)], %2
        jmp     taken_again
%%end:
%endmacro

%define BUG_df_trusts_cs 0

PARANOID KiNmiInterrupt, 2, 0, nmi, ki_nmi, 1
global ki_nmi_interrupt_end
ki_nmi_interrupt_end:
PARANOID KiMcheckAbort, 12h, 0, mc, ki_machine_check, 2
PARANOID KiDoubleFaultAbort, 8, 1, df, ki_double_fault, 0
PARANOID ki_debug_paranoid, 1, 0, db, ki_debug_in_kernel, 2

taken_again:
        CFI_STARTED
        BEGIN_PARANOID df
        mov     edx, [FRAME(P5)]
        sub     rsp, 20h
        call    ki_taken_again                  ; (frame, vector)

; #DB.  From ring 3 it is an exception of the thread and moves to the thread's
; stack; in ring 0 it is stray (a user's TF or breakpoint that got through).
        align   16
global KiDebugTrapOrFault
KiDebugTrapOrFault:
        CFI_MACHINE
        test    byte [rsp + 8], 1
        jz      ki_debug_paranoid
        swapgs
        lfence
        push    rax
        CFI_MACHINE 8
        mov     rax, rsp
        CFI_MACHINE_AT Rax, 8
        mov     rsp, [PRCB(RspBase)]
%assign at MACHINE_FRAME_SIZE
%rep MACHINE_FRAME_SIZE / 8
        push    qword [rax + at]
%assign at at - 8
%endrep
        CFI_MACHINE
        mov     rax, [rax]
        swapgs
; At this point: as if the processor had pushed it here.
        jmp     ki_debug_from_user

CFI_END

; arch/amd64/entry/ist.asm - the vectors that can come at any instruction.
;
; NMI, #MC, #DF and #DB arrive on stacks of their own (TSS.Ist), also between
; an entry's first instruction and its swapgs, or after the exit's.  Then the
; saved CS says ring 0 while gs is still the user's (CVE-2018-8897), and the
; sign of the gs base proves nothing where ring 3 may write it.  So the PCR is
; found by the processor number that the KGDT_R0_PCR descriptor carries as its
; limit, and the gs base found on entry is put back on exit.

%include "arch/macros.inc"

extern KiProcessorBlock
extern ki_debug_from_user
extern ki_nmi
extern ki_machine_check
extern ki_double_fault
extern ki_debug_in_kernel

MSR_GS_BASE     equ 0C0000101h
MACHINE_FRAME_SIZE equ 40               ; ss, rsp, rflags, cs, rip

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

; PARANOID name, 1 if error code, C function(KTRAP_FRAME *)
%macro PARANOID 3
        align   16
        global  %1
%1:
        CFI_MACHINE 8 * %2
        USER_ACCESS_END
        BEGIN_FRAME %2
        SAVE_VOLATILE
        SAVE_NONVOLATILE
        cld
        stmxcsr [FRAME(MxCsr)]
        mov     word [FRAME(Dr7)], 0
        mov     byte [FRAME(ExceptionActive)], KEXCEPTION_ACTIVE_EXCEPTION
        mov     ecx, MSR_GS_BASE
        rdmsr
        shl     rdx, 32
        or      rax, rdx
        mov     [FRAME(GsBase)], rax
        mov     eax, KGDT_R0_PCR
        lsl     eax, eax                        ; the processor's number
        lea     rdx, [rel KiProcessorBlock]
        mov     rax, [rdx + rax * 8]
        sub     rax, KPCR.Prcb
        mov     rdx, rax
        shr     rdx, 32
        wrmsr
; At this point: gs is the KPCR's, whatever it was.
        CFI_TRAP_FRAME
        lea     rcx, [rbp - FRAME_BIAS]
        sub     rsp, 20h
        call    %3
        add     rsp, 20h
        mov     ecx, MSR_GS_BASE
        mov     eax, [FRAME(GsBase)]
        mov     edx, [FRAME(GsBase) + 4]
        wrmsr
        ldmxcsr [FRAME(MxCsr)]
        RESTORE_VOLATILE
        RESTORE_NONVOLATILE
        lea     rsp, [FRAME(Rip)]
        mov     rbp, [FRAME(Rbp)]
        CFI_MACHINE
        iretq
%endmacro

PARANOID KiNmiInterrupt, 0, ki_nmi
PARANOID KiMcheckAbort, 0, ki_machine_check
PARANOID KiDoubleFaultAbort, 1, ki_double_fault
PARANOID ki_debug_paranoid, 0, ki_debug_in_kernel

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

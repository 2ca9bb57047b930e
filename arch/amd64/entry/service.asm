; arch/amd64/entry/service.asm - services called from ring 0: the Zw stubs.
;
; A Zw stub builds by hand the frame that an interrupt would have pushed and
; joins room 3.  The service then sees PreviousMode KernelMode and trusts its
; caller's pointers; room 5 restores the mode and returns to the caller of
; the stub.  Arguments are where C put them: rcx, rdx, r8, r9 and the stack.

%include "arch/macros.inc"

extern KiSystemServiceStart

STUB_SIZE       equ 32

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

global KiServiceInternal
KiServiceInternal:
        CFI_MACHINE
; At this point: ss, rsp, rflags, cs, rip lie on the stack, interrupts off.
        sub     rsp, 8
        BEGIN_FRAME 1
        SAVE_NONVOLATILE
        sti
        mov     rbx, [PRCB(CurrentThread)]
        prefetchw [rbx + KTHREAD.TrapFrame]
        movzx   edi, byte [rbx + KTHREAD.PreviousMode]
        mov     [FRAME(PreviousMode)], dil
        mov     byte [rbx + KTHREAD.PreviousMode], 0
        mov     r10, [rbx + KTHREAD.TrapFrame]
        mov     [FRAME(TrapFrame)], r10
        mov     byte [FRAME(ExceptionActive)], KEXCEPTION_ACTIVE_SERVICE
        jmp     KiSystemServiceStart

; Where the frame's rip points: a Zw call returns through it in a backtrace.
global KiServiceLinkage
KiServiceLinkage:
        CFI_RETURN
        ret

; One stub for each service of the nt table, in the order of services.tab;
; ke/services.c puts the number in when a numbering file changes it.
%macro ZW_STUB 2
        align   STUB_SIZE
        %substr %%rest %1 3, -1
        %strcat %%name "Zw", %%rest
        %deftok %%token %%name
        global  %%token
%%token:
        CFI_RETURN
        mov     rax, rsp
        CFI_RETURN_AT Rax, 0
        cli
        sub     rsp, 10h
        push    rax
        pushfq
        push    KGDT_R0_CODE
        lea     rax, [rel KiServiceLinkage]
        CFI_RETURN 28h
        push    rax
        CFI_MACHINE
        mov     eax, %2
        jmp     KiServiceInternal
%endmacro

%macro SERVICE_STUB 2
%if %2 < 1000h
        %defstr %%text %1
        ZW_STUB %%text, %2
%endif
%endmacro

        align   STUB_SIZE
global ki_zw_stubs
ki_zw_stubs:
%include "stubs.inc"

CFI_END

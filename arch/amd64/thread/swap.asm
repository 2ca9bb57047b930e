; arch/amd64/thread/swap.asm - from one thread's kernel stack to another's.
;
; KiSwapContext(old, new): called with interrupts off, returns when somebody
; swaps back to old.  What a thread leaves on its stack: a KEXCEPTION_FRAME
; with the non-volatile registers, and below it a KSWITCH_FRAME, where
; KTHREAD.KernelStack points.  What C cannot keep on a stack (floating point,
; segment registers) is C's to save and load: thread.c.

%include "arch/macros.inc"

extern ki_save_processor_state
extern ki_switch_processor_state
extern ki_start_thread

RETURN_STACK    equ 32                  ; of its entries; no processor has more

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

global KiSwapContext
KiSwapContext:
        sub     rsp, KEXCEPTION_FRAME.Return
        CFI_RETURN KEXCEPTION_FRAME.Return
        mov     [rsp + KEXCEPTION_FRAME.Rbx], rbx
        mov     [rsp + KEXCEPTION_FRAME.Rdi], rdi
        mov     [rsp + KEXCEPTION_FRAME.Rsi], rsi
        mov     [rsp + KEXCEPTION_FRAME.R12], r12
        mov     [rsp + KEXCEPTION_FRAME.R13], r13
        mov     [rsp + KEXCEPTION_FRAME.R14], r14
        mov     [rsp + KEXCEPTION_FRAME.R15], r15
        CFI_IN_EXCEPTION_FRAME Rsp, 0, Rbx, Rdi, Rsi, R12, R13, R14, R15
        call    SwapContext
        mov     rbx, [rsp + KEXCEPTION_FRAME.Rbx]
        mov     rdi, [rsp + KEXCEPTION_FRAME.Rdi]
        mov     rsi, [rsp + KEXCEPTION_FRAME.Rsi]
        mov     r12, [rsp + KEXCEPTION_FRAME.R12]
        mov     r13, [rsp + KEXCEPTION_FRAME.R13]
        mov     r14, [rsp + KEXCEPTION_FRAME.R14]
        mov     r15, [rsp + KEXCEPTION_FRAME.R15]
        add     rsp, KEXCEPTION_FRAME.Return
        CFI_RETURN
        ret

; rcx = old, rdx = new
global SwapContext
SwapContext:
        sub     rsp, KSWITCH_FRAME.Return
        CFI_RETURN KSWITCH_FRAME.Return
        mov     [rsp + KSWITCH_FRAME.Rbp], rbp
        CFI_SWITCH_FRAME
        mov     rbx, rcx
        mov     rsi, rdx
        call    ki_save_processor_state         ; home area: the switch frame
        mov     [rbx + KTHREAD.KernelStack], rsp
        mov     rsp, [rsi + KTHREAD.KernelStack]
; At this point: new's stack, but old's address space and PRCB still.
        mov     rcx, rbx
        mov     rdx, rsi
        call    ki_switch_processor_state
        mov     rbp, [rsp + KSWITCH_FRAME.Rbp]
        add     rsp, KSWITCH_FRAME.Return
        CFI_RETURN
        ret

; What a processor predicts a return with are its last calls: another thread's
; here, or ring 3's.  32 calls that do not return take their places.
global ki_fill_return_stack
ki_fill_return_stack:
        CFI_RETURN
%rep RETURN_STACK
        call    $ + 6
        int3
        CFI_RETURN 8
        add     rsp, 8
        CFI_RETURN
%endrep
        ret

; rcx = top of another stack, rdx = routine, r8 = its argument.  A chain of rbp
; leads back to here.
global arch_call_on_stack
arch_call_on_stack:
        push    rbp
        CFI_RETURN 8
        mov     rbp, rsp
        CFI_RBP
        mov     rsp, rcx
        CFI_SWITCHED
        sub     rsp, 20h
        mov     rcx, r8
        call    rdx
        leave
        CFI_RETURN
        ret

; The first time a thread runs it comes here (thread.c lays the stack out):
; routine, then its argument.  Interrupts are off, as on every switch.
global ki_thread_begin
ki_thread_begin:
        CFI_OUTERMOST
        pop     rcx
        pop     rdx
        sub     rsp, 20h
        sti
        call    ki_start_thread                   ; does not return
        ud2

CFI_END

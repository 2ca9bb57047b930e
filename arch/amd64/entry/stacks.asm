; arch/amd64/entry/stacks.asm - the stacks of the boot processor, and where
; each other processor has its own: what Mm makes for it has this layout, too
; (arch/amd64/mm/processor.c).
;
; Each lies above a page that Mm unmaps (arch/amd64/mm/image.c), so that an
; overflow is a fault and not a silent write into the neighbour.  The idle
; stack is where the loader enters and where the idle thread stays.  At the top
; of an IST stack is a word that tells whether it is in use (ist.asm).

%include "ksamd64.inc"

IN_USE_SIZE     equ 10h                         ; keeps the alignment

; STACK name, size
%macro STACK 2
        resb    PAGE_SIZE                       ; guard
        resb    %2
global %1
%1:
%endmacro

; IST_STACK name
%macro IST_STACK 1
        STACK   %1, IST_STACK_SIZE - IN_USE_SIZE
        resb    IN_USE_SIZE
%endmacro
%define IST_GUARD(top) top + IN_USE_SIZE - IST_STACK_SIZE - PAGE_SIZE

section .stacks nobits alloc noexec write align=4096
global ki_stacks
ki_stacks:
        IST_STACK ki_panic_stack_top
        IST_STACK ki_mca_stack_top
        IST_STACK ki_nmi_stack_top
        IST_STACK ki_debug_stack_top
        STACK   ki_transition_stack_top, PAGE_SIZE
        STACK   ki_dpc_stack_top, KERNEL_STACK_SIZE
        STACK   ki_idle_stack_top, KERNEL_STACK_SIZE
        resb    ARCH_THREAD_STATE_SIZE          ; as above every stack
global ki_idle_stack_base
ki_idle_stack_base:
        alignb  PAGE_SIZE
global ki_stacks_end
ki_stacks_end:

section .rodata
        align   8
global ki_stack_guards
ki_stack_guards:
        dq      IST_GUARD(ki_panic_stack_top)
        dq      IST_GUARD(ki_mca_stack_top)
        dq      IST_GUARD(ki_nmi_stack_top)
        dq      IST_GUARD(ki_debug_stack_top)
        dq      ki_transition_stack_top - PAGE_SIZE - PAGE_SIZE
        dq      ki_dpc_stack_top - KERNEL_STACK_SIZE - PAGE_SIZE
        dq      ki_idle_stack_top - KERNEL_STACK_SIZE - PAGE_SIZE
global ki_stack_guard_count
ki_stack_guard_count:
        dd      ($ - ki_stack_guards) / 8

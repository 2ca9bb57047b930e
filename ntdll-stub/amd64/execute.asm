; execute.asm - frames that tell a walk what it has met.
;
; A handler is called through one of two routines that differ only in their
; own handler. It is called when an exception comes out of the one below it:
;
;   while an exception was dispatched    a nested exception: the new walk hears
;                                        for which frame that handler was called
;   while frames were left               a collided unwind: the new walk goes on
;                                        where the old one stands
;
; Both find the interrupted walk's DISPATCHER_CONTEXT in their frame.

        bits    64
        default rel

        extern  rtl_nested_exception
        extern  rtl_collided_unwind
        extern  RtlRestoreContext
        global  rtl_execute_for_exception
        global  rtl_execute_for_unwind
        global  rtl_consolidate

LANGUAGE_HANDLER equ 30h                        ; DISPATCHER_CONTEXT's
WALK            equ 20h                         ; in the frame: see nested.c

UNWIND_VERSION  equ 1
UNW_FLAG_EHANDLER equ 1 << 3
UNW_FLAG_UHANDLER equ 2 << 3
UWOP_ALLOC_LARGE equ 1
UWOP_ALLOC_SMALL equ 2
UWOP_PUSH_MACHFRAME equ 10

SECTION .text align=16

; in   rcx, rdx, r8, r9 = the handler's arguments; r9 = DISPATCHER_CONTEXT
; out  eax = its answer
%macro EXECUTE 0
        sub     rsp, 28h
%%body:
        mov     [rsp + WALK], r9
        call    [r9 + LANGUAGE_HANDLER]
        nop                                     ; rip is not in an epilogue
        add     rsp, 28h
        ret
%endmacro

        align   16
rtl_execute_for_exception:
        EXECUTE
exception_end:

        align   16
rtl_execute_for_unwind:
        EXECUTE
unwind_end:

; in   rcx = CONTEXT, rdx = EXCEPTION_RECORD, r8 = routine
;
; The routine runs with the non-volatile registers of that CONTEXT, and who
; unwinds it comes to the CONTEXT's frame. It returns where to go on.
CONTEXT_RBX     equ 90h
CONTEXT_RSP     equ 98h
CONTEXT_RBP     equ 0A0h
CONTEXT_RSI     equ 0A8h
CONTEXT_RDI     equ 0B0h
CONTEXT_R12     equ 0D8h
CONTEXT_R13     equ 0E0h
CONTEXT_R14     equ 0E8h
CONTEXT_R15     equ 0F0h
CONTEXT_RIP     equ 0F8h
CONTEXT_XMM6    equ 200h

SAVED           equ 20h                         ; the CONTEXT
MACHINE_FRAME   equ 28h                         ; rip, cs, rflags, rsp, ss
FRAME_SIZE      equ 50h

        align   16
rtl_consolidate:
        and     rsp, -16
        sub     rsp, FRAME_SIZE
consolidate_body:
        mov     [rsp + SAVED], rcx
        mov     rax, [rcx + CONTEXT_RIP]
        mov     [rsp + MACHINE_FRAME], rax
        mov     rax, [rcx + CONTEXT_RSP]
        mov     [rsp + MACHINE_FRAME + 18h], rax
        mov     rbx, [rcx + CONTEXT_RBX]
        mov     rbp, [rcx + CONTEXT_RBP]
        mov     rsi, [rcx + CONTEXT_RSI]
        mov     rdi, [rcx + CONTEXT_RDI]
        mov     r12, [rcx + CONTEXT_R12]
        mov     r13, [rcx + CONTEXT_R13]
        mov     r14, [rcx + CONTEXT_R14]
        mov     r15, [rcx + CONTEXT_R15]
%assign number 6
%rep 10
        movups  xmm%[number], [rcx + CONTEXT_XMM6 + 16 * (number - 6)]
%assign number number + 1
%endrep
        mov     rcx, rdx
        call    r8
        mov     rcx, [rsp + SAVED]
        mov     [rcx + CONTEXT_RIP], rax
        xor     edx, edx
        call    RtlRestoreContext
        int3
consolidate_end:

SECTION .xdata rdata align=8
exception_unwind:
        db      UNWIND_VERSION | UNW_FLAG_EHANDLER, 4, 1, 0
        db      4, UWOP_ALLOC_SMALL | (28h / 8 - 1) << 4
        dw      0
        dd      rtl_nested_exception wrt ..imagebase
        align   4
unwind_unwind:
        db      UNWIND_VERSION | UNW_FLAG_EHANDLER | UNW_FLAG_UHANDLER, 4, 1, 0
        db      4, UWOP_ALLOC_SMALL | (28h / 8 - 1) << 4
        dw      0
        dd      rtl_collided_unwind wrt ..imagebase
        align   4
consolidate_unwind:
        db      UNWIND_VERSION, 0, 2, 0
        db      0, UWOP_ALLOC_SMALL | (MACHINE_FRAME / 8 - 1) << 4
        db      0, UWOP_PUSH_MACHFRAME

SECTION .pdata rdata align=4
        dd      rtl_execute_for_exception wrt ..imagebase
        dd      exception_end wrt ..imagebase
        dd      exception_unwind wrt ..imagebase
        dd      rtl_execute_for_unwind wrt ..imagebase
        dd      unwind_end wrt ..imagebase
        dd      unwind_unwind wrt ..imagebase
        dd      rtl_consolidate wrt ..imagebase
        dd      consolidate_end wrt ..imagebase
        dd      consolidate_unwind wrt ..imagebase

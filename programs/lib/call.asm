; call.asm - a call with every register chosen, and every register looked at
; afterwards.
;
; The tour and the tests use it to see what a system call does to a caller.
; Its target is an ntdll stub, or one of the bare doors below when the number
; is not one that ntdll has or the door is to be chosen. One thread at a time:
; the pointer to the record lives in memory, because no register is free while
; the target runs.

        bits    64
        default rel

        global  call_with_registers

%include "call.inc"
%include "nonvolatile.inc"

; Registers and where the record keeps them; rsp is not among them.
%macro  EACH_REGISTER 1
        %1      rdx, Rdx
        %1      rbx, Rbx
        %1      rbp, Rbp
        %1      rsi, Rsi
        %1      rdi, Rdi
        %1      r8, R8
        %1      r9, R9
        %1      r10, R10
        %1      r11, R11
        %1      r12, R12
        %1      r13, R13
        %1      r14, R14
        %1      r15, R15
%endmacro

HOME_SLOTS equ 4 * 8
RFLAGS_PLAIN equ 202h                           ; interrupts on, nothing else

SECTION .bss align=16
record: resq    1
target: resq    1
kept_rsp: resq  1

SECTION .text align=16

; in   rcx = record: target, in (rsp and rip unused), stack, mxcsr_in
; out  the record's in.Rsp, out and mxcsr_out; in.Rsp is rsp at the call
;      instruction, so the target starts at in.Rsp - 8
call_with_registers:
        PUSH_NONVOLATILE
        sub     rsp, SAVED_XMM + 8              ; now 16-byte aligned
        SAVE_XMM 0
        mov     [record], rcx
        mov     rax, [rcx + CALL.target]
        mov     [target], rax
        sub     rsp, HOME_SLOTS + CALL_STACK_SLOTS * 8
CALL_PROLOGUE equ $ - call_with_registers
        mov     [rcx + CALL.in + REGS.Rsp], rsp
        mov     [kept_rsp], rsp
        cld
        lea     rsi, [rcx + CALL.stack]
        lea     rdi, [rsp + HOME_SLOTS]
        mov     rdx, rcx
        mov     ecx, CALL_STACK_SLOTS
        rep     movsq
        mov     rcx, rdx
%assign i 0
%rep 16
        movaps  xmm %+ i, [rcx + CALL.in + REGS.Xmm + i * 16]
%assign i i + 1
%endrep
        ldmxcsr [rcx + CALL.mxcsr_in]
        push    qword [rcx + CALL.in + REGS.Rflags]
        popfq
%macro  LOAD 2
        mov     %1, [rcx + CALL.in + REGS.%2]
%endmacro
        EACH_REGISTER LOAD
        LOAD    rax, Rax
        LOAD    rcx, Rcx

        ; At this point: every register is the record's.
        call    [target]

        ; At this point: every register is the target's; mov keeps flags.
        mov     [target], rax
        mov     rax, [record]
        mov     [rax + CALL.out + REGS.Rcx], rcx
%macro  STORE 2
        mov     [rax + CALL.out + REGS.%2], %1
%endmacro
        EACH_REGISTER STORE
        STORE   rsp, Rsp
        mov     rsp, [kept_rsp]
        pushfq
        pop     qword [rax + CALL.out + REGS.Rflags]
        push    RFLAGS_PLAIN
        popfq
        mov     rcx, [target]
        mov     [rax + CALL.out + REGS.Rax], rcx
%assign i 0
%rep 16
        movaps  [rax + CALL.out + REGS.Xmm + i * 16], xmm %+ i
%assign i i + 1
%endrep
        stmxcsr [rax + CALL.mxcsr_out]
        RESTORE_XMM HOME_SLOTS + CALL_STACK_SLOTS * 8
        add     rsp, HOME_SLOTS + CALL_STACK_SLOTS * 8 + SAVED_XMM + 8
        POP_NONVOLATILE
        ret
CALL_SIZE equ $ - call_with_registers

; A door without a number: rax is the caller's, all 64 bits of it. NAME_behind
; is where the kernel comes back to.
;
; BARE_DOOR name, instructions
%macro  BARE_DOOR 2
        align   16
        global  %1
        global  %1_behind
%1:
        mov     r10, rcx
        %2
%1_behind:
        ret

; The same with rsp = r12 at the door; r13 is lost.
        align   16
        global  %1_on_stack
        global  %1_on_stack_behind
%1_on_stack:
        mov     r13, rsp
        mov     rsp, r12
        mov     r10, rcx
        %2
%1_on_stack_behind:
        mov     rsp, r13
        ret
%endmacro

%macro  SYSCALL_DOOR 0
        syscall
%endmacro

%macro  INT2E_DOOR 0
        int     2Eh
%endmacro

; SYSENTER forgets where it was: rcx and r11 tell (ntdll-stub/amd64/doors.asm).
%macro  SYSENTER_DOOR 0
        lea     rcx, [%%behind]
        mov     r11, rsp
        sysenter
%%behind:
%endmacro

        BARE_DOOR call_raw, SYSCALL_DOOR
        BARE_DOOR call_raw_int2e, INT2E_DOOR
        BARE_DOOR call_raw_sysenter, SYSENTER_DOOR

; The way out, for debuggers and exceptions: eight pushes and the space below.
; (xmm6-15 are the target's on that way.)
UWOP_PUSH_NONVOL equ 0
UWOP_ALLOC_LARGE equ 1

%macro PUSHED 2                                 ; behind which byte, register
        db      %1, UWOP_PUSH_NONVOL | %2 << 4
%endmacro

SECTION .xdata rdata align=8
call_unwind:
        db      1, CALL_PROLOGUE, 10, 0
        db      CALL_PROLOGUE, UWOP_ALLOC_LARGE
        dw      (HOME_SLOTS + CALL_STACK_SLOTS * 8 + SAVED_XMM + 8) / 8
        PUSHED  12, 15
        PUSHED  10, 14
        PUSHED  8, 13
        PUSHED  6, 12
        PUSHED  4, 7                            ; rdi
        PUSHED  3, 6                            ; rsi
        PUSHED  2, 5                            ; rbp
        PUSHED  1, 3                            ; rbx

SECTION .pdata rdata align=4
        dd      call_with_registers wrt ..imagebase
        dd      call_with_registers + CALL_SIZE wrt ..imagebase
        dd      call_unwind wrt ..imagebase

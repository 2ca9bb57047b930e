; exception.asm - one store with chosen registers, and what the registers are
; before, behind and instead.
;
; What the prologue pushes is in the unwind information below, as a compiler
; would have it: whoever unwinds gets the caller's registers back.

        bits    64
        default rel

        global  landed
        global  landed_behind
        global  note_landed
        global  store_at
        global  store_behind
        global  store_done
        global  store_entered
        global  store_instruction

%include "../lib/call.inc"

PUSHED  equ 8 * 8                               ; registers
LOCALS  equ 18h                                 ; xmm6, and 8 to align

; Registers and where a record keeps them; rsp is not among them.
%macro  EACH_REGISTER 1
        %1      rax, Rax
        %1      rcx, Rcx
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

%macro  STORE 2
        mov     [%[record] + REGS.%2], %1
%endmacro

; NOTE record: every register as it is
%macro  NOTE 1
%define record %1
        EACH_REGISTER STORE
        mov     [%1 + REGS.Rsp], rsp
        movaps  [%1 + REGS.Xmm + 6 * 16], xmm6
%endmacro

SECTION .bss align=16
store_entered:  resb REGS_size
store_done:     resb REGS_size
landed:         resb REGS_size
landed_behind:  resq 1

SECTION .text align=16

; in   rcx = where to
        align   16
store_at:
        push    rbx
.pushed_rbx:
        push    rbp
.pushed_rbp:
        push    rsi
.pushed_rsi:
        push    rdi
.pushed_rdi:
        push    r12
.pushed_r12:
        push    r13
.pushed_r13:
        push    r14
.pushed_r14:
        push    r15
.pushed_r15:
        sub     rsp, LOCALS
.allocated:
        movaps  [rsp], xmm6
.body:
        NOTE    store_entered
        add     qword [store_entered + REGS.Rsp], PUSHED + LOCALS
%assign number 0
%macro  PATTERN 1
%assign byte 0A0h + number
%ifnidn %1, rcx
%ifnidn %1, rsp
        mov     %1, byte * 0101010101010101h
%endif
%endif
%assign number number + 1
%endmacro
        PATTERN rax
        PATTERN rcx
        PATTERN rdx
        PATTERN rbx
        PATTERN rsp
        PATTERN rbp
        PATTERN rsi
        PATTERN rdi
        PATTERN r8
        PATTERN r9
        PATTERN r10
        PATTERN r11
        PATTERN r12
        PATTERN r13
        PATTERN r14
        PATTERN r15
        movq    xmm6, rdx
        punpcklqdq xmm6, xmm6
store_instruction:
        mov     [rcx], rdx
store_behind:
        NOTE    store_done
        movaps  xmm6, [rsp]
        add     rsp, LOCALS
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rdi
        pop     rsi
        pop     rbp
        pop     rbx
        ret
store_end:

; rax is the exception's code, other volatile registers are nobody's.
        align   16
note_landed:
        NOTE    landed
        mov     rax, [rsp]
        mov     [landed_behind], rax
        ret

; UNWIND_INFO and its codes, from the prologue's last instruction to its first.
UNWIND_VERSION  equ 1
UWOP_PUSH_NONVOL equ 0
UWOP_ALLOC_SMALL equ 2
UWOP_SAVE_XMM128 equ 8

%macro  CODE 3                                  ; behind which byte, what, info
        db      %1 - store_at, %2 | %3 << 4
%endmacro

SECTION .xdata rdata align=8
store_unwind:
        db      UNWIND_VERSION, store_at.body - store_at, 11, 0
        CODE    store_at.body, UWOP_SAVE_XMM128, 6
        dw      0                               ; at rsp
        CODE    store_at.allocated, UWOP_ALLOC_SMALL, LOCALS / 8 - 1
        CODE    store_at.pushed_r15, UWOP_PUSH_NONVOL, 15
        CODE    store_at.pushed_r14, UWOP_PUSH_NONVOL, 14
        CODE    store_at.pushed_r13, UWOP_PUSH_NONVOL, 13
        CODE    store_at.pushed_r12, UWOP_PUSH_NONVOL, 12
        CODE    store_at.pushed_rdi, UWOP_PUSH_NONVOL, 7
        CODE    store_at.pushed_rsi, UWOP_PUSH_NONVOL, 6
        CODE    store_at.pushed_rbp, UWOP_PUSH_NONVOL, 5
        CODE    store_at.pushed_rbx, UWOP_PUSH_NONVOL, 3
        dw      0                               ; codes come in pairs

SECTION .pdata rdata align=4
        dd      store_at wrt ..imagebase
        dd      store_end wrt ..imagebase
        dd      store_unwind wrt ..imagebase

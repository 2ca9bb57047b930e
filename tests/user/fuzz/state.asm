; state.asm - into ring 3 with every register chosen, and out of it again.
;
; state_enter loads what its record says and goes to rip.  Who has arrived goes
; on to state_landing, where every register is stored; or an exception ends it,
; whose handler leads to state_back.  One thread at a time.
;
; Not by IRETQ: QEMU (7.2) reads its frame as ring 0 would, against SMAP.

        bits    64
        default rel

        global  state_enter
        global  state_landing
        global  state_back

%include "state.inc"
%include "../../../programs/lib/nonvolatile.inc"

%macro  EACH_REGISTER 1
        %1      rbx, Rbx
        %1      rcx, Rcx
        %1      rdx, Rdx
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

MXCSR_PLAIN     equ 1F80h
RFLAGS_PLAIN    equ 202h

SECTION .bss align=16
record: resq    1
kept_rsp: resq  1
new_rsp: resq   1
new_rip: resq   1
scratch: resq   1

SECTION .text align=16

; in   rcx = record
; out  the record's out, landed; segment registers are the record's
state_enter:
        PUSH_NONVOLATILE
        sub     rsp, SAVED_XMM + 8
        SAVE_XMM 0
        mov     [kept_rsp], rsp
        mov     [record], rcx
        mov     rax, rcx
        ldmxcsr [rax + STATE.mxcsr]
        mov     ds, [rax + STATE.ds]
        mov     es, [rax + STATE.es]
        mov     fs, [rax + STATE.fs]
        mov     rbx, [rax + STATE.Rsp]
        mov     [new_rsp], rbx
        mov     rbx, [rax + STATE.Rip]
        mov     [new_rip], rbx
        push    qword [rax + STATE.Rflags]
%macro  LOAD 2
        mov     %1, [rax + STATE.%2]
%endmacro
        EACH_REGISTER LOAD
        LOAD    rax, Rax
        popfq
        mov     rsp, [new_rsp]
        jmp     [new_rip]

; At this point: all registers are whoever's has come here; the stack, too.
state_landing:
        mov     [scratch], rax
        mov     rax, [record]
%macro  STORE 2
        mov     [rax + STATE.out + STATE.%2], %1
%endmacro
        EACH_REGISTER STORE
        STORE   rsp, Rsp
        mov     rsp, [kept_rsp]
        pushfq
        pop     qword [rax + STATE.out + STATE.Rflags]
        push    RFLAGS_PLAIN
        popfq
        mov     rcx, [scratch]
        STORE   rcx, Rax
        mov     ecx, cs
        mov     [rax + STATE.cs], cx
        mov     ecx, ss
        mov     [rax + STATE.ss], cx
        stmxcsr [rax + STATE.out + STATE.mxcsr]
        mov     dword [rax + STATE.landed], 1

; From an exception: rsp and flags may be anything.
state_back:
        mov     rsp, [kept_rsp]
        push    RFLAGS_PLAIN
        popfq
        fninit
        push    MXCSR_PLAIN
        ldmxcsr [rsp]
        pop     rcx
        RESTORE_XMM 0
        add     rsp, SAVED_XMM + 8
        POP_NONVOLATILE
        ret

; The doors, as states begin with them, and what is behind each.  NAME_flags
; takes its flags from the stack, so that TF is there in time.
;
; STATE_DOOR name, instruction
%macro  STATE_DOOR 2+
        align   16
        global  %1
        global  %1_behind
        global  %1_flags
%1_flags:
        popfq
%1:
        %2
%1_behind:
        jmp     state_landing
%endmacro

        STATE_DOOR state_syscall, syscall
        STATE_DOOR state_int2e, int 2Eh
        STATE_DOOR state_sysenter, sysenter

; doors.asm - a system call by each door, as targets of call_with_registers.
;
; door_NAME makes the call and nothing else. timed_NAME looks at the time-stamp
; counter before the door and behind it: out.R15 - out.R14 is what the call
; took, plus what timed_nothing takes, which has no door. The kernel keeps r12
; to r15, so they can carry the times.
;
; in   rax = number; rcx, rdx, r8, r9, [rsp + 28h] ... = arguments

        bits    64
        default rel

        global  door_syscall
        global  door_int2e
        global  door_sysenter
        global  timed_syscall
        global  timed_int2e
        global  timed_sysenter
        global  timed_nothing

; SYSENTER saves nothing, so the caller says where it wants to come back
; (arch/amd64/entry/sysenter.asm): those two instructions belong to it.
%macro  GO_syscall 0
        syscall
%endmacro
%macro  GO_int2e 0
        int     2Eh
%endmacro
%macro  GO_sysenter 0
        lea     rcx, [%%back]
        mov     r11, rsp
        sysenter
%%back:
%endmacro
%macro  GO_nothing 0
%endmacro

%macro  READ_CLOCK 1
        mov     r12, rax
        mov     r13, rdx
        rdtsc
        shl     rdx, 32
        lea     %1, [rax + rdx]
        mov     rax, r12
        mov     rdx, r13
%endmacro

%macro  DOOR 1
        align   16
door_%1:
        mov     r10, rcx
        GO_%1
        ret
%endmacro

%macro  TIMED 1
        align   16
timed_%1:
        mov     r10, rcx
        READ_CLOCK r14
        GO_%1
        READ_CLOCK r15
        ret
%endmacro

SECTION .text align=16
        DOOR    syscall
        DOOR    int2e
        DOOR    sysenter
        TIMED   syscall
        TIMED   int2e
        TIMED   sysenter
        TIMED   nothing

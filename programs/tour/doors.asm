; doors.asm - lib/call.asm's bare doors with a clock on both sides.
;
; out.R15 - out.R14 is what the call took, plus what timed_nothing takes, which
; has no door. The kernel keeps r12 to r15, so they can carry the times.
;
; in   rax = number; rcx, rdx, r8, r9, [rsp + 28h] ... = arguments

        bits    64
        default rel

        global  timed_syscall
        global  timed_int2e
        global  timed_sysenter
        global  timed_nothing

; The two instructions that say where to come back belong to SYSENTER.
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
        TIMED   syscall
        TIMED   int2e
        TIMED   sysenter
        TIMED   nothing

; doors.asm - the same call by a door of the caller's choice.
;
;   ULONG_PTR NtwCallSyscall(ULONG number, ...);
;   ULONG_PTR NtwCallInt2e(ULONG number, ...);
;   ULONG_PTR NtwCallSysenter(ULONG number, ...);
;
; What follows the number are the service's arguments, as many as it has. They
; need not be copied: the kernel looks for argument 5 at [rsp + 28h], and with
; the return address taken off the stack that is where this call's sixth is.
; The return address waits in rbx, rbx in the first home slot.
;
; in   ecx = number; rdx, r8, r9, [rsp + 28h] ... = arguments 1, 2, 3, 4 ...
; out  rax = the service's result
;
; NT: has no such routines; its stubs choose for themselves.

        bits    64
        default rel

        global  NtwCallSyscall
        global  NtwCallInt2e
        global  NtwCallSysenter

SECTION .text align=16

%macro  TAKE_ARGUMENTS 0
        pop     rax
        mov     [rsp], rbx
        mov     rbx, rax
        mov     eax, ecx
        mov     r10, rdx
        mov     rdx, r8
        mov     r8, r9
        mov     r9, [rsp + 20h]
%endmacro

%macro  RETURN 0
        mov     rcx, rbx
        mov     rbx, [rsp]
        push    rcx
        ret
%endmacro

        align   16
NtwCallSyscall:
        TAKE_ARGUMENTS
        syscall
        RETURN

        align   16
NtwCallInt2e:
        TAKE_ARGUMENTS
        int     2Eh
        RETURN

; SYSENTER saves nothing, so the caller says where it wants to come back:
; rip in rcx, rsp in r11 (arch/amd64/entry/sysenter.asm).
        align   16
NtwCallSysenter:
        TAKE_ARGUMENTS
        lea     rcx, [.back]
        mov     r11, rsp
        sysenter
.back:
        RETURN

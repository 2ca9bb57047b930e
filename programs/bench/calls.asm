; calls.asm - calls that C cannot make: by a door of one's choice, with stack
; arguments that nobody copies, and the doors alone, for a kernel that leads
; them straight back (tests/kernel/bare.asm).
;
; in   rcx = service number (not for the doors alone)
; lost what a service's caller loses

        bits    64
        default rel

        global  call_syscall
        global  call_int2e
        global  call_sysenter
        global  call_with_4
        global  call_with_9
        global  call_with_14
        global  door_syscall
        global  door_int2e
        global  door_sysenter

USER_RFLAGS     equ 202h                ; interrupts on
FIRST_ON_STACK  equ 28h                 ; above the return address, home slots
FRAME           equ FIRST_ON_STACK + 10 * 8

SECTION .text align=16

; The shortest stub that each door allows.
        align   16
call_syscall:
        mov     r10, rcx
        mov     eax, ecx
        syscall
        ret

        align   16
call_int2e:
        mov     r10, rcx
        mov     eax, ecx
        int     2Eh
        ret

        align   16
call_sysenter:
        mov     r10, rcx
        mov     eax, ecx
        lea     rcx, [.back]
        mov     r11, rsp
        sysenter
.back:
        ret

; One instruction for each argument on the stack, and nothing else that
; differs.
%macro  CALL_WITH 1
        align   16
call_with_ %+ %1:
        sub     rsp, FRAME
%assign n 0
%rep    %1 - 4
        mov     qword [rsp + FIRST_ON_STACK + n * 8], n
%assign n n + 1
%endrep
        mov     r10, rcx
        mov     eax, ecx
        syscall
        add     rsp, FRAME
        ret
%endmacro

        CALL_WITH 4
        CALL_WITH 9
        CALL_WITH 14

; The door and nothing else.
        align   16
door_syscall:
        syscall
        ret

        align   16
door_int2e:
        int     2Eh
        ret

        align   16
door_sysenter:
        lea     rcx, [.back]
        mov     r11, rsp
        sysenter
.back:
        ret

; tests/kernel/bare.asm - doors that lead straight back to ring 3: what any
; kernel pays that has them (programs/bench).
;
; bare.c puts them in the place of rooms 2 to 5, for a thread that knows.
; NAME_gs exchanges gs twice and stands on the thread's kernel stack meanwhile.

%include "arch/macros.inc"

USER_RFLAGS     equ 202h

section .text progbits alloc exec nowrite align=16

global bare_syscall
bare_syscall:
        o64 sysret

global bare_syscall_gs
bare_syscall_gs:
        swapgs
        mov     [PCR(UserRsp)], rsp
        mov     rsp, [PRCB(RspBase)]
; At this point: a kernel would begin.
        mov     rsp, [PCR(UserRsp)]
        swapgs
        o64 sysret

; The gate has changed the stack.
global bare_int2e
bare_int2e:
        iretq

global bare_int2e_gs
bare_int2e_gs:
        swapgs
        swapgs
        iretq

; SYSEXIT to 64-bit code does not fit the selectors (sysenter.asm); rcx and r11
; are rip and rsp of ring 3.
global bare_sysenter
bare_sysenter:
        mov     rsp, r11
        mov     r11d, USER_RFLAGS
        o64 sysret

global bare_sysenter_gs
bare_sysenter_gs:
        swapgs
        mov     rsp, [rsp]
        mov     rsp, r11
        mov     r11d, USER_RFLAGS
        swapgs
        o64 sysret

; 32-bit code: edx = eip and ecx = esp of ring 3. STI holds for one more
; instruction.
global bare_sysenter32
bare_sysenter32:
        sti
        sysexit

global bare_sysenter32_gs
bare_sysenter32_gs:
        swapgs
        mov     rsp, [rsp]
        swapgs
        sti
        sysexit

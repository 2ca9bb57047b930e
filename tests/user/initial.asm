; initial.asm - a thread's first instructions, for initial.c: everything it
; finds goes to `found`, then it waits for its end.

        bits    64
        default rel

        global  look_around
        global  found
        global  found_all

; initial.c's struct found.
        struc   FOUND
.general:       resq 16                 ; as in a CONTEXT
.flags:         resq 1
.self:          resq 1
.selectors:     resw 4
                resq 1
.xsave:         resb 1024
        endstruc

CPUID_OSXSAVE   equ 1 << 27             ; of CPUID 1, in ecx

SECTION .bss align=64
        resb    64 - FOUND.xsave % 64   ; XSAVE wants 64 bytes
found:  resb    FOUND_size
found_all:      resd 1

SECTION .text align=16

look_around:
        mov     [found + FOUND.general + 0 * 8], rax
        mov     [found + FOUND.general + 1 * 8], rcx
        mov     [found + FOUND.general + 2 * 8], rdx
        mov     [found + FOUND.general + 3 * 8], rbx
        mov     [found + FOUND.general + 4 * 8], rsp
        mov     [found + FOUND.general + 5 * 8], rbp
        mov     [found + FOUND.general + 6 * 8], rsi
        mov     [found + FOUND.general + 7 * 8], rdi
        mov     [found + FOUND.general + 8 * 8], r8
        mov     [found + FOUND.general + 9 * 8], r9
        mov     [found + FOUND.general + 10 * 8], r10
        mov     [found + FOUND.general + 11 * 8], r11
        mov     [found + FOUND.general + 12 * 8], r12
        mov     [found + FOUND.general + 13 * 8], r13
        mov     [found + FOUND.general + 14 * 8], r14
        mov     [found + FOUND.general + 15 * 8], r15
        pushfq
        pop     qword [found + FOUND.flags]
        mov     rax, [gs:30h]
        mov     [found + FOUND.self], rax
        mov     [found + FOUND.selectors + 0], ds
        mov     [found + FOUND.selectors + 2], es
        mov     [found + FOUND.selectors + 4], fs
        mov     [found + FOUND.selectors + 6], gs
        mov     eax, 1
        cpuid
        test    ecx, CPUID_OSXSAVE
        jz      .legacy
        mov     eax, 7                          ; x87, SSE, AVX
        xor     edx, edx
        xsave   [found + FOUND.xsave]
        jmp     .all
.legacy:
        fxsave  [found + FOUND.xsave]
.all:
        mov     dword [found_all], 1
.wait:
        pause
        jmp     .wait

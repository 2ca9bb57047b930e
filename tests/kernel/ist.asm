; tests/kernel/ist.asm - the vectors of entry/ist.asm, raised where the test
; wants them: with every register known, and at SYSCALL's first instruction.

%include "arch/macros.inc"
%include "../../programs/lib/nonvolatile.inc"

MSR_MCG_STATUS  equ 17Ah
RIPV_AND_MCIP   equ 5

extern ki_panic_stack_top
extern ki_mca_stack_top
extern ki_nmi_stack_top
extern ki_debug_stack_top

; What is read and written here, ring 3's page tables must have, too: the word
; above the one that tells whether an IST stack is in use is nobody's.
%define SPARE(stack) rel ki_ %+ stack %+ _stack_top + 8
%define IST_DOOR SPARE(panic)           ; where SYSCALL leads otherwise
%define KEPT_RAX SPARE(mca)
%define KEPT_RCX SPARE(nmi)
%define KEPT_RDX SPARE(debug)

section .kvas.test progbits alloc exec nowrite align=16

; As if the vector came here: gs, rsp and CR3 are still ring 3's.
global ist_door_nmi
ist_door_nmi:
        int     2
        jmp     [IST_DOOR]

global ist_door_debug
ist_door_debug:
        int     1
        jmp     [IST_DOOR]

global ist_door_machine_check
ist_door_machine_check:
        mov     [KEPT_RAX], rax
        mov     [KEPT_RCX], rcx
        mov     [KEPT_RDX], rdx
        mov     ecx, MSR_MCG_STATUS
        mov     eax, RIPV_AND_MCIP
        xor     edx, edx
        wrmsr
        mov     rax, [KEPT_RAX]
        mov     rcx, [KEPT_RCX]
        mov     rdx, [KEPT_RDX]
        int     12h
        jmp     [IST_DOOR]

section .text progbits alloc exec nowrite align=16

; rcx = vector, one of RAISE's or 8, which is a push to where no stack is; with
; every register full of numbers.  Returns al = 0 if one of them, or the flags,
; was another behind it.  Interrupts off.
global ist_raise
ist_raise:
        PUSH_NONVOLATILE
        sub     rsp, SAVED_XMM + 8
        SAVE_XMM 0
        mov     [rel vector], rcx
%assign i 1
%macro FILL 1
        mov     %1, 1122334455667700h + i
%assign i i + 1
%endmacro
        FILL    rax
        FILL    rbx
        FILL    rcx
        FILL    rdx
        FILL    rsi
        FILL    rdi
        FILL    rbp
        FILL    r8
        FILL    r9
        FILL    r10
        FILL    r11
        FILL    r12
        FILL    r13
        FILL    r14
        FILL    r15
%assign i 0
%rep 16
        movq    xmm %+ i, rax
        paddq   xmm %+ i, [rel numbers + 10h * i]
%assign i i + 1
%endrep
        mov     [rel stack], rsp
%macro RAISE 1
        cmp     byte [rel vector], %1
        jne     %%other
        pushfq
        pop     qword [rel flags]
        int     %1
        jmp     .raised
%%other:
%endmacro
        RAISE   1
        RAISE   2
        RAISE   12h
        RAISE   1Fh
        RAISE   2Fh
        RAISE   0D1h
        RAISE   0E1h
        RAISE   0FFh
        mov     rsp, [rel nowhere]
        push    rax
.raised:
        pushfq
        pop     qword [rel flags_behind]
        cmp     [rel stack], rsp
        jne     .another
        mov     rsp, [rel stack]
%assign i 1
%macro COMPARE 1
        push    rax
        mov     rax, 1122334455667700h + i
        cmp     %1, rax
        pop     rax
        jne     .another
%assign i i + 1
%endmacro
        push    rbx
        mov     rbx, 1122334455667701h
        cmp     rax, rbx
        pop     rbx
        jne     .another
%assign i 2
        COMPARE rbx
        COMPARE rcx
        COMPARE rdx
        COMPARE rsi
        COMPARE rdi
        COMPARE rbp
        COMPARE r8
        COMPARE r9
        COMPARE r10
        COMPARE r11
        COMPARE r12
        COMPARE r13
        COMPARE r14
        COMPARE r15
%assign i 0
%rep 16
        psubq   xmm %+ i, [rel numbers + 10h * i]
        movq    rcx, xmm %+ i
        cmp     rcx, rax
        jne     .another
%assign i i + 1
%endrep
        mov     rax, [rel flags]
        cmp     rax, [rel flags_behind]
        jne     .another
        mov     eax, 1
        jmp     .end
.another:
        mov     rsp, [rel stack]
        xor     eax, eax
.end:
        RESTORE_XMM 0
        add     rsp, SAVED_XMM + 8
        POP_NONVOLATILE
        ret

; A function that leaves nothing as it was that C may change, and MXCSR.
global ist_change_volatile
ist_change_volatile:
        ldmxcsr [rel another_mxcsr]
%assign i 0
%rep 6
        pcmpeqd xmm %+ i, xmm %+ i
%assign i i + 1
%endrep
        mov     rax, -1
        mov     rcx, rax
        mov     rdx, rax
        mov     r8, rax
        mov     r9, rax
        mov     r10, rax
        mov     r11, rax
        ret

section .bss
        align   8
vector: resq    1
stack:  resq    1
flags:  resq    1
flags_behind:
        resq    1

section .rodata
nowhere:
        dq      0FFFFC00000000000h
another_mxcsr:
        dd      1FC0h
        align   16
numbers:
%assign i 0
%rep 16
        dq      i * 1000h, i
%assign i i + 1
%endrep

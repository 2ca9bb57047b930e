; instrument.asm - an instrumentation callback that notes every return.

        bits    64
        default rel

        global  note_return
        global  start_thunk
        global  start_registers
        extern  log_count
        extern  log_entries

; struct entry of instrument.c
LOG_MASK        equ 1023
ENTRY_SIZE      equ 32
TEB_THREAD      equ 48h

SECTION .text align=16

; r10 = where ring 3 goes on, rsp as it is there, rax a service's status.  What
; starts in ring 3 may have arguments in any other register.
note_return:
        push    rax
        push    rbx
        push    rcx
        mov     ecx, 1
        lock xadd [log_count], ecx
        and     ecx, LOG_MASK
        shl     ecx, 5
        lea     rbx, [log_entries]
        add     rbx, rcx
        mov     [rbx], r10
        mov     [rbx + 8], rax
        lea     rax, [rsp + 24]
        mov     [rbx + 16], rax
        mov     rax, [gs:TEB_THREAD]
        mov     [rbx + 24], rax
        pop     rcx
        pop     rbx
        pop     rax
        cmp     r10, [start_thunk]
        jne     .going
        mov     [start_registers], r12
        mov     [start_registers + 8], r13
        mov     [start_registers + 10h], r14
        mov     [start_registers + 18h], r15
.going: jmp     r10

; Where threads start, and what the last one has found in r12 to r15.
SECTION .data align=8
start_thunk:    dq 0
start_registers: times 4 dq -1

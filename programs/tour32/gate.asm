; gate.asm - from 32-bit code to 64-bit code and back ("heaven's gate").
;
; One process, one thread, one stack: only cs changes, from 1Bh to 2Bh, and
; with it what the processor takes the next bytes for. Nobody asks the kernel.
;
; By jumps: QEMU's far CALL and RET use the stack as if ring 0 did, and SMAP
; forbids that.

        bits    32

        global  _gate_call
        global  _gate_jump

KGDT_R3_CODE    equ 1Bh
KGDT64_R3_CODE  equ 2Bh

struc GATE
.number:        resq 1                          ; of the service, Windows 10's
.argument:      resq 1
.wide:          resq 1                          ; r15 during the call
.wide_after:    resq 1
.cs:            resq 1
.teb:           resq 1                          ; gs:[30h]
.rsp:           resq 1
.status:        resq 1
.rcx:           resq 1
.behind:        resq 1                          ; the address behind SYSCALL
endstruc

SECTION .text align=16

; in   [esp + 4] = GATE record
        align   16
_gate_call:
        push    ebx
        push    ebp
        push    esi
        push    edi
        mov     ebp, [esp + 14h]
_gate_jump:
        jmp     KGDT64_R3_CODE:through
back:
        pop     edi
        pop     esi
        pop     ebp
        pop     ebx
        ret

        bits    64
        default rel

; At this point: 64-bit code; the upper halves of rbp and rsp are 0.
        align   16
through:
        mov     [rbp + GATE.cs], cs
        mov     rax, [gs:abs 30h]
        mov     [rbp + GATE.teb], rax
        mov     [rbp + GATE.rsp], rsp
        mov     r15, [rbp + GATE.wide]
        mov     r10, [rbp + GATE.argument]
        mov     rax, [rbp + GATE.number]
        syscall
.behind:
        mov     [rbp + GATE.status], rax
        mov     [rbp + GATE.rcx], rcx
        mov     [rbp + GATE.wide_after], r15
        lea     rax, [.behind]
        mov     [rbp + GATE.behind], rax
        jmp     dword far [way_back]

        align   8
way_back:
        dd      back
        dw      KGDT_R3_CODE

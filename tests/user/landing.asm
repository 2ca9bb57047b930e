; landing.asm - go through NtContinue and look at every register on arrival;
; and the doors as single instructions, for RF and TF.

        bits    64
        default rel

        extern  NtContinue
        global  continue_and_land
        global  landing

%include "../../programs/lib/call.inc"
%include "../../programs/lib/nonvolatile.inc"

SECTION .bss align=16
kept_rsp: resq  1
arrival: resq   1
scratch: resq   1

SECTION .text align=16

; NTSTATUS continue_and_land(CONTEXT *, struct registers *)
;
; in   rcx = context whose Rip is landing, rdx = where registers go
; out  rax = NtContinue's status if it came back, 103h after a landing
continue_and_land:
        PUSH_NONVOLATILE
        sub     rsp, SAVED_XMM + 20h + 8
        SAVE_XMM 20h
        mov     [kept_rsp], rsp
        mov     [arrival], rdx
        xor     edx, edx
        call    NtContinue
        jmp     back

; At this point: all registers are the context's.
landing:
        mov     [scratch], rax
        mov     rax, [arrival]
        mov     [rax + REGS.Rsp], rsp
        mov     rsp, [kept_rsp]
        pushfq
        pop     qword [rax + REGS.Rflags]
        push    202h
        popfq
        mov     [rax + REGS.Rcx], rcx
        mov     rcx, [scratch]
        mov     [rax + REGS.Rax], rcx
        mov     [rax + REGS.Rdx], rdx
        mov     [rax + REGS.Rbx], rbx
        mov     [rax + REGS.Rbp], rbp
        mov     [rax + REGS.Rsi], rsi
        mov     [rax + REGS.Rdi], rdi
        mov     [rax + REGS.R8], r8
        mov     [rax + REGS.R9], r9
        mov     [rax + REGS.R10], r10
        mov     [rax + REGS.R11], r11
        mov     [rax + REGS.R12], r12
        mov     [rax + REGS.R13], r13
        mov     [rax + REGS.R14], r14
        mov     [rax + REGS.R15], r15
        stmxcsr [rax + REGS.unused]
%assign i 0
%rep 16
        movaps  [rax + REGS.Xmm + i * 16], xmm %+ i
%assign i i + 1
%endrep
        push    1F80h
        ldmxcsr [rsp]
        pop     rcx
        mov     eax, 103h                       ; STATUS_PENDING: it landed
back:
        RESTORE_XMM 20h
        add     rsp, SAVED_XMM + 20h + 8
        POP_NONVOLATILE
        ret

; A door that NtContinue goes to: what comes back from it lands.
; SYSENTER's rcx and r11 are the context's.
;
; LANDING_DOOR name, instruction
%macro  LANDING_DOOR 2+
        global  %1
%1:
        %2
        jmp     landing
%endmacro

        LANDING_DOOR land_by_syscall, syscall
        LANDING_DOOR land_by_int2e, int 2Eh
        LANDING_DOOR land_by_sysenter, sysenter

; A door with TF set by the instruction before it.
;
; STEPPED_DOOR name, instruction
%macro  STEPPED_DOOR 2+
        global  %1
        global  %1_behind
%1:
        mov     eax, 0FFFh
        lea     rcx, [%1_behind]
        mov     r11, rsp
        pushfq
        or      dword [rsp], 100h
        popfq
        %2
%1_behind:
        nop
        ret
%endmacro

        STEPPED_DOOR step_syscall, syscall
        STEPPED_DOOR step_int2e, int 2Eh
        STEPPED_DOOR step_sysenter, sysenter

; come_back_by_sysenter(number, argument 1, rip, rsp)
        global  come_back_by_sysenter
come_back_by_sysenter:
        mov     eax, ecx
        mov     r10, rdx
        mov     rcx, r8
        mov     r11, r9
        sysenter

        global  push_and_return
push_and_return:
        push    rax
        pop     rax
        ret

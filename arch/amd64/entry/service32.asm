; arch/amd64/entry/service32.asm - room 3: for 32-bit code.
;
; Both of XP's doors lead here.  What XP's KiFastCallEntry does from here on
; (number, table, the arguments' copy, the call) is C: every argument changes
; its size on the way, and nothing of it is Windows 10's (kernel/wow64).
;
; On entry: rbp = frame + 80h with SegCs = KGDT_R3_CODE, complete but for what
; BEGIN_SERVICE does; eax = number, rdx = where the arguments begin, 32 bits;
; interrupts off.

%include "arch/macros.inc"

extern KiSaveDebugRegisterState
extern wow64_system_service
extern KiServiceExit

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

global ki_system_service32
ki_system_service32:
        CFI_SERVICE_FRAME
        mov     [FRAME(Rdx)], rdx
        BEGIN_SERVICE
        mov     [rbx + KTHREAD.FirstArgument], rdx
        mov     [rbx + KTHREAD.SystemCallNumber], eax
        mov     [rbx + KTHREAD.TrapFrame], rsp
        mov     ecx, eax
        call    wow64_system_service            ; (number, arguments)
        jmp     KiServiceExit

; rcx = routine, rdx = its arguments, 8 bytes each, r8d = how many: the call
; that a C compiler makes when it knows them.  Returns what the routine does.
HOME_SLOTS      equ 4

global arch_call_service
arch_call_service:
        CFI_RETURN
        push    rbp
        CFI_RETURN 8
        mov     rbp, rsp
        CFI_RBP
        mov     r10, rcx
        mov     eax, HOME_SLOTS
        cmp     r8d, eax
        cmovb   r8d, eax
        lea     eax, [r8 + 1]
        and     eax, -2                         ; rsp stays a multiple of 16
        shl     eax, 3
        sub     rsp, rax
        mov     rax, rdx
.argument:
        dec     r8d
        mov     r9, [rax + r8 * 8]
        mov     [rsp + r8 * 8], r9
        jnz     .argument
        mov     rcx, [rsp]
        mov     rdx, [rsp + 8]
        mov     r8, [rsp + 10h]
        mov     r9, [rsp + 18h]
        call    r10                             ; room 4
        leave
        CFI_RETURN
        ret

CFI_END

; dispatch.asm - room 7: where the kernel enters ring 3 on its own.
;
; Nobody calls these routines: the kernel sets rip to them. So there is no
; return address on the stack, rsp may be any multiple of 8, and leaving is
; possible only by a system call.

        bits    64
        default rel

        extern  ldr_initialize
        extern  NtCallbackReturn
        extern  NtContinue
        extern  NtContinueEx
        extern  RtlExitUserThread
        extern  RtlRaiseStatus
        global  KiUserApcDispatcher
        global  KiUserCallbackDispatcher
        global  LdrInitializeThunk
        global  RtlUserThreadStart

SECTION .text align=16

; A thread's first instruction in ring 3.
;
; in   rcx = CONTEXT the thread is to start with, on its stack
;      rdx = base of ntdll.dll
;
; The thread begins below its future: NtContinue(CONTEXT) drops everything
; that was pushed here.
        align   16
LdrInitializeThunk:
        and     rsp, -16
        sub     rsp, 20h                        ; home slots
        mov     rbx, rcx
        mov     rcx, rdx
        call    ldr_initialize                  ; comes back if all is well
        mov     rcx, rbx
        mov     edx, 1                          ; TestAlert
        call    NtContinue
        mov     ecx, eax                        ; a bad CONTEXT came back
        call    RtlRaiseStatus
        int3

; The instruction pointer of that CONTEXT.
;
; in   rcx = start routine, rdx = its parameter (a process's first thread:
;      the entry point of the program, and the PEB)
;
; NT: calls through BaseThreadInitThunk where kernel32.dll is loaded; native
; programs are called directly, as here. The result is the exit status.
        align   16
RtlUserThreadStart:
        and     rsp, -16
        sub     rsp, 20h
        mov     rax, rcx
        mov     rcx, rdx
        call    rax
        mov     ecx, eax
        call    RtlExitUserThread
        int3

PEB_OF_TEB            equ 60h
KERNEL_CALLBACK_TABLE equ 58h                   ; PEB's

CALLOUT_BUFFER  equ 20h                         ; UCALLOUT_FRAME's, behind
CALLOUT_LENGTH  equ 28h                         ; the home slots
CALLOUT_API     equ 2Ch

; The kernel calls a routine of the program's table, in the middle of a system
; service (KeUserModeCallback).
;
; in   rsp -> UCALLOUT_FRAME, whose home slots are the routine's
;
; The routine takes the buffer in rcx and its length in edx. One that returns
; has a status and no result; others call NtCallbackReturn themselves.
        align   16
KiUserCallbackDispatcher:
        mov     rcx, [rsp + CALLOUT_BUFFER]
        mov     edx, [rsp + CALLOUT_LENGTH]
        mov     r8d, [rsp + CALLOUT_API]
        mov     rax, [gs:PEB_OF_TEB]
        mov     r9, [rax + KERNEL_CALLBACK_TABLE]
        call    [r9 + r8 * 8]
        xor     ecx, ecx
        xor     edx, edx
        mov     r8d, eax
        call    NtCallbackReturn
        mov     ecx, eax                        ; nobody waits for a result
        call    RtlRaiseStatus
        int3

; A user APC. The kernel has left on the stack what it interrupted:
;
; in   [rsp]        = CONTEXT; in its home slots P1Home, P2Home, P3Home the
;                     arguments, in P4Home the routine
;      [rsp + 4F0h] = KCONTINUE_ARGUMENT
;      [rsp + 510h] = MACHINE_FRAME
;
; The routine's fourth argument is the CONTEXT: what it changes there, the
; interrupted code gets. Its home slots are the same as those above.
APC_CONTINUE    equ 4F0h
APC_MACHINE_FRAME equ 510h

        align   16
KiUserApcDispatcher:
        mov     rcx, [rsp]
        mov     rdx, [rsp + 8]
        mov     r8, [rsp + 10h]
        mov     r9, rsp
        call    [rsp + 18h]
        mov     rcx, rsp
        lea     rdx, [rsp + APC_CONTINUE]
        call    NtContinueEx
        nop
        mov     ecx, eax                        ; a bad CONTEXT came back
        call    RtlRaiseStatus
        int3
apc_dispatcher_end:

; For who unwinds the routine: the caller's rip and rsp are in MACHINE_FRAME,
; and the non-volatile registers are still the interrupted code's.
UNWIND_VERSION  equ 1
UWOP_ALLOC_LARGE equ 1
UWOP_PUSH_MACHFRAME equ 10

SECTION .xdata rdata align=8
apc_unwind:
        db      UNWIND_VERSION, 0, 3, 0         ; no prologue; three slots
        db      0, UWOP_ALLOC_LARGE
        dw      APC_MACHINE_FRAME / 8
        db      0, UWOP_PUSH_MACHFRAME
        dw      0

SECTION .pdata rdata align=4
        dd      KiUserApcDispatcher wrt ..imagebase
        dd      apc_dispatcher_end wrt ..imagebase
        dd      apc_unwind wrt ..imagebase

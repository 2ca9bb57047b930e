; dispatch.asm - room 7: where the kernel enters 32-bit ring 3 on its own.
;
; Nobody calls these routines: the kernel sets eip to them.
;
; NT: XP starts a thread with a user APC whose routine is LdrInitializeThunk.
; So its first instruction is KiUserApcDispatcher's, and the CONTEXT that an
; APC interrupts is here the one that the thread is to start with.

        bits    32

        extern  _ldr_initialize
        extern  _NtCallbackReturn@12
        extern  _NtContinue@8
        extern  _RtlExitUserThread@4
        extern  _RtlRaiseStatus@4
        global  _KiUserApcDispatcher@16
        global  _KiUserCallbackDispatcher@12
        global  _LdrInitializeThunk@12
        global  _RtlUserThreadStart@8

SECTION .text align=16

; in   [esp]       = NormalRoutine, stdcall, which takes the next three
;      [esp + 4]   = NormalContext, SystemArgument1, SystemArgument2
;      [esp + 10h] = CONTEXT to go on with
;
; NT: byte for byte XP's, up to the NOP.
        align   16
_KiUserApcDispatcher@16:
        lea     edi, [esp + 10h]
        pop     eax
        call    eax

        ; At this point: the CONTEXT is all that is left on the stack.
        push    1                               ; TestAlert
        push    edi
        call    _NtContinue@8
        nop
        push    eax                             ; a bad CONTEXT came back
        call    _RtlRaiseStatus@4
        int3

; The normal routine of a thread's first APC.
;
; in   [esp + 4] = NormalContext, nothing
;      [esp + 8] = SystemArgument1, base of ntdll.dll
;      [esp + 0Ch] = SystemArgument2, nothing
        align   16
_LdrInitializeThunk@12:
        push    dword [esp + 8]
        call    _ldr_initialize                 ; comes back if all is well
        add     esp, 4
        ret     12

; The instruction pointer of that CONTEXT.
;
; in   eax = start routine, ebx = its parameter (a process's first thread: the
;      entry point of the program, and the PEB)
;
; NT: in XP BaseProcessStart of kernel32.dll does this, and ntdll has no such
; routine before Windows Vista; here there is no kernel32.dll. The result is
; the exit status. A routine that leaves its argument on the stack does no
; harm.
        align   16
_RtlUserThreadStart@8:
        xor     ebp, ebp                        ; debuggers stop here
        push    ebx
        call    eax
        push    eax
        call    _RtlExitUserThread@4
        int3

TEB_SELF              equ 18h
PEB_OF_TEB            equ 30h
KERNEL_CALLBACK_TABLE equ 2Ch                   ; PEB's

; The kernel calls a routine of the program's table, in the middle of a system
; service (KeUserModeCallback).
;
; in   [esp]     = nothing, where a return address would be
;      [esp + 4] = index into PEB.KernelCallbackTable
;      [esp + 8], [esp + 0Ch] = buffer and length, which the routine takes
;
; A routine that returns has a status and no result; others call
; NtCallbackReturn themselves.
;
; NT: XP says so by INT 2Bh, which does the same.
        align   16
_KiUserCallbackDispatcher@12:
        add     esp, 4
        pop     edx
        mov     eax, [fs:TEB_SELF]
        mov     eax, [eax + PEB_OF_TEB]
        mov     eax, [eax + KERNEL_CALLBACK_TABLE]
        call    [eax + edx * 4]
        push    eax
        push    0
        push    0
        call    _NtCallbackReturn@12
        push    eax                             ; nobody waits for a result
        call    _RtlRaiseStatus@4
        int3

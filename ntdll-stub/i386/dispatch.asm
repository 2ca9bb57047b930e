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
        extern  _NtRaiseException@12
        extern  _RtlDispatchException@8
        extern  _RtlExitUserThread@4
        extern  _RtlRaiseException@4
        extern  _RtlRaiseStatus@4
        extern  _thread_exception
        global  _KiRaiseUserExceptionDispatcher@0
        global  _KiUserApcDispatcher@16
        global  _KiUserCallbackDispatcher@12
        global  _KiUserExceptionDispatcher@8
        global  _LdrInitializeThunk@12
        global  _RtlUserThreadStart@8

EXCEPTION_LIST        equ 0                     ; TEB's
TEB_SELF              equ 18h
PEB_OF_TEB            equ 30h
EXCEPTION_CODE        equ 1A4h
KERNEL_CALLBACK_TABLE equ 2Ch                   ; PEB's

; EXCEPTION_RECORD
struc   RECORD
.code           resd 1
.flags          resd 1
.record         resd 1
.address        resd 1
.parameters     resd 1
.information    resd 15
endstruc
EXCEPTION_NONCONTINUABLE equ 1

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
; harm. The oldest handler of the chain is the one who hears of exceptions
; that nobody wants.
        align   16
_RtlUserThreadStart@8:
        xor     ebp, ebp                        ; debuggers stop here
        push    _thread_exception
        push    dword [fs:EXCEPTION_LIST]
        mov     [fs:EXCEPTION_LIST], esp
        push    ebx
        call    eax
        push    eax
        call    _RtlExitUserThread@4
        int3

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

; An exception of ring 3: by the processor, or by NtRaiseException.
;
; in   [esp]     = EXCEPTION_RECORD
;      [esp + 4] = CONTEXT to go on with; both lie above, on this stack
;
; The kernel has one more chance for it when no handler wants it.
;
; NT: begins with XP's bytes, up to the call.
        align   16
_KiUserExceptionDispatcher@8:
        mov     ecx, [esp + 4]
        mov     ebx, [esp]
        push    ecx
        push    ebx
        call    _RtlDispatchException@8
        or      al, al
        jz      .unhandled
        pop     ebx
        pop     ecx
        push    0                               ; TestAlert
        push    ecx
        call    _NtContinue@8
        jmp     .failed
.unhandled:
        pop     ebx
        pop     ecx
        push    0                               ; FirstChance
        push    ecx
        push    ebx
        call    _NtRaiseException@12

        ; At this point: the CONTEXT or the record was not to the kernel's
        ; liking; eax says why, ebx is the record.
.failed:
        sub     esp, RECORD_size
        mov     [esp + RECORD.code], eax
        mov     dword [esp + RECORD.flags], EXCEPTION_NONCONTINUABLE
        mov     [esp + RECORD.record], ebx
        mov     dword [esp + RECORD.parameters], 0
        push    esp
        call    _RtlRaiseException@4
        int3

; A system service failed, and its caller is to have an exception instead.
;
; in   [esp] = where the service would have returned to
;      TEB.ExceptionCode = its status
; out  eax = the status, for whoever continues the exception
        align   16
_KiRaiseUserExceptionDispatcher@0:
        push    ebp
        mov     ebp, esp
        sub     esp, RECORD_size
        mov     eax, [fs:TEB_SELF]
        mov     eax, [eax + EXCEPTION_CODE]
        mov     [esp + RECORD.code], eax
        mov     dword [esp + RECORD.flags], 0
        mov     dword [esp + RECORD.record], 0
        mov     dword [esp + RECORD.parameters], 0
        mov     eax, esp
        push    eax
        call    _RtlRaiseException@4
        mov     eax, [esp + RECORD.code]
        mov     esp, ebp
        pop     ebp
        ret

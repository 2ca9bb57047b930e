; dispatch.asm - room 7: where the kernel enters ring 3 on its own.
;
; Nobody calls these routines: the kernel sets rip to them. So there is no
; return address on the stack, rsp may be any multiple of 8, and leaving is
; possible only by a system call.

        bits    64
        default rel

        extern  __C_specific_handler
        extern  ldr_initialize
        extern  NtCallbackReturn
        extern  NtContinue
        extern  NtContinueEx
        extern  NtRaiseException
        extern  NtTerminateProcess
        extern  RtlDispatchException
        extern  RtlExitUserThread
        extern  RtlRaiseStatus
        extern  RtlRestoreContext
        extern  rtl_filter_unhandled
        extern  rtl_raise_user_exception
        global  KiRaiseUserExceptionDispatcher
        global  KiUserApcDispatcher
        global  KiUserCallbackDispatcher
        global  KiUserExceptionDispatcher
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
        push    0                               ; nobody has called
        sub     rsp, 28h                        ; home slots
; (No label: debuggers would take it for the function's name.)
THUNK_BODY equ $ - LdrInitializeThunk
        mov     rbx, rcx
        mov     rcx, rdx
        call    ldr_initialize                  ; comes back if all is well
        mov     rcx, rbx
        mov     edx, 1                          ; TestAlert
        call    NtContinue
        mov     ecx, eax                        ; a bad CONTEXT came back
        call    RtlRaiseStatus
        int3
THUNK_SIZE equ $ - LdrInitializeThunk

; The instruction pointer of that CONTEXT.
;
; in   rcx = start routine, rdx = its parameter (a process's first thread:
;      the entry point of the program, and the PEB)
;
; NT: calls through BaseThreadInitThunk where kernel32.dll is loaded; native
; programs are called directly, as here. The result is the exit status.
;
; An exception that the routine does not handle comes to the filter that
; RtlSetUnhandledExceptionFilter has set. EXCEPTION_EXECUTE_HANDLER ends the
; process with the exception's code.
        align   16
RtlUserThreadStart:
        and     rsp, -16
        push    0                               ; nobody has called
        sub     rsp, 28h
THREAD_BODY equ $ - RtlUserThreadStart
        mov     rax, rcx
        mov     rcx, rdx
        call    rax
        mov     ecx, eax
        call    RtlExitUserThread
        int3
THREAD_EXCEPT equ $ - RtlUserThreadStart
        mov     edx, eax
        or      rcx, -1                         ; NtCurrentProcess()
        call    NtTerminateProcess
        int3
THREAD_SIZE equ $ - RtlUserThreadStart

PEB_OF_TEB            equ 60h
KERNEL_CALLBACK_TABLE equ 58h                   ; PEB's

CALLOUT_BUFFER  equ 20h                         ; UCALLOUT_FRAME's, behind
CALLOUT_LENGTH  equ 28h                         ; the home slots
CALLOUT_API     equ 2Ch
CALLOUT_MACHINE_FRAME equ 30h

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
CALLBACK_DISPATCHER_SIZE equ $ - KiUserCallbackDispatcher

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
APC_DISPATCHER_SIZE equ $ - KiUserApcDispatcher

; An exception. The kernel has left on the stack:
;
; in   [rsp]        = CONTEXT
;      [rsp + 4F0h] = EXCEPTION_RECORD
;      [rsp + 590h] = MACHINE_FRAME
;
; The CONTEXT's home slots are those of the routines called here.
EXCEPTION_RECORD equ 4F0h
EXCEPTION_MACHINE_FRAME equ 590h

        align   16
KiUserExceptionDispatcher:
        cld
        lea     rcx, [rsp + EXCEPTION_RECORD]
        mov     rdx, rsp
        call    RtlDispatchException
        test    al, al
        jz      .second_chance
        mov     rcx, rsp
        xor     edx, edx
        call    RtlRestoreContext
.second_chance:
        lea     rcx, [rsp + EXCEPTION_RECORD]
        mov     rdx, rsp
        xor     r8d, r8d
        call    NtRaiseException
        mov     ecx, eax                        ; a bad record or CONTEXT
        call    RtlRaiseStatus
        int3
EXCEPTION_DISPATCHER_SIZE equ $ - KiUserExceptionDispatcher

; The kernel ends a system service here instead of behind its SYSCALL.
;
; in   [rsp] = return address of the service's stub
; out  eax = status, when the exception has been handled
        align   16
KiRaiseUserExceptionDispatcher:
        sub     rsp, 28h
RAISE_BODY equ $ - KiRaiseUserExceptionDispatcher
        call    rtl_raise_user_exception
        nop
        add     rsp, 28h
        ret
RAISE_SIZE equ $ - KiRaiseUserExceptionDispatcher

; Where a MACHINE_FRAME is, the non-volatile registers are still those of the
; interrupted code. (KiUserCallbackDispatcher's is the kernel's word, too, but
; a callback begins with registers of its own: nobody should unwind so far.)
UNWIND_VERSION  equ 1
UNW_FLAG_EHANDLER equ 1 << 3
UWOP_ALLOC_LARGE equ 1
UWOP_ALLOC_SMALL equ 2
UWOP_PUSH_MACHFRAME equ 10

%macro SMALL 2                                  ; behind which byte, how much
        db      %1, UWOP_ALLOC_SMALL | (%2 / 8 - 1) << 4
%endmacro

; The dispatchers have no prologue.
%macro BEHIND 1                                 ; where the MACHINE_FRAME is
        db      UNWIND_VERSION, 0, 3, 0
        db      0, UWOP_ALLOC_LARGE
        dw      %1 / 8
        db      0, UWOP_PUSH_MACHFRAME
        dw      0
%endmacro

%macro FUNCTION 3                               ; begin, size, information
        dd      %1 wrt ..imagebase
        dd      %1 + %2 wrt ..imagebase
        dd      %3 wrt ..imagebase
%endmacro

SECTION .xdata rdata align=8
thunk_unwind:
        db      UNWIND_VERSION, THUNK_BODY, 1, 0
        SMALL   THUNK_BODY, 28h
        dw      0
thread_unwind:
        db      UNWIND_VERSION | UNW_FLAG_EHANDLER
        db      THREAD_BODY, 1, 0
        SMALL   THREAD_BODY, 28h
        dw      0
        dd      __C_specific_handler wrt ..imagebase
        dd      1                               ; one scope
        dd      RtlUserThreadStart + THREAD_BODY wrt ..imagebase
        dd      RtlUserThreadStart + THREAD_EXCEPT wrt ..imagebase
        dd      rtl_filter_unhandled wrt ..imagebase
        dd      RtlUserThreadStart + THREAD_EXCEPT wrt ..imagebase
callback_unwind:
        BEHIND  CALLOUT_MACHINE_FRAME
apc_unwind:
        BEHIND  APC_MACHINE_FRAME
exception_unwind:
        BEHIND  EXCEPTION_MACHINE_FRAME
raise_unwind:
        db      UNWIND_VERSION, RAISE_BODY
        db      1, 0
        SMALL   RAISE_BODY, 28h
        dw      0

SECTION .pdata rdata align=4
        FUNCTION LdrInitializeThunk, THUNK_SIZE, thunk_unwind
        FUNCTION RtlUserThreadStart, THREAD_SIZE, thread_unwind
        FUNCTION KiUserCallbackDispatcher, CALLBACK_DISPATCHER_SIZE, \
                 callback_unwind
        FUNCTION KiUserApcDispatcher, APC_DISPATCHER_SIZE, apc_unwind
        FUNCTION KiUserExceptionDispatcher, EXCEPTION_DISPATCHER_SIZE, \
                 exception_unwind
        FUNCTION KiRaiseUserExceptionDispatcher, RAISE_SIZE, raise_unwind

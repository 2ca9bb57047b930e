; handlers.asm - how an exception handler of the fs:[0] chain is called.
;
; While a handler runs, a registration record of our own is the first of the
; chain. Should the handler fault, or unwind past itself, that record's
; handler is asked before all others, and says whose call was cut short.
;
; NT: the first three names and their order are ntdll's.

        bits    32

        global  _RtlpExecuteHandlerForException@20
        global  _RtlpExecuteHandlerForUnwind@20

EXCEPTION_LIST          equ 0                   ; TEB's, at fs:0
EXCEPTION_FLAGS         equ 4                   ; EXCEPTION_RECORD's
UNWINDING               equ 6                   ; UNWINDING or EXIT_UNWIND
CONTINUE_SEARCH         equ 1
NESTED_EXCEPTION        equ 2
COLLIDED_UNWIND         equ 3

; The record on the stack of ExecuteHandler2.
struc   PROTECTOR
.next           resd 1
.handler        resd 1
.frame          resd 1                          ; whose handler is running
endstruc

SECTION .text align=16

; in   [esp + 4]  = EXCEPTION_RECORD
;      [esp + 8]  = registration record whose handler is called
;      [esp + 0Ch] = CONTEXT
;      [esp + 10h] = DISPATCHER_CONTEXT, which one of the two below may fill
;      [esp + 14h] = handler
; out  eax = its disposition; the arguments are off the stack (stdcall)
        align   16
_RtlpExecuteHandlerForException@20:
        mov     edx, on_nested_exception
        jmp     ExecuteHandler

        align   16
_RtlpExecuteHandlerForUnwind@20:
        mov     edx, on_collided_unwind

; NT: since XP SP1 a handler finds nothing in its registers that could lead it
; to other addresses.
ExecuteHandler:
        push    ebx
        push    esi
        push    edi
        xor     eax, eax
        xor     ebx, ebx
        xor     esi, esi
        xor     edi, edi
%rep 5
        push    dword [esp + 20h]               ; from the last to the first
%endrep
        call    ExecuteHandler2
        pop     edi
        pop     esi
        pop     ebx
        ret     14h

; A handler may take its arguments off the stack or leave them: esp comes from
; the chain, where the record is in front again when it returns.
ExecuteHandler2:
        push    ebp
        mov     ebp, esp
        push    dword [ebp + 0Ch]               ; PROTECTOR
        push    edx
        push    dword [fs:EXCEPTION_LIST]
        mov     [fs:EXCEPTION_LIST], esp
        push    dword [ebp + 14h]
        push    dword [ebp + 10h]
        push    dword [ebp + 0Ch]
        push    dword [ebp + 8]
        mov     ecx, [ebp + 18h]
        call    ecx
        mov     esp, [fs:EXCEPTION_LIST]
        pop     dword [fs:EXCEPTION_LIST]
        mov     esp, ebp
        pop     ebp
        ret     14h

; The protecting handlers: in and out as any handler's, arguments left alone.
;
; An exception came while another's handler ran. While the chain is unwound
; there is nothing to say.
on_nested_exception:
        mov     ecx, [esp + 4]
        mov     eax, CONTINUE_SEARCH
        test    dword [ecx + EXCEPTION_FLAGS], UNWINDING
        jz      .tell
        ret
.tell:
        mov     eax, NESTED_EXCEPTION

; The frame goes where the dispatcher, or the unwinder, looks for it.
tell_frame:
        mov     ecx, [esp + 8]
        mov     edx, [esp + 10h]
        mov     ecx, [ecx + PROTECTOR.frame]
        mov     [edx], ecx
        ret

; An unwind came while a handler was called for another one.
on_collided_unwind:
        mov     ecx, [esp + 4]
        mov     eax, COLLIDED_UNWIND
        test    dword [ecx + EXCEPTION_FLAGS], UNWINDING
        jnz     tell_frame
        mov     eax, CONTINUE_SEARCH
        ret

; except3.asm - _except_handler3: the handler of a function that has __try, as
; compilers for 32-bit Windows expect it of a C library.
;
; The function's registration record is the head of a larger one. Its scopes
; are rows of a table: the row around it, a filter and a block. Without filter
; the block is a __finally. Filters and blocks find their function's variables
; by ebp, which is the record's end.

        bits    32

        extern  _RtlUnwind@16
        global  __except_handler3

EXCEPTION_FLAGS         equ 4
UNWINDING               equ 6
CONTINUE_EXECUTION      equ 0
CONTINUE_SEARCH         equ 1

struc   FRAME
.next           resd 1
.handler        resd 1
.scopes         resd 1
.level          resd 1                          ; the innermost row, -1: none
.end:
endstruc
POINTERS                equ -4                  ; EXCEPTION_POINTERS *

struc   SCOPE
.around         resd 1
.filter         resd 1
.block          resd 1
endstruc

; The record of who unwinds a function's scopes.
struc   UNWINDER
.next           resd 1
.handler        resd 1
.frame          resd 1
.stop           resd 1
endstruc

SECTION .text align=16

; edx = the row of level esi; ebx = FRAME
%macro  ROW 0
        lea     edx, [esi + esi * 2]
        shl     edx, 2
        add     edx, [ebx + FRAME.scopes]
%endmacro

; in   [esp + 4] = EXCEPTION_RECORD, [esp + 8] = FRAME, [esp + 0Ch] = CONTEXT
__except_handler3:
        push    ebp
        mov     ebp, esp
        sub     esp, 8                          ; EXCEPTION_POINTERS
        push    ebx
        push    esi
        push    edi
        cld
        mov     ebx, [ebp + 0Ch]
        mov     eax, [ebp + 8]
        test    dword [eax + EXCEPTION_FLAGS], UNWINDING
        jnz     .unwind
        mov     [ebp - 8], eax
        mov     eax, [ebp + 10h]
        mov     [ebp - 4], eax
        lea     eax, [ebp - 8]
        mov     [ebx + POINTERS], eax
        mov     esi, [ebx + FRAME.level]
.next:
        cmp     esi, -1
        je      .search
        ROW
        mov     eax, [edx + SCOPE.filter]
        test    eax, eax
        jz      .around
        push    ebp
        lea     ebp, [ebx + FRAME.end]
        call    eax
        pop     ebp
        mov     ebx, [ebp + 0Ch]
        test    eax, eax
        jg      .execute
        jl      .continue
.around:
        ROW
        mov     esi, [edx + SCOPE.around]
        jmp     .next

; The younger frames go, then the younger scopes of this one; the block is
; entered and never comes back.
.execute:
        push    0
        push    0
        push    0
        push    ebx
        call    _RtlUnwind@16
        mov     edi, esi
        call    unwind_scopes
        ROW
        mov     eax, [edx + SCOPE.around]
        mov     [ebx + FRAME.level], eax
        lea     ebp, [ebx + FRAME.end]
        jmp     [edx + SCOPE.block]

.unwind:
        mov     edi, -1
        call    unwind_scopes
.search:
        mov     eax, CONTINUE_SEARCH
        jmp     .return
.continue:
        mov     eax, CONTINUE_EXECUTION
.return:
        pop     edi
        pop     esi
        pop     ebx
        mov     esp, ebp
        pop     ebp
        ret

; The __finally blocks of FRAME ebx, from the innermost scope to row edi, which
; is not among them. A scope is left before its block runs: should that raise,
; it does not run again, and who unwinds past this routine runs the others.
; Only eax, ecx, edx are lost.
unwind_scopes:
        push    esi
        push    edi
        push    ebx
        push    on_collision
        push    dword [fs:0]
        mov     [fs:0], esp                     ; UNWINDER
.next:
        mov     esi, [ebx + FRAME.level]
        cmp     esi, -1
        je      .done
        cmp     esi, edi
        je      .done
        ROW
        mov     eax, [edx + SCOPE.around]
        mov     [ebx + FRAME.level], eax
        cmp     dword [edx + SCOPE.filter], 0
        jne     .next
        push    ebx
        push    edi
        push    ebp
        lea     ebp, [ebx + FRAME.end]
        call    [edx + SCOPE.block]
        pop     ebp
        pop     edi
        pop     ebx
        jmp     .next
.done:
        pop     dword [fs:0]
        add     esp, 4
        pop     ebx
        pop     edi
        pop     esi
        ret

; The handler of unwind_scopes itself.
on_collision:
        mov     eax, [esp + 4]
        test    dword [eax + EXCEPTION_FLAGS], UNWINDING
        jz      .search
        push    ebx
        push    esi
        push    edi
        mov     eax, [esp + 14h]
        mov     ebx, [eax + UNWINDER.frame]
        mov     edi, [eax + UNWINDER.stop]
        call    unwind_scopes
        pop     edi
        pop     esi
        pop     ebx
.search:
        mov     eax, CONTINUE_SEARCH
        ret

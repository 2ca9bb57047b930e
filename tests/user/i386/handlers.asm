; handlers.asm - what handlers.c cannot say in C: registers around calls.

        bits    32

        extern  _RtlRaiseException@4
        extern  _RtlUnwind@16
        global  _raise_with_registers
        global  _unwind_with_registers
        global  _stdcall_handler
        global  _seen_by_handler

EBX_IN equ 0B0B0B0Bh
ESI_IN equ 51515151h
EDI_IN equ 0D1D1D1D1h
CONTINUE_EXECUTION equ 0

SECTION .bss
_seen_by_handler: resd 4                        ; eax, ebx, esi, edi

SECTION .text align=16

; 1 in ecx if ebx, esi and edi are what they were.
%macro  COMPARE 0
        xor     ecx, ecx
        cmp     ebx, EBX_IN
        jne     %%done
        cmp     esi, ESI_IN
        jne     %%done
        cmp     edi, EDI_IN
        jne     %%done
        inc     ecx
%%done:
%endmacro

%macro  ENTER_WITH 0
        push    ebp
        mov     ebp, esp
        push    ebx
        push    esi
        push    edi
        mov     ebx, EBX_IN
        mov     esi, ESI_IN
        mov     edi, EDI_IN
%endmacro

%macro  LEAVE_WITH 0
        mov     edx, [ebp + 8]
        mov     [edx], ecx
        lea     esp, [ebp - 0Ch]
        pop     edi
        pop     esi
        pop     ebx
        pop     ebp
        ret
%endmacro

; ULONG raise_with_registers(ULONG *kept, EXCEPTION_RECORD *record);
; eax as it is after the call; *kept: did the others stay, and esp?
_raise_with_registers:
        ENTER_WITH
        push    dword [ebp + 0Ch]
        call    _RtlRaiseException@4
        COMPARE
        lea     edx, [ebp - 0Ch]
        cmp     esp, edx
        je      .esp_kept
        xor     ecx, ecx
.esp_kept:
        LEAVE_WITH

; ULONG unwind_with_registers(ULONG *kept, void *frame, void *value);
_unwind_with_registers:
        ENTER_WITH
        push    dword [ebp + 10h]
        push    0
        push    0
        push    dword [ebp + 0Ch]
        call    _RtlUnwind@16
        COMPARE
        lea     edx, [ebp - 0Ch]
        cmp     esp, edx
        je      .esp_kept
        xor     ecx, ecx
.esp_kept:
        LEAVE_WITH

; A handler that takes its arguments off the stack, and continues.
_stdcall_handler:
        mov     [_seen_by_handler], eax
        mov     [_seen_by_handler + 4], ebx
        mov     [_seen_by_handler + 8], esi
        mov     [_seen_by_handler + 0Ch], edi
        mov     ebx, EBX_IN                     ; not the caller's to lose
        mov     esi, ESI_IN
        mov     edi, EDI_IN
        mov     eax, CONTINUE_EXECUTION
        ret     10h

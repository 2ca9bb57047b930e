; arch/amd64/mm/usercopy.asm - memory that may fault under the kernel.
;
; A fault between the labels of a FIXUP goes on behind it with eax = status;
; AC is cleared by the fault's way in and stays clear (thread/trap.c).
; rep movs keeps its state in rcx, rsi, rdi, so an interrupt in the middle does
; no harm.  Eight bytes at a time: what another thread stores with one
; instruction is copied as it was or as it is, no pointer is half of two.

%include "arch/macros.inc"

section .text
CFI_BEGIN

; NTSTATUS arch_copy_user(void *to, const void *from, SIZE_T size)
global arch_copy_user
arch_copy_user:
        mov     r9, rdi
        mov     r10, rsi
        CFI_MOVED Rdi, R9
        CFI_MOVED Rsi, R10
        mov     rdi, rcx
        mov     rsi, rdx
        mov     rcx, r8
        shr     rcx, 3
        and     r8d, 7
        USER_ACCESS_BEGIN
.begin: rep movsq
        mov     ecx, r8d
        rep movsb
.end:   DEFENCE smap_left_open, USER_ACCESS_END
        xor     eax, eax
.out:   mov     rdi, r9
        mov     rsi, r10
        ret
        DEFENCE copy_fault_unexpected, FIXUP .begin, .end, .out

; NTSTATUS arch_touch_user(void *address): is it writable?
global arch_touch_user
arch_touch_user:
        CFI_RETURN
        USER_ACCESS_BEGIN
.begin: lock or byte [rcx], 0
.end:   USER_ACCESS_END
        xor     eax, eax
.out:   ret
        FIXUP   .begin, .end, .out

CFI_END

; boot/efi/handoff.asm - out of the firmware's page tables, into the kernel.
;
; rdi = struct handoff (efiload.h).  Copied to a page below 4 GiB, which both
; the firmware's tables and ours have at the same address.  Nothing of the
; firmware's is left behind but its GDT, which nothing reads any more.

CR4_PAE         equ 1 << 5
HOME            equ 20h

struc handoff
.cr3:           resq 1
.block:         resq 1
.stack:         resq 1
.entry:         resq 1
endstruc

section .text
bits 64
default rel

global handoff_code
global handoff_code_end
handoff_code:
        cli
        cld
        mov     rcx, [rdi + handoff.block]
        mov     rdx, [rdi + handoff.stack]
        mov     rbx, [rdi + handoff.entry]
        mov     rsi, [rdi + handoff.cr3]
        mov     eax, CR4_PAE
        mov     cr4, rax
        mov     cr3, rsi
        xor     eax, eax
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     fs, eax
        mov     gs, eax
        lea     rsp, [rdx - HOME]
        xor     ebp, ebp                        ; end of the frame chain
        push    rbp                             ; nobody to return to
        jmp     rbx
handoff_code_end:

; kvmprobe.asm - one boot sector: to ring 3 and back through "int 20h".
;
; A KVM that interprets its guests in software loses ring-3 software
; interrupts. This guest enters ring 3 by IRET, executes int 20h through a
; DPL-3 gate, and when the gate is reached it ends QEMU with 2Ah written to
; isa-debug-exit. It then never gets there on a KVM that cannot be trusted.

ORIGIN  equ 7C00h
STACK0  equ 7000h
STACK3  equ 6000h
IDT     equ 8000h               ; 21h gates, built here
TSS     equ 9000h

        org     ORIGIN
        bits    16
start:
        cli
        xor     ax, ax
        mov     ds, ax
        lgdt    [gdt.pointer]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     08h:protected

        bits    32
protected:
        mov     ax, 10h
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, STACK0
        xor     eax, eax
        mov     edi, IDT
        mov     ecx, 800h
        rep stosd
        mov     dword [TSS + 4], STACK0
        mov     dword [TSS + 8], 10h
        mov     dword [IDT + 20h * 8], 0008_0000h + arrived
        mov     dword [IDT + 20h * 8 + 4], 0EE00h
        lidt    [idt_pointer]
        mov     ax, 28h
        ltr     ax
        push    23h
        push    STACK3
        push    2
        push    1Bh
        push    ring3
        iretd
ring3:
        int     20h
        jmp     $
arrived:
        mov     al, 2Ah
        out     0F4h, al
        jmp     $

        align   8
gdt:    dq      0
        dq      00CF9A000000FFFFh
        dq      00CF92000000FFFFh
        dq      00CFFA000000FFFFh
        dq      00CFF2000000FFFFh
        dq      0000890000000067h | (TSS << 16)
.end:
.pointer:
        dw      .end - gdt - 1
        dd      gdt
idt_pointer:
        dw      21h * 8 - 1
        dd      IDT

        times   510 - ($ - $$) db 0
        dw      0AA55h

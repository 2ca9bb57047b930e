; arch/amd64/entry/startup.asm - another processor's first instructions.
;
; A start-up IPI makes it begin in real mode at a page below 1 MiB, where
; cpu/startup.c has put a copy of this code and behind it a struct ki_startup.
; In one step it goes to long mode, on page tables that have that page at its
; own address and the kernel's half, and from there to C on its own stack.

%include "ksamd64.inc"

section .rodata
        align   8
global ki_startup_code
global ki_startup_data
bits 16
ki_startup_code:
        cli
        cld
        mov     ax, cs
        mov     ds, ax
        mov     eax, CR4_PAE
        mov     cr4, eax
        mov     eax, [ki_startup_data - ki_startup_code + KI_STARTUP.directory]
        mov     cr3, eax
        mov     ecx, MSR_EFER
        rdmsr
        or      eax, EFER_LME | EFER_NXE
        wrmsr
        lgdt    [ki_startup_data - ki_startup_code + KI_STARTUP.gdt_limit]
        mov     eax, cr0
        and     eax, ~(CR0_NW | CR0_CD)
        or      eax, CR0_PE | CR0_PG
        mov     cr0, eax
        jmp     far dword \
                [ki_startup_data - ki_startup_code + KI_STARTUP.offset]

bits 64
global ki_startup_long
ki_startup_long:
        xor     eax, eax
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     fs, eax
        mov     gs, eax
        mov     rsp, [rel ki_startup_data + KI_STARTUP.stack]
        mov     rcx, [rel ki_startup_data + KI_STARTUP.pcr]
        mov     rax, [rel ki_startup_data + KI_STARTUP.entry]
        xor     ebp, ebp                ; end of the frame chain
        sub     rsp, 20h                ; home area
        call    rax
        ud2

        align   8
ki_startup_data:

; boot/grub/start32.asm - from GRUB's 32-bit mode to 64-bit C.
;
; GRUB enters boot_start32 with paging off: eax = the multiboot2 magic, ebx =
; physical address of the tags.  This file maps the first 4 GiB at their own
; addresses and the kernel image at its linked ones, both with 2-MiB pages,
; switches to long mode and calls boot_multiboot2(magic, tags) on the idle
; stack.  Mm throws these tables away, except the top one and the image's.

MULTIBOOT2_MAGIC        equ 0E85250D6h
CR0_PG                  equ 1 << 31
CR4_PAE                 equ 1 << 5
MSR_EFER                equ 0C0000080h
EFER_LME                equ 1 << 8
PTE_PRESENT_WRITE       equ 3
PTE_LARGE               equ 1 << 7
CPUID_LONG_MODE         equ 1 << 29
COM1                    equ 3F8h
IDENTITY_GIBIBYTES      equ 4

extern boot_multiboot2
extern ki_idle_stack_top

section .multiboot2 progbits alloc noexec nowrite align=8
header:
        dd MULTIBOOT2_MAGIC
        dd 0                                    ; i386
        dd header_end - header
        dd -(MULTIBOOT2_MAGIC + 0 + (header_end - header))
.framebuffer:
        dw 5, 1                                 ; optional
        dd .framebuffer_end - .framebuffer
        dd 1024, 768, 32
.framebuffer_end:
        align 8
.modules_page_aligned:
        dw 6, 0
        dd 8
        dw 0, 0
        dd 8
header_end:

section .boot progbits alloc exec nowrite align=16
bits 32
global boot_start32
boot_start32:
        cld
        cli
        mov     esp, boot_stack32_top
        mov     edi, eax                        ; edi = magic, ebx = tags
        rdtsc
        mov     [boot_entered], eax
        mov     [boot_entered + 4], edx
        mov     eax, 80000000h
        push    ebx
        cpuid
        pop     ebx
        cmp     eax, 80000001h
        jb      .no_long_mode
        mov     eax, 80000001h
        push    ebx
        cpuid
        pop     ebx
        test    edx, CPUID_LONG_MODE
        jz      .no_long_mode
        call    build_tables

        mov     eax, CR4_PAE                    ; nothing of the firmware's
        mov     cr4, eax
        mov     eax, boot_pml4
        mov     cr3, eax
        mov     ecx, MSR_EFER
        rdmsr
        or      eax, EFER_LME
        wrmsr
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        lgdt    [boot_gdt.pointer]
        jmp     boot_gdt.code - boot_gdt:start64

.no_long_mode:
        mov     esi, no_long_mode_text
.next:
        lodsb
        test    al, al
        jz      .stop
        mov     dx, COM1
        out     dx, al
        jmp     .next
.stop:
        hlt
        jmp     .stop

; Identity: 4 page directories of 2-MiB pages.  Image: the same first
; gibibyte again, at the last but one gibibyte of the address space.
build_tables:
        mov     eax, boot_pdpt_low
        or      eax, PTE_PRESENT_WRITE
        mov     [boot_pml4], eax
        mov     eax, boot_pdpt_high
        or      eax, PTE_PRESENT_WRITE
        mov     [boot_pml4 + 511 * 8], eax
        mov     eax, boot_pd_image
        or      eax, PTE_PRESENT_WRITE
        mov     [boot_pdpt_high + 510 * 8], eax
        mov     eax, boot_pd_low
        or      eax, PTE_PRESENT_WRITE
        xor     ecx, ecx
.directory:
        mov     [boot_pdpt_low + ecx * 8], eax
        add     eax, 1000h
        inc     ecx
        cmp     ecx, IDENTITY_GIBIBYTES
        jb      .directory
        mov     eax, PTE_PRESENT_WRITE | PTE_LARGE
        xor     ecx, ecx
.page:
        mov     [boot_pd_low + ecx * 8], eax
        cmp     ecx, 512
        jae     .not_image
        mov     [boot_pd_image + ecx * 8], eax
.not_image:
        add     eax, 200000h
        inc     ecx
        cmp     ecx, IDENTITY_GIBIBYTES * 512
        jb      .page
        ret

bits 64
start64:
        xor     eax, eax
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     fs, eax
        mov     gs, eax
        mov     rsp, ki_idle_stack_top
        mov     ecx, edi
        mov     edx, ebx
        sub     rsp, 20h                        ; home area
        xor     ebp, ebp                        ; end of the frame chain
        mov     rax, boot_multiboot2
        call    rax
.stop:
        hlt
        jmp     .stop

no_long_mode_text:
        db "ntwalk needs a 64-bit processor", 13, 10, 0

        align 8
boot_gdt:
        dq 0
.code:
        dq 00209B0000000000h
.pointer:
        dw $ - boot_gdt - 1
        dd boot_gdt

section .boot.tables nobits alloc noexec write align=4096
                resb 1000h - 8
boot_stack32_top:
global boot_entered
boot_entered:   resq 1                          ; the TSC at boot_start32
boot_pdpt_low:  resb 1000h
boot_pd_low:    resb 1000h * IDENTITY_GIBIBYTES
; Mm keeps these three.
boot_pml4:      resb 1000h
boot_pdpt_high: resb 1000h
boot_pd_image:  resb 1000h

; arch/amd64/entry/dispatch.asm - room 3: from a number to a routine.
;
; number -> table -> routine; stack arguments copied; call r10.
;
; On entry at KiSystemServiceStart: rbp = frame + 80h, rbx = thread, eax = the
; number, rcx, rdx, r8, r9 = arguments 1 to 4, interrupts on.
;
;   31            14 13  12 11                    0
;   | not looked at |  |tb |        index          |   tb: 0 nt, 1 win32k
;
; The table's entry is a LONG: (routine - base) << 4 | stack arguments.
; At KiSystemServiceCopyEnd: r10 = routine, and the stack from [rsp + 20h] up
; holds arguments 5 and on, as the callee expects them above its home area.

%include "arch/macros.inc"

extern KeServiceDescriptorTable
extern KeServiceDescriptorTableShadow
extern MmUserProbeAddress
extern KeGdiFlushUserBatch
extern KiConvertToGuiThread
extern KiDynamicTraceMask
extern ki_call_tracked
extern KiSystemServiceExit

TABLE_SHIFT     equ 7                   ; bit 12 of the number -> 20h
TABLE_MASK      equ KSERVICE_TABLE_DESCRIPTOR_SIZE
WIN32K_TABLE    equ KSERVICE_TABLE_DESCRIPTOR_SIZE
INDEX_MASK      equ 0FFFh
ENTRY_SHIFT     equ 4
ARGUMENT_MASK   equ 0Fh
COPY_SLOTS      equ 14                  ; most stack arguments of a service
COPY_STEP       equ 8                   ; bytes of code for each of them

section .entry progbits alloc exec nowrite align=64
CFI_BEGIN

global KiSystemServiceStart
KiSystemServiceStart:
        CFI_SERVICE_FRAME
        mov     [rbx + KTHREAD.TrapFrame], rsp
        mov     edi, eax
        shr     edi, TABLE_SHIFT
        and     edi, TABLE_MASK
        DEFENCE number_high_half_used, and eax, INDEX_MASK
        INSTEAD number_high_half_used, and rax, ~(WIN32K_TABLE << TABLE_SHIFT)

global KiSystemServiceRepeat
KiSystemServiceRepeat:
; At this point: edi = byte offset of the table's descriptor, eax = index.
        lea     r10, [rel KeServiceDescriptorTable]
        lea     r11, [rel KeServiceDescriptorTableShadow]
        test    dword [rbx + KTHREAD.ThreadFlags], THREAD_FLAGS_GUI_THREAD
        cmovnz  r10, r11
        cmp     eax, [r10 + rdi + KSERVICE_TABLE_DESCRIPTOR.Limit]
        DEFENCE number_not_compared, jae beyond_limit
; At this point: carry is set.  A processor that went on before it knew that
; makes the index 0 here.
        DEFENCE index_unclamped, sbb r11, r11
        DEFENCE index_unclamped, and rax, r11
        mov     r10, [r10 + rdi + KSERVICE_TABLE_DESCRIPTOR.Base]
        movsxd  r11, dword [r10 + rax * 4]
        mov     rax, r11
        sar     r11, ENTRY_SHIFT
        add     r10, r11
        cmp     edi, WIN32K_TABLE
        jne     copy_arguments

; A shadow service: drawing that ring 3 has batched in its TEB comes first.
        mov     r11, [rbx + KTHREAD.Teb]
        USER_ACCESS_BEGIN
global KiSystemServiceGdiTebAccess
KiSystemServiceGdiTebAccess:
        cmp     dword [r11 + TEB.GdiBatchCount], 0
gdi_teb_access_end:
        USER_ACCESS_END
        FIXUP   KiSystemServiceGdiTebAccess, gdi_teb_access_end, argument_fault
        je      copy_arguments
        mov     [FRAME(Rax)], rax
        mov     [FRAME(Rcx)], rcx
        mov     [FRAME(Rdx)], rdx
        mov     rbx, r8
        mov     rdi, r9
        mov     rsi, r10
        call    KeGdiFlushUserBatch             ; home area: P1Home to P4Home
        mov     rax, [FRAME(Rax)]
        mov     rcx, [FRAME(Rcx)]
        mov     rdx, [FRAME(Rdx)]
        mov     r8, rbx
        mov     r9, rdi
        mov     r10, rsi

copy_arguments:
        and     eax, ARGUMENT_MASK
        jz      KiSystemServiceCopyEnd
        shl     eax, 3
        lea     rsp, [rsp - COPY_SLOTS * 8]
        lea     rdi, [rsp + 18h]
        mov     rsi, [FRAME(Rsp)]
        lea     rsi, [rsi + 20h]
        test    byte [FRAME(SegCs)], 1
        jz      .from_kernel
        cmp     rsi, [rel MmUserProbeAddress]
        DEFENCE stack_pointer_not_clamped, \
                cmovae rsi, [rel MmUserProbeAddress]    ; never mapped: faults
.from_kernel:
        lea     r11, [rel KiSystemServiceCopyEnd]
        sub     r11, rax
        USER_ACCESS_BEGIN
        jmp     r11

; Argument by argument, the last one first.  Eight bytes of code for eight
; bytes of argument: n arguments are n * 8 bytes before the end.
        align   16
global KiSystemServiceCopyStart
KiSystemServiceCopyStart:
%assign slot COPY_SLOTS
%rep COPY_SLOTS
        mov     rax, [byte rsi + slot * 8]
        mov     [byte rdi + slot * 8], rax
%assign slot slot - 1
%endrep
        times COPY_SLOTS * COPY_STEP - ($ - KiSystemServiceCopyStart) int3
        times ($ - KiSystemServiceCopyStart) - COPY_SLOTS * COPY_STEP int3
global KiSystemServiceCopyEnd
KiSystemServiceCopyEnd:
        DEFENCE argument_fault_unexpected, \
                FIXUP KiSystemServiceCopyStart, KiSystemServiceCopyEnd, \
                argument_fault
        DEFENCE smap_left_open, USER_ACCESS_END
        test    byte [rel KiDynamicTraceMask], KI_TRACE_SYSTEM_CALLS
        jnz     tracked_call
        call    r10                             ; room 4
.called:
        inc     dword [PRCB(KeSystemCalls)]
        jmp     KiSystemServiceExit

; The same call, told before and after.  The routine's home area takes its
; first four arguments, so that all of them lie from rsp up.
tracked_call:
        mov     [rsp], rcx
        mov     [rsp + 8], rdx
        mov     [rsp + 10h], r8
        mov     [rsp + 18h], r9
        mov     rcx, r10
        mov     rdx, rsp
        sub     rsp, 20h
        call    ki_call_tracked                 ; (routine, arguments)
        jmp     KiSystemServiceCopyEnd.called

; The user's stack or TEB could not be read: eax = why, nothing was called.
argument_fault:
        jmp     KiSystemServiceExit

; No such index in the table this thread sees.  A thread that calls win32k for
; the first time becomes a GUI thread, which sees the other one.
beyond_limit:
        cmp     edi, WIN32K_TABLE
        jne     .invalid
        mov     [FRAME(P1Home)], rax
        mov     [FRAME(P2Home)], rcx
        mov     [FRAME(P3Home)], rdx
        mov     [FRAME(P4Home)], r8
        mov     [FRAME(P5)], r9
        sub     rsp, 20h                        ; those are in use: C's home
        call    KiConvertToGuiThread
        add     rsp, 20h
        mov     [rbx + KTHREAD.TrapFrame], rsp
        test    eax, eax
        mov     rax, [FRAME(P1Home)]
        mov     rcx, [FRAME(P2Home)]
        mov     rdx, [FRAME(P3Home)]
        mov     r8, [FRAME(P4Home)]
        mov     r9, [FRAME(P5)]
        jz      KiSystemServiceRepeat
.invalid:
        mov     eax, STATUS_INVALID_SYSTEM_SERVICE
        jmp     KiSystemServiceExit

CFI_END

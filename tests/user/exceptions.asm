; exceptions.asm - one exception each, for exceptions.c: 64-bit and 32-bit.
;
; A case is a routine whose label .at is what ExceptionAddress must be, and .ip
; what the CONTEXT must show.  It begins with rcx and rdx (ecx and edx) as
; exceptions.c expects them in parameters, and with rbx marked.  If nothing is
; raised it goes to back, where the handler leads, too.
;
; Scenarios: A8, A10, F6, G11.

%ifidn __?OUTPUT_FORMAT?__, win64
%define WIDE 1
        bits    64
        default rel
%include "../../programs/lib/nonvolatile.inc"
%define AX      rax
%define CX      rcx
%define DX      rdx
%define BX      rbx
%define SI      rsi
%define DI      rdi
%define SP      rsp
%define BP      rbp
%define POINTER dq
%define PUSHF   pushfq
%define POPF    popfq
%define EXPORT(name) name
%else
%define WIDE 0
        bits    32
%define AX      eax
%define CX      ecx
%define DX      edx
%define BX      ebx
%define SI      esi
%define DI      edi
%define SP      esp
%define BP      ebp
%define POINTER dd
%define PUSHF   pushfd
%define POPF    popfd
%define EXPORT(name) _ %+ name
%endif

        global  EXPORT(cases)
        global  EXPORT(case_count)
        global  EXPORT(run_case)
        global  EXPORT(back)
        global  EXPORT(stack_of_case)
        global  EXPORT(pages)
        global  EXPORT(absent_segment)
        global  EXPORT(call_routine)
        global  EXPORT(routine)

CX_MARK         equ 0C0C0C0C0h
DX_MARK         equ 0D0D0D0D0h
BX_MARK         equ 0B0B0B0B0h
FLAG_TF         equ 100h
FLAG_AC         equ 40000h

STATUS_GUARD_PAGE_VIOLATION     equ 80000001h
STATUS_DATATYPE_MISALIGNMENT    equ 80000002h
STATUS_BREAKPOINT               equ 80000003h
STATUS_SINGLE_STEP              equ 80000004h
STATUS_ACCESS_VIOLATION         equ 0C0000005h
STATUS_ILLEGAL_INSTRUCTION      equ 0C000001Dh
STATUS_INVALID_LOCK_SEQUENCE    equ 0C000001Eh
STATUS_ARRAY_BOUNDS_EXCEEDED    equ 0C000008Ch
STATUS_FLOAT_DENORMAL_OPERAND   equ 0C000008Dh
STATUS_FLOAT_DIVIDE_BY_ZERO     equ 0C000008Eh
STATUS_FLOAT_INEXACT_RESULT     equ 0C000008Fh
STATUS_FLOAT_INVALID_OPERATION  equ 0C0000090h
STATUS_FLOAT_OVERFLOW           equ 0C0000091h
STATUS_FLOAT_STACK_CHECK        equ 0C0000092h
STATUS_FLOAT_UNDERFLOW          equ 0C0000093h
STATUS_INTEGER_DIVIDE_BY_ZERO   equ 0C0000094h
STATUS_INTEGER_OVERFLOW         equ 0C0000095h
STATUS_PRIVILEGED_INSTRUCTION   equ 0C0000096h
STATUS_FLOAT_MULTIPLE_FAULTS    equ 0C00002B4h
STATUS_FLOAT_MULTIPLE_TRAPS     equ 0C00002B5h
STATUS_ASSERTION_FAILURE        equ 0C0000420h

SECTION .text align=16

; run_case(routine): to routine and back, all registers kept.
EXPORT(run_case):
%if WIDE
        mov     rax, rcx
        push    r12
        push    r13
        push    r14
        push    r15
        sub     rsp, SAVED_XMM + 8
        SAVE_XMM 0
%else
        mov     eax, [esp + 4]
%endif
        push    BX
        push    SI
        push    DI
        push    BP
        mov     [EXPORT(stack_of_case)], SP
        mov     ebx, BX_MARK
        mov     ecx, CX_MARK
        mov     edx, DX_MARK
        jmp     AX
EXPORT(back):
        fninit
        ldmxcsr [mxcsr_masked]
        pop     BP
        pop     DI
        pop     SI
        pop     BX
%if WIDE
        RESTORE_XMM 0
        add     rsp, SAVED_XMM + 8
        pop     r15
        pop     r14
        pop     r13
        pop     r12
%endif
        ret

; A case that is C: routine().
EXPORT(call_routine):
        and     SP, -16
        sub     SP, 20h
        call    [EXPORT(routine)]
        mov     SP, [EXPORT(stack_of_case)]
        jmp     EXPORT(back)

; CASE name: its label.  HERE: both addresses are this one.  DONE: its end.
%macro CASE 1
%1:
%endmacro
%macro HERE 0
.at:
.ip:
%endmacro
%macro DONE 0
        jmp     EXPORT(back)
%endmacro

CASE divide
        xor     ecx, ecx
        HERE
        div     ecx
        DONE

CASE divide_memory
        xor     edx, edx
        HERE
        div     dword [zero]
        DONE

CASE divide_overflow
        mov     eax, 80000000h
        cdq
        mov     ecx, -1
        HERE
        idiv    ecx
        DONE

; Trapped behind the instruction that follows POPF.
CASE step
        PUSHF
        or      dword [SP], FLAG_TF
        POPF
        nop
        HERE
        nop
        DONE

CASE icebp
        db      0F1h
        HERE
        DONE

CASE int3
        HERE
        int3
        DONE

; The two-byte form: rip is behind it, and one back is in its middle.
CASE int_3
        db      0CDh
        HERE
        db      3
        DONE

CASE ud2_
        HERE
        ud2
        DONE

CASE locked
        HERE
        db      0F0h, 90h                       ; lock nop
        DONE

CASE hlt_
        HERE
        hlt
        DONE

CASE in_
        HERE
        in      al, dx
        DONE

CASE rdmsr_
        HERE
        rdmsr
        DONE

CASE mov_cr
        HERE
        mov     AX, cr0
        DONE

CASE selector
        mov     eax, 8
        HERE
        mov     ds, ax
        DONE

; The processor names the stack's segment by a vector of its own.
CASE absent_data
        mov     eax, [EXPORT(absent_segment)]
        HERE
        mov     ds, ax
        DONE

CASE absent_stack
        mov     eax, [EXPORT(absent_segment)]
        HERE
        mov     ss, ax
        DONE

CASE int_20
        HERE
        int     20h
        DONE

CASE read_null
        mov     SI, 8
        HERE
        mov     eax, [SI]
        DONE

CASE write_null
        mov     DI, 10h
        HERE
        mov     [DI], eax
        DONE

; rip is where it cannot be, and stays there.
CASE execute_null
        mov     eax, 20h
        jmp     AX
execute_null.at equ 20h
execute_null.ip equ 20h

CASE execute_data
        mov     AX, [EXPORT(pages)]
        jmp     AX
execute_data.at equ 0                           ; the page's: exceptions.c
execute_data.ip equ 0

CASE read_across                                ; two bytes on the next page
        mov     SI, [EXPORT(pages)]
        HERE
        mov     eax, [SI + 0FFEh]
        DONE

CASE guard
        mov     SI, [EXPORT(pages)]
        HERE
        mov     al, [SI + 2000h]
        DONE

CASE write_code
        lea     DI, [write_code]
        HERE
        mov     byte [DI], 90h
        DONE

CASE aligned
        PUSHF
        or      dword [SP], FLAG_AC
        POPF
        lea     SI, [zero + 1]
        HERE
        mov     eax, [SI]
        PUSHF
        and     dword [SP], ~FLAG_AC
        POPF
        DONE

CASE assertion
        HERE
        int     2Ch
        DONE

; No service 4711h.  The byte behind it is the debugger's to skip.
CASE debug_service
        mov     eax, 4711h
        int     2Dh
        HERE
        int3
        DONE

; x87: the instruction that is wrong, then the next one, which waits.
%macro X87 1
        fninit
        fldcw   [%1]
%endmacro

CASE x87_zero
        X87     control_zero
        fld1
        fldz
.at:
        fdivp
.ip:
        fwait
        DONE

CASE x87_invalid
        X87     control_invalid
        fld1
        fchs
.at:
        fsqrt
.ip:
        fwait
        DONE

CASE x87_stack
        X87     control_invalid
.at:
        fstp    st0
.ip:
        fwait
        DONE

CASE x87_overflow
        fninit
        fld     tword [x87_huge]
        fldcw   [control_overflow]
.at:
        fmul    st0, st0
.ip:
        fwait
        DONE

CASE x87_underflow
        fninit
        fld     tword [x87_tiny]
        fldcw   [control_underflow]
.at:
        fmul    st0, st0
.ip:
        fwait
        DONE

CASE x87_inexact
        fninit
        fld1
        fld     dword [three]
        fldcw   [control_inexact]
.at:
        fdivp
.ip:
        fwait
        DONE

CASE x87_denormal
        fninit
        fld     tword [x87_denormal_number]
        fldcw   [control_denormal]
.at:
        fmul    st0, st0
.ip:
        fwait
        DONE

; SSE: reported at the instruction itself.
%macro SSE 4                                    ; case, control, values, what
CASE %1
        movss   xmm0, [%3]
        movss   xmm1, [%3 + 4]
        ldmxcsr [%2]
        HERE
        %4
        DONE
%endmacro

SSE sse_zero, mxcsr_zero, one_zero, {divss xmm0, xmm1}
SSE sse_invalid, mxcsr_invalid, minus_one, {sqrtss xmm0, xmm0}
SSE sse_denormal, mxcsr_denormal, denormals, {mulss xmm0, xmm1}
SSE sse_overflow, mxcsr_overflow, huge, {mulss xmm0, xmm1}
SSE sse_underflow, mxcsr_underflow, tiny, {mulss xmm0, xmm1}
SSE sse_inexact, mxcsr_inexact, one_three, {divss xmm0, xmm1}

%if WIDE
CASE read_far
        mov     rsi, [non_canonical]
        HERE
        mov     eax, [rsi]
        DONE

CASE stack_far                                  ; a stack fault, by its base
        mov     rbp, [non_canonical]
        HERE
        mov     eax, [rbp]
        DONE

CASE read_kernel
        mov     rsi, [kernel]
        HERE
        mov     eax, [rsi]
        DONE
%else
CASE into_
        mov     eax, 7FFFFFFFh
        add     eax, 1
.at:
        into
.ip:
        DONE

CASE bound_
        mov     eax, 3
        HERE
        bound   eax, [limits]
        DONE

CASE read_kernel
        mov     esi, 80000000h
        HERE
        mov     eax, [esi]
        DONE
%endif

; exceptions.c's struct row.
%define ON_PROCESSORS 1                         ; TCG raises another or none
%define ADDRESS_AT_IP 2                         ; or ExceptionAddress is .ip
%define PAGE_PARAMETER 4                        ; ... 1 is in the pages
%define MXCSR_PARAMETER 8                       ; ... 1 is MXCSR
%define IN_TEST_BUILD 16                        ; its kernel has the segment

SECTION .data align=16
EXPORT(stack_of_case):
        POINTER 0
EXPORT(pages):
        POINTER 0
EXPORT(routine):
        POINTER 0
EXPORT(absent_segment):
        dd      0, 0
%if WIDE
non_canonical:
        dq      0000900000000000h
kernel: dq      0FFFFF78000000000h
%else
limits: dd      1, 2
%endif
        align   8
zero:   dq      0

; Only one bit each is clear of the six masks.
control_invalid:        dw 37Eh
control_denormal:       dw 37Dh
control_zero:           dw 37Bh
control_overflow:       dw 377h
control_underflow:      dw 36Fh
control_inexact:        dw 35Fh
        align   4
mxcsr_masked:           dd 1F80h
mxcsr_invalid:          dd 1F00h
mxcsr_denormal:         dd 1E80h
mxcsr_zero:             dd 1D80h
mxcsr_overflow:         dd 1B80h
mxcsr_underflow:        dd 1780h
mxcsr_inexact:          dd 0F80h
three:                  dd 3.0
one_zero:               dd 1.0, 0.0
one_three:              dd 1.0, 3.0
minus_one:              dd -1.0, 0.0
denormals:              dd 1, 3F800000h
huge:                   dd 7F000000h, 7F000000h
tiny:                   dd 00800000h, 00800000h
        align   16
x87_huge:               dq 8000000000000000h
                        dw 7FFEh
        align   16
x87_tiny:               dq 8000000000000000h
                        dw 1
        align   16
x87_denormal_number:    dq 4000000000000000h
                        dw 0

; ROW routine, name, code, flags, count of parameters[, parameters]
%assign rows 0
%macro ROW 5-8 0, 0, 0
[section .rdata]
%%name: db      %2, 0
__?SECT?__
        POINTER %%name, %1, %1.at, %1.ip
        dd      %3, %4, %5, 0
        POINTER %6, %7, %8, 0
%assign rows rows + 1
%endmacro

UNKNOWN         equ -1

        align   16
EXPORT(cases):
ROW divide, "divide by zero", STATUS_INTEGER_DIVIDE_BY_ZERO, 0, 0
ROW divide_memory, "divide by memory", STATUS_INTEGER_DIVIDE_BY_ZERO, 0, 0
ROW divide_overflow, "divide overflow", STATUS_INTEGER_OVERFLOW, 0, 0
ROW step, "single step", STATUS_SINGLE_STEP, 0, 0
ROW icebp, "ICEBP", STATUS_SINGLE_STEP, ON_PROCESSORS, 0
%if WIDE
ROW int3, "INT3", STATUS_BREAKPOINT, 0, 1, 0
ROW int_3, "INT 3", STATUS_BREAKPOINT, 0, 1, 0
ROW locked, "LOCK NOP", STATUS_ILLEGAL_INSTRUCTION, 0, 0
%else
ROW int3, "INT3", STATUS_BREAKPOINT, 0, 3, 0, CX_MARK, DX_MARK
ROW int_3, "INT 3", STATUS_BREAKPOINT, 0, 3, 0, CX_MARK, DX_MARK
ROW locked, "LOCK NOP", STATUS_INVALID_LOCK_SEQUENCE, 0, 0
ROW into_, "INTO", STATUS_INTEGER_OVERFLOW, 0, 0
ROW bound_, "BOUND", STATUS_ARRAY_BOUNDS_EXCEEDED, 0, 0
%endif
ROW ud2_, "UD2", STATUS_ILLEGAL_INSTRUCTION, 0, 0
ROW hlt_, "HLT", STATUS_PRIVILEGED_INSTRUCTION, 0, 0
ROW in_, "IN", STATUS_PRIVILEGED_INSTRUCTION, 0, 0
ROW rdmsr_, "RDMSR", STATUS_PRIVILEGED_INSTRUCTION, 0, 0
ROW mov_cr, "MOV CR0", STATUS_PRIVILEGED_INSTRUCTION, 0, 0
ROW selector, "ring 0's DS", STATUS_ACCESS_VIOLATION, 0, 2, 0, UNKNOWN
ROW absent_data, "segment not present", STATUS_ACCESS_VIOLATION, \
    IN_TEST_BUILD, 2, 0, UNKNOWN
ROW absent_stack, "stack not present", STATUS_ACCESS_VIOLATION, \
    IN_TEST_BUILD, 2, 0, UNKNOWN
ROW int_20, "INT 20h", STATUS_ACCESS_VIOLATION, 0, 2, 0, UNKNOWN
ROW read_null, "read 8", STATUS_ACCESS_VIOLATION, 0, 2, 0, 8
ROW write_null, "write 10h", STATUS_ACCESS_VIOLATION, 0, 2, 1, 10h
ROW execute_null, "execute 20h", STATUS_ACCESS_VIOLATION, 0, 2, 8, 20h
ROW execute_data, "execute data", STATUS_ACCESS_VIOLATION, \
    PAGE_PARAMETER, 2, 8, 0
ROW read_across, "read across an edge", STATUS_ACCESS_VIOLATION, \
    PAGE_PARAMETER, 2, 0, 1000h
ROW guard, "guard page", STATUS_GUARD_PAGE_VIOLATION, PAGE_PARAMETER, 2, 0, \
    2000h
ROW write_code, "write code", STATUS_ACCESS_VIOLATION, 0, 2, 1, write_code
ROW aligned, "alignment", STATUS_DATATYPE_MISALIGNMENT, ON_PROCESSORS, 0
ROW assertion, "INT 2Ch", STATUS_ASSERTION_FAILURE, 0, 0
ROW debug_service, "INT 2Dh", STATUS_BREAKPOINT, 0, 3, 4711h, CX_MARK, DX_MARK
ROW x87_zero, "x87 zero divide", STATUS_FLOAT_DIVIDE_BY_ZERO, ADDRESS_AT_IP, 1
ROW x87_invalid, "x87 invalid", STATUS_FLOAT_INVALID_OPERATION, \
    ADDRESS_AT_IP, 1
ROW x87_stack, "x87 stack", STATUS_FLOAT_STACK_CHECK, \
    ON_PROCESSORS | ADDRESS_AT_IP, 2
ROW x87_overflow, "x87 overflow", STATUS_FLOAT_OVERFLOW, ADDRESS_AT_IP, 1
ROW x87_underflow, "x87 underflow", STATUS_FLOAT_UNDERFLOW, ADDRESS_AT_IP, 1
ROW x87_inexact, "x87 inexact", STATUS_FLOAT_INEXACT_RESULT, ADDRESS_AT_IP, 1
ROW x87_denormal, "x87 denormal", STATUS_FLOAT_DENORMAL_OPERAND, \
    ON_PROCESSORS | ADDRESS_AT_IP, 1
%if WIDE
ROW read_kernel, "read the kernel", STATUS_ACCESS_VIOLATION, 0, 2, 0, \
    0FFFFF78000000000h
ROW sse_zero, "SSE zero divide", STATUS_FLOAT_DIVIDE_BY_ZERO, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 1D84h
ROW sse_invalid, "SSE invalid", STATUS_FLOAT_INVALID_OPERATION, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 1F01h
ROW sse_denormal, "SSE denormal", STATUS_FLOAT_DENORMAL_OPERAND, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 1E82h
ROW sse_overflow, "SSE overflow", STATUS_FLOAT_OVERFLOW, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 1B88h
ROW sse_underflow, "SSE underflow", STATUS_FLOAT_UNDERFLOW, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 1790h
ROW sse_inexact, "SSE inexact", STATUS_FLOAT_INEXACT_RESULT, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 0FA0h
ROW read_far, "read beyond the hole", STATUS_ACCESS_VIOLATION, 0, 2, 0, \
    UNKNOWN
ROW stack_far, "stack beyond the hole", STATUS_ACCESS_VIOLATION, 0, 2, 0, \
    UNKNOWN
%else
ROW read_kernel, "read the kernel", STATUS_ACCESS_VIOLATION, 0, 2, 0, \
    80000000h
ROW sse_zero, "SSE zero divide", STATUS_FLOAT_MULTIPLE_TRAPS, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 1D84h
ROW sse_invalid, "SSE invalid", STATUS_FLOAT_MULTIPLE_TRAPS, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 1F01h
ROW sse_denormal, "SSE denormal", STATUS_FLOAT_MULTIPLE_TRAPS, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 1E82h
ROW sse_overflow, "SSE overflow", STATUS_FLOAT_MULTIPLE_FAULTS, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 1B88h
ROW sse_underflow, "SSE underflow", STATUS_FLOAT_MULTIPLE_FAULTS, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 1790h
ROW sse_inexact, "SSE inexact", STATUS_FLOAT_MULTIPLE_FAULTS, \
    ON_PROCESSORS | MXCSR_PARAMETER, 2, 0, 0FA0h
%endif

EXPORT(case_count):
        dd      rows

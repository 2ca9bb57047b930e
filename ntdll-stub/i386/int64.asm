; int64.asm - 64-bit numbers for compilers of 32-bit code.
;
; Microsoft's compiler calls these by name, and Windows' ntdll exports them.
; They are not C: names have no count of bytes, shifts take registers. libgcc
; has the long division; it is told the same arguments once more.
;
; NT: the names and who keeps which register are Windows'.

        bits    32

        extern  ___divdi3
        extern  ___moddi3
        extern  ___udivdi3
        extern  ___umoddi3
        global  __alldiv
        global  __allrem
        global  __aulldiv
        global  __aullrem
        global  __alldvrm
        global  __aulldvrm
        global  __allmul
        global  __allshl
        global  __allshr
        global  __aullshr

SECTION .text align=16

; The four words of arguments, which %2 bytes lie above, once more for %1.
%macro  AGAIN 2
%rep 4
        push    dword [esp + %2 + 10h]
%endrep
        call    %1
        add     esp, 10h
%endmacro

; in   [esp + 4] = dividend, [esp + 0Ch] = divisor; the callee takes them off
; out  edx:eax = quotient or remainder; ecx is lost
%macro  DIVIDE 2
        align   16
%1:
        AGAIN   %2, 0
        ret     10h
%endmacro

        DIVIDE  __alldiv, ___divdi3
        DIVIDE  __allrem, ___moddi3
        DIVIDE  __aulldiv, ___udivdi3
        DIVIDE  __aullrem, ___umoddi3

; The same; ebx:ecx = remainder beside it.
%macro  DIVIDE_BOTH 3
        align   16
%1:
        AGAIN   %3, 0
        push    edx
        push    eax
        AGAIN   %2, 8
        pop     ecx
        pop     ebx
        ret     10h
%endmacro

        DIVIDE_BOTH __alldvrm, ___divdi3, ___moddi3
        DIVIDE_BOTH __aulldvrm, ___udivdi3, ___umoddi3

; in   [esp + 4], [esp + 0Ch] = factors, signed or not
; out  edx:eax = product; ecx is lost
        align   16
__allmul:
        mov     eax, [esp + 8]
        mov     ecx, [esp + 10h]
        imul    eax, [esp + 0Ch]
        imul    ecx, [esp + 4]
        add     ecx, eax
        mov     eax, [esp + 4]
        mul     dword [esp + 0Ch]
        add     edx, ecx
        ret     10h

; in   edx:eax = number, cl = count, which may be more than there are bits
; out  edx:eax; cl is lost
        align   16
__allshl:
        cmp     cl, 64
        jae     .none
        cmp     cl, 32
        jae     .high
        shld    edx, eax, cl
        shl     eax, cl
        ret
.high:
        mov     edx, eax
        xor     eax, eax
        and     cl, 31
        shl     edx, cl
        ret
.none:
        xor     eax, eax
        xor     edx, edx
        ret

        align   16
__allshr:
        cmp     cl, 64
        jae     .sign
        cmp     cl, 32
        jae     .low
        shrd    eax, edx, cl
        sar     edx, cl
        ret
.low:
        mov     eax, edx
        sar     edx, 31
        and     cl, 31
        sar     eax, cl
        ret
.sign:
        sar     edx, 31
        mov     eax, edx
        ret

        align   16
__aullshr:
        cmp     cl, 64
        jae     .none
        cmp     cl, 32
        jae     .low
        shrd    eax, edx, cl
        shr     edx, cl
        ret
.low:
        mov     eax, edx
        xor     edx, edx
        and     cl, 31
        shr     eax, cl
        ret
.none:
        xor     eax, eax
        xor     edx, edx
        ret

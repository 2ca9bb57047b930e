; stubs.asm - room 1: from a 32-bit C call to a service number in eax.
;
; One stub per row of kernel/ke/services.tab that XP has, byte for byte
; Windows XP SP3's: 16 bytes each. A stub does not know the door: it calls
; through KUSER_SHARED_DATA.SystemCall, where boot left the address of
; KiFastSystemCall or KiIntSystemCall below. So two return addresses lie on
; the stack when the kernel is entered, the caller's and the stub's.
;
; in   [esp]            = return address
;      [esp + 4] ...    = arguments
; out  eax = the service's result; ecx, edx are lost
;      the arguments are off the stack (stdcall)

        bits    32

SYSTEM_CALL equ 7FFE0300h                       ; KUSER_SHARED_DATA's

        global  _KiFastSystemCall@0
        global  _KiFastSystemCallRet@0
        global  _KiIntSystemCall@0

SECTION .text align=16

; NT: bytes, because NASM chooses other encodings than Microsoft's tools, and
; programs that read stubs know Microsoft's.
%macro  SERVICE_STUB 3
        global  _%1@%3
        align   16
_%1@%3:
        db      0B8h                            ; mov   eax, number
        dd      %2
        db      0BAh                            ; mov   edx, SystemCall
        dd      SYSTEM_CALL
        db      0FFh, 12h                       ; call  [edx]
%if %3
        db      0C2h                            ; ret   bytes of arguments
        dw      %3
        db      90h                             ; to the next stub
%else
        db      0C3h                            ; ret
        db      90h, 90h, 90h
%endif
%endmacro

%include "stubs32.inc"

; By SYSENTER: it saves neither eip nor esp, so edx carries the stack. The
; kernel finds the arguments above two return addresses, at edx + 8, and comes
; back with esp = edx to KiFastSystemCallRet: that address is in the shared
; page, too, and its RET leads to the stub.
        align   16
_KiFastSystemCall@0:
        db      8Bh, 0D4h                       ; mov   edx, esp
        sysenter
_KiFastSystemCallRet@0:
        ret

; By INT 2Eh: edx = arguments, behind the same two return addresses. IRET
; comes back behind the INT.
        align   16
_KiIntSystemCall@0:
        db      8Dh, 54h, 24h, 08h              ; lea   edx, [esp + 8]
        int     2Eh
        ret

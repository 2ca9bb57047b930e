; doors.asm - the same call by a door of the caller's choice.
;
;   ULONG_PTR NtwCallInt2e(ULONG number, ...);          cdecl
;   ULONG_PTR NtwCallSysenter(ULONG number, ...);
;
; The stack that C leaves is the one a stub would have made, with the number
; where the stub has the return address of its caller: the arguments begin at
; esp + 8. Nothing needs to be moved.
;
; in   [esp + 4] = number, [esp + 8] ... = the service's arguments
; out  eax = the service's result; ecx and edx are lost
;
; NT: has no such routines; its stubs call through SystemCall.

        bits    32

        global  _NtwCallInt2e
        global  _NtwCallSysenter

SECTION .text align=16

_NtwCallInt2e:
        mov     eax, [esp + 4]
        lea     edx, [esp + 8]
        int     2Eh
        ret

; The kernel returns to KiFastSystemCallRet, whose RET is this routine's.
        align   16
_NtwCallSysenter:
        mov     eax, [esp + 4]
        mov     edx, esp
        sysenter

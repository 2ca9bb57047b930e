/*
 * thread/debugservice.c - INT 2Dh: text for the debugger.
 *
 * eax says what, rcx and rdx (32-bit code: ecx and edx) have a text and its
 * length.  An INT3 follows the instruction; the debugger that takes a service
 * goes on behind it.  There is no debugger: the kernel takes the services that
 * Windows takes without one, and everything else is a breakpoint.
 *
 *      1  print          the text, on the kernel's console
 *      2  prompt         the same; nobody answers, the reply is empty
 *      3, 4  symbols     of a module, to load or to forget: nothing to do
 *      5  command        for the debugger: nothing to do
 *
 * NT: without a debugger the text goes nowhere and a prompt is a breakpoint.
 */
#include <arch/trap.h>
#include <kd.h>
#include <mm.h>

#define BREAKPOINT_PRINT 1
#define BREAKPOINT_PROMPT 2
#define BREAKPOINT_LOAD_SYMBOLS 3
#define BREAKPOINT_UNLOAD_SYMBOLS 4
#define BREAKPOINT_COMMAND_STRING 5

#define LONGEST_TEXT 512                /* the rest is cut off */

static NTSTATUS print(const void *user, USHORT length)
{
    CHAR text[LONGEST_TEXT];
    NTSTATUS status;

    if (length > sizeof text)
        length = sizeof text;
    status = mm_copy_from_mode(UserMode, text, user, length);
    if (NT_SUCCESS(status))
        kd_write(text, length);
    return status;
}

static const void *text_of(const KTRAP_FRAME *frame)
{
    return (const void *)(ki_is_code32(frame) ? (ULONG)frame->Rcx
                                              : frame->Rcx);
}

BOOLEAN ki_debug_service(KTRAP_FRAME *frame)
{
    ULONG service = (ULONG)frame->Rax;
    NTSTATUS status = STATUS_SUCCESS;

    frame->Rip++;
    switch (service) {
    case BREAKPOINT_PRINT:
    case BREAKPOINT_PROMPT:
        status = print(text_of(frame), (USHORT)frame->Rdx);
        break;
    case BREAKPOINT_LOAD_SYMBOLS:
    case BREAKPOINT_UNLOAD_SYMBOLS:
    case BREAKPOINT_COMMAND_STRING:
        break;
    default:
        return FALSE;
    }
    frame->Rax = service == BREAKPOINT_PROMPT ? 0 : (ULONG)status;
    return TRUE;
}

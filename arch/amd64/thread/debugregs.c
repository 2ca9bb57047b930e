/*
 * thread/debugregs.c - the debug registers of a thread.
 *
 * While a thread is in ring 3 they are in the processor, and in the kernel in
 * its frame of ring 3, if it has any (docs/debugregs.md):
 *
 *   Header.DebugActive   bit 0: the thread has breakpoints; set and cleared
 *                        here, tested by every way in from ring 3
 *   KTRAP_FRAME.Dr7      its low word is not 0: Dr0 to Dr7 of this frame are
 *                        filled, and the way out loads them
 *   DR7                  0 while the kernel runs, so that no breakpoint of
 *                        ring 3 fires there and none stays for another thread
 *
 * DR0 to DR3 of another thread may still be in the processor: a frame of a
 * thread without breakpoints is never believed about them.
 */
#include <bug.h>
#include <arch/entry.h>
#include <arch/thread.h>
#include <mm.h>
#include <x86/registers.h>

static ULONGLONG user_address(ULONGLONG address)
{
    return BUG(debug_address_trusted) ||
           address <= MM_HIGHEST_USER_ADDRESS ? address : 0;
}

static BOOLEAN is_filled(const KTRAP_FRAME *frame)
{
    return (USHORT)frame->Dr7 != 0;
}

void arch_sanitize_debug_registers(CONTEXT *context)
{
    context->Dr0 = user_address(context->Dr0);
    context->Dr1 = user_address(context->Dr1);
    context->Dr2 = user_address(context->Dr2);
    context->Dr3 = user_address(context->Dr3);
    context->Dr6 &= DR6_STATUS;
    context->Dr7 &= DR7_LEGAL;
}

/*
 * Without a bit that switches something on there is nothing to keep, and the
 * registers read as 0 from now on.  An instrumented thread's frame stays
 * filled: that is how its way out is found (entry/exit.asm).
 */
void ki_set_debug_registers(KTRAP_FRAME *frame, const CONTEXT *context)
{
    UCHAR *active = &KeGetCurrentThread()->Header.DebugActive;

    frame->Dr0 = user_address(context->Dr0);
    frame->Dr1 = user_address(context->Dr1);
    frame->Dr2 = user_address(context->Dr2);
    frame->Dr3 = user_address(context->Dr3);
    frame->Dr6 = context->Dr6 & DR6_STATUS;
    frame->Dr7 = BUG(dr7_trusted) ? context->Dr7 : context->Dr7 & DR7_LEGAL;
    if (frame->Dr7 & DR7_ACTIVE)
        __sync_fetch_and_or(active, DEBUG_ACTIVE_DR7);
    else
        __sync_fetch_and_and(active, (UCHAR)~DEBUG_ACTIVE_DR7);
    if (*active & (DEBUG_ACTIVE_DR7 | DEBUG_ACTIVE_INSTRUMENTED))
        frame->Dr7 |= DR7_FIXED;
    else
        frame->Dr7 = 0;
}

void ki_get_debug_registers(const KTRAP_FRAME *frame, CONTEXT *context)
{
    BOOLEAN filled = is_filled(frame);
    BOOLEAN active = filled && (KeGetCurrentThread()->Header.DebugActive &
                                DEBUG_ACTIVE_DR7);

    context->Dr0 = active ? frame->Dr0 : 0;
    context->Dr1 = active ? frame->Dr1 : 0;
    context->Dr2 = active ? frame->Dr2 : 0;
    context->Dr3 = active ? frame->Dr3 : 0;
    context->Dr6 = filled ? frame->Dr6 & DR6_STATUS : 0;
    context->Dr7 = active ? frame->Dr7 & DR7_LEGAL : 0;
}

void ki_copy_debug_registers(KTRAP_FRAME *to, const KTRAP_FRAME *from)
{
    to->Dr0 = from->Dr0;
    to->Dr1 = from->Dr1;
    to->Dr2 = from->Dr2;
    to->Dr3 = from->Dr3;
    to->Dr6 = from->Dr6;
    to->Dr7 = is_filled(from) ? from->Dr7 : 0;
}

/*
 * DR6 tells what happened, and the processor never clears it.  A thread that
 * steps and has no breakpoints gets a filled frame as well, with what is its
 * own in DR6: breakpoints that are off may be reported there, too.
 */
void ki_take_debug_status(KTRAP_FRAME *frame)
{
    if (!is_filled(frame)) {
        frame->Dr0 = frame->Dr1 = frame->Dr2 = frame->Dr3 = 0;
        frame->Dr6 = arch_read_dr6() & DR6_STATUS & ~DR6_BREAKPOINTS;
        frame->Dr7 = DR7_FIXED;
    }
    arch_write_dr6(0);
}

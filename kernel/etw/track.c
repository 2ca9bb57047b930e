/*
 * etw/track.c - a system call that is traced: what is told before and after
 * it, and when it does not come back.
 *
 * NT: the two call what DTrace has registered (KeSetSystemServiceCallback).
 */
#include "etwp.h"

#include <arch/thread.h>

volatile ULONG KiDynamicTraceMask;

void KiTrackSystemCallEntry(struct ki_tracked_call *call)
{
    struct etwp_draft draft;

    call->id = 0;
    call->unread = 0;
    if (!etwp_wants_process())
        return;
    call->id = etwp_new_id();
    etwp_begin(&draft, TRACE_ENTER, call);
    if (ExGetPreviousMode() == UserMode) {
        for (ULONG i = 0; call->letters[i]; i++)
            etwp_add_value(&draft, call->arguments[i]);
        call->unread = etwp_add_inputs(&draft, call, ~0u);
    }
    etwp_tell(&draft, FALSE);
}

void KiTrackSystemCallExit(const struct ki_tracked_call *call,
                           ULONGLONG result, ULONGLONG ticks)
{
    struct etwp_draft draft;

    if (call->id == 0)
        return;
    etwp_begin(&draft, TRACE_LEAVE, call);
    etwp_add_value(&draft, result);
    etwp_add_value(&draft, ticks);
    if (ExGetPreviousMode() == UserMode) {
        (void)etwp_add_inputs(&draft, call, call->unread);
        if (NT_SUCCESS((NTSTATUS)result))
            etwp_add_results(&draft, call);
    }
    etwp_tell(&draft, TRUE);
}

/* What is no service of the list has no arguments that anybody knows. */
static const struct ke_service *find_service(const void *routine)
{
    for (ULONG i = 0; i < ke_service_count; i++) {
        if (ke_services[i].routine == routine)
            return &ke_services[i];
    }
    return NULL;
}

ULONGLONG ki_call_tracked(void *routine, const ULONGLONG *arguments)
{
    const struct ke_service *service = find_service(routine);
    struct ki_tracked_call call = {
        .letters = service ? service->letters : "",
        .arguments = arguments,
        .number = service ? ke_service_number(service)
                          : KeGetCurrentThread()->SystemCallNumber,
    };
    ULONGLONG result, start;

    KiTrackSystemCallEntry(&call);
    start = arch_read_tsc();
    result = arch_call_service(routine, arguments, service ? service->args : 0);
    KiTrackSystemCallExit(&call, result, arch_read_tsc() - start);
    return result;
}

static void tell(enum trace_kind kind)
{
    static const struct ki_tracked_call nothing;
    struct etwp_draft draft;

    if (!etw_is_on() || !etwp_wants_process())
        return;
    etwp_begin(&draft, kind, &nothing);
    etwp_tell(&draft, TRUE);
}

void etw_tell_away(void)
{
    tell(TRACE_AWAY);
}

void etw_tell_end(void)
{
    tell(TRACE_END);
}

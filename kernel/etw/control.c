/*
 * etw/control.c - NtTraceControl: one trace of the machine's system calls.
 *
 * Whoever asks first starts it, anybody may stop it or take what it has, as
 * nobody has privileges here.  A stopped trace keeps its records until they
 * have been taken.  No address of the kernel's is in them, so a machine needs
 * not be booted for it.
 *
 * NT: a session of many, with buffers, files and a thread that writes them;
 * its caller needs a right to it, and system calls are traced by the kernel
 * logger's flags, or for DTrace.
 */
#include "etwp.h"

#include <arch/processor.h>
#include <ex.h>
#include <nt/ntapi.h>
#include <nt/ntex.h>

#define ETWP_TAG 0x70777445             /* "Etwp" */
#define WAKE_INCREMENT 1                /* as for any event */

/*
 * Starting, stopping and taking, one at a time; user memory is touched under
 * it.
 */
static EX_PUSH_LOCK control_lock;

static struct etwp_ring rings[MAXIMUM_PROCESSORS];
static volatile ULONGLONG last_id;

/* Under lock, at DISPATCH_LEVEL, but for order's process and flags. */
static struct {
    KSPIN_LOCK lock;
    struct trace_order order;           /* the last one, when none runs */
    ULONGLONG before;                   /* calls up to this id are older */
    KEVENT *event;                      /* referenced; NULL: none */
} session;

ULONGLONG etwp_new_id(void)
{
    return __sync_add_and_fetch(&last_id, 1);
}

BOOLEAN etwp_wants_process(void)
{
    const struct trace_order *order = &session.order;
    BOOLEAN same = order->process ==
                   (ULONG_PTR)PsGetCurrentProcess()->UniqueProcessId;

    return order->process == 0 || same != (order->flags & TRACE_EXCEPT);
}

/* It was asked for by the trace that runs now, not by one before. */
static BOOLEAN belongs(const struct trace_record *record)
{
    return etwp_wants_process() &&
           (record->call == 0 || record->call > session.before);
}

void etwp_tell(const struct etwp_draft *draft, BOOLEAN wake)
{
    const struct trace_record *record = &draft->record;
    KIRQL irql = KeAcquireSpinLock(&session.lock);

    if (belongs(record)) {
        ULONG waiting = etwp_put(&rings[KeGetCurrentPrcb()->Number], record);

        if (wake && session.event && waiting >= session.order.wake)
            KeSetEvent(session.event, WAKE_INCREMENT, FALSE);
    }
    KeReleaseSpinLock(&session.lock, irql);
}

static BOOLEAN has_rings(void)
{
    return rings[0].bytes != NULL;
}

static void free_rings(void)
{
    for (ULONG i = 0; i < KeNumberProcessors; i++) {
        UCHAR *bytes = etwp_set_ring(&rings[i], NULL, 0);

        if (bytes)
            ExFreePoolWithTag(bytes, ETWP_TAG);
    }
}

static NTSTATUS allocate_rings(ULONG size)
{
    free_rings();
    for (ULONG i = 0; i < KeNumberProcessors; i++) {
        UCHAR *bytes = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, ETWP_TAG);

        if (!bytes) {
            free_rings();
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        (void)etwp_set_ring(&rings[i], bytes, size);
    }
    return STATUS_SUCCESS;
}

static void begin_session(const struct trace_order *order, KEVENT *event)
{
    KIRQL irql = KeAcquireSpinLock(&session.lock);

    session.order = *order;
    session.before = etwp_new_id();
    session.event = event;
    KeReleaseSpinLock(&session.lock, irql);
}

/* Calls that are still open are told to this one until there is another. */
static KEVENT *end_session(void)
{
    KIRQL irql = KeAcquireSpinLock(&session.lock);
    KEVENT *event = session.event;

    session.event = NULL;
    KeReleaseSpinLock(&session.lock, irql);
    return event;
}

static NTSTATUS check_order(const struct trace_order *order)
{
    if ((order->flags & ~(ULONG)TRACE_EXCEPT) || order->ring % 8 != 0 ||
        order->ring < TRACE_SMALLEST_RING || order->ring > TRACE_LARGEST_RING)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static NTSTATUS begin_trace(const struct trace_order *order, KEVENT *event)
{
    NTSTATUS status;

    if (etw_is_on())
        return STATUS_OBJECT_NAME_COLLISION;
    status = allocate_rings(order->ring);
    if (NT_SUCCESS(status)) {
        begin_session(order, event);
        KiDynamicTraceMask |= KI_TRACE_SYSTEM_CALLS;
    }
    return status;
}

static NTSTATUS start(const void *input)
{
    struct trace_order order;
    void *event = NULL;
    NTSTATUS status = mm_copy_from_user(&order, input, sizeof order);

    if (NT_SUCCESS(status))
        status = check_order(&order);
    if (NT_SUCCESS(status) && order.event)
        status = ObReferenceObjectByHandle((HANDLE)order.event,
                                           EVENT_MODIFY_STATE,
                                           ExEventObjectType,
                                           ExGetPreviousMode(), &event);
    if (!NT_SUCCESS(status))
        return status;
    ke_acquire_exclusive(&control_lock);
    status = begin_trace(&order, event);
    ke_release_exclusive(&control_lock);
    if (!NT_SUCCESS(status) && event)
        ObDereferenceObject(event);
    return status;
}

static struct trace_state count(void)
{
    struct trace_state state = { 0 };

    for (ULONG i = 0; i < KeNumberProcessors; i++)
        etwp_count(&rings[i], &state);
    return state;
}

static NTSTATUS stop(void)
{
    NTSTATUS status = STATUS_WMI_INSTANCE_NOT_FOUND;
    KEVENT *event = NULL;

    ke_acquire_exclusive(&control_lock);
    if (etw_is_on()) {
        KiDynamicTraceMask &= ~(ULONG)KI_TRACE_SYSTEM_CALLS;
        event = end_session();
        if (count().waiting == 0)
            free_rings();
        status = STATUS_SUCCESS;
    }
    ke_release_exclusive(&control_lock);
    if (event)
        ObDereferenceObject(event);
    return status;
}

static NTSTATUS query(void *output, ULONG *length)
{
    struct trace_state state = count();

    if (!has_rings())
        return STATUS_WMI_INSTANCE_NOT_FOUND;
    state.running = etw_is_on();
    state.ring = rings[0].size;
    state.process = session.order.process;
    *length = sizeof state;
    return mm_copy_to_user(output, &state, sizeof state);
}

/* A page at a time; what cannot be handed over is gone. */
static NTSTATUS take(struct etwp_ring *ring, UCHAR *user, ULONG size,
                     UCHAR *page, ULONG *length)
{
    NTSTATUS status = STATUS_SUCCESS;
    ULONG taken;

    do {
        ULONG left = size - *length;

        taken = etwp_take(ring, page, left < PAGE_SIZE ? left : PAGE_SIZE);
        if (taken)
            status = mm_copy_to_user(user + *length, page, taken);
        *length += taken;
    } while (taken && NT_SUCCESS(status));
    return status;
}

static NTSTATUS take_all(UCHAR *user, ULONG size, ULONG *length)
{
    UCHAR *page = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, ETWP_TAG);
    NTSTATUS status = STATUS_SUCCESS;

    if (!page)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG i = 0; i < KeNumberProcessors && NT_SUCCESS(status); i++)
        status = take(&rings[i], user, size, page, length);
    ExFreePoolWithTag(page, ETWP_TAG);
    return status;
}

static NTSTATUS flush(UCHAR *user, ULONG size, ULONG *length)
{
    NTSTATUS status;

    if (!has_rings())
        return STATUS_WMI_INSTANCE_NOT_FOUND;
    status = take_all(user, size, length);
    if (NT_SUCCESS(status) && *length == 0 && count().waiting != 0)
        return STATUS_BUFFER_TOO_SMALL;
    if (!etw_is_on() && count().waiting == 0)
        free_rings();
    return status;
}

static NTSTATUS answer(ULONG code, void *output, ULONG size, ULONG *length)
{
    NTSTATUS status;

    ke_acquire_exclusive(&control_lock);
    status = code == EtwQueryLoggerCode ? query(output, length)
                                        : flush(output, size, length);
    ke_release_exclusive(&control_lock);
    return status;
}

static NTSTATUS check_lengths(ULONG code, ULONG input, ULONG output)
{
    switch (code) {
    case EtwStartLoggerCode:
        return input == sizeof(struct trace_order)
                   ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    case EtwQueryLoggerCode:
        return output == sizeof(struct trace_state)
                   ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    case EtwStopLoggerCode:
    case EtwFlushLoggerCode:
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

NTSTATUS NtTraceControl(ULONG FunctionCode, void *InBuffer, ULONG InBufferLen,
                        void *OutBuffer, ULONG OutBufferLen,
                        ULONG *ReturnLength)
{
    ULONG length = 0;
    NTSTATUS status = check_lengths(FunctionCode, InBufferLen, OutBufferLen);

    if (NT_SUCCESS(status))
        status = mm_probe_for_read(InBuffer, InBufferLen, sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_probe_for_write(OutBuffer, OutBufferLen, sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_probe_for_write(ReturnLength, sizeof *ReturnLength,
                                    sizeof(ULONG));
    if (!NT_SUCCESS(status))
        return status;
    if (FunctionCode == EtwStartLoggerCode)
        status = start(InBuffer);
    else if (FunctionCode == EtwStopLoggerCode)
        status = stop();
    else
        status = answer(FunctionCode, OutBuffer, OutBufferLen, &length);
    if (NT_SUCCESS(status))
        status = mm_copy_to_user(ReturnLength, &length, sizeof length);
    return status;
}

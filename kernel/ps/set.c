/*
 * ps/set.c - NtSetInformationThread and NtSetInformationProcess.
 *
 * A class is a row as in query.c.  What Windows reserves for a privilege (the
 * real-time priorities) is open here, where there are no users; only the
 * system's own threads and process are left as they are, and nobody has the
 * privilege to instrument another process.
 */
#include "psp.h"

#include <ex.h>
#include <nt/ntapi.h>

#define SATURATION 16                   /* the end of a class of priorities */
#define LONGEST 48                      /* bytes of data */

/* Two rows of a class: it takes data of two sizes. */
struct row {
    ULONG class, size;
    ACCESS_MASK access;
    NTSTATUS (*set)(void *object, const void *data);
};

static NTSTATUS set_priority(void *object, const void *data)
{
    LONG priority = *(const LONG *)data;

    if (priority <= LOW_PRIORITY || priority > HIGH_PRIORITY)
        return STATUS_INVALID_PARAMETER;
    KeSetPriorityThread(&((ETHREAD *)object)->Tcb, priority);
    return STATUS_SUCCESS;
}

/* Beyond two steps only the two ends: +-16. */
static NTSTATUS set_base_priority(void *object, const void *data)
{
    LONG increment = *(const LONG *)data;

    if ((increment < THREAD_BASE_PRIORITY_MIN ||
         increment > THREAD_BASE_PRIORITY_MAX) &&
        increment != SATURATION && increment != -SATURATION)
        return STATUS_INVALID_PARAMETER;
    KeSetBasePriorityThread(&((ETHREAD *)object)->Tcb, increment);
    return STATUS_SUCCESS;
}

static NTSTATUS set_affinity(void *object, const void *data)
{
    ULONG_PTR mask = *(const ULONG_PTR *)data;
    ETHREAD *thread = object;

    if (mask == 0 || (mask & ~ke_process_affinity(thread->Tcb.Process)))
        return STATUS_INVALID_PARAMETER;
    ke_set_affinity_thread(&thread->Tcb, mask);
    return STATUS_SUCCESS;
}

static NTSTATUS set_boost(void *object, const void *data)
{
    LONG *flags = &((ETHREAD *)object)->Tcb.ThreadFlags;

    if (*(const ULONG *)data)
        __sync_fetch_and_or(flags, THREAD_FLAGS_DISABLE_BOOST);
    else
        __sync_fetch_and_and(flags, ~THREAD_FLAGS_DISABLE_BOOST);
    return STATUS_SUCCESS;
}

static NTSTATUS set_start(void *object, const void *data)
{
    ((ETHREAD *)object)->Win32StartAddress = *(void *const *)data;
    return STATUS_SUCCESS;
}

static NTSTATUS set_hidden(void *object, const void *data)
{
    (void)data;
    __sync_fetch_and_or(&((ETHREAD *)object)->CrossThreadFlags,
                        PS_CROSS_THREAD_FLAGS_HIDEFROMDBG);
    return STATUS_SUCCESS;
}

/*
 * A scheduler of user-mode threads, itself and now; what follows from it is
 * in arch/.../ums.c.  UMS threads there are none.
 */
static NTSTATUS set_ums(void *object, const void *data)
{
    const THREAD_UMS_INFORMATION *ums = data;
    UCHAR *active = &((ETHREAD *)object)->Tcb.Header.DebugActive;

    if (ums->Flags || (ums->Command != UmsInformationCommandAttach &&
                       ums->Command != UmsInformationCommandDetach))
        return STATUS_INVALID_PARAMETER;
    if (object != PsGetCurrentThread() || ums->UmsContext ||
        PsGetCurrentProcess()->WoW64Process)
        return STATUS_NOT_SUPPORTED;
    if (ums->Command == UmsInformationCommandAttach)
        __sync_fetch_and_or(active, DEBUG_ACTIVE_UMS_PRIMARY);
    else
        __sync_fetch_and_and(active, (UCHAR)~DEBUG_ACTIVE_UMS_PRIMARY);
    return STATUS_SUCCESS;
}

static const struct row thread_rows[] = {
    { ThreadPriority, sizeof(LONG), THREAD_SET_INFORMATION, set_priority },
    { ThreadBasePriority, sizeof(LONG), THREAD_SET_INFORMATION,
      set_base_priority },
    { ThreadAffinityMask, sizeof(ULONG_PTR), THREAD_SET_INFORMATION,
      set_affinity },
    { ThreadQuerySetWin32StartAddress, sizeof(void *),
      THREAD_SET_INFORMATION, set_start },
    { ThreadPriorityBoost, sizeof(ULONG), THREAD_SET_INFORMATION, set_boost },
    { ThreadHideFromDebugger, 0, THREAD_SET_INFORMATION, set_hidden },
    { ThreadUmsInformation, sizeof(THREAD_UMS_INFORMATION),
      THREAD_SET_INFORMATION, set_ums },
};

static NTSTATUS set_process_priority(void *object, const void *data)
{
    LONG priority = *(const LONG *)data;

    if (priority <= LOW_PRIORITY || priority > HIGH_PRIORITY)
        return STATUS_INVALID_PARAMETER;
    KeSetPriorityProcess(&((EPROCESS *)object)->Pcb, priority);
    return STATUS_SUCCESS;
}

static NTSTATUS set_process_affinity(void *object, const void *data)
{
    ULONG_PTR mask = *(const ULONG_PTR *)data;
    KPROCESS *process = &((EPROCESS *)object)->Pcb;
    ULONG group = (ULONG)__builtin_ctz(process->ActiveGroupsMask);

    if (mask == 0 || (mask & ~KeQueryGroupAffinity(group)))
        return STATUS_INVALID_PARAMETER;
    ke_set_affinity_process(process, mask);
    return STATUS_SUCCESS;
}

/*
 * Both working-set sizes -1: empty it.  Sizes to keep to are what Windows has
 * a privilege for.
 */
static NTSTATUS set_quota(void *object, const void *data)
{
    const QUOTA_LIMITS *limits = data;

    if (limits->MinimumWorkingSetSize != ~(SIZE_T)0 ||
        limits->MaximumWorkingSetSize != ~(SIZE_T)0)
        return STATUS_PRIVILEGE_NOT_HELD;
    return mm_empty_working_set(object);
}

/*
 * A callback outside of user space could not be returned to, and 32-bit code
 * is never returned to by way of one.
 */
static NTSTATUS instrument(EPROCESS *process, void *callback)
{
    if (process != PsGetCurrentProcess())
        return STATUS_PRIVILEGE_NOT_HELD;
    if (process->WoW64Process)
        return STATUS_NOT_SUPPORTED;
    if ((ULONG_PTR)callback > MM_HIGHEST_USER_ADDRESS)
        return STATUS_INVALID_PARAMETER;
    ke_set_instrumentation_callback(&process->Pcb, callback);
    return STATUS_SUCCESS;
}

static NTSTATUS set_callback(void *object, const void *data)
{
    return instrument(object, *(void *const *)data);
}

static NTSTATUS set_instrumentation(void *object, const void *data)
{
    const PROCESS_INSTRUMENTATION_CALLBACK_INFORMATION *new = data;

    if (new->Version || new->Reserved)
        return STATUS_INVALID_PARAMETER;
    return instrument(object, new->Callback);
}

/* There is one policy; its two flags come together, and it stays. */
static NTSTATUS set_policy(void *object, const void *data)
{
    const PROCESS_MITIGATION_POLICY_INFORMATION *new = data;

    if (object != PsGetCurrentProcess())
        return STATUS_ACCESS_DENIED;
    if (new->Policy != ProcessStrictHandleCheckPolicy)
        return STATUS_NOT_SUPPORTED;
    if (new->Flags != (PROCESS_STRICT_HANDLE_RAISE |
                       PROCESS_STRICT_HANDLE_PERMANENT))
        return STATUS_INVALID_PARAMETER;
    ex_enable_handle_exceptions(((EPROCESS *)object)->ObjectTable);
    return STATUS_SUCCESS;
}

static const struct row process_rows[] = {
    { ProcessQuotaLimits, sizeof(QUOTA_LIMITS), PROCESS_SET_QUOTA,
      set_quota },
    { ProcessBasePriority, sizeof(LONG), PROCESS_SET_INFORMATION,
      set_process_priority },
    { ProcessAffinityMask, sizeof(ULONG_PTR), PROCESS_SET_INFORMATION,
      set_process_affinity },
    { ProcessInstrumentationCallback,
      sizeof(PROCESS_INSTRUMENTATION_CALLBACK_INFORMATION),
      PROCESS_SET_INFORMATION, set_instrumentation },
    { ProcessInstrumentationCallback, sizeof(void *), PROCESS_SET_INFORMATION,
      set_callback },
    { ProcessMitigationPolicy, sizeof(PROCESS_MITIGATION_POLICY_INFORMATION),
      PROCESS_SET_INFORMATION, set_policy },
};

/* The class's row for that length, or any of its rows. */
static const struct row *find(const struct row *rows, ULONG count,
                              ULONG class, ULONG length)
{
    const struct row *found = NULL;

    for (ULONG i = 0; i < count; i++) {
        if (rows[i].class == class &&
            (!found || rows[i].size == length))
            found = &rows[i];
    }
    return found;
}

static BOOLEAN is_system(const OBJECT_TYPE *type, const void *object)
{
    if (type == PsProcessType)
        return object == PsInitialSystemProcess;
    return (((const ETHREAD *)object)->Tcb.MiscFlags &
            MISC_FLAGS_SYSTEM_THREAD) != 0;
}

static NTSTATUS change(const struct row *row, OBJECT_TYPE *type,
                       HANDLE handle, const void *user, ULONG length)
{
    ULONGLONG data[LONGEST / sizeof(ULONGLONG)] = { 0 };
    void *object;
    NTSTATUS status = mm_probe_for_read(user, length, sizeof(ULONG));

    if (NT_SUCCESS(status) && length != row->size)
        status = STATUS_INFO_LENGTH_MISMATCH;
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(data, user, row->size);
    if (NT_SUCCESS(status))
        status = ObReferenceObjectByHandle(handle, row->access, type,
                                           ExGetPreviousMode(), &object);
    if (!NT_SUCCESS(status))
        return status;
    status = is_system(type, object) ? STATUS_ACCESS_DENIED
                                     : row->set(object, data);
    ObDereferenceObject(object);
    return status;
}

NTSTATUS NtSetInformationThread(HANDLE handle, ULONG class,
                                const void *buffer, ULONG length)
{
    const struct row *row = find(thread_rows, ARRAY_SIZE(thread_rows), class,
                                 length);

    return row ? change(row, PsThreadType, handle, buffer, length)
               : STATUS_INVALID_INFO_CLASS;
}

NTSTATUS NtSetInformationProcess(HANDLE handle, ULONG class,
                                 const void *buffer, ULONG length)
{
    const struct row *row = find(process_rows, ARRAY_SIZE(process_rows),
                                 class, length);

    return row ? change(row, PsProcessType, handle, buffer, length)
               : STATUS_INVALID_INFO_CLASS;
}

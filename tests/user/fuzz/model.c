/*
 * model.c - what a call may answer, from its row and the world as it is.
 *
 * The checks of a row are done in its order; the first that fails is the
 * answer.  A structure is read where it lies, as the kernel will read it.
 */
#include "checks.h"

void verdict_maybe(struct verdict *verdict, NTSTATUS status)
{
    if (verdict->count < ARRAY_SIZE(verdict->maybe))
        verdict->maybe[verdict->count++] = status;
}

static const struct known_handle *find_handle(ULONG_PTR value)
{
    for (ULONG at = 0; at < known_handle_count; at++)
        if (known_handles[at].value == value)
            return &known_handles[at];
    return NULL;
}

static BOOLEAN is_waitable(enum object object)
{
    return object != SECTION && object != DIRECTORY;
}

NTSTATUS handle_status(ULONG_PTR value, enum object object,
                       ACCESS_MASK access)
{
    const struct known_handle *handle = find_handle(value);

    if (!handle || handle->object == NOTHING)
        return STATUS_INVALID_HANDLE;
    if (object < OBJECTS && handle->object != object)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (object == SIGNALLED && handle->object != EVENT &&
        handle->object != SEMAPHORE && handle->object != MUTANT)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (object == SIGNALLED)
        access = handle->object == MUTANT ? SYNCHRONIZE : EVENT_MODIFY_STATE;
    if (access & ~handle->access)
        return STATUS_ACCESS_DENIED;
    if (object == WAITABLE && !is_waitable(handle->object))
        return STATUS_OBJECT_TYPE_MISMATCH;
    return STATUS_SUCCESS;
}

/*
 * A UNICODE_STRING; empty ones have no text to look at. A name (alignment 4)
 * has a longest length.
 */
NTSTATUS string_status(ULONG_PTR address, ULONG alignment)
{
    NTSTATUS status = memory_status(address, sizeof(UNICODE_STRING),
                                    alignment, FALSE);
    UNICODE_STRING string;

    if (status)
        return status;
    memcpy(&string, (void *)address, sizeof string);
    if (string.Length == 0)
        return STATUS_SUCCESS;
    if ((string.Length & 1) || (alignment == 4 && string.Length > 65532))
        return STATUS_OBJECT_NAME_INVALID;
    return memory_status((ULONG_PTR)string.Buffer, string.Length,
                         sizeof(WCHAR), FALSE);
}

NTSTATUS read_attributes(ULONG_PTR address, OBJECT_ATTRIBUTES *attributes)
{
    NTSTATUS status = memory_status(address, sizeof *attributes,
                                    sizeof(ULONG), FALSE);

    if (status)
        return status;
    memcpy(attributes, (void *)address, sizeof *attributes);
    return attributes->Length != sizeof *attributes ||
                   (attributes->Attributes & ~OBJ_VALID_ATTRIBUTES)
               ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

NTSTATUS attributes_status(ULONG_PTR address)
{
    OBJECT_ATTRIBUTES attributes;
    NTSTATUS status = read_attributes(address, &attributes);

    if (status)
        return status;
    if (attributes.ObjectName)
        return string_status((ULONG_PTR)attributes.ObjectName, 4);
    return attributes.RootDirectory ? STATUS_OBJECT_NAME_INVALID
                                    : STATUS_SUCCESS;
}

static NTSTATUS argument_status(const struct fuzz_call *call, ULONG at)
{
    const struct argument *argument = &call->row->arguments[at];
    ULONG_PTR value = call->arguments[at];

    if (argument->optional && value == 0)
        return STATUS_SUCCESS;
    switch (argument->kind) {
    case HANDLE_OF:
        return handle_status(value, argument->object, argument->access);
    case IN:
    case TIMEOUT:
    case CONTEXT_IN:
        return memory_status(value, argument->size, argument->alignment,
                             FALSE);
    case OUT:
    case INOUT:
    case BASE:
    case LENGTH:
        return memory_status(value, argument->size, argument->alignment,
                             TRUE);
    case BUFFER_IN:
    case BUFFER_OUT:
        return memory_status(value, argument->wide
                                 ? call->arguments[argument->size]
                                 : (ULONG)call->arguments[argument->size],
                             argument->alignment,
                             argument->kind == BUFFER_OUT);
    case ATTRIBUTES:
        return attributes_status(value);
    case NAME_STRING:
        return string_status(value, 1);
    default:
        return STATUS_SUCCESS;
    }
}

static BOOLEAN is_on_guard(ULONG_PTR address)
{
    return address - (ULONG_PTR)(arena + ARENA_GUARD * PAGE_SIZE) + 0x1000 <
           2 * PAGE_SIZE;
}

static BOOLEAN has_guarded_name(const struct fuzz_call *call, ULONG at)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;

    if (call->row->arguments[at].kind != ATTRIBUTES ||
        memory_status(call->arguments[at], sizeof attributes, 4, FALSE))
        return FALSE;
    memcpy(&attributes, (void *)call->arguments[at], sizeof attributes);
    if (is_on_guard((ULONG_PTR)attributes.ObjectName))
        return TRUE;
    if (memory_status((ULONG_PTR)attributes.ObjectName, sizeof name, 4,
                      FALSE))
        return FALSE;
    memcpy(&name, attributes.ObjectName, sizeof name);
    return is_on_guard((ULONG_PTR)name.Buffer) ||
           is_on_guard((ULONG_PTR)name.Buffer + name.Length);
}

void model(struct fuzz_call *call, struct verdict *verdict)
{
    verdict->certain = STATUS_SUCCESS;
    verdict->count = 0;
    call->guarded = FALSE;
    if (!call->row) {
        verdict->certain = STATUS_INVALID_SYSTEM_SERVICE;
        return;
    }
    for (ULONG at = 0; at < call->row->count; at++)
        call->guarded |= is_on_guard(call->arguments[at]) ||
                         (sizeof(void *) == 4 && has_guarded_name(call, at));
    for (const char *step = call->row->steps; *step; step++) {
        verdict->certain = *step >= 'A'
                               ? call->row->checks[*step - 'A'](call, verdict)
                               : argument_status(call, (ULONG)(*step - '0'));
        if (verdict->certain)
            return;
    }
}

static BOOLEAN is_in(const NTSTATUS *list, ULONG count, NTSTATUS status)
{
    for (ULONG at = 0; at < count; at++)
        if (list[at] == status)
            return TRUE;
    return FALSE;
}

BOOLEAN verdict_allows(const struct fuzz_call *call,
                       const struct verdict *verdict, NTSTATUS status)
{
    const NTSTATUS *may;

    if (verdict->certain == status && verdict->certain)
        return TRUE;
    if (is_in(verdict->maybe, verdict->count, status))
        return TRUE;
    /* 32-bit arguments are made 64-bit before anything else is checked. */
    if (sizeof(void *) == 4 && call->guarded &&
        status == STATUS_GUARD_PAGE_VIOLATION)
        return TRUE;
    if (verdict->certain)
        return FALSE;
    if (status == STATUS_SUCCESS)
        return !(call->row->flags & ROW_NEVER);
    if (call->row->flags & ROW_INDEX &&
        ((ULONG)status & ~(ULONG)STATUS_ABANDONED_WAIT_0) < 64)
        return TRUE;
    for (may = call->row->may; may && *may; may++)
        if (*may == status)
            return TRUE;
    return FALSE;
}

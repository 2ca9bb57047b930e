/*
 * wow64/translate.c - structures that a service's arguments point to.
 *
 * The service wants a pointer to user memory that holds the 64-bit form, so
 * that is what it gets: for the time of one call the form lies in the
 * thread's own translation area, and afterwards what the service wrote there
 * is written to the caller in its 32-bit form.
 *
 * The area is user memory on purpose.  The service stays what it is, with
 * PreviousMode UserMode: it probes, captures and guards this pointer like
 * anybody's.  Code of the process that writes to the area while a call is
 * under way gets what it would get from changing its own arguments.  The area
 * belongs to one thread, whose calls do not nest: APCs of ring 3 come when the
 * service's results are with the caller.
 *
 * A bad pointer of the caller is not refused here but made a bad pointer for
 * the service, which then says what it says to 64-bit code, after the checks
 * that come first in it and before anything is done.  Likewise alignment: a
 * form lies as many bytes off a multiple of 4 as the caller's structure does.
 * Only a guard page is reported from here: to touch it has used it up.
 *
 * The letters are those of services.tab.
 */
#include "wow64p.h"

/* An argument's place: the largest form with its string, and 3 bytes. */
#define PLACE_SIZE 0x80
#define STRING_PLACE 0x40
_Static_assert(WOW64P_ARGUMENTS * PLACE_SIZE <= PAGE_SIZE, "arguments' page");

/* No service gives out such a handle or size: it has not been written. */
#define UNWRITTEN (~0ULL)

#define MISALIGNMENT 3

static BOOLEAN is_translated(char letter)
{
    return letter >= 'A' && letter <= 'Z';
}

ULONG wow64p_narrow(ULONGLONG value)
{
    return value > 0xFFFFFFFF ? 0xFFFFFFFF : (ULONG)value;
}

NTSTATUS wow64p_place(NTSTATUS status, ULONG pointer, ULONGLONG place,
                      const void *form, SIZE_T size, ULONGLONG *translated)
{
    ULONG misalignment = pointer & MISALIGNMENT;

    *translated = place + misalignment;
    if (status == STATUS_ACCESS_VIOLATION) {
        *translated = MM_USER_PROBE_ADDRESS + misalignment;
        return STATUS_SUCCESS;
    }
    return NT_SUCCESS(status)
               ? mm_copy_to_user((void *)*translated, form, size) : status;
}

NTSTATUS wow64p_place_string(ULONG pointer, ULONGLONG place,
                             ULONGLONG *translated)
{
    UNICODE_STRING32 from = { 0 };
    UNICODE_STRING form;
    NTSTATUS status;

    *translated = 0;
    if (pointer == 0)
        return STATUS_SUCCESS;
    status = mm_copy_from_user(&from, (void *)(ULONG_PTR)pointer,
                               sizeof from);
    form = (UNICODE_STRING){
        .Length = from.Length,
        .MaximumLength = from.MaximumLength,
        .Buffer = (WCHAR *)(ULONG_PTR)from.Buffer,
    };
    return wow64p_place(status, pointer, place, &form, sizeof form,
                        translated);
}

/* A Length that is not XP's becomes one that the service will not like. */
static NTSTATUS place_attributes(ULONG pointer, ULONGLONG place,
                                 ULONGLONG *translated)
{
    OBJECT_ATTRIBUTES32 from = { 0 };
    OBJECT_ATTRIBUTES form = { 0 };
    ULONGLONG name = 0;
    NTSTATUS status = mm_copy_from_user(&from, (void *)(ULONG_PTR)pointer,
                                        sizeof from);
    NTSTATUS name_status = STATUS_SUCCESS;

    if (NT_SUCCESS(status) && from.Length == sizeof from) {
        form.Length = sizeof form;
        name_status = wow64p_place_string(from.ObjectName,
                                          place + STRING_PLACE, &name);
    }
    if (!NT_SUCCESS(name_status))
        return name_status;
    form.RootDirectory = (HANDLE)(LONG_PTR)(LONG)from.RootDirectory;
    form.ObjectName = (UNICODE_STRING *)name;
    form.Attributes = from.Attributes;
    form.SecurityDescriptor = (void *)(ULONG_PTR)from.SecurityDescriptor;
    form.SecurityQualityOfService =
        (void *)(ULONG_PTR)from.SecurityQualityOfService;
    return wow64p_place(status, pointer, place, &form, sizeof form,
                        translated);
}

static NTSTATUS place_status_block(ULONG pointer, ULONGLONG place,
                                   ULONGLONG *translated)
{
    IO_STATUS_BLOCK form = { .Pointer = NULL, .Information = UNWRITTEN };
    NTSTATUS status = mm_probe_for_write((void *)(ULONG_PTR)pointer,
                                         sizeof(IO_STATUS_BLOCK32), 1);

    return wow64p_place(status, pointer, place, &form, sizeof form,
                        translated);
}

/* H, N: only out. */
static NTSTATUS place_result(ULONG pointer, ULONGLONG place,
                             ULONGLONG *translated)
{
    ULONGLONG form = UNWRITTEN;
    NTSTATUS status = mm_probe_for_write((void *)(ULONG_PTR)pointer,
                                         sizeof(ULONG), 1);

    return wow64p_place(status, pointer, place, &form, sizeof form,
                        translated);
}

/* P */
static NTSTATUS place_value(ULONG pointer, ULONGLONG place,
                            ULONGLONG *translated)
{
    ULONGLONG form = 0;
    NTSTATUS status = mm_probe_for_write((void *)(ULONG_PTR)pointer,
                                         sizeof(ULONG), 1);

    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&form, (void *)(ULONG_PTR)pointer,
                                   sizeof(ULONG));
    return wow64p_place(status, pointer, place, &form, sizeof form,
                        translated);
}

static NTSTATUS place_argument(char letter, ULONG pointer, ULONGLONG place,
                               ULONGLONG *translated)
{
    switch (letter) {
    case 'H':
    case 'N':
        return place_result(pointer, place, translated);
    case 'P':
        return place_value(pointer, place, translated);
    case 'I':
        return place_status_block(pointer, place, translated);
    case 'O':
        return place_attributes(pointer, place, translated);
    default:
        ASSERT(letter == 'U');
        return wow64p_place_string(pointer, place, translated);
    }
}

/* NULL stays NULL: the service knows whether it may be. */
NTSTATUS wow64p_translate(struct wow64p_call *call)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (ULONG i = 0; i < call->count && NT_SUCCESS(status); i++) {
        ULONG pointer = (ULONG)call->values[i];

        call->pointers[i] = is_translated(call->letters[i]) ? pointer : 0;
        if (call->pointers[i] != 0)
            status = place_argument(call->letters[i], pointer,
                                    wow64p_translation() + i * PLACE_SIZE,
                                    &call->values[i]);
    }
    return status;
}

static void return_value(ULONG pointer, ULONGLONG form)
{
    ULONG value = wow64p_narrow(form);

    (void)mm_copy_to_user((void *)(ULONG_PTR)pointer, &value, sizeof value);
}

static void return_status_block(ULONG pointer, ULONGLONG place)
{
    IO_STATUS_BLOCK form;
    IO_STATUS_BLOCK32 block;

    if (!NT_SUCCESS(mm_copy_from_user(&form, (void *)place, sizeof form)) ||
        form.Information == UNWRITTEN)
        return;
    block.Status = form.Status;
    block.Information = wow64p_narrow(form.Information);
    (void)mm_copy_to_user((void *)(ULONG_PTR)pointer, &block, sizeof block);
}

static void return_argument(char letter, ULONG pointer, ULONGLONG place,
                            NTSTATUS result)
{
    BOOLEAN in_out = letter == 'P';
    ULONGLONG form;

    if (letter == 'I') {
        return_status_block(pointer, place);
        return;
    }
    if ((in_out && !NT_SUCCESS(result)) ||
        !NT_SUCCESS(mm_copy_from_user(&form, (void *)place, sizeof form)))
        return;
    if (in_out || form != UNWRITTEN)
        return_value(pointer, form);
}

/*
 * Where a service's work made the caller's variables unwritable (it may free
 * the page they are on) the work stays done, as in the service itself.
 */
void wow64p_return(const struct wow64p_call *call, NTSTATUS result)
{
    for (ULONG i = 0; i < call->count; i++) {
        char letter = call->letters[i];

        if (call->pointers[i] != 0 && letter != 'O' && letter != 'U')
            return_argument(letter, call->pointers[i], call->values[i],
                            result);
    }
}

/*
 * tame.c - what would end, stop or blind the fuzzer, made harmless; and what
 * a call has left, taken back.
 *
 * Not called with arguments that work are only the services that end threads
 * or processes, go elsewhere (NtContinue, NtRaiseException: the contexts of
 * contexts.c do that) or print.
 */
#include "checks.h"
#include "tame.h"

#include "facts.h"

#define READ_PAGE ((ULONG_PTR)arena + ARENA_READ * PAGE_SIZE)
#define SLOT_OF(at) ((ULONG_PTR)arena + (at) * SLOT)

static BOOLEAN is_readable(ULONG_PTR address, ULONG_PTR size)
{
    return memory_status(address, size, 1, FALSE) == STATUS_SUCCESS;
}

static BOOLEAN is_written(ULONG_PTR address, ULONG_PTR size)
{
    return memory_status(address, size, 1, TRUE) == STATUS_SUCCESS;
}

static ULONG_PTR word_at(ULONG_PTR address)
{
    ULONG_PTR word;

    memcpy(&word, (void *)address, sizeof word);
    return word;
}

static void put_word(ULONG_PTR address, ULONG_PTR word)
{
    memcpy((void *)address, &word, sizeof word);
    memcpy(arena_copy + (address - (ULONG_PTR)arena), &word, sizeof word);
}

/* ---- Waits that end at once ---- */

static BOOLEAN waits(ULONG_PTR address)
{
    LONGLONG time;

    if (!is_readable(address, sizeof time))
        return FALSE;
    memcpy(&time, (void *)address, sizeof time);
    return time < 0 || time > 1;
}

void tame_wait(struct fuzz_call *call)
{
    for (ULONG at = 0; at < call->row->count; at++) {
        const struct argument *argument = &call->row->arguments[at];

        if (argument->kind == TIMEOUT &&
            ((argument->optional && !call->arguments[at]) ||
             waits(call->arguments[at])))
            call->arguments[at] = READ_PAGE;
    }
}

/* No routine: it would be called. */
void tame_timer(struct fuzz_call *call)
{
    tame_wait(call);
    call->arguments[2] = 0;
}

/* ---- Handles ---- */

/* A handle that nobody is told would be left over. */
void tame_duplicate(struct fuzz_call *call)
{
    if (!call->arguments[3])
        call->arguments[2] = 0;
}

/* Only the victim's flags may change. */
void tame_victim(struct fuzz_call *call)
{
    for (ULONG at = EVENT; at < OBJECTS; at++)
        if (call->arguments[0] == good_handles[at])
            call->arguments[0] = (ULONG_PTR)victim;
    for (ULONG at = 0; at < known_handle_count; at++)
        if (known_handles[at].object != NOTHING &&
            call->arguments[0] == known_handles[at].value &&
            (LONG_PTR)call->arguments[0] > 0)
            call->arguments[0] = (ULONG_PTR)victim;
}

void undo_duplicate(const struct fuzz_call *call, NTSTATUS status)
{
    OBJECT_HANDLE_FLAG_INFORMATION flags = { FALSE, FALSE };
    HANDLE handle;

    if (!NT_SUCCESS(status) || !call->arguments[3])
        return;
    if (!call->arguments[2])
        return;
    handle = (HANDLE)word_at(call->arguments[3]);
    NtSetInformationObject(handle, ObjectHandleFlagInformation, &flags,
                           sizeof flags);
    NtClose(handle);
}

/* ---- Memory ---- */

static void tame_places(struct fuzz_call *call, ULONG base, ULONG size)
{
    if (!is_written(call->arguments[base], sizeof(void *)) ||
        !is_written(call->arguments[size], sizeof(void *)) ||
        world_is_free_to_change(word_at(call->arguments[base]),
                                word_at(call->arguments[size])))
        return;
    call->arguments[base] = SLOT_OF(base);
    call->arguments[size] = SLOT_OF(size);
    put_word(SLOT_OF(base), (ULONG_PTR)playground);
    put_word(SLOT_OF(size), PAGE_SIZE);
}

void tame_region(struct fuzz_call *call)
{
    tame_places(call, 1, 2);
}

void tame_allocate(struct fuzz_call *call)
{
    tame_places(call, 1, 3);
}

/* What came to lie outside of the playground. */
void undo_allocate(const struct fuzz_call *call, NTSTATUS status)
{
    void *base;
    SIZE_T whole = 0;
    ULONG_PTR end;

    if (!NT_SUCCESS(status))
        return;
    base = (void *)word_at(call->arguments[1]);
    end = (ULONG_PTR)base + word_at(call->arguments[3]);
    if ((ULONG_PTR)base < (ULONG_PTR)playground ||
        end > (ULONG_PTR)playground + PLAYGROUND_SIZE)
        NtFreeVirtualMemory(NtCurrentProcess(), &base, &whole, MEM_RELEASE);
}

/* Into its own slot, or nowhere. */
static void tame_target(struct fuzz_call *call, ULONG at, ULONG size)
{
    ULONG_PTR target = call->arguments[at];

    if (target - (ULONG_PTR)arena < ARENA_SIZE &&
        call->arguments[size] > 0x100)
        call->arguments[size] = 0x40;
    else if (!is_readable(target, 1))
        return;
    if (target - (ULONG_PTR)arena >= ARENA_SIZE)
        call->arguments[at] = KERNEL_ADDRESS;
}

void tame_read(struct fuzz_call *call)
{
    tame_target(call, 2, 3);
}

void tame_write(struct fuzz_call *call)
{
    tame_target(call, 1, 3);
}

void tame_unmap(struct fuzz_call *call)
{
    if (!world_is_free_to_change(call->arguments[1], 1))
        call->arguments[1] = (ULONG_PTR)playground;
}

/* ---- Processes and threads ---- */

static BOOLEAN is_object(ULONG_PTR handle, enum object object)
{
    for (ULONG at = 0; at < known_handle_count; at++)
        if (known_handles[at].value == handle)
            return known_handles[at].object == object;
    return FALSE;
}

static BOOLEAN is_class(const struct fuzz_call *call, ULONG class)
{
    return (ULONG)call->arguments[1] == class;
}

/* It says where else to write. */
void tame_no_teb(struct fuzz_call *call)
{
    if (is_class(call, ThreadTebInformation))
        call->arguments[1] = 99;
}

void tame_set_process(struct fuzz_call *call)
{
    if (is_class(call, ProcessInstrumentationCallback) ||
        is_class(call, ProcessMitigationPolicy))
        call->arguments[1] = 99;
}

void tame_set_thread(struct fuzz_call *call)
{
    if (is_class(call, ThreadUmsInformation) ||
        is_class(call, ThreadHideFromDebugger))
        call->arguments[1] = 99;
    if (call->arguments[0] == (ULONG_PTR)NtCurrentThread())
        call->arguments[0] = good_handles[THREAD];
}

void tame_self(struct fuzz_call *call)
{
    if (call->arguments[0] == (ULONG_PTR)NtCurrentThread())
        call->arguments[0] = good_handles[THREAD];
}

/* A special APC does not wait until it is wanted. */
void tame_special_apc(struct fuzz_call *call)
{
    tame_self(call);
    if (call->arguments[1] == 1)
        call->arguments[1] = 0;
}

/* Neither this process nor a thread of it. */
void tame_end(struct fuzz_call *call)
{
    ULONG_PTR handle = call->arguments[0];

    if (handle == 0 || is_object(handle, PROCESS) ||
        is_object(handle, THREAD))
        call->arguments[0] = good_handles[EVENT];
}

/* ARENA_READ is the only context that can be read. */
void tame_context(struct fuzz_call *call)
{
    for (ULONG at = 0; at < call->row->count; at++)
        if (call->row->arguments[at].kind == CONTEXT_IN &&
            is_readable(call->arguments[at], sizeof(CONTEXT)))
            call->arguments[at] = READ_PAGE | (call->arguments[at] & 15);
}

/* ---- Others ---- */

/* An empty text is shown without anything to be seen. */
void tame_display(struct fuzz_call *call)
{
    ULONG_PTR string = call->arguments[0];

    if (!is_readable(string, sizeof(UNICODE_STRING)) ||
        (string - (ULONG_PTR)arena < ARENA_SIZE &&
         ((USHORT)word_at(string) == 0 || string_status(string, 1))))
        return;
    if (string != SLOT_OF(0))
        call->arguments[0] = READ_PAGE;
    else
        put_word(SLOT_OF(0), 0);
}

/* A dialog is printed, unless it asks for what it may not. */
void tame_hard_error(struct fuzz_call *call)
{
    if ((ULONG)call->arguments[4] <= OptionCancelTryContinue)
        call->arguments[4] = OptionShutdownSystem;
    call->arguments[2] = 0;
}

/* No length of any command's. */
void tame_debug(struct fuzz_call *call)
{
    if ((ULONG)call->arguments[2] > 1)
        call->arguments[2] = 1;
}

/* A DC that is none: no callback. */
void tame_monitors(struct fuzz_call *call)
{
    call->arguments[0] = 0x1234;
}

/*
 * etw/record.c - what a record tells: who, when, and what arguments point to.
 *
 * Pointers are the caller's, good or bad.  Each is followed once, as far as
 * memory is there at that moment: what would be a page fault is left out, for
 * a fault could use up a guard page, or wait.  What the service has read is in
 * memory after the call, so then its arguments are looked at again.
 */
#include "etwp.h"

#include <arch/trapframe.h>
#include <nt/wow64.h>

struct text {
    ULONGLONG address;
    ULONG length;
};

static enum trace_door door(void)
{
    const KTRAP_FRAME *frame = KeGetCurrentThread()->TrapFrame;

    if (ExGetPreviousMode() == KernelMode || !frame)
        return TRACE_ZW;
    switch (frame->Fill0) {
    case FRAME_DOOR_SYSCALL:
        return TRACE_SYSCALL;
    case FRAME_DOOR_SYSENTER:
        return TRACE_SYSENTER;
    default:
        return TRACE_INT2E;
    }
}

void etwp_begin(struct etwp_draft *draft, enum trace_kind kind,
                const struct ki_tracked_call *call)
{
    const ETHREAD *thread = PsGetCurrentThread();
    ULONGLONG counter;

    draft->record = (struct trace_record){
        .size = sizeof draft->record,
        .kind = kind,
        .door = door(),
        .flags = call->code32 ? TRACE_CODE32 : 0,
        .number = (USHORT)call->number,
        .process = (ULONG)(ULONG_PTR)thread->Cid.UniqueProcess,
        .thread = (ULONG)(ULONG_PTR)thread->Cid.UniqueThread,
        .call = call->id,
        .time = KeQueryInterruptTimePrecise(&counter),
    };
}

void etwp_add_value(struct etwp_draft *draft, ULONGLONG value)
{
    draft->record.values[draft->record.count++] = value;
    draft->record.size += sizeof value;
}

/* Where a piece of so many bytes is to lie, or NULL: there is no room. */
static UCHAR *place(struct etwp_draft *draft, SIZE_T length)
{
    SIZE_T size = sizeof(struct trace_piece) + ALIGN_UP(length, 8);
    struct trace_piece *piece =
        (void *)((UCHAR *)&draft->record + draft->record.size);

    if (draft->record.size + size > TRACE_LARGEST_RECORD)
        return NULL;
    memset(piece, 0, size);
    return piece->bytes;
}

static void keep(struct etwp_draft *draft, ULONG argument, SIZE_T length,
                 BOOLEAN cut)
{
    struct trace_piece *piece =
        (void *)((UCHAR *)&draft->record + draft->record.size);

    piece->argument = (UCHAR)argument;
    piece->cut = cut;
    piece->length = (USHORT)length;
    draft->record.size += sizeof *piece + ALIGN_UP(length, 8);
}

static BOOLEAN peek(void *to, ULONGLONG from, SIZE_T size)
{
    return NT_SUCCESS(mm_peek_user(to, (const void *)from, size));
}

/* size bytes of the caller's, at most, behind head of them of ours. */
static BOOLEAN add_bytes(struct etwp_draft *draft, ULONG argument,
                         const void *head, SIZE_T head_size,
                         ULONGLONG address, SIZE_T size, SIZE_T most)
{
    SIZE_T length = size < most ? size : most;
    UCHAR *to = place(draft, head_size + length);

    if (!to)
        return TRUE;
    memcpy(to, head, head_size);
    if (!peek(to + head_size, address, length))
        return FALSE;
    keep(draft, argument, head_size + length, size > most);
    return TRUE;
}

static BOOLEAN read_text(BOOLEAN code32, ULONGLONG address, struct text *text)
{
    UNICODE_STRING string;
    UNICODE_STRING32 string32;

    if (code32 ? !peek(&string32, address, sizeof string32)
               : !peek(&string, address, sizeof string))
        return FALSE;
    text->address = code32 ? string32.Buffer : (ULONG_PTR)string.Buffer;
    text->length = code32 ? string32.Length : string.Length;
    return TRUE;
}

static BOOLEAN add_string(struct etwp_draft *draft, BOOLEAN code32,
                          ULONG argument, ULONGLONG address)
{
    struct text text;

    return read_text(code32, address, &text) &&
           add_bytes(draft, argument, NULL, 0, text.address, text.length,
                     TRACE_MOST_TEXT);
}

/* The name, if there is one, behind the directory that it begins in. */
static BOOLEAN add_attributes(struct etwp_draft *draft, BOOLEAN code32,
                              ULONG argument, ULONGLONG address)
{
    OBJECT_ATTRIBUTES attributes;
    OBJECT_ATTRIBUTES32 attributes32;
    struct text text = { 0 };
    ULONGLONG name, root;

    if (code32 ? !peek(&attributes32, address, sizeof attributes32)
               : !peek(&attributes, address, sizeof attributes))
        return FALSE;
    name = code32 ? attributes32.ObjectName
                  : (ULONG_PTR)attributes.ObjectName;
    root = code32 ? attributes32.RootDirectory
                  : (ULONG_PTR)attributes.RootDirectory;
    return (name == 0 || read_text(code32, name, &text)) &&
           add_bytes(draft, argument, &root, sizeof root, text.address,
                     text.length, TRACE_MOST_TEXT);
}

/* An integer of size bytes, as eight. */
static BOOLEAN add_integer(struct etwp_draft *draft, ULONG argument,
                           ULONGLONG address, SIZE_T size)
{
    UCHAR *to = place(draft, sizeof(ULONGLONG));

    if (!to)
        return TRUE;
    if (!peek(to, address, size))
        return FALSE;
    keep(draft, argument, sizeof(ULONGLONG), FALSE);
    return TRUE;
}

static BOOLEAN add_status_block(struct etwp_draft *draft, BOOLEAN code32,
                                ULONG argument, ULONGLONG address)
{
    IO_STATUS_BLOCK block = { 0 };
    IO_STATUS_BLOCK32 block32 = { 0 };
    ULONGLONG values[2];

    if (code32 ? !peek(&block32, address, sizeof block32)
               : !peek(&block, address, sizeof block))
        return FALSE;
    values[0] = (ULONG)(code32 ? block32.Status : block.Status);
    values[1] = code32 ? block32.Information : block.Information;
    return add_bytes(draft, argument, values, sizeof values, 0, 0, 0);
}

/* FALSE: there is something, and it could not be read. */
static BOOLEAN add_input(struct etwp_draft *draft,
                         const struct ki_tracked_call *call, ULONG i)
{
    ULONGLONG address = call->arguments[i];
    SIZE_T pointer = call->code32 ? sizeof(ULONG) : sizeof(ULONGLONG);

    switch (address ? call->letters[i] : 0) {
    case 'U':
        return add_string(draft, call->code32, i, address);
    case 'O':
        return add_attributes(draft, call->code32, i, address);
    case 'b':
        return add_bytes(draft, i, NULL, 0, address,
                         (ULONG)call->arguments[i + 1], TRACE_MOST_BYTES);
    case 'l':
        return add_integer(draft, i, address, sizeof(LARGE_INTEGER));
    case 'P':
        return add_integer(draft, i, address, pointer);
    default:
        return TRUE;
    }
}

ULONG etwp_add_inputs(struct etwp_draft *draft,
                      const struct ki_tracked_call *call, ULONG which)
{
    ULONG unread = 0;

    for (ULONG i = 0; call->letters[i]; i++) {
        if ((which & 1u << i) && !add_input(draft, call, i))
            unread |= 1u << i;
    }
    return unread;
}

void etwp_add_results(struct etwp_draft *draft,
                      const struct ki_tracked_call *call)
{
    SIZE_T pointer = call->code32 ? sizeof(ULONG) : sizeof(ULONGLONG);

    for (ULONG i = 0; call->letters[i]; i++) {
        ULONGLONG address = call->arguments[i];
        char letter = address ? call->letters[i] : 0;

        if (letter == 'I')
            (void)add_status_block(draft, call->code32, i, address);
        else if (letter == 'r')
            (void)add_integer(draft, i, address, sizeof(ULONG));
        else if (letter == 'H' || letter == 'N' || letter == 'P')
            (void)add_integer(draft, i, address, pointer);
    }
}

/*
 * io/console.c - the console as a file.
 *
 * Output goes to both consoles through a small kernel buffer, so that a page
 * which is not there ends the write between two pieces, not in the middle of
 * the kernel's printing.  Input is a line at a time, as a Windows console in
 * its usual mode delivers it: echoed, Backspace erases, Enter ends the line
 * and appears as CR LF, a line that starts with Ctrl-Z reads as end of file
 * (success, no bytes).  What a short buffer leaves over is the next read's.
 *
 * A file opened as \Device\ConDrv\keys reads what is typed as it comes, not
 * echoed, cursor keys as a VT terminal sends them.  NT: the same file in
 * another mode, without ENABLE_LINE_INPUT and its kind.
 *
 * \Device\ConDrv\interrupt is neither read nor written but waited for: it is
 * signalled once Ctrl-C has been typed (input.c).
 *
 * The line of a file object belongs to one reader at a time, who holds its
 * lock meanwhile.  NT: FILE_OBJECT.Lock, an event as well.
 */
#include "iop.h"
#include <kd.h>
#include <ke_lock.h>
#include <mm.h>

#define IOP_CHUNK 256
#define CTRL_Z 0x1A
#define BACKSPACE 0x08
#define RUBOUT 0x7F                     /* what terminals send instead */

/* line[start, end) is typed and, once the line is whole, to be read. */
struct iop_console {
    struct iop_file file;
    KEVENT lock;                        /* set: free */
    struct iop_claim claim;             /* of keys and of the interrupt */
    BOOLEAN after_cr;                   /* an LF now belongs to that CR */
    BOOLEAN whole;
    USHORT start, end;
    CHAR line[IOP_CHUNK];
};

SIZE_T iop_console_size(void)
{
    return sizeof(struct iop_console);
}

void iop_initialize_console(struct iop_file *file)
{
    struct iop_console *console =
        CONTAINING_RECORD(file, struct iop_console, file);

    KeInitializeEvent(&console->lock, EventSynchronizationObject, TRUE);
    if (file->directions & IOP_INTERRUPT) {
        KeClearEvent(&file->event);
        iop_claim_interrupt(&console->claim, &file->event);
    } else if (file->directions & IOP_KEYS) {
        iop_claim_interrupt(&console->claim, NULL);
    }
}

void iop_delete_console(struct iop_file *file)
{
    struct iop_console *console =
        CONTAINING_RECORD(file, struct iop_console, file);

    if (file->directions & (IOP_KEYS | IOP_INTERRUPT))
        iop_drop_claim(&console->claim);
}

/* One write's text is not mixed with another's, nor with an echo. */
static EX_PUSH_LOCK output_lock;

static NTSTATUS iop_write_text(const CHAR *buffer, ULONG length, ULONG *done)
{
    CHAR text[IOP_CHUNK];

    while (*done < length) {
        ULONG size = length - *done < sizeof(text) ? length - *done
                                                   : sizeof(text);
        NTSTATUS status = mm_copy_from_user(text, buffer + *done, size);

        if (!NT_SUCCESS(status))
            return status;
        kd_write(text, size);
        *done += size;
    }
    return STATUS_SUCCESS;
}

NTSTATUS iop_write_console(struct iop_file *file, const void *buffer,
                           ULONG length, ULONG *done)
{
    NTSTATUS status;

    if (!(file->directions & IOP_OUTPUT))
        return STATUS_INVALID_HANDLE;
    ke_acquire_exclusive(&output_lock);
    status = iop_write_text(buffer, length, done);
    ke_release_exclusive(&output_lock);
    return status;
}

static void iop_echo(const CHAR *text, SIZE_T length)
{
    ke_acquire_exclusive(&output_lock);
    kd_write(text, length);
    ke_release_exclusive(&output_lock);
}

static void iop_erase(struct iop_console *console)
{
    if (console->end == 0)
        return;
    if (console->line[--console->end] == CTRL_Z)
        iop_echo("\b \b", 3);           /* was shown as ^Z */
    iop_echo("\b \b", 3);
}

/* Room for CR LF stays free; what does not fit is not echoed either. */
static void iop_append(struct iop_console *console, CHAR c)
{
    if (console->end >= sizeof(console->line) - 2)
        return;
    console->line[console->end++] = c;
    if (c == CTRL_Z)
        iop_echo("^Z", 2);
    else
        iop_echo(&c, 1);
}

static void iop_end_line(struct iop_console *console)
{
    console->line[console->end++] = '\r';
    console->line[console->end++] = '\n';
    console->start = console->line[0] == CTRL_Z ? console->end : 0;
    console->whole = TRUE;
    iop_echo("\n", 1);
}

/* A terminal ends a line by CR, a pipe by LF, some of them by both. */
static void iop_type(struct iop_console *console, UCHAR c)
{
    BOOLEAN second = c == '\n' && console->after_cr;

    console->after_cr = c == '\r';
    if (second)
        return;
    if (c == '\r' || c == '\n')
        iop_end_line(console);
    else if (c == BACKSPACE || c == RUBOUT)
        iop_erase(console);
    else if (c == CTRL_Z || c == '\t' || c >= ' ')
        iop_append(console, c);
}

/* A wait that was cancelled leaves the line as far as it was typed. */
static NTSTATUS iop_complete_line(struct iop_console *console)
{
    NTSTATUS status = STATUS_SUCCESS;
    ULONG taken;
    CHAR c;

    while (!console->whole && NT_SUCCESS(status)) {
        status = iop_read_input(&c, 1, console->file.alertable, &taken);
        if (NT_SUCCESS(status))
            iop_type(console, c);
    }
    return status;
}

static NTSTATUS iop_read_line(struct iop_console *console, void *buffer,
                              ULONG length, ULONG *done)
{
    NTSTATUS status = iop_complete_line(console);
    ULONG size = console->end - console->start;

    if (!NT_SUCCESS(status))
        return status;
    if (size > length)
        size = length;
    status = mm_copy_to_user(buffer, &console->line[console->start], size);
    if (!NT_SUCCESS(status))
        return status;
    console->start += size;
    *done = size;
    if (console->start == console->end) {
        console->start = console->end = 0;
        console->whole = FALSE;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS iop_read_keys(struct iop_file *file, void *buffer,
                              ULONG length, ULONG *done)
{
    CHAR text[IOP_CHUNK];
    ULONG size;
    NTSTATUS status;

    if (length > sizeof(text))
        length = sizeof(text);
    status = iop_read_input(text, length, file->alertable, &size);
    if (NT_SUCCESS(status))
        status = mm_copy_to_user(buffer, text, size);
    if (NT_SUCCESS(status))
        *done = size;
    return status;
}

NTSTATUS iop_read_console(struct iop_file *file, void *buffer, ULONG length,
                          ULONG *done)
{
    struct iop_console *console =
        CONTAINING_RECORD(file, struct iop_console, file);
    NTSTATUS status;

    if (!(file->directions & IOP_INPUT))
        return STATUS_INVALID_HANDLE;
    if (length == 0)
        return STATUS_SUCCESS;
    if (file->directions & IOP_KEYS)
        return iop_read_keys(file, buffer, length, done);

    status = KeWaitForSingleObject(&console->lock, Executive, UserMode,
                                   file->alertable, NULL);
    if (status != STATUS_SUCCESS)
        return STATUS_CANCELLED;
    status = iop_read_line(console, buffer, length, done);
    KeSetEvent(&console->lock, IO_NO_INCREMENT, FALSE);
    return status;
}

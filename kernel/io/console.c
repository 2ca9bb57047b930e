/*
 * io/console.c - the console as a file.
 *
 * Output goes to both consoles through a small kernel buffer, so that a page
 * which is not there ends the write between two pieces, not in the middle of
 * the kernel's printing.  Input is a line at a time, as a Windows console in
 * its usual mode delivers it: echoed, Backspace erases, Enter ends the line
 * and appears as CR LF, a line that starts with Ctrl-Z reads as end of file
 * (success, no bytes).  What a short buffer leaves over is the next read's.
 */
#include "iop.h"
#include <kd.h>
#include <mm.h>

#define IOP_CHUNK 256
#define CTRL_Z 0x1A
#define BACKSPACE 0x08
#define RUBOUT 0x7F                     /* what terminals send instead */

/* line[start, end) is typed and not read yet. */
struct iop_console {
    struct iop_file file;
    BOOLEAN after_cr;                   /* an LF now belongs to that CR */
    USHORT start, end;
    CHAR line[IOP_CHUNK];
};

SIZE_T iop_console_size(void)
{
    return sizeof(struct iop_console);
}

NTSTATUS iop_write_console(struct iop_file *file, const void *buffer,
                           ULONG length, ULONG *done)
{
    CHAR text[IOP_CHUNK];

    if (!(file->directions & IOP_OUTPUT))
        return STATUS_INVALID_HANDLE;
    while (*done < length) {
        ULONG size = length - *done < sizeof(text) ? length - *done
                                                   : sizeof(text);
        NTSTATUS status = mm_copy_from_user(text, (const CHAR *)buffer + *done,
                                            size);

        if (!NT_SUCCESS(status))
            return status;
        kd_write(text, size);
        *done += size;
    }
    return STATUS_SUCCESS;
}

/* The clock interrupt ends each halt; nothing typed can wait longer. */
static CHAR iop_wait_for_char(void)
{
    int c;

    while ((c = kd_read_char()) < 0)
        arch_halt();
    return c;
}

static void iop_erase(struct iop_console *console)
{
    if (console->end == 0)
        return;
    if (console->line[--console->end] == CTRL_Z)
        kd_write("\b \b", 3);           /* was shown as ^Z */
    kd_write("\b \b", 3);
}

/* Room for CR LF stays free; what does not fit is not echoed either. */
static void iop_append(struct iop_console *console, CHAR c)
{
    if (console->end >= sizeof(console->line) - 2)
        return;
    console->line[console->end++] = c;
    if (c == CTRL_Z)
        kd_write("^Z", 2);
    else
        kd_write(&c, 1);
}

/* Ends by Enter.  A terminal sends CR, a pipe LF, some of them both. */
static void iop_read_line(struct iop_console *console)
{
    console->start = console->end = 0;
    for (;;) {
        UCHAR c = iop_wait_for_char();
        BOOLEAN second = c == '\n' && console->after_cr;

        console->after_cr = c == '\r';
        if (second)
            continue;
        if (c == '\r' || c == '\n')
            break;
        if (c == BACKSPACE || c == RUBOUT)
            iop_erase(console);
        else if (c == CTRL_Z || c == '\t' || c >= ' ')
            iop_append(console, c);
    }
    console->line[console->end++] = '\r';
    console->line[console->end++] = '\n';
    kd_write("\n", 1);
}

NTSTATUS iop_read_console(struct iop_file *file, void *buffer, ULONG length,
                          ULONG *done)
{
    struct iop_console *console =
        CONTAINING_RECORD(file, struct iop_console, file);
    ULONG size;
    NTSTATUS status;

    if (!(file->directions & IOP_INPUT))
        return STATUS_INVALID_HANDLE;
    if (length == 0)
        return STATUS_SUCCESS;
    if (console->start == console->end) {
        iop_read_line(console);
        if (console->line[0] == CTRL_Z)
            console->start = console->end;
    }

    size = console->end - console->start;
    if (size > length)
        size = length;
    status = mm_copy_to_user(buffer, &console->line[console->start], size);
    if (!NT_SUCCESS(status))
        return status;
    console->start += size;
    *done = size;
    return STATUS_SUCCESS;
}

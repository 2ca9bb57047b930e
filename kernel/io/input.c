/*
 * io/input.c - what is typed, from the serial port and the keyboard.
 *
 * A timer's DPC looks at both 64 times a second and puts characters into one
 * buffer; readers take them out and wait for more.  The event is set while
 * something may be there: a reader that finds nothing clears it under the
 * lock and waits, and the DPC sets it after it has put something in, so
 * nothing is slept through and at worst a reader looks in vain.
 *
 * When nobody reads, the buffer fills up and the DPC leaves the rest where it
 * is: the ports keep what fits in them and lose what comes after that.
 */
#include "iop.h"
#include "scancode.h"
#include <kd.h>

#define INPUT_SIZE 1024
#define POLL_PERIOD 15                  /* ms: every tick of the clock */

static struct {
    KSPIN_LOCK lock;
    KEVENT available;
    ULONG start, count;                 /* typed and not read yet */
    CHAR text[INPUT_SIZE];
    struct scancode_state keys;         /* only the DPC's */
    KTIMER timer;
    KDPC dpc;
} input;

static BOOLEAN has_room(ULONG length)
{
    return INPUT_SIZE - input.count >= length;
}

static void append(const CHAR *text, ULONG length)
{
    for (ULONG i = 0; i < length; i++)
        input.text[(input.start + input.count++) % INPUT_SIZE] = text[i];
}

static void poll_serial(void)
{
    int c;

    while (has_room(1) && (c = kd_read_char()) >= 0)
        append(&(CHAR){ (CHAR)c }, 1);
}

static void poll_keyboard(void)
{
    CHAR text[SCANCODE_TEXT];
    int code;

    while (has_room(SCANCODE_TEXT) && (code = iop_read_scancode()) >= 0)
        append(text, scancode_decode(&input.keys, (UCHAR)code, text));
}

static void poll(KDPC *dpc, void *context, void *argument1, void *argument2)
{
    ULONG before;
    BOOLEAN more;

    (void)dpc, (void)context, (void)argument1, (void)argument2;
    KxAcquireSpinLock(&input.lock);
    before = input.count;
    poll_serial();
    poll_keyboard();
    more = input.count > before;
    KxReleaseSpinLock(&input.lock);
    if (more)
        KeSetEvent(&input.available, IO_KEYBOARD_INCREMENT, FALSE);
}

void iop_start_input(void)
{
    const LARGE_INTEGER now = { .QuadPart = -1 };

    KeInitializeEvent(&input.available, EventNotificationObject, FALSE);
    iop_start_keyboard();
    KeInitializeTimerEx(&input.timer, TimerNotificationObject);
    KeInitializeDpc(&input.dpc, poll, NULL);
    KeSetTimerEx(&input.timer, now, POLL_PERIOD, &input.dpc);
}

static ULONG take(CHAR *text, ULONG length)
{
    KIRQL irql = KeAcquireSpinLock(&input.lock);
    ULONG taken = 0;

    while (taken < length && input.count != 0) {
        text[taken++] = input.text[input.start];
        input.start = (input.start + 1) % INPUT_SIZE;
        input.count--;
    }
    if (taken == 0)
        KeClearEvent(&input.available);
    KeReleaseSpinLock(&input.lock, irql);
    return taken;
}

NTSTATUS iop_read_input(CHAR *text, ULONG length, BOOLEAN alertable,
                        ULONG *taken)
{
    while ((*taken = take(text, length)) == 0) {
        NTSTATUS status = KeWaitForSingleObject(&input.available, UserRequest,
                                                UserMode, alertable, NULL);

        if (status != STATUS_SUCCESS)
            return STATUS_CANCELLED;
    }
    return STATUS_SUCCESS;
}

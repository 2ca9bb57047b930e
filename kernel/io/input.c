/*
 * io/input.c - what is typed, from the serial port and the keyboards.
 *
 * A timer's DPC looks at the port and the PC's keyboard 64 times a second,
 * after it has had the screen drawn (kd/console.c), and puts characters into
 * one buffer; other drivers bring theirs (io_type_scancodes).  Readers take
 * them out and wait for more.  The event is set while something may be there: a
 * reader that finds nothing clears it under the lock and waits, and the DPC
 * sets it after it has put something in, so nothing is slept through and at
 * worst a reader looks in vain.
 *
 * Ctrl-C is a key for who reads key by key and an event for who has opened
 * the interrupt; who came last decides.  NT: the console's mode says which
 * (ENABLE_PROCESSED_INPUT), and the event is a thread in each of its
 * processes.
 *
 * When nobody reads, the buffer fills up and the DPC leaves the rest where it
 * is: the ports keep what fits in them and lose what comes after that.
 */
#include "iop.h"
#include "scancode.h"
#include <kd.h>

#define INPUT_SIZE 1024
#define CTRL_C 0x03
#define POLL_PERIOD 15                  /* ms: every tick of the clock */

static struct {
    KSPIN_LOCK lock;
    KEVENT available;
    ULONG start, count;                 /* typed and not read yet */
    CHAR text[INPUT_SIZE];
    LIST_ENTRY claims;                  /* to Ctrl-C, the newest first */
    struct scancode_state keys, other_keys;     /* the PC's, and drivers' */
    KTIMER timer;
    KDPC dpc;
} input;

static BOOLEAN has_room(ULONG length)
{
    return INPUT_SIZE - input.count >= length;
}

/* FALSE: Ctrl-C is a key. */
static BOOLEAN interrupt(void)
{
    const struct iop_claim *claim =
        CONTAINING_RECORD(input.claims.Flink, struct iop_claim, links);

    if (IsListEmpty(&input.claims) || claim->event == NULL)
        return FALSE;
    KeSetEvent(claim->event, IO_KEYBOARD_INCREMENT, FALSE);
    return TRUE;
}

static void append(const CHAR *text, ULONG length)
{
    for (ULONG i = 0; i < length; i++) {
        if (text[i] != CTRL_C || !interrupt())
            input.text[(input.start + input.count++) % INPUT_SIZE] = text[i];
    }
}

static void poll_serial(void)
{
    int c;

    while (has_room(1) && (c = kd_read_char()) >= 0)
        append(&(CHAR){ (CHAR)c }, 1);
}

static void type(struct scancode_state *keys, UCHAR code)
{
    CHAR text[SCANCODE_TEXT];

    append(text, scancode_decode(keys, code, text));
}

static void poll_keyboard(void)
{
    int code;

    while (has_room(SCANCODE_TEXT) && (code = iop_read_scancode()) >= 0)
        type(&input.keys, (UCHAR)code);
}

void io_type_scancodes(const UCHAR *codes, ULONG count)
{
    KIRQL irql = KeAcquireSpinLock(&input.lock);

    for (ULONG i = 0; i < count && has_room(SCANCODE_TEXT); i++)
        type(&input.other_keys, codes[i]);
    KeReleaseSpinLock(&input.lock, irql);
    KeSetEvent(&input.available, IO_KEYBOARD_INCREMENT, FALSE);
}

static void poll(KDPC *dpc, void *context, void *argument1, void *argument2)
{
    ULONG before;
    BOOLEAN more;

    (void)dpc, (void)context, (void)argument1, (void)argument2;
    kd_draw();
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
    InitializeListHead(&input.claims);
    iop_start_keyboard();
    KeInitializeTimerEx(&input.timer, TimerNotificationObject);
    KeInitializeDpc(&input.dpc, poll, NULL);
    KeSetTimerEx(&input.timer, now, POLL_PERIOD, &input.dpc);
}

void iop_claim_interrupt(struct iop_claim *claim, KEVENT *event)
{
    KIRQL irql = KeAcquireSpinLock(&input.lock);

    claim->event = event;
    InsertHeadList(&input.claims, &claim->links);
    KeReleaseSpinLock(&input.lock, irql);
}

void iop_drop_claim(struct iop_claim *claim)
{
    KIRQL irql = KeAcquireSpinLock(&input.lock);

    RemoveEntryList(&claim->links);
    KeReleaseSpinLock(&input.lock, irql);
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

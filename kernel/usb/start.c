/*
 * usb/start.c - the thread that serves USB.
 *
 * Controllers and devices take their time: a reset 100 ms, an answer some
 * more.  The boot does not wait for them, nor for what is not there.
 */
#include "usbp.h"

#include <init.h>
#include <ps.h>
#include <rtl.h>
#include <usb.h>

#define CONTROLLERS 4
#define PERIOD 10                       /* ms between two looks */
#define UNITS_PER_MS 10000              /* of 100 ns */
#define TAG 0x54627355                  /* "UsbT" */

static struct usb_controller *controllers;
static ULONG count;

void usb_sleep(ULONG milliseconds)
{
    LARGE_INTEGER time = {
        .QuadPart = -(LONGLONG)milliseconds * UNITS_PER_MS };

    KeDelayExecutionThread(KernelMode, FALSE, &time);
}

static void serve(struct usb_controller *controller)
{
    usb_take_events(controller);
    for (ULONG slot = 1; slot <= USB_SLOTS; slot++) {
        if (controller->devices[slot])
            usb_repeat_key(controller->devices[slot]);
    }
    if (controller->ports_changed)
        usb_serve_ports(controller);
}

static void run(void *argument)
{
    (void)argument;
    for (ULONG i = 0; i < count; i++) {
        if (!usb_start_controller(&controllers[i]))
            usb_lose_controller(&controllers[i]);
    }
    for (;;) {
        for (ULONG i = 0; i < count; i++) {
            if (!controllers[i].lost)
                serve(&controllers[i]);
        }
        usb_sleep(PERIOD);
    }
}

void usb_start(void)
{
    struct hal_function found[CONTROLLERS];

    if (strcmp(init_option("usb"), "off") == 0)
        return;
    count = hal_find_functions(XHCI_CLASS, found, CONTROLLERS);
    if (!count)
        return;
    controllers = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                  count * sizeof *controllers, TAG);
    for (ULONG i = 0; controllers && i < count; i++)
        controllers[i].at = found[i];
    if (!controllers ||
        !NT_SUCCESS(ps_create_system_thread(run, NULL, NULL)))
        DbgPrintEx(KD_IO_ID, DPFLTR_WARNING_LEVEL,
                   "USB   no memory to serve it\n");
}

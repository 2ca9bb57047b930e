/*
 * usb/port.c - what is plugged in, and what no longer is.
 *
 * Ports are looked at as they are, when an event says that one has changed.
 * What is found there is tried a few times, until it is pulled out.
 */
#include "usbp.h"

#define STEADY 100                      /* ms after plugging (USB: 7.1.7.3) */
#define RECOVERY 10                     /* ms after a reset (USB: 7.1.7.5) */

static UCHAR *registers_of(const struct usb_controller *controller)
{
    return controller->operational + XHCI_PORT;
}

static ULONG look(const struct usb_controller *controller, ULONG port)
{
    return usb_read(registers_of(controller), (port - 1) * 16);
}

/* The changes among bits are taken note of, the others begin something. */
static void set(const struct usb_controller *controller, ULONG port,
                ULONG bits)
{
    ULONG kept = look(controller, port) & XHCI_PORT_KEPT;

    usb_write(registers_of(controller), (port - 1) * 16, kept | bits);
}

static struct usb_device *device_at(const struct usb_controller *controller,
                                    ULONG port)
{
    for (ULONG slot = 1; slot <= USB_SLOTS; slot++) {
        struct usb_device *device = controller->devices[slot];

        if (device && device->port == port)
            return device;
    }
    return NULL;
}

/* Ports of USB 3 enable themselves.  again: what is there begins anew. */
static BOOLEAN enable(const struct usb_controller *controller, ULONG port,
                      BOOLEAN again)
{
    if (!again && look(controller, port) & XHCI_ENABLED)
        return TRUE;
    set(controller, port, XHCI_PORT_RESET);
    for (ULONG i = 0; i < USB_PATIENCE; i++) {
        if (look(controller, port) & XHCI_RESET_CHANGED)
            break;
        usb_sleep(1);
    }
    set(controller, port, XHCI_RESET_CHANGED);
    usb_sleep(RECOVERY);
    return (look(controller, port) & XHCI_ENABLED) != 0;
}

static void attach(struct usb_controller *controller, ULONG port)
{
    BOOLEAN again = controller->tries[port]++ > 0;
    struct usb_device *device = NULL;

    usb_sleep(STEADY);
    if (look(controller, port) & XHCI_CONNECTED &&
        enable(controller, port, again))
        device = usb_create_device(controller, port,
                                   XHCI_SPEED(look(controller, port)));
    if (!device) {
        controller->ports_changed = TRUE;
    } else if (!usb_start_keyboard(device)) {
        usb_delete_device(device);
        controller->tries[port] = USB_TRIES;
    }
}

static void serve(struct usb_controller *controller, ULONG port)
{
    ULONG state = look(controller, port);
    struct usb_device *device = device_at(controller, port);

    set(controller, port, state & XHCI_CHANGES);
    if (device && (device->broken || !(state & XHCI_CONNECTED) ||
                   state & XHCI_CONNECT_CHANGED))
        usb_delete_device(device);
    if (state & XHCI_CONNECT_CHANGED || !(state & XHCI_CONNECTED))
        controller->tries[port] = 0;
    if (state & XHCI_CONNECTED && !device_at(controller, port) &&
        controller->tries[port] < USB_TRIES)
        attach(controller, port);
}

void usb_serve_ports(struct usb_controller *controller)
{
    controller->ports_changed = FALSE;
    for (ULONG port = 1; port <= controller->ports && !controller->lost;
         port++)
        serve(controller, port);
}

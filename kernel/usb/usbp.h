/*
 * usb/usbp.h - what the files of USB share: controllers, rings, devices.
 *
 * All of it belongs to one system thread (start.c), so there are no locks.
 * It asks controllers for news instead of being interrupted, and whatever it
 * waits for it waits for a while only.  What controllers read and write is in
 * whole pages of the kernel's.
 */
#pragma once

#include "descriptor.h"
#include "hid.h"
#include "xhci.h"

#include <hal.h>
#include <kd.h>
#include <ke.h>
#include <mm.h>

#define USB_SLOTS 8                     /* a controller's, at a time */
#define USB_PORTS 256
#define USB_TRIES 3                     /* with what is at a port */
#define USB_CONTROL_ENDPOINT 1          /* its index */
#define USB_NO_ANSWER 0                 /* no completion code of xHCI's */
#define USB_PATIENCE 64                 /* ticks, for an answer: a second */

/* A page that a controller uses as well. */
struct usb_page {
    UCHAR *bytes;
    ULONGLONG physical;
};

#define USB_TRBS (PAGE_SIZE / sizeof(struct xhci_trb))

/* cycle: what the cycle bit is in TRBs that are new. */
struct usb_ring {
    struct usb_page page;
    ULONG next, cycle;
};

struct usb_controller {
    struct hal_function at;
    UCHAR *base, *operational, *runtime, *doorbells;
    ULONG ports, slots, context_size;
    BOOLEAN can_64_bits;
    BOOLEAN lost;                       /* it has not answered: left alone */

    struct usb_page contexts;           /* of slots; the event ring's table */
    struct usb_ring commands, events;
    ULONGLONG asked;                    /* a command's TRB; 0: answered */
    ULONG code, slot;                   /* the answer */

    BOOLEAN ports_changed;
    UCHAR tries[USB_PORTS];             /* in vain, with what is there now */
    struct usb_device *devices[USB_SLOTS + 1];  /* by slot */
};

struct usb_device {
    struct usb_controller *controller;
    ULONG port, speed, slot;
    struct usb_page context, input, data;
    struct usb_ring control;
    BOOLEAN asked;                      /* the control endpoint */
    ULONG code;                         /* its answer */

    struct usb_keyboard_part part;
    ULONG endpoint;                     /* index of what reports, or 0 */
    struct usb_ring reports;
    struct hid_keys keys;
    BOOLEAN broken;                     /* it has sent an error */
};

/* start.c: the thread sleeps; until the clock's next tick at least. */
void usb_sleep(ULONG milliseconds);

/* controller.c: takes a controller from the firmware and starts it. */
BOOLEAN usb_start_controller(struct usb_controller *controller);
void usb_lose_controller(struct usb_controller *controller);
ULONG usb_read(const UCHAR *at, ULONG offset);
void usb_write(UCHAR *at, ULONG offset, ULONG value);
void usb_write_address(UCHAR *at, ULONG offset, ULONGLONG address);
BOOLEAN usb_create_page(const struct usb_controller *controller,
                        struct usb_page *page);
void usb_delete_page(struct usb_page *page);

/* ring.c: what is asked, and what has happened. */
ULONGLONG usb_put(struct usb_ring *ring, ULONGLONG parameter, ULONG status,
                  ULONG control);
ULONGLONG usb_ring_position(const struct usb_ring *ring);
void usb_ring_doorbell(struct usb_controller *controller, ULONG slot,
                       ULONG endpoint);
void usb_take_events(struct usb_controller *controller);
/* The completion code, or USB_NO_ANSWER; then the controller is lost. */
ULONG usb_command(struct usb_controller *controller, ULONGLONG parameter,
                  ULONG control);

/* port.c: devices come and go. */
void usb_serve_ports(struct usb_controller *controller);

/* device.c: NULL: it does not answer as it should, or there is no room. */
struct usb_device *usb_create_device(struct usb_controller *controller,
                                     ULONG port, ULONG speed);
void usb_delete_device(struct usb_device *device);
ULONG *usb_input_context(struct usb_device *device, ULONG index);
/*
 * On the control endpoint (USB 2.0: 9.3): what is read comes to data.bytes,
 * zeroes behind it.  length: at most PAGE_SIZE.
 */
struct usb_request {
    UCHAR type, request;
    USHORT value, index, length;
};
#define USB_REQUEST_IN 0x80             /* of type: the device sends */
BOOLEAN usb_request(struct usb_device *device, struct usb_request request);

/* keyboard.c: FALSE: it is none, or not one as it should be. */
BOOLEAN usb_start_keyboard(struct usb_device *device);
void usb_take_report(struct usb_device *device,
                     const struct xhci_trb *event);
void usb_repeat_key(struct usb_device *device);
/* Nothing is held any more; nothing, if it has been no keyboard. */
void usb_stop_keyboard(struct usb_device *device);

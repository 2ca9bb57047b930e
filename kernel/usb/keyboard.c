/*
 * usb/keyboard.c - a keyboard in its boot protocol (HID 1.11: 7.2, F).
 *
 * The controller always has some buffers for reports, so that what is typed
 * between two looks is not lost; each goes back to it when it has been read.
 */
#include "usbp.h"

#include <io.h>

#define GET_DESCRIPTOR 6
#define SET_CONFIGURATION 9
#define CONFIGURATION_DESCRIPTOR 0x0200
#define TO_INTERFACE 0x21               /* of a class, to an interface */
#define SET_IDLE 10
#define SET_PROTOCOL 11
#define BOOT_PROTOCOL 0

#define BUFFERS 16
#define BUFFER_SIZE 64                  /* a report is 8 bytes, or longer */

static void type(const UCHAR *codes, ULONG count)
{
    if (count)
        io_type_scancodes(codes, count);
}

/* The interval as a power of two of 125 us (xHCI: 6.2.3.6). */
static ULONG exponent_of(ULONG speed, ULONG interval)
{
    ULONG exponent = 3;

    if (speed != XHCI_FULL && speed != XHCI_LOW)
        return interval < 1 ? 0 : interval > 16 ? 15 : interval - 1;
    while (exponent < 10 && 1u << (exponent - 2) <= interval)
        exponent++;
    return exponent;
}

static BOOLEAN read_configuration(struct usb_device *device)
{
    const struct usb_request header = {
        USB_REQUEST_IN, GET_DESCRIPTOR, CONFIGURATION_DESCRIPTOR, 0,
        USB_CONFIGURATION_HEADER };
    struct usb_request whole = header;
    ULONG size;

    if (!usb_request(device, header))
        return FALSE;
    size = usb_configuration_size(device->data.bytes);
    whole.length = (USHORT)(size < PAGE_SIZE ? size : PAGE_SIZE);
    return usb_request(device, whole) &&
           usb_find_keyboard(device->data.bytes, whole.length,
                             &device->part);
}

static BOOLEAN add_endpoint(struct usb_device *device)
{
    ULONG index = 2u * device->part.endpoint + 1;
    ULONG *slot = usb_input_context(device, 1);
    ULONG *endpoint = usb_input_context(device, 1 + index);
    ULONGLONG ring = usb_ring_position(&device->reports) | TRB_CYCLE;

    device->endpoint = index;
    usb_input_context(device, 0)[CONTEXT_ADD] = 1u << 0 | 1u << index;
    slot[SLOT_ROUTE] = (slot[SLOT_ROUTE] & ~SLOT_ENTRIES_MASK) |
                       SLOT_ENTRIES(index);
    endpoint[ENDPOINT_INTERVAL] =
        ENDPOINT_PERIOD(exponent_of(device->speed, device->part.interval));
    endpoint[ENDPOINT_TYPE] = ENDPOINT_TRIES | ENDPOINT_INTERRUPT_IN |
                              ENDPOINT_PACKET(device->part.packet);
    endpoint[ENDPOINT_RING] = (ULONG)ring;
    endpoint[ENDPOINT_RING_HIGH] = (ULONG)(ring >> 32);
    endpoint[ENDPOINT_LENGTHS] = ENDPOINT_PACKET(device->part.packet) |
                                 HID_REPORT;
    return usb_command(device->controller, device->input.physical,
                       TRB_TYPE(TRB_CONFIGURE_ENDPOINT) |
                       TRB_SLOT(device->slot)) == XHCI_SUCCESS;
}

static BOOLEAN configure(struct usb_device *device)
{
    return usb_request(device, (struct usb_request){
        0, SET_CONFIGURATION, device->part.configuration, 0, 0 });
}

/* Some do not know these, and are as they should be all the same. */
static void set_protocol(struct usb_device *device)
{
    usb_request(device, (struct usb_request){
        TO_INTERFACE, SET_PROTOCOL, BOOT_PROTOCOL, device->part.interface,
        0 });
    usb_request(device, (struct usb_request){
        TO_INTERFACE, SET_IDLE, 0, device->part.interface, 0 });
}

/* Of a buffer: what the device may send at once. */
static ULONG room_of(const struct usb_device *device)
{
    ULONG packet = device->part.packet;

    if (packet < HID_REPORT)
        return HID_REPORT;
    return packet < BUFFER_SIZE ? packet : BUFFER_SIZE;
}

static void offer_buffer(struct usb_device *device, ULONGLONG physical)
{
    usb_put(&device->reports, physical, room_of(device),
            TRB_TYPE(TRB_NORMAL) | TRB_INTERRUPT);
}

BOOLEAN usb_start_keyboard(struct usb_device *device)
{
    if (!read_configuration(device) || !add_endpoint(device) ||
        !configure(device))
        return FALSE;
    set_protocol(device);
    memset(device->data.bytes, 0, PAGE_SIZE);
    for (ULONG i = 0; i < BUFFERS; i++)
        offer_buffer(device, device->data.physical + i * BUFFER_SIZE);
    usb_ring_doorbell(device->controller, device->slot, device->endpoint);
    DbgPrintEx(KD_IO_ID, DPFLTR_TRACE_LEVEL, "USB   a keyboard at port %u\n",
               device->port);
    return TRUE;
}

/* The buffer of a request; 0: it was none of this ring's. */
static ULONGLONG buffer_of(const struct usb_device *device,
                           ULONGLONG position)
{
    const struct usb_page *page = &device->reports.page;
    const struct xhci_trb *trbs = (const struct xhci_trb *)page->bytes;
    ULONGLONG offset = position - page->physical;

    return offset < PAGE_SIZE ? trbs[offset / sizeof *trbs].parameter : 0;
}

void usb_take_report(struct usb_device *device,
                     const struct xhci_trb *event)
{
    ULONG code = TRB_CODE_OF(event->status);
    ULONGLONG physical = buffer_of(device, event->parameter);
    ULONGLONG offset = physical - device->data.physical;
    UCHAR codes[HID_CODES];

    if ((code != XHCI_SUCCESS && code != XHCI_SHORT) ||
        offset >= BUFFERS * BUFFER_SIZE) {
        device->broken = TRUE;
        device->controller->ports_changed = TRUE;
        return;
    }
    if (room_of(device) >= TRB_LEFT_OF(event->status) + HID_REPORT)
        type(codes, hid_report(&device->keys, device->data.bytes + offset,
                               KeQueryInterruptTime(), codes));
    device->controller->tries[device->port] = 0;
    offer_buffer(device, physical);
    usb_ring_doorbell(device->controller, device->slot, device->endpoint);
}

void usb_repeat_key(struct usb_device *device)
{
    UCHAR codes[HID_CODES];

    type(codes, hid_repeat(&device->keys, KeQueryInterruptTime(), codes));
}

void usb_stop_keyboard(struct usb_device *device)
{
    static const UCHAR nothing[HID_REPORT];
    UCHAR codes[HID_CODES];

    if (!device->endpoint)
        return;
    device->endpoint = 0;
    type(codes, hid_report(&device->keys, nothing, 0, codes));
    DbgPrintEx(KD_IO_ID, DPFLTR_TRACE_LEVEL,
               "USB   no keyboard at port %u any more\n", device->port);
}

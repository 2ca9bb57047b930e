/*
 * usb/device.c - a device gets an address, and answers requests.
 *
 * Whatever the controller is told of a device is written into the input
 * context; which parts of it count stands in front (xHCI: 6.2.5).
 */
#include "usbp.h"

#define TAG 0x44627355                  /* "UsbD" */
#define GET_DESCRIPTOR 6
#define DEVICE_DESCRIPTOR 0x0100
#define DESCRIPTOR_BEGIN 8              /* bytes: any device sends them */
#define DESCRIPTOR_PACKET 7             /* where the packet's size is */
#define FULL_SPEED_PACKET 64
#define AVERAGE 8                       /* bytes of a transfer (4.14) */

/* 0: the one in front; 1: the device; 1 + i: endpoint i. */
ULONG *usb_input_context(struct usb_device *device, ULONG index)
{
    return (ULONG *)(device->input.bytes +
                     index * device->controller->context_size);
}

static ULONGLONG *slot_pointer(const struct usb_device *device)
{
    return (ULONGLONG *)device->controller->contexts.bytes + device->slot;
}

static BOOLEAN create_memory(struct usb_device *device)
{
    const struct usb_controller *controller = device->controller;

    device->control.cycle = device->reports.cycle = TRB_CYCLE;
    return usb_create_page(controller, &device->context) &&
           usb_create_page(controller, &device->input) &&
           usb_create_page(controller, &device->data) &&
           usb_create_page(controller, &device->control.page) &&
           usb_create_page(controller, &device->reports.page);
}

static void free_memory(struct usb_device *device)
{
    usb_delete_page(&device->context);
    usb_delete_page(&device->input);
    usb_delete_page(&device->data);
    usb_delete_page(&device->control.page);
    usb_delete_page(&device->reports.page);
    ExFreePoolWithTag(device, TAG);
}

static BOOLEAN take_slot(struct usb_device *device)
{
    struct usb_controller *controller = device->controller;

    if (usb_command(controller, 0, TRB_TYPE(TRB_ENABLE_SLOT)) !=
            XHCI_SUCCESS ||
        controller->slot == 0 || controller->slot > USB_SLOTS)
        return FALSE;
    device->slot = controller->slot;
    controller->devices[device->slot] = device;
    *slot_pointer(device) = device->context.physical;
    return TRUE;
}

/* How much it takes at once: what every device of that speed does. */
static ULONG first_packet(ULONG speed)
{
    if (speed == XHCI_FULL || speed == XHCI_LOW)
        return 8;
    return speed == XHCI_HIGH ? 64 : 512;
}

static BOOLEAN give_address(struct usb_device *device)
{
    ULONG *slot = usb_input_context(device, 1);
    ULONG *endpoint = usb_input_context(device, 1 + USB_CONTROL_ENDPOINT);
    ULONGLONG ring = usb_ring_position(&device->control) | TRB_CYCLE;

    usb_input_context(device, 0)[CONTEXT_ADD] =
        1u << 0 | 1u << USB_CONTROL_ENDPOINT;
    slot[SLOT_ROUTE] = SLOT_SPEED(device->speed) |
                       SLOT_ENTRIES(USB_CONTROL_ENDPOINT);
    slot[SLOT_PORT] = SLOT_ROOT_PORT(device->port);
    endpoint[ENDPOINT_TYPE] = ENDPOINT_TRIES | ENDPOINT_CONTROL |
                              ENDPOINT_PACKET(first_packet(device->speed));
    endpoint[ENDPOINT_RING] = (ULONG)ring;
    endpoint[ENDPOINT_RING_HIGH] = (ULONG)(ring >> 32);
    endpoint[ENDPOINT_LENGTHS] = AVERAGE;
    return usb_command(device->controller, device->input.physical,
                       TRB_TYPE(TRB_ADDRESS_DEVICE) |
                       TRB_SLOT(device->slot)) == XHCI_SUCCESS;
}

/* It has stopped at a request that was refused, and begins behind that. */
static void restart_control(struct usb_device *device)
{
    ULONG where = TRB_SLOT(device->slot) |
                  TRB_ENDPOINT(USB_CONTROL_ENDPOINT);

    if (usb_command(device->controller, 0,
                    TRB_TYPE(TRB_RESET_ENDPOINT) | where) == XHCI_SUCCESS)
        usb_command(device->controller,
                    usb_ring_position(&device->control) |
                    device->control.cycle,
                    TRB_TYPE(TRB_SET_DEQUEUE) | where);
}

static ULONG wait_for_answer(struct usb_device *device)
{
    for (ULONG i = 0; i < USB_PATIENCE; i++) {
        usb_take_events(device->controller);
        if (!device->asked)
            return device->code;
        usb_sleep(1);
    }
    return USB_NO_ANSWER;
}

/* Setup, data if there are any, status the other way (USB 2.0: 8.5.3). */
static void put_request(struct usb_device *device, struct usb_request request)
{
    BOOLEAN in = request.type & USB_REQUEST_IN && request.length;
    ULONGLONG setup = request.type | (ULONG)request.request << 8 |
                      (ULONG)request.value << 16 |
                      (ULONGLONG)request.index << 32 |
                      (ULONGLONG)request.length << 48;

    usb_put(&device->control, setup, sizeof setup,
            TRB_TYPE(TRB_SETUP) | TRB_IMMEDIATE | (in ? TRB_SETUP_IN : 0));
    if (in)
        usb_put(&device->control, device->data.physical, request.length,
                TRB_TYPE(TRB_DATA) | TRB_IN);
    usb_put(&device->control, 0, 0,
            TRB_TYPE(TRB_STATUS) | TRB_INTERRUPT | (in ? 0 : TRB_IN));
}

BOOLEAN usb_request(struct usb_device *device, struct usb_request request)
{
    struct usb_controller *controller = device->controller;
    ULONG code;

    memset(device->data.bytes, 0, PAGE_SIZE);
    put_request(device, request);
    device->asked = TRUE;
    usb_ring_doorbell(controller, device->slot, USB_CONTROL_ENDPOINT);
    code = wait_for_answer(device);
    if (code == XHCI_SUCCESS)
        return TRUE;
    if (code == XHCI_STALL)
        restart_control(device);
    return FALSE;
}

/* Devices of full speed differ; they say it in what they send first. */
static BOOLEAN set_packet(struct usb_device *device)
{
    ULONG *endpoint = usb_input_context(device, 1 + USB_CONTROL_ENDPOINT);
    ULONG packet;

    if (!usb_request(device, (struct usb_request){
            USB_REQUEST_IN, GET_DESCRIPTOR, DEVICE_DESCRIPTOR, 0,
            DESCRIPTOR_BEGIN }))
        return FALSE;
    packet = device->data.bytes[DESCRIPTOR_PACKET];
    if (device->speed != XHCI_FULL || packet == first_packet(XHCI_FULL))
        return TRUE;
    if (packet < first_packet(XHCI_FULL) || packet > FULL_SPEED_PACKET)
        return FALSE;
    endpoint[ENDPOINT_TYPE] = (endpoint[ENDPOINT_TYPE] &
                               ~ENDPOINT_PACKET_MASK) |
                              ENDPOINT_PACKET(packet);
    usb_input_context(device, 0)[CONTEXT_ADD] = 1u << USB_CONTROL_ENDPOINT;
    return usb_command(device->controller, device->input.physical,
                       TRB_TYPE(TRB_EVALUATE_CONTEXT) |
                       TRB_SLOT(device->slot)) == XHCI_SUCCESS;
}

struct usb_device *usb_create_device(struct usb_controller *controller,
                                     ULONG port, ULONG speed)
{
    struct usb_device *device = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                                sizeof *device, TAG);

    if (!device)
        return NULL;
    device->controller = controller;
    device->port = port;
    device->speed = speed;
    if (create_memory(device) && take_slot(device) && give_address(device) &&
        set_packet(device))
        return device;
    usb_delete_device(device);
    return NULL;
}

/* A controller that does not confirm may still write there: kept then. */
void usb_delete_device(struct usb_device *device)
{
    struct usb_controller *controller = device->controller;
    ULONG slot = device->slot;

    if (slot) {
        ULONG code = usb_command(controller, 0, TRB_TYPE(TRB_DISABLE_SLOT) |
                                                TRB_SLOT(slot));

        controller->devices[slot] = NULL;
        usb_stop_keyboard(device);
        if (code == USB_NO_ANSWER)
            return;
        *slot_pointer(device) = 0;
    }
    free_memory(device);
}

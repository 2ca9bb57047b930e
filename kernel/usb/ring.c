/*
 * usb/ring.c - rings of requests, and of events (xHCI: 4.9).
 *
 * A TRB is new when its cycle bit is the ring's, which turns each time around.
 * Whoever writes one writes that bit last.
 */
#include "usbp.h"

static volatile struct xhci_trb *trb_at(const struct usb_ring *ring,
                                        ULONG index)
{
    return (volatile struct xhci_trb *)ring->page.bytes + index;
}

ULONGLONG usb_ring_position(const struct usb_ring *ring)
{
    return ring->page.physical + ring->next * sizeof(struct xhci_trb);
}

static void write(const struct usb_ring *ring, ULONG index,
                  ULONGLONG parameter, ULONG status, ULONG control)
{
    volatile struct xhci_trb *trb = trb_at(ring, index);

    trb->parameter = parameter;
    trb->status = status;
    trb->control = control | ring->cycle;
}

/* The last one leads back to the first. */
ULONGLONG usb_put(struct usb_ring *ring, ULONGLONG parameter, ULONG status,
                  ULONG control)
{
    ULONGLONG position = usb_ring_position(ring);

    write(ring, ring->next, parameter, status, control);
    if (++ring->next == USB_TRBS - 1) {
        write(ring, ring->next, ring->page.physical, 0,
              TRB_TYPE(TRB_LINK) | TRB_TOGGLE);
        ring->next = 0;
        ring->cycle ^= TRB_CYCLE;
    }
    return position;
}

void usb_ring_doorbell(struct usb_controller *controller, ULONG slot,
                       ULONG endpoint)
{
    usb_write(controller->doorbells, slot * sizeof(ULONG), endpoint);
}

static BOOLEAN take_event(struct usb_controller *controller,
                          struct xhci_trb *event)
{
    struct usb_ring *ring = &controller->events;
    volatile struct xhci_trb *trb = trb_at(ring, ring->next);

    event->control = trb->control;
    if ((event->control & TRB_CYCLE) != ring->cycle)
        return FALSE;
    event->parameter = trb->parameter;
    event->status = trb->status;
    if (++ring->next == USB_TRBS) {
        ring->next = 0;
        ring->cycle ^= TRB_CYCLE;
    }
    usb_write_address(controller->runtime, XHCI_EVENT_NEXT,
                      usb_ring_position(ring) | XHCI_EVENT_BUSY);
    return TRUE;
}

static void end_transfer(struct usb_controller *controller,
                         const struct xhci_trb *event)
{
    ULONG slot = TRB_SLOT_OF(event->control);
    struct usb_device *device = slot <= USB_SLOTS ? controller->devices[slot]
                                                  : NULL;

    if (!device)
        return;
    if (TRB_ENDPOINT_OF(event->control) == device->endpoint) {
        usb_take_report(device, event);
    } else {
        device->code = TRB_CODE_OF(event->status);
        device->asked = FALSE;
    }
}

static void end_command(struct usb_controller *controller,
                        const struct xhci_trb *event)
{
    if (event->parameter != controller->asked)
        return;
    controller->code = TRB_CODE_OF(event->status);
    controller->slot = TRB_SLOT_OF(event->control);
    controller->asked = 0;
}

void usb_take_events(struct usb_controller *controller)
{
    struct xhci_trb event;

    while (take_event(controller, &event)) {
        switch (TRB_TYPE_OF(event.control)) {
        case TRB_TRANSFER:
            end_transfer(controller, &event);
            break;
        case TRB_COMMAND_DONE:
            end_command(controller, &event);
            break;
        case TRB_PORT_CHANGED:
            controller->ports_changed = TRUE;
            break;
        }
    }
}

ULONG usb_command(struct usb_controller *controller, ULONGLONG parameter,
                  ULONG control)
{
    if (controller->lost)
        return USB_NO_ANSWER;
    controller->asked = usb_put(&controller->commands, parameter, 0, control);
    usb_ring_doorbell(controller, 0, 0);
    for (ULONG i = 0; i < USB_PATIENCE; i++) {
        usb_take_events(controller);
        if (!controller->asked)
            return controller->code;
        usb_sleep(1);
    }
    usb_lose_controller(controller);
    return USB_NO_ANSWER;
}

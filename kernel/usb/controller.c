/*
 * usb/controller.c - an xHCI controller, from the firmware's hands to running.
 */
#include "usbp.h"

#define TAG 0x50627355                  /* "UsbP" */
#define REGISTERS 0x10000               /* bytes; none has more in use */
#define FARTHEST (REGISTERS - PAGE_SIZE)        /* where a part begins */
#define POWER_WAIT 20                   /* ms (5.4.8) */
#define RESET_WAIT 1                    /* ms: Intel's want to be let alone */
#define FOUR_GIB 0x100000000ULL
#define POINTERS (USB_SLOTS + 1)
#define SEGMENT_TABLE (PAGE_SIZE / 2)   /* where in the page of contexts */
#define SCRATCHPADS (PAGE_SIZE / sizeof(ULONGLONG))

ULONG usb_read(const UCHAR *at, ULONG offset)
{
    return *(const volatile ULONG *)(at + offset);
}

void usb_write(UCHAR *at, ULONG offset, ULONG value)
{
    *(volatile ULONG *)(at + offset) = value;
}

/* Any controller takes the two halves in this order (5.1). */
void usb_write_address(UCHAR *at, ULONG offset, ULONGLONG address)
{
    usb_write(at, offset, (ULONG)address);
    usb_write(at, offset + 4, (ULONG)(address >> 32));
}

BOOLEAN usb_create_page(const struct usb_controller *controller,
                        struct usb_page *page)
{
    UCHAR *bytes = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, TAG);

    if (!bytes)
        return FALSE;
    *page = (struct usb_page){ bytes, MmGetPhysicalAddress(bytes) };
    if (controller->can_64_bits || page->physical < FOUR_GIB)
        return TRUE;
    usb_delete_page(page);
    return FALSE;
}

void usb_delete_page(struct usb_page *page)
{
    if (page->bytes)
        ExFreePoolWithTag(page->bytes, TAG);
    page->bytes = NULL;
}

static BOOLEAN wait_for(const UCHAR *at, ULONG offset, ULONG mask,
                        ULONG value)
{
    for (ULONG i = 0; i < USB_PATIENCE; i++) {
        if ((usb_read(at, offset) & mask) == value)
            return TRUE;
        usb_sleep(1);
    }
    return FALSE;
}

/*
 * Firmware that has used it for a keyboard of its own lets go (4.22.1); if not,
 * it is told so.
 */
static void take_from_firmware(struct usb_controller *controller)
{
    UCHAR *base = controller->base;
    ULONG at = XHCI_EXTENDED(usb_read(base, XHCI_CAPABILITIES1)), word, next;

    for (; at && at + XHCI_LEGACY_CONTROL < REGISTERS; at += next) {
        word = usb_read(base, at);
        next = XHCI_EXTENDED_NEXT(word);
        if (XHCI_EXTENDED_ID(word) == XHCI_LEGACY) {
            usb_write(base, at, word | XHCI_SYSTEM_OWNS);
            if (!wait_for(base, at, XHCI_FIRMWARE_OWNS, 0))
                usb_write(base, at, XHCI_SYSTEM_OWNS);
            word = usb_read(base, at + XHCI_LEGACY_CONTROL);
            usb_write(base, at + XHCI_LEGACY_CONTROL,
                      (word & ~XHCI_LEGACY_TRAPS) | XHCI_LEGACY_EVENTS);
        }
        if (!next)
            break;
    }
}

static BOOLEAN reset(struct usb_controller *controller)
{
    UCHAR *at = controller->operational;

    usb_write(at, XHCI_COMMAND, usb_read(at, XHCI_COMMAND) & ~XHCI_RUN);
    if (!wait_for(at, XHCI_STATUS, XHCI_HALTED, XHCI_HALTED))
        return FALSE;
    usb_write(at, XHCI_COMMAND, XHCI_RESET);
    usb_sleep(RESET_WAIT);
    return wait_for(at, XHCI_COMMAND, XHCI_RESET, 0) &&
           wait_for(at, XHCI_STATUS, XHCI_NOT_READY, 0);
}

/* It may want memory for itself: the first of the pointers leads there. */
static BOOLEAN give_scratchpads(struct usb_controller *controller)
{
    ULONG wanted = XHCI_SCRATCHPADS(usb_read(controller->base,
                                             XHCI_STRUCTURE2));
    struct usb_page list, pad;

    if (!wanted)
        return TRUE;
    if (wanted > SCRATCHPADS || !usb_create_page(controller, &list))
        return FALSE;
    for (ULONG i = 0; i < wanted; i++) {
        if (!usb_create_page(controller, &pad))
            return FALSE;
        ((ULONGLONG *)list.bytes)[i] = pad.physical;
    }
    *(ULONGLONG *)controller->contexts.bytes = list.physical;
    return TRUE;
}

static BOOLEAN create_memory(struct usb_controller *controller)
{
    _Static_assert(POINTERS * sizeof(ULONGLONG) <= SEGMENT_TABLE, "a page");

    return usb_create_page(controller, &controller->contexts) &&
           usb_create_page(controller, &controller->commands.page) &&
           usb_create_page(controller, &controller->events.page) &&
           give_scratchpads(controller);
}

static void give_memory(struct usb_controller *controller)
{
    struct usb_page *contexts = &controller->contexts;
    struct xhci_segment *segment = (void *)(contexts->bytes + SEGMENT_TABLE);

    controller->commands.cycle = controller->events.cycle = TRB_CYCLE;
    *segment = (struct xhci_segment){ controller->events.page.physical,
                                      USB_TRBS, 0 };
    usb_write(controller->operational, XHCI_CONFIGURE, controller->slots);
    usb_write_address(controller->operational, XHCI_CONTEXTS,
                      contexts->physical);
    usb_write_address(controller->operational, XHCI_COMMAND_RING,
                      controller->commands.page.physical | TRB_CYCLE);
    usb_write(controller->runtime, XHCI_EVENT_SEGMENTS, 1);
    usb_write_address(controller->runtime, XHCI_EVENT_NEXT,
                      controller->events.page.physical);
    usb_write_address(controller->runtime, XHCI_EVENT_TABLE,
                      contexts->physical + SEGMENT_TABLE);
}

static BOOLEAN map(struct usb_controller *controller)
{
    ULONGLONG physical = hal_start_function(controller->at);
    UCHAR *base = physical ? MmMapIoSpace(physical, REGISTERS, MmNonCached)
                           : NULL;
    ULONG structure, capabilities, length;

    if (!base)
        return FALSE;
    structure = usb_read(base, XHCI_STRUCTURE1);
    capabilities = usb_read(base, XHCI_CAPABILITIES1);
    length = usb_read(base, XHCI_LENGTH);
    controller->base = base;
    controller->operational = base + (length & 0xFF);
    controller->doorbells = base + usb_read(base, XHCI_DOORBELLS);
    controller->runtime = base + usb_read(base, XHCI_RUNTIME);
    controller->ports = XHCI_PORTS(structure);
    controller->slots = XHCI_SLOTS(structure) < USB_SLOTS
                            ? XHCI_SLOTS(structure) : USB_SLOTS;
    controller->context_size = capabilities & XHCI_LARGE_CONTEXTS ? 64 : 32;
    controller->can_64_bits = (capabilities & XHCI_64_BITS) != 0;
    DbgPrintEx(KD_IO_ID, DPFLTR_TRACE_LEVEL,
               "USB   xHCI %x.%02x at %x:%x.%x, %u ports\n", length >> 24,
               length >> 16 & 0xFF, controller->at.bus, controller->at.device,
               controller->at.function, controller->ports);
    return controller->slots && usb_read(base, XHCI_DOORBELLS) <= FARTHEST &&
           usb_read(base, XHCI_RUNTIME) <= FARTHEST;
}

static void power_ports(struct usb_controller *controller)
{
    for (ULONG port = 1; port <= controller->ports; port++)
        usb_write(controller->operational, XHCI_PORT + (port - 1) * 16,
                  XHCI_POWER);
    usb_sleep(POWER_WAIT);
    controller->ports_changed = TRUE;
}

BOOLEAN usb_start_controller(struct usb_controller *controller)
{
    if (!map(controller))
        return FALSE;
    take_from_firmware(controller);
    if (!reset(controller) || !create_memory(controller))
        return FALSE;
    give_memory(controller);
    usb_write(controller->operational, XHCI_COMMAND, XHCI_RUN);
    if (!wait_for(controller->operational, XHCI_STATUS, XHCI_HALTED, 0))
        return FALSE;
    power_ports(controller);
    return TRUE;
}

/*
 * It may still write to the pages that it knows: they stay its own.  Keys
 * that were held are not any more.
 */
void usb_lose_controller(struct usb_controller *controller)
{
    if (controller->lost)
        return;
    controller->lost = TRUE;
    for (ULONG slot = 1; slot <= USB_SLOTS; slot++) {
        if (controller->devices[slot])
            usb_stop_keyboard(controller->devices[slot]);
    }
    if (controller->operational)
        usb_write(controller->operational, XHCI_COMMAND, 0);
    DbgPrintEx(KD_IO_ID, DPFLTR_WARNING_LEVEL,
               "USB   the controller at %x:%x.%x does not answer; left "
               "alone\n",
               controller->at.bus, controller->at.device,
               controller->at.function);
}

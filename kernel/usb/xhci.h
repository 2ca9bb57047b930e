/*
 * usb/xhci.h - registers and structures of xHCI controllers.
 *
 * Of the specification (revision 1.2) what a keyboard at a root port needs,
 * with its numbers; the sections are in brackets.
 */
#pragma once

#include <nt/ntdef.h>

#define XHCI_CLASS 0x0C0330             /* of PCI: serial bus, USB, xHCI */

/* Capability registers, where the BAR begins (5.3). */
enum {
    XHCI_LENGTH = 0x00,                 /* a byte; the version above it */
    XHCI_STRUCTURE1 = 0x04,
    XHCI_STRUCTURE2 = 0x08,
    XHCI_CAPABILITIES1 = 0x10,
    XHCI_DOORBELLS = 0x14,
    XHCI_RUNTIME = 0x18,
};

#define XHCI_SLOTS(structure1) ((structure1) & 0xFF)
#define XHCI_PORTS(structure1) ((structure1) >> 24)
#define XHCI_SCRATCHPADS(structure2) \
    (((structure2) >> 21 & 0x1F) << 5 | (structure2) >> 27)
#define XHCI_64_BITS 0x1u               /* of XHCI_CAPABILITIES1 */
#define XHCI_LARGE_CONTEXTS 0x4u
#define XHCI_EXTENDED(capabilities1) ((capabilities1) >> 16 << 2)

/* Extended capabilities: a list (7). */
#define XHCI_EXTENDED_ID(word) ((word) & 0xFF)
#define XHCI_EXTENDED_NEXT(word) (((word) >> 8 & 0xFF) << 2)
enum { XHCI_LEGACY = 1 };
#define XHCI_FIRMWARE_OWNS 0x00010000u  /* of the legacy one (7.1) */
#define XHCI_SYSTEM_OWNS 0x01000000u
#define XHCI_LEGACY_CONTROL 4           /* behind it: what firmware traps */
#define XHCI_LEGACY_TRAPS 0x0000E011u
#define XHCI_LEGACY_EVENTS 0xE0000000u  /* cleared by ones */

/* Operational registers (5.4), from XHCI_LENGTH on. */
enum {
    XHCI_COMMAND = 0x00,
    XHCI_STATUS = 0x04,
    XHCI_COMMAND_RING = 0x18,           /* 64 bits, as are the next */
    XHCI_CONTEXTS = 0x30,
    XHCI_CONFIGURE = 0x38,
    XHCI_PORT = 0x400,                  /* of port 1; 16 bytes each */
};

#define XHCI_RUN 0x1u                   /* of XHCI_COMMAND */
#define XHCI_RESET 0x2u
#define XHCI_HALTED 0x1u                /* of XHCI_STATUS */
#define XHCI_NOT_READY 0x800u

/* A port's status and control (5.4.8). */
#define XHCI_CONNECTED 0x1u
#define XHCI_ENABLED 0x2u               /* written as one: no more */
#define XHCI_PORT_RESET 0x10u
#define XHCI_POWER 0x200u
#define XHCI_SPEED(port) ((port) >> 10 & 0xF)
#define XHCI_CONNECT_CHANGED 0x00020000u
#define XHCI_RESET_CHANGED 0x00200000u
#define XHCI_CHANGES 0x00FE0000u        /* cleared by ones */
#define XHCI_PORT_KEPT 0x0E00C200u      /* power, lights, what wakes */
enum { XHCI_FULL = 1, XHCI_LOW, XHCI_HIGH, XHCI_SUPER };

/* Runtime registers of interrupter 0 (5.5.2), from XHCI_RUNTIME on. */
enum {
    XHCI_EVENT_SEGMENTS = 0x28,
    XHCI_EVENT_TABLE = 0x30,            /* 64 bits, as is the next */
    XHCI_EVENT_NEXT = 0x38,
};
#define XHCI_EVENT_BUSY 0x8u            /* cleared by a one */

/* A segment of the event ring (6.5). */
struct xhci_segment {
    ULONGLONG address;
    ULONG trbs, reserved;
};

/* Transfer request block: what is asked, and what is answered (6.4). */
struct xhci_trb {
    ULONGLONG parameter;
    ULONG status, control;
};

_Static_assert(sizeof(struct xhci_trb) == 16, "xHCI: 6.4");

#define TRB_CYCLE 0x1u
#define TRB_TOGGLE 0x2u                 /* of a link */
#define TRB_INTERRUPT 0x20u             /* an event tells its end */
#define TRB_IMMEDIATE 0x40u             /* the parameter is the data itself */
#define TRB_IN 0x10000u                 /* of a data or a status stage */
#define TRB_SETUP_IN 0x30000u           /* of a setup stage: what follows */
#define TRB_TYPE(type) ((ULONG)(type) << 10)
#define TRB_TYPE_OF(control) ((control) >> 10 & 0x3F)
#define TRB_ENDPOINT(index) ((ULONG)(index) << 16)
#define TRB_ENDPOINT_OF(control) ((control) >> 16 & 0x1F)
#define TRB_SLOT(slot) ((ULONG)(slot) << 24)
#define TRB_SLOT_OF(control) ((control) >> 24)
#define TRB_CODE_OF(status) ((status) >> 24)
#define TRB_LEFT_OF(status) ((status) & 0xFFFFFF)

enum {
    TRB_NORMAL = 1, TRB_SETUP, TRB_DATA, TRB_STATUS, TRB_LINK = 6,
    TRB_ENABLE_SLOT = 9, TRB_DISABLE_SLOT, TRB_ADDRESS_DEVICE,
    TRB_CONFIGURE_ENDPOINT, TRB_EVALUATE_CONTEXT, TRB_RESET_ENDPOINT,
    TRB_SET_DEQUEUE = 16,
    TRB_TRANSFER = 32, TRB_COMMAND_DONE, TRB_PORT_CHANGED,
};

/* Completion codes (6.4.5). */
enum { XHCI_SUCCESS = 1, XHCI_STALL = 6, XHCI_SHORT = 13 };

/*
 * Contexts (6.2): what the controller knows of a device, and, with one more in
 * front that says which of them count, what it is told.  Eight words each are
 * used, the device's own is first, endpoint i's is at i.
 */
enum { CONTEXT_ADD = 1 };               /* a word of the one in front */
enum { SLOT_ROUTE, SLOT_PORT };
#define SLOT_SPEED(speed) ((ULONG)(speed) << 20)
#define SLOT_ENTRIES(count) ((ULONG)(count) << 27)
#define SLOT_ENTRIES_MASK 0xF8000000u
#define SLOT_ROOT_PORT(port) ((ULONG)(port) << 16)
enum { ENDPOINT_INTERVAL, ENDPOINT_TYPE, ENDPOINT_RING, ENDPOINT_RING_HIGH,
       ENDPOINT_LENGTHS };
#define ENDPOINT_PERIOD(exponent) ((ULONG)(exponent) << 16)
#define ENDPOINT_TRIES (3u << 1)
#define ENDPOINT_CONTROL (4u << 3)
#define ENDPOINT_INTERRUPT_IN (7u << 3)
#define ENDPOINT_PACKET(bytes) ((ULONG)(bytes) << 16)
#define ENDPOINT_PACKET_MASK 0xFFFF0000u

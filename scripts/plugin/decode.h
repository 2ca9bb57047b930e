/*
 * decode.h - where an instruction leads.
 */
#ifndef DECODE_H
#define DECODE_H

#include <stddef.h>
#include <stdint.h>

enum transfer {
    TRANSFER_NONE,              /* to the next one, or it is a fault */
    TRANSFER_JUMP,
    TRANSFER_CALL,
    TRANSFER_CALL_REGISTER,     /* CALL to where a register says */
    TRANSFER_RETURN,
    TRANSFER_INTERRUPT,         /* INT, INT3, INTO */
    TRANSFER_ENTER,             /* SYSCALL, SYSENTER */
    TRANSFER_LEAVE,             /* SYSRET, SYSEXIT */
    TRANSFER_IRET,              /* which may lead to ring 0, too */
};

enum transfer decode_transfer(const uint8_t *bytes, size_t size);

#endif

/*
 * registration.h - the handlers of 32-bit code: a chain that starts at fs:[0].
 *
 * A function that wants to hear of exceptions puts a record into its stack
 * frame and in front of the chain, and takes it off when it returns. Whoever
 * is asked finds his own frame by the record's address.
 */
#pragma once

#include "ntexcept.h"

/*
 * Called for an exception, and again, with EXCEPTION_UNWIND among the flags,
 * when the frame is about to be gone. frame is the record. dispatcher is
 * ntdll's affair.
 */
typedef EXCEPTION_DISPOSITION EXCEPTION_ROUTINE(EXCEPTION_RECORD *record,
                                                void *frame, CONTEXT *context,
                                                void *dispatcher);

typedef struct _EXCEPTION_REGISTRATION_RECORD {
    struct _EXCEPTION_REGISTRATION_RECORD *Next;        /* 00 */
    EXCEPTION_ROUTINE *Handler;                         /* 04 */
} EXCEPTION_REGISTRATION_RECORD;

#define EXCEPTION_CHAIN_END ((EXCEPTION_REGISTRATION_RECORD *)~0UL)

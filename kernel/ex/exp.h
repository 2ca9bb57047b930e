/*
 * ex/exp.h - what the files of Ex share.
 */
#pragma once

#include <ex.h>
#include <ke_lock.h>
#include <mm.h>
#include <nt/ntapi.h>
#include <ob.h>
#include <ps.h>

/* ---- object.c: what services of dispatcher objects have in common ---- */

/* A type whose objects begin with a dispatcher header. */
OBJECT_TYPE *exp_create_type(const WCHAR *name, ACCESS_MASK query,
                             ACCESS_MASK modify, ACCESS_MASK all,
                             void (*delete_procedure)(void *object));

/* The handle's place, before anything happens. */
NTSTATUS exp_probe_handle(HANDLE *user_handle);

/*
 * The ends of NtCreate... and NtOpen...: a handle for the caller, who has
 * none after a failure.  object: from ObCreateObject, given away.
 */
NTSTATUS exp_insert(void *object, ACCESS_MASK access, HANDLE *user_handle);
NTSTATUS exp_open(OBJECT_TYPE *type, ACCESS_MASK access,
                  const OBJECT_ATTRIBUTES *attributes, HANDLE *user_handle);

NTSTATUS exp_reference(HANDLE handle, ACCESS_MASK access, OBJECT_TYPE *type,
                       void *object);

/*
 * A result that the caller may not want (NULL): probed first; when it is
 * written the work has been done, and stays done if it cannot be.
 */
NTSTATUS exp_probe_result(void *user, SIZE_T size, ULONG alignment);
void exp_return_result(void *user, const void *result, SIZE_T size);

/*
 * A query's places and length.  size: the class's, 0: there is no such class.
 * STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH.
 */
NTSTATUS exp_check_query(void *buffer, ULONG length, ULONG *return_length,
                         ULONG size);
NTSTATUS exp_answer(void *buffer, const void *information, ULONG size,
                    ULONG *return_length);

/* ---- event.c, mutant.c, semphore.c, timer.c: their types ---- */

void exp_initialize_events(void);
void exp_initialize_mutants(void);
void exp_initialize_semaphores(void);
void exp_initialize_timers(void);

/* ---- timerapc.c ---- */

/*
 * A timer object.  NT: ETIMER, in another order.
 *
 * While it is set with a routine it is "associated" with the thread that has
 * set it: it stands in that thread's ActiveTimerListHead and holds a reference
 * to itself.  That ends when it is set again or cancelled, its last handle is
 * closed, the thread ends, or, unless it is periodic, the routine is called.
 * A queued APC holds one more reference, which its kernel routine gives back.
 *
 * lock: apc, period, associated and setting the timer.  A thread's
 * ActiveTimerListLock comes after it.
 */
struct exp_timer {
    KTIMER timer;
    KSPIN_LOCK lock;
    KDPC dpc;                           /* queues apc */
    KAPC apc;
    LIST_ENTRY entry;                   /* ETHREAD.ActiveTimerListHead */
    ULONG period;
    BOOLEAN associated;
};

void exp_initialize_timer(struct exp_timer *timer, KOBJECTS type);

/* Both return whether it is signalled; set: whether it was before. */
BOOLEAN exp_set_timer(struct exp_timer *timer, LARGE_INTEGER due, ULONG period,
                      PTIMER_APC_ROUTINE routine, void *context);
BOOLEAN exp_cancel_timer(struct exp_timer *timer);

/* ---- handlelist.c ---- */

/* SystemHandleInformation and SystemExtendedHandleInformation, by number. */
NTSTATUS exp_query_handles(ULONG number, void *user, ULONG length,
                           ULONG *returned);

/* ---- firmware.c ---- */

/* SystemFirmwareTableInformation. */
NTSTATUS exp_query_firmware(void *user, ULONG length, ULONG *returned);

/* ---- debugctl.c ---- */

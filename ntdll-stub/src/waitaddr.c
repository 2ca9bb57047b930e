/*
 * waitaddr.c - waiting until a variable changes: RtlWaitOnAddress and those
 * who wake.
 *
 * Threads that wait are in lists by address, each with an event of its own in
 * a block on its stack. Comparing and getting into a list happen under the
 * list's lock, and so do getting out and setting the event: no change that is
 * followed by a wake is missed, and a block is used by nobody once its thread
 * knows that it is out.
 *
 * NT: threads wait by NtWaitForAlertByThreadId, without an event. As there, a
 * wait may also end for no reason; callers look again.
 */
#include "waitaddr.h"

#define LISTS 16
#define MOMENT (-1)                             /* of 100 ns: one tick */

struct waiter {
    struct waiter *next;
    const volatile void *address;
    HANDLE event;
    BOOLEAN woken;
};

static struct list {
    RTL_CRITICAL_SECTION lock;
    struct waiter *first;
} lists[LISTS];

void wait_initialize(void)
{
    ULONG at;

    for (at = 0; at < LISTS; at++)
        RtlInitializeCriticalSection(&lists[at].lock);
}

static struct list *list_of(const volatile void *address)
{
    ULONG_PTR number = (ULONG_PTR)address;

    return &lists[(number >> 4 ^ number >> 12) % LISTS];
}

/* Behind all others: who waits longest is woken first. */
static BOOLEAN queue(struct list *list, struct waiter *waiter,
                     const void *compare, SIZE_T size)
{
    struct waiter **link = &list->first;
    BOOLEAN same;

    RtlEnterCriticalSection(&list->lock);
    same = !memcmp((const void *)waiter->address, compare, size);
    if (same) {
        while (*link)
            link = &(*link)->next;
        *link = waiter;
    }
    RtlLeaveCriticalSection(&list->lock);
    return same;
}

/* TRUE: it had been woken already. */
static BOOLEAN leave(struct list *list, struct waiter *waiter)
{
    struct waiter **link = &list->first;
    BOOLEAN woken;

    RtlEnterCriticalSection(&list->lock);
    woken = waiter->woken;
    if (!woken) {
        while (*link != waiter)
            link = &(*link)->next;
        *link = waiter->next;
    }
    RtlLeaveCriticalSection(&list->lock);
    return woken;
}

/*
 * Wait while the size bytes (1, 2, 4 or 8) at Address are those at
 * CompareAddress. STATUS_TIMEOUT; STATUS_INVALID_PARAMETER: another size.
 */
NTSTATUS NTAPI RtlWaitOnAddress(const volatile void *Address,
                                const void *CompareAddress, SIZE_T Size,
                                LARGE_INTEGER *Timeout)
{
    LARGE_INTEGER moment = { .QuadPart = MOMENT };
    struct list *list = list_of(Address);
    struct waiter waiter = { .address = Address };
    NTSTATUS status = STATUS_SUCCESS;

    if (Size != 1 && Size != 2 && Size != 4 && Size != 8)
        return STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(NtCreateEvent(&waiter.event, EVENT_ALL_ACCESS, NULL,
                                  SynchronizationEvent, FALSE)))
        return NtDelayExecution(FALSE, &moment);
    if (queue(list, &waiter, CompareAddress, Size)) {
        status = NtWaitForSingleObject(waiter.event, FALSE, Timeout);
        if (leave(list, &waiter))
            status = STATUS_SUCCESS;
    }
    NtClose(waiter.event);
    return status;
}

static void wake(const volatile void *address, BOOLEAN all)
{
    struct list *list = list_of(address);
    struct waiter **link = &list->first, *waiter;

    RtlEnterCriticalSection(&list->lock);
    while ((waiter = *link) != NULL) {
        if (waiter->address != address) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        waiter->woken = TRUE;
        NtSetEvent(waiter->event, NULL);
        if (!all)
            break;
    }
    RtlLeaveCriticalSection(&list->lock);
}

void NTAPI RtlWakeAddressSingle(const volatile void *Address)
{
    wake(Address, FALSE);
}

void NTAPI RtlWakeAddressAll(const volatile void *Address)
{
    wake(Address, TRUE);
}

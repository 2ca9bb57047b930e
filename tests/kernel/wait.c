/*
 * tests/kernel/wait.c - waits of kernel threads: each status, who is boosted,
 * what an owner that ends leaves behind.
 */
#include "selftest.h"

#include <ps.h>

#define WAIT(object, timeout) \
    KeWaitForSingleObject(object, Executive, KernelMode, FALSE, timeout)

static LARGE_INTEGER now = { .QuadPart = 0 };
static LARGE_INTEGER soon = { .QuadPart = -10000 };

static KEVENT event, ready;
static KMUTANT mutant;
static KSEMAPHORE semaphore;

static ETHREAD *start(void (*routine)(void *argument), void *argument)
{
    ETHREAD *thread;
    NTSTATUS status = ps_create_system_thread(routine, argument, &thread);

    ASSERT(NT_SUCCESS(status));
    return thread;
}

static void join(ETHREAD *thread)
{
    WAIT(thread, NULL);
    ObDereferenceObject(thread);
}

/* One object, by one thread. */
static BOOLEAN test_single(void)
{
    LONG previous = 77;

    KeInitializeEvent(&event, EventSynchronizationObject, FALSE);
    KeInitializeSemaphore(&semaphore, 1, 2);
    KeInitializeMutant(&mutant, FALSE);
    return WAIT(&event, &now) == STATUS_TIMEOUT &&
           WAIT(&event, &soon) == STATUS_TIMEOUT &&
           KeSetEvent(&event, 0, FALSE) == 0 &&
           WAIT(&event, NULL) == STATUS_WAIT_0 &&
           WAIT(&event, &now) == STATUS_TIMEOUT &&
           ke_release_semaphore(&semaphore, 0, 2, &previous) ==
               STATUS_SEMAPHORE_LIMIT_EXCEEDED &&
           WAIT(&semaphore, NULL) == STATUS_WAIT_0 &&
           WAIT(&semaphore, &now) == STATUS_TIMEOUT &&
           WAIT(&mutant, NULL) == STATUS_WAIT_0 &&
           WAIT(&mutant, &now) == STATUS_WAIT_0 &&
           KeReadStateMutant(&mutant) == -1 &&
           ke_release_mutant(&mutant, 0, FALSE, &previous) == 0 &&
           previous == -1 &&
           ke_release_mutant(&mutant, 0, FALSE, NULL) == 0 &&
           ke_release_mutant(&mutant, 0, FALSE, NULL) ==
               STATUS_MUTANT_NOT_OWNED;
}

/* As many as there may be: all or nothing, and any by its index. */
static BOOLEAN test_many(void)
{
    static KEVENT events[MAXIMUM_WAIT_OBJECTS];
    static void *objects[MAXIMUM_WAIT_OBJECTS];
    static KWAIT_BLOCK blocks[MAXIMUM_WAIT_OBJECTS];
    const ULONG count = MAXIMUM_WAIT_OBJECTS;
    BOOLEAN good = TRUE;

    for (ULONG i = 0; i < count; i++) {
        objects[i] = &events[i];
        KeInitializeEvent(&events[i], EventSynchronizationObject, i != 40);
    }
    good &= KeWaitForMultipleObjects(count, objects, WaitAll, Executive,
                                     KernelMode, FALSE, &soon, blocks) ==
            STATUS_TIMEOUT;
    for (ULONG i = 0; i < count; i++)
        good &= KeReadStateEvent(&events[i]) == (i != 40);
    KeSetEvent(&events[40], 0, FALSE);
    good &= KeWaitForMultipleObjects(count, objects, WaitAll, Executive,
                                     KernelMode, FALSE, NULL, blocks) ==
            STATUS_WAIT_0;
    for (ULONG i = 0; i < count; i++)
        good &= KeReadStateEvent(&events[i]) == 0;
    KeSetEvent(&events[63], 0, FALSE);
    return good &&
           KeWaitForMultipleObjects(count, objects, WaitAny, Executive,
                                    KernelMode, FALSE, NULL, blocks) ==
               STATUS_WAIT_0 + 63;
}

static void own_and_end(void *argument)
{
    (void)argument;
    WAIT(&mutant, NULL);
    WAIT(&mutant, NULL);
}

/* Who gets it next is told, once. */
static BOOLEAN test_abandoned(void)
{
    BOOLEAN good;

    KeInitializeMutant(&mutant, FALSE);
    join(start(own_and_end, NULL));
    good = mutant.OwnerThread == NULL && KeReadStateMutant(&mutant) == 1 &&
           WAIT(&mutant, NULL) == STATUS_ABANDONED_WAIT_0 &&
           WAIT(&mutant, NULL) == STATUS_WAIT_0;
    ke_release_mutant(&mutant, 0, FALSE, NULL);
    ke_release_mutant(&mutant, 0, FALSE, NULL);
    return good && KeReadStateMutant(&mutant) == 1;
}

static volatile KPRIORITY boosted;
static volatile NTSTATUS waited;

static NTSTATUS signal(void *object)
{
    KeSetEvent(object, 0, FALSE);
    return STATUS_SUCCESS;
}

/* Spins until its boost is used up: never, if nothing takes it back. */
static void feel_boost(void *argument)
{
    const volatile KTHREAD *self = KeGetCurrentThread();

    (void)argument;
    waited = ke_signal_and_wait(signal, &ready, &event, KernelMode, FALSE,
                                NULL);
    boosted = self->Priority - self->BasePriority;
    while (self->Priority > self->BasePriority)
        arch_pause();
}

/* ready says that the thread waits, whatever its priority: no gap. */
static BOOLEAN test_boost(KPRIORITY increment)
{
    ETHREAD *thread;
    BOOLEAN good;

    KeInitializeEvent(&event, EventNotificationObject, FALSE);
    KeInitializeEvent(&ready, EventNotificationObject, FALSE);
    thread = start(feel_boost, NULL);
    WAIT(&ready, NULL);
    good = thread->Tcb.State == Waiting && !IsListEmpty(
               &event.Header.WaitListHead);
    KeSetEvent(&event, increment, FALSE);
    join(thread);
    return good && waited == STATUS_WAIT_0 && boosted == increment;
}

static void wait_alertably(void *argument)
{
    (void)argument;
    KeSetEvent(&ready, 0, FALSE);
    waited = KeWaitForSingleObject(&event, Executive, KernelMode, TRUE, NULL);
}

/* The alert may come before the wait or during it. */
static BOOLEAN test_alert(void)
{
    ETHREAD *thread;

    KeInitializeEvent(&event, EventNotificationObject, FALSE);
    KeInitializeEvent(&ready, EventNotificationObject, FALSE);
    thread = start(wait_alertably, NULL);
    WAIT(&ready, NULL);
    KeAlertThread(&thread->Tcb, KernelMode);
    join(thread);
    return waited == STATUS_ALERTED;
}

BOOLEAN test_wait(void)
{
    return test_single() && test_many() && test_abandoned() &&
           test_boost(EVENT_INCREMENT) && test_boost(IO_KEYBOARD_INCREMENT) &&
           test_boost(IO_NO_INCREMENT) && test_alert();
}

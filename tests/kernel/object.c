/*
 * tests/kernel/object.c - where an object ends: at PASSIVE_LEVEL in the
 * dereference, at any other level in the thread that is there for it.
 */
#include "selftest.h"

#include <ex.h>
#include <ob.h>
#include <ps.h>

#define OBJECTS 3

static struct {
    void *object;
    KTHREAD *thread;
    KIRQL irql;
} ends[OBJECTS];

static void *objects[OBJECTS];
static KSEMAPHORE ended;
static KEVENT done;
static KAPC apc;
static KDPC dpc;
static volatile ULONG count;
static const LARGE_INTEGER soon = { .QuadPart = -1 };

/* Stands in for the event type's routine, which there is none. */
static void note(void *object)
{
    for (ULONG i = 0; i < OBJECTS; i++) {
        if (object != objects[i] || count == OBJECTS)
            continue;
        ends[count].object = object;
        ends[count].thread = KeGetCurrentThread();
        ends[count].irql = KeGetCurrentIrql();
        count++;
        ke_release_semaphore(&ended, 0, 1, NULL);
    }
}

static BOOLEAN make(void)
{
    count = 0;
    KeInitializeSemaphore(&ended, 0, OBJECTS);
    for (ULONG i = 0; i < OBJECTS; i++) {
        if (!NT_SUCCESS(ob_create_object(ExEventObjectType, sizeof(KEVENT),
                                         &objects[i])))
            return FALSE;
    }
    return TRUE;
}

static void let_go(void)
{
    for (ULONG i = 0; i < OBJECTS; i++)
        ObDereferenceObject(objects[i]);
}

/* Each ended once, at PASSIVE_LEVEL, here or elsewhere. */
static BOOLEAN all_ended(BOOLEAN here)
{
    ULONG seen = 0;

    if (here && count != OBJECTS)
        return FALSE;
    for (ULONG i = 0; i < OBJECTS; i++)
        KeWaitForSingleObject(&ended, Executive, KernelMode, FALSE, NULL);
    for (ULONG i = 0; i < OBJECTS; i++) {
        if (ends[i].irql != PASSIVE_LEVEL ||
            (ends[i].thread == KeGetCurrentThread()) != here)
            return FALSE;
        for (ULONG j = 0; j < OBJECTS; j++)
            seen |= (ULONG)(ends[i].object == objects[j]) << j;
    }
    return seen == (1u << OBJECTS) - 1;
}

static BOOLEAN test_raised(KIRQL irql)
{
    KIRQL old;
    BOOLEAN none;

    if (!make())
        return FALSE;
    old = KfRaiseIrql(irql);
    let_go();
    none = irql < DISPATCH_LEVEL || count == 0;
    KfLowerIrql(old);
    return none && all_ended(irql == PASSIVE_LEVEL);
}

static BOOLEAN test_defer_delete(void)
{
    if (!make())
        return FALSE;
    for (ULONG i = 0; i < OBJECTS; i++)
        ObDereferenceObjectDeferDelete(objects[i]);
    return all_ended(FALSE);
}

static void in_dpc(KDPC *self, void *context, void *argument1,
                   void *argument2)
{
    (void)self, (void)context, (void)argument1, (void)argument2;
    let_go();
}

static BOOLEAN test_dpc_drops(void)
{
    if (!make())
        return FALSE;
    KeInitializeDpc(&dpc, in_dpc, NULL);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    return all_ended(FALSE);
}

/* A special APC's kernel routine, at APC_LEVEL. */
static void in_apc(KAPC *self, KNORMAL_ROUTINE **routine, void **context,
                   void **argument1, void **argument2)
{
    (void)self, (void)routine, (void)context;
    (void)argument1, (void)argument2;
    let_go();
    KeSetEvent(&done, 0, FALSE);
}

static BOOLEAN test_apc_drops(void)
{
    if (!make())
        return FALSE;
    KeInitializeEvent(&done, EventSynchronizationObject, FALSE);
    KeInitializeApc(&apc, KeGetCurrentThread(), OriginalApcEnvironment,
                    in_apc, NULL, NULL, KernelMode, NULL);
    KeInsertQueueApc(&apc, NULL, NULL, 0);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    return all_ended(FALSE);
}

BOOLEAN test_object_ends(void)
{
    void (*routine)(void *object) =
        ExEventObjectType->TypeInfo.DeleteProcedure;
    ULONG before = ExEventObjectType->TotalNumberOfObjects;
    BOOLEAN good;

    ExEventObjectType->TypeInfo.DeleteProcedure = note;
    good = routine == NULL && test_raised(PASSIVE_LEVEL) &&
           test_raised(APC_LEVEL) && test_raised(DISPATCH_LEVEL) &&
           test_defer_delete() && test_dpc_drops() && test_apc_drops();
    ExEventObjectType->TypeInfo.DeleteProcedure = routine;
    while (ExEventObjectType->TotalNumberOfObjects != before)
        KeDelayExecutionThread(KernelMode, FALSE, &soon);
    return good;
}

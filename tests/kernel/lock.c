/*
 * tests/kernel/lock.c - locks between threads that give up the processor
 * wherever it hurts most.
 */
#include "selftest.h"

#include <ke_lock.h>
#include <mm.h>
#include <ps.h>

#define THREADS 6
#define ROUNDS 500

static EX_PUSH_LOCK push_lock;
static FAST_MUTEX fast_mutex;
static volatile ULONG counter, mirror, torn, readers, most_readers;

/* Runs routine(number) in threads of their own and waits for all of them. */
static BOOLEAN run_threads(void (*const *routines)(void *), ULONG count)
{
    ETHREAD *threads[THREADS];
    ULONG made;

    for (made = 0; made < count; made++) {
        if (!NT_SUCCESS(ps_create_system_thread(routines[made],
                                                (void *)(ULONG_PTR)made,
                                                &threads[made])))
            break;
    }
    for (ULONG i = 0; i < made; i++) {
        KeWaitForSingleObject(threads[i], Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(threads[i]);
    }
    return made == count;
}

/* Loses counts as soon as two threads are in it. */
static void increment(void)
{
    ULONG old = counter;

    ke_yield();
    counter = old + 1;
}

static void count_with_push_lock(void *argument)
{
    (void)argument;
    for (ULONG i = 0; i < ROUNDS; i++) {
        ke_acquire_exclusive(&push_lock);
        increment();
        ke_release_exclusive(&push_lock);
    }
}

static void count_with_fast_mutex(void *argument)
{
    (void)argument;
    for (ULONG i = 0; i < ROUNDS; i++) {
        ExAcquireFastMutex(&fast_mutex);
        increment();
        ExReleaseFastMutex(&fast_mutex);
    }
}

static BOOLEAN count_to_the_end(void (*routine)(void *))
{
    void (*const routines[THREADS])(void *) = { routine, routine, routine,
                                                routine, routine, routine };

    counter = 0;
    return run_threads(routines, THREADS) && counter == THREADS * ROUNDS;
}

/* What the word is while nobody waits: Windows' encoding. */
static BOOLEAN test_encoding(void)
{
    EX_PUSH_LOCK lock = { 0 };
    BOOLEAN good;

    ke_acquire_exclusive(&lock);
    good = lock.Value == 0x1;
    ke_release_exclusive(&lock);
    good &= lock.Value == 0;
    ke_acquire_shared(&lock);
    good &= lock.Value == 0x11;
    ke_acquire_shared(&lock);
    good &= lock.Value == 0x21;
    ke_release_shared(&lock);
    good &= lock.Value == 0x11;
    ke_release_shared(&lock);
    return good && lock.Value == 0;
}

static void write_pairs(void *argument)
{
    (void)argument;
    for (ULONG i = 0; i < ROUNDS; i++) {
        ke_acquire_exclusive(&push_lock);
        counter++;
        ke_yield();
        mirror++;
        ke_release_exclusive(&push_lock);
        ke_yield();
    }
}

static void read_pairs(void *argument)
{
    (void)argument;
    for (ULONG i = 0; i < ROUNDS; i++) {
        ULONG first, inside;

        ke_acquire_shared(&push_lock);
        inside = __sync_add_and_fetch(&readers, 1);
        if (inside > most_readers)
            most_readers = inside;
        first = counter;
        torn += mirror != first;
        ke_yield();
        torn += counter != first || mirror != first;
        __sync_sub_and_fetch(&readers, 1);
        ke_release_shared(&push_lock);
    }
}

/* Readers see both halves alike, and one another. */
static BOOLEAN test_pairs(void)
{
    void (*const routines[THREADS])(void *) = {
        write_pairs, read_pairs, read_pairs, write_pairs, read_pairs,
        read_pairs
    };

    counter = mirror = torn = readers = most_readers = 0;
    return run_threads(routines, THREADS) && torn == 0 &&
           counter == 2 * ROUNDS && mirror == counter && most_readers > 1;
}

static ULONG order[THREADS];
static volatile ULONG arrived;

static void enter_shared(void *argument)
{
    ke_acquire_shared(&push_lock);
    order[arrived++] = (ULONG)(ULONG_PTR)argument;
    ke_release_shared(&push_lock);
}

static void enter_exclusive(void *argument)
{
    ke_acquire_exclusive(&push_lock);
    order[arrived++] = (ULONG)(ULONG_PTR)argument;
    ke_release_exclusive(&push_lock);
}

/* The lock is held: start a thread that wants it, and see it wait. */
static BOOLEAN start_waiter(void (*routine)(void *), ULONG number,
                            ETHREAD **thread)
{
    if (!NT_SUCCESS(ps_create_system_thread(routine,
                                            (void *)(ULONG_PTR)number,
                                            thread)))
        return FALSE;
    while ((*thread)->Tcb.State != Waiting)
        ke_yield();
    return TRUE;
}

/* A reader behind a waiting writer waits although readers have the lock. */
static BOOLEAN test_order(void)
{
    static void (*const routines[THREADS])(void *) = {
        enter_exclusive, enter_shared, enter_shared, enter_exclusive,
        enter_shared, enter_exclusive
    };
    ETHREAD *threads[THREADS];
    BOOLEAN good = TRUE;
    ULONG made;

    arrived = 0;
    ke_acquire_shared(&push_lock);
    for (made = 0; made < THREADS; made++) {
        if (!start_waiter(routines[made], made, &threads[made]))
            break;
    }
    good = made == THREADS && arrived == 0 && (push_lock.Value & 0xF) == 0x3;
    ke_release_shared(&push_lock);
    for (ULONG i = 0; i < made; i++) {
        KeWaitForSingleObject(threads[i], Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(threads[i]);
    }
    for (ULONG i = 0; i < arrived; i++)
        good &= order[i] == i;
    return good && arrived == THREADS;
}

BOOLEAN test_push_lock(void)
{
    return test_encoding() && count_to_the_end(count_with_push_lock) &&
           test_pairs() && test_order() && push_lock.Value == 0;
}

BOOLEAN test_fast_mutex(void)
{
    ExInitializeFastMutex(&fast_mutex);
    return count_to_the_end(count_with_fast_mutex) &&
           fast_mutex.Count == 1 && fast_mutex.Contention != 0;
}

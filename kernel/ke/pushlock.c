/*
 * ke/pushlock.c - one writer or many readers, in a single word.
 *
 *     63                       4   3   2   1   0
 *     | shared holders            |      0    | L |   nobody waits
 *     | first waiter's block      | M | 0 | 1 | L |   somebody does
 *
 * L Locked, 1 Waiting, M MultipleShared.  0 is free.  As long as nobody waits
 * a lock is taken and given back with one interlocked operation on the word.
 * Who cannot have it leaves a block on its own stack, behind all that came
 * before; then the word is the address of the first block, and only holders of
 * queue_lock change it: the number of shared holders is in that block.
 *
 * On one processor the last one to give the lock back passes it on, to the
 * first waiter, or if that one wants it shared to all up to the next that does
 * not.  A waiter that wakes up is a holder already.  So the order is that of
 * arrival: a reader that finds somebody waiting waits, too, and no writer
 * starves.
 *
 * With several, passing on would make all of them wait for whoever is woken.
 * There the first waiter is only told to try again, and the lock is free until
 * then.  Who has tried in vain waits before all others, and after some tries
 * it insists: then the lock is passed on, and nobody starves here either.
 *
 * NT: blocks are linked by interlocked operations, newest first; a lock that
 * is given back is always free for whoever comes first.
 */
#include <ke.h>
#include <ke_lock.h>

#define LOCKED          0x1ULL
#define WAITING         0x2ULL
#define MULTIPLE_SHARED 0x8ULL
#define SHARED_ONE      0x10ULL
#define FLAGS           0xFULL

#define SPINS 200
#define MOST_TRIES 3

/* shared_count and last: of the first block.  granted: woken as a holder. */
struct block {
    KEVENT event;
    struct block *next, *last;
    ULONGLONG shared_count;
    BOOLEAN exclusive, granted;
    ULONG tries;
} __attribute__((aligned(16)));

/* Under it: every list of waiters, and every word that has one. */
static KSPIN_LOCK queue_lock;

static BOOLEAN change(EX_PUSH_LOCK *lock, ULONGLONG from, ULONGLONG to)
{
    return __sync_bool_compare_and_swap(&lock->Value, from, to);
}

static struct block *first_block(const EX_PUSH_LOCK *lock)
{
    return (struct block *)(lock->Value & ~FLAGS);
}

/* May somebody have it now, without waiting?  What it becomes, or 0. */
static ULONGLONG taken(ULONGLONG value, BOOLEAN exclusive)
{
    if (value == 0)
        return exclusive ? LOCKED : LOCKED + SHARED_ONE;
    if (exclusive || (value & WAITING) || value < SHARED_ONE)
        return 0;
    return value + SHARED_ONE;
}

static BOOLEAN try_acquire(EX_PUSH_LOCK *lock, BOOLEAN exclusive)
{
    ULONGLONG old, new;

    do {
        old = lock->Value;
        new = taken(old, exclusive);
        if (new == 0)
            return FALSE;
    } while (!change(lock, old, new));
    return TRUE;
}

static ULONGLONG waiting_value(const struct block *first)
{
    return (ULONG_PTR)first | LOCKED | WAITING |
           (first->shared_count > 1 ? MULTIPLE_SHARED : 0);
}

/* The first to wait.  FALSE: the word has changed meanwhile. */
static BOOLEAN start_queue(EX_PUSH_LOCK *lock, ULONGLONG old,
                           struct block *block)
{
    block->last = block;
    block->shared_count = old / SHARED_ONE;
    return change(lock, old, waiting_value(block));
}

static void append(EX_PUSH_LOCK *lock, struct block *block)
{
    struct block *first = first_block(lock);

    first->last->next = block;
    first->last = block;
}

static void prepend(EX_PUSH_LOCK *lock, struct block *block)
{
    struct block *first = first_block(lock);

    block->next = first;
    block->last = first->last;
    block->shared_count = first->shared_count;
    lock->Value = waiting_value(block);
}

/* It is free, but for those that wait and have been told. */
static void take_open(EX_PUSH_LOCK *lock, BOOLEAN exclusive)
{
    struct block *first = first_block(lock);

    first->shared_count = !exclusive;
    lock->Value = waiting_value(first);
}

/* FALSE: it could be taken after all. */
static BOOLEAN enqueue(EX_PUSH_LOCK *lock, struct block *block)
{
    KIRQL irql = KeAcquireSpinLock(&queue_lock);
    BOOLEAN queued = FALSE;

    while (!queued && !try_acquire(lock, block->exclusive)) {
        ULONGLONG old = lock->Value;

        if ((old & WAITING) && !(old & LOCKED)) {
            take_open(lock, block->exclusive);
            break;
        }
        if (old & WAITING) {
            if (block->tries)
                prepend(lock, block);
            else
                append(lock, block);
            queued = TRUE;
        } else if (old != 0) {
            queued = start_queue(lock, old, block);
        }
    }
    KeReleaseSpinLock(&queue_lock, irql);
    return queued;
}

/* Its holder may run on another processor, and be through soon. */
static BOOLEAN spin(EX_PUSH_LOCK *lock, BOOLEAN exclusive)
{
    if (KeNumberProcessors == 1)
        return FALSE;
    for (ULONG i = 0; i < SPINS; i++) {
        if (*(const volatile ULONGLONG *)&lock->Value & WAITING)
            return FALSE;
        arch_pause();
        if (try_acquire(lock, exclusive))
            return TRUE;
    }
    return FALSE;
}

static void acquire(EX_PUSH_LOCK *lock, BOOLEAN exclusive)
{
    struct block block;

    KeEnterCriticalRegion();
    if (try_acquire(lock, exclusive) || spin(lock, exclusive))
        return;
    block = (struct block){ .exclusive = exclusive };
    KeInitializeEvent(&block.event, EventSynchronizationObject, FALSE);
    while (!block.granted && enqueue(lock, &block)) {
        KeWaitForSingleObject(&block.event, WrPushLock, KernelMode, FALSE,
                              NULL);
        block.next = NULL;
        block.tries++;
    }
}

void ke_acquire_exclusive(EX_PUSH_LOCK *lock)
{
    acquire(lock, TRUE);
}

void ke_acquire_shared(EX_PUSH_LOCK *lock)
{
    acquire(lock, FALSE);
}

/*
 * The lock is nobody's: make it the first waiter's, or that of several.
 * Returns a chain of those who have it now.
 */
static struct block *pass_on(EX_PUSH_LOCK *lock)
{
    struct block *first = first_block(lock), *end = first;
    ULONGLONG count = !first->exclusive;

    first->granted = TRUE;
    while (!first->exclusive && end->next && !end->next->exclusive) {
        end = end->next;
        end->granted = TRUE;
        count++;
    }
    if (end->next) {
        end->next->last = first->last;
        end->next->shared_count = count;
        lock->Value = waiting_value(end->next);
    } else {
        lock->Value = LOCKED + count * SHARED_ONE;
    }
    end->next = NULL;
    return first;
}

/* The lock is nobody's, and stays so: the first waiter is to try again. */
static struct block *open(EX_PUSH_LOCK *lock)
{
    struct block *first = first_block(lock), *next = first->next;

    if (next) {
        next->last = first->last;
        next->shared_count = 0;
        lock->Value = waiting_value(next) & ~LOCKED;
    } else {
        lock->Value = 0;
    }
    first->next = NULL;
    return first;
}

static struct block *give_back(EX_PUSH_LOCK *lock)
{
    return KeNumberProcessors == 1 || first_block(lock)->tries >= MOST_TRIES
               ? pass_on(lock) : open(lock);
}

/* One shared holder less while others wait; is it the last one? */
static BOOLEAN drop_shared(EX_PUSH_LOCK *lock)
{
    struct block *first = first_block(lock);

    first->shared_count--;
    lock->Value = waiting_value(first);
    return first->shared_count == 0;
}

/* A block is gone as soon as its thread may run. */
static void wake(struct block *block)
{
    while (block) {
        struct block *next = block->next;

        KeSetEvent(&block->event, EVENT_INCREMENT, FALSE);
        block = next;
    }
}

static void release_to_waiters(EX_PUSH_LOCK *lock, BOOLEAN exclusive)
{
    KIRQL irql = KeAcquireSpinLock(&queue_lock);
    struct block *woken = NULL;

    if (exclusive || drop_shared(lock))
        woken = give_back(lock);
    KeReleaseSpinLock(&queue_lock, irql);
    wake(woken);
}

void ke_release_exclusive(EX_PUSH_LOCK *lock)
{
    if (!change(lock, LOCKED, 0)) {
        ASSERT(lock->Value & WAITING);
        release_to_waiters(lock, TRUE);
    }
    KeLeaveCriticalRegion();
}

void ke_release_shared(EX_PUSH_LOCK *lock)
{
    ULONGLONG old, new;

    do {
        old = lock->Value;
        if (old & WAITING) {
            release_to_waiters(lock, FALSE);
            break;
        }
        ASSERT(old > SHARED_ONE);
        new = old - SHARED_ONE == LOCKED ? 0 : old - SHARED_ONE;
    } while (!change(lock, old, new));
    KeLeaveCriticalRegion();
}

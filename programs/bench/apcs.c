/*
 * apcs.c - user APCs: there and back, and many in one queue.
 */
#include "bench.h"

static ULONGLONG began[TRIES + 1];      /* when each of the first ones ran */
static ULONG ran;

static void NTAPI routine(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    if (ran < ARRAY_SIZE(began))
        began[ran] = ticks();
    ran++;
}

static void queue(void *thread)
{
    NtQueueApcThread(thread, routine, NULL, NULL, NULL);
}

static void queue_special(void *thread)
{
    NtQueueApcThreadEx(thread, QUEUE_USER_APC_SPECIAL_USER_APC, routine, NULL,
                       NULL, NULL);
}

static void there_and_back(void *context)
{
    queue(context);
    NtTestAlert();
}

void show_apcs(void)
{
    figure("user APC, there and back",
           fewest(there_and_back, NtCurrentThread()),
           "NtQueueApcThread, NtTestAlert, NtContinue");
}

/* ---- many ---- */

struct cost {
    ULONGLONG queue, deliver;
};

static ULONGLONG fewest_between(void)
{
    ULONGLONG best = ~0ULL;

    for (ULONG i = 1; i < ARRAY_SIZE(began); i++) {
        if (began[i] - began[i - 1] < best)
            best = began[i] - began[i - 1];
    }
    return best;
}

static void queue_many(operation *one, HANDLE thread, ULONG count)
{
    for (ULONG i = 0; i < count; i++)
        one(thread);
}

/* One more behind so many; then from one's routine to the next's. */
static struct cost measure(ULONG count)
{
    HANDLE self = NtCurrentThread();
    struct cost result;

    queue_many(queue, self, count);
    result.queue = fewest(queue, self);
    ran = 0;
    NtTestAlert();
    must(ran == count + TRIES ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL,
         "every APC runs once");
    result.deliver = fewest_between();
    return result;
}

static void NTAPI end(void *argument)
{
    (void)argument;
    NtTerminateThread(NtCurrentThread(), STATUS_SUCCESS);
}

/* To a thread that cannot take them: ready, but not as good as this one. */
static ULONGLONG measure_special(ULONG count)
{
    HANDLE thread = start_thread(end, NULL, NORMAL);
    ULONGLONG best;

    queue_many(queue_special, thread, count);
    best = fewest(queue_special, thread);
    join(thread);
    return best;
}

void show_apc_growth(void)
{
    struct cost few = measure(FEW), many = measure(MANY);

    growth("queue a user APC behind them", few.queue, many.queue);
    growth("queue a special user APC", measure_special(FEW),
           measure_special(MANY));
    growth("deliver a user APC before them", few.deliver, many.deliver);
}

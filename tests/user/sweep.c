/*
 * sweep.c - a user APC that becomes pending at each instruction of the way
 * back to ring 3 is delivered there, and not at some later entry.
 *
 * An interrupt queues it N instructions after the order was given
 * (tests/kernel/sweep.c; needs --icount), for N = 1, 2, 3..., until the
 * interrupt falls behind the sled that ring 3 goes down next.  The place in
 * the sled shows that no instruction is left out.  "sweep WAY":
 *
 *   call       out of the service that took the order
 *   trap       into an interrupt right behind that, and out of it
 *   continue   the order is given in an APC: out of that, and of NtContinue
 *
 * Scenarios: I2, N5.
 */
#include "test.h"

#include "../../programs/lib/find.h"

#define SWEEP_APC 0x24                          /* tests/kernel/selftest.c */
#define LONGEST 100000                          /* instructions of any way */

#define SLED 64
#define GO_DOWN_SLED(place) \
    __asm__ volatile(".rept 64\n\tincl %0\n\t.endr" : "+m"(place) : : "cc")

static struct {
    ULONGLONG routine;
    ULONG count;
    ULONG in_trap;
} order;

static NTSTATUS (NTAPI *ask_kernel)(ULONG test, void *argument);
static volatile ULONG place, came, came_at;
static BOOLEAN seen[SLED + 1];

static void NTAPI come(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    came_at = place;
    came++;
}

static void NTAPI give_order(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    CHECK_STATUS(ask_kernel(SWEEP_APC, &order), STATUS_SUCCESS);
}

/* FALSE: at the end of the sled it has not come. */
static BOOLEAN try(ULONG count, BOOLEAN in_apc)
{
    BOOLEAN in_time;

    order.count = count;
    came = place = 0;
    if (in_apc) {
        CHECK_STATUS(NtQueueApcThread(NtCurrentThread(), give_order, NULL,
                                      NULL, NULL), STATUS_SUCCESS);
        NtTestAlert();
    } else {
        give_order(NULL, NULL, NULL);
    }
    GO_DOWN_SLED(place);
    in_time = came != 0;
    while (!came)
        continue;
    CHECK_SAY(came == 1 && place == SLED, "%u instructions: %u came, %u of "
              "the sled", count, came, place);
    return in_time;
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const char *way = test_words();
    ULONG count = 1, at, missing = 0;

    (void)peb;
    ask_kernel = (void *)find_stub("NtwSelfTest");
    if (!ask_kernel)
        return STATUS_PROCEDURE_NOT_FOUND;
    order.routine = (ULONG_PTR)come;
    order.in_trap = !strcmp(way, "trap");
    while (try(count, !strcmp(way, "continue")) && count < LONGEST) {
        seen[came_at] = TRUE;
        count++;
    }
    for (at = 0; at < SLED; at++)
        missing += !seen[at];
    CHECK_SAY(missing == 0, "%u places of the sled were left out", missing);
    CHECK(count > SLED && count < LONGEST);
    print("%u instructions\n", count - 1);
    return test_end();
}

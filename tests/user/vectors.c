/*
 * vectors.c - all of ymm0-15 belong to one thread: through the routine of an
 * APC that comes between any two instructions, and through other threads.
 *
 * A processor without AVX has nothing of this; then there is one check.
 *
 * Scenarios: G2, L1.
 */
#include "test.h"

#include <nt/kuser.h>

#define STACK 0x10000
#define APCS 40                         /* a quantum each */
#define ROUNDS 2000
#define YIELDS 16                       /* two quanta each */

struct vectors {
    ULONGLONG quarter[64];
};

static volatile LONG apcs, stop;

/* All 16, then until *flag is not 0 nothing that C could spoil, all 16. */
static void hold(const struct vectors *in, struct vectors *out,
                 volatile LONG *flag)
{
    __asm__ volatile(
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
        "vmovups 32 * \\n(%0), %%ymm\\n\n\t"
        ".endr\n"
        "1:\n\t"
        "pause\n\t"
        "cmpl $0, (%2)\n\t"
        "je 1b\n\t"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
        "vmovups %%ymm\\n, 32 * \\n(%1)\n\t"
        ".endr\n\t"
        "vzeroupper"
        : : "r"(in), "r"(out), "r"(flag)
        : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
          "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
          "xmm14", "xmm15");
}

static struct vectors pattern(ULONGLONG seed)
{
    struct vectors vectors;

    for (ULONG i = 0; i < ARRAY_SIZE(vectors.quarter); i++)
        vectors.quarter[i] = seed = seed * 6364136223846793005 + i;
    return vectors;
}

static void NTAPI spoil(void *context, void *argument1, void *argument2)
{
    (void)context, (void)argument1, (void)argument2;
    __asm__ volatile("vzeroall" : : : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
                     "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                     "xmm12", "xmm13", "xmm14", "xmm15");
    __sync_fetch_and_add(&apcs, 1);
}

static HANDLE create(void *routine, void *argument)
{
    HANDLE thread = NULL;

    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), routine, argument, 0, 0,
                                  STACK, STACK, NULL), STATUS_SUCCESS);
    return thread;
}

static void join(HANDLE thread)
{
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    NtClose(thread);
}

/* Queue them one after the other, each when the one before has run. */
static NTSTATUS NTAPI disturb(void *argument)
{
    HANDLE target = argument;

    for (LONG i = 0; i < APCS; i++) {
        NtQueueApcThreadEx(target, QUEUE_USER_APC_SPECIAL_USER_APC, spoil,
                           NULL, NULL, NULL);
        while (apcs <= i)
            NtYieldExecution();
    }
    stop = TRUE;
    return STATUS_SUCCESS;
}

static void test_apcs(void)
{
    struct vectors before = pattern(1), after;
    HANDLE self, thread;

    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), NtCurrentThread(),
                                   NtCurrentProcess(), &self, 0, 0,
                                   DUPLICATE_SAME_ACCESS), STATUS_SUCCESS);
    thread = create(disturb, self);
    hold(&before, &after, &stop);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    join(thread);
    CHECK(apcs == APCS);
    NtClose(self);
}

/* Between two looks at the registers everybody else has its own in them. */
static NTSTATUS NTAPI keep(void *argument)
{
    struct vectors before = pattern((ULONG_PTR)argument), after;
    volatile LONG flag = TRUE;

    for (ULONG i = 0; i < ROUNDS; i++) {
        hold(&before, &after, &flag);
        if (memcmp(&before, &after, sizeof before) != 0)
            return STATUS_UNSUCCESSFUL;
        if (i % (ROUNDS / YIELDS) == 0)
            NtYieldExecution();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI spin(void *argument)
{
    struct vectors before = pattern((ULONG_PTR)argument), after;

    hold(&before, &after, &stop);
    return memcmp(&before, &after, sizeof before) == 0 ? STATUS_SUCCESS
                                                        : STATUS_UNSUCCESSFUL;
}

static NTSTATUS status_of(HANDLE thread)
{
    THREAD_BASIC_INFORMATION basic = { .ExitStatus = -1 };

    NtQueryInformationThread(thread, ThreadBasicInformation, &basic,
                             sizeof basic, NULL);
    return basic.ExitStatus;
}

/* Two that never make a call, two that give way all the time. */
static void test_threads(void)
{
    HANDLE thread[4];

    stop = FALSE;
    for (ULONG i = 0; i < 4; i++)
        thread[i] = create(i < 2 ? spin : keep, (void *)(ULONG_PTR)(i + 7));
    for (ULONG i = 2; i < 4; i++)
        NtWaitForSingleObject(thread[i], FALSE, NULL);
    stop = TRUE;
    for (ULONG i = 0; i < 4; i++) {
        NtWaitForSingleObject(thread[i], FALSE, NULL);
        CHECK_STATUS(status_of(thread[i]), STATUS_SUCCESS);
        NtClose(thread[i]);
    }
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;
    ULONGLONG features = shared->XState.EnabledFeatures;

    (void)peb;
    if (features & XSTATE_AVX) {
        test_apcs();
        test_threads();
    } else {
        print("no AVX\n");
        CHECK((features & ~(ULONGLONG)(XSTATE_LEGACY_FLOATING_POINT |
                                       XSTATE_LEGACY_SSE)) == 0);
    }
    return test_end();
}

/*
 * nmistorm.h - what the storms (storm64.c, soak.c) have of the test build's
 * kernel: NMIs, and what is in use.  Another kernel has no NtwSelfTest; then
 * there are no NMIs, and no counts.
 */
#pragma once

#include "test.h"

#include "../../programs/lib/find.h"

#define SEND_NMIS 0x58                  /* tests/kernel/selftest.c */
#define COUNT_NMIS 0x59
#define COUNT_BLOCKS 0x39
#define FASTEST 12                      /* ticks of the PIT: 100 kHz */
#define SLOWEST 255

#define SECOND 10000000LL
#define HOUR 3600ULL

struct counters {
    ULONG pages, handles, blocks;
};

static ULONG seed = 19041;

typedef NTSTATUS NTAPI self_test(ULONG test, ULONGLONG argument);

static self_test *kernel_test;          /* NULL: another kernel */

static void find_kernel_test(void)
{
    kernel_test = (self_test *)(ULONG_PTR)find_stub("NtwSelfTest");
}

static ULONG ask_kernel(ULONG test)
{
    ULONG value = 0;

    if (kernel_test)
        CHECK_STATUS(kernel_test(test, (ULONG_PTR)&value), STATUS_SUCCESS);
    return value;
}

/* One NMI each so many ticks of the PIT; 0: no more. */
static void send_nmis(ULONG every)
{
    if (kernel_test)
        CHECK_STATUS(kernel_test(SEND_NMIS, every), STATUS_SUCCESS);
}

static void change_pace(void)
{
    send_nmis(FASTEST + RtlUniform(&seed) % (SLOWEST - FASTEST));
}

static struct counters count_all(void)
{
    struct counters counters = {
        .pages = test_settled_pages(),
        .handles = test_handles(),
        .blocks = ask_kernel(COUNT_BLOCKS),
    };

    return counters;
}

/*
 * calloutregs.c - a callback may end anywhere: what the code that made the
 * call keeps in non-volatile vector registers must be there afterwards, though
 * nobody has restored it in ring 3.  It begins with nothing in r12 to r15.
 */
#include "test.h"

#include <nt/gdi.h>

#define XMM_NONVOLATILE \
    "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
    "xmm14", "xmm15"

struct vectors {
    ULONGLONG half[20];
};

static void load(const struct vectors *from)
{
    __asm__ volatile("movups (%0), %%xmm6\n\tmovups 16(%0), %%xmm7\n\t"
                     "movups 32(%0), %%xmm8\n\tmovups 48(%0), %%xmm9\n\t"
                     "movups 64(%0), %%xmm10\n\tmovups 80(%0), %%xmm11\n\t"
                     "movups 96(%0), %%xmm12\n\tmovups 112(%0), %%xmm13\n\t"
                     "movups 128(%0), %%xmm14\n\tmovups 144(%0), %%xmm15"
                     : : "r"(from));
}

static void store(struct vectors *to)
{
    __asm__ volatile("movups %%xmm6, (%0)\n\tmovups %%xmm7, 16(%0)\n\t"
                     "movups %%xmm8, 32(%0)\n\tmovups %%xmm9, 48(%0)\n\t"
                     "movups %%xmm10, 64(%0)\n\tmovups %%xmm11, 80(%0)\n\t"
                     "movups %%xmm12, 96(%0)\n\tmovups %%xmm13, 112(%0)\n\t"
                     "movups %%xmm14, 128(%0)\n\tmovups %%xmm15, 144(%0)"
                     : : "r"(to) : "memory");
}

static volatile ULONGLONG found[4];

/* KiUserCallbackDispatcher leaves them as it has found them. */
static NTSTATUS NTAPI spoil(void *data, ULONG length)
{
    static const struct vectors nothing;
    ULONG value = 1;

    __asm__ volatile("movq %%r12, %0\n\tmovq %%r13, %1\n\t"
                     "movq %%r14, %2\n\tmovq %%r15, %3"
                     : "=m"(found[0]), "=m"(found[1]), "=m"(found[2]),
                       "=m"(found[3]));
    (void)data, (void)length;
    load(&nothing);
    return NtCallbackReturn(&value, sizeof value, STATUS_SUCCESS);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    static void *const table[] = { spoil };
    struct vectors before, after;
    BOOLEAN called;

    peb->KernelCallbackTable = (void *)table;
    for (ULONG i = 0; i < ARRAY_SIZE(before.half); i++)
        before.half[i] = 0x0123456789ABCDEF * (i + 1);
    __asm__ volatile("" : : : XMM_NONVOLATILE);
    load(&before);
    called = NtUserEnumDisplayMonitors(NULL, NULL, NULL, 0);
    store(&after);
    CHECK(called);
    CHECK(!(found[0] | found[1] | found[2] | found[3]));
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    return test_end();
}

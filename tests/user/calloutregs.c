/*
 * calloutregs.c - a callback may end anywhere: what the code that made the
 * call keeps in non-volatile registers must be there afterwards, though
 * nobody has restored it in ring 3.  It begins with nothing in r12 to r15.
 */
#include "test.h"

#include <nt/gdi.h>

#include "../../programs/lib/call.h"

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
                     "movq %%r14, %2\n\tmovq %%r15, %3\n\t"
                     "xorl %%ebx, %%ebx\n\txorl %%esi, %%esi\n\t"
                     "xorl %%edi, %%edi\n\txorl %%r12d, %%r12d\n\t"
                     "xorl %%r13d, %%r13d\n\txorl %%r14d, %%r14d\n\t"
                     "xorl %%r15d, %%r15d"
                     : "=m"(found[0]), "=m"(found[1]), "=m"(found[2]),
                       "=m"(found[3])
                     : : "rbx", "rsi", "rdi", "r12", "r13", "r14", "r15");
    (void)data, (void)length;
    load(&nothing);
    return NtCallbackReturn(&value, sizeof value, STATUS_SUCCESS);
}

static void check_general(void)
{
    static const ULONGLONG zero[4];
    static struct call call;
    const struct registers *in = &call.in, *out = &call.out;

    call_prepare(&call, find_stub("NtUserEnumDisplayMonitors"), 4, zero);
    call_with_registers(&call);
    CHECK((ULONG)out->Rax == TRUE);
    CHECK(!(found[0] | found[1] | found[2] | found[3]));
    CHECK(in->Rbx == out->Rbx && in->Rbp == out->Rbp && in->Rsi == out->Rsi &&
          in->Rdi == out->Rdi && in->R12 == out->R12 && in->R13 == out->R13 &&
          in->R14 == out->R14 && in->R15 == out->R15);
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
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    check_general();
    return test_end();
}

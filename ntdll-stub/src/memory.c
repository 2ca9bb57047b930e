/*
 * memory.c - Rtl's names for moving memory, random numbers, the clock.
 */
#include <ntdll.h>

void RtlCopyMemory(void *To, const void *From, SIZE_T Size)
{
    memcpy(To, From, Size);
}

void RtlMoveMemory(void *To, const void *From, SIZE_T Size)
{
    memmove(To, From, Size);
}

void RtlFillMemory(void *To, SIZE_T Size, UCHAR Byte)
{
    memset(To, Byte, Size);
}

void RtlZeroMemory(void *To, SIZE_T Size)
{
    memset(To, 0, Size);
}

/* How many bytes are equal before the first that is not. */
SIZE_T RtlCompareMemory(const void *A, const void *B, SIZE_T Size)
{
    const UCHAR *a = A, *b = B;
    SIZE_T at = 0;

    while (at < Size && a[at] == b[at])
        at++;
    return at;
}

/* Lehmer's generator modulo 2^31 - 1, in the form NT documents. */
ULONG RtlUniform(ULONG *Seed)
{
    *Seed = (*Seed * 0x7FFFFFEDULL + 0x7FFFFFC3ULL) % 0x7FFFFFFF;
    return *Seed;
}

/* A table that the numbers shuffle: hides the generator's regularity. */
ULONG RtlRandomEx(ULONG *Seed)
{
    static ULONG table[128];
    ULONG result, slot, at;

    if (!table[0])
        for (at = 0; at < ARRAY_SIZE(table); at++)
            table[at] = RtlUniform(Seed) | 1;
    slot = RtlUniform(Seed) % ARRAY_SIZE(table);
    result = table[slot];
    table[slot] = RtlUniform(Seed) | 1;
    *Seed = result;
    return result;
}

ULONG RtlRandom(ULONG *Seed)
{
    return RtlRandomEx(Seed);
}

/* Milliseconds since boot, from the shared page, without a system call. */
ULONG NtGetTickCount(void)
{
    const volatile KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;

    return (shared->TickCountQuad * shared->TickCountMultiplier) >> 24;
}

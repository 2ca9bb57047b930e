/*
 * memory.c - Rtl's names for moving memory, random numbers, the clock.
 */
#include <ntdll.h>

void NTAPI RtlCopyMemory(void *To, const void *From, SIZE_T Size)
{
    memcpy(To, From, Size);
}

void NTAPI RtlMoveMemory(void *To, const void *From, SIZE_T Size)
{
    memmove(To, From, Size);
}

void NTAPI RtlFillMemory(void *To, SIZE_T Size, UCHAR Byte)
{
    memset(To, Byte, Size);
}

void NTAPI RtlZeroMemory(void *To, SIZE_T Size)
{
    memset(To, 0, Size);
}

/* How many bytes are equal before the first that is not. */
SIZE_T NTAPI RtlCompareMemory(const void *A, const void *B, SIZE_T Size)
{
    const UCHAR *a = A, *b = B;
    SIZE_T at = 0;

    while (at < Size && a[at] == b[at])
        at++;
    return at;
}

/* Lehmer's generator modulo 2^31 - 1, in the form NT documents. */
ULONG NTAPI RtlUniform(ULONG *Seed)
{
    *Seed = (*Seed * 0x7FFFFFEDULL + 0x7FFFFFC3ULL) % 0x7FFFFFFF;
    return *Seed;
}

/* A table that the numbers shuffle: hides the generator's regularity. */
ULONG NTAPI RtlRandomEx(ULONG *Seed)
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

ULONG NTAPI RtlRandom(ULONG *Seed)
{
    return RtlRandomEx(Seed);
}

/* Milliseconds since boot, from the shared page, without a system call. */
ULONG NTAPI NtGetTickCount(void)
{
    const volatile KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;
    ULONGLONG ticks;
    LONG high;

    do {
        high = shared->TickCount.High1Time;
        ticks = (ULONGLONG)high << 32 | shared->TickCount.LowPart;
    } while (high != shared->TickCount.High2Time);
    return (ticks * shared->TickCountMultiplier) >> 24;
}

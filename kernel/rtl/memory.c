/*
 * rtl/memory.c - memcpy and its relatives, which the compiler may call on its
 * own.
 *
 * rep movsb and stosb are fast on every processor of the last ten years and
 * cannot be turned into a call of the very function they implement.
 */
#include <rtl.h>

void *memcpy(void *to, const void *from, size_t size)
{
    void *result = to;

    __asm__ volatile("rep movsb"
                     : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return result;
}

void *memset(void *to, int byte, size_t size)
{
    void *result = to;

    __asm__ volatile("rep stosb"
                     : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return result;
}

/* Backwards where the ends overlap the wrong way. */
void *memmove(void *to, const void *from, size_t size)
{
    UCHAR *target = to;
    const UCHAR *source = from;

    if (target <= source || target >= source + size)
        return memcpy(to, from, size);
    while (size--) {
        target[size] = source[size];
        __asm__ volatile("" : : : "memory");
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const UCHAR *left = a, *right = b;

    for (size_t i = 0; i < size; i++) {
        if (left[i] != right[i])
            return left[i] - right[i];
    }
    return 0;
}

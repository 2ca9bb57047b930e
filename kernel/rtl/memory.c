/*
 * rtl/memory.c - memcpy and its relatives, which the compiler may call on its
 * own.
 *
 * rep movs and stos are fast on every processor of the last ten years and
 * cannot be turned into a call of the very function they implement. Eight
 * bytes at a time, since a page is filled with zeroes more often than anything
 * else, and not every processor makes that of single ones; then the rest.
 */
#include <rtl.h>

#define UNIT 8

void *memcpy(void *to, const void *from, size_t size)
{
    void *result = to;
    size_t units = size / UNIT, rest = size % UNIT;

    __asm__ volatile("rep movsq"
                     : "+D"(to), "+S"(from), "+c"(units) : : "memory");
    __asm__ volatile("rep movsb"
                     : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
    return result;
}

void *memset(void *to, int byte, size_t size)
{
    void *result = to;
    ULONGLONG bytes = (UCHAR)byte * 0x0101010101010101ULL;
    size_t units = size / UNIT, rest = size % UNIT;

    __asm__ volatile("rep stosq"
                     : "+D"(to), "+c"(units) : "a"(bytes) : "memory");
    __asm__ volatile("rep stosb"
                     : "+D"(to), "+c"(rest) : "a"(bytes) : "memory");
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

/* As far as eight bytes at once are the same, and then to the difference. */
int memcmp(const void *a, const void *b, size_t size)
{
    typedef ULONGLONG unit __attribute__((aligned(1), may_alias));
    const UCHAR *left = a, *right = b;
    size_t same = 0;

    while (size - same >= UNIT &&
           *(const unit *)(left + same) == *(const unit *)(right + same))
        same += UNIT;
    for (size_t i = same; i < size; i++) {
        if (left[i] != right[i])
            return left[i] - right[i];
    }
    return 0;
}

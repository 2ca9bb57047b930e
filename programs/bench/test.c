/*
 * test.c - services that only the test build's kernel has
 * (tests/kernel/bare.c).
 */
#include "bench.h"

#define SELF_TEST_BARE_DOOR 0x3B
#define NUMBER_OFFSET (sizeof(void *) == 8 ? 4 : 1)     /* in a stub */

/* NULL: this kernel has none of that name. As a pointer, for operations. */
void *service_number(const char *name)
{
    const UCHAR *stub = find_stub(name);
    ULONG number = 0;

    if (stub)
        memcpy(&number, stub + NUMBER_OFFSET, sizeof number);
    return (void *)(ULONG_PTR)number;
}

/*
 * Which: an index of tests/kernel/bare.c's doors; 0: all of them are the
 * kernel's again. By a door that is the kernel's.
 */
BOOLEAN lead_door(ULONG which, ULONG_PTR (*by)(ULONG number, ...))
{
    ULONG number = (ULONG)(ULONG_PTR)service_number("NtwSelfTest");

    return NT_SUCCESS((NTSTATUS)by(number, SELF_TEST_BARE_DOOR,
                                   (ULONG_PTR)which));
}

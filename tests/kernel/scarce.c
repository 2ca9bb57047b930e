/*
 * tests/kernel/scarce.c - no memory, at the Nth time that a thread asks.
 *
 * In the test build the linker leads every call of the functions below here
 * first (--wrap, in the Makefile): kernel memory by the byte, pages of the
 * kernel's, promises of pages to ring 3 and how many there may be.  What the
 * caller's thread asks for is counted down, and at zero it gets nothing, once;
 * everything else goes on to the function itself.  Blocks that are in use are
 * counted, to see whether a service that has failed has kept one
 * (tests/user/scarce.c).
 *
 * Calls inside one source file are not led here.
 */
#include "selftest.h"

#include <mm.h>

typedef ULONGLONG PFN_NUMBER;

static KTHREAD *poor;                   /* who is counted, or NULL */
static ULONGLONG left;
static LONG blocks;

void *__real_ExAllocatePool2(ULONGLONG flags, SIZE_T size, ULONG tag);
void *__wrap_ExAllocatePool2(ULONGLONG flags, SIZE_T size, ULONG tag);
void __real_ExFreePoolWithTag(void *address, ULONG tag);
void __wrap_ExFreePoolWithTag(void *address, ULONG tag);
PFN_NUMBER __real_mi_allocate_page(void);
PFN_NUMBER __wrap_mi_allocate_page(void);
ULONG_PTR __real_mi_available_pages(void);
ULONG_PTR __wrap_mi_available_pages(void);
BOOLEAN __real_mi_charge_pages(ULONG_PTR count);
BOOLEAN __wrap_mi_charge_pages(ULONG_PTR count);

static BOOLEAN refuses(void)
{
    return poor && poor == KeGetCurrentThread() && left && --left == 0;
}

void *__wrap_ExAllocatePool2(ULONGLONG flags, SIZE_T size, ULONG tag)
{
    void *block = refuses() ? NULL : __real_ExAllocatePool2(flags, size, tag);

    if (block)
        __sync_fetch_and_add(&blocks, 1);
    return block;
}

void __wrap_ExFreePoolWithTag(void *address, ULONG tag)
{
    __sync_fetch_and_sub(&blocks, 1);
    __real_ExFreePoolWithTag(address, tag);
}

PFN_NUMBER __wrap_mi_allocate_page(void)
{
    return refuses() ? 0 : __real_mi_allocate_page();
}

BOOLEAN __wrap_mi_charge_pages(ULONG_PTR count)
{
    return (count == 0 || !refuses()) && __real_mi_charge_pages(count);
}

/* A guess that is out of date: there is more a moment later. */
ULONG_PTR __wrap_mi_available_pages(void)
{
    return refuses() ? 0 : __real_mi_available_pages();
}

/* N: the caller's Nth request from now on is refused.  0: none is. */
BOOLEAN refuse_memory(ULONGLONG n)
{
    BOOLEAN refused = poor && left == 0;

    poor = NULL;
    left = n;
    if (n)
        poor = KeGetCurrentThread();
    return n || refused;
}

/* How many blocks of kernel memory are in use, to a ULONG of ring 3. */
BOOLEAN tell_blocks(ULONGLONG user)
{
    ULONG count = (ULONG)blocks;

    return NT_SUCCESS(mm_copy_to_user((void *)(ULONG_PTR)user, &count,
                                      sizeof count));
}

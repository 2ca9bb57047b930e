/*
 * memory.c - the first store to an anonymous page.
 */
#include "peers.h"

static volatile char *next;

static void touch(void)
{
    *next = 1;
    next += PAGE_BYTES;
}

/* Less than a large page, so that none is given. */
void show_memory(void)
{
    long base = call6(NR_mmap, 0, TRIES * PAGE_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(base, "mmap");
    next = (volatile char *)base;
    figure("page-fault", fewest_single(touch));
}

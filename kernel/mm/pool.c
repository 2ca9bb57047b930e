/*
 * mm/pool.c - kernel memory by the byte.
 *
 * Small blocks come from pages cut into slots of one size; such a page begins
 * with a header, so a slot is never page aligned.  Anything that does not fit
 * half a page is whole pages, which are.  All pool is zeroed and resident;
 * NT's paged pool and tags for accounting do not exist here.
 */
#include "mi.h"

#define SLAB_MAGIC 0x62616C73               /* "slab" */

struct slot {
    struct slot *next;
};

struct slab {
    ULONG magic;
    USHORT size_class, used;
    struct slot *free;
    struct slab *next, *previous;           /* slabs with free slots */
};

static const USHORT class_size[] = { 32, 64, 128, 256, 512, 1008, 2016 };
#define CLASSES ARRAY_SIZE(class_size)
static struct slab *partial[CLASSES];

static void link_slab(struct slab *slab)
{
    struct slab **head = &partial[slab->size_class];

    slab->next = *head;
    slab->previous = NULL;
    if (*head)
        (*head)->previous = slab;
    *head = slab;
}

static void unlink_slab(struct slab *slab)
{
    if (slab->previous)
        slab->previous->next = slab->next;
    else
        partial[slab->size_class] = slab->next;
    if (slab->next)
        slab->next->previous = slab->previous;
}

static struct slab *create_slab(ULONG size_class)
{
    struct slab *slab = mi_allocate_system(1);
    UCHAR *end = (UCHAR *)slab + PAGE_SIZE;
    SIZE_T size = class_size[size_class];

    if (!slab)
        return NULL;
    slab->magic = SLAB_MAGIC;
    slab->size_class = (USHORT)size_class;
    for (UCHAR *at = (UCHAR *)slab + ALIGN_UP(sizeof *slab, 16);
         at + size <= end; at += size) {
        ((struct slot *)at)->next = slab->free;
        slab->free = (struct slot *)at;
    }
    link_slab(slab);
    return slab;
}

static void *allocate_slot(ULONG size_class)
{
    struct slab *slab = partial[size_class];
    struct slot *slot;

    if (!slab && !(slab = create_slab(size_class)))
        return NULL;
    slot = slab->free;
    slab->free = slot->next;
    slab->used++;
    if (!slab->free)
        unlink_slab(slab);
    return memset(slot, 0, class_size[size_class]);
}

static void free_slot(struct slot *slot, struct slab *slab)
{
    SIZE_T offset = (UCHAR *)slot - (UCHAR *)slab - ALIGN_UP(sizeof *slab, 16);

    if (slab->magic != SLAB_MAGIC ||
        offset % class_size[slab->size_class] != 0)
        KeBugCheckEx(BAD_POOL_CALLER, 7, (ULONG_PTR)slot, 0, 0);
    for (struct slot *other = slab->free; other; other = other->next) {
        if (other == slot)
            KeBugCheckEx(BAD_POOL_CALLER, 6, (ULONG_PTR)slot, 0, 0);
    }
    if (!slab->free)
        link_slab(slab);
    slot->next = slab->free;
    slab->free = slot;
    if (--slab->used == 0) {
        unlink_slab(slab);
        mi_free_system(slab);
    }
}

void *ExAllocatePool2(ULONGLONG flags, SIZE_T size, ULONG tag)
{
    (void)flags;
    (void)tag;
    for (ULONG i = 0; i < CLASSES; i++) {
        if (size <= class_size[i])
            return allocate_slot(i);
    }
    if (size > 0x40000000)
        return NULL;
    return mi_allocate_system((ULONG)(ALIGN_UP(size, PAGE_SIZE) >>
                                      PAGE_SHIFT));
}

void ExFreePoolWithTag(void *address, ULONG tag)
{
    (void)tag;
    if (((ULONG_PTR)address & (PAGE_SIZE - 1)) == 0)
        mi_free_system(address);
    else
        free_slot(address, (struct slab *)ALIGN_DOWN(address, PAGE_SIZE));
}

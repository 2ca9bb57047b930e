/*
 * mm/pool.c - kernel memory by the byte.
 *
 * Small blocks come from pages cut into slots of one size; such a page begins
 * with a header, so a slot is never page aligned.  Anything that does not fit
 * half a page is whole pages, which are.  All pool is zeroed and resident;
 * NT's paged pool and tags for accounting do not exist here.
 *
 * DPCs allocate, too, so all of it is at DISPATCH_LEVEL; what an allocation
 * costs does not depend on how many there are.
 */
#include "mi.h"

#define SLAB_MAGIC 0x62616C73               /* "slab" */

/* free: a bit for each slot. */
struct slab {
    ULONG magic;
    USHORT size_class, used;
    ULONGLONG free[2];
    struct slab *next, *previous;           /* slabs with free slots */
};

#define HEADER_SIZE ALIGN_UP(sizeof(struct slab), 16)
#define BITS 64

static const USHORT class_size[] = { 32, 64, 128, 256, 512, 1008, 2016 };
#define CLASSES ARRAY_SIZE(class_size)
_Static_assert((PAGE_SIZE - sizeof(struct slab)) / 32 <= 2 * BITS, "slots");

/* What a slot keeps for itself: in a checked build its red zone. */
#define SLOT_END (DBG ? MI_RED_ZONE : 0U)

/* Under pool_lock, with all slabs' headers. */
static KSPIN_LOCK pool_lock;
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

    if (!slab)
        return NULL;
    slab->magic = SLAB_MAGIC;
    slab->size_class = (USHORT)size_class;
    for (ULONG i = 0; i < (PAGE_SIZE - HEADER_SIZE) / class_size[size_class];
         i++)
        slab->free[i / BITS] |= 1ULL << i % BITS;
    if (DBG)
        mi_mark_free((UCHAR *)slab + HEADER_SIZE, PAGE_SIZE - HEADER_SIZE);
    link_slab(slab);
    return slab;
}

static void *take_slot(ULONG size_class)
{
    struct slab *slab = partial[size_class];
    ULONG slot;

    if (!slab && !(slab = create_slab(size_class)))
        return NULL;
    slot = slab->free[0] ? (ULONG)__builtin_ctzll(slab->free[0])
                         : BITS + (ULONG)__builtin_ctzll(slab->free[1]);
    slab->free[slot / BITS] &= ~(1ULL << slot % BITS);
    slab->used++;
    if (!slab->free[0] && !slab->free[1])
        unlink_slab(slab);
    return (UCHAR *)slab + HEADER_SIZE + slot * class_size[size_class];
}

static void *allocate_slot(ULONG size_class, SIZE_T size)
{
    KIRQL irql = KeAcquireSpinLock(&pool_lock);
    void *slot = take_slot(size_class);

    KeReleaseSpinLock(&pool_lock, irql);
    if (!slot)
        return NULL;
    if (DBG)
        mi_check_free(slot, class_size[size_class]);
    memset(slot, 0, class_size[size_class]);
    if (DBG)
        mi_mark_end(slot, size, class_size[size_class]);
    return slot;
}

/* Which slot address is; one that is none, or is free, is a bugcheck. */
static ULONG slot_of(const struct slab *slab, const void *address)
{
    SIZE_T offset = (UCHAR *)address - (UCHAR *)slab - HEADER_SIZE;
    ULONG slot;

    if (slab->magic != SLAB_MAGIC ||
        offset % class_size[slab->size_class] != 0)
        KeBugCheckEx(BAD_POOL_CALLER, 7, (ULONG_PTR)address, 0, 0);
    slot = (ULONG)(offset / class_size[slab->size_class]);
    if (slab->free[slot / BITS] >> slot % BITS & 1)
        KeBugCheckEx(BAD_POOL_CALLER, 6, (ULONG_PTR)address, 0, 0);
    return slot;
}

static void free_slot(void *address, struct slab *slab)
{
    KIRQL irql = KeAcquireSpinLock(&pool_lock);
    ULONG slot = slot_of(slab, address);

    if (DBG) {
        mi_check_end(address, class_size[slab->size_class]);
        mi_mark_free(address, class_size[slab->size_class]);
    }
    if (!slab->free[0] && !slab->free[1])
        link_slab(slab);
    slab->free[slot / BITS] |= 1ULL << slot % BITS;
    if (--slab->used == 0) {
        unlink_slab(slab);
        mi_free_system(slab);
    }
    KeReleaseSpinLock(&pool_lock, irql);
}

void *ExAllocatePool2(ULONGLONG flags, SIZE_T size, ULONG tag)
{
    (void)flags;
    (void)tag;
    for (ULONG i = 0; i < CLASSES; i++) {
        if (size <= class_size[i] - SLOT_END)
            return allocate_slot(i, size);
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

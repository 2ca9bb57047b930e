/*
 * heap.c - RtlAllocateHeap and its family.
 *
 * A heap is a list of regions from NtAllocateVirtualMemory. A region is a row
 * of blocks; each block's header knows its own size and its left neighbour's,
 * so a freed block joins both neighbours at once. Free blocks are in one
 * list, searched first fit. A block too large for a shared region gets one of
 * its own, given back when the block is freed.
 *
 * One lock for the heap, unless HEAP_NO_SERIALIZE says that its callers have
 * their own.
 *
 * The header's tag depends on the block's address: a pointer that is no block
 * of a heap, or one that was freed already, is refused.
 */
#include <ntdll.h>

#define UNIT            16ULL                   /* size and alignment */
#define REGION_SIZE     0x40000ULL
#define LARGE           0x20000ULL              /* from here: own region */
#define TOO_LARGE       (1ULL << (sizeof(SIZE_T) == 8 ? 35 : 31))
#define HEAP_SIGNATURE  0x70616548
#define USED            0x64657355
#define UNUSED          0x65657246
#define END             0x20646E45

struct block {
    ULONG units, left_units;                    /* of 16 bytes, with header */
    ULONG slack;                                /* bytes behind the data */
    ULONG tag;
};

struct region {
    LIST_ENTRY links;
    SIZE_T size;
    BOOLEAN whole;                              /* one block's own */
    struct block first[] __attribute__((aligned(16)));
};

struct heap {
    ULONG signature, flags;
    RTL_CRITICAL_SECTION lock;
    LIST_ENTRY regions, free;
};

/* A region's last header has no data; it stops the search to the right. */
_Static_assert(sizeof(struct block) == UNIT, "headers keep the alignment");
_Static_assert(sizeof(LIST_ENTRY) <= UNIT, "links fit in the smallest block");

static ULONG tag_of(const struct block *block, ULONG kind)
{
    return kind ^ (ULONG)((ULONG_PTR)block >> 4);
}

static BOOLEAN is(const struct block *block, ULONG kind)
{
    return block->tag == tag_of(block, kind);
}

static struct block *right_of(struct block *block)
{
    return block + block->units;
}

static LIST_ENTRY *links_of(struct block *block)
{
    return (LIST_ENTRY *)(block + 1);
}

static void insert(LIST_ENTRY *head, LIST_ENTRY *entry)
{
    entry->Flink = head->Flink;
    entry->Blink = head;
    head->Flink->Blink = entry;
    head->Flink = entry;
}

static void take_out(LIST_ENTRY *entry)
{
    entry->Blink->Flink = entry->Flink;
    entry->Flink->Blink = entry->Blink;
}

static void lock(struct heap *heap, ULONG flags)
{
    if (!((heap->flags | flags) & HEAP_NO_SERIALIZE))
        RtlEnterCriticalSection(&heap->lock);
}

static void unlock(struct heap *heap, ULONG flags)
{
    if (!((heap->flags | flags) & HEAP_NO_SERIALIZE))
        RtlLeaveCriticalSection(&heap->lock);
}

static struct region *add_region(struct heap *heap, SIZE_T units)
{
    SIZE_T size = sizeof(struct region) + (units + 1) * UNIT;
    BOOLEAN whole = units * UNIT > LARGE;
    void *base = NULL;
    struct region *region;
    struct block *end;

    if (size < REGION_SIZE)
        size = REGION_SIZE;
    if (!NT_SUCCESS(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0,
                                            &size, MEM_RESERVE | MEM_COMMIT,
                                            PAGE_READWRITE)))
        return NULL;
    region = base;
    region->size = size;
    region->whole = whole;
    insert(&heap->regions, &region->links);
    region->first->units = (size - sizeof *region) / UNIT - 1;
    region->first->left_units = 0;
    region->first->tag = tag_of(region->first, UNUSED);
    end = right_of(region->first);
    end->units = 0;
    end->left_units = region->first->units;
    end->tag = tag_of(end, END);
    insert(&heap->free, links_of(region->first));
    return region;
}

static void drop_region(struct region *region)
{
    void *base = region;
    SIZE_T size = 0;

    take_out(&region->links);
    NtFreeVirtualMemory(NtCurrentProcess(), &base, &size, MEM_RELEASE);
}

/* Give block's units beyond the first `units` back to the free list. */
static void split(struct heap *heap, struct block *block, ULONG units)
{
    struct block *rest = block + units, *right = right_of(block);

    if (block->units - units < 2)
        return;
    rest->units = block->units - units;
    rest->left_units = units;
    rest->tag = tag_of(rest, UNUSED);
    block->units = units;
    right->left_units = rest->units;
    if (is(right, UNUSED)) {
        take_out(links_of(right));
        right->tag = 0;
        rest->units += right->units;
        right_of(rest)->left_units = rest->units;
    }
    insert(&heap->free, links_of(rest));
}

static struct block *find(struct heap *heap, SIZE_T units)
{
    LIST_ENTRY *at;

    for (at = heap->free.Flink; at != &heap->free; at = at->Flink) {
        struct block *block = (struct block *)at - 1;

        if (block->units >= units)
            return block;
    }
    return NULL;
}

static struct block *allocate(struct heap *heap, SIZE_T size)
{
    SIZE_T units = (size + UNIT - 1) / UNIT + 1;
    struct block *block;

    if (units < 2)
        units = 2;
    block = units * UNIT > LARGE ? NULL : find(heap, units);
    if (!block) {
        struct region *region = add_region(heap, units);

        if (!region)
            return NULL;
        block = region->first;
    }
    take_out(links_of(block));
    if (units * UNIT <= LARGE)
        split(heap, block, units);
    block->tag = tag_of(block, USED);
    block->slack = (block->units - 1) * UNIT - size;
    return block;
}

static void release(struct heap *heap, struct block *block)
{
    struct block *right = right_of(block);

    if (!block->left_units && is(right, END)) {
        struct region *region = CONTAINING_RECORD(block, struct region, first);

        if (region->whole) {
            drop_region(region);
            return;
        }
    }
    if (is(right, UNUSED)) {
        take_out(links_of(right));
        right->tag = 0;
        block->units += right->units;
    }
    if (block->left_units && is(block - block->left_units, UNUSED)) {
        struct block *left = block - block->left_units;

        take_out(links_of(left));
        block->tag = 0;
        left->units += block->units;
        block = left;
    }
    right_of(block)->left_units = block->units;
    block->tag = tag_of(block, UNUSED);
    insert(&heap->free, links_of(block));
}

static SIZE_T size_of(const struct block *block)
{
    return (block->units - 1) * UNIT - block->slack;
}

/* The block behind a caller's pointer, or NULL if it is none of a heap's. */
static struct block *block_of(const void *data)
{
    struct block *block = (struct block *)data - 1;

    if (!data || (ULONG_PTR)data % UNIT || !is(block, USED))
        return NULL;
    return block;
}

void *NTAPI RtlCreateHeap(ULONG Flags, void *Base, SIZE_T Reserve,
                          SIZE_T Commit, void *Lock, void *Parameters)
{
    SIZE_T size = sizeof(struct heap);
    void *base = NULL;
    struct heap *heap;

    (void)Reserve;
    (void)Commit;
    (void)Parameters;
    if (Base || Lock)                           /* the caller's own: refused */
        return NULL;
    if (!NT_SUCCESS(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0,
                                            &size, MEM_RESERVE | MEM_COMMIT,
                                            PAGE_READWRITE)))
        return NULL;
    heap = base;
    heap->signature = HEAP_SIGNATURE;
    heap->flags = Flags & (HEAP_NO_SERIALIZE | HEAP_GENERATE_EXCEPTIONS);
    RtlInitializeCriticalSection(&heap->lock);
    heap->regions.Flink = heap->regions.Blink = &heap->regions;
    heap->free.Flink = heap->free.Blink = &heap->free;
    return heap;
}

/* NULL when done, the heap when it is none. */
void *NTAPI RtlDestroyHeap(void *Heap)
{
    struct heap *heap = Heap;
    SIZE_T size = 0;

    if (!heap || heap->signature != HEAP_SIGNATURE ||
        heap == NtCurrentPeb()->ProcessHeap)
        return Heap;
    heap->signature = 0;
    RtlDeleteCriticalSection(&heap->lock);
    while (heap->regions.Flink != &heap->regions)
        drop_region(CONTAINING_RECORD(heap->regions.Flink, struct region,
                                      links));
    NtFreeVirtualMemory(NtCurrentProcess(), &Heap, &size, MEM_RELEASE);
    return NULL;
}

void *NTAPI RtlAllocateHeap(void *Heap, ULONG Flags, SIZE_T Size)
{
    struct heap *heap = Heap;
    struct block *block = NULL;

    if (Size < TOO_LARGE) {
        lock(heap, Flags);
        block = allocate(heap, Size);
        unlock(heap, Flags);
    }
    if (!block) {
        if ((heap->flags | Flags) & HEAP_GENERATE_EXCEPTIONS)
            RtlRaiseStatus(STATUS_NO_MEMORY);
        return NULL;
    }
    if (Flags & HEAP_ZERO_MEMORY)
        memset(block + 1, 0, Size);
    return block + 1;
}

BOOLEAN NTAPI RtlFreeHeap(void *Heap, ULONG Flags, void *Block)
{
    struct heap *heap = Heap;
    struct block *block;

    if (!Block)
        return TRUE;
    lock(heap, Flags);
    block = block_of(Block);
    if (block)
        release(heap, block);
    unlock(heap, Flags);
    if (!block)
        RtlSetLastWin32ErrorAndNtStatusFromNtStatus(STATUS_INVALID_PARAMETER);
    return block != NULL;
}

/* Make block hold size bytes where it is; FALSE if it cannot. */
static BOOLEAN resize(struct heap *heap, struct block *block, SIZE_T size)
{
    SIZE_T units = (size + UNIT - 1) / UNIT + 1;
    struct block *right = right_of(block);

    if (units < 2)
        units = 2;
    if (block->units < units && is(right, UNUSED) &&
        block->units + right->units >= units && units * UNIT <= LARGE) {
        take_out(links_of(right));
        right->tag = 0;
        block->units += right->units;
        right_of(block)->left_units = block->units;
    }
    if (block->units < units)
        return FALSE;
    if (block->units * UNIT <= REGION_SIZE)
        split(heap, block, units);
    block->slack = (block->units - 1) * UNIT - size;
    return TRUE;
}

void *NTAPI RtlReAllocateHeap(void *Heap, ULONG Flags, void *Block, SIZE_T Size)
{
    struct heap *heap = Heap;
    struct block *block = block_of(Block);
    SIZE_T old;
    BOOLEAN fits;
    void *copy;

    if (!block || Size >= TOO_LARGE)
        return NULL;
    lock(heap, Flags);
    old = size_of(block);
    fits = resize(heap, block, Size);
    unlock(heap, Flags);
    if (fits) {
        if ((Flags & HEAP_ZERO_MEMORY) && Size > old)
            memset((UCHAR *)Block + old, 0, Size - old);
        return Block;
    }
    if (Flags & HEAP_REALLOC_IN_PLACE_ONLY)
        return NULL;
    copy = RtlAllocateHeap(Heap, Flags, Size);
    if (copy) {
        memcpy(copy, Block, old < Size ? old : Size);
        RtlFreeHeap(Heap, Flags, Block);
    }
    return copy;
}

SIZE_T NTAPI RtlSizeHeap(void *Heap, ULONG Flags, const void *Block)
{
    const struct block *block = block_of(Block);

    (void)Heap;
    (void)Flags;
    return block ? size_of(block) : ~(SIZE_T)0;
}

BOOLEAN NTAPI RtlLockHeap(void *Heap)
{
    lock(Heap, 0);
    return TRUE;
}

BOOLEAN NTAPI RtlUnlockHeap(void *Heap)
{
    unlock(Heap, 0);
    return TRUE;
}

/* Every block of a region, left to right: sizes, tags and neighbours agree. */
static BOOLEAN region_is_sound(struct region *region)
{
    struct block *block = region->first;
    ULONG left = 0;

    for (; !is(block, END); block = right_of(block)) {
        if (block->units < 2 || block->left_units != left ||
            (!is(block, USED) && !is(block, UNUSED)))
            return FALSE;
        left = block->units;
    }
    return block->left_units == left;
}

BOOLEAN NTAPI RtlValidateHeap(void *Heap, ULONG Flags, const void *Block)
{
    struct heap *heap = Heap;
    BOOLEAN sound = TRUE;
    LIST_ENTRY *at;

    if (!heap || heap->signature != HEAP_SIGNATURE)
        return FALSE;
    if (Block)
        return block_of(Block) != NULL;
    lock(heap, Flags);
    for (at = heap->regions.Flink; sound && at != &heap->regions;
         at = at->Flink)
        sound = region_is_sound(CONTAINING_RECORD(at, struct region, links));
    unlock(heap, Flags);
    return sound;
}

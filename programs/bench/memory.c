/*
 * memory.c - pages that come when they are touched, or come back, and what a
 * region costs among many.
 */
#include "bench.h"

#define PAGES (TRIES + 1)
#define REGION 0x10000                  /* NT's allocation granularity */

/* Pages of which each run of an operation touches the next. */
struct walk {
    volatile UCHAR *next;
};

static void *allocate(SIZE_T size, ULONG type)
{
    void *base = NULL;

    must(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size, type,
                                 PAGE_READWRITE), "NtAllocateVirtualMemory");
    return base;
}

static void release(void *base)
{
    SIZE_T size = 0;

    must(NtFreeVirtualMemory(NtCurrentProcess(), &base, &size, MEM_RELEASE),
         "NtFreeVirtualMemory");
}

static void touch(void *context)
{
    struct walk *walk = context;

    *walk->next = 1;
    walk->next += PAGE_SIZE;
}

static ULONGLONG demand_zero(void)
{
    void *pages = allocate(PAGES * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT);
    struct walk walk = { .next = pages };
    ULONGLONG count = fewest_single(touch, &walk);

    release(pages);
    return count;
}

/* All pages of a section have been seen before: each store copies one. */
static ULONGLONG copy_on_write(void)
{
    LARGE_INTEGER size = { .QuadPart = PAGES * PAGE_SIZE };
    SIZE_T length = 0;
    void *view = NULL;
    struct walk walk;
    ULONGLONG count;
    HANDLE section;

    must(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size,
                         PAGE_READWRITE, SEC_COMMIT, NULL), "NtCreateSection");
    must(NtMapViewOfSection(section, NtCurrentProcess(), &view, 0, 0, NULL,
                            &length, ViewShare, 0, PAGE_WRITECOPY),
         "NtMapViewOfSection");
    for (ULONG i = 0; i < PAGES; i++)
        (void)((volatile UCHAR *)view)[i * PAGE_SIZE];
    walk.next = view;
    count = fewest_single(touch, &walk);
    NtUnmapViewOfSection(NtCurrentProcess(), view);
    NtClose(section);
    return count;
}

static void look(void *context)
{
    struct walk *walk = context;

    (void)*walk->next;
    walk->next += PAGE_SIZE;
}

static void empty_working_set(void)
{
    QUOTA_LIMITS limits = { .MinimumWorkingSetSize = ~(SIZE_T)0,
                            .MaximumWorkingSetSize = ~(SIZE_T)0 };

    must(NtSetInformationProcess(NtCurrentProcess(), ProcessQuotaLimits,
                                 &limits, sizeof limits),
         "NtSetInformationProcess");
}

static void command(ULONG number)
{
    must(NtSetSystemInformation(SystemMemoryListInformation, &number,
                                sizeof number), "NtSetSystemInformation");
}

/* Pages that were written have left; to_file: memory as well. */
static ULONGLONG come_back(BOOLEAN to_file)
{
    void *pages = allocate(PAGES * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT);
    struct walk walk = { .next = pages };
    ULONGLONG count;

    for (ULONG i = 0; i < PAGES; i++)
        touch(&walk);
    walk.next = pages;
    empty_working_set();
    if (to_file) {
        command(MemoryFlushModifiedList);
        command(MemoryPurgeStandbyList);
    }
    count = fewest_single(look, &walk);
    release(pages);
    return count;
}

static void reserve_one(void *context)
{
    (void)context;
    release(allocate(REGION, MEM_RESERVE));
}

static void query_one(void *address)
{
    MEMORY_BASIC_INFORMATION memory;

    NtQueryVirtualMemory(NtCurrentProcess(), address, MemoryBasicInformation,
                         &memory, sizeof memory, NULL);
}

void show_memory(void)
{
    figure("region", fewest(reserve_one, NULL),
           "64 KiB reserved and released");
    figure("demand-zero fault", demand_zero(), "a page's first store");
    figure("copy-on-write fault", copy_on_write(),
           "the first, to a shared page");
    figure("soft fault", come_back(FALSE), "a trimmed page is still there");
    figure("page-in", come_back(TRUE), "it is read from the page file");
}

/* ---- among many regions ---- */

struct cost {
    ULONGLONG reserve, find, fault;
};

static void *regions[REGIONS_MANY];

/* The region that is asked for has a page table, however many there are. */
static struct cost measure(ULONG count)
{
    struct cost cost;

    for (ULONG i = 0; i < count; i++)
        regions[i] = allocate(REGION, i == count / 2 ? MEM_RESERVE | MEM_COMMIT
                                                     : MEM_RESERVE);
    cost.reserve = fewest(reserve_one, NULL);
    cost.find = fewest(query_one, regions[count / 2]);
    cost.fault = demand_zero();
    for (ULONG i = 0; i < count; i++)
        release(regions[i]);
    return cost;
}

void show_region_growth(void)
{
    struct cost few = measure(REGIONS_FEW), more = measure(REGIONS_MORE),
                many = measure(REGIONS_MANY);

    growth_of_three("reserve and release a region", few.reserve, more.reserve,
                    many.reserve);
    growth_of_three("find a region", few.find, more.find, many.find);
    growth_of_three("demand-zero fault", few.fault, more.fault, many.fault);
}

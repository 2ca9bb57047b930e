/*
 * page.c - chapter 6: a page, by its page-table entry. The processor reads
 * the entry at each access that its TLB does not know; what it does not allow
 * is a fault, and Mm decides whether it changes the entry and has the access
 * done again.
 */
#include "page.h"

#define FIRST 0x1111111111111111ULL
#define SECOND 0x2222222222222222ULL
#define PAGE_BYTES 0x1000

static const ULONGLONG first = FIRST, second = SECOND;

/* ---- 6.1: private memory ---- */

static volatile ULONGLONG *allocate(void)
{
    void *page = NULL;
    SIZE_T size = 1;
    NTSTATUS status = NtAllocateVirtualMemory(NtCurrentProcess(), &page, 0,
                                              &size, MEM_RESERVE | MEM_COMMIT,
                                              PAGE_READWRITE);

    check(NT_SUCCESS(status), "NtAllocateVirtualMemory gives a page");
    return page;
}

static void show_place(const volatile void *page)
{
    print("   page %llX, MEM_COMMIT, PAGE_READWRITE\n", (ULONGLONG)page);
    if (kernel_is_open())
        print("   its entry: %llX in the self map, MmPteBase + "
              "(%llX >> 9)\n", pte_address(page), (ULONGLONG)page);
    else
        print("   Its entry is not for ring 3 to see: boot with debug=on.\n");
}

static void show_private(volatile ULONGLONG *page)
{
    struct faults faults;
    ULONGLONG untouched, clean, dirty;

    show_place(page);
    untouched = show_step("never touched", page, NULL);
    check(measured(page, NULL, &faults) == 0, "a new page is zero");
    check(faults.all == 1 && faults.zeroes == 1,
          "the first touch is a demand-zero fault");
    clean = show_step("read", page, &faults);
    check(measured(page, &first, &faults) == FIRST, "a page keeps a store");
    check(faults.all == 1 && faults.zeroes == 0,
          "the first store to a clean page is a fault");
    dirty = show_step("written", page, &faults);
    measured(page, &second, &faults);
    check(faults.all == 0, "the second store is none");
    show_step("written again", page, &faults);
    if (!kernel_is_open())
        return;
    print("   Write: Mm allows stores. Dirty1: the processor does, too. It is "
          "set by the\n   first store's fault, and so Mm knows of it.\n");
    check(!(untouched & (PTE_VALID | PTE_PROTOTYPE | PTE_TRANSITION)) &&
          !PTE_SLOT(untouched), "a page never touched has a software entry");
    check((clean & (PTE_VALID | PTE_WRITE)) == (PTE_VALID | PTE_WRITE) &&
          !(clean & (PTE_DIRTY1 | PTE_DIRTY)),
          "a page that is read is valid, writable and clean");
    check(dirty == (clean | PTE_DIRTY1 | PTE_DIRTY),
          "a store sets Dirty1 and Dirty, and nothing else");
}

/* ---- 6.2: copy on write ---- */

static void *map(HANDLE section, ULONG protection)
{
    void *view = NULL;
    SIZE_T size = 0;
    NTSTATUS status = NtMapViewOfSection(section, NtCurrentProcess(), &view, 0,
                                         0, NULL, &size, ViewUnmap, 0,
                                         protection);

    check(NT_SUCCESS(status), "NtMapViewOfSection gives a view");
    return view;
}

static void check_entries(ULONGLONG shared, ULONGLONG untouched,
                          ULONGLONG reading, ULONGLONG copy)
{
    if (!kernel_is_open())
        return;
    check(!(untouched & PTE_VALID) && (untouched & PTE_PROTOTYPE),
          "a view's page never touched is a prototype's");
    check((reading & PTE_VALID) && (reading & PTE_COPY_ON_WRITE) &&
          !(reading & (PTE_WRITE | PTE_DIRTY1)),
          "a page to be copied may not be written");
    check(PTE_PAGE(reading) == PTE_PAGE(shared), "both views have one page");
    check((copy & PTE_DIRTY1) && !(copy & PTE_COPY_ON_WRITE) &&
          PTE_PAGE(copy) != PTE_PAGE(shared), "the copy is another page");
}

static void show_views(volatile ULONGLONG *a, volatile ULONGLONG *b)
{
    struct faults faults;
    ULONGLONG shared, untouched, reading, copy;

    print("   a section of one page; A %llX PAGE_READWRITE, B %llX "
          "PAGE_WRITECOPY\n", (ULONGLONG)a, (ULONGLONG)b);
    measured(a, &first, &faults);
    check(faults.all == 1 && faults.zeroes == 1 && faults.transitions == 1,
          "A's first store makes a page for the section, and takes it");
    shared = show_step("A written", a, &faults);
    untouched = show_step("B never touched", b, NULL);
    check(measured(b, NULL, &faults) == FIRST, "B has what A has written");
    check(faults.all == 1 && !faults.copies, "B's first read is a fault");
    reading = show_step("B read", b, &faults);
    measured(b, &second, &faults);
    check(faults.all == 1 && faults.copies == 1, "B's first store is a copy");
    copy = show_step("B written", b, &faults);
    print("   now A has %llX, B %llX\n", *a, *b);
    print("   A's one fault was two things: a page of zeroes for the section, "
          "and that\n   page for A.\n");
    check(*a == FIRST && *b == SECOND, "A does not have what B has written");
    check_entries(shared, untouched, reading, copy);
}

static void show_copy_on_write(void)
{
    LARGE_INTEGER size = { .QuadPart = PAGE_BYTES };
    HANDLE section = NULL;
    void *a, *b;
    NTSTATUS status = NtCreateSection(&section, SECTION_ALL_ACCESS, NULL,
                                      &size, PAGE_READWRITE, SEC_COMMIT, NULL);

    check(NT_SUCCESS(status), "NtCreateSection makes a section");
    if (!NT_SUCCESS(status))
        return;
    a = map(section, PAGE_READWRITE);
    b = map(section, PAGE_WRITECOPY);
    if (a && b)
        show_views(a, b);
    NtUnmapViewOfSection(NtCurrentProcess(), a);
    NtUnmapViewOfSection(NtCurrentProcess(), b);
    NtClose(section);
}

void show_page(void)
{
    void *page = (void *)allocate();
    SIZE_T size = 0;

    print("\n6. A page\n"
          "   Chapter 5's fault was an error. Most are none: Mm puts work off "
          "until a page\n   is touched. Each step below has its faults and, "
          "with debug=on, the entry.\n");
    if (!page)
        return;
    print("\n 6.1 Memory of my own\n");
    show_private(page);
    print("\n 6.2 Copy on write\n");
    show_copy_on_write();
    print("\n 6.3 The page of 6.1 leaves, and comes back\n");
    show_trimmed(page);
    NtFreeVirtualMemory(NtCurrentProcess(), &page, &size, MEM_RELEASE);
}

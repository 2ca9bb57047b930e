/*
 * pte.c - a page-table entry in words, and what an access costs.
 *
 * The counters are the whole system's, and looking at them touches memory,
 * too. So an access is measured twice: first one to a page of ours that is
 * there, by which the way around it is, and then the one in question.
 */
#include "page.h"

#define SIGNED(value, shift) ((ULONGLONG)((LONGLONG)(value) >> (shift)))

ULONGLONG pte_address(const volatile void *page)
{
    ULONGLONG base = 0;

    kernel_read(kernel_address("MmPteBase"), &base, sizeof base);
    return base + ((ULONGLONG)page >> 9 & 0x7FFFFFFFF8ULL);
}

ULONGLONG pte_read(const volatile void *page)
{
    ULONGLONG pte = 0;

    check(kernel_read(pte_address(page), &pte, sizeof pte),
          "an entry can be read through the self map");
    return pte;
}

/* ---- words ---- */

static void valid_words(ULONGLONG pte, char *text, ULONG size)
{
    static const char *const bits[] = { "Valid", "Dirty1", "Owner", NULL, NULL,
                                        "Accessed", "Dirty", NULL, NULL,
                                        "CopyOnWrite", NULL, "Write" };
    ULONG at, used = sprintf_s(text, size, "page %llX:", PTE_PAGE(pte));

    for (at = 0; at < ARRAY_SIZE(bits); at++)
        if (bits[at] && (pte >> at & 1))
            used += sprintf_s(text + used, size - used, " %s", bits[at]);
    if (pte >> 63)
        sprintf_s(text + used, size - used, " NX");
}

static void pte_words(ULONGLONG pte, char *text, ULONG size)
{
    if (pte & PTE_VALID)
        valid_words(pte, text, size);
    else if (pte & PTE_PROTOTYPE)
        sprintf_s(text, size, "Prototype: as the section's entry at %llX",
                  SIGNED(pte, 16));
    else if (pte & PTE_TRANSITION)
        sprintf_s(text, size, "Transition: page %llX still has it, "
                  "Protection %u", PTE_PAGE(pte), PTE_PROTECTION(pte));
    else if (PTE_SLOT(pte))
        sprintf_s(text, size, "PageFileHigh %X: there in the page file, "
                  "Protection %u", PTE_SLOT(pte), PTE_PROTECTION(pte));
    else
        sprintf_s(text, size, "PageFileHigh 0: zeroes, Protection %u",
                  PTE_PROTECTION(pte));
}

static void fault_words(const struct faults *faults, char *text, ULONG size)
{
    ULONG used = faults->all ? sprintf_s(text, size, "%u fault%s", faults->all,
                                         faults->all > 1 ? "s" : "")
                             : sprintf_s(text, size, "no fault");

    if (faults->zeroes)
        used += sprintf_s(text + used, size - used, ", demand zero");
    if (faults->transitions)
        used += sprintf_s(text + used, size - used, ", transition");
    if (faults->reads)
        used += sprintf_s(text + used, size - used, ", page read");
    if (faults->copies)
        sprintf_s(text + used, size - used, ", copy on write");
}

ULONGLONG show_step(const char *step, const volatile void *page,
                    const struct faults *faults)
{
    char words[80], cost[60] = "";
    ULONGLONG pte;

    if (faults)
        fault_words(faults, cost, sizeof cost);
    if (!kernel_is_open()) {
        if (faults)
            print("   %-20s %s\n", step, cost);
        return 0;
    }
    pte = pte_read(page);
    pte_words(pte, words, sizeof words);
    print("   %-20s %016llX%s%s\n   %-20s %s\n", step, pte,
          faults ? "  " : "", cost, "", words);
    return pte;
}

/* ---- counting ---- */

static const SYSTEM_PERFORMANCE_INFORMATION *count(void)
{
    static SYSTEM_PERFORMANCE_INFORMATION counters;

    NtQuerySystemInformation(SystemPerformanceInformation, &counters,
                             sizeof counters, NULL);
    return &counters;
}

static void count_faults(struct faults *faults)
{
    const SYSTEM_PERFORMANCE_INFORMATION *counters = count();

    faults->all = counters->PageFaultCount;
    faults->zeroes = counters->DemandZeroCount;
    faults->copies = counters->CopyOnWriteCount;
    faults->transitions = counters->TransitionCount;
    faults->reads = counters->PageReadCount;
}

ULONG pages_written(void)
{
    return count()->DirtyPagesWriteCount;
}

/* Memory and page files are what there is to promise. */
BOOLEAN has_page_file(void)
{
    SYSTEM_BASIC_INFORMATION basic = { 0 };

    NtQuerySystemInformation(SystemBasicInformation, &basic, sizeof basic,
                             NULL);
    return count()->CommitLimit > basic.NumberOfPhysicalPages;
}

ULONGLONG measured(volatile ULONGLONG *cell, const ULONGLONG *value,
                   struct faults *faults)
{
    volatile ULONGLONG ours = 0;
    struct faults before, after;
    ULONGLONG found = 0;
    ULONG pass;

    for (pass = 0; pass < 2; pass++) {
        volatile ULONGLONG *to = pass ? cell : &ours;

        count_faults(&before);
        if (value)
            *to = *value;
        found = *to;
        count_faults(&after);
    }
    *faults = (struct faults){
        .all = after.all - before.all,
        .zeroes = after.zeroes - before.zeroes,
        .copies = after.copies - before.copies,
        .transitions = after.transitions - before.transitions,
        .reads = after.reads - before.reads,
    };
    return found;
}

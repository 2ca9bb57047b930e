/*
 * trimmed.c - chapter 6.3: a page leaves the working set, and memory, and is
 * brought back each time by the fault of the next load.
 *
 * When memory is short, Mm does all this by itself. Here there is plenty, so
 * it is told to: by an empty working set, and by commands to the lists of
 * pages that are in none.
 */
#include "page.h"

#define READWRITE 4                             /* as an entry's Protection */

/* All pages leave: ours, and those that we run in. */
static void empty(void)
{
    QUOTA_LIMITS limits = { .MinimumWorkingSetSize = (SIZE_T)-1,
                            .MaximumWorkingSetSize = (SIZE_T)-1 };
    NTSTATUS status = NtSetInformationProcess(NtCurrentProcess(),
                                              ProcessQuotaLimits, &limits,
                                              sizeof limits);

    print("   NtSetInformationProcess(myself, %Xh, both working-set sizes %d) "
          "= %08X\n", ProcessQuotaLimits, -1, (ULONG)status);
    check(status == STATUS_SUCCESS, "a working set can be emptied");
}

static void command(ULONG number, const char *words)
{
    NTSTATUS status = NtSetSystemInformation(SystemMemoryListInformation,
                                             &number, sizeof number);

    print("   NtSetSystemInformation(%Xh, %u) = %08X: %s\n",
          SystemMemoryListInformation, number, (ULONG)status, words);
    check(status == STATUS_SUCCESS, "the lists of pages take commands");
}

static ULONGLONG read_back(volatile ULONGLONG *page, ULONGLONG value,
                           struct faults *faults)
{
    check(measured(page, NULL, faults) == value,
          "a page comes back with what it had");
    return show_step("read", page, faults);
}

static BOOLEAN is_clean(ULONGLONG pte)
{
    return (pte & (PTE_VALID | PTE_WRITE)) == (PTE_VALID | PTE_WRITE) &&
           !(pte & (PTE_DIRTY1 | PTE_DIRTY));
}

static void show_transition(volatile ULONGLONG *page, ULONGLONG value)
{
    struct faults faults;
    ULONGLONG before = kernel_is_open() ? pte_read(page) : 0, out, back;

    empty();
    out = show_step("trimmed", page, NULL);
    back = read_back(page, value, &faults);
    check(faults.all == 1 && faults.transitions == 1 && !faults.reads,
          "a page that is still there costs a soft fault");
    if (!kernel_is_open())
        return;
    check(!(out & (PTE_VALID | PTE_PROTOTYPE)) && (out & PTE_TRANSITION) &&
          PTE_PROTECTION(out) == READWRITE, "a trimmed page is in transition");
    check(PTE_PAGE(out) == PTE_PAGE(before) &&
          PTE_PAGE(back) == PTE_PAGE(before), "it is the same page");
    check(is_clean(back), "a page that comes back is clean");
}

static void show_page_file(volatile ULONGLONG *page, ULONGLONG value,
                           ULONG written)
{
    struct faults faults;
    ULONGLONG out, back;

    empty();
    command(MemoryFlushModifiedList, "modified pages are written");
    print("   Since 6.3 began: %u pages to the page file.\n",
          pages_written() - written);
    check(pages_written() != written, "modified pages are written");
    command(MemoryPurgeStandbyList, "pages with a copy are freed");
    out = show_step("given up", page, NULL);
    back = read_back(page, value, &faults);
    check(faults.all == 1 && faults.reads == 1 && !faults.zeroes &&
          !faults.transitions, "a page in the page file costs a hard fault");
    if (!kernel_is_open())
        return;
    check(!(out & (PTE_VALID | PTE_PROTOTYPE | PTE_TRANSITION)) &&
          PTE_SLOT(out) && PTE_PROTECTION(out) == READWRITE,
          "a page that has left memory is in the page file");
    check(is_clean(back), "a page that has been read in is clean");
}

void show_trimmed(volatile ULONGLONG *page)
{
    ULONGLONG value = *page;
    ULONG written = pages_written();

    show_transition(page, value);
    if (has_page_file())
        show_page_file(page, value, written);
    else
        print("   There is no page file: it goes no further, as only memory "
              "has it. Boot with\n   pagefile=4 to see it go.\n");
    print("   it has %llX, as before: each load that faulted was done "
          "again\n", *page);
}

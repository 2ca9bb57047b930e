/*
 * ex/sysinfo.c - NtQuerySystemInformation: basic facts, counters, time.
 *
 * Each class is a structure that is filled in kernel memory and copied out.
 * How Windows treats a length that does not fit differs from class to class,
 * hence the two bounds below; a length between them gets as many bytes.
 */
#include "exp.h"

#include <arch/processor.h>

NTSTATUS (*ex_query_processes)(void *user, ULONG length,
                               ULONG *needed) SEALED;

union exp_information {
    SYSTEM_BASIC_INFORMATION basic;
    SYSTEM_PERFORMANCE_INFORMATION performance;
    SYSTEM_TIMEOFDAY_INFORMATION time;
};

struct exp_class {
    ULONG number;
    ULONG size;
    ULONG shortest, longest;            /* lengths a caller may give */
    void (*fill)(union exp_information *information);
};

static void exp_fill_basic(union exp_information *information)
{
    SYSTEM_BASIC_INFORMATION *basic = &information->basic;
    struct mm_statistics memory;

    mm_query_statistics(&memory);
    basic->TimerResolution = KeQueryTimeIncrement();
    basic->PageSize = PAGE_SIZE;
    basic->NumberOfPhysicalPages = memory.total_pages;
    basic->LowestPhysicalPageNumber = memory.lowest_page;
    basic->HighestPhysicalPageNumber = memory.highest_page;
    basic->AllocationGranularity = ALLOCATION_GRANULARITY;
    basic->MinimumUserModeAddress = MM_LOWEST_USER_ADDRESS;
    basic->MaximumUserModeAddress = MM_HIGHEST_USER_ADDRESS;
    basic->ActiveProcessorsAffinityMask = KeQueryGroupAffinity(0);
    basic->NumberOfProcessors = KeNumberProcessors;
}

#define SUM(field) ke_sum_counts(offsetof(KPRCB, field))

static LONGLONG exp_ticks(ULONG count)
{
    return (LONGLONG)count * KeQueryTimeIncrement();
}

/*
 * The counters that exist here; the rest stay 0.  Every page that is in use
 * or promised counts as committed, the kernel's own, too; available is what
 * is neither (NT: pages that hold nothing now, promised or not).
 */
static void exp_fill_performance(union exp_information *information)
{
    SYSTEM_PERFORMANCE_INFORMATION *counters = &information->performance;
    struct mm_statistics memory;

    mm_query_statistics(&memory);
    counters->AvailablePages = memory.free_pages;
    counters->CommittedPages = memory.commit_limit - memory.free_pages;
    counters->CommitLimit = memory.commit_limit;
    counters->ResidentAvailablePages = memory.resident_available;
    counters->PageFaultCount = SUM(MmPageFaultCount);
    counters->CopyOnWriteCount = SUM(MmCopyOnWriteCount);
    counters->TransitionCount = SUM(MmTransitionCount);
    counters->DemandZeroCount = SUM(MmDemandZeroCount);
    counters->PageReadCount = SUM(MmPageReadCount);
    counters->PageReadIoCount = SUM(MmPageReadIoCount);
    counters->DirtyPagesWriteCount = SUM(MmDirtyPagesWriteCount);
    counters->DirtyWriteIoCount = SUM(MmDirtyWriteIoCount);
    counters->ContextSwitches = SUM(KeContextSwitches);
    counters->SystemCalls = SUM(KeSystemCalls);
    for (ULONG i = 0; i < KeNumberProcessors; i++)
        counters->IdleProcessTime.QuadPart +=
            exp_ticks(KiProcessorBlock[i]->IdleThread->KernelTime);
}

static void exp_fill_time(union exp_information *information)
{
    SYSTEM_TIMEOFDAY_INFORMATION *time = &information->time;

    KeQuerySystemTime(&time->CurrentTime);
    time->BootTime = KeBootTime;
    time->TimeZoneBias.LowPart = SharedUserData->TimeZoneBias.LowPart;
    time->TimeZoneBias.HighPart = SharedUserData->TimeZoneBias.High1Time;
}

/* Windows 7 callers know SYSTEM_PERFORMANCE_INFORMATION up to SystemCalls. */
static const struct exp_class exp_classes[] = {
    { SystemBasicInformation, sizeof(SYSTEM_BASIC_INFORMATION),
      sizeof(SYSTEM_BASIC_INFORMATION), sizeof(SYSTEM_BASIC_INFORMATION),
      exp_fill_basic },
    { SystemPerformanceInformation, sizeof(SYSTEM_PERFORMANCE_INFORMATION),
      offsetof(SYSTEM_PERFORMANCE_INFORMATION, CcTotalDirtyPages), ~0u,
      exp_fill_performance },
    { SystemTimeOfDayInformation, sizeof(SYSTEM_TIMEOFDAY_INFORMATION),
      0, sizeof(SYSTEM_TIMEOFDAY_INFORMATION), exp_fill_time },
};

static const struct exp_class *exp_find_class(ULONG number)
{
    for (ULONG i = 0; i < ARRAY_SIZE(exp_classes); i++) {
        if (exp_classes[i].number == number)
            return &exp_classes[i];
    }
    return NULL;
}

/* KernelTime includes idle time, as in NT. */
static SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION
exp_processor_times(const KPRCB *prcb)
{
    return (SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION){
        .IdleTime.QuadPart = exp_ticks(prcb->IdleThread->KernelTime),
        .KernelTime.QuadPart = exp_ticks(prcb->KernelTime),
        .UserTime.QuadPart = exp_ticks(prcb->UserTime),
        .DpcTime.QuadPart = exp_ticks(prcb->DpcTime),
        .InterruptCount = prcb->InterruptCount,
    };
}

/* As many processors as there is room for; one at least. */
static NTSTATUS exp_query_processors(void *user, ULONG length,
                                     ULONG *returned)
{
    SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION times, *to = user;
    ULONG count = length / sizeof times;
    NTSTATUS status = STATUS_SUCCESS;

    *returned = KeNumberProcessors * sizeof times;
    if (count == 0)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (count < KeNumberProcessors)
        *returned = count * sizeof times;
    for (ULONG i = 0; i * sizeof times < *returned && NT_SUCCESS(status);
         i++) {
        times = exp_processor_times(KiProcessorBlock[i]);
        status = mm_copy_to_user(&to[i], &times, sizeof times);
    }
    return status;
}

/* A list is as long as it is. */
static NTSTATUS exp_query_list(ULONG number, void *user, ULONG length,
                               ULONG *returned)
{
    switch (number) {
    case SystemProcessInformation:
        return ex_query_processes(user, length, returned);
    case SystemProcessorPerformanceInformation:
        return exp_query_processors(user, length, returned);
    case SystemHandleInformation:
    case SystemExtendedHandleInformation:
        return exp_query_handles(number, user, length, returned);
    case SystemFirmwareTableInformation:
        return exp_query_firmware(user, length, returned);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

/* *returned: bytes delivered, or after a mismatch those the class has. */
static NTSTATUS exp_query(const struct exp_class *class, void *user,
                          ULONG length, ULONG *returned)
{
    union exp_information information;

    *returned = class->size;
    if (length < class->shortest || length > class->longest)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (length < class->size)
        *returned = length;
    memset(&information, 0, sizeof(information));
    class->fill(&information);
    return mm_copy_to_user(user, &information, *returned);
}

NTSTATUS NtQuerySystemInformation(ULONG SystemInformationClass,
                                  void *SystemInformation,
                                  ULONG SystemInformationLength,
                                  ULONG *ReturnLength)
{
    const struct exp_class *class = exp_find_class(SystemInformationClass);
    ULONG returned;
    NTSTATUS status = mm_probe_for_write(SystemInformation,
                                         SystemInformationLength,
                                         sizeof(ULONG));

    if (NT_SUCCESS(status) && ReturnLength != NULL)
        status = mm_probe_for_write(ReturnLength, sizeof(*ReturnLength),
                                    sizeof(ULONG));
    if (!NT_SUCCESS(status))
        return status;
    if (class != NULL)
        status = exp_query(class, SystemInformation, SystemInformationLength,
                           &returned);
    else
        status = exp_query_list(SystemInformationClass, SystemInformation,
                                SystemInformationLength, &returned);
    if (status == STATUS_INVALID_INFO_CLASS)
        return status;
    if (ReturnLength != NULL &&
        !NT_SUCCESS(mm_copy_to_user(ReturnLength, &returned,
                                    sizeof(returned))))
        return STATUS_ACCESS_VIOLATION;
    return status;
}

/*
 * checks.c - the checks of rows.c that are not about one argument.
 */
#include "checks.h"

#include "facts.h"

#define A(n) ARGUMENT32(call, n)
/* The last 64 KiB are nobody's. */
#define REGIONS_END (TOP - 0xFFFF)
#define CHECK_OF(name) \
    NTSTATUS name(const struct fuzz_call *call, struct verdict *verdict)
#define UNUSED (void)call, (void)verdict

/* Some classes are not for 32-bit code, and its upper half is not looked at. */
#define IS_32_BIT (sizeof(void *) == 4)

/* Where a pointer leads; only after its check. */
static ULONG_PTR word_at(ULONG_PTR address)
{
    ULONG_PTR word;

    memcpy(&word, (void *)address, sizeof word);
    return word;
}

/* ---- Objects ---- */

CHECK_OF(check_event_type)
{
    UNUSED;
    return A(3) > SynchronizationEvent ? STATUS_INVALID_PARAMETER : 0;
}

CHECK_OF(check_semaphore_counts)
{
    LONG initial = (LONG)A(3), most = (LONG)A(4);

    UNUSED;
    return most <= 0 || initial < 0 || initial > most
               ? STATUS_INVALID_PARAMETER : 0;
}

CHECK_OF(check_timer_type)
{
    UNUSED;
    return A(3) > SynchronizationTimer ? STATUS_INVALID_PARAMETER_4 : 0;
}

CHECK_OF(check_release)
{
    UNUSED;
    return (LONG)A(1) <= 0 ? STATUS_INVALID_PARAMETER : 0;
}

CHECK_OF(check_period)
{
    UNUSED;
    return (LONG)A(5) < 0 ? STATUS_INVALID_PARAMETER_6 : 0;
}

CHECK_OF(check_class)
{
    UNUSED;
    return call->row->exact(A(call->row->class)) == 0
               ? STATUS_INVALID_INFO_CLASS : 0;
}

CHECK_OF(check_length)
{
    UNUSED;
    return call->row->exact(A(call->row->class)) != A(call->row->length)
               ? STATUS_INFO_LENGTH_MISMATCH : 0;
}

/* For 32-bit code any range is one of 64-bit addresses. */
static NTSTATUS probe_status(ULONG_PTR address, ULONG length)
{
    if (length == 0)
        return 0;
    if (address & 3)
        return STATUS_DATATYPE_MISALIGNMENT;
    return !IS_32_BIT && (address + length < address ||
                          address + length - 1 > TOP)
               ? STATUS_ACCESS_VIOLATION : 0;
}

/* Argument 2's range, without a look at what is there. */
CHECK_OF(check_probe)
{
    ULONG_PTR address = call->arguments[2];
    ULONG length = A(3);

    UNUSED;
    return probe_status(address, length);
}

ULONG event_class_size(ULONG class)
{
    return class == EventBasicInformation ? sizeof(EVENT_BASIC_INFORMATION)
                                          : 0;
}

ULONG mutant_class_size(ULONG class)
{
    return class == MutantBasicInformation ? sizeof(MUTANT_BASIC_INFORMATION)
         : class == MutantOwnerInformation ? sizeof(MUTANT_OWNER_INFORMATION)
         : 0;
}

ULONG semaphore_class_size(ULONG class)
{
    return class == SemaphoreBasicInformation
               ? sizeof(SEMAPHORE_BASIC_INFORMATION) : 0;
}

ULONG timer_class_size(ULONG class)
{
    return class == TimerBasicInformation ? sizeof(TIMER_BASIC_INFORMATION)
                                          : 0;
}

/* Names and types are as long as they are. */
ULONG object_class_size(ULONG class)
{
    switch (class) {
    case ObjectBasicInformation:
        return sizeof(OBJECT_BASIC_INFORMATION);
    case ObjectNameInformation:
    case ObjectTypeInformation:
        return 0x100;
    case ObjectHandleFlagInformation:
        return sizeof(OBJECT_HANDLE_FLAG_INFORMATION);
    default:
        return 0;
    }
}

/* The buffer of the flags has no alignment. */
CHECK_OF(check_object_class)
{
    BOOLEAN flags = A(1) == ObjectHandleFlagInformation;

    UNUSED;
    return memory_status(call->arguments[2], A(3), flags ? 1 : 4, TRUE);
}

CHECK_OF(check_object_length)
{
    ULONG class = A(1), size = object_class_size(class);

    UNUSED;
    if (class == ObjectNameInformation || class == ObjectTypeInformation) {
        if (A(3) >= size)
            return 0;
        verdict_maybe(verdict, STATUS_INFO_LENGTH_MISMATCH);
        verdict_maybe(verdict, STATUS_BUFFER_OVERFLOW);
        return 0;
    }
    return A(3) != size ? STATUS_INFO_LENGTH_MISMATCH : 0;
}

CHECK_OF(check_set_object_class)
{
    UNUSED;
    return A(1) != ObjectHandleFlagInformation ? STATUS_INVALID_INFO_CLASS
                                               : 0;
}

CHECK_OF(check_set_object_length)
{
    UNUSED;
    return A(3) != sizeof(OBJECT_HANDLE_FLAG_INFORMATION)
               ? STATUS_INFO_LENGTH_MISMATCH : 0;
}

/* ---- Waits ---- */

CHECK_OF(check_wait_count)
{
    UNUSED;
    return A(0) == 0 || A(0) > 64 ? STATUS_INVALID_PARAMETER_1 : 0;
}

CHECK_OF(check_wait_type)
{
    UNUSED;
    if (IS_32_BIT)                      /* they are made 64-bit first */
        verdict_maybe(verdict, memory_status(call->arguments[1],
                                             A(0) * sizeof(HANDLE),
                                             sizeof(HANDLE), FALSE));
    return A(2) > 1 ? STATUS_INVALID_PARAMETER_3 : 0;
}

/* What lies there may be anything, as far as it can be read. */
CHECK_OF(check_wait_handles)
{
    NTSTATUS status = memory_status(call->arguments[1],
                                    A(0) * sizeof(HANDLE), sizeof(HANDLE),
                                    FALSE);

    verdict_maybe(verdict, STATUS_INVALID_HANDLE);
    verdict_maybe(verdict, STATUS_OBJECT_TYPE_MISMATCH);
    verdict_maybe(verdict, STATUS_ACCESS_DENIED);
    verdict_maybe(verdict, STATUS_INVALID_PARAMETER_MIX);
    return status;
}

/* ---- Processes and threads ---- */

ULONG process_class_size(ULONG class)
{
    switch (class) {
    case ProcessBasicInformation:
        return sizeof(PROCESS_BASIC_INFORMATION);
    case ProcessVmCounters:
        return IS_32_BIT ? 0 : sizeof(VM_COUNTERS);
    case ProcessTimes:
        return sizeof(KERNEL_USER_TIMES);
    case ProcessDebugPort:
        return sizeof(HANDLE);
    case ProcessHandleCount:
    case ProcessSessionInformation:
        return sizeof(ULONG);
    case ProcessWow64Information:
        return sizeof(ULONG_PTR);
    default:
        return 0;
    }
}

ULONG thread_class_size(ULONG class)
{
    switch (class) {
    case ThreadBasicInformation:
        return sizeof(THREAD_BASIC_INFORMATION);
    case ThreadTimes:
        return sizeof(KERNEL_USER_TIMES);
    case ThreadQuerySetWin32StartAddress:
        return sizeof(void *);
    case ThreadPerformanceCount:
        return sizeof(LARGE_INTEGER);
    case ThreadAmILastThread:
    case ThreadPriorityBoost:
    case ThreadIsTerminated:
    case ThreadSuspendCount:
        return sizeof(ULONG);
    case ThreadHideFromDebugger:
        return sizeof(BOOLEAN);
    case ThreadTebInformation:
        return sizeof(THREAD_TEB_INFORMATION);
    default:
        return 0;
    }
}

ULONG set_process_size(ULONG class)
{
    switch (class) {
    case ProcessQuotaLimits:
        return sizeof(QUOTA_LIMITS);
    case ProcessBasePriority:
        return sizeof(LONG);
    default:
        return 0;
    }
}

ULONG set_thread_size(ULONG class)
{
    switch (class) {
    case ThreadPriority:
    case ThreadBasePriority:
    case ThreadPriorityBoost:
        return sizeof(LONG);
    case ThreadAffinityMask:
    case ThreadQuerySetWin32StartAddress:
        return sizeof(ULONG_PTR);
    default:
        return 0;
    }
}

CHECK_OF(check_client_id)
{
    UNUSED;
    return memory_status(call->arguments[3], sizeof(CLIENT_ID), 4, FALSE);
}

/* NtOpenProcess wants attributes, without a name, and an id. */
CHECK_OF(check_open_attributes)
{
    OBJECT_ATTRIBUTES attributes;
    NTSTATUS status = read_attributes(call->arguments[2], &attributes);

    UNUSED;
    if (status)
        return status;
    return attributes.ObjectName || !call->arguments[3]
               ? STATUS_INVALID_PARAMETER_MIX : 0;
}

CHECK_OF(check_apc_reserve)
{
    UNUSED;
    verdict_maybe(verdict, STATUS_OBJECT_TYPE_MISMATCH);
    verdict_maybe(verdict, STATUS_INVALID_HANDLE);
    verdict_maybe(verdict, STATUS_INVALID_PARAMETER);
    return 0;
}

/* The zeroes of ARENA_READ have no ContextFlags. */
CHECK_OF(check_context_flags)
{
    UNUSED;
    return STATUS_INVALID_PARAMETER;
}

#ifdef __x86_64__
CHECK_OF(check_continue_value)
{
    ULONG_PTR value = call->arguments[1];
    NTSTATUS status;

    UNUSED;
    if (value <= 0xFF)
        return 0;
    status = memory_status(value, sizeof(KCONTINUE_ARGUMENT), 8, FALSE);
    if (!status)
        verdict_maybe(verdict, STATUS_INVALID_PARAMETER);
    return status;
}
#endif

/* ---- Files ---- */

ULONG file_class_size(ULONG class)
{
    return class == FileStandardInformation ? sizeof(FILE_STANDARD_INFORMATION)
         : class == FilePositionInformation ? sizeof(FILE_POSITION_INFORMATION)
         : 0;
}

CHECK_OF(check_file_class)
{
    UNUSED;
    return file_class_size(A(4)) == 0 ? STATUS_INVALID_INFO_CLASS : 0;
}

CHECK_OF(check_file_length)
{
    UNUSED;
    return A(3) < file_class_size(A(4)) ? STATUS_INFO_LENGTH_MISMATCH : 0;
}

CHECK_OF(check_allocation_size)
{
    NTSTATUS status;

    UNUSED;
    if (call->arguments[4]) {
        status = memory_status(call->arguments[4], 8, 4, FALSE);
        if (status)
            return status;
        if (*(const LONGLONG *)call->arguments[4] < 0)
            return STATUS_INVALID_PARAMETER;
    }
    return call->arguments[9] && A(10) ? STATUS_EAS_NOT_SUPPORTED : 0;
}

#define SYNCHRONOUS 0x30u

static BOOLEAN valid_options(ULONG options, ULONG access, ULONG disposition)
{
    if (options & ~0x00FFFFFFu || (options & SYNCHRONOUS) == SYNCHRONOUS)
        return FALSE;
    if ((options & SYNCHRONOUS) && !(access & SYNCHRONIZE))
        return FALSE;
    if ((options & FILE_DELETE_ON_CLOSE) && !(access & DELETE))
        return FALSE;
    if (!(options & FILE_DIRECTORY_FILE))
        return TRUE;
    return !(options & FILE_NON_DIRECTORY_FILE) && disposition >= FILE_OPEN &&
           disposition <= FILE_OPEN_IF;
}

CHECK_OF(check_open_numbers)
{
    UNUSED;
    return (A(4) & ~7u) || !call->arguments[2] ||
                   !valid_options(A(5), A(1), FILE_OPEN)
               ? STATUS_INVALID_PARAMETER : 0;
}

/* Attributes of files are many; what is wrong with them is left open. */
CHECK_OF(check_create_numbers)
{
    if ((A(6) & ~7u) || A(7) > 5 || !call->arguments[2] ||
        !valid_options(A(8), A(1), A(7)))
        return STATUS_INVALID_PARAMETER;
    verdict_maybe(verdict, STATUS_INVALID_PARAMETER);
    return 0;
}

CHECK_OF(check_read_handle)
{
    UNUSED;
    verdict_maybe(verdict, STATUS_END_OF_FILE);
    return 0;
}

/* Key, then the offset. */
CHECK_OF(check_offset)
{
    NTSTATUS status = 0;

    UNUSED;
    if (call->arguments[8])
        status = memory_status(call->arguments[8], 4, 4, FALSE);
    if (!status && call->arguments[7])
        status = memory_status(call->arguments[7], 8, 4, FALSE);
    if (!status && call->arguments[7])
        verdict_maybe(verdict, STATUS_INVALID_PARAMETER);
    return status;
}

CHECK_OF(check_apc_routine)
{
    UNUSED;
    return call->arguments[2] ? STATUS_INVALID_PARAMETER : 0;
}

/* ---- Memory ---- */

static NTSTATUS protection_status(ULONG protect, struct verdict *verdict)
{
    switch (protect) {
    case PAGE_NOACCESS:
    case PAGE_READONLY:
    case PAGE_READWRITE:
    case PAGE_EXECUTE:
    case PAGE_EXECUTE_READ:
        return 0;
    case PAGE_EXECUTE_READWRITE:
        return STATUS_DYNAMIC_CODE_BLOCKED;
    case 0:
    case 3:
    case PAGE_WRITECOPY:
    case 0xFFFFFFFF:
        return STATUS_INVALID_PAGE_PROTECTION;
    default:
        verdict_maybe(verdict, STATUS_INVALID_PAGE_PROTECTION);
        verdict_maybe(verdict, STATUS_DYNAMIC_CODE_BLOCKED);
        return 0;
    }
}

CHECK_OF(check_allocation)
{
    ULONG_PTR bits = call->arguments[2];
    ULONG type = A(4);

    if (bits > 21 && bits < 32)
        return STATUS_INVALID_PARAMETER_3;
    if ((type & ~(MEM_COMMIT | MEM_RESERVE | MEM_RESET | MEM_TOP_DOWN)) ||
        !(type & (MEM_COMMIT | MEM_RESERVE | MEM_RESET)) ||
        ((type & MEM_RESET) && type != MEM_RESET))
        return STATUS_INVALID_PARAMETER_5;
    return protection_status(A(5), verdict);
}

CHECK_OF(check_allocate_region)
{
    ULONG_PTR base = word_at(call->arguments[1]);
    ULONG_PTR size = word_at(call->arguments[3]);

    UNUSED;
    if (base > TOP)
        return STATUS_INVALID_PARAMETER_2;
    return size == 0 || base + size < base || base + size > REGIONS_END
               ? STATUS_INVALID_PARAMETER_4 : 0;
}

CHECK_OF(check_protection)
{
    ULONG protect = A(3);

    UNUSED;
    if (protect == PAGE_WRITECOPY) {
        verdict_maybe(verdict, STATUS_INVALID_PAGE_PROTECTION);
        return 0;
    }
    return protection_status(protect, verdict);
}

/* A base and a length that was read from arguments 1 and 2. */
CHECK_OF(check_pages)
{
    ULONG_PTR base = word_at(call->arguments[1]);
    ULONG_PTR size = word_at(call->arguments[2]);

    UNUSED;
    if (base > TOP)
        return STATUS_INVALID_PARAMETER_2;
    return TOP - base < size || size == 0 ? STATUS_INVALID_PARAMETER_3 : 0;
}

CHECK_OF(check_free_type)
{
    UNUSED;
    return A(3) != MEM_DECOMMIT && A(3) != MEM_RELEASE
               ? STATUS_INVALID_PARAMETER_4 : 0;
}

CHECK_OF(check_free_region)
{
    ULONG_PTR base = word_at(call->arguments[1]);
    ULONG_PTR size = word_at(call->arguments[2]);

    UNUSED;
    if (base > TOP)
        return STATUS_INVALID_PARAMETER_2;
    return TOP - base < size ? STATUS_INVALID_PARAMETER_3 : 0;
}

CHECK_OF(check_lock_type)
{
    UNUSED;
    if (A(3) == 0 || (A(3) & ~3u))
        return STATUS_INVALID_PARAMETER;
    return A(3) & 2 ? STATUS_PRIVILEGE_NOT_HELD : 0;
}

CHECK_OF(check_query_memory)
{
    UNUSED;
    return A(2) != MemoryBasicInformation ? STATUS_INVALID_INFO_CLASS : 0;
}

CHECK_OF(check_query_length)
{
    UNUSED;
    return call->arguments[4] < sizeof(MEMORY_BASIC_INFORMATION)
               ? STATUS_INFO_LENGTH_MISMATCH : 0;
}

CHECK_OF(check_user_address)
{
    UNUSED;
    return call->arguments[1] > TOP ? STATUS_INVALID_PARAMETER : 0;
}

/* Both ranges are looked at before anything else. */
CHECK_OF(check_transfer)
{
    ULONG_PTR size = call->arguments[3];

    UNUSED;
    for (ULONG at = 1; at < 3; at++) {
        ULONG_PTR from = call->arguments[at];

        if (!IS_32_BIT && (from + size < from || from + size > TOP))
            return STATUS_ACCESS_VIOLATION;
    }
    return 0;
}

ULONG section_class_size(ULONG class)
{
    return class == SectionBasicInformation ? sizeof(SECTION_BASIC_INFORMATION)
         : class == SectionImageInformation ? sizeof(SECTION_IMAGE_INFORMATION)
         : 0;
}

CHECK_OF(check_section_length)
{
    UNUSED;
    return call->arguments[3] < section_class_size(A(1))
               ? STATUS_INFO_LENGTH_MISMATCH : 0;
}

/* ---- The system ---- */

ULONG system_class_size(ULONG class)
{
    switch (class) {
    case SystemBasicInformation:
        return sizeof(SYSTEM_BASIC_INFORMATION);
    case SystemPerformanceInformation:
        return offsetof(SYSTEM_PERFORMANCE_INFORMATION, CcTotalDirtyPages);
    case SystemTimeOfDayInformation:
        return sizeof(SYSTEM_TIMEOFDAY_INFORMATION);
    case SystemProcessorPerformanceInformation:
        return sizeof(SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION);
    case SystemProcessInformation:
    case SystemHandleInformation:
    case SystemExtendedHandleInformation:
        return IS_32_BIT ? 0 : 0x700;
    case SystemFirmwareTableInformation:
        return offsetof(SYSTEM_FIRMWARE_TABLE_INFORMATION, TableBuffer);
    default:
        return 0;
    }
}

/* What 32-bit code has no form of is no class, before anything else. */
CHECK_OF(check_system_list)
{
    UNUSED;
    return IS_32_BIT && (A(0) == SystemProcessInformation ||
                         A(0) == SystemHandleInformation ||
                         A(0) == SystemExtendedHandleInformation)
               ? STATUS_INVALID_INFO_CLASS : 0;
}

CHECK_OF(check_hard_count)
{
    UNUSED;
    if (A(1) > 5)
        return STATUS_INVALID_PARAMETER_2;
    return A(4) > OptionCancelTryContinue ? STATUS_INVALID_PARAMETER_4 : 0;
}

/* With a debugger it is as good a call as any: debugctl.c has its rules. */
CHECK_OF(check_debug)
{
    UNUSED;
    if (!world_is_debugged)
        return STATUS_DEBUGGER_INACTIVE;
    verdict_maybe(verdict, STATUS_INVALID_INFO_CLASS);
    verdict_maybe(verdict, STATUS_NOT_IMPLEMENTED);
    verdict_maybe(verdict, STATUS_INFO_LENGTH_MISMATCH);
    return 0;
}

/* ---- Several services' ---- */

/* Handles of the world are protected; numbers from -6 to -1 are never bad. */
CHECK_OF(check_close)
{
    LONG_PTR handle = (LONG_PTR)call->arguments[0];
    NTSTATUS status = handle_status((ULONG_PTR)handle, ANY, 0);

    UNUSED;
    if (handle < 0 && handle >= -6)
        return 0;
    if (status)
        return status;
    return (handle & ~(LONG_PTR)3) == (LONG_PTR)victim
               ? 0 : STATUS_HANDLE_NOT_CLOSABLE;
}

/* Only handles of the table have flags. */
CHECK_OF(check_table)
{
    UNUSED;
    return (LONG_PTR)call->arguments[0] < 0
               ? STATUS_INVALID_HANDLE
               : handle_status(call->arguments[0], ANY, 0);
}

/* Nothing to copy: the handle does not matter. */
CHECK_OF(check_read_process)
{
    UNUSED;
    return call->arguments[3]
               ? handle_status(call->arguments[0], PROCESS,
                               call->row->arguments[0].access) : 0;
}

CHECK_OF(check_unmap)
{
    UNUSED;
    return call->arguments[1] > TOP ? STATUS_NOT_MAPPED_VIEW : 0;
}

/* Which id it is does not matter here. */
CHECK_OF(check_any_id)
{
    UNUSED;
    verdict_maybe(verdict, STATUS_INVALID_CID);
    verdict_maybe(verdict, STATUS_INVALID_PARAMETER);
    verdict_maybe(verdict, STATUS_ACCESS_DENIED);
    verdict_maybe(verdict, STATUS_PRIVILEGE_NOT_HELD);
    return 0;
}

CHECK_OF(check_hard_parameters)
{
    UNUSED;
    return call->arguments[3]
               ? memory_status(call->arguments[3], A(1) * sizeof(ULONG_PTR),
                               sizeof(ULONG_PTR), FALSE) : 0;
}

/* Memory is probed before the class is looked at, and read after it. */
CHECK_OF(check_set_system)
{
    ULONG_PTR address = call->arguments[1];
    ULONG length = A(2);

    UNUSED;
    if (probe_status(address, length))
        return probe_status(address, length);
    if (A(0) != SystemMemoryListInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (length != sizeof(ULONG))
        return STATUS_INFO_LENGTH_MISMATCH;
    return memory_status(address, length, 4, FALSE);
}

/* Names of files are read as texts; their statuses are the row's. */
CHECK_OF(check_file_name)
{
    OBJECT_ATTRIBUTES attributes;
    NTSTATUS status = read_attributes(call->arguments[2], &attributes);

    UNUSED;
    if (status)
        return status;
    return attributes.ObjectName
               ? string_status((ULONG_PTR)attributes.ObjectName, 1) : 0;
}

/* Whether it is the last one, anybody may ask. */
CHECK_OF(check_query_thread)
{
    UNUSED;
    return handle_status(call->arguments[0], THREAD,
                         A(1) == ThreadAmILastThread
                             ? 0 : THREAD_QUERY_LIMITED_INFORMATION);
}

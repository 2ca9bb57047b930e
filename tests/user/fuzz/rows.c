/*
 * rows.c - the services: arguments, the order of checks, answers.
 *
 * A row says in which order the service looks at what it is given, as Windows
 * does or docs/services.md says, and what it may answer when all of that is
 * well.  What could end or stop the fuzzer is made harmless first (tame.c).
 */
#include "checks.h"
#include "tame.h"

#ifdef __x86_64__
#define CONTEXT_ALIGNMENT 16
#else
#define CONTEXT_ALIGNMENT 4
#endif

#define MAY(...) .may = (const NTSTATUS[]){ __VA_ARGS__, 0 }
#define VALUES(...) \
    .values = (const ULONG_PTR[]){ __VA_ARGS__ }, \
    .count = sizeof((const ULONG_PTR[]){ __VA_ARGS__ }) / sizeof(ULONG_PTR)

#define NUMBER(...) { .kind = VALUE, VALUES(__VA_ARGS__) }
#define WIDE(...) { .kind = VALUE, .wide = TRUE, VALUES(__VA_ARGS__) }
#define ANYTHING { .kind = VALUE, .wide = TRUE }
#define FLAG NUMBER(0, 1)
#define OBJECT_OF(type, rights) \
    { .kind = HANDLE_OF, .object = type, .access = rights }
#define OPTIONAL_OBJECT(type, rights) \
    { .kind = HANDLE_OF, .object = type, .access = rights, .optional = TRUE }
#define READ(bytes, align) { .kind = IN, .size = bytes, .alignment = align }
#define OPTIONAL_READ(bytes, align) \
    { .kind = IN, .size = bytes, .alignment = align, .optional = TRUE }
#define WRITTEN(bytes, align) \
    { .kind = OUT, .size = bytes, .alignment = align }
#define OPTIONAL_WRITTEN(bytes, align) \
    { .kind = OUT, .size = bytes, .alignment = align, .optional = TRUE }
#define CHANGED(bytes, align) \
    { .kind = INOUT, .size = bytes, .alignment = align }
#define WRITTEN_BUFFER(length, align) \
    { .kind = BUFFER_OUT, .size = length, .alignment = align }
#define WIDE_BUFFER(length, align) \
    { .kind = BUFFER_OUT, .size = length, .alignment = align, .wide = TRUE }
#define READ_BUFFER(length, align) \
    { .kind = BUFFER_IN, .size = length, .alignment = align }
#define NAMED { .kind = ATTRIBUTES, .optional = TRUE }
#define NAME_WANTED { .kind = ATTRIBUTES }
#define TEXT { .kind = NAME_STRING }
#define TIME { .kind = TIMEOUT, .size = 8, .alignment = 4 }
#define OPTIONAL_TIME \
    { .kind = TIMEOUT, .size = 8, .alignment = 4, .optional = TRUE }
#define REGION_BASE \
    { .kind = BASE, .size = sizeof(void *), .alignment = 1 }
#define REGION_SIZE \
    { .kind = LENGTH, .size = sizeof(void *), .alignment = 1 }
#define BAD_CONTEXT \
    { .kind = CONTEXT_IN, .size = sizeof(CONTEXT), \
      .alignment = CONTEXT_ALIGNMENT }
#define NEW_HANDLE WRITTEN(sizeof(HANDLE), 1)
#define ANSWER_LENGTH OPTIONAL_WRITTEN(sizeof(ULONG), 4)
#define ACCESSES \
    NUMBER(0, 1, 2, 3, SYNCHRONIZE, 0x1F0003, GENERIC_READ, GENERIC_WRITE, \
           GENERIC_ALL, MAXIMUM_ALLOWED)
#define LENGTHS NUMBER(0, 1, 4, 8, 16, 24, 32, 48, 64, 0x100, 0x158, 0x700)

#define NAME_STATUSES \
    STATUS_OBJECT_NAME_EXISTS, STATUS_OBJECT_NAME_COLLISION, \
    STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND, \
    STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_PATH_SYNTAX_BAD, \
    STATUS_OBJECT_TYPE_MISMATCH, STATUS_INVALID_HANDLE, \
    STATUS_ACCESS_DENIED, STATUS_INVALID_PARAMETER, STATUS_PRIVILEGE_NOT_HELD
#define WAIT_STATUSES \
    STATUS_TIMEOUT, STATUS_ABANDONED_WAIT_0, STATUS_USER_APC, \
    STATUS_ALERTED, STATUS_MUTANT_LIMIT_EXCEEDED
#define REGION_STATUSES \
    STATUS_CONFLICTING_ADDRESSES, STATUS_INVALID_PARAMETER_2, \
    STATUS_INVALID_PARAMETER_3, STATUS_INVALID_PAGE_PROTECTION, \
    STATUS_SECTION_PROTECTION, STATUS_NOT_COMMITTED, \
    STATUS_COMMITMENT_LIMIT, STATUS_NO_MEMORY, \
    STATUS_INSUFFICIENT_RESOURCES, STATUS_ACCESS_VIOLATION

#define EX_QUERY(type, right, sizes) \
    .count = 5, .steps = "24AB0", .class = 1, .length = 3, .exact = sizes, \
    .checks = { check_class, check_length }, \
    .arguments = { OBJECT_OF(type, right), NUMBER(0, 0, 1, 2), \
                   WRITTEN_BUFFER(3, 4), LENGTHS, ANSWER_LENGTH }
#define EX_OPEN \
    .count = 3, .steps = "0AB", .makes = 1, \
    .checks = { check_wanted, check_attributes }, \
    .arguments = { NEW_HANDLE, ACCESSES, NAMED }, MAY(NAME_STATUSES)
#define ONE_OUT(type, rights, bytes, align) \
    .count = 2, .steps = "10", \
    .arguments = { OBJECT_OF(type, rights), OPTIONAL_WRITTEN(bytes, align) }

/* Nothing to open is a parameter that is wrong. */
static NTSTATUS check_wanted(const struct fuzz_call *call,
                             struct verdict *verdict)
{
    (void)verdict;
    return call->arguments[2] ? 0 : STATUS_INVALID_PARAMETER;
}

static NTSTATUS check_attributes(const struct fuzz_call *call,
                                 struct verdict *verdict)
{
    (void)verdict;
    return attributes_status(call->arguments[2]);
}

const struct row rows[] = {
    /* ---- Events, mutants, semaphores, timers ---- */
    { .name = "NtSetEvent", .weight = 40, ONE_OUT(EVENT, 2, 4, 4) },
    { .name = "NtResetEvent", .weight = 20, ONE_OUT(EVENT, 2, 4, 4) },
    { .name = "NtPulseEvent", .weight = 10, ONE_OUT(EVENT, 2, 4, 4) },
    { .name = "NtClearEvent", .weight = 40, .count = 1, .steps = "0",
      .arguments = { OBJECT_OF(EVENT, 2) } },
    { .name = "NtReleaseMutant", .weight = 10, ONE_OUT(MUTANT, 0, 4, 4),
      MAY(STATUS_MUTANT_NOT_OWNED) },
    { .name = "NtReleaseSemaphore", .weight = 20, .count = 3, .steps = "2A0",
      .checks = { check_release },
      .arguments = { OBJECT_OF(SEMAPHORE, 2), NUMBER(1, 1, 2, 3, 997),
                     OPTIONAL_WRITTEN(4, 4) },
      MAY(STATUS_SEMAPHORE_LIMIT_EXCEEDED) },
    { .name = "NtCancelTimer", .weight = 10, ONE_OUT(TIMER, 2, 1, 1) },
    { .name = "NtSetTimer", .weight = 6, .count = 7, .steps = "16A0",
      .checks = { check_period },
      .arguments = { OBJECT_OF(TIMER, 2), TIME, NUMBER(0), ANYTHING, FLAG,
                     NUMBER(0, 1, 1000), OPTIONAL_WRITTEN(1, 1) },
      .tame = tame_timer, MAY(STATUS_TIMER_RESUME_IGNORED) },
    { .name = "NtQueryEvent", .weight = 20,
      EX_QUERY(EVENT, 1, event_class_size) },
    { .name = "NtQueryMutant", .weight = 10,
      EX_QUERY(MUTANT, 1, mutant_class_size) },
    { .name = "NtQuerySemaphore", .weight = 10,
      EX_QUERY(SEMAPHORE, 1, semaphore_class_size) },
    { .name = "NtQueryTimer", .weight = 10, .flags = ROW_TIME,
      EX_QUERY(TIMER, 1, timer_class_size) },
    { .name = "NtCreateEvent", .weight = 6, .count = 5, .steps = "0A2",
      .makes = 1, .checks = { check_event_type },
      .arguments = { NEW_HANDLE, ACCESSES, NAMED, FLAG, FLAG },
      MAY(NAME_STATUSES) },
    { .name = "NtCreateMutant", .weight = 4, .count = 4, .steps = "02",
      .makes = 1, .arguments = { NEW_HANDLE, ACCESSES, NAMED, FLAG },
      MAY(NAME_STATUSES) },
    { .name = "NtCreateSemaphore", .weight = 4, .count = 5, .steps = "0A2",
      .makes = 1, .checks = { check_semaphore_counts },
      .arguments = { NEW_HANDLE, ACCESSES, NAMED, NUMBER(0, 1), NUMBER(1, 5) },
      MAY(NAME_STATUSES) },
    { .name = "NtCreateTimer", .weight = 4, .count = 4, .steps = "0A2",
      .makes = 1, .checks = { check_timer_type },
      .arguments = { NEW_HANDLE, ACCESSES, NAMED, FLAG }, MAY(NAME_STATUSES) },
    { .name = "NtCreateDirectoryObject", .weight = 3, .count = 3,
      .steps = "02", .makes = 1,
      .arguments = { NEW_HANDLE, ACCESSES, NAMED }, MAY(NAME_STATUSES) },
    { .name = "NtOpenEvent", .weight = 4, EX_OPEN },
    { .name = "NtOpenMutant", .weight = 3, EX_OPEN },
    { .name = "NtOpenSemaphore", .weight = 3, EX_OPEN },
    { .name = "NtOpenTimer", .weight = 3, EX_OPEN },
    { .name = "NtOpenDirectoryObject", .weight = 3, EX_OPEN },

    /* ---- Waits ---- */
    { .name = "NtWaitForSingleObject", .weight = 20, .count = 3,
      .steps = "20", .tame = tame_wait,
      .arguments = { OBJECT_OF(WAITABLE, SYNCHRONIZE), FLAG, OPTIONAL_TIME },
      MAY(WAIT_STATUSES) },
    { .name = "NtWaitForMultipleObjects", .weight = 6, .count = 5,
      .steps = "AB4C", .tame = tame_wait, .flags = ROW_INDEX,
      .checks = { check_wait_count, check_wait_type, check_wait_handles },
      .arguments = { NUMBER(1, 2, 3, 8), READ(64, sizeof(HANDLE)), FLAG, FLAG,
                     OPTIONAL_TIME }, MAY(WAIT_STATUSES) },
    { .name = "NtSignalAndWaitForSingleObject", .weight = 4, .count = 4,
      .steps = "301", .tame = tame_wait,
      .arguments = { OBJECT_OF(SIGNALLED, 0),
                     OBJECT_OF(WAITABLE, SYNCHRONIZE), FLAG, OPTIONAL_TIME },
      MAY(WAIT_STATUSES, STATUS_MUTANT_NOT_OWNED,
          STATUS_SEMAPHORE_LIMIT_EXCEEDED) },
    { .name = "NtDelayExecution", .weight = 6, .count = 2, .steps = "1",
      .tame = tame_wait, .arguments = { FLAG, TIME },
      MAY(STATUS_ALERTED, STATUS_USER_APC) },
    { .name = "NtYieldExecution", .weight = 6, .count = 0, .steps = "",
      MAY(STATUS_NO_YIELD_PERFORMED) },
    { .name = "NtTestAlert", .weight = 10, .count = 0, .steps = "",
      MAY(STATUS_ALERTED) },

    /* ---- Handles and names ---- */
    { .name = "NtClose", .weight = 30, .count = 1, .steps = "A",
      .flags = ROW_VICTIM, .checks = { check_close },
      .arguments = { OBJECT_OF(ANY, 0) } },
    { .name = "NtDuplicateObject", .weight = 6, .count = 7, .steps = "30",
      .arguments = { OBJECT_OF(PROCESS, PROCESS_DUP_HANDLE),
                     OBJECT_OF(ANY, 0),
                     OBJECT_OF(PROCESS, PROCESS_DUP_HANDLE),
                     { .kind = OUT, .size = sizeof(HANDLE), .alignment = 1,
                       .optional = TRUE },
                     ACCESSES, NUMBER(0, OBJ_INHERIT), NUMBER(0, 1, 2, 4) },
      .tame = tame_duplicate, .undo = undo_duplicate,
      MAY(STATUS_INVALID_HANDLE, STATUS_ACCESS_DENIED,
          STATUS_OBJECT_TYPE_MISMATCH, STATUS_INVALID_PARAMETER,
          STATUS_PRIVILEGE_NOT_HELD) },
    { .name = "NtQueryObject", .weight = 10, .count = 5, .steps = "A4B0C",
      .class = 1, .length = 3, .exact = object_class_size,
      .checks = { check_object_class, check_class, check_object_length },
      .arguments = { OBJECT_OF(ANY, 0), NUMBER(0, 1, 2, 3, 4),
                     WRITTEN_BUFFER(3, 4), LENGTHS, ANSWER_LENGTH } },
    { .name = "NtSetInformationObject", .weight = 6, .count = 4,
      .steps = "AB2C", .flags = ROW_VICTIM, .tame = tame_victim,
      .checks = { check_set_object_class, check_set_object_length,
                  check_table },
      .arguments = { OBJECT_OF(ANY, 0), NUMBER(4, 4, 4, 3), READ(2, 1),
                     NUMBER(2, 2, 2, 3) } },
    { .name = "NtQueryDirectoryObject", .weight = 3, .count = 7,
      .steps = "1560",
      .arguments = { OBJECT_OF(DIRECTORY, 1), WRITTEN_BUFFER(2, 4), LENGTHS,
                     FLAG, FLAG, CHANGED(4, 4), ANSWER_LENGTH },
      MAY(STATUS_NO_MORE_ENTRIES, STATUS_BUFFER_TOO_SMALL,
          STATUS_MORE_ENTRIES) },

    /* ---- Memory ---- */
    { .name = "NtAllocateVirtualMemory", .weight = 3, .count = 6,
      .steps = "A13B0", .tame = tame_allocate, .undo = undo_allocate,
      .checks = { check_allocation, check_allocate_region },
      .arguments = { OBJECT_OF(PROCESS, PROCESS_VM_OPERATION), REGION_BASE,
                     WIDE(0, 0, 1, 21), REGION_SIZE,
                     NUMBER(MEM_COMMIT, MEM_RESERVE, MEM_COMMIT | MEM_RESERVE,
                            MEM_RESET),
                     NUMBER(PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE,
                            PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE) },
      MAY(REGION_STATUSES, STATUS_ALREADY_COMMITTED,
          STATUS_INVALID_PARAMETER_4) },
    { .name = "NtFreeVirtualMemory", .weight = 3, .count = 4,
      .steps = "A12B0", .tame = tame_region,
      .checks = { check_free_type, check_free_region },
      .arguments = { OBJECT_OF(PROCESS, PROCESS_VM_OPERATION), REGION_BASE,
                     REGION_SIZE, NUMBER(MEM_DECOMMIT, MEM_RELEASE) },
      MAY(STATUS_MEMORY_NOT_ALLOCATED, STATUS_UNABLE_TO_FREE_VM,
          STATUS_FREE_VM_NOT_AT_BASE, STATUS_UNABLE_TO_DELETE_SECTION,
          STATUS_UNABLE_TO_DECOMMIT_VM, STATUS_INSUFFICIENT_RESOURCES) },
    { .name = "NtProtectVirtualMemory", .weight = 3, .count = 5,
      .steps = "A412B0", .tame = tame_region,
      .checks = { check_protection, check_pages },
      .arguments = { OBJECT_OF(PROCESS, PROCESS_VM_OPERATION), REGION_BASE,
                     REGION_SIZE,
                     NUMBER(PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE,
                            PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
                            PAGE_READWRITE | PAGE_GUARD),
                     WRITTEN(4, 1) },
      MAY(REGION_STATUSES, STATUS_WAS_UNLOCKED) },
    { .name = "NtLockVirtualMemory", .weight = 2, .count = 4,
      .steps = "A12B0", .tame = tame_region,
      .checks = { check_lock_type, check_pages },
      .arguments = { OBJECT_OF(PROCESS, PROCESS_VM_OPERATION), REGION_BASE,
                     REGION_SIZE, NUMBER(1, 1, 1, 2) },
      MAY(REGION_STATUSES, STATUS_WAS_LOCKED, STATUS_WORKING_SET_QUOTA,
          STATUS_GUARD_PAGE_VIOLATION) },
    { .name = "NtUnlockVirtualMemory", .weight = 2, .count = 4,
      .steps = "A12B0", .tame = tame_region,
      .checks = { check_lock_type, check_pages },
      .arguments = { OBJECT_OF(PROCESS, PROCESS_VM_OPERATION), REGION_BASE,
                     REGION_SIZE, NUMBER(1, 1, 1, 2) },
      MAY(REGION_STATUSES, STATUS_NOT_LOCKED) },
    { .name = "NtQueryVirtualMemory", .weight = 6, .count = 6,
      .steps = "AB35C0",
      .checks = { check_query_memory, check_query_length,
                  check_user_address },
      .arguments = { OBJECT_OF(PROCESS, PROCESS_QUERY_INFORMATION), ANYTHING,
                     NUMBER(0, 0, 0, 1),
                     WRITTEN(sizeof(MEMORY_BASIC_INFORMATION), 4),
                     WIDE(sizeof(MEMORY_BASIC_INFORMATION), 0x700),
                     OPTIONAL_WRITTEN(sizeof(SIZE_T), 1) } },
    { .name = "NtReadVirtualMemory", .weight = 8, .count = 5,
      .steps = "A4B", .checks = { check_transfer, check_read_process },
      .tame = tame_read, .flags = ROW_FOREIGN,
      .arguments = { OBJECT_OF(PROCESS, PROCESS_VM_READ), ANYTHING,
                     WIDE_BUFFER(3, 1), WIDE(0, 1, 8, 16, 64, 0x700),
                     OPTIONAL_WRITTEN(sizeof(SIZE_T), 1) },
      MAY(STATUS_PARTIAL_COPY, STATUS_ACCESS_VIOLATION,
          STATUS_GUARD_PAGE_VIOLATION, STATUS_INSUFFICIENT_RESOURCES) },
    { .name = "NtWriteVirtualMemory", .weight = 8, .count = 5,
      .steps = "A4B", .checks = { check_transfer, check_read_process },
      .tame = tame_write, .flags = ROW_FOREIGN,
      .arguments = { OBJECT_OF(PROCESS, PROCESS_VM_WRITE), WIDE_BUFFER(3, 1),
                     { .kind = BUFFER_IN, .size = 3, .alignment = 1,
                       .wide = TRUE },
                     WIDE(0, 1, 8, 16, 64, 0x700),
                     OPTIONAL_WRITTEN(sizeof(SIZE_T), 1) },
      MAY(STATUS_PARTIAL_COPY, STATUS_ACCESS_VIOLATION,
          STATUS_GUARD_PAGE_VIOLATION, STATUS_INSUFFICIENT_RESOURCES) },
    { .name = "NtQuerySection", .weight = 4, .count = 5, .steps = "24AB0",
      .class = 1, .length = 3, .exact = section_class_size,
      .checks = { check_class, check_section_length },
      .arguments = { OBJECT_OF(SECTION, 1), NUMBER(0, 0, 1, 2),
                     WIDE_BUFFER(3, 4), WIDE(0, 8, 16, 24, 48, 64, 0x700),
                     OPTIONAL_WRITTEN(sizeof(SIZE_T), 1) },
      MAY(STATUS_SECTION_NOT_IMAGE) },
    { .name = "NtUnmapViewOfSection", .weight = 3, .count = 2, .steps = "A0",
      .checks = { check_unmap }, .tame = tame_unmap,
      .arguments = { OBJECT_OF(PROCESS, PROCESS_VM_OPERATION), ANYTHING },
      MAY(STATUS_NOT_MAPPED_VIEW) },
    { .name = "NtOpenSection", .weight = 3, EX_OPEN },

    /* ---- Processes and threads ---- */
    { .name = "NtQueryInformationProcess", .weight = 20,
      .count = 5, .steps = "A24B0", .class = 1, .length = 3,
      .exact = process_class_size, .checks = { check_class, check_length },
      .arguments = { OBJECT_OF(PROCESS, PROCESS_QUERY_LIMITED_INFORMATION),
                     NUMBER(0, 3, 4, 7, 20, 24, 26, 99),
                     WRITTEN_BUFFER(3, 4), LENGTHS, ANSWER_LENGTH } },
    { .name = "NtQueryInformationThread", .weight = 20,
      .count = 5, .steps = "A24BC", .class = 1, .length = 3,
      .exact = thread_class_size, .tame = tame_no_teb,
      .checks = { check_class, check_length, check_query_thread },
      .arguments = { OBJECT_OF(THREAD, 0),
                     NUMBER(0, 1, 9, 11, 12, 14, 17, 20, 35, 99),
                     WRITTEN_BUFFER(3, 4), LENGTHS, ANSWER_LENGTH } },
    { .name = "NtSetInformationProcess", .weight = 4, .count = 4,
      .steps = "ABC20", .class = 1, .length = 3, .exact = set_process_size,
      .checks = { check_class, check_probe, check_length },
      .tame = tame_set_process,
      .arguments = { OBJECT_OF(PROCESS, PROCESS_SET_INFORMATION),
                     NUMBER(1, 5, 99), READ_BUFFER(3, 4), LENGTHS },
      MAY(STATUS_INVALID_PARAMETER, STATUS_PRIVILEGE_NOT_HELD) },
    { .name = "NtSetInformationThread", .weight = 4, .count = 4,
      .steps = "ABC20", .class = 1, .length = 3, .exact = set_thread_size,
      .checks = { check_class, check_probe, check_length },
      .tame = tame_set_thread,
      .arguments = { OBJECT_OF(THREAD, THREAD_SET_INFORMATION),
                     NUMBER(2, 3, 4, 9, 14, 99), READ_BUFFER(3, 4), LENGTHS },
      MAY(STATUS_INVALID_PARAMETER) },
    { .name = "NtOpenProcess", .weight = 3, .count = 4, .steps = "0ABC",
      .makes = 1,
      .checks = { check_open_attributes, check_client_id, check_any_id },
      .arguments = { WRITTEN(sizeof(HANDLE), 4), ACCESSES, NAME_WANTED,
                     READ(sizeof(CLIENT_ID), 4) } },
    { .name = "NtOpenThread", .weight = 3, .count = 4, .steps = "0ABC",
      .makes = 1,
      .checks = { check_open_attributes, check_client_id, check_any_id },
      .arguments = { WRITTEN(sizeof(HANDLE), 4), ACCESSES, NAME_WANTED,
                     READ(sizeof(CLIENT_ID), 4) } },
    { .name = "NtSuspendThread", .weight = 2, .tame = tame_self,
      ONE_OUT(THREAD, THREAD_SUSPEND_RESUME, 4, 4),
      MAY(STATUS_SUSPEND_COUNT_EXCEEDED) },
    { .name = "NtResumeThread", .weight = 4, .tame = tame_self,
      ONE_OUT(THREAD, THREAD_SUSPEND_RESUME, 4, 4) },
    { .name = "NtAlertResumeThread", .weight = 2, .tame = tame_self,
      ONE_OUT(THREAD, THREAD_SUSPEND_RESUME, 4, 4) },
    { .name = "NtAlertThread", .weight = 3, .count = 1, .steps = "0",
      .arguments = { OBJECT_OF(THREAD, THREAD_ALERT) } },
    { .name = "NtQueueApcThread", .weight = 1, .count = 5, .steps = "0",
      .tame = tame_self,
      .arguments = { OBJECT_OF(THREAD, THREAD_SET_CONTEXT), ANYTHING,
                     ANYTHING, ANYTHING, ANYTHING },
      MAY(STATUS_UNSUCCESSFUL, STATUS_INVALID_PARAMETER) },
    { .name = "NtQueueApcThreadEx", .weight = 1, .count = 6, .steps = "0A",
      .tame = tame_special_apc, .checks = { check_apc_reserve },
      .arguments = { OBJECT_OF(THREAD, THREAD_SET_CONTEXT),
                     OPTIONAL_OBJECT(ANY, 0), ANYTHING, ANYTHING, ANYTHING,
                     ANYTHING }, MAY(STATUS_UNSUCCESSFUL) },
    { .name = "NtTerminateThread", .weight = 3, .count = 2, .steps = "0",
      .tame = tame_end, .flags = ROW_NEVER,
      .arguments = { OBJECT_OF(THREAD, THREAD_TERMINATE), ANYTHING } },
    { .name = "NtTerminateProcess", .weight = 3, .count = 2, .steps = "0",
      .tame = tame_end, .flags = ROW_NEVER,
      .arguments = { OBJECT_OF(PROCESS, PROCESS_TERMINATE), ANYTHING } },
    { .name = "NtContinue", .weight = 6, .count = 2, .steps = "0A",
      .tame = tame_context, .flags = ROW_NEVER,
      .checks = { check_context_flags }, .arguments = { BAD_CONTEXT, FLAG } },
#ifdef __x86_64__
    { .name = "NtContinueEx", .weight = 4, .count = 2, .steps = "A0B",
      .tame = tame_context, .flags = ROW_NEVER,
      .checks = { check_continue_value, check_context_flags },
      .arguments = { BAD_CONTEXT, ANYTHING } },
#endif
    { .name = "NtRaiseException", .weight = 4, .count = 3, .steps = "1A",
      .tame = tame_context, .flags = ROW_NEVER,
      .checks = { check_context_flags },
      .arguments = { READ(sizeof(EXCEPTION_RECORD), sizeof(void *)),
                     BAD_CONTEXT, FLAG } },
    { .name = "NtCallbackReturn", .weight = 6, .count = 3, .steps = "",
      .flags = ROW_NEVER, .arguments = { ANYTHING, ANYTHING, ANYTHING },
      MAY(STATUS_NO_CALLBACK_ACTIVE) },

    /* ---- Files ---- */
    { .name = "NtReadFile", .weight = 6, .count = 9, .steps = "045ABC1",
      .flags = ROW_FOREIGN,
      .checks = { check_offset, check_apc_routine, check_read_handle },
      .arguments = { OBJECT_OF(FILE, 1), OPTIONAL_OBJECT(EVENT, 2),
                     WIDE(0, 0, 0, 1), ANYTHING,
                     WRITTEN(sizeof(IO_STATUS_BLOCK), 4),
                     WRITTEN_BUFFER(6, 1), LENGTHS, OPTIONAL_READ(8, 4),
                     OPTIONAL_READ(4, 4) } },
    { .name = "NtWriteFile", .weight = 4, .count = 9, .steps = "0",
      .flags = ROW_NEVER,
      .arguments = { OBJECT_OF(FILE, 2), OPTIONAL_OBJECT(EVENT, 2),
                     WIDE(0, 0, 0, 1), ANYTHING,
                     WRITTEN(sizeof(IO_STATUS_BLOCK), 4), READ_BUFFER(6, 1),
                     LENGTHS, OPTIONAL_READ(8, 4), OPTIONAL_READ(4, 4) } },
    { .name = "NtQueryInformationFile", .weight = 6, .count = 5,
      .steps = "AB210",
      .checks = { check_file_class, check_file_length },
      .arguments = { OBJECT_OF(FILE, 0), WRITTEN(sizeof(IO_STATUS_BLOCK), 4),
                     WRITTEN_BUFFER(3, 4), LENGTHS, NUMBER(5, 14, 99) } },
    { .name = "NtOpenFile", .weight = 3, .count = 6, .steps = "A03B",
      .checks = { check_open_numbers, check_file_name },
      .arguments = { NEW_HANDLE, ACCESSES, NAME_WANTED,
                     WRITTEN(sizeof(IO_STATUS_BLOCK), 4), NUMBER(0, 1, 7),
                     NUMBER(0, 0x20, 0x40, 1) }, .makes = 1,
      MAY(NAME_STATUSES, STATUS_NOT_A_DIRECTORY, STATUS_FILE_IS_A_DIRECTORY,
          STATUS_MEDIA_WRITE_PROTECTED) },
    { .name = "NtCreateFile", .weight = 3, .count = 11, .steps = "AB03C",
      .checks = { check_allocation_size, check_create_numbers,
                  check_file_name },
      .arguments = { NEW_HANDLE, ACCESSES, NAME_WANTED,
                     WRITTEN(sizeof(IO_STATUS_BLOCK), 4), OPTIONAL_READ(8, 4),
                     NUMBER(0, 0x80), NUMBER(0, 1, 7), NUMBER(1, 1, 3, 2),
                     NUMBER(0, 0x20, 0x40, 1), WIDE(0), NUMBER(0) },
      .makes = 1,
      MAY(NAME_STATUSES, STATUS_NOT_A_DIRECTORY, STATUS_FILE_IS_A_DIRECTORY,
          STATUS_MEDIA_WRITE_PROTECTED) },
    { .name = "NtDisplayString", .weight = 4, .count = 1, .steps = "0",
      .tame = tame_display, .arguments = { TEXT } },

    /* ---- Time and the system ---- */
    { .name = "NtQuerySystemTime", .weight = 30, .count = 1, .steps = "0",
      .arguments = { WRITTEN(8, 4) } },
    { .name = "NtQueryPerformanceCounter", .weight = 20, .count = 2,
      .steps = "01",
      .arguments = { WRITTEN(8, 4), OPTIONAL_WRITTEN(8, 4) } },
    { .name = "NtSetSystemTime", .weight = 6, .count = 2, .steps = "10",
      .flags = ROW_NEVER,
      .arguments = { OPTIONAL_READ(8, 4), OPTIONAL_WRITTEN(8, 4) },
      MAY(STATUS_PRIVILEGE_NOT_HELD) },
    { .name = "NtQueryTimerResolution", .weight = 10, .count = 3,
      .steps = "012",
      .arguments = { WRITTEN(4, 4), WRITTEN(4, 4), WRITTEN(4, 4) } },
    { .name = "NtSetTimerResolution", .weight = 6, .count = 3, .steps = "2",
      .arguments = { ANYTHING, FLAG, WRITTEN(4, 4) },
      MAY(STATUS_TIMER_RESOLUTION_NOT_SET) },
    { .name = "NtQuerySystemInformation", .weight = 6, .count = 4,
      .steps = "1B3A", .class = 0, .length = 2, .exact = system_class_size,
      .checks = { check_class, check_system_list },
      .arguments = { NUMBER(0, 2, 3, 8, 0, 2, 3, 8, 5, 16, 64, 76,
                            99),
                     WRITTEN_BUFFER(2, 4), LENGTHS, ANSWER_LENGTH },
      MAY(STATUS_INFO_LENGTH_MISMATCH, STATUS_NOT_IMPLEMENTED,
          STATUS_BUFFER_TOO_SMALL) },
    { .name = "NtSetSystemInformation", .weight = 2, .count = 3,
      .steps = "A", .checks = { check_set_system },
      .arguments = { NUMBER(80, 80, 99), READ_BUFFER(2, 4),
                     NUMBER(4, 4, 8) },
      MAY(STATUS_NOT_SUPPORTED, STATUS_INVALID_PARAMETER) },
    { .name = "NtRaiseHardError", .weight = 3, .count = 6, .steps = "A5B",
      .checks = { check_hard_count, check_hard_parameters },
      .tame = tame_hard_error, .flags = ROW_NEVER,
      .arguments = { ANYTHING, NUMBER(0, 1, 4), ANYTHING,
                     OPTIONAL_READ(40, sizeof(void *)), NUMBER(6, 6, 99),
                     WRITTEN(4, 4) }, MAY(STATUS_PRIVILEGE_NOT_HELD) },
    { .name = "NtGetCurrentProcessorNumber", .weight = 20, .count = 0,
      .steps = "", .flags = ROW_VALUE },
#ifdef __x86_64__
    { .name = "NtSystemDebugControl", .weight = 4, .count = 6, .steps = "A",
      .checks = { check_debug }, .flags = ROW_NEVER,
      .arguments = { NUMBER(8, 16, 99), ANYTHING, NUMBER(0, 1), ANYTHING,
                     ANYTHING, ANYTHING }, .tame = tame_debug },
#endif

    /* ---- win32k ---- */
    { .name = "NtUserGetThreadState", .weight = 10, .count = 1, .steps = "",
      .flags = ROW_VALUE, .arguments = { ANYTHING } },
    { .name = "NtUserGetDC", .weight = 6, .count = 1, .steps = "",
      .flags = ROW_VALUE, .arguments = { ANYTHING } },
    { .name = "NtGdiFlush", .weight = 6, .count = 0, .steps = "",
      .flags = ROW_VALUE },
    { .name = "NtGdiBitBlt", .weight = 4, .count = 11, .steps = "",
      .flags = ROW_VALUE,
      .arguments = { ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING,
                     ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING,
                     ANYTHING } },
    { .name = "NtUserEnumDisplayMonitors", .weight = 4, .count = 4,
      .steps = "", .flags = ROW_VALUE, .tame = tame_monitors,
      .arguments = { ANYTHING, READ(16, 1), ANYTHING, ANYTHING } },
};

const ULONG row_count = ARRAY_SIZE(rows);

/*
 * wow64/query.c - what 32-bit code may ask about its process, its thread, its
 * memory, its sections and its mutants.
 *
 * Each thunk has the service answer into the translation area and makes the
 * 32-bit structure of that.  A length that is not the 32-bit structure's
 * becomes one that is not the 64-bit structure's either, so the service itself
 * refuses it, in its place among its other checks.
 */
#include "wow64p.h"

#include <nt/ntapi.h>

#define AREA ((void *)wow64p_thunk_area())

static ULONG length64(ULONG length, ULONG size32, ULONG size64)
{
    return length == size32 ? size64 : 0;
}

static NTSTATUS give(void *buffer, const void *information, ULONG size,
                     ULONG *return_length)
{
    NTSTATUS status = mm_copy_to_user(buffer, information, size);

    if (NT_SUCCESS(status) && return_length)
        status = mm_copy_to_user(return_length, &size, sizeof size);
    return status;
}

static ULONG narrow_handle(const void *handle)
{
    return wow64p_narrow((ULONG_PTR)handle);
}

typedef NTSTATUS query_service(HANDLE handle, ULONG class, void *buffer,
                               ULONG length, ULONG *return_length);

/* A class that is one value of a pointer's size. */
static NTSTATUS query_pointer(query_service *service, HANDLE handle,
                              ULONG class, void *buffer, ULONG length,
                              ULONG *return_length)
{
    ULONGLONG from;
    ULONG to;
    NTSTATUS status = mm_probe_for_write(buffer, length, sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = service(handle, class, AREA,
                         length64(length, sizeof to, sizeof from),
                         return_length);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&from, AREA, sizeof from);
    if (!NT_SUCCESS(status))
        return status;
    to = wow64p_narrow(from);
    return give(buffer, &to, sizeof to, return_length);
}

/* Where the 32-bit structure of a class is another, there is no such class. */
static BOOLEAN has_other_form(ULONG class, const ULONG *classes, ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        if (classes[i] == class)
            return TRUE;
    }
    return FALSE;
}

static NTSTATUS query_process(HANDLE handle, ULONG class, void *buffer,
                              ULONG length, ULONG *return_length)
{
    static const ULONG pointers[] = { ProcessDebugPort,
                                      ProcessWow64Information };

    if (class == ProcessVmCounters)
        return STATUS_INVALID_INFO_CLASS;
    if (has_other_form(class, pointers, ARRAY_SIZE(pointers)))
        return query_pointer(NtQueryInformationProcess, handle, class,
                             buffer, length, return_length);
    return NtQueryInformationProcess(handle, class, buffer, length,
                                     return_length);
}

static NTSTATUS query_thread(HANDLE handle, ULONG class, void *buffer,
                             ULONG length, ULONG *return_length)
{
    if (class == ThreadTebInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (class == ThreadQuerySetWin32StartAddress)
        return query_pointer(NtQueryInformationThread, handle, class, buffer,
                             length, return_length);
    return NtQueryInformationThread(handle, class, buffer, length,
                                    return_length);
}

/* A class that is one value of a pointer's size, to set. */
static NTSTATUS set_pointer(NTSTATUS (*set)(HANDLE handle, ULONG class,
                                            const void *buffer, ULONG length),
                            HANDLE handle, ULONG class, const void *buffer,
                            ULONG length)
{
    ULONGLONG value = 0;
    NTSTATUS status = mm_probe_for_read(buffer, length, sizeof(ULONG));

    if (NT_SUCCESS(status) && length == sizeof(ULONG))
        status = mm_copy_from_user(&value, buffer, sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_copy_to_user(AREA, &value, sizeof value);
    return NT_SUCCESS(status)
               ? set(handle, class, AREA,
                     length64(length, sizeof(ULONG), sizeof value))
               : status;
}

NTSTATUS wow64_NtSetInformationThread(HANDLE handle, ULONG class,
                                      const void *buffer, ULONG length)
{
    if (class != ThreadAffinityMask &&
        class != ThreadQuerySetWin32StartAddress)
        return NtSetInformationThread(handle, class, buffer, length);
    return set_pointer(NtSetInformationThread, handle, class, buffer, length);
}

/* -1 is no size, but a word: it stays -1. */
static SIZE_T widen_size(ULONG size)
{
    return size == ~0u ? ~(SIZE_T)0 : size;
}

static NTSTATUS widen_quota(const QUOTA_LIMITS32 *user)
{
    QUOTA_LIMITS32 from;
    QUOTA_LIMITS to = { 0 };
    NTSTATUS status = mm_copy_from_user(&from, user, sizeof from);

    if (!NT_SUCCESS(status))
        return status;
    to.PagedPoolLimit = widen_size(from.PagedPoolLimit);
    to.NonPagedPoolLimit = widen_size(from.NonPagedPoolLimit);
    to.MinimumWorkingSetSize = widen_size(from.MinimumWorkingSetSize);
    to.MaximumWorkingSetSize = widen_size(from.MaximumWorkingSetSize);
    to.PagefileLimit = widen_size(from.PagefileLimit);
    to.TimeLimit = from.TimeLimit;
    return mm_copy_to_user(AREA, &to, sizeof to);
}

NTSTATUS wow64_NtSetInformationProcess(HANDLE handle, ULONG class,
                                       const void *buffer, ULONG length)
{
    NTSTATUS status;

    if (class == ProcessAffinityMask)
        return set_pointer(NtSetInformationProcess, handle, class, buffer,
                           length);
    if (class != ProcessQuotaLimits)
        return NtSetInformationProcess(handle, class, buffer, length);
    status = mm_probe_for_read(buffer, length, sizeof(ULONG));
    if (NT_SUCCESS(status) && length == sizeof(QUOTA_LIMITS32))
        status = widen_quota(buffer);
    return NT_SUCCESS(status)
               ? NtSetInformationProcess(handle, class, AREA,
                                         length64(length,
                                                  sizeof(QUOTA_LIMITS32),
                                                  sizeof(QUOTA_LIMITS)))
               : status;
}

NTSTATUS wow64_NtQueryInformationProcess(HANDLE handle, ULONG class,
                                         void *buffer, ULONG length,
                                         ULONG *return_length)
{
    PROCESS_BASIC_INFORMATION from;
    PROCESS_BASIC_INFORMATION32 to = { 0 };
    NTSTATUS status;

    if (class != ProcessBasicInformation)
        return query_process(handle, class, buffer, length, return_length);
    status = mm_probe_for_write(buffer, length, sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = NtQueryInformationProcess(
            handle, class, AREA, length64(length, sizeof to, sizeof from),
            return_length);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&from, AREA, sizeof from);
    if (!NT_SUCCESS(status))
        return status;
    to.ExitStatus = from.ExitStatus;
    if (from.PebBaseAddress == (PEB *)WOW64_PEB)
        to.PebBaseAddress = WOW64_PEB32;
    to.AffinityMask = wow64p_narrow(from.AffinityMask);
    to.BasePriority = from.BasePriority;
    to.UniqueProcessId = narrow_handle(from.UniqueProcessId);
    to.InheritedFromUniqueProcessId =
        narrow_handle(from.InheritedFromUniqueProcessId);
    return give(buffer, &to, sizeof to, return_length);
}

NTSTATUS wow64_NtQueryInformationThread(HANDLE handle, ULONG class,
                                        void *buffer, ULONG length,
                                        ULONG *return_length)
{
    THREAD_BASIC_INFORMATION from;
    THREAD_BASIC_INFORMATION32 to = { 0 };
    NTSTATUS status;

    if (class != ThreadBasicInformation)
        return query_thread(handle, class, buffer, length, return_length);
    status = mm_probe_for_write(buffer, length, sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = NtQueryInformationThread(
            handle, class, AREA, length64(length, sizeof to, sizeof from),
            return_length);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&from, AREA, sizeof from);
    if (!NT_SUCCESS(status))
        return status;
    to.ExitStatus = from.ExitStatus;
    if (from.TebBaseAddress &&
        (ULONG_PTR)from.TebBaseAddress < WOW64_HIGHEST_USER_ADDRESS)
        to.TebBaseAddress =
            (ULONG)(ULONG_PTR)wow64_teb32(from.TebBaseAddress);
    to.ClientId.UniqueProcess = narrow_handle(from.ClientId.UniqueProcess);
    to.ClientId.UniqueThread = narrow_handle(from.ClientId.UniqueThread);
    to.AffinityMask = wow64p_narrow(from.AffinityMask);
    to.Priority = from.Priority;
    to.BasePriority = from.BasePriority;
    return give(buffer, &to, sizeof to, return_length);
}

/* XP's ntdll knows only the other class, which is the same to both. */
NTSTATUS wow64_NtQueryMutant(HANDLE handle, ULONG class, void *buffer,
                             ULONG length, ULONG *return_length)
{
    MUTANT_OWNER_INFORMATION from;
    MUTANT_OWNER_INFORMATION32 to;
    NTSTATUS status;

    if (class != MutantOwnerInformation)
        return NtQueryMutant(handle, class, buffer, length, return_length);
    status = mm_probe_for_write(buffer, length, sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = NtQueryMutant(handle, class, AREA,
                               length64(length, sizeof to, sizeof from),
                               return_length);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&from, AREA, sizeof from);
    if (!NT_SUCCESS(status))
        return status;
    to.ClientId.UniqueProcess = narrow_handle(from.ClientId.UniqueProcess);
    to.ClientId.UniqueThread = narrow_handle(from.ClientId.UniqueThread);
    return give(buffer, &to, sizeof to, return_length);
}

/* Regions of such a process end where its addresses do. */
static void narrow_region(const MEMORY_BASIC_INFORMATION *from,
                          MEMORY_BASIC_INFORMATION32 *to)
{
    to->BaseAddress = wow64p_narrow((ULONG_PTR)from->BaseAddress);
    to->AllocationBase = wow64p_narrow((ULONG_PTR)from->AllocationBase);
    to->AllocationProtect = from->AllocationProtect;
    to->RegionSize = wow64p_narrow(from->RegionSize);
    to->State = from->State;
    to->Protect = from->Protect;
    to->Type = from->Type;
}

NTSTATUS wow64_NtQueryVirtualMemory(HANDLE handle, void *address,
                                    ULONG class, void *buffer, ULONG length,
                                    SIZE_T *return_length)
{
    BOOLEAN fits = length >= sizeof(MEMORY_BASIC_INFORMATION32);
    MEMORY_BASIC_INFORMATION from;
    MEMORY_BASIC_INFORMATION32 to;
    SIZE_T size = sizeof to;
    NTSTATUS status = STATUS_SUCCESS;

    if (class == MemoryBasicInformation && fits)
        status = mm_probe_for_write(buffer, sizeof to, sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = NtQueryVirtualMemory(handle, address, class, AREA,
                                      fits ? sizeof from : 0, return_length);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&from, AREA, sizeof from);
    if (!NT_SUCCESS(status))
        return status;
    narrow_region(&from, &to);
    status = mm_copy_to_user(buffer, &to, sizeof to);
    if (NT_SUCCESS(status) && return_length)
        status = mm_copy_to_user(return_length, &size, sizeof size);
    return status;
}

static void narrow_image(const SECTION_IMAGE_INFORMATION *from,
                         SECTION_IMAGE_INFORMATION32 *to)
{
    *to = (SECTION_IMAGE_INFORMATION32){
        .TransferAddress = wow64p_narrow((ULONG_PTR)from->TransferAddress),
        .ZeroBits = from->ZeroBits,
        .MaximumStackSize = wow64p_narrow(from->MaximumStackSize),
        .CommittedStackSize = wow64p_narrow(from->CommittedStackSize),
        .SubSystemType = from->SubSystemType,
        .SubSystemMinorVersion = from->SubSystemMinorVersion,
        .SubSystemMajorVersion = from->SubSystemMajorVersion,
        .ImageCharacteristics = from->ImageCharacteristics,
        .DllCharacteristics = from->DllCharacteristics,
        .Machine = from->Machine,
        .ImageContainsCode = from->ImageContainsCode,
        .ImageFlags = from->ImageFlags,
        .LoaderFlags = from->LoaderFlags,
        .ImageFileSize = from->ImageFileSize,
        .CheckSum = from->CheckSum,
    };
}

static SIZE_T narrow_section(ULONG class, const void *answer, void *to)
{
    const SECTION_BASIC_INFORMATION *basic = answer;

    if (class != SectionBasicInformation) {
        narrow_image(answer, to);
        return sizeof(SECTION_IMAGE_INFORMATION32);
    }
    *(SECTION_BASIC_INFORMATION32 *)to = (SECTION_BASIC_INFORMATION32){
        .BaseAddress = wow64p_narrow((ULONG_PTR)basic->BaseAddress),
        .AllocationAttributes = basic->AllocationAttributes,
        .MaximumSize = basic->MaximumSize,
    };
    return sizeof(SECTION_BASIC_INFORMATION32);
}

NTSTATUS wow64_NtQuerySection(HANDLE handle, ULONG class, void *buffer,
                              ULONG length, SIZE_T *return_length)
{
    ULONG size32 = class == SectionBasicInformation
                       ? sizeof(SECTION_BASIC_INFORMATION32)
                       : sizeof(SECTION_IMAGE_INFORMATION32);
    SECTION_IMAGE_INFORMATION from;
    SECTION_IMAGE_INFORMATION32 to;
    SIZE_T size;
    NTSTATUS status = mm_probe_for_write(buffer, length, sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = NtQuerySection(handle, class, AREA,
                                length >= size32 ? sizeof from : 0,
                                return_length);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&from, AREA, sizeof from);
    if (!NT_SUCCESS(status))
        return status;
    size = narrow_section(class, &from, &to);
    status = mm_copy_to_user(buffer, &to, size);
    if (NT_SUCCESS(status) && return_length)
        status = mm_copy_to_user(return_length, &size, sizeof size);
    return status;
}

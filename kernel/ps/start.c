/*
 * ps/start.c - what a new process finds in its address space.
 *
 * The order is Windows': address space, images, parameters, PEB; stack and
 * TEB come with each thread.  What 64-bit and 32-bit programs do not share is
 * in start64.c and start32.c.
 */
#include "psp.h"

#define TEB_TAG 0x62655420              /* " Teb" */

const struct psp_kind *psp_kind_of(void *section)
{
    return mm_section_image(section)->machine == psp_kind32.machine
               ? &psp_kind32 : &psp_kind64;
}

NTSTATUS psp_write_user(void *to, const void *from, SIZE_T size)
{
    return mm_copy_to_mode(UserMode, to, from, size);
}

NTSTATUS psp_write_peb(const struct psp_start *start)
{
    PEB peb = {
        .Mutant = (HANDLE)(LONG_PTR)-1,
        .ImageBaseAddress = start->process->SectionBaseAddress,
        .ProcessParameters = start->parameters,
        .NumberOfProcessors = KeNumberProcessors,
        .OSMajorVersion = 10,
        .OSBuildNumber = 19041,
        .OSPlatformId = 2,              /* VER_PLATFORM_WIN32_NT */
        .ImageSubsystem = start->image->subsystem,
        .ImageSubsystemMajorVersion = start->image->subsystem_major,
        .ImageSubsystemMinorVersion = start->image->subsystem_minor,
        .ActiveProcessAffinityMask = 1,
    };

    return psp_write_user(start->process->Peb, &peb, sizeof peb);
}

NTSTATUS psp_write_teb(TEB *teb, const CLIENT_ID *cid,
                       const INITIAL_TEB *stack, USHORT flags,
                       void *exception_list, LONG wow_teb_offset)
{
    TEB *local = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *local, TEB_TAG);
    NTSTATUS status;

    if (!local)
        return STATUS_INSUFFICIENT_RESOURCES;
    local->NtTib.ExceptionList = exception_list;
    local->NtTib.StackBase = stack->StackBase;
    local->NtTib.StackLimit = stack->StackLimit;
    local->NtTib.FiberData = (void *)PSP_TIB_VERSION;
    local->NtTib.Self = teb;
    local->ClientId = local->RealClientId = *cid;
    local->ProcessEnvironmentBlock = PsGetCurrentProcess()->Peb;
    local->StaticUnicodeString.MaximumLength =
        sizeof local->StaticUnicodeBuffer;
    local->StaticUnicodeString.Buffer = teb->StaticUnicodeBuffer;
    local->DeallocationStack = stack->StackAllocationBase;
    local->SameTebFlags = flags;
    local->WowTebOffset = wow_teb_offset;
    status = psp_write_user(teb, local, sizeof *local);
    ExFreePoolWithTag(local, TEB_TAG);
    return status;
}

/* ntdll first: it lies at the same place in every process. */
NTSTATUS psp_map_images(struct psp_start *start)
{
    void *base = (void *)start->ntdll->base;
    NTSTATUS status = mm_map_image(start->ntdll->section, &base);

    if (!NT_SUCCESS(status))
        return status;
    base = NULL;
    status = mm_map_image(start->process->SectionObject, &base);
    start->process->SectionBaseAddress = base;
    return status;
}

NTSTATUS psp_build_user_space(struct psp_start *start)
{
    NTSTATUS status = psp_load_ntdll(start->kind);

    start->image = mm_section_image(start->process->SectionObject);
    start->ntdll = psp_ntdll_of(start->kind);
    if (NT_SUCCESS(status))
        status = mm_map_shared_page();
    if (NT_SUCCESS(status))
        status = start->kind->build(start);
    return status;
}

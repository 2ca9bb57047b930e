/*
 * ps/start.c - a process from a boot file: what its first thread finds.
 *
 * The order is Windows': address space, images, parameters, PEB, TEB, stack.
 * What 64-bit and 32-bit programs do not share is in start64.c and start32.c.
 */
#include "psp.h"

#include <nt/ntapi.h>

#define TEB_TAG 0x62655420              /* " Teb" */
#define LOWEST_STACK 0x10000ULL
#define HIGHEST_STACK 0x4000000ULL

const struct psp_kind *psp_kind_of(void *section)
{
    return mm_section_image(section)->machine == psp_kind32.machine
               ? &psp_kind32 : &psp_kind64;
}

NTSTATUS psp_write_user(void *to, const void *from, SIZE_T size)
{
    return mm_copy_to_mode(UserMode, to, from, size);
}

/* The stack is committed at once: there is no demand paging yet. */
NTSTATUS psp_build_stack(struct psp_start *start)
{
    ULONGLONG size = start->image->stack_reserve;
    void *base = NULL;
    NTSTATUS status;

    if (size < LOWEST_STACK)
        size = LOWEST_STACK;
    if (size > HIGHEST_STACK)
        return STATUS_NO_MEMORY;
    status = mm_allocate_user(&base, size, PAGE_READWRITE);
    start->stack_base = (ULONG_PTR)base;
    start->stack_top = (ULONG_PTR)base + ALIGN_UP(size, PAGE_SIZE);
    return status;
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

NTSTATUS psp_write_teb(const struct psp_start *start, void *exception_list,
                       LONG wow_teb_offset)
{
    TEB *local = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *local, TEB_TAG);
    NTSTATUS status;

    if (!local)
        return STATUS_INSUFFICIENT_RESOURCES;
    local->NtTib.ExceptionList = exception_list;
    local->NtTib.StackBase = (void *)start->stack_top;
    local->NtTib.StackLimit = (void *)start->stack_base;
    local->NtTib.FiberData = (void *)PSP_TIB_VERSION;
    local->NtTib.Self = start->teb;
    local->ClientId = local->RealClientId = start->cid;
    local->ProcessEnvironmentBlock = start->process->Peb;
    local->StaticUnicodeString.MaximumLength =
        sizeof local->StaticUnicodeBuffer;
    local->StaticUnicodeString.Buffer = start->teb->StaticUnicodeBuffer;
    local->DeallocationStack = (void *)start->stack_base;
    local->WowTebOffset = wow_teb_offset;
    status = psp_write_user(start->teb, local, sizeof *local);
    ExFreePoolWithTag(local, TEB_TAG);
    return status;
}

NTSTATUS psp_map_ntdll(struct psp_start *start)
{
    void *base = (void *)start->kind->ntdll_base;
    NTSTATUS status = mm_map_image(start->ntdll->section, &base);

    start->ntdll_base = (ULONG_PTR)base;
    return status;
}

NTSTATUS psp_map_program(struct psp_start *start, void *image_section)
{
    void *base = NULL;
    NTSTATUS status = mm_map_image(image_section, &base);

    start->process->SectionBaseAddress = base;
    start->entry_point = (ULONG_PTR)base + start->image->entry_point;
    return status;
}

NTSTATUS psp_build_user_space(struct psp_start *start, void *image_section)
{
    NTSTATUS status = psp_load_ntdll(start->kind, &start->ntdll);

    start->image = mm_section_image(image_section);
    if (NT_SUCCESS(status))
        status = mm_map_shared_page();
    if (NT_SUCCESS(status))
        status = start->kind->map(start, image_section);
    if (NT_SUCCESS(status))
        status = psp_build_parameters(start);
    if (NT_SUCCESS(status))
        status = start->kind->build(start);
    return status;
}

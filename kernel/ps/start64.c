/*
 * ps/start64.c - how a 64-bit program starts.
 *
 * The thread starts in ntdll's LdrInitializeThunk with a CONTEXT on its stack
 * that leads on to RtlUserThreadStart and from there to the program's entry
 * point.
 */
#include "psp.h"

#include <arch/thread.h>
#include <nt/ntapi.h>

static NTSTATUS prepare(EPROCESS *process)
{
    process->HighestUserAddress = (void *)MM_HIGHEST_USER_ADDRESS;
    return STATUS_SUCCESS;
}

static NTSTATUS map(struct psp_start *start, void *image_section)
{
    NTSTATUS status = psp_map_program(start, image_section);

    return NT_SUCCESS(status) ? psp_map_ntdll(start) : status;
}

static NTSTATUS build(struct psp_start *start)
{
    void *peb = NULL, *teb = NULL;
    NTSTATUS status = mm_allocate_user(&peb, sizeof(PEB), PAGE_READWRITE);

    if (NT_SUCCESS(status))
        status = mm_allocate_user(&teb, sizeof(TEB), PAGE_READWRITE);
    start->process->Peb = peb;
    start->teb = teb;
    if (NT_SUCCESS(status))
        status = psp_build_stack(start);
    if (NT_SUCCESS(status))
        status = psp_write_peb(start);
    if (NT_SUCCESS(status))
        status = psp_write_teb(start, NULL, 0);
    return status;
}

static NTSTATUS enter(const struct psp_start *start)
{
    const ULONG *rva = start->ntdll->rva;
    CONTEXT context;
    ULONG_PTR place = ALIGN_DOWN(start->stack_top - sizeof context, 16);
    NTSTATUS status;

    /* The stack below a call: 32 bytes of home area and a return address. */
    arch_initial_context(&context,
                         start->ntdll_base + rva[RTL_USER_THREAD_START],
                         place - 0x28, start->entry_point,
                         (ULONG_PTR)start->process->Peb);
    status = psp_write_user((void *)place, &context, sizeof context);
    if (NT_SUCCESS(status))
        arch_start_user(start->ntdll_base + rva[LDR_INITIALIZE_THUNK],
                        place - 0x28, place, start->ntdll_base);
    return status;
}

const struct psp_kind psp_kind64 = {
    .machine = IMAGE_FILE_MACHINE_AMD64,
    .ntdll = L"ntdll.dll",
    .exports = RTL_USER_THREAD_START + 1,
    .prepare = prepare,
    .map = map,
    .build = build,
    .enter = enter,
};

/*
 * ps/start64.c - how a 64-bit program and its threads start.
 *
 * A thread starts in ntdll's LdrInitializeThunk with a CONTEXT on its stack
 * that leads on to RtlUserThreadStart and from there to the routine it was
 * made for, the first one to the program's entry point.
 */
#include "psp.h"

#include <arch/thread.h>

static NTSTATUS prepare(EPROCESS *process)
{
    process->HighestUserAddress = (void *)MM_HIGHEST_USER_ADDRESS;
    return STATUS_SUCCESS;
}

static NTSTATUS build(struct psp_start *start)
{
    void *peb = NULL;
    NTSTATUS status = psp_map_images(start);

    if (NT_SUCCESS(status))
        status = psp_build_parameters(start);
    if (NT_SUCCESS(status))
        status = mm_allocate_user(&peb, sizeof(PEB), PAGE_READWRITE);
    start->process->Peb = peb;
    if (NT_SUCCESS(status))
        status = psp_write_peb(start);
    return status;
}

static NTSTATUS create_teb(const CLIENT_ID *cid, const INITIAL_TEB *stack,
                           USHORT flags, TEB **teb)
{
    void *place = NULL;
    NTSTATUS status = mm_allocate_user(&place, sizeof(TEB), PAGE_READWRITE);

    if (!NT_SUCCESS(status))
        return status;
    status = psp_write_teb(place, cid, stack, flags, NULL, 0);
    if (!NT_SUCCESS(status))
        mm_free_user(place);
    *teb = place;
    return status;
}

/* NT: since Windows Vista the stack goes with every thread that ends. */
static void free_teb(TEB *teb)
{
    void *stack;

    if (NT_SUCCESS(mm_copy_from_mode(UserMode, &stack,
                                     &teb->DeallocationStack,
                                     sizeof stack)) && stack)
        mm_free_user(stack);
    mm_free_user(teb);
}

/* The stack as below a call: 32 bytes of home area and a return address. */
static void initial_context(const EPROCESS *process, ULONG_PTR routine,
                            ULONG_PTR argument, ULONG_PTR stack_top,
                            CONTEXT *context)
{
    const struct psp_ntdll *ntdll = psp_ntdll_of(&psp_kind64);

    (void)process;
    arch_initial_context(context, ntdll->base +
                                      ntdll->rva[RTL_USER_THREAD_START],
                         stack_top - 0x28, routine, argument);
}

static void *routine_of(const CONTEXT *context)
{
    return (void *)context->Rcx;
}

static NTSTATUS enter(const CONTEXT *context)
{
    const struct psp_ntdll *ntdll = psp_ntdll_of(&psp_kind64);
    ULONG_PTR place = ALIGN_DOWN(context->Rsp - sizeof *context, 16);
    NTSTATUS status = psp_write_user((void *)place, context, sizeof *context);

    if (NT_SUCCESS(status))
        arch_start_user(ntdll->base + ntdll->rva[LDR_INITIALIZE_THUNK],
                        place - 0x28, place, ntdll->base);
    return status;
}

const struct psp_kind psp_kind64 = {
    .machine = IMAGE_FILE_MACHINE_AMD64,
    .ntdll = L"ntdll.dll",
    .exports = KI_USER_CALLBACK_DISPATCHER + 1,
    .prepare = prepare,
    .build = build,
    .create_teb = create_teb,
    .free_teb = free_teb,
    .initial_context = initial_context,
    .routine_of = routine_of,
    .enter = enter,
};

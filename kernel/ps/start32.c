/*
 * ps/start32.c - how a 32-bit program and its threads start.
 *
 * It finds what XP SP3 would have made for it.  64-bit code in the same
 * process finds its own TEB, PEB and parameters: both forms lie in one region
 * (wow64.h), and the strings of the parameters exist once.
 *
 * As in XP the first thing that happens in ring 3 is a user APC, whose
 * routine is LdrInitializeThunk: KiUserApcDispatcher finds its arguments at
 * esp, and above them the context to continue with afterwards, which leads to
 * RtlUserThreadStart with the routine in eax and its argument in ebx.
 */
#include "psp.h"

#include <arch/descriptors.h>
#include <arch/thread.h>
#include <nt/wow64.h>
#include <wow64.h>
#include <x86/registers.h>

#define TEB_TAG 0x32336254              /* "Tb32" */
#define NTDLL_BASE 0x7C900000           /* XP SP3's */
#define END_OF_CHAIN 0xFFFFFFFF
#define PS_WOW_X86_SYSTEM_DLL 1         /* EWOW64PROCESS.NtdllType */
#define ADDRESS32(pointer) ((ULONG)(ULONG_PTR)(pointer))

static NTSTATUS prepare(EPROCESS *process)
{
    EWOW64PROCESS *wow64 = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *wow64,
                                           PSP_WOW64_TAG);

    if (!wow64)
        return STATUS_INSUFFICIENT_RESOURCES;
    wow64->Peb = (void *)WOW64_PEB32;
    wow64->Machine = IMAGE_FILE_MACHINE_I386;
    wow64->NtdllType = PS_WOW_X86_SYSTEM_DLL;
    process->WoW64Process = wow64;
    process->HighestUserAddress = (void *)WOW64_HIGHEST_USER_ADDRESS;
    return STATUS_SUCCESS;
}

static UNICODE_STRING32 narrow(UNICODE_STRING string)
{
    return (UNICODE_STRING32){ string.Length, string.MaximumLength,
                               ADDRESS32(string.Buffer) };
}

/* XP's parameters from Windows 10's, whose strings they share. */
static NTSTATUS write_parameters(const struct psp_start *start, void *to)
{
    RTL_USER_PROCESS_PARAMETERS from;
    RTL_USER_PROCESS_PARAMETERS32 block;
    NTSTATUS status = mm_copy_from_mode(UserMode, &from, start->parameters,
                                        sizeof from);

    if (!NT_SUCCESS(status))
        return status;
    block = (RTL_USER_PROCESS_PARAMETERS32){
        .MaximumLength = sizeof block,
        .Length = sizeof block,
        .Flags = from.Flags,
        .StandardInput = ADDRESS32(from.StandardInput),
        .StandardOutput = ADDRESS32(from.StandardOutput),
        .StandardError = ADDRESS32(from.StandardError),
        .CurrentDirectory.DosPath = narrow(from.CurrentDirectory.DosPath),
        .DllPath = narrow(from.DllPath),
        .ImagePathName = narrow(from.ImagePathName),
        .CommandLine = narrow(from.CommandLine),
        .Environment = ADDRESS32(from.Environment),
        .WindowTitle = narrow(from.WindowTitle),
    };
    return psp_write_user(to, &block, sizeof block);
}

static NTSTATUS write_peb32(const struct psp_start *start, ULONG parameters)
{
    PEB32 peb = {
        .Mutant = 0xFFFFFFFF,
        .ImageBaseAddress = ADDRESS32(start->process->SectionBaseAddress),
        .ProcessParameters = parameters,
        .NumberOfProcessors = KeNumberProcessors,
        .OSMajorVersion = 5,
        .OSMinorVersion = 1,
        .OSBuildNumber = 2600,
        .OSCSDVersion = 0x300,          /* Service Pack 3 */
        .OSPlatformId = 2,              /* VER_PLATFORM_WIN32_NT */
        .ImageSubsystem = start->image->subsystem,
        .ImageSubsystemMajorVersion = start->image->subsystem_major,
        .ImageSubsystemMinorVersion = start->image->subsystem_minor,
    };

    return psp_write_user((void *)WOW64_PEB32, &peb, sizeof peb);
}

static NTSTATUS write_teb32(TEB32 *place, const CLIENT_ID *cid,
                            const INITIAL_TEB *stack)
{
    TEB32 *local = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *local,
                                   TEB_TAG);
    NTSTATUS status;

    if (!local)
        return STATUS_INSUFFICIENT_RESOURCES;
    local->NtTib.ExceptionList = END_OF_CHAIN;
    local->NtTib.StackBase = ADDRESS32(stack->StackBase);
    local->NtTib.StackLimit = ADDRESS32(stack->StackLimit);
    local->NtTib.FiberData = PSP_TIB_VERSION;
    local->NtTib.Self = ADDRESS32(place);
    local->ClientId.UniqueProcess = ADDRESS32(cid->UniqueProcess);
    local->ClientId.UniqueThread = ADDRESS32(cid->UniqueThread);
    local->RealClientId = local->ClientId;
    local->ProcessEnvironmentBlock = (ULONG)WOW64_PEB32;
    local->StaticUnicodeString.MaximumLength =
        sizeof local->StaticUnicodeBuffer;
    local->StaticUnicodeString.Buffer = ADDRESS32(place->StaticUnicodeBuffer);
    local->DeallocationStack = ADDRESS32(stack->StackAllocationBase);
    status = psp_write_user(place, local, sizeof *local);
    ExFreePoolWithTag(local, TEB_TAG);
    return status;
}

/* The first thread's block lies in the process's own region. */
static NTSTATUS allocate_block(struct wow64_thread *block)
{
    if (PsGetCurrentProcess()->ActiveThreads != 0)
        return wow64_allocate_thread(block);
    block->teb = (TEB *)WOW64_TEB;
    block->teb32 = (TEB32 *)WOW64_TEB32;
    return STATUS_SUCCESS;
}

/* 64-bit code in this process has the same stack; it comes by a far jump. */
static NTSTATUS create_teb(const CLIENT_ID *cid, const INITIAL_TEB *stack,
                           USHORT flags, TEB **teb)
{
    struct wow64_thread block;
    NTSTATUS status = allocate_block(&block);

    if (!NT_SUCCESS(status))
        return status;
    status = write_teb32(block.teb32, cid, stack);
    if (NT_SUCCESS(status))
        status = psp_write_teb(block.teb, cid, stack, flags, block.teb32,
                               (LONG)(WOW64_TEB32 - WOW64_TEB));
    if (!NT_SUCCESS(status))
        wow64_free_thread(block.teb);
    *teb = block.teb;
    return status;
}

/* NT: XP frees the stack of a thread that has said so in its TEB. */
static void free_teb(TEB *teb)
{
    TEB32 *teb32 = wow64_teb32(teb);
    UCHAR free_stack = FALSE;
    ULONG stack = 0;

    (void)mm_copy_from_mode(UserMode, &free_stack,
                            &teb32->FreeStackOnTermination,
                            sizeof free_stack);
    (void)mm_copy_from_mode(UserMode, &stack, &teb32->DeallocationStack,
                            sizeof stack);
    if (free_stack && stack)
        mm_free_user((void *)(ULONG_PTR)stack);
    wow64_free_thread(teb);
}

/* What has a fixed address comes first. */
static NTSTATUS map(struct psp_start *start)
{
    void *region = (void *)WOW64_REGION;
    NTSTATUS status = mm_allocate_user(&region, WOW64_REGION_SIZE,
                                       PAGE_READWRITE);

    start->process->Peb = (PEB *)WOW64_PEB;
    if (NT_SUCCESS(status))
        status = psp_map_images(start);
    return NT_SUCCESS(status) ? psp_build_parameters(start) : status;
}

static NTSTATUS build(struct psp_start *start)
{
    void *parameters = NULL;
    NTSTATUS status = map(start);

    if (NT_SUCCESS(status))
        status = mm_allocate_user(&parameters,
                                  sizeof(RTL_USER_PROCESS_PARAMETERS32),
                                  PAGE_READWRITE);
    if (NT_SUCCESS(status))
        status = write_parameters(start, parameters);
    if (NT_SUCCESS(status))
        status = write_peb32(start, ADDRESS32(parameters));
    return NT_SUCCESS(status) ? psp_write_peb(start) : status;
}

static void initial_context(const EPROCESS *process, ULONG_PTR routine,
                            ULONG_PTR argument, ULONG_PTR stack_top,
                            CONTEXT *context)
{
    const struct psp_ntdll *ntdll = psp_ntdll_of(&psp_kind32);

    if (argument == (ULONG_PTR)process->Peb)    /* of the first thread */
        argument = WOW64_PEB32;
    arch_initial_context(context, ntdll->base +
                                      ntdll->rva[RTL_USER_THREAD_START],
                         stack_top - sizeof(ULONG), 0, 0);
    context->SegCs = KGDT_R3_CODE | RPL_MASK;
    context->Rax = (ULONG)routine;
    context->Rbx = (ULONG)argument;
}

static void *routine_of(const CONTEXT *context)
{
    return (void *)(ULONG_PTR)(ULONG)context->Rax;
}

/* What KiUserApcDispatcher finds at esp. */
struct apc_frame {
    ULONG normal_routine;
    ULONG normal_context;
    ULONG system_argument1, system_argument2;
    WOW64_CONTEXT context;
};

/* Only what the creator has given, and with XP's selectors whatever it says. */
static WOW64_CONTEXT narrow_context(const CONTEXT *from)
{
    WOW64_CONTEXT context;

    wow64_narrow_context(from, &context);
    context.ContextFlags = WOW64_CONTEXT_FULL;
    if (CONTEXT_HAS(from, CONTEXT_DEBUG_REGISTERS))
        context.ContextFlags |= WOW64_CONTEXT_DEBUG_REGISTERS;
    context.SegCs = KGDT_R3_CODE | RPL_MASK;
    context.SegSs = KGDT_R3_DATA | RPL_MASK;
    return context;
}

static NTSTATUS enter(const CONTEXT *context)
{
    const struct psp_ntdll *ntdll = psp_ntdll_of(&psp_kind32);
    struct apc_frame frame = {
        .normal_routine = (ULONG)ntdll->base +
                          ntdll->rva[LDR_INITIALIZE_THUNK],
        .system_argument1 = (ULONG)ntdll->base,
        .context = narrow_context(context),
    };
    ULONG esp = frame.context.Esp - 8 - sizeof frame;
    NTSTATUS status = psp_write_user((void *)(ULONG_PTR)esp, &frame,
                                     sizeof frame);

    if (NT_SUCCESS(status))
        arch_start_user32((ULONG)ntdll->base +
                              ntdll->rva[KI_USER_APC_DISPATCHER], esp);
    return status;
}

const struct psp_kind psp_kind32 = {
    .machine = IMAGE_FILE_MACHINE_I386,
    .ntdll = L"ntdll32.dll",
    .ntdll_base = NTDLL_BASE,
    .exports = PSP_EXPORTS,
    .prepare = prepare,
    .build = build,
    .create_teb = create_teb,
    .free_teb = free_teb,
    .initial_context = initial_context,
    .routine_of = routine_of,
    .enter = enter,
};

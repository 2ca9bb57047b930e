/*
 * thread.c - RtlCreateUserThread as in XP: the creator makes stack and
 * context for NtCreateThread.
 *
 * NT: XP's start address is the routine itself, which must not return; here it
 * is RtlUserThreadStart, which calls the routine.
 */
#include "ldrmachine.h"

#define DEFAULT_STACK   0x100000                /* bytes */
#define SELECTOR_CODE   0x1B
#define SELECTOR_DATA   0x23
#define SELECTOR_TEB    0x3B
#define FLAGS           0x202                   /* interrupts on */

void NTAPI RtlUserThreadStart(void *routine, void *parameter);

/* Sizes of 0 are the image's. */
static void choose_sizes(SIZE_T *reserve, SIZE_T *commit)
{
    const IMAGE_NT_HEADERS *headers =
        RtlImageNtHeader(NtCurrentPeb()->ImageBaseAddress);

    if (!*reserve)
        *reserve = headers ? headers->OptionalHeader.SizeOfStackReserve
                           : DEFAULT_STACK;
    if (!*commit)
        *commit = headers ? headers->OptionalHeader.SizeOfStackCommit
                          : PAGE_SIZE;
    if (*commit >= *reserve)
        *reserve = ALIGN_UP(*commit, DEFAULT_STACK);
    *commit = ALIGN_UP(*commit, PAGE_SIZE);
    *reserve = ALIGN_UP(*reserve, ALLOCATION_GRANULARITY);
}

static NTSTATUS commit_part(HANDLE process, UCHAR *at, SIZE_T size,
                            ULONG protect)
{
    void *base = at;

    return NtAllocateVirtualMemory(process, &base, 0, &size, MEM_COMMIT,
                                   protect);
}

/* The top committed, a guard page below; the kernel makes it grow. */
static NTSTATUS create_stack(HANDLE process, ULONG zero_bits, SIZE_T reserve,
                             SIZE_T commit, INITIAL_TEB *stack)
{
    void *base = NULL;
    SIZE_T none = 0;
    UCHAR *limit;
    NTSTATUS status;

    choose_sizes(&reserve, &commit);
    status = NtAllocateVirtualMemory(process, &base, zero_bits, &reserve,
                                     MEM_RESERVE, PAGE_READWRITE);
    if (!NT_SUCCESS(status))
        return status;
    limit = (UCHAR *)base + reserve - commit;
    status = commit_part(process, limit, commit, PAGE_READWRITE);
    if (NT_SUCCESS(status) && reserve - commit > PAGE_SIZE)
        status = commit_part(process, limit - PAGE_SIZE, PAGE_SIZE,
                             PAGE_READWRITE | PAGE_GUARD);
    if (!NT_SUCCESS(status))
        NtFreeVirtualMemory(process, &base, &none, MEM_RELEASE);
    memset(stack, 0, sizeof *stack);
    stack->StackBase = (UCHAR *)base + reserve;
    stack->StackLimit = limit;
    stack->StackAllocationBase = base;
    return status;
}

static void initial_context(CONTEXT *context, const INITIAL_TEB *stack,
                            PUSER_THREAD_START_ROUTINE routine,
                            void *parameter)
{
    memset(context, 0, sizeof *context);
    context->ContextFlags = CONTEXT_FULL;
    context->SegCs = SELECTOR_CODE;
    context->SegDs = context->SegEs = context->SegSs = SELECTOR_DATA;
    context->SegFs = SELECTOR_TEB;
    context->EFlags = FLAGS;
    context->Esp = (ULONG)stack->StackBase - sizeof(ULONG);
    context->Eip = (ULONG)RtlUserThreadStart;
    context->Eax = (ULONG)routine;
    context->Ebx = (ULONG)parameter;
}

NTSTATUS NTAPI RtlCreateUserThread(HANDLE Process, void *SecurityDescriptor,
                                   BOOLEAN CreateSuspended, ULONG ZeroBits,
                                   SIZE_T MaximumStackSize,
                                   SIZE_T CommittedStackSize,
                                   PUSER_THREAD_START_ROUTINE StartAddress,
                                   void *Parameter, HANDLE *Thread,
                                   CLIENT_ID *ClientId)
{
    OBJECT_ATTRIBUTES attributes = {
        .Length = sizeof attributes,
        .SecurityDescriptor = SecurityDescriptor,
    };
    SIZE_T size = 0;
    INITIAL_TEB stack;
    CONTEXT context;
    CLIENT_ID id;
    HANDLE thread;
    NTSTATUS status;

    status = create_stack(Process, ZeroBits, MaximumStackSize,
                          CommittedStackSize, &stack);
    if (!NT_SUCCESS(status))
        return status;
    initial_context(&context, &stack, StartAddress, Parameter);
    status = NtCreateThread(&thread, THREAD_ALL_ACCESS, &attributes, Process,
                            &id, &context, &stack, CreateSuspended);
    if (!NT_SUCCESS(status)) {
        NtFreeVirtualMemory(Process, &stack.StackAllocationBase, &size,
                            MEM_RELEASE);
        return status;
    }
    if (ClientId)
        *ClientId = id;
    if (Thread)
        *Thread = thread;
    else
        NtClose(thread);
    return STATUS_SUCCESS;
}

/* NT: XP's kernel frees the stack of a thread that says so. */
void ldr_give_up_stack(void)
{
    NtCurrentTeb()->FreeStackOnTermination = TRUE;
}

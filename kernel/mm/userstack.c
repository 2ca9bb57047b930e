/*
 * mm/userstack.c - stacks of ring 3 grow.
 *
 * A stack is a private region.  Its top is committed; below that are guard
 * pages, and below those it is only reserved:
 *
 *     DeallocationStack                  StackLimit              StackBase
 *     | never | reserved ... | guard pages | committed, in use ... |
 *
 * The three addresses are in the thread's TEB, where Ps writes them first
 * (ps/userstack.c) and this file moves StackLimit.  Whoever touches a guard
 * page of his own stack, in ring 3 or as the kernel on his behalf, makes it an
 * ordinary page and gets new guard pages below.  Where these would reach the
 * region's first page, which nobody gets, the stack is at its end: what is
 * left of it is committed for whoever handles STATUS_STACK_OVERFLOW, and below
 * that every access is a violation.
 *
 * There are as many guard pages as are to be left in the end, and one more:
 * two or TEB.GuaranteedStackBytes, one for 32-bit code.
 *
 * The TEB is ring 3's to write.  What is done here with its addresses ring 3
 * could do itself, by NtAllocateVirtualMemory.
 */
#include "vad.h"

#include <nt/ntapi.h>
#include <nt/teb.h>
#include <nt/wow64.h>
#include <wow64.h>

#define GUARD64 (3 * PAGE_SIZE)
#define GUARD32 (2 * PAGE_SIZE)

struct stack {
    ULONGLONG bottom;       /* the lowest page that can be committed */
    ULONGLONG limit, base;
    SIZE_T guard;           /* bytes */
};

static BOOLEAN is_process32(void)
{
    return PsGetCurrentProcess()->WoW64Process != NULL;
}

SIZE_T mm_stack_guard_size(void)
{
    return is_process32() ? GUARD32 : GUARD64;
}

/* A TEB that is a guard page itself is not looked at because of that. */
static BOOLEAN is_in_teb(const TEB *teb, ULONGLONG address)
{
    ULONGLONG offset = address - (ULONG_PTR)teb;

    return offset < ALIGN_UP(is_process32() ? WOW64_PEB32 - WOW64_TEB
                                            : sizeof *teb, PAGE_SIZE);
}

static NTSTATUS read_stack64(const TEB *teb, struct stack *stack)
{
    NT_TIB tib;
    void *allocation;
    ULONG guaranteed;
    NTSTATUS status = mm_copy_from_mode(UserMode, &tib, &teb->NtTib,
                                        sizeof tib);

    if (NT_SUCCESS(status))
        status = mm_copy_from_mode(UserMode, &allocation,
                                   &teb->DeallocationStack,
                                   sizeof allocation);
    if (NT_SUCCESS(status))
        status = mm_copy_from_mode(UserMode, &guaranteed,
                                   &teb->GuaranteedStackBytes,
                                   sizeof guaranteed);
    if (!NT_SUCCESS(status))
        return status;
    stack->base = (ULONG_PTR)tib.StackBase;
    stack->limit = (ULONG_PTR)tib.StackLimit;
    stack->bottom = (ULONG_PTR)allocation;
    stack->guard = PAGE_SIZE + ALIGN_UP((SIZE_T)guaranteed, PAGE_SIZE);
    return STATUS_SUCCESS;
}

/* NT: GuaranteedStackBytes is in a TEB of 32-bit code since Vista. */
static NTSTATUS read_stack32(const TEB32 *teb, struct stack *stack)
{
    NT_TIB32 tib;
    ULONG allocation;
    NTSTATUS status = mm_copy_from_mode(UserMode, &tib, &teb->NtTib,
                                        sizeof tib);

    if (NT_SUCCESS(status))
        status = mm_copy_from_mode(UserMode, &allocation,
                                   &teb->DeallocationStack,
                                   sizeof allocation);
    if (!NT_SUCCESS(status))
        return status;
    stack->base = tib.StackBase;
    stack->limit = tib.StackLimit;
    stack->bottom = allocation;
    stack->guard = 0;
    return STATUS_SUCCESS;
}

/* FALSE: address is not in this thread's stack. */
static BOOLEAN find_stack(const TEB *teb, ULONGLONG address,
                          struct stack *stack)
{
    NTSTATUS status = is_process32() ? read_stack32(wow64_teb32(teb), stack)
                                     : read_stack64(teb, stack);

    if (!NT_SUCCESS(status) || address < stack->bottom ||
        address >= stack->base || stack->base > MM_HIGHEST_USER_ADDRESS)
        return FALSE;
    if (stack->guard < mm_stack_guard_size())
        stack->guard = mm_stack_guard_size();
    stack->bottom = ALIGN_DOWN(stack->bottom, PAGE_SIZE) + PAGE_SIZE;
    stack->base = ALIGN_DOWN(stack->base, PAGE_SIZE);
    stack->limit = ALIGN_DOWN(stack->limit, PAGE_SIZE);
    if (stack->limit > stack->base)
        stack->limit = stack->base;
    return TRUE;
}

/* Both TEBs of a 32-bit thread: its 64-bit code has the same stack. */
static void set_limit(TEB *teb, ULONGLONG limit)
{
    ULONG limit32 = (ULONG)limit;

    if (is_process32())
        (void)mm_copy_to_mode(UserMode,
                              &wow64_teb32(teb)->NtTib.StackLimit, &limit32,
                              sizeof limit32);
    (void)mm_copy_to_mode(UserMode, &teb->NtTib.StackLimit, &limit,
                          sizeof limit);
}

/* Ordinary pages from start on, and the limit there. */
static void open_stack(TEB *teb, ULONGLONG start, ULONGLONG end)
{
    if (start < end)
        (void)mm_commit_user((void *)start, end - start, PAGE_READWRITE);
    set_limit(teb, start);
}

/*
 * At page, one that ring 3 has made a guard page again included: of what is in
 * use already nothing changes.
 */
static NTSTATUS grow(TEB *teb, const struct stack *stack, ULONGLONG page)
{
    ULONGLONG limit = page < stack->limit ? stack->limit : page + PAGE_SIZE;

    if (page < stack->bottom || page - stack->bottom < stack->guard) {
        open_stack(teb, stack->bottom, limit);
        return STATUS_STACK_OVERFLOW;
    }
    if (page >= stack->limit)
        return STATUS_SUCCESS;
    open_stack(teb, page, limit);
    return NT_SUCCESS(mm_commit_user((void *)(page - stack->guard),
                                     stack->guard,
                                     PAGE_READWRITE | PAGE_GUARD))
               ? STATUS_SUCCESS : STATUS_STACK_OVERFLOW;
}

NTSTATUS mi_grow_user_stack(ULONGLONG address)
{
    const KTHREAD *thread = KeGetCurrentThread();
    TEB *teb = thread->Teb;
    struct stack stack;

    if (!teb || thread->ApcStateIndex != OriginalApcEnvironment ||
        is_in_teb(teb, address) || !find_stack(teb, address, &stack))
        return STATUS_GUARD_PAGE_VIOLATION;
    return grow(teb, &stack, ALIGN_DOWN(address, PAGE_SIZE));
}

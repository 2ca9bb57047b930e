/*
 * ps/userstack.c - the stack of a new thread of ring 3.
 *
 * As much is reserved as the creator says or the image; the top of it is
 * committed, and below that are guard pages, so that it grows when it is used
 * (mm/userstack.c, with a drawing).
 */
#include "psp.h"

#define RESERVE_STEP 0x100000ULL        /* where commit is all of the reserve */

/* What is committed, and the guard pages if there is room for them. */
static NTSTATUS commit_top(UCHAR *base, SIZE_T reserve, SIZE_T commit)
{
    SIZE_T guard = mm_stack_guard_size();
    UCHAR *limit = base + reserve - commit;
    NTSTATUS status = mm_commit_user(limit, commit, PAGE_READWRITE);

    if (NT_SUCCESS(status) && reserve - commit > guard)
        status = mm_commit_user(limit - guard, guard,
                                PAGE_READWRITE | PAGE_GUARD);
    return status;
}

NTSTATUS psp_create_stack(SIZE_T commit, SIZE_T reserve, INITIAL_TEB *stack)
{
    const struct mm_image_information *image =
        mm_section_image(PsGetCurrentProcess()->SectionObject);
    void *base = NULL;
    NTSTATUS status;

    if (reserve == 0)
        reserve = image->stack_reserve;
    if (commit == 0)
        commit = image->stack_commit ? image->stack_commit : 1;
    if (commit > MM_HIGHEST_USER_ADDRESS || reserve > MM_HIGHEST_USER_ADDRESS)
        return STATUS_NO_MEMORY;
    if (commit >= reserve)
        reserve = ALIGN_UP(commit, RESERVE_STEP);
    commit = ALIGN_UP(commit, PAGE_SIZE);
    reserve = ALIGN_UP(reserve, ALLOCATION_GRANULARITY);
    status = mm_reserve_user(&base, reserve);
    if (!NT_SUCCESS(status))
        return status;
    status = commit_top(base, reserve, commit);
    if (!NT_SUCCESS(status))
        mm_free_user(base);
    *stack = (INITIAL_TEB){
        .StackBase = (UCHAR *)base + reserve,
        .StackLimit = (UCHAR *)base + reserve - commit,
        .StackAllocationBase = base,
    };
    return status;
}

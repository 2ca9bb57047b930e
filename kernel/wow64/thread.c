/*
 * wow64/thread.c - what a further thread of a 32-bit program needs in user
 * memory: a translation area, a TEB and a TEB32 (wow64.h).
 *
 * The first thread's are a part of the process's own region, which has the
 * same distances.
 */
#include "wow64p.h"

#include <nt/ntapi.h>

#define BLOCK_SIZE (WOW64_PEB32 - WOW64_TRANSLATION)
#define TEB_OFFSET (WOW64_TEB - WOW64_TRANSLATION)

ULONGLONG wow64p_translation(void)
{
    return (ULONG_PTR)KeGetCurrentThread()->Teb - TEB_OFFSET;
}

NTSTATUS wow64_allocate_thread(struct wow64_thread *thread)
{
    void *block = NULL;
    NTSTATUS status = mm_allocate_user(&block, BLOCK_SIZE, PAGE_READWRITE);

    if (!NT_SUCCESS(status))
        return status;
    thread->translation = block;
    thread->teb = (TEB *)((UCHAR *)block + TEB_OFFSET);
    thread->teb32 = wow64_teb32(thread->teb);
    return STATUS_SUCCESS;
}

void wow64_free_thread(TEB *teb)
{
    if ((ULONG_PTR)teb != WOW64_TEB)
        mm_free_user((UCHAR *)teb - TEB_OFFSET);
}

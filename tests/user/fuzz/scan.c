/*
 * scan.c - what a call has written.
 *
 * The writable part of the arena is what its copy is, before each call.  Only
 * where an argument points, and only as far as it may be written, may there
 * be a difference; and in that no address of the kernel that the fuzzer has
 * not put there itself, and nothing of a painted stack.  Then what was written
 * is taken back: no later call depends on a time or an address in it.
 *
 * Scenarios: G8.
 */
#include "fuzz.h"

#define PAINT 0x5057A15Du                       /* ../paint.h */
#define NEAR 64u                                /* bytes looked at behind it */

void scan_take_copy(void)
{
    memcpy(arena_copy, arena, ARENA_HOLE * PAGE_SIZE);
    memcpy(arena_copy + ARENA_EDGE * PAGE_SIZE,
           arena + ARENA_EDGE * PAGE_SIZE, PAGE_SIZE);
    memcpy(arena_copy + ARENA_EDGE2 * PAGE_SIZE,
           arena + ARENA_EDGE2 * PAGE_SIZE, PAGE_SIZE);
}

/* Times are negative numbers, too: only the kernel's image is so high. */
static BOOLEAN is_of_kernel(ULONGLONG word, ULONG flags)
{
    return (word >= 0xFFFF800000000000ULL && word < 0xFFFFFF0000000000ULL) ||
           (word >> 24 == 0xFFFFFFFF80ULL && !(flags & ROW_TIME));
}

/* Half a word is no address. */
static const char *check_word(ULONGLONG word, ULONGLONG before, ULONG flags)
{
    ULONGLONG changed = word ^ before;

    if (((ULONG)word == PAINT && (ULONG)changed) ||
        (word >> 32 == PAINT && changed >> 32))
        return "of the kernel's stack";
    if (sizeof(void *) == 8 && changed >> 32 && (ULONG)changed &&
        is_of_kernel(word, flags) && !generate_has_used(word))
        return "an address of the kernel";
    return NULL;
}

/* From there to what is next to it, in words; then it is as it was. */
static const char *scan_range(ULONG from, ULONG limit, ULONG end,
                              ULONG flags)
{
    ULONGLONG *now = (ULONGLONG *)(arena + from);
    ULONGLONG *before = (ULONGLONG *)(arena_copy + from);
    const char *wrong = NULL;

    for (ULONG at = from; at < end; at += 8, now++, before++) {
        if (*now == *before)
            continue;
        if (at >= limit)
            wrong = "written behind the end";
        else
            wrong = flags & ROW_FOREIGN ? NULL
                                        : check_word(*now, *before, flags);
        if (wrong) {
            print("at %x: %016llx, before %016llx\n", at, *now, *before);
            return wrong;
        }
        *now = *before;
    }
    return NULL;
}

/* In the arena's writable pages? */
static BOOLEAN is_mine(ULONG offset)
{
    return offset < ARENA_HOLE * PAGE_SIZE ||
           offset / PAGE_SIZE == ARENA_EDGE ||
           offset / PAGE_SIZE == ARENA_EDGE2;
}

static const char *scan_argument(ULONG_PTR address, ULONG length,
                                 ULONG flags)
{
    ULONG offset = (ULONG)(address - (ULONG_PTR)arena), end;

    if (address - (ULONG_PTR)arena >= ARENA_SIZE || !is_mine(offset))
        return NULL;
    end = (offset + length + NEAR) & ~7u;
    if ((end - 1) / PAGE_SIZE != offset / PAGE_SIZE)
        end = (offset / PAGE_SIZE + 1) * PAGE_SIZE;
    return scan_range(offset & ~7u, offset + length, end, flags);
}

/* What the TEB has of GDI is nobody's here. */
static void clean_teb(ULONG_PTR address)
{
    TEB *teb = NtCurrentTeb();

    if (address - (ULONG_PTR)teb < PAGE_SIZE)
        memset(teb->GdiTebBatch.Buffer, 0, sizeof teb->GdiTebBatch.Buffer);
}

const char *scan_memory(const struct fuzz_call *call)
{
    const char *wrong = NULL;
    ULONG flags;

    if (!call->row)
        return NULL;
    flags = call->row->flags | (world_is_debugged ? ROW_FOREIGN : 0);
    for (ULONG at = 0; at < call->row->count && !wrong; at++) {
        UCHAR kind = call->row->arguments[at].kind;

        clean_teb(call->arguments[at]);
        if (kind != VALUE && kind != HANDLE_OF)
            wrong = scan_argument(call->arguments[at], call->lengths[at],
                                  flags);
    }
    return wrong;
}

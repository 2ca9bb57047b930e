/*
 * generate.c - random calls: which service, by which door, with what.
 *
 * A third of the calls have arguments that are all good, a third have one that
 * is hostile, a third have many.  What a good pointer leads to is written into
 * the argument's own slot of the arena, or to the end of a page behind which
 * there is nothing.
 */
#include "fuzz.h"

#include "facts.h"

#define PICKS 1024
#define NAME_SLOT 12                            /* a string's header, text */
#define TEXT_SLOT 13
#ifdef __x86_64__
#define NUMBER_BITS 13                          /* that count */
#else
#define NUMBER_BITS 14
#endif

/* ---- Numbers ---- */

#ifdef __x86_64__
#define SERVICE(table, number, stack, argc, name) { #name, number },
#else
#define SERVICE32(table, number, letters, routine, name) { #name, number },
#endif

static const struct {
    const char *name;
    ULONG number;
} services[] = {
#ifdef __x86_64__
#include "services.inc.c"
#else
#include "services32.inc.c"
#endif
};

static UCHAR taken[1u << NUMBER_BITS];
static USHORT picks[PICKS], pick_count;
static ULONG numbers[128];

ULONG row_number(ULONG row)
{
    return numbers[row];
}

static void number_row(ULONG row)
{
    for (ULONG at = 0; at < ARRAY_SIZE(services); at++) {
        if (strcmp(services[at].name, rows[row].name) != 0)
            continue;
        numbers[row] = services[at].number;
        for (ULONG i = 0; i < rows[row].weight && pick_count < PICKS; i++)
            picks[pick_count++] = (USHORT)row;
    }
}

/* What no table looks at. */
static ULONG_PTR number_garbage(void)
{
    ULONG_PTR garbage = random32() & ~((1u << NUMBER_BITS) - 1);

#ifdef __x86_64__
    garbage |= (ULONG_PTR)random32() << 32;
#endif
    return garbage;
}

/* At the ends of Windows 10's and XP's tables, and beyond. */
static ULONG_PTR bad_number(void)
{
    static const USHORT limits[] = { 0x1D6, 0x1D7, 0x1D8, 0x11B, 0x11C,
                                     0xFFE, 0xFFF, 0x1000 + 0x523,
                                     0x1000 + 0x524, 0x1FFF, 0x3FF, 0x400 };
    ULONG number;

    do
        number = random32() & 7 ? random32() >> 8
                                : limits[random_below(ARRAY_SIZE(limits))];
    while (taken[number & ((1u << NUMBER_BITS) - 1)]);
    return number;
}

/* ---- Hostile values ---- */

#define POWERS (sizeof(ULONG_PTR) * 8)

static ULONG_PTR powers[POWERS];

/* But for those where memory may be whose state is not known here. */
static void find_powers(void)
{
    for (ULONG at = 0; at < POWERS; at++)
        powers[at] = at >= 16 && at <= 30 ? 8 : (ULONG_PTR)1 << at;
}

void generate_begin(void)
{
    for (ULONG at = 0; at < ARRAY_SIZE(services); at++)
        taken[services[at].number] = TRUE;
    for (ULONG row = 0; row < row_count; row++)
        number_row(row);
    find_powers();
}

static ULONG_PTR special(ULONG which)
{
    const ULONG_PTR base = (ULONG_PTR)arena;

    switch (which) {
    case 0: return 0;
    case 1: return 1 + random_below(16);
    case 2: return 0xFFFF;
    case 3: return FREE_ADDRESS;
    case 4: return FREE_ADDRESS + 1;
    case 5: return base + ARENA_HOLE * PAGE_SIZE;
    case 6: return base + ARENA_HOLE * PAGE_SIZE + 7;
    case 7: return base + ARENA_RESERVED * PAGE_SIZE;
    case 8: return base + ARENA_READ * PAGE_SIZE;
    case 9: return base + ARENA_READ * PAGE_SIZE + 4;
    case 10: return base + ARENA_CODE * PAGE_SIZE;
    case 11: return base + ARENA_GUARD * PAGE_SIZE + (random32() & 0x7F8);
    case 12: return USER_SHARED_DATA + 0x30;    /* what does not change */
    case 13: return USER_SHARED_DATA + 0xFFC;
    case 14: return (ULONG_PTR)&NtCurrentTeb()->GdiTebBatch.Buffer;
    case 15: return USER_SHARED_DATA + 0x26C;
    case 16: return TOP + 1;
    case 17: return TOP - 7;
    case 18: return TOP;
    case 19: return KERNEL_ADDRESS;
    case 20: return ~(ULONG_PTR)0;
    case 21: return ~(ULONG_PTR)0 - 7;
#ifdef __x86_64__
    case 22: return 0x800000000000ULL;
    case 23: return 0x7FFFFFFFFFF8ULL;
    case 24: return 0x8000000000000000ULL;
    case 25: return 0xFFFF7FFFFFFFFFF8ULL;
    case 26: return 0xFFFFF78000000000ULL;
    case 27: return 0xFFFFFFFF80000000ULL;
    case 28: return 0xFFFFF68000000000ULL;
#else
    case 22: return 0xFFFFF000;
    case 23: return 0xC0000000;
    case 24: return 0x7FFFFFF8;
    case 25: return 0xFFDFF000;
#endif
    case 29: return powers[random32() % POWERS];
    case 30: return powers[random32() % POWERS] - 8;
    default: return FREE_ADDRESS + (random32() & 0x7FFC);
    }
}

#define SPECIALS 32
#define TEB_SPECIAL 14

ULONG_PTR generate_special(void)
{
    return special(random_below(SPECIALS));
}

/* The addresses of the kernel that are the fuzzer's own idea. */
BOOLEAN generate_has_used(ULONGLONG value)
{
    static const ULONGLONG mine[] = {
        0xFFFF800000000000ULL, 0xFFFFF78000000000ULL, 0xFFFFFFFF80000000ULL,
        0xFFFFF68000000000ULL };

    for (ULONG at = 0; at < ARRAY_SIZE(mine); at++)
        if (value >= mine[at] && value < mine[at] + 0x1000)
            return TRUE;
    return FALSE;
}

static ULONG_PTR hostile_number(void)
{
    static const ULONG some[] = { 0, 1, 2, 3, 5, 7, 8, 0xFF, 0x100, 0xFFF,
                                  0x1000, 0x1001, 0xFFFF, 0x8000, 0x7FFFFFFF,
                                  0x80000000, 0xFFFFFFFF, 0xFFFFFFFE };
    ULONG r = random32();

    if (r & 1)
        return some[(r >> 8) % ARRAY_SIZE(some)];
    return r & 2 ? powers[(r >> 8) % 32] : special((r >> 8) % SPECIALS);
}

/* ---- What a pointer leads to ---- */

static ULONG slot_of(ULONG argument)
{
    return argument * SLOT;
}

/* In the arena and in its copy. */
static void put(ULONG offset, const void *from, ULONG size)
{
    memcpy(arena + offset, from, size);
    memcpy(arena_copy + offset, from, size);
}

static void put_pointer(ULONG offset, ULONG_PTR value)
{
    *(ULONG_PTR *)(arena + offset) = value;
    *(ULONG_PTR *)(arena_copy + offset) = value;
}

static void put32(ULONG offset, ULONG value)
{
    *(ULONG *)(arena + offset) = value;
    *(ULONG *)(arena_copy + offset) = value;
}

static void fill_text(void)
{
    static const WCHAR text[] = L"\\fuzz\\BaseNamedObjects\\other";

    put(slot_of(TEXT_SLOT), text, sizeof text);
}

/* Names: "\fuzz", below it, relative, empty, of an odd length, bad text. */
static void fill_string(ULONG offset)
{
    static const USHORT lengths[] = { 10, 10, 10, 0, 12, 8, 3, 2, 52, 0xFFFF,
                                      0xFFFE, 0xFFFC };
    ULONG r = random32();
    ULONG_PTR text = (ULONG_PTR)arena + slot_of(TEXT_SLOT);
    UNICODE_STRING string = { lengths[(r & 0xFF) % ARRAY_SIZE(lengths)],
                              0x100, (WCHAR *)text };

    if ((r >> 8 & 7) == 0)
        string.Buffer = (WCHAR *)special((r >> 12) % SPECIALS);
    else if ((r >> 8 & 7) == 1)
        string.Buffer = (WCHAR *)(text + 1 + (r >> 12 & 3));
    put(offset, &string, sizeof string);
}

static void fill_attributes(ULONG offset)
{
    static const UCHAR flags[] = { 0, 0, 0, OBJ_INHERIT, OBJ_CASE_INSENSITIVE,
                                   OBJ_OPENIF, 0, OBJ_EXCLUSIVE };
    ULONG r = random32();
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .Attributes = flags[r & 7] };

    switch (r >> 4 & 7) {
    case 0:
    case 1:
        fill_string(slot_of(NAME_SLOT));
        attributes.ObjectName = (void *)(arena + slot_of(NAME_SLOT));
        break;
    case 2:
        attributes.ObjectName = (void *)special((r >> 12) % SPECIALS);
        break;
    case 3:
        attributes.Length += (r >> 12 & 0xFF) - 0x80;
        break;
    case 4:
        attributes.Attributes |= 1u << (r >> 12 & 31);
        attributes.Attributes &= ~OBJ_PERMANENT;
        break;
    default:
        break;
    }
    if ((r >> 24 & 15) == 0)
        attributes.RootDirectory =
            (HANDLE)known_handles[random_below(known_handle_count)].value;
    put(offset, &attributes, sizeof attributes);
}

static void fill_base(ULONG offset)
{
    ULONG r = random32();
    ULONG_PTR base = (ULONG_PTR)playground;

    switch (r & 7) {
    case 0:
        base = 0;
        break;
    case 1:
        base = special((r >> 8) % SPECIALS);
        break;
    case 2:
        base += (r >> 8) % PLAYGROUND_SIZE;
        break;
    default:
        base += (r >> 8) % PLAYGROUND_SIZE & ~0xFFFu;
        break;
    }
    put_pointer(offset, base);
}

static void fill_length(ULONG offset)
{
    static const ULONG lengths[] = { 0, 1, 0x1000, 0x1000, 0x2000, 0x3001,
                                     0x10000, 0x10001, 0x7FFFFFFF,
                                     0x80000000 };
    ULONG r = random32();

    put_pointer(offset, r & 0xF00 ? lengths[(r & 0xFF) % ARRAY_SIZE(lengths)]
                                  : special(r % SPECIALS));
}

static void fill_words(ULONG offset, ULONG size)
{
    if (size > 64)
        size = 64;
    for (ULONG at = 0; at < size; at += 4)
        put32(offset + at, random32() & 1 ? random32() & 0x3F
                                          : random32() & 0x7FFFFFFF);
}

/* Now, or a time that is over. */
static void fill_timeout(ULONG offset)
{
    put32(offset, random32() & 1);
    put32(offset + 4, 0);
}

static void fill(const struct argument *argument, ULONG offset)
{
    switch (argument->kind) {
    case ATTRIBUTES:
        fill_attributes(offset);
        break;
    case NAME_STRING:
        fill_string(offset);
        break;
    case TIMEOUT:
        fill_timeout(offset);
        break;
    case BASE:
        fill_base(offset);
        break;
    case LENGTH:
        fill_length(offset);
        break;
    case IN:
    case INOUT:
    case BUFFER_IN:
        fill_words(offset, argument->size < 8 ? 8 : argument->size);
        break;
    default:
        break;
    }
}

/* ---- Arguments ---- */

static ULONG size_of(const struct argument *argument)
{
    switch (argument->kind) {
    case ATTRIBUTES:
        return sizeof(OBJECT_ATTRIBUTES);
    case NAME_STRING:
        return sizeof(UNICODE_STRING);
    case BUFFER_IN:
    case BUFFER_OUT:
        return 0x40;
    default:
        return argument->size;
    }
}

static ULONG edges;                             /* of this call, in use */

/* A place with that much room, or a byte less, at the end of a page. */
static ULONG_PTR at_edge(const struct argument *argument, ULONG short_by)
{
    static const UCHAR pages[] = { ARENA_EDGE, ARENA_EDGE2 };
    ULONG size = (size_of(argument) + 7) & ~7u;
    ULONG end = (pages[edges++] + 1) * PAGE_SIZE;

    if (short_by == 0)
        fill(argument, end - size);
    return (ULONG_PTR)arena + end - size + short_by;
}

static ULONG_PTR good_pointer(const struct argument *argument, ULONG at)
{
    if (argument->kind == CONTEXT_IN)
        return (ULONG_PTR)arena + ARENA_READ * PAGE_SIZE;
    if (edges < 2 && (random32() & 7) == 0)
        return at_edge(argument, 0);
    fill(argument, slot_of(at));
    return (ULONG_PTR)arena + slot_of(at);
}

static ULONG_PTR bad_pointer(const struct argument *argument, ULONG at)
{
    ULONG r = random32();

    if ((r & 3) == 0 && edges < 2 && argument->kind != CONTEXT_IN)
        return at_edge(argument, 8 - (r >> 8 & 4) * (argument->alignment <= 4));
    if ((r & 3) == 1 && argument->kind != CONTEXT_IN)
        return (ULONG_PTR)arena + slot_of(at) + 1 + (r >> 8) % 7;
    if ((r >> 8) % SPECIALS == TEB_SPECIAL && argument->size < 16 &&
        (argument->kind == BUFFER_OUT || argument->kind == BUFFER_IN))
        return 0;                       /* of what size it may be is unknown */
    return special((r >> 8) % SPECIALS);
}

static ULONG_PTR good_value(const struct argument *argument)
{
    return argument->count
               ? argument->values[random_below(argument->count)]
               : hostile_number();
}

static ULONG_PTR handle(const struct argument *argument, BOOLEAN hostile)
{
    enum object object = argument->object;

    if (hostile)
        return known_handles[random_below(known_handle_count)].value;
    if (object == SIGNALLED)
        object = EVENT + random_below(3);
    else if (object >= OBJECTS)
        object = EVENT + random_below(OBJECTS - EVENT);
    return good_handles[object];
}

static ULONG_PTR choose(const struct row *row, ULONG at, BOOLEAN hostile)
{
    const struct argument *argument = &row->arguments[at];

    switch (argument->kind) {
    case HANDLE_OF:
        return handle(argument, hostile);
    case VALUE:
        return hostile ? hostile_number() : good_value(argument);
    default:
        if (hostile)
            return bad_pointer(argument, at);
        return argument->optional && (random32() & 3) == 0
                   ? 0 : good_pointer(argument, at);
    }
}

/* A ULONG's register has an upper half that is nobody's. */
static ULONG_PTR dirty(const struct argument *argument, ULONG_PTR value)
{
#ifdef __x86_64__
    if (argument->kind == VALUE && !argument->wide && (random32() & 3) == 0)
        return (ULONG)value | (ULONG_PTR)random32() << 32;
#else
    (void)argument;
#endif
    return value;
}

static void choose_length(struct fuzz_call *call)
{
    const struct row *row = call->row;

    if (row->exact && random32() & 6)
        call->arguments[row->length] =
            row->exact((ULONG)call->arguments[row->class]);
}

/* A buffer stays in its slot, or leaves the arena. */
static void limit_lengths(struct fuzz_call *call)
{
    const struct row *row = call->row;

    for (ULONG at = 0; at < row->count; at++) {
        const struct argument *argument = &row->arguments[at];
        ULONG_PTR *length = &call->arguments[argument->size];

        if ((argument->kind == BUFFER_OUT || argument->kind == BUFFER_IN) &&
            call->arguments[at] - (ULONG_PTR)arena < ARENA_SIZE &&
            (ULONG)*length > SLOT - 0x100 && (ULONG)*length < ARENA_SIZE)
            *length = SLOT - 0x100;
    }
}

static ULONG written(const struct fuzz_call *call, ULONG at)
{
    const struct argument *argument = &call->row->arguments[at];

    switch (argument->kind) {
    case OUT:
    case INOUT:
    case BASE:
    case LENGTH:
        return argument->size;
    case BUFFER_OUT:
        return call->arguments[argument->size] < SLOT
                   ? (ULONG)call->arguments[argument->size] : SLOT;
    default:
        return 0;
    }
}

static void fill_arguments(struct fuzz_call *call)
{
    const struct row *row = call->row;
    ULONG mood = random_below(3), one = random_below(row->count + 1);

    edges = 0;
    for (ULONG at = 0; at < row->count; at++) {
        BOOLEAN hostile = mood == 0 ? FALSE : mood == 1 ? at == one
                                            : (random32() & 2) != 0;

        call->arguments[at] = choose(row, at, hostile);
    }
    if (mood != 2)
        choose_length(call);
    for (ULONG at = 0; at < row->count; at++)
        call->arguments[at] = dirty(&row->arguments[at], call->arguments[at]);
    limit_lengths(call);
    if (row->tame)
        row->tame(call);
    for (ULONG at = 0; at < row->count; at++)
        call->lengths[at] = written(call, at);
}

static ULONG_PTR random_flags(void)
{
    ULONG r = random32();

    return r & 0x30000000 ? r & 0x8D5 : r & 0x244CD5;
}

void generate(struct fuzz_call *call)
{
    ULONG r = random32(), pick;

    call->door = random_below(gate_doors);
    call->flags = random_flags();
    call->row = NULL;
    if ((r & 0xF) == 0) {
        call->number = bad_number();
    } else {
        pick = picks[random_below(pick_count)];
        call->row = &rows[pick];
        call->number = numbers[pick];
    }
    if ((r & 0x300) == 0)
        call->number = (call->number & ((1u << NUMBER_BITS) - 1)) |
                       number_garbage();
    for (ULONG at = call->row ? call->row->count : 0; at < ARGUMENTS; at++)
        call->arguments[at] = special(random_below(SPECIALS));
    if (call->row && call->row->flags & ROW_VICTIM)
        world_make_victim();
    if (call->row)
        fill_arguments(call);
    if ((r & 0xF000) == 0)
        fill_text();
}

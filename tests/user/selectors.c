/*
 * selectors.c - ds, es, fs and gs with every selector that can be loaded,
 * before every door.
 *
 * 64-bit code does not need ds, es and fs, and the kernel neither loads nor
 * looks at them: the call works and they are what they were.  Loading gs
 * loses the TEB for good (only ring 0 can set the base again), so gs is the
 * last one, and nothing after it looks for the TEB.
 *
 * Scenarios: E1, E6.
 */
#include "test.h"

#include "../../programs/lib/door.h"

#define LAST 0x5B                               /* the GDT ends at 5F */
#define NULL_LAST 3

static const struct door *door;

static USHORT get_ds(void)
{
    USHORT selector;

    __asm__ volatile("movw %%ds, %0" : "=r"(selector));
    return selector;
}

static USHORT get_es(void)
{
    USHORT selector;

    __asm__ volatile("movw %%es, %0" : "=r"(selector));
    return selector;
}

static USHORT get_fs(void)
{
    USHORT selector;

    __asm__ volatile("movw %%fs, %0" : "=r"(selector));
    return selector;
}

static USHORT get_gs(void)
{
    USHORT selector;

    __asm__ volatile("movw %%gs, %0" : "=r"(selector));
    return selector;
}

static void set_ds(USHORT selector)
{
    __asm__ volatile("movw %0, %%ds" : : "r"(selector) : "memory");
}

static void set_es(USHORT selector)
{
    __asm__ volatile("movw %0, %%es" : : "r"(selector) : "memory");
}

static void set_fs(USHORT selector)
{
    __asm__ volatile("movw %0, %%fs" : : "r"(selector) : "memory");
}

static void set_gs(USHORT selector)
{
    __asm__ volatile("movw %0, %%gs" : : "r"(selector) : "memory");
}

static const struct segment {
    const char *name;
    USHORT (*get)(void);
    void (*set)(USHORT selector);
} segments[] = {
    { "ds", get_ds, set_ds }, { "es", get_es, set_es },
    { "fs", get_fs, set_fs }, { "gs", get_gs, set_gs },
};

static BOOLEAN is_readable(USHORT selector)
{
    BOOLEAN readable;

    __asm__ volatile("verr %1" : "=@ccz"(readable) : "r"(selector) : "cc");
    return readable;
}

/* Ring 3 may load the null selectors, and what it may read. */
static BOOLEAN is_loadable(USHORT selector)
{
    return selector <= NULL_LAST || is_readable(selector);
}

/* The descriptors of ring 3: 18h, 20h, 28h, 38h, by any RPL; no LDT. */
static void check_what_is_loadable(void)
{
    USHORT selector;

    for (selector = 0; selector <= LAST; selector++) {
        USHORT entry = selector & ~3;
        BOOLEAN expected = entry == 0x18 || entry == 0x20 || entry == 0x28 ||
                           entry == 0x38;

        CHECK_SAY(is_readable(selector) == expected, "selector %x", selector);
    }
}

static void check_call(const struct segment *segment, USHORT selector)
{
    static struct call call;
    static PROCESS_BASIC_INFORMATION basic;
    static ULONG number, length;
    const ULONGLONG arguments[] = { (ULONGLONG)NtCurrentProcess(), 0,
                                    (ULONGLONG)&basic, sizeof basic,
                                    (ULONGLONG)&length };
    USHORT after;

    if (!number)
        number = stub_number(find_stub("NtQueryInformationProcess"));
    basic.PebBaseAddress = NULL;
    length = 0;
    call_prepare(&call, door->raw, ARRAY_SIZE(arguments), arguments);
    call.in.Rax = number;
    segment->set(selector);
    call_with_registers(&call);
    /* IRET, which the clock may bring, makes 0 of a null one (SDM: 2A). */
    after = segment->get();
    CHECK_SAY(after == selector || (selector <= NULL_LAST && after == 0),
              "%s %x is %x", segment->name, selector, after);
    CHECK_STATUS(call.out.Rax, STATUS_SUCCESS);
    CHECK(basic.PebBaseAddress && length == sizeof basic);
}

static void check_segment(const struct segment *segment)
{
    USHORT selector;

    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        for (selector = 0; selector <= LAST; selector++)
            if (is_loadable(selector))
                check_call(segment, selector);
    }
}

/* ntdll's way out wants the TEB, so the way out is the service itself. */
NTSTATUS NtProcessStartup(PEB *peb)
{
    ULONG at;

    (void)peb;
    print("print remembers where to: the TEB is lost later\n");
    check_what_is_loadable();
    for (at = 0; at < ARRAY_SIZE(segments); at++) {
        USHORT before = segments[at].get();

        check_segment(&segments[at]);
        segments[at].set(before);
    }
    return NtTerminateProcess(NtCurrentProcess(), test_end());
}

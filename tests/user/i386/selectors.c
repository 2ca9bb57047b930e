/*
 * selectors.c - the segment registers of 32-bit code with every selector that
 * can be loaded, before every door.
 *
 * The call works whatever they are.  INT 2Eh gives them back; behind SYSENTER
 * ds, es and fs are what every program has, as in XP, and gs is kept.
 * Selectors that cannot be loaded end the program: once ds_08 and so on.
 *
 * ss is another matter.  It may be 3Bh, the TEB's segment, where esp counts
 * from the TEB.  SYSEXIT loads 23h, as XP's, IRET gives back what was there.
 *
 * Scenarios: E1.
 */
#include "../test.h"

#include "../../../programs/lib/i386/call.h"

#include "selectors.h"
#include "xp.h"

#define LAST 0x5B                               /* the GDT ends at 4F */
#define NULL_LAST 3
#define DATA 0x23
#define TEB_SELECTOR 0x3B
#define OTHER_ESP 0xF00                         /* in the TEB's page */

static const char *const names[] = { "ds", "es", "fs", "gs" };

static const struct door *door;
static struct door_stack stack;
static PROCESS_BASIC_INFORMATION basic;
static ULONG length;

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

static struct selectors_call prepare(void)
{
    const ULONG arguments[] = { (ULONG)NtCurrentProcess(),
                                ProcessBasicInformation, (ULONG)&basic,
                                sizeof basic, (ULONG)&length };
    struct selectors_call call = {
        .by_sysenter = door->below != 0,
        .eax = SERVICE_NtQueryInformationProcess,
        .edx = (ULONG)stack.arguments - door->below,
    };

    memset(&basic, 0, sizeof basic);
    length = 0;
    memcpy(stack.arguments, arguments, sizeof arguments);
    return call;
}

static void check_answer(const struct selectors_call *call, const char *name,
                         ULONG selector)
{
    CHECK_SAY(call->eax == STATUS_SUCCESS &&
              basic.PebBaseAddress == NtCurrentPeb() &&
              length == sizeof basic, "%s %x: %08x", name, selector,
              call->eax);
    CHECK_SAY(call->ebx_after == call->ebx && call->esi_after == call->esi &&
              call->edi_after == call->edi, "%s %x: registers", name,
              selector);
}

/*
 * IRET to ring 3 makes 0 of every null selector (SDM: 2A, IRET); the clock's
 * does so, too, whichever door was taken.
 */
static BOOLEAN is_kept(ULONG in, ULONG out)
{
    return out == in || (in <= NULL_LAST && out == 0);
}

static void check_selectors(const struct selectors_call *call,
                            const char *name, USHORT selector)
{
    static const ULONG loaded[] = { DATA, DATA, TEB_SELECTOR };
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(call->out); at++) {
        BOOLEAN good = door->below && at < ARRAY_SIZE(loaded)
                           ? call->out[at] == loaded[at]
                           : is_kept(call->in[at], call->out[at]);

        CHECK_SAY(good, "%s %x: %s %x is %x", name, selector, names[at],
                  call->in[at], call->out[at]);
    }
}

/* One of the four, or all of them, is selector. */
static void check_call(ULONG which, USHORT selector)
{
    struct selectors_call call = prepare();
    const char *name = which < ARRAY_SIZE(names) ? names[which] : "all";
    ULONG at;

    selectors_get(call.in);
    for (at = 0; at < ARRAY_SIZE(call.in); at++)
        if (at == which || which == ARRAY_SIZE(names))
            call.in[at] = selector;
    stack.back = selectors_call_behind;
    selectors_call(&call);
    check_answer(&call, name, selector);
    check_selectors(&call, name, selector);
}

/* SYSENTER forgets ss; INT does not, but SYSEXIT on its way back does. */
static void check_stack_segment(USHORT selector)
{
    struct selectors_call call = prepare();
    BOOLEAN by_sysexit = doors_end() == doors + 2;

    call.ss = selector;
    call.esp = OTHER_ESP;
    stack.back = selectors_call_on_stack_behind;
    selectors_call_on_stack(&call);
    check_answer(&call, "ss", selector);
    CHECK_SAY(call.ss_after == (by_sysexit ? DATA : selector), "ss %x is %x",
              selector, call.ss_after);
    CHECK_SAY(call.esp_after == (door->below ? call.edx + 4 : OTHER_ESP),
              "esp is %x", call.esp_after);
}

static void check_door(void)
{
    ULONG which;
    USHORT selector;

    for (which = 0; which <= ARRAY_SIZE(names); which++)
        for (selector = 0; selector <= LAST; selector++)
            if (is_loadable(selector))
                check_call(which, selector);
    check_stack_segment(DATA);
    check_stack_segment(TEB_SELECTOR);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_what_is_loadable();
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        check_door();
    }
    return test_end();
}

/*
 * monitors.c - callbacks: the kernel calls this program in the middle of a
 * service, and the program does with that what it can.
 *
 * NtUserEnumDisplayMonitors calls routine 0 of PEB.KernelCallbackTable, which
 * is dispatch here; what it does is up to "behaviour".  With the word "exit"
 * the program ends inside a callback.
 *
 * Scenarios: I10.
 */
#include "test.h"

#include <nt/gdi.h>

#define WITHIN 3                        /* levels of nesting that must do */

static BOOLEAN (*behaviour)(struct gdi_monitor_callback *call);
static struct gdi_monitor_callback last;
static ULONG calls, depth, deepest;

static NTSTATUS answer(ULONG value)
{
    return NtCallbackReturn(&value, sizeof value, STATUS_SUCCESS);
}

static NTSTATUS NTAPI dispatch(void *data, ULONG length)
{
    calls++;
    CHECK(length == sizeof last);
    memcpy(&last, data, sizeof last);
    answer(behaviour(&last));
    CHECK_SAY(FALSE, "NtCallbackReturn came back");
    return STATUS_UNSUCCESSFUL;
}

static BOOLEAN yes(struct gdi_monitor_callback *call)
{
    (void)call;
    return TRUE;
}

static BOOLEAN no(struct gdi_monitor_callback *call)
{
    (void)call;
    return FALSE;
}

static BOOLEAN ask(LONG_PTR data)
{
    return NtUserEnumDisplayMonitors(NULL, NULL, (void *)0x1234, data);
}

static void test_answers(void)
{
    const RECT part = { 10, 20, 30, 40 }, outside = { -20, -20, -10, -10 };

    behaviour = yes;
    CHECK(ask(-5) && calls == 1);
    CHECK(last.data == -5 && last.routine == 0x1234 && last.dc == 0 &&
          last.monitor != 0 && last.rect.left == 0 && last.rect.right > 0);
    CHECK(NtUserEnumDisplayMonitors(NULL, &part, NULL, 0) && calls == 2);
    CHECK(memcmp(&last.rect, &part, sizeof part) == 0);
    CHECK(NtUserEnumDisplayMonitors(NULL, &outside, NULL, 0) && calls == 2);
    CHECK(!NtUserEnumDisplayMonitors((HANDLE)4, NULL, NULL, 0));
    CHECK(!NtUserEnumDisplayMonitors(NULL, (RECT *)0x10, NULL, 0));
    behaviour = no;
    CHECK(!ask(0) && calls == 3);
    CHECK_STATUS(NtCallbackReturn(NULL, 0, 0), STATUS_NO_CALLBACK_ACTIVE);
}

/* Not one ULONG, or none that can be read: the service fails. */
static BOOLEAN bad_pointer(struct gdi_monitor_callback *call)
{
    (void)call;
    NtCallbackReturn((void *)0x10, sizeof(ULONG), STATUS_SUCCESS);
    return TRUE;
}

static BOOLEAN kernel_pointer(struct gdi_monitor_callback *call)
{
    (void)call;
    NtCallbackReturn((void *)(LONG_PTR)-0x1000, sizeof(ULONG), STATUS_SUCCESS);
    return TRUE;
}

static BOOLEAN wrong_length(struct gdi_monitor_callback *call)
{
    ULONGLONG value = 1;

    (void)call;
    NtCallbackReturn(&value, sizeof value, STATUS_SUCCESS);
    return TRUE;
}

static BOOLEAN failure(struct gdi_monitor_callback *call)
{
    ULONG value = 1;

    (void)call;
    NtCallbackReturn(&value, sizeof value, STATUS_UNSUCCESSFUL);
    return TRUE;
}

static void test_bad_answers(void)
{
    static BOOLEAN (*const bad[])(struct gdi_monitor_callback *) = {
        bad_pointer, kernel_pointer, wrong_length, failure
    };

    for (ULONG i = 0; i < ARRAY_SIZE(bad); i++) {
        behaviour = bad[i];
        CHECK_SAY(!ask(0), "bad answer %u", i);
    }
}

/* A callback in a callback, until the kernel says that it is enough. */
static BOOLEAN nest(struct gdi_monitor_callback *call)
{
    LONGLONG wanted = call->data;
    BOOLEAN held;

    if (++depth > deepest)
        deepest = depth;
    held = (LONGLONG)depth >= wanted || ask((LONG_PTR)wanted);
    depth--;
    return held;
}

static void test_nesting(void)
{
    behaviour = nest;
    CHECK(ask(WITHIN) && deepest == WITHIN && depth == 0);
    CHECK(!ask(1000));
    CHECK_SAY(deepest > WITHIN && deepest < 1000 && depth == 0,
              "deepest %u, depth %u", deepest, depth);
    behaviour = yes;
    CHECK(ask(0));
}

static BOOLEAN leave(struct gdi_monitor_callback *call)
{
    (void)call;
    NtTerminateProcess(NtCurrentProcess(), test_end());
    return FALSE;
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    static void *const table[] = { dispatch };

    peb->KernelCallbackTable = (void *)table;
    if (!strcmp(test_words(), "exit")) {
        behaviour = leave;
        ask(0);
        return STATUS_UNSUCCESSFUL;
    }
    test_answers();
    test_bad_answers();
    test_nesting();
    return test_end();
}

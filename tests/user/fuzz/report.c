/*
 * report.c - the count of what was done, and the line of a finding.
 */
#include "fuzz.h"

#define MOST 200                                /* different statuses */

struct tally tally;

static NTSTATUS seen[MOST];
static ULONG seen_count;

/* Successes may depend on the time: whether it was that one is not hashed. */
void report_status(NTSTATUS status)
{
    ULONG at = 0;

    tally.hash = (tally.hash ^ (ULONG)(status < 0 ? status : 0)) *
                 0x01000193u;
    while (at < seen_count && seen[at] != status)
        at++;
    if (at == seen_count && seen_count < MOST)
        seen[seen_count++] = status;
}

ULONG report_statuses(void)
{
    return seen_count;
}

/* What a slot holds, as words: the fuzzer's own memory. */
static void print_slot(const struct fuzz_call *call, ULONG at)
{
    const ULONG_PTR *words = (const ULONG_PTR *)call->arguments[at];

    if (call->row->arguments[at].kind < IN ||
        memory_status((ULONG_PTR)words, 6 * sizeof *words, 1, FALSE))
        return;
    print("    ->");
    for (ULONG i = 0; i < 6; i++)
        print(" %llx", (ULONGLONG)words[i]);
    print("\n");
}

/* Where an OBJECT_ATTRIBUTES leads. */
static void print_name(const struct fuzz_call *call, ULONG at)
{
    const OBJECT_ATTRIBUTES *attributes = (void *)call->arguments[at];
    const UNICODE_STRING *name;

    if (call->row->arguments[at].kind != ATTRIBUTES ||
        memory_status((ULONG_PTR)attributes, sizeof *attributes, 4, FALSE))
        return;
    name = attributes->ObjectName;
    if (!memory_status((ULONG_PTR)name, sizeof *name, 1, FALSE))
        print("    name %p: %x bytes at %p\n", (void *)name, name->Length,
              (void *)name->Buffer);
}

static void print_expected(const struct fuzz_call *call,
                           const struct verdict *verdict)
{
    const NTSTATUS *may = call->row ? call->row->may : NULL;

    print("  model:");
    if (verdict->certain)
        print(" %08x %s", verdict->certain, status_name(verdict->certain));
    for (ULONG at = 0; at < verdict->count; at++)
        print(" %08x", verdict->maybe[at]);
    for (; !verdict->certain && may && *may; may++)
        print(" %08x", *may);
    print("\n");
}

void report_finding(ULONG at, const struct fuzz_call *call, NTSTATUS status,
                    const struct verdict *verdict, const char *what)
{
    print("FINDING at call %u: %s\n", at, what);
    print("  %s, number %llx, by %s, eflags %x, arena %p: %08x %s\n",
          call->row ? call->row->name : "no service",
          (ULONGLONG)call->number, gate_door_name(call->door),
          (ULONG)call->flags, (void *)arena, status, status_name(status));
    for (ULONG i = 0; call->row && i < call->row->count; i++) {
        print("  argument %u: %llx\n", i + 1,
              (ULONGLONG)call->arguments[i]);
        print_slot(call, i);
        print_name(call, i);
    }
    if (verdict)
        print_expected(call, verdict);
    scan_take_copy();
    if (++tally.findings >= tally.most_findings)
        RtlExitUserProcess(1);
}

/*
 * main.c - walk: one system call, for a debugger to follow.
 *
 * usage: walk [apc] DOOR CALL ARG...
 *
 * DOOR is syscall or int2e, through the service's own stub (which of the two
 * it takes is the option doors), or sysenter, through NtwCallSysenter: stubs
 * have no such door. ARGs are the shell's (shell/arguments.h). Every register
 * that the call does not use holds its own number in every byte
 * (lib/prepare.c).
 *
 * apc: before, a user APC is queued to this thread. Whether it runs on the way
 * back is for the call to say (NtTestAlert), or for the debugger.
 */
#include "../lib/call.h"
#include "../lib/print.h"
#include "../shell/arguments.h"

static struct word words[MAX_WORDS];
static char line[1024];
static ULONG apcs;

static const struct {
    const char *name;
    ULONG count;
} services[] = {
#define SERVICE(table, number, stacked, count, name) { #name, count },
#include <services.inc.c>
#undef SERVICE
};

static void NTAPI routine(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    apcs++;
}

static NTSTATUS complain(const char *what, const char *why)
{
    print("walk: %s %s\n", what, why);
    return STATUS_INVALID_PARAMETER;
}

static int read_command_line(const PEB *peb)
{
    const UNICODE_STRING *text = &peb->ProcessParameters->CommandLine;
    ULONG length = text->Length / sizeof(WCHAR), at;

    if (length >= sizeof line)
        return -1;
    for (at = 0; at < length; at++)
        line[at] = (char)text->Buffer[at];
    return split_words(line, words);
}

/* How many arguments a service has; -1: there is none of that name. */
static int count_of(const char *name)
{
    for (ULONG at = 0; at < ARRAY_SIZE(services); at++)
        if (!strcmp(services[at].name, name) && find_stub(name))
            return (int)services[at].count;
    return -1;
}

/* With the number in front, where the door wants it there. */
static void prepare(struct call *call, const char *door, const char *name,
                    int count, const struct argument *arguments)
{
    BOOLEAN numbered = !strcmp(door, "sysenter");
    void *stub = find_stub(name);
    ULONGLONG values[MAX_ARGUMENTS + 1];

    values[0] = stub_number(stub);
    for (int at = 0; at < count; at++)
        values[at + numbered] = arguments[at].value;
    call_prepare(call, numbered ? find_stub("NtwCallSysenter") : stub,
                 (ULONG)count + numbered, values);
}

static NTSTATUS make_call(const char *door, const char *name, int count,
                          const struct word *given)
{
    static struct call call;
    struct argument arguments[MAX_ARGUMENTS];

    begin_arguments();
    for (int at = 0; at < count; at++) {
        const char *wrong = parse_argument(&given[at], &arguments[at]);

        if (wrong)
            return complain(word_text(&given[at]), wrong);
    }
    prepare(&call, door, name, count, arguments);
    call_with_registers(&call);
    print("%s = %08llX %s", name, call.out.Rax,
          status_name((NTSTATUS)call.out.Rax));
    print(apcs ? ", and the APC ran\n" : "\n");
    return STATUS_SUCCESS;
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    int count = read_command_line(peb), first = 1, wanted;

    if (count > 1 && !strcmp(word_text(&words[1]), "apc")) {
        NtQueueApcThread(NtCurrentThread(),
                         (PPS_APC_ROUTINE)(ULONG_PTR)routine, (void *)1,
                         (void *)2, (void *)3);
        first = 2;
    }
    if (count < first + 2)
        return complain("usage:", "walk [apc] DOOR CALL ARG...");
    wanted = count_of(word_text(&words[first + 1]));
    if (wanted < 0)
        return complain(word_text(&words[first + 1]), "is no service");
    count -= first + 2;
    if (count != wanted) {
        print("walk: %s takes %d argument%s\n", word_text(&words[first + 1]),
              wanted, wanted == 1 ? "" : "s");
        return STATUS_INVALID_PARAMETER;
    }
    return make_call(word_text(&words[first]), word_text(&words[first + 1]),
                     count, &words[first + 2]);
}

/*
 * call.c - call: one system call by a chosen door, every argument typed.
 *
 * Numbers come from ntdll's stubs, so they are right in every numbering; the
 * list of services says how many arguments each takes. The doors are the bare
 * ones of lib/call.asm. What an argument points to is checked by the kernel:
 * a bad pointer is a status.
 */
#include "shell.h"
#include "arguments.h"
#include "../lib/door.h"
#include "dump.h"

static const struct {
    const char *name;
    int count;
} services[] = {
#define SERVICE(table, number, stacked, count, name) { #name, count },
#include <services.inc.c>
#undef SERVICE
};

static void print_usage(void)
{
    const struct door *door;

    print("usage: call DOOR NAME ARG...\n  DOOR  ");
    for (door = doors; door < doors_end(); door++)
        print(" %s", door->name);
    print("\n  NAME   of a service, or its number\n"
          "  ARG    12  0x1F  -1       a value\n"
          "         \"text\"             a UNICODE_STRING *\n"
          "         w\"text\" c\"text\"    a WCHAR *, a char *\n"
          "         name:\"\\path\"      an OBJECT_ATTRIBUTES *\n"
          "         buf:N  val:V       N bytes of 0, 8 bytes that hold V; "
          "shown afterwards\n");
}

static const struct door *find_door(const char *name)
{
    const struct door *door = door_named(name);

    if (!door)
        print("call: %s is no door\n", name);
    else if (door >= doors_end())
        print("call: this processor has no %s in long mode\n", name);
    return door && door < doors_end() ? door : NULL;
}

/* count: of its arguments; -1: only a number is known. */
static BOOLEAN find_service(const char *name, ULONGLONG *number, int *count)
{
    ULONG at;

    *count = -1;
    if (parse_number(name, number))
        return TRUE;
    for (at = 0; at < ARRAY_SIZE(services); at++) {
        if (!strcmp(services[at].name, name) && find_stub(name)) {
            *number = stub_number(find_stub(name));
            *count = services[at].count;
            return TRUE;
        }
    }
    print("call: %s is no service\n", name);
    return FALSE;
}

static BOOLEAN parse_all(int count, const struct word *words,
                         struct argument *arguments)
{
    const char *wrong = NULL;
    int at;

    begin_arguments();
    for (at = 0; at < count && !wrong; at++)
        wrong = parse_argument(&words[at], &arguments[at]);
    if (wrong)
        print("call: %s %s\n", word_text(&words[at - 1]), wrong);
    return !wrong;
}

static void make_call(const struct door *door, ULONGLONG number, int count,
                      const struct argument *arguments)
{
    static struct call call;
    ULONGLONG values[MAX_ARGUMENTS];
    int at;

    for (at = 0; at < count; at++)
        values[at] = arguments[at].value;
    call_prepare(&call, (void *)door->raw, count, values);
    call.in.Rax = number;
    call_with_registers(&call);
    print("rax %016llX %s\n", call.out.Rax,
          status_name((NTSTATUS)call.out.Rax));
    for (at = 0; at < count; at++) {
        if (arguments[at].shown)
            dump(at + 1, arguments[at].shown, arguments[at].size);
    }
}

void command_call(int count, const struct word *words)
{
    struct argument arguments[MAX_ARGUMENTS];
    const struct door *door;
    ULONGLONG number;
    int wanted;

    if (count < 3) {
        print_usage();
        return;
    }
    count -= 3;
    door = find_door(word_text(&words[1]));
    if (!door || !find_service(word_text(&words[2]), &number, &wanted))
        return;
    if (count > MAX_ARGUMENTS || (wanted >= 0 && count != wanted)) {
        print("call: %s takes %d argument%s\n", word_text(&words[2]),
              wanted < 0 ? MAX_ARGUMENTS : wanted, wanted == 1 ? "" : "s");
        return;
    }
    if (parse_all(count, words + 3, arguments))
        make_call(door, number, count, arguments);
}

/*
 * doors.c - chapter 4: the same calls through KiFastSystemCall and
 * KiIntSystemCall, whichever of them the stubs use.
 */
#include "tour32.h"

#define NO_SUCH_HANDLE 0x1234
#define NO_SUCH_NUMBER 0xFFF
#define TRIES 64
#define PREFIX_FAST 2                   /* bytes before it: mov edx, esp */
#define PREFIX_INT 4                    /* lea edx, [esp + 8] */

enum { INT2E, SYSENTER, DOORS };

static void *routines[DOORS];
static struct call calls[DOORS];      /* the last one through each */
static ULONG open_doors;

static void row(const char *name, const char *first, const char *second)
{
    BOOLEAN both = open_doors == DOORS;

    print("   %-9s %-*s%s\n", name, both ? 31 : 0, first, both ? second : "");
}

static void values(const char *name, const char *format,
                   const ULONG value[DOORS])
{
    char text[DOORS][16];
    ULONG at;

    for (at = 0; at < DOORS; at++)
        sprintf_s(text[at], sizeof text[at], format, value[at]);
    row(name, text[INT2E], text[SYSENTER]);
}

static void show_results(ULONG number, ULONG count, const ULONG *arguments,
                         NTSTATUS expect)
{
    ULONG result[DOORS] = { 0 };
    ULONG at;

    for (at = 0; at < open_doors; at++) {
        door = routines[at];
        call_target(&calls[at], by_door, number, count, arguments);
        check_registers(&calls[at], door);
        result[at] = calls[at].out.Eax;
        check(result[at] == (ULONG)expect, "every door gives one status");
    }
    values("eax", "%08X", result);
}

static ULONG fewest_ticks(void *routine, ULONG number)
{
    static const ULONG bad[] = { NO_SUCH_HANDLE };
    static struct call call;
    ULONG fewest = ~0U, at;

    door = routine;
    for (at = 0; at < TRIES; at++) {
        call_target(&call, timed_by_door, number, 1, bad);
        if (call.out.Edi < fewest)
            fewest = call.out.Edi;
    }
    return fewest;
}

static void show_ticks(ULONG number)
{
    ULONG nothing = fewest_ticks(no_door, number), ticks[DOORS] = { 0 };
    ULONG at;

    for (at = 0; at < open_doors; at++)
        ticks[at] = fewest_ticks(routines[at], number) - nothing;
    values("ticks", "%u", ticks);
}

static void show_instructions(void)
{
    static const ULONG prefix[DOORS] = { PREFIX_INT, PREFIX_FAST };
    char text[DOORS][8];
    ULONG address[DOORS], at;

    for (at = 0; at < DOORS; at++) {
        const UCHAR *byte = (const UCHAR *)routines[at] + prefix[at];

        address[at] = (ULONG)byte;
        sprintf_s(text[at], sizeof text[at], "%02X %02X", byte[0], byte[1]);
    }
    row("before", "8D 54 24 08  lea edx,[esp+8]", "8B D4  mov edx,esp");
    row("bytes", text[INT2E], text[SYSENTER]);
    values("at", "%08X", address);
}

static void show_contract(void)
{
    BOOLEAN sysexit = open_doors == DOORS;
    ULONG edx[DOORS], back[DOORS], at;

    for (at = 0; at < DOORS; at++) {
        edx[at] = calls[at].out.Ecx + (at == INT2E ? 8 : 0);
        back[at] = calls[at].out.Edx;
    }
    row("leads to", "KiSystemService", "KiFastCallEntry");
    row("loads", "cs rip  IDT gate 2E", "cs rip ss rsp  SYSENTER MSRs");
    row("", "rsp  TSS.Rsp0", "rsp  place of TSS.Rsp0");
    row("saves", "ss rsp rflags cs rip: pushed", "nothing");
    values("edx", "%08X", edx);
    row("arguments", "at edx", "at edx + 8");
    row("return to", "the pushed rip", "SystemCallReturn");
    values("", "%08X", back);
    row("by", sysexit ? "sysexit" : "iret", "sysexit");
}

void show_doors(void)
{
    static const ULONG bad[] = { NO_SUCH_HANDLE };
    ULONG number = stub_number(find_stub("NtClose"));
    char vendor[13];

    cpu_vendor(vendor);
    open_doors = doors_end() - doors;
    routines[INT2E] = find_stub("KiIntSystemCall");
    routines[SYSENTER] = find_stub("KiFastSystemCall");
    print("\n4. XP's two doors, one service: NtClose(1234h)\n");
    if (open_doors < DOORS)
        print("   %s has no SYSENTER in long mode: one door.\n", vendor);
    row("door", "KiIntSystemCall", "KiFastSystemCall");
    show_results(number, 1, bad, STATUS_INVALID_HANDLE);
    show_instructions();
    show_contract();
    show_ticks(number);
    print("   Ticks of the time-stamp counter for the way in, the work and "
          "the way back,\n   the fewest of %u tries. Booted with --icount they "
          "are instructions.\n", TRIES);
    print("\n   The same for a number beyond the table\n");
    show_results(NO_SUCH_NUMBER, 1, bad, STATUS_INVALID_SYSTEM_SERVICE);
    show_ticks(NO_SUCH_NUMBER);
}

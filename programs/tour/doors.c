/*
 * doors.c - chapter 3: the same calls through syscall, int 2e and sysenter.
 *
 * What stands in the table is read, not known: the instruction from where the
 * call came back, the rest from the processor's registers and tables (cpu.c).
 * On a machine that keeps those closed the lines about ring 0 are missing.
 */
#include "tour.h"
#include "../lib/door.h"

#define NO_SUCH_HANDLE 0x1234
#define NO_SUCH_NUMBER 0xFFF
#define TRIES 64
#define MACHINE_FRAME 0x28              /* bytes: ss, rsp, rflags, cs, rip */
#define INSTRUCTION 2                   /* bytes of each door */
#define CREATE_ARGUMENTS 11

enum { SYSCALL, INT2E, SYSENTER, DOORS };

void timed_syscall(void);
void timed_int2e(void);
void timed_sysenter(void);
void timed_nothing(void);

static void (*const timed[DOORS])(void) = {
    timed_syscall, timed_int2e, timed_sysenter };

static const UCHAR bytes[DOORS][INSTRUCTION] = {
    { 0x0F, 0x05 }, { 0xCD, 0x2E }, { 0x0F, 0x34 } };

static struct cpu cpu;
static struct call calls[DOORS];        /* the last one through each */
static ULONG open_doors;
static HANDLE handles[DOORS];

/* One line of the table; a door that is not there has no column. */
static void row(const char *name, const char *first, const char *second,
                const char *third)
{
    BOOLEAN all = open_doors == DOORS;

    print("   %-10s %-21s%-*s%s\n", name, first, all ? 21 : 0, second,
          all ? third : "");
}

/* The same with a value for each door. */
static void values(const char *name, const char *format,
                   const ULONGLONG value[DOORS])
{
    char text[DOORS][32];
    ULONG at;

    for (at = 0; at < DOORS; at++)
        sprintf_s(text[at], sizeof text[at], format, value[at]);
    row(name, text[SYSCALL], text[INT2E], text[SYSENTER]);
}

static NTSTATUS through(ULONG door, ULONG number, ULONG count,
                        const ULONGLONG *arguments)
{
    struct call *call = &calls[door];

    call_prepare(call, doors[door].raw, count, arguments);
    call->in.Rax = number;
    call_with_registers(call);
    check_registers(call, bytes[door]);
    return (NTSTATUS)call->out.Rax;
}

static ULONGLONG fewest_ticks(void (*target)(void), ULONG number,
                              ULONGLONG argument)
{
    static struct call call;
    ULONGLONG fewest = ~0ULL;
    ULONG at;

    for (at = 0; at < TRIES; at++) {
        call_prepare(&call, target, 1, &argument);
        call.in.Rax = number;
        call_with_registers(&call);
        if (call.out.R15 - call.out.R14 < fewest)
            fewest = call.out.R15 - call.out.R14;
    }
    return fewest;
}

static void show_ticks(ULONG number)
{
    ULONGLONG nothing = fewest_ticks(timed_nothing, number, NO_SUCH_HANDLE);
    ULONGLONG ticks[DOORS] = { 0 };
    ULONG at;

    for (at = 0; at < open_doors; at++)
        ticks[at] = fewest_ticks(timed[at], number, NO_SUCH_HANDLE) -
                    nothing;
    values("ticks", "%llu", ticks);
}

/* Every door must give the status that the call has. */
static void show_statuses(const char *name, ULONG number, ULONG count,
                          const ULONGLONG *arguments[DOORS], NTSTATUS expect)
{
    ULONGLONG status[DOORS] = { 0 };
    ULONG at;

    for (at = 0; at < open_doors; at++) {
        status[at] = (ULONG)through(at, number, count, arguments[at]);
        check(status[at] == (ULONG)expect, "every door gives one status");
    }
    values(name, "%08llX", status);
}

static void show_instructions(void)
{
    ULONGLONG at_address[DOORS] = { 0 };
    char text[DOORS][8];
    ULONG at;

    for (at = 0; at < open_doors; at++) {
        const UCHAR *byte = (const UCHAR *)calls[at].out.Rcx - INSTRUCTION;

        at_address[at] = (ULONGLONG)byte;
        sprintf_s(text[at], sizeof text[at], "%02X %02X", byte[0], byte[1]);
    }
    row("bytes", text[SYSCALL], text[INT2E], text[SYSENTER]);
    values("at", "%016llX", at_address);
}

static void show_first_instruction(void)
{
    ULONGLONG cs[DOORS] = { STAR_CS(cpu.star), cpu.gate_cs, cpu.sysenter_cs };
    ULONGLONG ss[DOORS] = { cs[SYSCALL] + 8, 0, cs[SYSENTER] + 8 };
    ULONGLONG rip[DOORS] = { cpu.lstar, cpu.gate_offset, cpu.sysenter_eip };
    ULONGLONG rsp[DOORS] = { calls[SYSCALL].in.Rsp - sizeof(ULONGLONG),
                             cpu.rsp0 - MACHINE_FRAME, cpu.sysenter_esp };

    row("loads", "rip   LSTAR", "rip   IDT gate 2E", "rip   SYSENTER_EIP");
    row("", "cs ss STAR", "cs    the gate", "cs ss SYSENTER_CS");
    row("", "", "rsp   TSS.Rsp0", "rsp   SYSENTER_ESP");
    row("saves", "rip in rcx", "ss, rsp, rflags,", "nothing: rip and rsp");
    row("", "rflags in r11", "cs, rip: pushed", "came in rcx and r11");
    row("flags", "all of FMASK cleared", "TF IF NT RF cleared",
        "IF RF cleared");
    print("   and is then at\n");
    values("rip", "%016llX", rip);
    values("cs", "%04llX", cs);
    values("ss", "%04llX", ss);
    values("rsp", "%016llX", rsp);
    row("which is", "still the user's", "5 pushes below Rsp0",
        "no stack: the TSS");
}

/* The handle that each door opens is closed through the same door. */
static void show_create(void)
{
    static UNICODE_STRING name;
    static OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                            .ObjectName = &name,
                                            .Attributes =
                                                OBJ_CASE_INSENSITIVE };
    static IO_STATUS_BLOCK io;
    ULONGLONG create[DOORS][CREATE_ARGUMENTS], close[DOORS];
    const ULONGLONG *arguments[DOORS];
    ULONG at;

    RtlInitUnicodeString(&name, L"\\SystemRoot\\System32\\ntdll.dll");
    for (at = 0; at < DOORS; at++) {
        const ULONGLONG list[CREATE_ARGUMENTS] = {
            (ULONGLONG)&handles[at], FILE_GENERIC_READ,
            (ULONGLONG)&attributes, (ULONGLONG)&io, 0, 0, FILE_SHARE_READ,
            FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, 0, 0 };

        memcpy(create[at], list, sizeof list);
        arguments[at] = create[at];
    }
    print("\n 3.4 NtCreateFile(ntdll.dll), seven arguments on the stack; "
          "NtClose\n");
    show_statuses("create", stub_number(find_stub("NtCreateFile")),
                  CREATE_ARGUMENTS, arguments, STATUS_SUCCESS);
    for (at = 0; at < DOORS; at++) {
        close[at] = (ULONGLONG)handles[at];
        arguments[at] = &close[at];
    }
    show_statuses("close", stub_number(find_stub("NtClose")), 1, arguments,
                  STATUS_SUCCESS);
}

static void show_sources(void)
{
    print("\n 3.1 What the processor has been told\n");
    if (!kernel_is_open() || !cpu_read(&cpu)) {
        print("   Not for ring 3 to see: boot with debug=on.\n");
        check(!kernel_is_open(), "the processor's registers can be read");
        return;
    }
    cpu_show(&cpu);
    check(!cpu.sysenter_cs == (open_doors < DOORS),
          "SYSENTER is open where the processor has it");
}

static void show_close(void)
{
    static const ULONGLONG bad[] = { NO_SUCH_HANDLE };
    const ULONGLONG *arguments[DOORS] = { bad, bad, bad };
    ULONG number = stub_number(find_stub("NtClose"));

    print("\n 3.2 NtClose(1234h) through each\n");
    row("door", "syscall", "int 2e", "sysenter");
    show_statuses("rax", number, 1, arguments, STATUS_INVALID_HANDLE);
    show_instructions();
    if (kernel_is_open())
        show_first_instruction();
    row("back by", "sysret", "sysret", "sysret");
    show_ticks(number);
    print("   Ticks of the time-stamp counter for the way in, the work and "
          "the way back,\n   the fewest of %u tries. Booted with --icount they "
          "are instructions.\n", TRIES);
    print("\n 3.3 A number beyond the table: the bare way in and out\n");
    show_statuses("rax", NO_SUCH_NUMBER, 1, arguments,
                  STATUS_INVALID_SYSTEM_SERVICE);
    show_ticks(NO_SUCH_NUMBER);
}

void show_doors(void)
{
    char vendor[13];

    open_doors = (ULONG)(doors_end() - doors);
    cpu_vendor(vendor);
    print("\n3. Three doors, one service\n");
    if (open_doors < DOORS)
        print("   %s has no SYSENTER in long mode: two doors.\n", vendor);
    show_sources();
    show_close();
    show_create();
}

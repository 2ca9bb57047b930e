/*
 * call.c - make one call and show its walk: number, table, entry, routine,
 * arguments from the stack, status; once, every register.
 */
#include "tour.h"

#define TABLE_BITS 12
#define INDEX_MASK 0xFFF
#define NIBBLE 0xF
#define REGISTER_ARGUMENTS 4
#define STUB_BYTES 24
#define DOOR_BYTES 2

static struct call call;

/* A routine and how its table entry leads there. */
struct entry {
    ULONGLONG base, routine;
    LONG value;
};

/* The descriptor: Base, a pointer we do not need, Limit. */
static BOOLEAN find_entry(ULONG number, struct entry *entry)
{
    struct {
        ULONGLONG base, count;
        ULONG limit, unused;
    } descriptor;
    ULONG table = number >> TABLE_BITS & 1;
    ULONGLONG at = kernel_address("KeServiceDescriptorTableShadow") +
                   table * 0x20;

    if (!kernel_read(at, &descriptor, sizeof descriptor) ||
        (number & INDEX_MASK) >= descriptor.limit ||
        !kernel_read(descriptor.base + (number & INDEX_MASK) * sizeof(LONG),
                     &entry->value, sizeof entry->value))
        return FALSE;
    entry->base = descriptor.base;
    entry->routine = descriptor.base + (LONGLONG)(entry->value >> 4);
    return TRUE;
}

static void show_entry(const struct stop *stop, ULONG number)
{
    struct entry entry;
    char name[64] = "?";
    ULONG stacked = stop->count > REGISTER_ARGUMENTS
                        ? stop->count - REGISTER_ARGUMENTS : 0;

    if (!find_entry(number, &entry)) {
        print("   entry   none: the index is beyond the table's limit\n");
        check(!stop->service, "a service's number has an entry");
        return;
    }
    kernel_name(entry.routine, name);
    print("   entry   [base %llX + 4*%03X] = %08X (nibble: %u on the "
          "stack)\n", entry.base, number & INDEX_MASK, entry.value,
          entry.value & NIBBLE);
    print("   >> 4    base %c %X = %llX %s\n", entry.value < 0 ? '-' : '+',
          abs(entry.value >> 4), entry.routine, name);
    check(stop->service && !strcmp(name, stop->service),
          "the entry leads to the service");
    check((entry.value & NIBBLE) == (LONG)stacked,
          "the entry's nibble counts the stack arguments");
}

static void show_number(const struct stop *stop)
{
    ULONGLONG rax = stop->raw ? stop->number : stub_number(call.target);
    ULONG number = (ULONG)rax;

    if (stop->raw)
        print("   number  rax %016llX", rax);
    else
        print("   number  eax %04X", number);
    print(" = table %u (%s), index %03X\n", number >> TABLE_BITS & 1,
          number >> TABLE_BITS & 1 ? "win32k" : "nt", number & INDEX_MASK);
    if (kernel_is_open())
        show_entry(stop, number & 0x1FFF);
}

/* Argument 5 lies at [rsp+28h] as the stub sees it. */
static void show_stack(const struct stop *stop)
{
    ULONG at;

    for (at = REGISTER_ARGUMENTS; at < stop->count; at++) {
        ULONG slot = at - REGISTER_ARGUMENTS;

        BOOLEAN last = slot % 3 == 2 || at + 1 == stop->count;

        print("%s[rsp+%02Xh] %-*llX%s", slot % 3 ? " " : "   copied  ",
              0x28 + slot * 8, last ? 0 : 11, stop->arguments[at],
              last ? "\n" : "");
    }
}

static BOOLEAN kept(ULONGLONG in, ULONGLONG out)
{
    return in == out;
}

/* What room 5 leaves: the same after every call that returns. */
void check_registers(const struct call *call, const UCHAR door[2])
{
    const struct registers *in = &call->in, *out = &call->out;
    ULONGLONG target = (ULONGLONG)call->target;
    ULONGLONG stub_rsp = in->Rsp - sizeof(ULONGLONG);
    ULONG at;
    BOOLEAN zero = TRUE, same = TRUE;

    check(kept(in->Rbx, out->Rbx) && kept(in->Rbp, out->Rbp) &&
          kept(in->Rsi, out->Rsi) && kept(in->Rdi, out->Rdi) &&
          kept(in->R12, out->R12) && kept(in->R13, out->R13) &&
          kept(in->R14, out->R14) && kept(in->R15, out->R15) &&
          kept(in->Rsp, out->Rsp), "non-volatile registers are kept");
    check(out->Rdx == 0 && out->R10 == 0, "rdx and r10 are zero");
    check(out->R8 == stub_rsp && out->R9 == in->Rbp,
          "r8 is the stub's rsp, r9 its rbp");
    check(out->R11 == out->Rflags, "r11 is rflags");
    check(out->Rcx > target && out->Rcx < target + STUB_BYTES &&
          !memcmp((void *)(out->Rcx - DOOR_BYTES), door, DOOR_BYTES),
          "rcx points behind the door's instruction");
    for (at = 0; at < 6; at++)
        zero &= out->Xmm[at].Low == 0 && out->Xmm[at].High == 0;
    for (at = 6; at < 16; at++)
        same &= !memcmp(&in->Xmm[at], &out->Xmm[at], sizeof(M128A));
    check(zero && same, "xmm0-5 are zero, xmm6-15 kept");
}

static const UCHAR by_syscall[DOOR_BYTES] = { 0x0F, 0x05 };
static const UCHAR by_int2e[DOOR_BYTES] = { 0xCD, 0x2E };

/* The instruction that ntdll's stubs choose, by one byte of the shared page. */
static const UCHAR *stub_door(void)
{
    const volatile KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;

    return shared->SystemCall & 1 ? by_int2e : by_syscall;
}

void show_stub_door(void)
{
    const UCHAR *door = stub_door();

    print("   ntdll's stubs go by %s, %02X %02X: bit 0 of 7FFE0308h is %u\n",
          door == by_int2e ? "int 2e" : "syscall", door[0], door[1],
          door == by_int2e);
}

static void show_result(const struct stop *stop)
{
    ULONGLONG rax = call.out.Rax;

    print("   rax     %08llX %s\n", rax,
          stop->note ? stop->note : status_name((NTSTATUS)rax));
    check(stop->expect == (ULONG)rax, stop->title);
}

void show_call(const struct stop *stop)
{
    static ULONG count;

    print("\n 2.%-2u %s\n", ++count, stop->title);
    call_prepare(&call, stop->raw ? (void *)call_raw
                                  : find_stub(stop->service),
                 stop->count, stop->arguments);
    if (stop->raw)
        call.in.Rax = stop->number;
    show_number(stop);
    show_stack(stop);
    call_with_registers(&call);
    check_registers(&call, stop->raw ? by_syscall : stub_door());
    show_result(stop);
}

static void row(const char *name, ULONGLONG in, ULONGLONG out,
                const char *role)
{
    print("   %-6s  %016llX -> %016llX  %s\n", name, in, out, role);
}

/* Every register of the last call, before and after. */
void show_registers(void)
{
    const struct registers *in = &call.in, *out = &call.out;
    const UCHAR *byte = call.target;
    ULONG at;

    print("   stub    ");
    for (at = 0; at < STUB_BYTES; at++)
        print("%02X%s", byte[at], at == 2 || at == 7 || at == 15 || at == 17 ||
              at == 19 || at == 20 || at == 22 ? "  " : "");
    print("\n   register before              after\n");
    row("rax", in->Rax, out->Rax, "number in, status out");
    row("rcx", in->Rcx, out->Rcx, "argument 1; return address");
    row("rdx", in->Rdx, out->Rdx, "cleared");
    row("r8", in->R8, out->R8, "rsp in the stub");
    row("r9", in->R9, out->R9, "rbp");
    row("r10", in->R10, out->R10, "argument 1 (stub); cleared");
    row("r11", in->R11, out->R11, "rflags");
    row("rbx", in->Rbx, out->Rbx, "kept, as rsi rdi rbp r12-15");
    row("rsp", in->Rsp, out->Rsp, "kept");
    row("xmm0", in->Xmm[0].Low, out->Xmm[0].Low, "cleared, as xmm1-5");
    row("xmm6", in->Xmm[6].Low, out->Xmm[6].Low, "kept, as xmm7-15");
}

/*
 * apckernel.c - the kernel's side of chapter 4: the byte that room 5 tests,
 * the instruction that does it, and an APC in its queue.
 *
 * Offsets are Windows 10 2004's (dt nt!_KTHREAD, nt!_KAPC_STATE, nt!_KAPC).
 */
#include "apc.h"

#define KTHREAD_USER_APCS 0x0A8                 /* ApcListHead[UserMode] */
#define KTHREAD_PENDING 0x0C2                   /* UserApcPendingAll */
#define KTHREAD_STATE 0x184
#define KAPC_LIST_ENTRY 0x10
#define KAPC_NORMAL_ROUTINE 0x30

#define EXIT_BYTES 256
#define TEST_BYTES 8
#define CLI 0xFA

static ULONG byte_at(ULONGLONG address)
{
    UCHAR value = 0;

    check(kernel_read(address, &value, sizeof value),
          "a KTHREAD can be read");
    return value;
}

ULONG apc_pending(ULONGLONG thread)
{
    return byte_at(thread + KTHREAD_PENDING);
}

ULONG apc_state(ULONGLONG thread)
{
    return byte_at(thread + KTHREAD_STATE);
}

static void show_code(ULONGLONG address, const UCHAR *code, ULONG count,
                      const char *text)
{
    char bytes[32] = "";
    ULONG at;

    for (at = 0; at < count; at++)
        sprintf_s(bytes + at * 3, sizeof bytes - at * 3, "%02X ", code[at]);
    print("     %016llX  %-24s %s\n", address, bytes, text);
}

/* jnz, short or near: where to; *count: its bytes. 0: it is none. */
static ULONGLONG jump_target(ULONGLONG address, const UCHAR *code,
                             ULONG *count)
{
    LONG distance;

    *count = code[0] == 0x75 ? 2 : 6;
    if (code[0] == 0x75)
        return address + 2 + (LONGLONG)(CHAR)code[1];
    if (code[0] != 0x0F || code[1] != 0x85)
        return 0;
    memcpy(&distance, code + 2, sizeof distance);
    return address + 6 + (LONGLONG)distance;
}

static void show_jump(ULONGLONG address, const UCHAR *code)
{
    char name[64] = "?", text[80];
    ULONG count;
    ULONGLONG target = jump_target(address, code, &count);

    kernel_name(target, name);
    sprintf_s(text, sizeof text, "jnz  %s", name);
    show_code(address, code, count, text);
    check(!strcmp(name, "user_apc"), "what is pending leads to room 6");
}

/* test byte [r11 + KTHREAD_PENDING], which bits */
static const UCHAR *find_test(const UCHAR *code, const UCHAR *end)
{
    static const UCHAR test[TEST_BYTES - 1] = {
        0x41, 0xF6, 0x83, KTHREAD_PENDING, 0, 0, 0 };

    for (; code + TEST_BYTES + 6 <= end; code++)
        if (!memcmp(code, test, sizeof test))
            return code;
    return NULL;
}

static void show_instructions(void)
{
    static UCHAR code[EXIT_BYTES];
    ULONGLONG routine = kernel_address("KiSystemServiceExit"), address;
    const UCHAR *test = NULL;
    char text[40];

    if (kernel_read(routine, code, sizeof code))
        test = find_test(code + 1, code + sizeof code);
    check(test && test[-1] == CLI,
          "room 5 tests UserApcPendingAll, interrupts off");
    if (!test)
        return;
    address = routine + (ULONGLONG)(test - code);
    print("   KiSystemServiceExit+%llX, r11 = KTHREAD:\n",
          address - 1 - routine);
    show_code(address - 1, test - 1, 1, "cli");
    sprintf_s(text, sizeof text, "test byte [r11+0%Xh], %u", KTHREAD_PENDING,
              test[TEST_BYTES - 1]);
    show_code(address, test, TEST_BYTES, text);
    show_jump(address + TEST_BYTES, test + TEST_BYTES);
    print("   Interrupts stay off until SYSRET: nothing comes in between "
          "unseen.\n");
}

void show_apc_test(void)
{
    ULONGLONG thread;

    print("\n 4.1 Where room 5 looks, at the end of every service\n");
    if (!kernel_is_open()) {
        print("   Not for ring 3 to see: boot with debug=on.\n");
        return;
    }
    thread = kernel_thread();
    print("   KTHREAD  %016llX, mine\n", thread);
    print("     %016llX  +%03X  ApcState.ApcListHead[UserMode]\n",
          thread + KTHREAD_USER_APCS, KTHREAD_USER_APCS);
    print("     %016llX  +%03X  ApcState.UserApcPendingAll: %02X\n",
          thread + KTHREAD_PENDING, KTHREAD_PENDING, apc_pending(thread));
    print("     bit 1: a user APC and an alertable moment; bit 0: a special "
          "one\n");
    show_instructions();
}

/* One that has been queued to this thread, and nothing has tested for. */
void show_queued_apc(void)
{
    ULONGLONG thread, head, first = 0, routine = 0;

    if (!kernel_is_open())
        return;
    thread = kernel_thread();
    head = thread + KTHREAD_USER_APCS;
    kernel_read(head, &first, sizeof first);
    first -= KAPC_LIST_ENTRY;
    kernel_read(first + KAPC_NORMAL_ROUTINE, &routine, sizeof routine);
    print("   KAPC     %016llX, in my queue; NormalRoutine %llX\n", first,
          routine);
    print("   pending  %02X: not before I am alertable\n",
          apc_pending(thread));
    check(routine == (ULONGLONG)apc_routine, "the KAPC is in the queue");
    check(apc_pending(thread) == 0, "a queued APC is not pending");
}

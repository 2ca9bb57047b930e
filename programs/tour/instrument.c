/*
 * instrument.c - chapter 7: a routine of ours that the kernel goes to in place
 * of every return to ring 3. It notes where the kernel meant to go, and goes
 * there.
 *
 * Offsets are Windows 10 2004's (dt nt!_KTHREAD, nt!_KPROCESS).
 */
#include "tour.h"

#define STUB_BYTES 24
#define RETURNS 32                              /* instrument.asm */
#define PROGRAM_RETURNS 6
#define NO_HANDLE ((HANDLE)0x1234)

#define HEADER_DEBUG_ACTIVE 0x003
#define INSTRUMENTED 2
#define KTHREAD_PROCESS 0x0B8                   /* ApcState.Process */
#define KPROCESS_CALLBACK 0x3D8                 /* InstrumentationCallback */

struct kernel_return {
    ULONGLONG to, rax, rsp;
};
_Static_assert(sizeof(struct kernel_return) == 24, "instrument.asm");

ULONG return_count;
struct kernel_return returns[RETURNS];

void note_return(void);

static ULONG apcs;

static NTSTATUS set(void *callback)
{
    PROCESS_INSTRUMENTATION_CALLBACK_INFORMATION new = {
        .Callback = callback };

    return NtSetInformationProcess(NtCurrentProcess(),
                                   ProcessInstrumentationCallback, &new,
                                   sizeof new);
}

static void show_set(void *callback, NTSTATUS status)
{
    print("   NtSetInformationProcess(myself, %Xh, { 0, 0, %llX }, %Xh)\n",
          ProcessInstrumentationCallback, (ULONGLONG)callback,
          (ULONG)sizeof(PROCESS_INSTRUMENTATION_CALLBACK_INFORMATION));
    print("   = %08X %s\n", (ULONG)status, status_name(status));
    check(status == STATUS_SUCCESS, "a process may instrument itself");
}

/* What the door and the way out look at. */
static void show_kernel(void *callback)
{
    ULONGLONG thread, process = 0, found = 0;
    UCHAR active = 0;

    if (!kernel_is_open())
        return;
    thread = kernel_thread();
    kernel_read(thread + HEADER_DEBUG_ACTIVE, &active, sizeof active);
    kernel_read(thread + KTHREAD_PROCESS, &process, sizeof process);
    kernel_read(process + KPROCESS_CALLBACK, &found, sizeof found);
    print("   KTHREAD  %016llX  +%03X  Header.DebugActive: %02X, "
          "Instrumented\n", thread, HEADER_DEBUG_ACTIVE, active);
    print("   KPROCESS %016llX  +%03X  InstrumentationCallback: %llX\n",
          process, KPROCESS_CALLBACK, found);
    check(active & INSTRUMENTED, "the thread is marked as instrumented");
    check(found == (ULONGLONG)callback, "the process has the callback");
}

/* ---- the small program ---- */

static void NTAPI note_apc(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    apcs++;
}

static void small_program(void)
{
    LARGE_INTEGER time;

    NtClose(NO_HANDLE);
    NtQuerySystemTime(&time);
    print("   (A line of the program's.)\n");
    NtQueueApcThread(NtCurrentThread(), note_apc, NULL, NULL, NULL);
    NtTestAlert();
    NtTestAlert();
}

static void show_service(const struct kernel_return *one, const char *name,
                         ULONGLONG stub)
{
    print("%012llX  %04X  %-20s %08X %s\n", one->to,
          stub_number((const void *)stub), name, (ULONG)one->rax,
          status_name((NTSTATUS)one->rax));
}

static void show_return(ULONG at)
{
    const struct kernel_return *one = &returns[at];
    ULONGLONG start = 0;
    const char *name = name_in_ntdll(one->to, STUB_BYTES, &start);

    print("   %-2u  ", at + 1);
    if (name && one->to != start)
        show_service(one, name, start);
    else
        print("%012llX  -     %-20s begins, rsp %llX\n", one->to,
              name ? name : "?", one->rsp);
}

static void check_return(ULONG at, const char *name, BOOLEAN starts,
                         NTSTATUS status)
{
    ULONGLONG start = 0;
    const char *found = name_in_ntdll(returns[at].to, STUB_BYTES, &start);

    check(found && !strcmp(found, name) &&
          (returns[at].to == start) == starts, "the callback sees who returns");
    check(starts || (ULONG)returns[at].rax == (ULONG)status,
          "the callback sees the status");
}

static void check_all(ULONG count)
{
    check(count == PROGRAM_RETURNS,
          "the callback gets every return, and no other");
    check(apcs == 1, "the program runs as without a callback");
    check_return(0, "NtClose", FALSE, STATUS_INVALID_HANDLE);
    check_return(1, "NtQuerySystemTime", FALSE, STATUS_SUCCESS);
    check_return(2, "NtWriteFile", FALSE, STATUS_SUCCESS);
    check_return(3, "NtQueueApcThread", FALSE, STATUS_SUCCESS);
    check_return(4, "KiUserApcDispatcher", TRUE, 0);
    check_return(5, "NtTestAlert", FALSE, STATUS_SUCCESS);
}

/* Without a word in between: each word is a service, too. */
static void show_log(void)
{
    ULONG count, at;
    NTSTATUS on, off;

    apcs = 0;
    on = set(note_return);
    return_count = 0;
    small_program();
    count = return_count;
    off = set(NULL);
    check(on == STATUS_SUCCESS && off == STATUS_SUCCESS &&
          return_count == count, "the call that ends it is not seen");
    print("   #   goes on at    num   name                 rax\n");
    for (at = 0; at < count && at < RETURNS; at++)
        show_return(at);
    print("   The program calls NtTestAlert twice. The first call goes to the "
          "APC that\n   waits, row 5; NtContinueEx, which ends that and "
          "resumes the first call, is\n   no return. Row 6 is the second "
          "call's.\n");
    check_all(count);
}

/* ---- on and off ---- */

static void show_on(void)
{
    NTSTATUS status;

    print("\n 7.1 On\n");
    status = set(note_return);
    show_set(note_return, status);
    show_kernel(note_return);
    print("   From now on a return has rip = the callback, r10 = where ring 3 "
          "goes on.\n");
}

static void show_off(void)
{
    NTSTATUS status;
    ULONG before;

    print("\n 7.3 Off\n");
    status = set(NULL);
    show_set(NULL, status);
    before = return_count;
    NtTestAlert();
    NtClose(NO_HANDLE);
    print("   NtTestAlert, NtClose: %u more in the list\n",
          return_count - before);
    check(return_count == before, "no callback is called any more");
}

void show_instrumentation(void)
{
    print("\n7. Who calls: an instrumentation callback\n");
    show_on();
    print("\n 7.2 A small program, return by return\n");
    show_log();
    show_off();
}

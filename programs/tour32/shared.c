/*
 * shared.c - chapter 2: the page that the kernel shows to every program.
 *
 * A 64-bit program finds Windows 10's page at this address, a 32-bit one XP's:
 * two pages, in which the kernel keeps the same time.
 */
#include "tour32.h"

#define ROUTINE_BYTES 7

/* The kernel writes High2Time first and High1Time last. */
static LONGLONG read_time(const volatile KSYSTEM_TIME *time)
{
    LONG high;
    ULONG low;

    do {
        high = time->High1Time;
        low = time->LowPart;
    } while (high != time->High2Time);
    return (LONGLONG)high << 32 | low;
}

static void show_time(const volatile KUSER_SHARED_DATA *shared)
{
    LONGLONG before = read_time(&shared->SystemTime), after;
    LARGE_INTEGER asked;

    NtQuerySystemTime(&asked);
    after = read_time(&shared->SystemTime);
    print("   +000 TickCountLow       %u, times %08X >> 24 = milliseconds\n",
          shared->TickCountLow, shared->TickCountMultiplier);
    print("   +008 InterruptTime      %llu, of 100 ns, since boot\n",
          read_time(&shared->InterruptTime));
    print("   +014 SystemTime         %016llX, of 100 ns, since 1601\n",
          before);
    check(before <= asked.QuadPart && asked.QuadPart <= after,
          "the page and NtQuerySystemTime tell one time");
}

static void show_routine(const char *field, ULONG address, const char *name,
                         ULONG count)
{
    print("   %s %08X %s: ", field, address, name);
    show_bytes((const void *)address, count);
}

void show_shared(void)
{
    const volatile KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;
    const char *name = door_name((const void *)shared->SystemCall);

    print("\n2. The shared page, %08X\n", USER_SHARED_DATA);
    show_time(shared);
    print("   +030 NtSystemRoot       %ls\n",
          (const WCHAR *)shared->NtSystemRoot);
    print("   +26C version            NT %u.%u\n", shared->NtMajorVersion,
          shared->NtMinorVersion);
    show_routine("+300 SystemCall        ", shared->SystemCall, name,
                 ROUTINE_BYTES);
    show_routine("+304 SystemCallReturn  ", shared->SystemCallReturn,
                 "KiFastSystemCallRet", 1);
    check(shared->NtMajorVersion == 5 && shared->NtMinorVersion == 1,
          "the shared page is XP's");
    check(name[0] != '?', "SystemCall is one of ntdll's doors");
    check(shared->SystemCallReturn == (ULONG)find_stub("KiFastSystemCallRet"),
          "SystemCallReturn is KiFastSystemCallRet");
}

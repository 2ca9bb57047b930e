/*
 * process.c - what a process knows of itself, and how it ends.
 */
#include <ntdll.h>

#define NT_VERSION_MAJOR 10
#define NT_VERSION_MINOR 0
#define FREE_BUILD 0xF0000000

PEB *RtlGetCurrentPeb(void)
{
    return NtCurrentPeb();
}

NTSTATUS RtlGetVersion(RTL_OSVERSIONINFOW *Version)
{
    const PEB *peb = NtCurrentPeb();

    Version->dwMajorVersion = peb->OSMajorVersion;
    Version->dwMinorVersion = peb->OSMinorVersion;
    Version->dwBuildNumber = peb->OSBuildNumber;
    Version->dwPlatformId = peb->OSPlatformId;
    Version->szCSDVersion[0] = 0;
    return STATUS_SUCCESS;
}

void RtlGetNtVersionNumbers(ULONG *Major, ULONG *Minor, ULONG *Build)
{
    if (Major)
        *Major = NT_VERSION_MAJOR;
    if (Minor)
        *Minor = NT_VERSION_MINOR;
    if (Build)
        *Build = FREE_BUILD | NtCurrentPeb()->OSBuildNumber;
}

/* DLLs are told between the two: the first ends the other threads. */
void RtlExitUserProcess(NTSTATUS Status)
{
    NtTerminateProcess(NULL, Status);
    LdrShutdownProcess();
    NtTerminateProcess(NtCurrentProcess(), Status);
    RtlRaiseStatus(Status);
}

/* The process has one thread, so its end is the process's. */
void RtlExitUserThread(NTSTATUS Status)
{
    LdrShutdownProcess();
    NtTerminateThread(NtCurrentThread(), Status);
    RtlRaiseStatus(Status);
}

/* NT: raises an exception, which may be handled. Exceptions do not reach
 * ring 3 in this kernel yet, so the status is the process's end. */
void RtlRaiseStatus(NTSTATUS Status)
{
    for (;;) {
        NtTerminateProcess(NtCurrentProcess(), Status);
        __asm__ volatile("ud2");
    }
}

/*
 * process.c - what a process knows of itself, and how it ends.
 */
#include <ntdll.h>

#define FREE_BUILD 0xF0000000

PEB *NTAPI RtlGetCurrentPeb(void)
{
    return NtCurrentPeb();
}

NTSTATUS NTAPI RtlGetVersion(RTL_OSVERSIONINFOW *Version)
{
    const PEB *peb = NtCurrentPeb();

    Version->dwMajorVersion = peb->OSMajorVersion;
    Version->dwMinorVersion = peb->OSMinorVersion;
    Version->dwBuildNumber = peb->OSBuildNumber;
    Version->dwPlatformId = peb->OSPlatformId;
    Version->szCSDVersion[0] = 0;
    return STATUS_SUCCESS;
}

void NTAPI RtlGetNtVersionNumbers(ULONG *Major, ULONG *Minor, ULONG *Build)
{
    if (Major)
        *Major = NtCurrentPeb()->OSMajorVersion;
    if (Minor)
        *Minor = NtCurrentPeb()->OSMinorVersion;
    if (Build)
        *Build = FREE_BUILD | NtCurrentPeb()->OSBuildNumber;
}

/* DLLs are told between the two: the first ends the other threads. */
void NTAPI RtlExitUserProcess(NTSTATUS Status)
{
    NtTerminateProcess(NULL, Status);
    LdrShutdownProcess();
    NtTerminateProcess(NtCurrentProcess(), Status);
    RtlRaiseStatus(Status);
}

/* The process has one thread, so its end is the process's. */
void NTAPI RtlExitUserThread(NTSTATUS Status)
{
    LdrShutdownProcess();
    NtTerminateThread(NtCurrentThread(), Status);
    RtlRaiseStatus(Status);
}

/* NT: raises an exception, which may be handled. Exceptions do not reach
 * ring 3 in this kernel yet, so the status is the process's end. */
void NTAPI RtlRaiseStatus(NTSTATUS Status)
{
    for (;;) {
        NtTerminateProcess(NtCurrentProcess(), Status);
        __asm__ volatile("ud2");
    }
}

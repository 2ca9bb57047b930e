/*
 * process.c - what a process knows of itself, and how it ends.
 */
#include "ldrmachine.h"

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

/*
 * The other threads end where they are, but not with one of the locks taken
 * here, which DLLs may need when they are told.
 */
void NTAPI RtlExitUserProcess(NTSTATUS Status)
{
    PEB *peb = NtCurrentPeb();

    RtlEnterCriticalSection(peb->LoaderLock);
    RtlEnterCriticalSection(peb->FastPebLock);
    RtlLockHeap(peb->ProcessHeap);
    NtTerminateProcess(NULL, Status);
    RtlUnlockHeap(peb->ProcessHeap);
    RtlLeaveCriticalSection(peb->FastPebLock);
    RtlLeaveCriticalSection(peb->LoaderLock);
    LdrShutdownProcess();
    NtTerminateProcess(NtCurrentProcess(), Status);
    RtlRaiseStatus(Status);
}

/* The last thread's end is the process's. */
void NTAPI RtlExitUserThread(NTSTATUS Status)
{
    ULONG last = FALSE;

    NtQueryInformationThread(NtCurrentThread(), ThreadAmILastThread, &last,
                             sizeof last, NULL);
    if (last)
        RtlExitUserProcess(Status);
    LdrShutdownThread();
    ldr_give_up_stack();
    NtTerminateThread(NtCurrentThread(), Status);
    RtlRaiseStatus(Status);
}

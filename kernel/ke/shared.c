/*
 * ke/shared.c - the constants of KUSER_SHARED_DATA, Windows 10's and XP's.
 *
 * Programs read them without a call: which Windows this is, what the
 * processor can do, and which instruction ntdll's stubs use (SystemCall: 0
 * for SYSCALL).  The clock fills the times (time.c).
 */
#include "ki.h"

#include <arch/thread.h>
#include <mm.h>
#include <nt/kuser.h>
#include <nt/pe.h>

#define BUILD_NUMBER 19041
#define FREE_BUILD 0xF0000000U
#define NX_SUPPORT_POLICY_ALWAYSON 1
#define CPUID1_ECX_SSE3 (1U << 0)
#define CPUID1_ECX_CX16 (1U << 13)
#define CPUID80000001_EDX_RDTSCP (1U << 27)

static void set_features(UCHAR *features)
{
    ULONG ecx = arch_cpuid(1, 0).ecx;

    features[PF_COMPARE_EXCHANGE_DOUBLE] = TRUE;    /* all amd64 have these */
    features[PF_MMX_INSTRUCTIONS_AVAILABLE] = TRUE;
    features[PF_XMMI_INSTRUCTIONS_AVAILABLE] = TRUE;
    features[PF_XMMI64_INSTRUCTIONS_AVAILABLE] = TRUE;
    features[PF_RDTSC_INSTRUCTION_AVAILABLE] = TRUE;
    features[PF_PAE_ENABLED] = TRUE;
    features[PF_NX_ENABLED] = TRUE;
    features[PF_FASTFAIL_AVAILABLE] = TRUE;
    features[PF_SSE3_INSTRUCTIONS_AVAILABLE] = (ecx & CPUID1_ECX_SSE3) != 0;
    features[PF_COMPARE_EXCHANGE128] = (ecx & CPUID1_ECX_CX16) != 0;
    features[PF_XSAVE_ENABLED] = ki_enabled_xstate() != 0;
    features[PF_RDTSCP_INSTRUCTION_AVAILABLE] =
        (arch_cpuid(0x80000001, 0).edx & CPUID80000001_EDX_RDTSCP) != 0;
}

/* What XSAVE keeps of ring 3, and where in its area. */
static void set_xstate(XSTATE_CONFIGURATION *xstate)
{
    xstate->EnabledFeatures = ki_enabled_xstate();
    if (xstate->EnabledFeatures == 0)
        return;
    xstate->Features[0] = (XSTATE_FEATURE){
        .Size = offsetof(XSAVE_FORMAT, XmmRegisters),
    };
    xstate->Features[1] = (XSTATE_FEATURE){
        .Offset = offsetof(XSAVE_FORMAT, XmmRegisters),
        .Size = sizeof(((XSAVE_FORMAT *)0)->XmmRegisters),
    };
    xstate->Size = offsetof(struct arch_thread_state, extended.ymm_high);
    if (!ki_has_extended_state())
        return;
    xstate->Features[2] = (XSTATE_FEATURE){
        .Offset = xstate->Size,
        .Size = sizeof(((struct ki_xstate *)0)->ymm_high),
    };
    xstate->Size += xstate->Features[2].Size;
}

/*
 * The page of 32-bit code says that this is Windows XP.  It has the features
 * that XP knew; SystemCall waits for the 32-bit ntdll (doors.c).
 */
static void fill_shared_data_xp(const KUSER_SHARED_DATA *shared)
{
    static const WCHAR system_root[] = L"C:\\WINDOWS";
    struct kuser_shared_data_xp *xp = ke_shared_data_xp;

    memcpy(xp->NtSystemRoot, system_root, sizeof system_root);
    xp->NtMajorVersion = 5;
    xp->NtMinorVersion = 1;
    xp->NtProductType = shared->NtProductType;
    xp->ProductTypeIsValid = TRUE;
    xp->ImageNumberLow = IMAGE_FILE_MACHINE_I386;
    xp->ImageNumberHigh = IMAGE_FILE_MACHINE_I386;
    xp->NXSupportPolicy = NX_SUPPORT_POLICY_ALWAYSON;
    xp->NumberOfPhysicalPages = shared->NumberOfPhysicalPages;
    xp->TestRetInstruction = 0xC3;      /* ret */
    xp->Cookie = shared->Cookie;
    memcpy(xp->ProcessorFeatures, shared->ProcessorFeatures,
           PF_NX_ENABLED + 1);
}

void ki_initialize_shared_data(void)
{
    static const WCHAR system_root[] = L"C:\\Windows";
    KUSER_SHARED_DATA *shared = SharedUserData;
    struct mm_statistics statistics;

    memcpy(shared->NtSystemRoot, system_root, sizeof system_root);
    shared->NtMajorVersion = 10;
    shared->NtMinorVersion = 0;
    shared->NtBuildNumber = FREE_BUILD | BUILD_NUMBER;
    shared->NtProductType = NtProductWinNt;
    shared->ProductTypeIsValid = TRUE;
    shared->NativeProcessorArchitecture = PROCESSOR_ARCHITECTURE_AMD64;
    shared->ImageNumberLow = IMAGE_FILE_MACHINE_AMD64;
    shared->ImageNumberHigh = IMAGE_FILE_MACHINE_AMD64;
    shared->SystemCall = 0;
    shared->ActiveProcessorCount = KeNumberProcessors;
    shared->ActiveGroupCount = 1;
    shared->Cookie = (ULONG)arch_read_tsc() * 2654435761U;
    mm_query_statistics(&statistics);
    shared->NumberOfPhysicalPages = (ULONG)statistics.total_pages;
    set_features(shared->ProcessorFeatures);
    set_xstate(&shared->XState);
    fill_shared_data_xp(shared);
}

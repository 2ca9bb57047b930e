/*
 * debugctl.c - NtSystemDebugControl on a machine booted with debug=on, and
 * with the word "closed" on one that was not.
 */
#include "test.h"

#define KERNEL_SHARED_DATA 0xFFFFF78000000000ULL
#define NOT_MAPPED 0xFFFFC00000000000ULL
#define STAR_VALUE 0x001B000800000000ULL        /* 08/10, 1B/2B/23 */
#define FMASK_VALUE 0x44700ULL                  /* TF IF DF NT AC */
#define EFER_SCE_LME_LMA 0x501ULL

#define MSR_TSC 0x10
#define MSR_SYSENTER_CS 0x174
#define MSR_EFER 0xC0000080
#define MSR_STAR 0xC0000081
#define MSR_LSTAR 0xC0000082
#define MSR_CSTAR 0xC0000083
#define MSR_FMASK 0xC0000084
#define MSR_GS_BASE 0xC0000101

#define OTHER_COMMAND 17                        /* SysDbgWriteMsr */
#define NO_COMMAND 38

static UCHAR page[PAGE_SIZE + 1];

static NTSTATUS read_virtual(ULONGLONG address, void *buffer, ULONG size,
                             ULONG *length)
{
    SYSDBG_VIRTUAL request = { (void *)address, buffer, size };

    return NtSystemDebugControl(SysDbgReadVirtual, &request, sizeof request,
                                NULL, 0, length);
}

static NTSTATUS read_msr(ULONG msr, ULONGLONG *value, ULONG *length)
{
    SYSDBG_MSR request = { .Msr = msr };
    NTSTATUS status = NtSystemDebugControl(SysDbgReadMsr, &request,
                                           sizeof request, NULL, 0, length);

    *value = request.Data;
    CHECK(request.Msr == msr);
    return status;
}

static ULONGLONG msr(ULONG number)
{
    ULONGLONG value;
    ULONG length = 0;

    CHECK_STATUS(read_msr(number, &value, &length), STATUS_SUCCESS);
    CHECK(length == sizeof value);
    return value;
}

static BOOLEAN is_intel(void)
{
    ULONG eax = 0, ebx, ecx, edx;

    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return !memcmp(&ebx, "Genu", 4);
}

static void check_msrs(void)
{
    ULONGLONG value;

    CHECK(msr(MSR_STAR) == STAR_VALUE);
    CHECK(msr(MSR_FMASK) == FMASK_VALUE);
    CHECK((msr(MSR_EFER) & EFER_SCE_LME_LMA) == EFER_SCE_LME_LMA);
    CHECK(msr(MSR_LSTAR) >= KERNEL_SHARED_DATA);
    CHECK(msr(MSR_CSTAR) >= KERNEL_SHARED_DATA);
    CHECK(msr(MSR_CSTAR) != msr(MSR_LSTAR));
    CHECK(msr(MSR_SYSENTER_CS) == (is_intel() ? 8 : 0));
    CHECK_STATUS(read_msr(MSR_TSC, &value, NULL), STATUS_NO_SUCH_DEVICE);
    CHECK_STATUS(read_msr(MSR_GS_BASE, &value, NULL), STATUS_NO_SUCH_DEVICE);
    CHECK_STATUS(read_msr(0xFFFFFFFF, &value, NULL), STATUS_NO_SUCH_DEVICE);
}

/* The answer goes where the question was: into memory that takes it. */
static void check_answer(void)
{
    SYSDBG_MSR *request = test_pages(1);

    request->Msr = MSR_STAR;
    test_protect(request, 1, PAGE_READONLY);
    CHECK_STATUS(NtSystemDebugControl(SysDbgReadMsr, request, sizeof *request,
                                      NULL, 0, NULL),
                 STATUS_ACCESS_VIOLATION);
    CHECK(request->Data == 0);
    CHECK_STATUS(NtSystemDebugControl(SysDbgReadMsr, NULL, sizeof *request,
                                      NULL, 0, NULL),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtSystemDebugControl(SysDbgReadMsr,
                                      (void *)KERNEL_SHARED_DATA,
                                      sizeof *request, NULL, 0, NULL),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtSystemDebugControl(SysDbgReadMsr, (UCHAR *)request + 1,
                                      sizeof *request, NULL, 0, NULL),
                 STATUS_DATATYPE_MISALIGNMENT);
}

static void check_virtual(void)
{
    const KUSER_SHARED_DATA *copy = (const void *)page;
    const KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;
    ULONG length = 0;

    CHECK_STATUS(read_virtual(KERNEL_SHARED_DATA, page, PAGE_SIZE, &length),
                 STATUS_SUCCESS);
    CHECK(length == PAGE_SIZE && copy->NtBuildNumber == shared->NtBuildNumber);
    CHECK_STATUS(read_virtual(KERNEL_SHARED_DATA, page, PAGE_SIZE + 1, NULL),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(read_virtual(KERNEL_SHARED_DATA, NULL, 0, &length),
                 STATUS_SUCCESS);
    CHECK(length == 0);
    CHECK_STATUS(read_virtual(NOT_MAPPED, page, 1, NULL),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(read_virtual((ULONGLONG)page, page, 1, NULL),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(read_virtual(KERNEL_SHARED_DATA, (void *)KERNEL_SHARED_DATA,
                              1, NULL), STATUS_ACCESS_VIOLATION);
}

static void check_commands(void)
{
    SYSDBG_MSR request = { .Msr = MSR_STAR };

    CHECK_STATUS(NtSystemDebugControl(SysDbgReadMsr, &request,
                                      sizeof(SYSDBG_VIRTUAL), NULL, 0, NULL),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(NtSystemDebugControl(SysDbgReadVirtual, &request,
                                      sizeof request, NULL, 0, NULL),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(NtSystemDebugControl(OTHER_COMMAND, &request, sizeof request,
                                      NULL, 0, NULL), STATUS_NOT_IMPLEMENTED);
    CHECK_STATUS(NtSystemDebugControl(NO_COMMAND, &request, sizeof request,
                                      NULL, 0, NULL),
                 STATUS_INVALID_INFO_CLASS);
}

static void check_closed(void)
{
    ULONGLONG value;

    CHECK_STATUS(read_virtual(KERNEL_SHARED_DATA, page, 1, NULL),
                 STATUS_DEBUGGER_INACTIVE);
    CHECK_STATUS(read_msr(MSR_STAR, &value, NULL), STATUS_DEBUGGER_INACTIVE);
    CHECK(page[0] == 0 && value == 0);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    if (wcsstr(peb->ProcessParameters->CommandLine.Buffer, L" closed")) {
        check_closed();
        return test_end();
    }
    check_msrs();
    check_answer();
    check_virtual();
    check_commands();
    return test_end();
}

/*
 * ldrinit.c - from a mapped program to its first instruction.
 *
 * The kernel has mapped the program and ntdll, filled PEB and TEB, and
 * started the first thread at LdrInitializeThunk. Here the process gets its
 * heap, its module lists and its DLLs. PEB.Ldr is written last but one:
 * whoever looks at the process from outside sees whole lists or none.
 *
 * The first thread to come here does all that, whichever it is. One that comes
 * meanwhile waits; later ones only start themselves (ldrthread.c).
 */
#include "ldrp.h"
#include "waitaddr.h"

char ldr_reason[200];
struct module *ldr_program, *ldr_ntdll;
PEB_LDR_DATA ldr_data;
RTL_CRITICAL_SECTION ldr_lock;

static RTL_CRITICAL_SECTION peb_lock;

/* NT: LdrpProcessInitialized. */
static LONG progress;
enum { NOT_STARTED, STARTING, STARTED };

void ldr_initialize(void *ntdll_base);

void *ldr_allocate(SIZE_T size)
{
    return RtlAllocateHeap(NtCurrentPeb()->ProcessHeap, HEAP_ZERO_MEMORY,
                           size);
}

void ldr_free(void *block)
{
    RtlFreeHeap(NtCurrentPeb()->ProcessHeap, 0, block);
}

static void make_empty(LIST_ENTRY *head)
{
    head->Flink = head->Blink = head;
}

static NTSTATUS prepare(PEB *peb)
{
    ldr_data.Length = sizeof ldr_data;
    make_empty(&ldr_data.InLoadOrderModuleList);
    make_empty(&ldr_data.InMemoryOrderModuleList);
    make_empty(&ldr_data.InInitializationOrderModuleList);
    wait_initialize();
    RtlInitializeCriticalSection(&ldr_lock);
    RtlInitializeCriticalSection(&peb_lock);
    peb->LoaderLock = &ldr_lock;
    peb->FastPebLock = &peb_lock;
    peb->ProcessHeap = RtlCreateHeap(HEAP_GROWABLE, NULL, 0, 0, NULL, NULL);
    peb->NumberOfHeaps = peb->ProcessHeap != NULL;
    return peb->ProcessHeap ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

static NTSTATUS add_first(void *base, const UNICODE_STRING *full_name,
                          struct module **module)
{
    struct image image;
    NTSTATUS status = image_open(base, &image);

    if (NT_SUCCESS(status))
        status = image_relocate(&image);
    if (!NT_SUCCESS(status))
        return status;
    *module = ldr_add_module(&image, full_name);
    if (!*module)
        return STATUS_NO_MEMORY;
    ldr_note_pinned(&(*module)->entry);
    return STATUS_SUCCESS;
}

/* NT: load order is the program, then ntdll; ntdll is initialized first. */
static NTSTATUS add_both(PEB *peb, void *ntdll_base)
{
    const KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;
    WCHAR buffer[ARRAY_SIZE(shared->NtSystemRoot) + 32];
    UNICODE_STRING name = { .Buffer = buffer, .MaximumLength = sizeof buffer };
    NTSTATUS status;

    status = add_first(peb->ImageBaseAddress,
                       &peb->ProcessParameters->ImagePathName, &ldr_program);
    if (!NT_SUCCESS(status))
        return status;
    RtlAppendUnicodeToString(&name, shared->NtSystemRoot);
    RtlAppendUnicodeToString(&name, L"\\System32\\ntdll.dll");
    return add_first(ntdll_base, &name, &ldr_ntdll);
}

static NTSTATUS run_program(void)
{
    NTSTATUS status = ldr_add_tls_thread();

    if (NT_SUCCESS(status))
        status = ldr_run_new(ldr_ntdll);
    if (NT_SUCCESS(status))
        status = ldr_bind_imports(ldr_program);
    if (NT_SUCCESS(status))
        status = ldr_add_tls(ldr_program);
    if (NT_SUCCESS(status))
        status = ldr_run_new(ldr_program);
    if (!NT_SUCCESS(status))
        return status;
    ldr_call_tls(ldr_program, DLL_PROCESS_ATTACH);
    ldr_data.Initialized = TRUE;
    return STATUS_SUCCESS;
}

static NTSTATUS start(PEB *peb, void *ntdll_base)
{
    NTSTATUS status = prepare(peb);

    if (NT_SUCCESS(status))
        status = add_both(peb, ntdll_base);
    if (!NT_SUCCESS(status))
        return status;
    peb->Ldr = &ldr_data;
    RtlEnterCriticalSection(&ldr_lock);
    status = run_program();
    RtlLeaveCriticalSection(&ldr_lock);
    return status;
}

/*
 * NT: a failure is a hard error with a message box; here a line on the console
 * and the end of the process.
 */
static void start_process(void *ntdll_base)
{
    struct image ntdll;
    NTSTATUS status = image_open(ntdll_base, &ntdll);

    if (NT_SUCCESS(status))                     /* before any pointer in */
        status = image_relocate(&ntdll);        /* our own data is used */
    if (NT_SUCCESS(status))
        status = start(NtCurrentPeb(), ntdll_base);
    if (NT_SUCCESS(status))
        return;
    DbgPrint("ntdll: the program cannot start (%08X)%s%s\n", status,
             *ldr_reason ? ": " : "", ldr_reason);
    NtTerminateProcess(NtCurrentProcess(), status);
    RtlRaiseStatus(status);
}

/*
 * Called by LdrInitializeThunk in every thread, and comes back to it when the
 * thread may go on to its start routine.
 */
void ldr_initialize(void *ntdll_base)
{
    LARGE_INTEGER moment = { .QuadPart = -300000 };     /* NT's 30 ms */
    LONG expected = NOT_STARTED;
    NTSTATUS status;

    if (__atomic_compare_exchange_n(&progress, &expected, STARTING, FALSE,
                                    __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
        start_process(ntdll_base);
        ldr_note_first_thread();
        __atomic_store_n(&progress, STARTED, __ATOMIC_RELEASE);
        return;
    }
    while (__atomic_load_n(&progress, __ATOMIC_ACQUIRE) != STARTED)
        NtDelayExecution(FALSE, &moment);
    status = ldr_start_thread();
    if (NT_SUCCESS(status))
        return;
    NtTerminateThread(NtCurrentThread(), status);
    RtlRaiseStatus(status);
}

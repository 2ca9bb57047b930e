/*
 * ldrt.c - a DLL that watches threads come and go; it has TLS with a
 * callback. T and t are its DllMain's attach and detach, 1 and 0 the
 * callback's.
 */
#include "ldrt.h"

#define EVENTS 2000

static struct {
    HANDLE thread;
    char event;
} events[EVENTS];
static ULONG count;
static HANDLE early_thread;
static volatile ULONG early_saw;

static ULONG tls_index;
static ULONG template[1] = { T_TLS_FIRST };

/* The loader lock is held by whoever calls. */
void t_log(char event)
{
    if (count == EVENTS)
        return;
    events[count].thread = NtCurrentTeb()->ClientId.UniqueThread;
    events[count++].event = event;
}

void t_text(HANDLE thread, char *text, ULONG size)
{
    ULONG at, length = 0;

    for (at = 0; at < count && length < size - 1; at++)
        if (events[at].thread == thread)
            text[length++] = events[at].event;
    text[length] = 0;
    count = 0;
}

ULONG *t_tls(void)
{
    return ((ULONG **)NtCurrentTeb()->ThreadLocalStoragePointer)[tls_index];
}

HANDLE t_early_thread(void)
{
    return early_thread;
}

/* 1: it ran behind the process's initialization, 2: before it. */
ULONG t_early_result(void)
{
    return early_saw;
}

static void NTAPI early(void *parameter)
{
    (void)parameter;
    early_saw = NtCurrentPeb()->Ldr->Initialized ? 1 : 2;
}

static void NTAPI on_tls(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    if (reason == DLL_THREAD_ATTACH || reason == DLL_THREAD_DETACH)
        t_log(reason == DLL_THREAD_ATTACH ? '1' : '0');
}

static const ULONG_PTR callbacks[] = { (ULONG_PTR)on_tls, 0 };
extern const IMAGE_TLS_DIRECTORY _tls_used;
const IMAGE_TLS_DIRECTORY _tls_used = {
    .StartAddressOfRawData = (ULONG_PTR)template,
    .EndAddressOfRawData = (ULONG_PTR)(template + 1),
    .AddressOfIndex = (ULONG_PTR)&tls_index,
    .AddressOfCallBacks = (ULONG_PTR)callbacks,
    .SizeOfZeroFill = 4,
};

/* It gives up the processor: an early thread could run. */
static void make_early_thread(void)
{
    ULONG round;

    RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0, early, NULL,
                        &early_thread, NULL);
    for (round = 0; round < 10; round++)
        NtYieldExecution();
}

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved)
{
    (void)base;
    if (reason == DLL_PROCESS_ATTACH)
        make_early_thread();
    else if (reason == DLL_PROCESS_DETACH)
        DbgPrint("ldrt: the process ends%s\n", reserved ? "" : " not");
    else
        t_log(reason == DLL_THREAD_ATTACH ? 'T' : 't');
    return TRUE;
}

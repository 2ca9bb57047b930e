/*
 * ldra.c - a DLL with everything: names, an ordinal without a name, a
 * forwarder, an import, TLS with a callback.
 */
#include "ldr.h"

static ULONG tls_index;
static ULONG template[2] = { A_TLS_FIRST, 0x33334444 };

static void on_tls(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    b_log(reason == DLL_PROCESS_ATTACH ? '1' : '0');
}

static const ULONGLONG callbacks[] = { (ULONGLONG)on_tls, 0 };

/* The linker makes this the TLS directory because of its name. */
extern const IMAGE_TLS_DIRECTORY64 _tls_used;
const IMAGE_TLS_DIRECTORY64 _tls_used = {
    .StartAddressOfRawData = (ULONGLONG)template,
    .EndAddressOfRawData = (ULONGLONG)(template + 2),
    .AddressOfIndex = (ULONGLONG)&tls_index,
    .AddressOfCallBacks = (ULONGLONG)callbacks,
    .SizeOfZeroFill = 8,
};

ULONG a_value(void)
{
    return 0xA;
}

ULONG a_fifth(void)
{
    return 5;
}

ULONG *a_tls(void)
{
    return ((ULONG **)NtCurrentTeb()->ThreadLocalStoragePointer)[tls_index];
}

BOOLEAN DllMain(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    b_log(reason == DLL_PROCESS_ATTACH ? 'A' : 'a');
    return TRUE;
}

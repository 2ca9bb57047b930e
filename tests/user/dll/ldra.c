/*
 * ldra.c - a DLL with everything: names, an ordinal without a name, a
 * forwarder, an import, TLS with a callback.
 */
#include "ldr.h"

static ULONG tls_index;
static ULONG template[2] = { A_TLS_FIRST, 0x33334444 };

static void NTAPI on_tls(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    b_log(reason == DLL_PROCESS_ATTACH ? '1' : '0');
}

static const ULONG_PTR callbacks[] = { (ULONG_PTR)on_tls, 0 };

/* The linker makes this the TLS directory because of its name. */
extern const IMAGE_TLS_DIRECTORY _tls_used;
const IMAGE_TLS_DIRECTORY _tls_used = {
    .StartAddressOfRawData = (ULONG_PTR)template,
    .EndAddressOfRawData = (ULONG_PTR)(template + 2),
    .AddressOfIndex = (ULONG_PTR)&tls_index,
    .AddressOfCallBacks = (ULONG_PTR)callbacks,
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

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    b_log(reason == DLL_PROCESS_ATTACH ? 'A' : 'a');
    return TRUE;
}

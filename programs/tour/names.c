/*
 * names.c - which routine of ntdll an address belongs to, by ntdll's exports.
 *
 * A service has two names there; it is shown by the one with Nt.
 */
#include "tour.h"

#include <nt/pe.h>

static UCHAR *ntdll_base(void)
{
    UNICODE_STRING dll;
    void *base = NULL;

    RtlInitUnicodeString(&dll, L"ntdll.dll");
    return NT_SUCCESS(LdrGetDllHandle(NULL, NULL, &dll, &base)) ? base : NULL;
}

const char *name_in_ntdll(ULONGLONG address, ULONG count, ULONGLONG *start)
{
    UCHAR *base = ntdll_base();
    const IMAGE_EXPORT_DIRECTORY *exports;
    const ULONG *names, *routines;
    const USHORT *ordinals;
    ULONG size, at;

    exports = base ? RtlImageDirectoryEntryToData(
                         base, TRUE, IMAGE_DIRECTORY_ENTRY_EXPORT, &size)
                   : NULL;
    if (!exports)
        return NULL;
    names = (const ULONG *)(base + exports->AddressOfNames);
    routines = (const ULONG *)(base + exports->AddressOfFunctions);
    ordinals = (const USHORT *)(base + exports->AddressOfNameOrdinals);
    for (at = 0; at < exports->NumberOfNames; at++) {
        const char *name = (const char *)base + names[at];

        *start = (ULONGLONG)base + routines[ordinals[at]];
        if (address - *start < count && strncmp(name, "Zw", 2))
            return name;
    }
    return NULL;
}

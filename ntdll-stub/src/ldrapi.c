/*
 * ldrapi.c - the loader's exported routines.
 */
#include "ldrp.h"

static void enter(void)
{
    RtlEnterCriticalSection(&ldr_lock);
    *ldr_reason = 0;
}

static NTSTATUS leave(NTSTATUS status)
{
    RtlLeaveCriticalSection(&ldr_lock);
    return status;
}

/*
 * NT: DllPath is a search path (all DLLs have one home here), and of the
 * characteristics only "executable" changes what is done; the rest are
 * accepted. On failure *DllHandle is NULL and nothing stays loaded.
 */
NTSTATUS NTAPI LdrLoadDll(const WCHAR *DllPath, const ULONG *DllCharacteristics,
                          const UNICODE_STRING *DllName, void **DllHandle)
{
    BOOLEAN unresolved = DllCharacteristics &&
                         (*DllCharacteristics &
                          LDR_DONT_RESOLVE_DLL_REFERENCES);
    struct module *module = NULL;
    NTSTATUS status;

    (void)DllPath;
    enter();
    *DllHandle = NULL;
    status = ldr_load(DllName, unresolved, &module);
    if (NT_SUCCESS(status)) {
        module->loads++;
        status = ldr_run_new(module);
        if (!NT_SUCCESS(status))
            module->loads--;
    }
    if (NT_SUCCESS(status))
        *DllHandle = module->image.base;
    else
        ldr_sweep();
    return leave(status);
}

NTSTATUS NTAPI LdrUnloadDll(void *DllHandle)
{
    struct module *module;

    enter();
    module = ldr_find_base(DllHandle);
    if (!module)
        return leave(STATUS_DLL_NOT_FOUND);
    if (module->loads) {
        module->loads--;
        ldr_sweep();
    }
    return leave(STATUS_SUCCESS);
}

NTSTATUS NTAPI LdrGetDllHandle(const WCHAR *DllPath,
                               const ULONG *DllCharacteristics,
                               const UNICODE_STRING *DllName, void **DllHandle)
{
    struct module *module;
    NTSTATUS status;

    (void)DllPath;
    (void)DllCharacteristics;
    enter();
    status = ldr_find_name(DllName, &module);
    *DllHandle = NT_SUCCESS(status) ? module->image.base : NULL;
    return leave(status);
}

/* A forwarder may load its target, which then is attached at once. */
NTSTATUS NTAPI LdrGetProcedureAddress(void *DllHandle, const ANSI_STRING *Name,
                                      ULONG Ordinal, void **Address)
{
    struct module *module;
    char text[256];
    void *address = NULL;
    NTSTATUS status;

    *Address = NULL;
    if (Name ? Name->Length >= sizeof text : Ordinal == 0)
        return Name ? STATUS_ENTRYPOINT_NOT_FOUND : STATUS_INVALID_PARAMETER;
    if (Name) {
        memcpy(text, Name->Buffer, Name->Length);
        text[Name->Length] = 0;
    }
    enter();
    module = ldr_find_base(DllHandle);
    if (!module)
        return leave(STATUS_DLL_NOT_FOUND);
    status = ldr_find_export(module, Name ? text : NULL, ~0u, Ordinal, 0,
                             &address);
    if (NT_SUCCESS(status))
        status = ldr_run_new(module);
    if (NT_SUCCESS(status))
        *Address = address;
    else
        ldr_sweep();
    return leave(status);
}

NTSTATUS NTAPI LdrFindEntryForAddress(void *Address,
                                      LDR_DATA_TABLE_ENTRY **Entry)
{
    struct module *module;

    enter();
    module = ldr_find_address(Address);
    *Entry = module ? &module->entry : NULL;
    return leave(module ? STATUS_SUCCESS : STATUS_NO_MORE_ENTRIES);
}

/* Not one with TLS: its blocks come and go with threads. */
NTSTATUS NTAPI LdrDisableThreadCalloutsForDll(void *DllHandle)
{
    struct module *module;

    enter();
    module = ldr_find_base(DllHandle);
    if (!module || module->has_tls)
        return leave(STATUS_DLL_NOT_FOUND);
    module->entry.Flags |= LDRP_DONT_CALL_FOR_THREADS;
    return leave(STATUS_SUCCESS);
}

void *NTAPI RtlPcToFileHeader(void *Pc, void **Base)
{
    LDR_DATA_TABLE_ENTRY *entry;

    LdrFindEntryForAddress(Pc, &entry);
    *Base = entry ? entry->DllBase : NULL;
    return *Base;
}

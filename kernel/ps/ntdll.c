/*
 * ps/ntdll.c - the two ntdlls among the boot files.
 *
 * The kernel enters ntdll at a few of its exports, which it looks up when the
 * first process of a kind starts.  An ntdll lies at one address in every
 * process, so others can be told then, too: Ke where user APCs begin and where
 * a pop may fault, XP's shared page how 32-bit code makes its calls.
 */
#include "psp.h"

#include <arch/thread.h>
#include <io.h>
#include <kd.h>
#include <rtl_pe.h>

static const char *const export_names[PSP_EXPORTS] = {
    [LDR_INITIALIZE_THUNK] = "LdrInitializeThunk",
    [RTL_USER_THREAD_START] = "RtlUserThreadStart",
    [KI_USER_APC_DISPATCHER] = "KiUserApcDispatcher",
    [KI_USER_CALLBACK_DISPATCHER] = "KiUserCallbackDispatcher",
    [KI_FAST_SYSTEM_CALL] = "KiFastSystemCall",
    [KI_FAST_SYSTEM_CALL_RET] = "KiFastSystemCallRet",
    [KI_INT_SYSTEM_CALL] = "KiIntSystemCall",
};

static const char *const option_names[PSP_OPTIONS] = {
    [KI_USER_EXCEPTION_DISPATCHER] = "KiUserExceptionDispatcher",
    [KI_RAISE_USER_EXCEPTION_DISPATCHER] = "KiRaiseUserExceptionDispatcher",
    [EXP_INTERLOCKED_POP_ENTRY_SLIST_RESUME] =
        "ExpInterlockedPopEntrySListResume",
    [EXP_INTERLOCKED_POP_ENTRY_SLIST_FAULT] =
        "ExpInterlockedPopEntrySListFault",
    [EXP_INTERLOCKED_POP_ENTRY_SLIST_END] = "ExpInterlockedPopEntrySListEnd",
};

static NTSTATUS find_exports(const struct psp_kind *kind, const void *bytes,
                             SIZE_T size, struct psp_ntdll *ntdll)
{
    struct rtl_pe pe;
    NTSTATUS status = rtl_pe_parse(bytes, size, &pe);

    if (NT_SUCCESS(status) && pe.machine != kind->machine)
        status = STATUS_INVALID_IMAGE_FORMAT;
    for (ULONG i = 0; i < kind->exports && NT_SUCCESS(status); i++) {
        status = rtl_pe_find_export(bytes, &pe, export_names[i],
                                    &ntdll->rva[i]);
        if (!NT_SUCCESS(status))
            DbgPrintEx(KD_PS_ID, DPFLTR_WARNING_LEVEL, "PS    %ls has no %s\n",
                       kind->ntdll, export_names[i]);
    }
    for (ULONG i = 0; i < PSP_OPTIONS && NT_SUCCESS(status); i++) {
        if (!NT_SUCCESS(rtl_pe_find_export(bytes, &pe, option_names[i],
                                           &ntdll->option[i])))
            ntdll->option[i] = 0;
    }
    return status;
}

static NTSTATUS load(const struct psp_kind *kind, struct psp_ntdll *ntdll)
{
    UNICODE_STRING name;
    const void *bytes;
    SIZE_T size;
    NTSTATUS status;

    RtlInitUnicodeString(&name, kind->ntdll);
    status = io_find_boot_file(&name, &bytes, &size);
    if (NT_SUCCESS(status))
        status = find_exports(kind, bytes, size, ntdll);
    if (NT_SUCCESS(status))
        status = mm_create_section(bytes, size, TRUE, &ntdll->section);
    if (NT_SUCCESS(status))
        ntdll->base = kind->ntdll_base
                          ? kind->ntdll_base
                          : mm_section_image(ntdll->section)->preferred_base;
    return status;
}

/* 0 stays 0. */
static ULONG_PTR option(const struct psp_ntdll *ntdll, enum psp_option which)
{
    ULONG rva = ntdll->option[which];

    return rva ? ntdll->base + rva : 0;
}

static void set_addresses64(ULONG_PTR base, const struct psp_ntdll *ntdll)
{
    KeUserApcDispatcher = base + ntdll->rva[KI_USER_APC_DISPATCHER];
    KeUserCallbackDispatcher = base + ntdll->rva[KI_USER_CALLBACK_DISPATCHER];
    KeUserExceptionDispatcher = option(ntdll, KI_USER_EXCEPTION_DISPATCHER);
    KeRaiseUserExceptionDispatcher =
        option(ntdll, KI_RAISE_USER_EXCEPTION_DISPATCHER);
    KeUserPopEntrySListResume =
        option(ntdll, EXP_INTERLOCKED_POP_ENTRY_SLIST_RESUME);
    KeUserPopEntrySListFault =
        option(ntdll, EXP_INTERLOCKED_POP_ENTRY_SLIST_FAULT);
    KeUserPopEntrySListEnd =
        option(ntdll, EXP_INTERLOCKED_POP_ENTRY_SLIST_END);
}

static void set_addresses32(ULONG base, const struct psp_ntdll *ntdll)
{
    ke_user_apc_dispatcher32 = base + ntdll->rva[KI_USER_APC_DISPATCHER];
    ke_user_callback_dispatcher32 =
        base + ntdll->rva[KI_USER_CALLBACK_DISPATCHER];
    ke_user_exception_dispatcher32 =
        (ULONG)option(ntdll, KI_USER_EXCEPTION_DISPATCHER);
    ke_raise_user_exception_dispatcher32 =
        (ULONG)option(ntdll, KI_RAISE_USER_EXCEPTION_DISPATCHER);
    ke_user_pop_entry_slist_resume32 =
        (ULONG)option(ntdll, EXP_INTERLOCKED_POP_ENTRY_SLIST_RESUME);
    ke_user_pop_entry_slist_fault32 =
        (ULONG)option(ntdll, EXP_INTERLOCKED_POP_ENTRY_SLIST_FAULT);
    ke_user_pop_entry_slist_end32 =
        (ULONG)option(ntdll, EXP_INTERLOCKED_POP_ENTRY_SLIST_END);
    ke_set_system_call32(base + ntdll->rva[KI_FAST_SYSTEM_CALL],
                         base + ntdll->rva[KI_FAST_SYSTEM_CALL_RET],
                         base + ntdll->rva[KI_INT_SYSTEM_CALL]);
}

static struct psp_ntdll *place_of(const struct psp_kind *kind)
{
    static struct psp_ntdll native, wow64;

    return kind == &psp_kind64 ? &native : &wow64;
}

const struct psp_ntdll *psp_ntdll_of(const struct psp_kind *kind)
{
    return place_of(kind);
}

static NTSTATUS load_once(const struct psp_kind *kind)
{
    struct psp_ntdll *ntdll = place_of(kind);
    NTSTATUS status;

    if (ntdll->section)
        return STATUS_SUCCESS;
    status = load(kind, ntdll);
    if (!NT_SUCCESS(status))
        DbgPrintEx(KD_PS_ID, DPFLTR_WARNING_LEVEL,
                   "PS    %ls: status %08x; its programs cannot run\n",
                   kind->ntdll, status);
    else if (kind == &psp_kind32)
        set_addresses32((ULONG)ntdll->base, ntdll);
    else
        set_addresses64(ntdll->base, ntdll);
    return status;
}

NTSTATUS psp_load_ntdll(const struct psp_kind *kind)
{
    static EX_PUSH_LOCK lock;
    NTSTATUS status;

    ke_acquire_exclusive(&lock);
    status = load_once(kind);
    ke_release_exclusive(&lock);
    return status;
}

/*
 * loader.c - Ldr: what is bound and run before the program starts, and
 * loading, finding and unloading while it runs. dll/ldr.h has the cast.
 */
#include "test.h"
#include "dll/ldr.h"

static ULONG tls_calls;

static void NTAPI on_tls(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) {
        tls_calls++;
        b_log('2');
    }
}

static ULONG tls_index = 99;
static ULONG template[1] = { 0x55556666 };
static const ULONG_PTR callbacks[] = { (ULONG_PTR)on_tls, 0 };
extern const IMAGE_TLS_DIRECTORY _tls_used;
const IMAGE_TLS_DIRECTORY _tls_used = {
    .StartAddressOfRawData = (ULONG_PTR)template,
    .EndAddressOfRawData = (ULONG_PTR)(template + 1),
    .AddressOfIndex = (ULONG_PTR)&tls_index,
    .AddressOfCallBacks = (ULONG_PTR)callbacks,
    .SizeOfZeroFill = 12,
};

static NTSTATUS load(const WCHAR *name, ULONG flags, void **base)
{
    UNICODE_STRING string;

    RtlInitUnicodeString(&string, name);
    return LdrLoadDll(NULL, flags ? &flags : NULL, &string, base);
}

static NTSTATUS find(const WCHAR *name, void **base)
{
    UNICODE_STRING string;

    RtlInitUnicodeString(&string, name);
    return LdrGetDllHandle(NULL, NULL, &string, base);
}

static NTSTATUS export(void *base, const char *name, ULONG ordinal,
                       void **address)
{
    ANSI_STRING string;

    RtlInitAnsiString(&string, name);
    return LdrGetProcedureAddress(base, name ? &string : NULL, ordinal,
                                  address);
}

/* The value that an export of no arguments returns, or ~0. */
static ULONG value_of(void *base, const char *name, ULONG ordinal)
{
    void *address;
    NTSTATUS status = export(base, name, ordinal, &address);

    return CHECK_SAY(status == 0, "%s, %u: %08x", name ? name : "#", ordinal,
                     status) ? ((ULONG (*)(void))address)() : ~0u;
}

static void check_start(void)
{
    void **slots = NtCurrentTeb()->ThreadLocalStoragePointer;
    ULONG *own;

    CHECK_SAY(!strcmp(b_text(), "B1A2"), "order is %s", b_text());
    CHECK(a_value() == 0xA && a_fifth() == 5 && a_forward() == 0xB);
    CHECK(b_value() == 0xB && b_seven() == 7);
    CHECK(tls_calls == 1);
    if (CHECK(tls_index < 16 && slots)) {
        own = slots[tls_index];
        CHECK(own && own[0] == 0x55556666 && !own[1] && !own[2] && !own[3]);
        CHECK(own != a_tls() && own != template);
    }
    CHECK(a_tls() && a_tls()[0] == A_TLS_FIRST && a_tls()[1] == 0x33334444 &&
          !a_tls()[2] && !a_tls()[3]);
}

static const LDR_DATA_TABLE_ENTRY *nth(const LIST_ENTRY *head, ULONG count,
                                       size_t offset)
{
    const LIST_ENTRY *at = head->Flink;

    while (count-- && at != head)
        at = at->Flink;
    return at == head ? NULL : (const void *)((const char *)at - offset);
}

static BOOLEAN is_named(const LDR_DATA_TABLE_ENTRY *entry, const WCHAR *name)
{
    UNICODE_STRING string;

    RtlInitUnicodeString(&string, name);
    return entry && RtlEqualUnicodeString(&entry->BaseDllName, &string, TRUE);
}

/* Windows' order: the program, ntdll, then by need; initialized bottom up. */
static void check_lists(PEB *peb)
{
    static const WCHAR *const loaded[] = { L"loader.exe", L"ntdll.dll",
                                           L"ldra.dll", L"ldrb.dll" };
    static const WCHAR *const run[] = { L"ntdll.dll", L"ldrb.dll",
                                        L"ldra.dll" };
    PEB_LDR_DATA *data = peb->Ldr;
    ULONG at;

    if (!CHECK(data && data->Length == sizeof *data && data->Initialized))
        return;
    for (at = 0; at < ARRAY_SIZE(loaded); at++) {
        CHECK_SAY(is_named(nth(&data->InLoadOrderModuleList, at,
                               offsetof(LDR_DATA_TABLE_ENTRY,
                                        InLoadOrderLinks)), loaded[at]),
                  "load order, %u is not %ls", at, loaded[at]);
        CHECK_SAY(is_named(nth(&data->InMemoryOrderModuleList, at,
                               offsetof(LDR_DATA_TABLE_ENTRY,
                                        InMemoryOrderLinks)), loaded[at]),
                  "memory order, %u is not %ls", at, loaded[at]);
    }
    for (at = 0; at < ARRAY_SIZE(run); at++)
        CHECK_SAY(is_named(nth(&data->InInitializationOrderModuleList, at,
                               offsetof(LDR_DATA_TABLE_ENTRY,
                                        InInitializationOrderLinks)),
                           run[at]),
                  "initialization order, %u is not %ls", at, run[at]);
    CHECK(!nth(&data->InLoadOrderModuleList, 4, 0));
    CHECK(nth(&data->InLoadOrderModuleList, 0, 0)->DllBase ==
          peb->ImageBaseAddress);
}

static void check_names(void)
{
    static const WCHAR *const names[] = {
        L"ldra", L"LDRA.DLL", L"ldra.dll", L"\\SystemRoot\\System32\\ldra.dll",
        L"\\systemroot\\SYSTEM32\\LdrA" };
    void *base, *same;
    ULONG at;

    CHECK_STATUS(find(L"ldra.dll", &base), STATUS_SUCCESS);
    for (at = 0; at < ARRAY_SIZE(names); at++) {
        CHECK_STATUS(find(names[at], &same), STATUS_SUCCESS);
        CHECK_SAY(same == base, "%ls is at %p, not %p", names[at], same, base);
        CHECK_STATUS(load(names[at], 0, &same), STATUS_SUCCESS);
        CHECK(same == base);
        CHECK_STATUS(LdrUnloadDll(same), STATUS_SUCCESS);
    }
    CHECK_STATUS(find(L"ldra.", &same), STATUS_DLL_NOT_FOUND);
    CHECK_STATUS(load(L"ghost", 0, &same), STATUS_DLL_NOT_FOUND);
    CHECK(!same);
    CHECK_STATUS(load(L"\\Device\\ldra.dll", 0, &same), STATUS_DLL_NOT_FOUND);
    CHECK_STATUS(load(L"loader.c", 0, &same), STATUS_DLL_NOT_FOUND);
    CHECK_STATUS(LdrUnloadDll((void *)0x12345), STATUS_DLL_NOT_FOUND);
    CHECK(a_value() == 0xA);
}

static void check_exports(void)
{
    void *a, *b, *address;

    find(L"ldra", &a);
    find(L"ldrb", &b);
    CHECK(value_of(a, "a_value", 0) == 0xA);
    CHECK(value_of(a, NULL, 5) == 5);
    CHECK(value_of(a, "a_forward", 0) == 0xB);
    CHECK(value_of(b, NULL, 7) == 7);
    CHECK(value_of(b, "b_seven", 0) == 7);
    CHECK_STATUS(export(a, "a_fifth", 0, &address),
                 STATUS_ENTRYPOINT_NOT_FOUND);
    CHECK(!address);
    CHECK_STATUS(export(a, "a_", 0, &address), STATUS_ENTRYPOINT_NOT_FOUND);
    CHECK_STATUS(export(a, "zzz", 0, &address), STATUS_ENTRYPOINT_NOT_FOUND);
    CHECK_STATUS(export(a, "a_lost", 0, &address),
                 STATUS_ENTRYPOINT_NOT_FOUND);
    CHECK_STATUS(export(a, "a_nowhere", 0, &address), STATUS_DLL_NOT_FOUND);
    CHECK_STATUS(export(a, NULL, 60, &address), STATUS_ORDINAL_NOT_FOUND);
    CHECK_STATUS(export(a, NULL, 0xFFFF, &address), STATUS_ORDINAL_NOT_FOUND);
    CHECK_STATUS(export(a, NULL, 0, &address), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(export((char *)a + 1, "a_value", 0, &address),
                 STATUS_DLL_NOT_FOUND);
}

static void check_unload(void)
{
    ULONG start = strlen(b_text());
    MEMORY_BASIC_INFORMATION memory;
    void *d, *again, *a;

    CHECK_STATUS(load(L"ldrd", 0, &d), STATUS_SUCCESS);
    CHECK_STATUS(load(L"ldrd.dll", 0, &again), STATUS_SUCCESS);
    CHECK(d == again);
    CHECK(value_of(d, "d_value", 0) == 0xA + 0xB + 5);
    CHECK_STATUS(LdrUnloadDll(d), STATUS_SUCCESS);
    CHECK_STATUS(find(L"ldrd", &again), STATUS_SUCCESS);
    CHECK_SAY(!strcmp(b_text() + start, "D"), "log %s", b_text());
    CHECK_STATUS(LdrUnloadDll(d), STATUS_SUCCESS);
    CHECK_STATUS(find(L"ldrd", &again), STATUS_DLL_NOT_FOUND);
    CHECK_SAY(!strcmp(b_text() + start, "Dd"), "log %s", b_text());
    CHECK_STATUS(find(L"ldra", &a), STATUS_SUCCESS);
    if (NT_SUCCESS(NtQueryVirtualMemory(NtCurrentProcess(), d,
                                        MemoryBasicInformation, &memory,
                                        sizeof memory, NULL)))
        CHECK(memory.State == MEM_FREE);
}

static void check_relocated(void)
{
    void *a, *c;
    IMAGE_NT_HEADERS *headers;

    find(L"ldra", &a);
    CHECK_STATUS(load(L"ldrc", 0, &c), STATUS_SUCCESS);
    CHECK(c && c != a);
    CHECK(value_of(c, "c_check", 0) == 1);
    headers = RtlImageNtHeader(c);
    CHECK(headers && headers->OptionalHeader.ImageBase == (ULONG_PTR)c);
    CHECK_STATUS(LdrUnloadDll(c), STATUS_SUCCESS);
}

static void check_ring(void)
{
    ULONG start = strlen(b_text());
    void *e, *f;

    CHECK_STATUS(load(L"ldre", 0, &e), STATUS_SUCCESS);
    CHECK_STATUS(find(L"ldrf", &f), STATUS_SUCCESS);
    CHECK(value_of(e, "e_other", 0) == 0xF);
    CHECK(value_of(f, "f_other", 0) == 0xE);
    CHECK_STATUS(LdrUnloadDll(e), STATUS_SUCCESS);
    CHECK_STATUS(find(L"ldre", &e), STATUS_DLL_NOT_FOUND);
    CHECK_STATUS(find(L"ldrf", &f), STATUS_DLL_NOT_FOUND);
    CHECK_SAY(!strcmp(b_text() + start, "FEef"), "log %s", b_text());
}

static void check_failing(void)
{
    ULONG start = strlen(b_text());
    void *base;

    CHECK_STATUS(load(L"ldrfail", 0, &base), STATUS_DLL_INIT_FAILED);
    CHECK(!base);
    CHECK_STATUS(find(L"ldrfail", &base), STATUS_DLL_NOT_FOUND);
    CHECK_SAY(!strcmp(b_text() + start, "Xx"), "log %s", b_text());
    CHECK_STATUS(load(L"needs_name.exe", 0, &base), STATUS_SUCCESS);
    CHECK_STATUS(LdrUnloadDll(base), STATUS_SUCCESS);
}

/* Only mapped: no imports, no DllMain, but exports can be found. */
static void check_unresolved(void)
{
    ULONG start = strlen(b_text());
    void *base;

    CHECK_STATUS(load(L"ldrfail", LDR_DONT_RESOLVE_DLL_REFERENCES, &base),
                 STATUS_SUCCESS);
    CHECK(value_of(base, "fail_value", 0) == 0xF);
    CHECK(!b_text()[start]);
    CHECK_STATUS(LdrUnloadDll(base), STATUS_SUCCESS);
    CHECK(!b_text()[start]);
    CHECK_STATUS(find(L"ldrfail", &base), STATUS_DLL_NOT_FOUND);
}

static void check_headers(PEB *peb)
{
    LDR_DATA_TABLE_ENTRY *entry;
    void *base;

    CHECK(RtlPcToFileHeader(check_headers, &base) == peb->ImageBaseAddress);
    CHECK(base == peb->ImageBaseAddress);
    CHECK(!RtlPcToFileHeader((void *)0x1000, &base) && !base);
    CHECK_STATUS(LdrFindEntryForAddress(check_headers, &entry),
                 STATUS_SUCCESS);
    CHECK(entry && entry->DllBase == peb->ImageBaseAddress);
    CHECK(entry && entry->SizeOfImage ==
          RtlImageNtHeader(entry->DllBase)->OptionalHeader.SizeOfImage);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    check_start();
    check_lists(peb);
    check_names();
    check_exports();
    check_unload();
    check_relocated();
    check_ring();
    check_failing();
    check_unresolved();
    check_headers(peb);
    return test_end();
}

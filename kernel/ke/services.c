/*
 * ke/services.c - the service tables, made from services.tab at boot.
 *
 * An entry is a LONG that tells routine and stack arguments at once:
 * (routine - base) << 4 | arguments, with the table's own address as base.
 * Places nobody has lead to a routine that answers as Windows does for a
 * number beyond the table.  With a numbering file the same routines appear
 * under other numbers; the Zw stubs of the kernel follow.
 *
 * NT: KiServiceTable and W32pServiceTable lie in the images of ntoskrnl and
 * win32k and are compacted in place by KiInitializeKernel's loop.
 */
#include "ki.h"
#include "numbering.h"
#include "ssdt.h"

#include <kd.h>

#define TABLE_ENTRIES (SERVICE_INDEX_MASK + 1)
#define ZW_STUB_SIZE 32
#define ZW_STUB_NUMBER 21               /* offset of mov eax's operand */
/* Windows 10 2004: the first number beyond each table. */
#define WINDOWS_NT_LIMIT 0x1D7
#define WINDOWS_WIN32K_LIMIT 0x524

#define SERVICE(table, number, stack_args, argc, name) NTSTATUS name(void);
#include <services.inc.c>
#undef SERVICE

#define CALL(number, xp_number, argc, letters, is_value, name) \
    { #name, (void *)name, number, argc, letters },
const struct ke_service ke_services[] = {
#include <calls.inc.c>
};
#undef CALL
const ULONG ke_service_count = ARRAY_SIZE(ke_services);

LONG KiServiceTable[TABLE_ENTRIES] SEALED;
LONG W32pServiceTable[TABLE_ENTRIES] SEALED;
UCHAR KiArgumentTable[TABLE_ENTRIES] SEALED;
UCHAR W32pArgumentTable[TABLE_ENTRIES] SEALED;
KSERVICE_TABLE_DESCRIPTOR KeServiceDescriptorTable[SERVICE_TABLES] SEALED;
KSERVICE_TABLE_DESCRIPTOR KeServiceDescriptorTableShadow[SERVICE_TABLES]
    SEALED;
static USHORT numbers[ARRAY_SIZE(ke_services)] SEALED;

/* entry/service.asm */
extern UCHAR ki_zw_stubs[];

static NTSTATUS invalid_service(void)
{
    return STATUS_INVALID_SYSTEM_SERVICE;
}

ULONG ke_service_number(const struct ke_service *service)
{
    return numbers[service - ke_services];
}

static ULONG stack_arguments(ULONG args)
{
    return args > 4 ? args - 4 : 0;
}

/* Packed, and taken apart again as room 3 will do it. */
static LONG make_entry(const void *routine, const LONG *base, ULONG stack)
{
    LONG entry = ki_pack_entry((ULONG_PTR)routine, (ULONG_PTR)base, stack);

    ASSERT(ki_entry_routine(entry, (ULONG_PTR)base) == (ULONG_PTR)routine);
    ASSERT(ki_entry_arguments(entry) == stack);
    return entry;
}

static void fill_table(ULONG table, LONG *base, UCHAR *arguments, ULONG limit)
{
    for (ULONG i = 0; i < TABLE_ENTRIES; i++)
        base[i] = make_entry(invalid_service, base, 0);
    for (ULONG i = 0; i < ke_service_count; i++) {
        ULONG index = numbers[i] & SERVICE_INDEX_MASK;
        ULONG stack = stack_arguments(ke_services[i].args);

        if (numbers[i] >> SERVICE_TABLE_SHIFT != table)
            continue;
        base[index] = make_entry(ke_services[i].routine, base, stack);
        arguments[index] = (UCHAR)(stack * 8);
    }
    KeServiceDescriptorTableShadow[table] = (KSERVICE_TABLE_DESCRIPTOR){
        .Base = base, .Limit = limit, .Number = arguments,
    };
}

/* Limit: Windows', or more when a number beyond it is in use. */
static ULONG table_limit(ULONG table, ULONG windows_limit)
{
    ULONG limit = windows_limit;

    for (ULONG i = 0; i < ke_service_count; i++) {
        ULONG index = numbers[i] & SERVICE_INDEX_MASK;

        if (numbers[i] >> SERVICE_TABLE_SHIFT == table && index >= limit)
            limit = index + 1;
    }
    return limit;
}

static void patch_zw_stubs(void)
{
    UCHAR *stub = ki_zw_stubs;

    for (ULONG i = 0; i < ke_service_count; i++) {
        ULONG number = numbers[i];

        if (ke_services[i].number >> SERVICE_TABLE_SHIFT != 0)
            continue;
        memcpy(stub + ZW_STUB_NUMBER, &number, sizeof number);
        stub += ZW_STUB_SIZE;
    }
}

static const struct loader_module *find_numbering(
    const LOADER_PARAMETER_BLOCK *block)
{
    for (ULONG i = 0; i < block->module_count; i++) {
        if (strcmp(block->modules[i].name, "numbering.txt") == 0)
            return &block->modules[i];
    }
    return NULL;
}

static void apply_numbering(const struct loader_module *file)
{
    struct ke_numbering_result result;

    if (!ke_parse_numbering((const char *)file->base, file->size, ke_services,
                            ke_service_count, numbers, &result)) {
        DbgPrintEx(KD_KE_ID, DPFLTR_ERROR_LEVEL, "numbering.txt:%u: %s\n",
                   result.error_line, result.error);
        KeBugCheckEx(CONFIG_INITIALIZATION_FAILED, result.error_line, 0, 0, 0);
    }
    patch_zw_stubs();
    DbgPrintEx(KD_KE_ID, DPFLTR_ERROR_LEVEL,
               "SSDT  renumbered by numbering.txt: %u names used, %u unknown "
               "skipped\n",
               result.used, result.unknown);
}

void ki_initialize_services(const LOADER_PARAMETER_BLOCK *block)
{
    const struct loader_module *file = find_numbering(block);
    ULONG nt_limit = WINDOWS_NT_LIMIT, win32k_limit = WINDOWS_WIN32K_LIMIT;

    for (ULONG i = 0; i < ke_service_count; i++)
        numbers[i] = ke_services[i].number;
    if (file) {
        apply_numbering(file);
        nt_limit = win32k_limit = 0;
    }
    fill_table(0, KiServiceTable, KiArgumentTable, table_limit(0, nt_limit));
    fill_table(WIN32K_SERVICE_TABLE, W32pServiceTable, W32pArgumentTable,
               table_limit(WIN32K_SERVICE_TABLE, win32k_limit));
    KeServiceDescriptorTable[0] = KeServiceDescriptorTableShadow[0];
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "SSDT  %p  limit %03x  shadow %p  limit %03x\n",
               (void *)KiServiceTable, KeServiceDescriptorTable[0].Limit,
               (void *)W32pServiceTable,
               KeServiceDescriptorTableShadow[WIN32K_SERVICE_TABLE].Limit);
}

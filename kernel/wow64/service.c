/*
 * wow64/service.c - room 3: for 32-bit code, from XP's number to a
 * routine.
 *
 * number -> table -> arguments copied -> widened -> the routine called.
 *
 *   31            14 13  12 11                    0
 *   | not looked at |table |        index          |   0 nt, 1 win32k
 *
 * The order of steps is XP's (KiFastCallEntry).  A service's arguments are
 * copied from the caller's stack at once, by the byte count that the table
 * has for it, guarded like every look at user memory; then C takes over where
 * XP calls the routine, for each argument has another size here.
 *
 * NT: an XP table has routines in Base and byte counts in Number, as here.
 */
#include "wow64p.h"

#include <arch/thread.h>
#include <bug.h>
#include <etw.h>
#include <kd.h>
#include <ps.h>
#include <win32k.h>

/* XP SP3: the first number beyond each table. */
#define XP_NT_LIMIT 0x11C
#define XP_WIN32K_LIMIT 0x29B

/* XP's MmUserProbeAddress */
#define PROBE_ADDRESS (WOW64_HIGHEST_USER_ADDRESS + 1)

struct table {
    const void *Base[WOW64P_TABLE_ENTRIES];
    UCHAR Number[WOW64P_TABLE_ENTRIES];
    ULONG Limit;
    const char *letters[WOW64P_TABLE_ENTRIES];
};

static struct table tables[SERVICE_TABLES] SEALED;

static NTSTATUS invalid_service(void)
{
    return STATUS_INVALID_SYSTEM_SERVICE;
}

static NTSTATUS no_32bit_form(void)
{
    return STATUS_NOT_SUPPORTED;
}

static void fill_table(ULONG number, ULONG limit)
{
    struct table *table = &tables[number];

    for (ULONG i = 0; i < WOW64P_TABLE_ENTRIES; i++) {
        table->Base[i] = invalid_service;
        table->letters[i] = "";
    }
    table->Limit = limit;
    for (ULONG i = 0; i < wow64p_row_count; i++) {
        const struct wow64p_row *row = &wow64p_rows[i];
        ULONG index = row->number & SERVICE_INDEX_MASK;

        if (row->number >> SERVICE_TABLE_SHIFT != number)
            continue;
        table->Base[index] = row->routine ? row->routine : no_32bit_form;
        table->letters[index] = row->letters;
        table->Number[index] = (UCHAR)wow64p_argument_bytes(row->letters);
        if (index >= table->Limit)
            table->Limit = index + 1;
    }
}

void wow64_initialize(void)
{
    fill_table(0, XP_NT_LIMIT);
    fill_table(WIN32K_SERVICE_TABLE, XP_WIN32K_LIMIT);
    DbgPrintEx(DPFLTR_WOW64_ID, DPFLTR_TRACE_LEVEL,
               "SSDT32 %p  limit %03x  shadow %p  limit %03x\n",
               (void *)tables[0].Base, tables[0].Limit,
               (void *)tables[WIN32K_SERVICE_TABLE].Base,
               tables[WIN32K_SERVICE_TABLE].Limit);
}

/* XP: KTHREAD.ServiceTable; without being a GUI thread, win32k's is empty. */
static ULONG visible_limit(ULONG table)
{
    const KTHREAD *thread = KeGetCurrentThread();

    if (table >= SERVICE_TABLES)
        return 0;
    if (table == WIN32K_SERVICE_TABLE &&
        !(thread->ThreadFlags & THREAD_FLAGS_GUI_THREAD))
        return 0;
    return tables[table].Limit;
}

/* The first call beyond win32k's limit makes a GUI thread, the next fails. */
static BOOLEAN find_service(ULONG table, ULONG index)
{
    while (index >= visible_limit(table)) {
        if (table != WIN32K_SERVICE_TABLE || KiConvertToGuiThread() != 0)
            return FALSE;
    }
    return TRUE;
}

/* Drawing that ring 3 has batched in its TEB comes first. */
static NTSTATUS flush_batch(void)
{
    TEB32 *teb = wow64_teb32(KeGetCurrentThread()->Teb);
    ULONG count;
    NTSTATUS status = mm_copy_from_user(&count, &teb->GdiBatchCount,
                                        sizeof count);

    if (NT_SUCCESS(status) && count != 0)
        win32k_flush_batch32(teb);
    return status;
}

/* XP compares where the arguments begin even if there are none. */
static NTSTATUS copy_arguments(ULONG_PTR arguments, ULONG *slots, ULONG bytes)
{
    if (arguments >= PROBE_ADDRESS)
        return STATUS_ACCESS_VIOLATION;
    return mm_copy_from_user(slots, (const void *)arguments, bytes);
}

static ULONG call_routine(const void *routine, struct wow64p_call *call)
{
    NTSTATUS status = wow64p_translate(call);
    ULONG result;

    if (!NT_SUCCESS(status))
        return (ULONG)status;
    result = (ULONG)arch_call_service(routine, call->values, call->count);
    wow64p_return(call, (NTSTATUS)result);
    return result;
}

/* As ki_call_tracked is for 64-bit code: the caller's arguments are told. */
static ULONG call_tracked(ULONG number, const void *routine,
                          struct wow64p_call *call)
{
    ULONGLONG arguments[WOW64P_ARGUMENTS];
    struct ki_tracked_call tracked = {
        .letters = call->letters,
        .arguments = arguments,
        .number = number,
        .code32 = TRUE,
    };
    ULONGLONG start;
    ULONG result;

    memcpy(arguments, call->values, call->count * sizeof arguments[0]);
    KiTrackSystemCallEntry(&tracked);
    start = arch_read_tsc();
    result = call_routine(routine, call);
    KiTrackSystemCallExit(&tracked, result, arch_read_tsc() - start);
    return result;
}

static ULONG call_service(ULONG number, const void *routine,
                          const char *letters, const ULONG *slots)
{
    UNINITIALIZED struct wow64p_call call;

    call.letters = letters;
    call.count = wow64p_widen(letters, slots, call.values);
    return etw_is_on() ? call_tracked(number, routine, &call)
                       : call_routine(routine, &call);
}

ULONG_PTR wow64_system_service(ULONG number, ULONG arguments)
{
    ULONG which = number >> SERVICE_TABLE_SHIFT & 3;
    ULONG index = number & SERVICE_INDEX_MASK;
    UNINITIALIZED ULONG slots[WOW64P_SLOTS];
    NTSTATUS status = STATUS_SUCCESS;

    if (!PsGetCurrentProcess()->WoW64Process || !find_service(which, index))
        return (ULONG)STATUS_INVALID_SYSTEM_SERVICE;
    if (!BUG(index_unclamped)) {
        which = arch_clamp_index(which, SERVICE_TABLES);
        index = arch_clamp_index(index, tables[which].Limit);
    }
    if (which == WIN32K_SERVICE_TABLE)
        status = flush_batch();
    if (!NT_SUCCESS(status))
        return (ULONG)status;
    KeGetCurrentPrcb()->KeSystemCalls++;
    status = copy_arguments(arguments, slots, tables[which].Number[index]);
    if (!NT_SUCCESS(status))
        return (ULONG)status;
    return call_service(number, tables[which].Base[index],
                        tables[which].letters[index], slots);
}

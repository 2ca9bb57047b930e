/*
 * ob/current.c - whose handles they are.
 *
 * Handles belong to the process whose address space is loaded.  The process
 * is Ps's, one layer up: this is the only file of Ob that looks there.
 */
#include "obp.h"
#include <ex.h>
#include <ps.h>

HANDLE_TABLE *obp_current_table(void)
{
    return PsGetCurrentProcess()->ObjectTable;
}

void *obp_pseudo_object(HANDLE handle)
{
    if (handle == OB_CURRENT_PROCESS)
        return PsGetCurrentProcess();
    if (handle == OB_CURRENT_THREAD)
        return PsGetCurrentThread();
    return NULL;
}

void ObKillProcess(EPROCESS *process)
{
    HANDLE_TABLE *table = process->ObjectTable;

    process->ObjectTable = NULL;
    if (table != NULL)
        ex_destroy_handle_table(table, obp_drop_handle);
}

/*
 * ex.h - ring 1: the executive's own: handle tables.
 *
 * A handle is a multiple of 4; the two low bits are the caller's.  A table is
 * NT's: TableCode points to entries of 16 bytes, its low bits tell the number
 * of levels (0: one page of entries, 1: a page of pointers to such pages, 2).
 * Entry 0 of every entry page is not handed out.
 */
#pragma once

#include <ke.h>

struct _EPROCESS;

typedef struct _HANDLE_TABLE {
    ULONG NextHandleNeedingPool;                /* 000 */
    UCHAR pad_4[0x4];
    ULONGLONG TableCode;                        /* 008 */
    struct _EPROCESS *QuotaProcess;             /* 010 */
    LIST_ENTRY HandleTableList;                 /* 018 */
    ULONG UniqueProcessId;                      /* 028 */
    ULONG Flags;                                /* 02c */
    UCHAR pad_30[0x50];
} HANDLE_TABLE;

typedef struct _HANDLE_TABLE_ENTRY {
    LONGLONG LowValue;                          /* 000 */
    LONGLONG HighValue;                         /* 008 */
} HANDLE_TABLE_ENTRY;

/*
 * An empty table for a process; NULL without memory.
 */
HANDLE_TABLE *ExCreateHandleTable(struct _EPROCESS *process);

/* Close every handle through callback(object), then free the table. */
void ex_destroy_handle_table(HANDLE_TABLE *table,
                             void (*callback)(void *object));

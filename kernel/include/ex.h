/*
 * ex.h - ring 1: the executive's own: handle tables.
 *
 * A handle is a multiple of 4; the two low bits are the caller's.  A table is
 * NT's: TableCode points to entries of 16 bytes, its low bits tell the number
 * of levels (0: one page of entries, 1: a page of pointers to such pages, 2).
 * Entry 0 of every entry page is not handed out: it keeps the value of the
 * page's first handle, so that an entry's handle follows from its address.
 */
#pragma once

#include <ke.h>

struct _EPROCESS;

/*
 * A used entry: LowValue is the pointer without its low 4 bits in bits 20-63
 * (sign extended on the way back), OBJ_ attributes in bits 17-19, and bit 0,
 * Unlocked; HighValue the granted access in bits 0-24.  A free entry: LowValue
 * 0, and the next free one.
 */
typedef struct _HANDLE_TABLE_ENTRY {
    LONGLONG LowValue;                          /* 000 */
    union {
        LONGLONG HighValue;                     /* 008 */
        struct _HANDLE_TABLE_ENTRY *NextFreeHandleEntry;
        ULONGLONG LeafHandleValue;              /* of an entry 0 */
    };
} HANDLE_TABLE_ENTRY;

typedef struct _HANDLE_TABLE_FREE_LIST {
    ULONGLONG FreeListLock;                     /* 000 */
    HANDLE_TABLE_ENTRY *FirstFreeHandleEntry;   /* 008 */
    HANDLE_TABLE_ENTRY *LastFreeHandleEntry;    /* 010 */
    LONG HandleCount;                           /* 018 */
    ULONG HighWaterMark;                        /* 01c */
    UCHAR pad_20[0x20];
} HANDLE_TABLE_FREE_LIST;

typedef struct _HANDLE_TABLE {
    ULONG NextHandleNeedingPool;                /* 000 */
    LONG ExtraInfoPages;                        /* 004 */
    ULONGLONG TableCode;                        /* 008 */
    struct _EPROCESS *QuotaProcess;             /* 010 */
    LIST_ENTRY HandleTableList;                 /* 018 */
    ULONG UniqueProcessId;                      /* 028 */
    ULONG Flags;                                /* 02c */
    UCHAR pad_30[0x10];
    HANDLE_TABLE_FREE_LIST FreeLists[1];        /* 040 */
} HANDLE_TABLE;

/* Handles of one table at most; entry 0 of every page counts. */
#define EX_HANDLE_LIMIT 0x1000000

/* The entry's parts. */
static inline void *ex_entry_object(const HANDLE_TABLE_ENTRY *entry)
{
    return (void *)((entry->LowValue >> 16) & ~(LONGLONG)0xF);
}

static inline ACCESS_MASK ex_entry_access(const HANDLE_TABLE_ENTRY *entry)
{
    return entry->HighValue & 0x1FFFFFF;
}

/*
 * An empty table for a process; NULL without memory.
 */
HANDLE_TABLE *ExCreateHandleTable(struct _EPROCESS *process);

/* Close every handle through callback(object), then free the table. */
void ex_destroy_handle_table(HANDLE_TABLE *table,
                             void (*callback)(void *object));

/*
 * A handle for object, which is 16-byte aligned; the table takes no reference.
 * NULL: no memory, or the table is full.
 */
HANDLE ExCreateHandle(HANDLE_TABLE *table, void *object, ACCESS_MASK access);

/*
 * The entry of a handle in use, or NULL.  NT: returns it locked; here nothing
 * runs between this call and the caller's use of the entry.
 */
HANDLE_TABLE_ENTRY *ExMapHandleToPointer(HANDLE_TABLE *table, HANDLE handle);

/* Free a handle whose entry ExMapHandleToPointer has found. */
void ExDestroyHandle(HANDLE_TABLE *table, HANDLE_TABLE_ENTRY *entry);

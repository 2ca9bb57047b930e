/*
 * ex.h - ring 1: the executive's own: handle tables, and objects to wait for.
 *
 * A handle is a multiple of 4; the two low bits are the caller's.  A table is
 * NT's: TableCode points to entries of 16 bytes, its low bits tell the number
 * of levels (0: one page of entries, 1: a page of pointers to such pages, 2).
 * Entry 0 of every entry page is not handed out: it keeps the value of the
 * page's first handle, so that an entry's handle follows from its address.
 */
#pragma once

#include <ke.h>

/*
 * SystemProcessInformation, by Ps, which lies above: at most length bytes to
 * the caller's buffer, and how many there are.
 */
extern NTSTATUS (*ex_query_processes)(void *user, ULONG length,
                                      ULONG *needed);

struct _EPROCESS;
struct _SYSTEM_HANDLE_INFORMATION_EX;

/*
 * A used entry: LowValue is the pointer without its low 4 bits in bits 20-63
 * (sign extended on the way back), OBJ_ attributes in bits 17-19, and bit 0,
 * Unlocked; HighValue the granted access in bits 0-24.  A free entry: LowValue
 * 0, and the next free one.
 *
 * Whoever clears Unlocked holds the entry: it stays what it is until the bit
 * is set again.  That is the time to reference the object.  The free list, and
 * the table's shape when it grows, belong to FreeListLock; readers follow
 * TableCode without it, because no page goes away before the table does.
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
    KSPIN_LOCK FreeListLock;                    /* 000 */
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

/* HANDLE_TABLE.Flags: its process has ended, nothing goes in any more. */
#define EX_TABLE_RUNDOWN 0x4

/* ... and: to close what is no handle is an exception of the caller's. */
#define EX_TABLE_HANDLE_EXCEPTIONS 0x2

/* From one handle to the next. */
#define EX_HANDLE_STEP 4

/* Handles of one table at most; entry 0 of every page counts. */
#define EX_HANDLE_LIMIT 0x1000000

/* What an entry keeps of a handle's attributes (OBJ_INHERIT is one). */
#define EX_HANDLE_ATTRIBUTES 0x7

/* The entry's parts. */
static inline void *ex_entry_object(const HANDLE_TABLE_ENTRY *entry)
{
    return (void *)((entry->LowValue >> 16) & ~(LONGLONG)0xF);
}

static inline ULONG ex_entry_attributes(const HANDLE_TABLE_ENTRY *entry)
{
    return entry->LowValue >> 17 & EX_HANDLE_ATTRIBUTES;
}

static inline ACCESS_MASK ex_entry_access(const HANDLE_TABLE_ENTRY *entry)
{
    return entry->HighValue & 0x1FFFFFF;
}

/*
 * An empty table for a process; NULL without memory.
 */
HANDLE_TABLE *ExCreateHandleTable(struct _EPROCESS *process);

/*
 * The same with a copy, under the same handle, of every entry of old that
 * keep(process, object, attributes) wants, which is called with the entry
 * locked.  The process of the new table does not run yet.
 */
HANDLE_TABLE *ExDupHandleTable(struct _EPROCESS *process, HANDLE_TABLE *old,
                               BOOLEAN (*keep)(struct _EPROCESS *process,
                                               void *object,
                                               ULONG attributes));

/*
 * Close every handle through callback(object); from the first moment on
 * nothing goes in any more.  The table stays, empty: others may be looking.
 */
void ex_sweep_handle_table(HANDLE_TABLE *table,
                           void (*callback)(void *object));

/* Free a table that was swept and that nobody can reach. */
void ex_free_handle_table(HANDLE_TABLE *table);

/* EX_TABLE_HANDLE_EXCEPTIONS, for as long as the table is there. */
void ex_enable_handle_exceptions(HANDLE_TABLE *table);

/*
 * A table that belongs to a process with an id stands in the list of all
 * tables until it is freed.  Removing one that does not is nothing.
 */
void ex_insert_handle_table(HANDLE_TABLE *table, HANDLE id);
void ExRemoveHandleTable(HANDLE_TABLE *table);

/* Every handle in those tables.  STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS ex_picture_handles(struct _SYSTEM_HANDLE_INFORMATION_EX **picture);
void ex_free_handle_picture(struct _SYSTEM_HANDLE_INFORMATION_EX *picture);

/*
 * A handle for object, which is 16-byte aligned; the table takes no reference.
 * NULL: no memory, the table is full, or its process has ended.
 */
HANDLE ExCreateHandle(HANDLE_TABLE *table, void *object, ACCESS_MASK access,
                      ULONG attributes);

/*
 * The entry of a handle in use, locked, or NULL.  Until the caller passes
 * *irql to one of the two below it is at DISPATCH_LEVEL.  NT: the lock's
 * holder is at PASSIVE_LEVEL, and contenders wait on a push lock.
 */
HANDLE_TABLE_ENTRY *ExMapHandleToPointer(HANDLE_TABLE *table, HANDLE handle,
                                         KIRQL *irql);
void ExUnlockHandleTableEntry(HANDLE_TABLE_ENTRY *entry, KIRQL irql);

/* Free the handle of a locked entry. */
void ExDestroyHandle(HANDLE_TABLE *table, HANDLE_TABLE_ENTRY *entry,
                     KIRQL irql);

/* Of a locked entry. */
void ex_set_entry_attributes(HANDLE_TABLE_ENTRY *entry, ULONG attributes);

/*
 * The first handle in use from *handle on, its entry locked as above, and its
 * value in *handle; NULL: there is none.
 */
HANDLE_TABLE_ENTRY *ex_next_handle(HANDLE_TABLE *table, ULONG_PTR *handle,
                                   KIRQL *irql);

/*
 * The types of objects whose bodies are KEVENT, KMUTANT, KSEMAPHORE, and one
 * that begins with a KTIMER.
 */
extern struct _OBJECT_TYPE *ExEventObjectType;
extern struct _OBJECT_TYPE *ExMutantObjectType;
extern struct _OBJECT_TYPE *ExSemaphoreObjectType;
extern struct _OBJECT_TYPE *ExTimerObjectType;

/* At boot, behind ob_initialize. */
void ex_initialize(void);

/*
 * The current thread ends: the timers that were to call its routines are
 * cancelled.  It sets no others from here on.
 */
void ExTimerRundown(void);

/* Booted with debug=on: ring 3 may know kernel addresses. */
BOOLEAN ex_is_debugged(void);

/*
 * ke_dpc.h - ring 1: deferred procedure calls.
 *
 * Work that an interrupt, or anybody above DISPATCH_LEVEL, leaves for later:
 * it runs on the same processor as soon as the IRQL falls below that level,
 * before anything else of PASSIVE_LEVEL goes on, on the processor's DPC stack.
 *
 * KDPC belongs to its user until it is queued; then to the queue, until its
 * routine starts: DpcData says whose queue it is in, NULL in none.  The queue
 * is the KPRCB's DpcData[0], under its DpcLock (interrupts off), whose holder
 * may be at any IRQL.
 */
#pragma once

#include <nt/ntdef.h>

struct _KDPC;
typedef void KDEFERRED_ROUTINE(struct _KDPC *dpc, void *context,
                               void *argument1, void *argument2);

typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY;

typedef struct _KDPC {
    UCHAR Type;                                 /* 00 */
    UCHAR Importance;                           /* 01 */
    USHORT Number;                              /* 02 */
    UCHAR pad_4[0x4];
    SINGLE_LIST_ENTRY DpcListEntry;             /* 08 */
    ULONGLONG ProcessorHistory;                 /* 10 */
    KDEFERRED_ROUTINE *DeferredRoutine;         /* 18 */
    void *DeferredContext;                      /* 20 */
    void *SystemArgument1;                      /* 28 */
    void *SystemArgument2;                      /* 30 */
    void *DpcData;                              /* 38 */
} KDPC;

#define DpcObject 19                            /* KDPC.Type */

/* KDPC.Importance: how soon, and at which end of the queue. */
typedef enum _KDPC_IMPORTANCE {
    LowImportance,
    MediumImportance,
    HighImportance,
    MediumHighImportance,
} KDPC_IMPORTANCE;

typedef struct _KDPC_LIST {
    SINGLE_LIST_ENTRY ListHead;
    SINGLE_LIST_ENTRY *LastEntry;
} KDPC_LIST;

typedef struct _KDPC_DATA {
    KDPC_LIST DpcList;                          /* 00 */
    ULONGLONG DpcLock;                          /* 10 */
    LONG DpcQueueDepth;                         /* 18 */
    ULONG DpcCount;                             /* 1c */
    KDPC *ActiveDpc;                            /* 20 */
} KDPC_DATA;

/* KPRCB.DpcRequestSummary */
#define DPC_NORMAL_PROCESSING_ACTIVE    0x01
#define DPC_NORMAL_PROCESSING_REQUESTED 0x02
#define DPC_NORMAL_PENDING              0x3F    /* any of NT's six reasons */

/* MediumImportance, the processor that queues it. */
void KeInitializeDpc(KDPC *dpc, KDEFERRED_ROUTINE *routine, void *context);
void KeSetImportanceDpc(KDPC *dpc, KDPC_IMPORTANCE importance);

/*
 * Which processor is to run it, whoever queues it.  STATUS_INVALID_PARAMETER:
 * there is none of that number.  NT: KeSetTargetProcessorDpcEx, which has
 * processor groups.
 */
NTSTATUS ke_set_target_processor_dpc(KDPC *dpc, ULONG number);

/*
 * Queue it, unless it is: FALSE then.  High importance goes to the front.
 * Low importance does not ask for an interrupt of its own unless the queue is
 * long; the next tick of the clock does.  IRQL: any.
 */
BOOLEAN KeInsertQueueDpc(KDPC *dpc, void *argument1, void *argument2);

/* Take it off the queue: FALSE if it was in none.  IRQL: any. */
BOOLEAN KeRemoveQueueDpc(KDPC *dpc);

/*
 * It is in no queue: until it runs on no processor.  What it wants must not be
 * held.  IRQL: < DISPATCH_LEVEL.
 */
void ke_wait_for_dpc(const KDPC *dpc);

/*
 * ke_timer.h - ring 1: timers.
 *
 * A KTIMER is a dispatcher object that the clock signals at DueTime (interrupt
 * time, in 100-ns units); it may queue a DPC then, and set itself again.
 *
 * While it is set it stands in one of the lists of a KPRCB's TimerTable, found
 * by its due time: 256 for the next seconds, 256 for what is later (TimerType
 * says which).  Lists are not sorted: setting, cancelling and expiring cost the
 * same however many timers are set.  The entry's Time is a lower bound of its
 * list's due times; the clock compares only the entries that its tick has
 * passed.
 */
#pragma once

#include <ke_dpc.h>
#include <ke_object.h>

typedef struct _KTIMER {
    DISPATCHER_HEADER Header;                   /* 000 */
    ULONGLONG DueTime;                     /* 018 */
    LIST_ENTRY TimerListEntry;                  /* 020 */
    KDPC *Dpc;                                  /* 030 */
    USHORT Processor;                           /* 038 */
    USHORT TimerType;                           /* 03a, row of its list */
    ULONG Period;                               /* 03c, ms */
} KTIMER;

typedef struct _KTIMER_TABLE_ENTRY {
    KSPIN_LOCK Lock;                            /* 000 */
    LIST_ENTRY Entry;                           /* 008 */
    ULONGLONG Time;                        /* 018 */
} KTIMER_TABLE_ENTRY;

#define TIMER_TABLE_SIZE 256

typedef struct _KTIMER_TABLE {
    KTIMER *TimerExpiry[64];                    /* 000 */
    KTIMER_TABLE_ENTRY TimerEntries[2][TIMER_TABLE_SIZE]; /* 200 */
    ULONG round;                                /* 4200, ours: timertable.h */
    UCHAR pad_4204[0x4];
    ULONGLONG looked;                           /* 4208, ours: the last look */
    UCHAR pad_4210[0x8];
} KTIMER_TABLE;

/* type: TimerNotificationObject or TimerSynchronizationObject. */
void KeInitializeTimerEx(KTIMER *timer, KOBJECTS type);

/*
 * Set it, also if it is set already (TRUE then).  due negative: from now;
 * else a system time; a time that has passed signals at once.  period: ms, 0
 * for once.  dpc may be NULL.  IRQL: <= DISPATCH_LEVEL.
 */
BOOLEAN KeSetTimerEx(KTIMER *timer, LARGE_INTEGER due, LONG period, KDPC *dpc);

/*
 * TRUE: it was set.  Its DPC may be queued or running nevertheless.  IRQL: <=
 * DISPATCH_LEVEL.
 */
BOOLEAN KeCancelTimer(KTIMER *timer);
BOOLEAN KeReadStateTimer(const KTIMER *timer);

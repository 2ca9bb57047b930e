/*
 * ke_object.h - ring 1: dispatcher objects, and waiting for them.
 *
 * An object is signalled or not (Header.SignalState > 0); a thread that finds
 * it not signalled leaves a KWAIT_BLOCK in Header.WaitListHead and stops.
 * Whoever signals the object hands it to waiting threads in the order they
 * came.
 *
 * Locks, outermost first: Header.Lock's bit 7 of each object (by address, if
 * there are several), a KTHREAD's ThreadLock, a KPRCB's PrcbLock.  All are
 * taken at DISPATCH_LEVEL.  A thread that was made ready stands in the PRCB's
 * deferred list until KiExitDispatcher, so nobody switches with a lock held.
 *
 * A wait block is linked by its thread and unlinked by whoever satisfies the
 * wait with it (BlockState says which); the others are the waiter's to unlink
 * when it runs again, so objects of a wait must live until it returns.
 */
#pragma once

#include <nt/ntdef.h>

#define KernelMode 0
#define UserMode 1
typedef CHAR KPROCESSOR_MODE;
typedef UCHAR KIRQL;
typedef LONG KPRIORITY;
typedef ULONGLONG KSPIN_LOCK;

#define PASSIVE_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2
#define CLOCK_LEVEL 13
#define IPI_LEVEL 14
#define HIGH_LEVEL 15

#define MAXIMUM_PRIORITY 32

struct _KTHREAD;

typedef struct _DISPATCHER_HEADER {
    union {
        volatile LONG Lock;                     /* 000 */
        struct {
            UCHAR Type;                         /* 000 */
            UCHAR Signalling;                   /* 001 */
            UCHAR Size;                         /* 002 */
            UCHAR DebugActive;                  /* 003 */
        };
    };
    volatile LONG SignalState;                  /* 004 */
    LIST_ENTRY WaitListHead;                    /* 008 */
} DISPATCHER_HEADER;

/* DISPATCHER_HEADER.Type, whose bit 7 is the object's lock */
#define KOBJECT_LOCK_BIT            0x80
#define KOBJECT_TYPE_MASK           0x7F
typedef enum _KOBJECTS {
    EventNotificationObject = 0,
    EventSynchronizationObject = 1,
    MutantObject = 2,
    ProcessObject = 3,
    SemaphoreObject = 5,
    ThreadObject = 6,
    TimerNotificationObject = 8,
    TimerSynchronizationObject = 9,
} KOBJECTS;

/* DISPATCHER_HEADER.DebugActive: of a thread; of a timer that is set */
#define DEBUG_ACTIVE_DR7            0x01
#define DEBUG_ACTIVE_INSTRUMENTED   0x02
#define DEBUG_ACTIVE_MINIMAL        0x04
#define DEBUG_ACTIVE_ALT_SYSCALL    0x20
#define DEBUG_ACTIVE_UMS_SCHEDULED  0x40
#define DEBUG_ACTIVE_UMS_PRIMARY    0x80
#define DEBUG_ACTIVE_SPECIAL        0xE4        /* the last four */
#define TIMER_INSERTED              0x40

static inline KOBJECTS ke_object_type(const DISPATCHER_HEADER *header)
{
    return (KOBJECTS)(header->Type & KOBJECT_TYPE_MASK);
}

typedef struct _KEVENT {
    DISPATCHER_HEADER Header;                   /* 000 */
} KEVENT;

typedef struct _KSEMAPHORE {
    DISPATCHER_HEADER Header;                   /* 000 */
    LONG Limit;                                 /* 018 */
    UCHAR pad_1c[0x4];
} KSEMAPHORE;

/* MutantListEntry: in OwnerThread's MutantListHead while there is an owner. */
typedef struct _KMUTANT {
    DISPATCHER_HEADER Header;                   /* 000 */
    LIST_ENTRY MutantListEntry;                 /* 018 */
    struct _KTHREAD *OwnerThread;               /* 028 */
    UCHAR MutantFlags;                          /* 030, bit 0: Abandoned */
    UCHAR ApcDisable;                           /* 031 */
    UCHAR pad_32[0x6];
} KMUTANT;

#define MUTANT_ABANDONED 0x01                   /* KMUTANT.MutantFlags */

typedef struct _KWAIT_BLOCK {
    LIST_ENTRY WaitListEntry;                   /* 000 */
    UCHAR WaitType;                             /* 010 */
    volatile UCHAR BlockState;                  /* 011 */
    USHORT WaitKey;                             /* 012 */
    LONG SpareLong;                             /* 014, KTHREAD's fields */
    struct _KTHREAD *Thread;                    /* 018 */
    void *Object;                               /* 020 */
    void *SparePtr;                             /* 028 */
} KWAIT_BLOCK;

#define WaitBlockActive 4                       /* linked in its object */
#define WaitBlockInactive 5

typedef enum _WAIT_TYPE {
    WaitAll,
    WaitAny,
} WAIT_TYPE;

#define MAXIMUM_WAIT_OBJECTS 64
#define THREAD_WAIT_OBJECTS 3                   /* KTHREAD.WaitBlock's */

/* KTHREAD.WaitReason, as the process list tells it: wdm.h's numbers */
typedef enum _KWAIT_REASON {
    Executive = 0,
    DelayExecution = 4,
    Suspended = 5,
    UserRequest = 6,
    WrQueue = 15,
    WrTerminated = 22,
    WrPushLock = 28,
    WrQuantumEnd = 30,
    WrDispatchInt = 31,
    WrPreempted = 32,
    WrYieldExecution = 33,
    WrFastMutex = 34,
} KWAIT_REASON;

/* Priority increments of who is waited for */
#define EVENT_INCREMENT 1
#define SEMAPHORE_INCREMENT 1
#define MUTANT_INCREMENT 1
#define IO_KEYBOARD_INCREMENT 6
#define IO_NO_INCREMENT 0

/*
 * Wait until an object is signalled, and take it.  What waits is the current
 * thread; objects are anything that begins with a DISPATCHER_HEADER.
 *
 * timeout: NULL for ever; 100-ns units, negative: from now, positive: a
 * system time, 0: do not wait.  mode UserMode: user APCs and alerts end the
 * wait (the former if alertable or already pending); KernelMode: only
 * alertable ones by a KernelMode alert.
 *
 * STATUS_WAIT_0 + index (WaitAll: STATUS_WAIT_0), STATUS_ABANDONED_WAIT_0 +
 * index, STATUS_TIMEOUT, STATUS_USER_APC, STATUS_ALERTED,
 * STATUS_MUTANT_LIMIT_EXCEEDED.  NT raises the last; there is no SEH here.
 *
 * blocks: as many as there are objects, NULL up to THREAD_WAIT_OBJECTS.
 * IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a timeout of 0.
 */
NTSTATUS KeWaitForSingleObject(void *object, KWAIT_REASON reason,
                               KPROCESSOR_MODE mode, BOOLEAN alertable,
                               const LARGE_INTEGER *timeout);
NTSTATUS KeWaitForMultipleObjects(ULONG count, void *const *objects,
                                  WAIT_TYPE type, KWAIT_REASON reason,
                                  KPROCESSOR_MODE mode, BOOLEAN alertable,
                                  const LARGE_INTEGER *timeout,
                                  KWAIT_BLOCK *blocks);

/*
 * Only time, an alert or a user APC ends it.  STATUS_SUCCESS, STATUS_USER_APC,
 * STATUS_ALERTED.  interval 0 gives other threads of this priority a turn.
 */
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE mode, BOOLEAN alertable,
                                const LARGE_INTEGER *interval);

/*
 * Signal one object and wait for another without a gap that a third thread
 * could see.  signal: called first, at DISPATCH_LEVEL.  NT: the Wait argument
 * of KeSetEvent and its kind, followed by KeWaitForSingleObject.
 */
NTSTATUS ke_signal_and_wait(NTSTATUS (*signal)(void *object), void *object,
                            void *wait_object, KPROCESSOR_MODE mode,
                            BOOLEAN alertable, const LARGE_INTEGER *timeout);

/* type: EventNotificationObject stays set, ...Synchronization... wakes one. */
void KeInitializeEvent(KEVENT *event, KOBJECTS type, BOOLEAN state);

/*
 * All return the state before.  wait TRUE: a KeWaitFor... follows at once; the
 * IRQL stays at DISPATCH_LEVEL until then.  IRQL: <= DISPATCH_LEVEL.
 */
LONG KeSetEvent(KEVENT *event, KPRIORITY increment, BOOLEAN wait);
LONG KeResetEvent(KEVENT *event);
LONG KePulseEvent(KEVENT *event, KPRIORITY increment, BOOLEAN wait);
void KeClearEvent(KEVENT *event);
LONG KeReadStateEvent(const KEVENT *event);

void KeInitializeSemaphore(KSEMAPHORE *semaphore, LONG count, LONG limit);

/*
 * count += adjustment, and as many waiting threads go on.  *previous (may be
 * NULL): the count before.  STATUS_SEMAPHORE_LIMIT_EXCEEDED: nothing
 * happened.  NT: KeReleaseSemaphore, which raises.
 */
NTSTATUS ke_release_semaphore(KSEMAPHORE *semaphore, KPRIORITY increment,
                              LONG adjustment, LONG *previous);
LONG KeReadStateSemaphore(const KSEMAPHORE *semaphore);

/*
 * A mutex that knows its owner, which may take it again.  SignalState is 1
 * when it is free, 1 - n when its owner has taken it n times.
 */
void KeInitializeMutant(KMUTANT *mutant, BOOLEAN owned);

/*
 * By the owner: one release.  abandon: by whoever ends the owner; the next
 * one to get it is told (STATUS_ABANDONED).  STATUS_MUTANT_NOT_OWNED.
 * NT: KeReleaseMutant, which raises.
 */
NTSTATUS ke_release_mutant(KMUTANT *mutant, KPRIORITY increment,
                           BOOLEAN abandon, LONG *previous);
LONG KeReadStateMutant(const KMUTANT *mutant);

/* Abandon everything a thread that ends still owns (KeTerminateThread). */
void ki_abandon_mutants(struct _KTHREAD *thread);

/*
 * ke_apc.h - ring 1: asynchronous procedure calls.
 *
 * A routine that a given thread runs at its next opportunity:
 *   special kernel APC   NormalRoutine NULL; at APC_LEVEL, as soon as the
 *                        thread's IRQL is below it and no guarded region holds
 *   normal kernel APC    KernelRoutine at APC_LEVEL, then NormalRoutine at
 *                        PASSIVE_LEVEL; also waits for critical regions and
 *                        for another normal one
 *   user APC             NormalRoutine in ring 3, on the way back there, when
 *                        the thread has waited alertably or been tested
 *   special user APC     the same without waiting for an alertable moment
 *
 * KAPC belongs to its user until it is queued (Inserted), then to the thread
 * until KernelRoutine is called, which may free it.  A thread that ends calls
 * RundownRoutine of what is still queued (or frees it, if there is none).
 * Queues are under the thread's ThreadLock.  In NT that lock is the same.
 */
#pragma once

#include <ke_object.h>

struct _KPROCESS;
struct _KAPC;
struct _KTRAP_FRAME;
struct _KEXCEPTION_FRAME;

typedef void KNORMAL_ROUTINE(void *context, void *argument1, void *argument2);
typedef void KKERNEL_ROUTINE(struct _KAPC *apc, KNORMAL_ROUTINE **routine,
                             void **context, void **argument1,
                             void **argument2);
typedef void KRUNDOWN_ROUTINE(struct _KAPC *apc);

typedef struct _KAPC {
    UCHAR Type;                                 /* 000 */
    UCHAR SpareByte0;                           /* 001 */
    UCHAR Size;                                 /* 002 */
    UCHAR SpareByte1;                           /* 003 */
    ULONG SpareLong0;                           /* 004 */
    struct _KTHREAD *Thread;                    /* 008 */
    LIST_ENTRY ApcListEntry;                    /* 010 */
    KKERNEL_ROUTINE *KernelRoutine;             /* 020 */
    KRUNDOWN_ROUTINE *RundownRoutine;           /* 028 */
    KNORMAL_ROUTINE *NormalRoutine;             /* 030 */
    void *NormalContext;                        /* 038 */
    void *SystemArgument1;                      /* 040 */
    void *SystemArgument2;                      /* 048 */
    UCHAR ApcStateIndex;                        /* 050 */
    UCHAR ApcMode;                              /* 051 */
    UCHAR Inserted;                             /* 052 */
    UCHAR pad_53[0x5];
} KAPC;

#define ApcObject 18                            /* KAPC.Type */

typedef enum _KAPC_ENVIRONMENT {
    OriginalApcEnvironment,
    AttachedApcEnvironment,
    CurrentApcEnvironment,
    InsertApcEnvironment,
} KAPC_ENVIRONMENT;

typedef struct _KAPC_STATE {
    LIST_ENTRY ApcListHead[2];                  /* 000, by KPROCESSOR_MODE */
    struct _KPROCESS *Process;                  /* 020 */
    UCHAR InProgressFlags;                      /* 028 */
    volatile UCHAR KernelApcPending;            /* 029 */
    volatile UCHAR UserApcPendingAll;           /* 02a */
    UCHAR pad_2b[0x5];
} KAPC_STATE;

/* KAPC_STATE.InProgressFlags, UserApcPendingAll */
#define KERNEL_APC_IN_PROGRESS      0x01
#define SPECIAL_APC_IN_PROGRESS     0x02
#define SPECIAL_USER_APC_PENDING    0x01
#define USER_APC_PENDING            0x02
#define USER_APC_POSTPONED_SHIFT    2   /* of a 32-bit program in 64-bit code */

/*
 * Of a thread that is made: empty queues that take APCs, and its SchedulerApc
 * with SuspendEvent.
 */
void ki_initialize_thread_apcs(struct _KTHREAD *thread,
                               struct _KPROCESS *process);

void KeInitializeApc(KAPC *apc, struct _KTHREAD *thread,
                     KAPC_ENVIRONMENT environment, KKERNEL_ROUTINE *kernel,
                     KRUNDOWN_ROUTINE *rundown, KNORMAL_ROUTINE *normal,
                     KPROCESSOR_MODE mode, void *context);

/*
 * FALSE: already queued, or the thread takes no more (it ends).  A wait that
 * the APC may interrupt ends.  IRQL: <= DISPATCH_LEVEL.
 */
BOOLEAN KeInsertQueueApc(KAPC *apc, void *argument1, void *argument2,
                         KPRIORITY increment);
BOOLEAN KeRemoveQueueApc(KAPC *apc);

/* Before queueing: a user APC that does not wait for an alertable moment. */
void ke_make_special_user_apc(KAPC *apc);

/*
 * No normal kernel APCs (critical), no kernel APCs at all (guarded) until the
 * matching call.  Both nest; both deliver on the way out what has come.
 */
void KeEnterCriticalRegion(void);
void KeLeaveCriticalRegion(void);
void KeEnterGuardedRegion(void);
void KeLeaveGuardedRegion(void);
BOOLEAN KeAreApcsDisabled(void);

/*
 * Run what is pending.  mode UserMode, on the way to ring 3: also change
 * trap_frame so that ring 3 begins with the first user APC.  IRQL: APC_LEVEL.
 */
void KiDeliverApc(KPROCESSOR_MODE mode,
                  struct _KEXCEPTION_FRAME *exception_frame,
                  struct _KTRAP_FRAME *trap_frame);

/*
 * Ring 3 has got a context of its own choice (NtContinue): what waits becomes
 * pending, special user APCs in any case, the others if test_alert.
 */
void ki_continue_user_apcs(BOOLEAN test_alert);

/* Every queued APC of a thread that ends, run down.  Kernel ones: bugcheck. */
void KeRundownApcQueues(struct _KTHREAD *thread);

/*
 * Run in another process's address space.  state keeps where the thread came
 * from; calls nest.  IRQL: <= APC_LEVEL.
 */
void KeStackAttachProcess(struct _KPROCESS *process, KAPC_STATE *state);
void KeUnstackDetachProcess(KAPC_STATE *state);

/*
 * Alerts: a mode's alert ends an alertable wait of that mode, or the next one
 * (STATUS_ALERTED); a KernelMode one ends UserMode waits as well.
 * KeTestAlertThread: was one pending (now not any more)?  It also makes user
 * APCs that wait for an alertable moment pending.
 */
BOOLEAN KeAlertThread(struct _KTHREAD *thread, KPROCESSOR_MODE mode);
BOOLEAN KeTestAlertThread(KPROCESSOR_MODE mode);

/*
 * A suspended thread waits inside a kernel APC, so it holds nothing.  All
 * return the count before.  *previous; STATUS_SUSPEND_COUNT_EXCEEDED above
 * 127, STATUS_THREAD_IS_TERMINATING.  NT: KeSuspendThread, which raises.
 */
NTSTATUS ke_suspend_thread(struct _KTHREAD *thread, ULONG *previous);
ULONG KeResumeThread(struct _KTHREAD *thread);
ULONG KeAlertResumeThread(struct _KTHREAD *thread);

/* Once and for all, of a thread that is to end. */
void KeForceResumeThread(struct _KTHREAD *thread);

/*
 * The thread's exit APC (Ps): as soon as it is queued the thread's waits in
 * UserMode end, alertable or not.
 */
void PsExitSpecialApc(KAPC *apc, KNORMAL_ROUTINE **routine, void **context,
                      void **argument1, void **argument2);

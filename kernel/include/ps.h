/*
 * ps.h - ring 1: processes and threads.
 *
 * EPROCESS and ETHREAD are objects (ob.h).  A thread holds one reference to
 * its process until it is deleted, and one to itself until the reaper has
 * freed its stack.  VadRoot is Mm's list of regions (mm/vad.c), ObjectTable
 * Ex's handle table.
 *
 * EPROCESS.ProcessLock guards ThreadListHead, ActiveThreads, ExitStatus and
 * the PROCESS_ bits of Flags.  CrossThreadFlags and Flags are changed by
 * interlocked operations only.  AddressCreationLock is Mm's (mm/space.c).
 * SecurityDomain: whose training of branch predictors this is, each process its
 * own; 0, the system's, trains none (arch/amd64/cpu/speculation.c).
 */
#pragma once

#include <ke.h>
#include <ke_lock.h>
#include <nt/pe.h>
#include <ob.h>

struct mi_vad;
struct _HANDLE_TABLE;

typedef struct _ETHREAD {
    KTHREAD Tcb;                                /* 000 */
    LARGE_INTEGER CreateTime;                   /* 430 */
    LARGE_INTEGER ExitTime;                     /* 438 */
    UCHAR pad_440[0x10];
    void *StartAddress;                         /* 450 */
    struct _ETHREAD *ReaperLink;                /* 458 */
    KSPIN_LOCK ActiveTimerListLock;             /* 460 */
    LIST_ENTRY ActiveTimerListHead;             /* 468 */
    CLIENT_ID Cid;                              /* 478 */
    UCHAR pad_488[0x48];
    void *Win32StartAddress;                    /* 4d0 */
    UCHAR pad_4d8[0x10];
    LIST_ENTRY ThreadListEntry;                 /* 4e8 */
    UCHAR pad_4f8[0x8];
    EX_PUSH_LOCK ThreadLock;                    /* 500 */
    UCHAR pad_508[0x8];
    volatile ULONG CrossThreadFlags;            /* 510 */
    UCHAR pad_514[0x4];
    ULONG SameThreadApcFlags;                   /* 518 */
    UCHAR pad_51c[0x2c];
    LONG ExitStatus;                            /* 548 */
    UCHAR pad_54c[0xcc];
    struct _CONTEXT *SetContextState;           /* 618 */
    UCHAR pad_620[0x278];
} ETHREAD;

/*
 * What a process has when its program is 32-bit code (wow64.h), whatever code
 * its thread runs just now: Peb is XP's, Machine IMAGE_FILE_MACHINE_I386.
 */
typedef struct _EWOW64PROCESS {
    void *Peb;                                  /* 000 */
    USHORT Machine;                             /* 008 */
    ULONG NtdllType;                            /* 00c */
} EWOW64PROCESS;

/*
 * A process's pages that are there for it without a fault: the valid entries
 * of its user half.  Under AddressCreationLock.  NT: MMSUPPORT_FULL, with
 * other fields and these names.
 */
struct ps_working_set {
    ULONG PageFaultCount;
    ULONGLONG WorkingSetSize, PeakWorkingSetSize;       /* pages */
    ULONGLONG hand;         /* the user address where trimming goes on */
    ULONGLONG locked;       /* pages, by NtLockVirtualMemory */
    ULONGLONG resident;     /* that are set aside for those */
    UCHAR pad_30[0x110];
};

typedef struct _EPROCESS {
    KPROCESS Pcb;                               /* 000 */
    EX_PUSH_LOCK ProcessLock;                   /* 438 */
    void *UniqueProcessId;                      /* 440 */
    LIST_ENTRY ActiveProcessLinks;              /* 448 */
    EX_RUNDOWN_REF RundownProtect;              /* 458 */
    UCHAR pad_460[0x4];
    volatile ULONG Flags;                       /* 464 */
    LARGE_INTEGER CreateTime;                   /* 468 */
    UCHAR pad_470[0x20];
    ULONGLONG PeakVirtualSize;                  /* 490 */
    ULONGLONG VirtualSize;                      /* 498 */
    UCHAR pad_4a0[0x28];
    EX_PUSH_LOCK AddressCreationLock;           /* 4c8 */
    UCHAR pad_4d0[0x28];
    ULONGLONG NumberOfPrivatePages;             /* 4f8 */
    UCHAR pad_500[0x8];
    void *Win32Process;                         /* 508 */
    UCHAR pad_510[0x8];
    void *SectionObject;                        /* 518 */
    void *SectionBaseAddress;                   /* 520 */
    UCHAR pad_528[0x18];
    void *InheritedFromUniqueProcessId;         /* 540 */
    UCHAR pad_548[0x8];
    struct _PEB *Peb;                           /* 550 */
    UCHAR pad_558[0x18];
    struct _HANDLE_TABLE *ObjectTable;          /* 570 */
    UCHAR pad_578[0x8];
    struct _EWOW64PROCESS *WoW64Process;        /* 580 */
    UCHAR pad_588[0x20];
    CHAR ImageFileName[15];                     /* 5a8 */
    UCHAR pad_5b7[0x21];
    void *HighestUserAddress;                   /* 5d8 */
    LIST_ENTRY ThreadListHead;                  /* 5e0 */
    ULONG ActiveThreads;                        /* 5f0 */
    UCHAR pad_5f4[0x8];
    LONG LastThreadExitStatus;                  /* 5fc */
    UCHAR pad_600[0x48];
    ULONGLONG CommitCharge;                     /* 648 */
    ULONGLONG CommitChargePeak;                 /* 650 */
    UCHAR pad_658[0x28];
    struct ps_working_set Vm;                   /* 680 */
    UCHAR pad_7c0[0x14];
    NTSTATUS ExitStatus;                        /* 7d4 */
    struct mi_vad *VadRoot;                     /* 7d8 */
    UCHAR pad_7e0[0x8];
    ULONGLONG VadCount;                         /* 7e8 */
    UCHAR pad_7f0[0x50];
    LARGE_INTEGER ExitTime;                     /* 840 */
    UCHAR pad_848[0x198];
    ULONGLONG SecurityDomain;                   /* 9e0 */
    UCHAR pad_9e8[0x58];
} EPROCESS;

/* EPROCESS.Flags, ETHREAD.CrossThreadFlags and SameThreadApcFlags */
#define PS_PROCESS_FLAGS_PROCESS_EXITING    0x00000004
#define PS_PROCESS_FLAGS_PROCESS_DELETE     0x00000008
#define PS_PROCESS_FLAGS_VM_DELETED         0x00000020
#define PS_PROCESS_FLAGS_SET_TIMER_RESOLUTION 0x00001000
#define PS_CROSS_THREAD_FLAGS_TERMINATED    0x00000001
#define PS_CROSS_THREAD_FLAGS_HIDEFROMDBG   0x00000004
#define PS_OWNS_PROCESS_ADDRESS_SPACE_EXCLUSIVE 0x00000001

extern OBJECT_TYPE *PsProcessType;
extern OBJECT_TYPE *PsThreadType;
extern EPROCESS *PsInitialSystemProcess;

/* Every process with a handle table that is not gone, by ActiveProcessLinks. */
extern LIST_ENTRY PsActiveProcessHead;

/* One of them by its place just now, referenced; NULL behind the last. */
EPROCESS *ps_reference_process(ULONG index);

static inline ETHREAD *PsGetCurrentThread(void)
{
    return CONTAINING_RECORD(KeGetCurrentThread(), ETHREAD, Tcb);
}

/* The process whose address space is loaded. */
static inline EPROCESS *PsGetCurrentProcess(void)
{
    return CONTAINING_RECORD(KeGetCurrentThread()->ApcState.Process, EPROCESS,
                             Pcb);
}

/* Which machine's images a process can use: an IMAGE_FILE_MACHINE_ value. */
static inline USHORT ps_machine(const EPROCESS *process)
{
    return process->WoW64Process ? process->WoW64Process->Machine
                                 : IMAGE_FILE_MACHINE_AMD64;
}

/*
 * The thread and process that the machine boots in: first only as structures,
 * so that there is a current thread; then, with pool and objects, the types.
 */
void ps_initialize_boot_thread(void);

/* Another processor's idle thread.  FALSE: no memory. */
BOOLEAN ps_create_idle_thread(KPRCB *prcb, void *stack_base);
void ps_initialize(void);

/* The process, or thread, with an id, referenced.  STATUS_INVALID_PARAMETER. */
NTSTATUS PsLookupProcessByProcessId(HANDLE id, EPROCESS **process);
NTSTATUS PsLookupThreadByThreadId(HANDLE id, ETHREAD **thread);

/*
 * A thread of the kernel's own, in the system process: routine(argument) at
 * PASSIVE_LEVEL; it ends when that returns.  *thread (may be NULL):
 * referenced, for KeWaitForSingleObject.  STATUS_INSUFFICIENT_RESOURCES.  NT:
 * PsCreateSystemThread, which gives a handle and takes five arguments more.
 */
NTSTATUS ps_create_system_thread(void (*routine)(void *argument),
                                 void *argument, ETHREAD **thread);

/*
 * Create a process from a boot file with a command line and run it to its
 * end, which is the result in *exit_status.  Called by the system thread.
 * A status is returned when the process could not be made.
 */
NTSTATUS ps_run_program(const char *command_line, NTSTATUS *exit_status);

/*
 * The current thread's first call of win32k (ps/gui.c), from room 3.  0: look
 * the number up again; anything else: it is not there.
 */
NTSTATUS KiConvertToGuiThread(void);

/*
 * A thread of System that runs routine(argument), which ends with
 * ps_exit_thread.  *thread is referenced.  STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS ps_create_system_thread(void (*routine)(void *argument),
                                 void *argument, ETHREAD **thread);

/* The current process or thread ends here. */
__attribute__((noreturn)) void ps_exit_process(NTSTATUS status);
__attribute__((noreturn)) void ps_exit_thread(NTSTATUS status);

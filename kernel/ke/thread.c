/*
 * ke/thread.c - a thread's life: made, started, ended.
 */
#include "ki.h"

#include <arch/apic.h>
#include <arch/thread.h>

/* Windows' default for programs: two ticks, in thirds. */
#define QUANTUM_RESET 6

void (*ke_thread_reaper)(KTHREAD *thread) SEALED;

static void initialize_lists(KTHREAD *thread)
{
    InitializeListHead(&thread->Header.WaitListHead);
    InitializeListHead(&thread->MutantListHead);
}

static void initialize_thread(KTHREAD *thread, KPROCESS *process)
{
    thread->Header.Lock = ThreadObject;
    thread->Header.SignalState = 0;
    initialize_lists(thread);
    thread->Process = process;
    ki_initialize_thread_apcs(thread, process);
    thread->Priority = thread->BasePriority = (CHAR)process->BasePriority;
    thread->QuantumReset = process->QuantumReset;
    thread->WaitRegister.Flags = WaitAborted;
    KeInitializeTimerEx(&thread->Timer, TimerNotificationObject);
}

static void set_stack(KTHREAD *thread, void *base, SIZE_T size)
{
    thread->StackBase = base;
    thread->StackLimit = (UCHAR *)base - size;
    thread->InitialStack = arch_initial_stack(base);
    thread->StateSaveArea = thread->InitialStack;
}

void KeInitializeProcess(KPROCESS *process, KPRIORITY base_priority,
                         ULONGLONG directory_table_base)
{
    process->Header.Lock = ProcessObject;
    InitializeListHead(&process->Header.WaitListHead);
    InitializeListHead(&process->ThreadListHead);
    process->DirectoryTableBase = directory_table_base;
    process->BasePriority = (UCHAR)base_priority;
    process->QuantumReset = QUANTUM_RESET;
    ki_choose_group(process);
}

void ki_initialize_idle_thread(KPRCB *prcb, KPROCESS *process,
                               KTHREAD *thread, void *stack_base,
                               SIZE_T stack_size)
{
    initialize_thread(thread, process);
    set_stack(thread, stack_base, stack_size);
    thread->Affinity.Mask = thread->UserAffinity.Mask = prcb->GroupSetMember;
    thread->Affinity.Group = thread->UserAffinity.Group = prcb->Group;
    thread->IdealProcessor = thread->UserIdealProcessor =
        thread->NextProcessor = prcb->Number;
    thread->State = Running;
    thread->Running = TRUE;
    prcb->CurrentThread = prcb->IdleThread = thread;
    prcb->RspBase = (ULONG_PTR)thread->InitialStack;
    prcb->StartCycles = arch_read_tsc();
}

void KeInitThread(KTHREAD *thread, void *stack_base,
                  SIZE_T stack_size, void (*routine)(void *argument),
                  void *argument, void *teb, KPROCESS *process,
                  KPROCESSOR_MODE mode)
{
    initialize_thread(thread, process);
    set_stack(thread, stack_base, stack_size);
    thread->Teb = teb;
    thread->PreviousMode = mode;
    if (mode == KernelMode)
        thread->MiscFlags |= MISC_FLAGS_SYSTEM_THREAD;
    arch_prepare_thread(thread, routine, argument);
    thread->State = Initialized;
}

static void mark_instrumented(KTHREAD *thread, BOOLEAN on)
{
    UCHAR *active = &thread->Header.DebugActive;

    if (on)
        __sync_fetch_and_or(active, DEBUG_ACTIVE_INSTRUMENTED);
    else
        __sync_fetch_and_and(active, (UCHAR)~DEBUG_ACTIVE_INSTRUMENTED);
}

void ke_set_instrumentation_callback(KPROCESS *process, void *callback)
{
    KIRQL irql = ki_lock_process(process);
    LIST_ENTRY *entry;

    process->InstrumentationCallback = callback;
    for (entry = process->ThreadListHead.Flink;
         entry != &process->ThreadListHead; entry = entry->Flink)
        mark_instrumented(CONTAINING_RECORD(entry, KTHREAD, ThreadListEntry),
                          callback != NULL);
    ki_unlock_process(process);
    KfLowerIrql(irql);
}

void KeStartThread(KTHREAD *thread)
{
    KPROCESS *process = thread->Process;
    KIRQL irql = ki_lock_process(process);

    thread->QuantumTarget = ki_quantum_cycles(thread);
    ki_set_first_affinity(thread, process);
    if (process->InstrumentationCallback)
        mark_instrumented(thread, TRUE);
    InsertTailList(&process->ThreadListHead, &thread->ThreadListEntry);
    ki_unlock_process(process);
    KfLowerIrql(irql);
}

/* The first C of every thread (thread/swap.asm), at DISPATCH_LEVEL. */
void ki_start_thread(void (*routine)(void *argument), void *argument)
{
    ki_send_away();
    if (KeGetCurrentThread()->ApcState.KernelApcPending)
        arch_request_software_interrupt(APC_VECTOR);
    KfLowerIrql(PASSIVE_LEVEL);
    routine(argument);
    KeBugCheckEx(INVALID_PROCESS_ATTACH_ATTEMPT, (ULONG_PTR)routine,
                 (ULONG_PTR)argument, 0, 0);
}

static void signal(DISPATCHER_HEADER *object, KPRIORITY increment)
{
    ki_lock_object(object);
    object->SignalState = 1;
    ki_signal_object(object, increment);
    ki_unlock_object(object);
}

LONG KeSetProcess(KPROCESS *process, KPRIORITY increment)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    LONG before = process->Header.SignalState;

    signal(&process->Header, increment);
    KiExitDispatcher(irql);
    return before;
}

void KeTerminateThread(KPRIORITY increment)
{
    KTHREAD *thread = KeGetCurrentThread();

    ki_abandon_mutants(thread);
    ki_lock_process(thread->Process);
    RemoveEntryList(&thread->ThreadListEntry);
    ki_unlock_process(thread->Process);
    signal(&thread->Header, increment);
    thread->State = Terminated;
    KiSwapThread(thread);
    KeBugCheckEx(INVALID_PROCESS_ATTACH_ATTEMPT, (ULONG_PTR)thread, 0, 0, 0);
}

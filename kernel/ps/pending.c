/*
 * ps/pending.c - parts of others that are on their way.
 */
#include "psp.h"

#include <arch/thread.h>

#define W __attribute__((weak))

W void ke_acquire_exclusive(EX_PUSH_LOCK *l) { (void)l; }
W void ke_acquire_shared(EX_PUSH_LOCK *l) { (void)l; }
W void ke_release_exclusive(EX_PUSH_LOCK *l) { (void)l; }
W void ke_release_shared(EX_PUSH_LOCK *l) { (void)l; }
W void KeEnterCriticalRegion(void) { }
W void KeLeaveCriticalRegion(void) { }
W void KeStackAttachProcess(struct _KPROCESS *p, KAPC_STATE *s)
{
    KTHREAD *thread = KeGetCurrentThread();

    s->Process = thread->ApcState.Process;
    thread->ApcState.Process = p;
    arch_load_address_space(p->DirectoryTableBase);
}
W void KeUnstackDetachProcess(KAPC_STATE *s)
{
    KeGetCurrentThread()->ApcState.Process = s->Process;
    arch_load_address_space(s->Process->DirectoryTableBase);
}
W void KeInitializeApc(KAPC *a, struct _KTHREAD *t, KAPC_ENVIRONMENT e,
                       KKERNEL_ROUTINE *k, KRUNDOWN_ROUTINE *r,
                       KNORMAL_ROUTINE *n, KPROCESSOR_MODE m, void *c)
{
    (void)a, (void)t, (void)e, (void)k, (void)r, (void)n, (void)m, (void)c;
}
W BOOLEAN KeInsertQueueApc(KAPC *a, void *b, void *c, KPRIORITY i)
{
    (void)a, (void)b, (void)c, (void)i;
    return FALSE;
}
W NTSTATUS ke_suspend_thread(struct _KTHREAD *t, ULONG *p)
{
    (void)t, (void)p;
    return STATUS_NOT_SUPPORTED;
}
W void KeForceResumeThread(struct _KTHREAD *t) { (void)t; }
W void KeRundownApcQueues(struct _KTHREAD *t) { (void)t; }
W void ex_cancel_thread_timers(struct _ETHREAD *t) { (void)t; }

/*
 * runonce.c - what only the first of several threads is to do.
 *
 * NT: the two low bits of the pointer say how far it is; the rest is what the
 * routine left there, and must leave them free.
 */
#include <ntdll.h>

#define STATE_MASK      ((ULONG_PTR)3)
#define RUNNING         ((ULONG_PTR)1)
#define DONE            ((ULONG_PTR)2)

static volatile ULONG_PTR *word_of(RTL_RUN_ONCE *once)
{
    return (volatile ULONG_PTR *)&once->Ptr;
}

static BOOLEAN begin(volatile ULONG_PTR *word)
{
    ULONG_PTR untouched = 0;

    return __atomic_compare_exchange_n(word, &untouched, RUNNING, FALSE,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

void NTAPI RtlRunOnceInitialize(RTL_RUN_ONCE *RunOnce)
{
    RunOnce->Ptr = NULL;
}

/* STATUS_UNSUCCESSFUL: the next caller will run the routine again. */
static NTSTATUS run_once(RTL_RUN_ONCE *once, PRTL_RUN_ONCE_INIT_FN routine,
                         void *parameter, void **result)
{
    volatile ULONG_PTR *word = word_of(once);
    void *context = NULL;
    BOOLEAN done = routine(once, parameter, &context) != 0;

    if ((ULONG_PTR)context & STATE_MASK)
        RtlRaiseStatus(STATUS_INVALID_PARAMETER_3);
    __atomic_store_n(word, done ? (ULONG_PTR)context | DONE : 0,
                     __ATOMIC_SEQ_CST);
    RtlWakeAddressAll(word);
    if (done && result)
        *result = context;
    return done ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

NTSTATUS NTAPI RtlRunOnceExecuteOnce(RTL_RUN_ONCE *RunOnce,
                                     PRTL_RUN_ONCE_INIT_FN InitFn,
                                     void *Parameter, void **Context)
{
    volatile ULONG_PTR *word = word_of(RunOnce);

    for (;;) {
        ULONG_PTR seen = __atomic_load_n(word, __ATOMIC_ACQUIRE);

        if ((seen & STATE_MASK) == DONE) {
            if (Context)
                *Context = (void *)(seen & ~STATE_MASK);
            return STATUS_SUCCESS;
        }
        if (!seen && begin(word))
            return run_once(RunOnce, InitFn, Parameter, Context);
        if (seen)
            RtlWaitOnAddress(word, &seen, sizeof seen, NULL);
    }
}

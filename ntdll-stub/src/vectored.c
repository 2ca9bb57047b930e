/*
 * vectored.c - handlers that hear of an exception before every frame
 * (exception handlers) or when the program is about to continue (continue
 * handlers), whichever thread it happens in.
 *
 * Each list has a lock, which is not held while a handler runs: handlers add,
 * remove and raise. A handler has one reference for being registered and one
 * for each walk that stands at it; it leaves the list with the last, so that
 * a walk always finds its way on. Removed handlers are not called any more.
 *
 * NT: the same, with the pointer encoded.
 */
#include "exceptp.h"

struct vectored {
    LIST_ENTRY links;
    ULONG references;
    BOOLEAN removed;
    PVECTORED_EXCEPTION_HANDLER handler;
};

struct list {
    RTL_SRWLOCK lock;
    LIST_ENTRY head;
};

static struct list exception_list = {
    .head = { &exception_list.head, &exception_list.head },
};
static struct list continue_list = {
    .head = { &continue_list.head, &continue_list.head },
};

static void *add(struct list *list, BOOLEAN first,
                 PVECTORED_EXCEPTION_HANDLER handler)
{
    struct vectored *new = RtlAllocateHeap(NtCurrentPeb()->ProcessHeap, 0,
                                           sizeof *new);
    LIST_ENTRY *before;

    if (!new)
        return NULL;
    new->references = 1;
    new->removed = FALSE;
    new->handler = handler;
    RtlAcquireSRWLockExclusive(&list->lock);
    before = first ? &list->head : list->head.Blink;
    new->links.Blink = before;
    new->links.Flink = before->Flink;
    before->Flink->Blink = &new->links;
    before->Flink = &new->links;
    RtlReleaseSRWLockExclusive(&list->lock);
    return new;
}

/* With the lock held. The caller frees what is returned, without the lock. */
static struct vectored *drop_reference(struct vectored *vectored)
{
    if (--vectored->references)
        return NULL;
    vectored->links.Blink->Flink = vectored->links.Flink;
    vectored->links.Flink->Blink = vectored->links.Blink;
    return vectored;
}

static void release(struct vectored *vectored)
{
    if (vectored)
        RtlFreeHeap(NtCurrentPeb()->ProcessHeap, 0, vectored);
}

/* The handle is compared, never followed: it may be anything. */
static ULONG remove(struct list *list, const void *handle)
{
    struct vectored *unused = NULL;
    LIST_ENTRY *at;
    ULONG found = FALSE;

    RtlAcquireSRWLockExclusive(&list->lock);
    for (at = list->head.Flink; at != &list->head && !found; at = at->Flink) {
        struct vectored *vectored = CONTAINING_RECORD(at, struct vectored,
                                                      links);

        if (vectored == handle && !vectored->removed) {
            found = TRUE;
            vectored->removed = TRUE;
            unused = drop_reference(vectored);
            break;
        }
    }
    RtlReleaseSRWLockExclusive(&list->lock);
    release(unused);
    return found;
}

/* The next to call, referenced, and the reference to the one before given
 * back; NULL at the end. */
static struct vectored *step(struct list *list, struct vectored *from)
{
    struct vectored *unused = NULL, *next = NULL;
    LIST_ENTRY *at;

    RtlAcquireSRWLockExclusive(&list->lock);
    for (at = from ? from->links.Flink : list->head.Flink;
         at != &list->head && !next; at = at->Flink) {
        struct vectored *vectored = CONTAINING_RECORD(at, struct vectored,
                                                      links);

        if (!vectored->removed)
            next = vectored;
    }
    if (next)
        next->references++;
    if (from)
        unused = drop_reference(from);
    RtlReleaseSRWLockExclusive(&list->lock);
    release(unused);
    return next;
}

static void stop(struct list *list, struct vectored *at)
{
    struct vectored *unused;

    RtlAcquireSRWLockExclusive(&list->lock);
    unused = drop_reference(at);
    RtlReleaseSRWLockExclusive(&list->lock);
    release(unused);
}

static BOOLEAN call(struct list *list, EXCEPTION_RECORD *record,
                    CONTEXT *context)
{
    EXCEPTION_POINTERS pointers = { record, context };
    struct vectored *at = NULL;

    if (list->head.Flink == &list->head)
        return FALSE;
    while ((at = step(list, at)) != NULL) {
        if (at->handler(&pointers) == EXCEPTION_CONTINUE_EXECUTION) {
            stop(list, at);
            return TRUE;
        }
    }
    return FALSE;
}

BOOLEAN rtl_call_vectored_handlers(EXCEPTION_RECORD *record, CONTEXT *context)
{
    return call(&exception_list, record, context);
}

void rtl_call_continue_handlers(EXCEPTION_RECORD *record, CONTEXT *context)
{
    call(&continue_list, record, context);
}

void *NTAPI RtlAddVectoredExceptionHandler(
    ULONG First, PVECTORED_EXCEPTION_HANDLER Handler)
{
    return add(&exception_list, First != 0, Handler);
}

ULONG NTAPI RtlRemoveVectoredExceptionHandler(void *Handle)
{
    return remove(&exception_list, Handle);
}

void *NTAPI RtlAddVectoredContinueHandler(ULONG First,
                                          PVECTORED_EXCEPTION_HANDLER Handler)
{
    return add(&continue_list, First != 0, Handler);
}

ULONG NTAPI RtlRemoveVectoredContinueHandler(void *Handle)
{
    return remove(&continue_list, Handle);
}

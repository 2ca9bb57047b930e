/*
 * unwindp.h - walking a stack: ntdll's private part, amd64.
 *
 * unwind_frame (unwind.c) undoes one function and reads nothing outside the
 * ranges it is given. unwind_step (walk.c) finds the function first, and
 * allows the stack of the current thread and the image. A step always leads
 * to a higher rsp, so every walk ends.
 */
#pragma once

#include "../src/exceptp.h"

struct unwind_range {
    ULONGLONG low, high;                        /* high: the first behind */
};

struct unwind_memory {
    struct unwind_range image;                  /* code and tables */
    struct unwind_range stack;
};

/*
 * at: in ControlPc, ImageBase, FunctionEntry; out EstablisherFrame, and if the
 * function has a handler of this type LanguageHandler and HandlerData, else
 * NULL. context, in the function, becomes the caller's, or by a machine frame
 * (*interrupted) that of code which has not called it. STATUS_BAD_STACK,
 * STATUS_BAD_FUNCTION_TABLE: context is half changed.
 */
NTSTATUS unwind_frame(const struct unwind_memory *memory, ULONG type,
                      DISPATCHER_CONTEXT *at, CONTEXT *context,
                      KNONVOLATILE_CONTEXT_POINTERS *pointers,
                      BOOLEAN *interrupted);

/* The same from context->Rip; FunctionEntry is NULL for a leaf. *last: nobody
 * has called this function, so the walk ends. */
NTSTATUS unwind_step(ULONG type, DISPATCHER_CONTEXT *at, CONTEXT *context,
                     BOOLEAN *last);

/* A handler answered ExceptionCollidedUnwind, and at is the other walk's: go on
 * from there. current becomes its function's context, caller the caller's. */
NTSTATUS unwind_adopt(DISPATCHER_CONTEXT *at, CONTEXT *current,
                      CONTEXT *caller, BOOLEAN *last);

/*
 * A table of functions: a module's or one that the program has added
 * (functable.c).
 */
struct function_table {
    LIST_ENTRY links;
    struct unwind_range range;                  /* addresses it speaks of */
    ULONGLONG base;
    RUNTIME_FUNCTION *first;
    ULONG count;
    BOOLEAN sorted;
    ULONGLONG identifier;                       /* RtlDeleteFunctionTable's */
    PGET_RUNTIME_FUNCTION_CALLBACK callback;
    void *context;
};

struct image;

void functions_add_image(struct function_table *table,
                         const struct image *image);
void functions_remove_image(struct function_table *table);

/* NULL: no function there. *image is what it may refer to. */
RUNTIME_FUNCTION *functions_find(ULONGLONG pc, ULONGLONG *base,
                                 struct unwind_range *image);

/* execute.asm: call at->LanguageHandler, in a frame that knows what an
 * exception out of it means. */
EXCEPTION_DISPOSITION rtl_execute_for_exception(
    EXCEPTION_RECORD *record, ULONGLONG frame, CONTEXT *context,
    DISPATCHER_CONTEXT *at);
EXCEPTION_DISPOSITION rtl_execute_for_unwind(
    EXCEPTION_RECORD *record, ULONGLONG frame, CONTEXT *context,
    DISPATCHER_CONTEXT *at);

/* A second exception, because of record: it does not come back. */
__attribute__((noreturn)) void rtl_raise_about(EXCEPTION_RECORD *record,
                                               NTSTATUS status);

/*
 * nested.c - what the frames of execute.asm answer to a walk that meets them.
 */
#include "unwindp.h"

/* Kept by execute.asm behind the home slots. */
struct execute_frame {
    ULONGLONG home[4];
    const DISPATCHER_CONTEXT *walk;             /* 20: WALK */
};

EXCEPTION_DISPOSITION rtl_nested_exception(
    const EXCEPTION_RECORD *record, const struct execute_frame *frame,
    CONTEXT *context, DISPATCHER_CONTEXT *at);
EXCEPTION_DISPOSITION rtl_collided_unwind(
    const EXCEPTION_RECORD *record, const struct execute_frame *frame,
    CONTEXT *context, DISPATCHER_CONTEXT *at);

EXCEPTION_DISPOSITION rtl_nested_exception(
    const EXCEPTION_RECORD *record, const struct execute_frame *frame,
    CONTEXT *context __attribute__((unused)), DISPATCHER_CONTEXT *at)
{
    if (record->ExceptionFlags & EXCEPTION_UNWIND)
        return ExceptionContinueSearch;
    at->EstablisherFrame = frame->walk->EstablisherFrame;
    return ExceptionNestedException;
}

/* All of the old walk but its target, which is given up. */
EXCEPTION_DISPOSITION rtl_collided_unwind(
    const EXCEPTION_RECORD *record __attribute__((unused)),
    const struct execute_frame *frame,
    CONTEXT *context __attribute__((unused)), DISPATCHER_CONTEXT *at)
{
    ULONGLONG target = at->TargetIp;

    *at = *frame->walk;
    at->TargetIp = target;
    return ExceptionCollidedUnwind;
}

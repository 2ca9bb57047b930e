/*
 * exceptionframe.h - how the kernel leaves an exception on a stack of 32-bit
 * code: XP's way.
 */
#pragma once

#include "../test.h"

#define EXCEPTION_FLAGS         0x1003F

/* For an exception whose CONTEXT is the interrupted state. */
static void check_frame(const EXCEPTION_RECORD *record, const CONTEXT *context)
{
    const UCHAR *end = (const UCHAR *)context + sizeof *context;

    CHECK(((ULONG_PTR)context & 3) == 0);
    CHECK((ULONG_PTR)end == (context->Esp & ~3U));
    CHECK((const UCHAR *)context ==
          (const UCHAR *)record + 0x14 + 4 * record->NumberParameters);
    CHECK(context->ContextFlags == EXCEPTION_FLAGS);
    CHECK(context->SegCs == 0x1B && context->SegSs == 0x23 &&
          context->SegDs == 0x23 && context->SegEs == 0x23 &&
          context->SegFs == 0x3B && context->SegGs == 0);
}

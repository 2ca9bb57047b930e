/*
 * exceptionframe.h - how the kernel leaves an exception on a stack of 64-bit
 * code.
 */
#pragma once

#include "../test.h"

#define EXCEPTION_FLAGS         0x10001F        /* CONTEXT_ALL */
#define EXTENDED_STATE          0x40

/* arch/trapframe.h's, of the kernel. */
struct machine_frame {
    ULONGLONG Rip, SegCs, EFlags, Rsp, SegSs;
};

/* For an exception whose CONTEXT is the interrupted state. */
static void check_frame(const EXCEPTION_RECORD *record, const CONTEXT *context)
{
    const UCHAR *base = (const UCHAR *)context;
    const CONTEXT_EX *ex = (const CONTEXT_EX *)(base + 0x4D0);
    const struct machine_frame *machine = (const void *)(base + 0x590);
    BOOLEAN extended = CONTEXT_HAS(context, CONTEXT_XSTATE);

    CHECK(((ULONG_PTR)base & 15) == 0);
    CHECK((const UCHAR *)record == base + 0x4F0);
    CHECK((context->ContextFlags & ~EXTENDED_STATE) == EXCEPTION_FLAGS);
    CHECK(ex->Legacy.Offset == -0x4D0 && ex->Legacy.Length == 0x4D0);
    CHECK(ex->All.Offset == -0x4D0);
    CHECK(extended ? ex->XState.Length != 0 : ex->XState.Length == 0);
    CHECK(machine->Rip == context->Rip && machine->Rsp == context->Rsp &&
          machine->EFlags == context->EFlags);
    CHECK((USHORT)machine->SegCs == context->SegCs &&
          (USHORT)machine->SegSs == context->SegSs);
    CHECK(context->SegCs == 0x2B && context->SegSs == 0x23 &&
          context->SegDs == 0x23 && context->SegEs == 0x23 &&
          context->SegFs == 0x3B && context->SegGs == 0x23);
    CHECK(context->Rsp - (ULONG_PTR)base >= 0x5B8);
}

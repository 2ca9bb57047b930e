/*
 * tame.h - arguments that must not be what they are: the fuzzer goes on.
 */
#pragma once

#include "fuzz.h"

typedef void tame_routine(struct fuzz_call *call);
typedef void undo_routine(const struct fuzz_call *call, NTSTATUS status);

tame_routine tame_timer, tame_wait, tame_duplicate, tame_victim,
    tame_allocate, tame_region, tame_read, tame_write, tame_unmap,
    tame_no_teb, tame_set_process, tame_set_thread, tame_self,
    tame_special_apc, tame_end, tame_context, tame_display,
    tame_hard_error, tame_monitors, tame_debug;
undo_routine undo_duplicate, undo_allocate;

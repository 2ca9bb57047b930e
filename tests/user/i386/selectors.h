/*
 * selectors.h - a call with the segment registers chosen (selectors.asm does
 * it; the layout is known there).
 */
#pragma once

#include <ntdll.h>

struct selectors_call {
    ULONG by_sysenter;                          /* 00 */
    ULONG eax, edx;                             /* 04; eax: out, too */
    ULONG in[4], out[4];                        /* 0c: ds es fs gs */
    ULONG ss, esp, ss_after, esp_after;         /* 2c: _on_stack only */
    ULONG ebx, esi, edi;                        /* 3c */
    ULONG ebx_after, esi_after, edi_after;      /* 48 */
    ULONG kept_esp;                             /* 54 */
};

_Static_assert(sizeof(struct selectors_call) == 0x58, "selectors.asm");

/* The selectors as they are now: ds es fs gs. */
void selectors_get(ULONG selectors[4]);

/* By SYSENTER, [edx] must be the label of that name with _behind. */
void selectors_call(struct selectors_call *call);
void selectors_call_on_stack(struct selectors_call *call);
extern const UCHAR selectors_call_behind[], selectors_call_on_stack_behind[];

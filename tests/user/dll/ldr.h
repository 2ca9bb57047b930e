/*
 * ldr.h - what the loader test's DLLs say to each other and to the test.
 *
 *     loader.exe -> ldra -> ldrb           static
 *     ldrc    same base as ldra: relocated
 *     ldrd -> ldra                         loaded and unloaded
 *     ldre <-> ldrf                        a ring
 *     ldrfail                              its DllMain says no
 *
 * Each DllMain writes a letter into ldrb's log: capital for attach, small for
 * detach; TLS callbacks write digits.
 */
#pragma once

#include <ntdll.h>

#define A_TLS_FIRST 0x11112222

/* ldrb */
ULONG b_value(void);
ULONG b_seven(void);
void b_log(char event);
const char *b_text(void);

/* ldra */
ULONG a_value(void);
ULONG a_fifth(void);                            /* ordinal 5, no name */
ULONG a_forward(void);                          /* ldrb.b_value */
ULONG *a_tls(void);

ULONG e_value(void);
ULONG f_value(void);

/* lies.def and ghost.def: what nobody exports. */
ULONG b_missing(void);
ULONG b_missing_ordinal(void);
ULONG ghost_value(void);

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved);

/*
 * machine.h - what ring 3 knows of its processor: amd64.
 *
 * Where the TEB is found, and which form of PE file is its own: winnt.h's
 * names without a number of bits mean the structures below.  The include path
 * chooses between this file and its siblings.
 */
#pragma once

#include <nt/pe.h>
#include <nt/teb.h>

#include "unwind.h"

typedef IMAGE_NT_HEADERS64 IMAGE_NT_HEADERS;
typedef IMAGE_OPTIONAL_HEADER64 IMAGE_OPTIONAL_HEADER;
typedef IMAGE_THUNK_DATA64 IMAGE_THUNK_DATA;
typedef IMAGE_TLS_DIRECTORY64 IMAGE_TLS_DIRECTORY;

#define IMAGE_NT_OPTIONAL_HDR_MAGIC     IMAGE_NT_OPTIONAL_HDR64_MAGIC
#define IMAGE_ORDINAL(ordinal)          IMAGE_ORDINAL64(ordinal)
#define IMAGE_SNAP_BY_ORDINAL(ordinal)  IMAGE_SNAP_BY_ORDINAL64(ordinal)

static inline TEB *NtCurrentTeb(void)
{
    TEB *teb;

    __asm__("movq %%gs:%c1, %0" : "=r"(teb) : "i"(offsetof(TEB, NtTib.Self)));
    return teb;
}

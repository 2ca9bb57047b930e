/*
 * ldrmachine.h - the loader's private part that depends on the processor:
 * amd64.
 *
 * The kind of relocation that moves an address, and the bookkeeping that
 * Windows 10's public structures have room for and Windows XP's have not.
 */
#pragma once

#include <ntdll.h>

#include "unwindp.h"

#define ADDRESS_RELOCATION IMAGE_REL_BASED_DIR64

static inline void ldr_note_load(LDR_DATA_TABLE_ENTRY *entry,
                                 const IMAGE_NT_HEADERS *headers)
{
    entry->OriginalBase = headers->OptionalHeader.ImageBase;
    NtQuerySystemTime(&entry->LoadTime);
}

/* The count that debuggers read as "never unloaded". */
static inline void ldr_note_pinned(LDR_DATA_TABLE_ENTRY *entry)
{
    entry->ObsoleteLoadCount = 0xFFFF;
}

static inline void ldr_note_shutdown(PEB_LDR_DATA *data)
{
    data->ShutdownInProgress = TRUE;
    data->ShutdownThreadId = NtCurrentTeb()->ClientId.UniqueThread;
}

/* TEB.SameTebFlags: the loader's own; the others are NtCreateThreadEx's. */
#define TEB_RAN_PROCESS_INIT    0x0020

static inline BOOLEAN ldr_skips_attach(void)
{
    return (NtCurrentTeb()->SameTebFlags & TEB_SKIP_THREAD_ATTACH) != 0;
}

static inline BOOLEAN ldr_skips_loader(void)
{
    return (NtCurrentTeb()->SameTebFlags & TEB_SKIP_LOADER_INIT) != 0;
}

static inline void ldr_note_first_thread(void)
{
    NtCurrentTeb()->SameTebFlags |= TEB_RAN_PROCESS_INIT;
}

/* The current thread ends: so does its stack (thread.c). */
void ldr_give_up_stack(void);

/*
 * ldrmachine.h - the loader's private part that depends on the processor:
 * i386.
 *
 * The kind of relocation that moves an address, and the bookkeeping that
 * Windows 10's public structures have room for and Windows XP's have not.
 */
#pragma once

#include <ntdll.h>

#define ADDRESS_RELOCATION IMAGE_REL_BASED_HIGHLOW

/* XP keeps neither the base that the file preferred nor the time. */
static inline void ldr_note_load(LDR_DATA_TABLE_ENTRY *entry,
                                 const IMAGE_NT_HEADERS *headers)
{
    (void)entry;
    (void)headers;
}

/* Frames of 32-bit code are found without tables. */
struct image;
struct function_table {
    char none[0];
};

static inline void functions_add_image(struct function_table *table,
                                       const struct image *image)
{
    (void)table;
    (void)image;
}

static inline void functions_remove_image(struct function_table *table)
{
    (void)table;
}

/* The count that debuggers read as "never unloaded". */
static inline void ldr_note_pinned(LDR_DATA_TABLE_ENTRY *entry)
{
    entry->LoadCount = 0xFFFF;
}

/* XP's PEB_LDR_DATA does not tell that the process ends. */
static inline void ldr_note_shutdown(PEB_LDR_DATA *data)
{
    (void)data;
}

/* In XP no thread can be created past the loader. */
static inline BOOLEAN ldr_skips_attach(void)
{
    return FALSE;
}

static inline BOOLEAN ldr_skips_loader(void)
{
    return FALSE;
}

static inline void ldr_note_first_thread(void)
{
}

/* The current thread ends: so does its stack (thread.c). */
void ldr_give_up_stack(void);

/*
 * ldrp.h - the loader's private header.
 *
 * Road of a DLL: ldr_load finds it by name or maps it (ldrload.c); its
 * imports are bound (ldrimport.c), which loads what it needs in turn, and its
 * TLS template is registered (ldrtls.c). When all that a request brought in
 * is bound, ldr_run_new calls entry points, needed modules first (ldrrun.c).
 * A module stays while the program, or something that stays, needs it:
 * ldr_sweep unloads the rest.
 *
 * The loader lock is taken by every exported Ldr routine and around the start
 * of process and threads (ldrinit.c, ldrthread.c), so nothing below locks, and
 * every DllMain and TLS callback runs with the lock held, as in NT.
 */
#pragma once

#include "image.h"

struct module {
    LDR_DATA_TABLE_ENTRY entry;                 /* first: debuggers read it */
    struct image image;
    struct function_table functions;            /* the processor's */
    struct module **needs;
    ULONG need_count, need_room;
    ULONG loads;                                /* LdrLoadDll - LdrUnloadDll */
    ULONG mark;                                 /* the last walk to come by */
    ULONG told;                                 /* the last thread it knows */
    BOOLEAN unresolved;                         /* only mapped */
    BOOLEAN ready;                              /* DllMain: attached */
    BOOLEAN has_tls;
    ULONG tls_index, tls_zero;
    UCHAR *tls_start;
    SIZE_T tls_size;
    ULONG_PTR *tls_callbacks;
};

/* Why the last request failed, for the line that a failed start prints. */
extern char ldr_reason[200];

extern struct module *ldr_program, *ldr_ntdll;
extern PEB_LDR_DATA ldr_data;
extern RTL_CRITICAL_SECTION ldr_lock;

void *ldr_allocate(SIZE_T size);                /* zeroed */
void ldr_free(void *block);

#define LDR_MODULE(link) \
    CONTAINING_RECORD(link, struct module, entry.InLoadOrderLinks)

/* ldrload.c */
struct module *ldr_add_module(const struct image *image,
                              const UNICODE_STRING *full_name);
void ldr_remove_module(struct module *module);
struct module *ldr_find_base(const void *base);
struct module *ldr_find_address(const void *address);
NTSTATUS ldr_base_name(const UNICODE_STRING *name, UNICODE_STRING *base,
                       WCHAR buffer[64]);
NTSTATUS ldr_find_name(const UNICODE_STRING *name, struct module **module);
NTSTATUS ldr_load(const UNICODE_STRING *name, BOOLEAN unresolved,
                  struct module **module);
NTSTATUS ldr_load_for(struct module *user, const char *name, SIZE_T length,
                      struct module **module);

/* ldrexport.c: name NULL means by ordinal. */
NTSTATUS ldr_find_export(struct module *module, const char *name, ULONG hint,
                         ULONG ordinal, ULONG depth, void **address);

/* ldrimport.c */
NTSTATUS ldr_bind_imports(struct module *module);

/* ldrtls.c */
NTSTATUS ldr_add_tls(struct module *module);
void ldr_remove_tls(struct module *module);
void ldr_call_tls(const struct module *module, ULONG reason);
NTSTATUS ldr_add_tls_thread(void);              /* the current thread's own */
void ldr_remove_tls_thread(void);

/* ldrrun.c */
NTSTATUS ldr_run_new(struct module *root);
void ldr_sweep(void);
void ldr_stop_all(void);
void ldr_tell_attach(void);
void ldr_tell_detach(void);

/* ldrthread.c: a thread behind the process's first. */
NTSTATUS ldr_start_thread(void);

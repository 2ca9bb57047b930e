/*
 * wow64/wow64p.h - what the files of wow64 share.
 */
#pragma once

#include "widen.h"

#include <mm.h>
#include <nt/wow64.h>
#include <wow64.h>

/* One call: what the caller passed, and what the service gets. */
struct wow64p_call {
    const char *letters;
    ULONG count;
    ULONGLONG values[WOW64P_ARGUMENTS];
    ULONG pointers[WOW64P_ARGUMENTS];   /* of capital letters; others 0 */
};

/* ---- rows.c ---- */

#define WOW64P_TABLE_ENTRIES 0x400

struct wow64p_row {
    ULONG number;
    const char *letters;
    const void *routine;                /* NULL: there is no 32-bit form */
};
extern const struct wow64p_row wow64p_rows[];
extern const ULONG wow64p_row_count;

/* ---- thread.c ---- */

/*
 * The current thread's translation area.  The arguments' 64-bit forms take the
 * first page, a thunk's the others.
 */
ULONGLONG wow64p_translation(void);

static inline ULONGLONG wow64p_thunk_area(void)
{
    return wow64p_translation() + PAGE_SIZE;
}

/* ---- translate.c ---- */

/*
 * Around the call of the service: capital letters' values become pointers to
 * 64-bit forms; what the service wrote there goes back to the caller.
 */
NTSTATUS wow64p_translate(struct wow64p_call *call);
void wow64p_return(const struct wow64p_call *call, NTSTATUS result);

/*
 * Put form, the 64-bit form of what the caller has at pointer, into the
 * translation area at place (or up to 3 bytes behind: aligned as pointer).
 * status: whether pointer could be read.  If it could not, *translated is an
 * address that the service will refuse as it would have refused pointer.
 */
NTSTATUS wow64p_place(NTSTATUS status, ULONG pointer, ULONGLONG place,
                      const void *form, SIZE_T size, ULONGLONG *translated);

/* The same for the UNICODE_STRING32 at pointer; 0 stays 0. */
NTSTATUS wow64p_place_string(ULONG pointer, ULONGLONG place,
                             ULONGLONG *translated);

/* 0xFFFFFFFF for what does not fit. */
ULONG wow64p_narrow(ULONGLONG value);

/* ---- fpu.c ---- */

/* FNSAVE's image becomes the x87 part of FXSAVE's. */
void wow64p_convert_fnsave(const WOW64_FLOATING_SAVE_AREA *from,
                           XSAVE_FORMAT *to);

/* 32-bit code's FXSAVE image becomes 64-bit code's: other registers are 0. */
void wow64p_convert_fxsave(const UCHAR *from, XSAVE_FORMAT *to);

/* And back: of registers that 32-bit code has, as it sees them. */
void wow64p_make_fnsave(const XSAVE_FORMAT *from,
                        WOW64_FLOATING_SAVE_AREA *to);
void wow64p_make_fxsave(const XSAVE_FORMAT *from, UCHAR *to);

/* ---- thunks: the 32-bit forms of services with structures ---- */

NTSTATUS wow64_NtQueryInformationProcess(HANDLE handle, ULONG class,
                                         void *buffer, ULONG length,
                                         ULONG *return_length);
NTSTATUS wow64_NtQueryInformationThread(HANDLE handle, ULONG class,
                                        void *buffer, ULONG length,
                                        ULONG *return_length);
NTSTATUS wow64_NtQueryMutant(HANDLE handle, ULONG class, void *buffer,
                             ULONG length, ULONG *return_length);
NTSTATUS wow64_NtQueryVirtualMemory(HANDLE handle, void *address,
                                    ULONG class, void *buffer, ULONG length,
                                    SIZE_T *return_length);
NTSTATUS wow64_NtQuerySection(HANDLE handle, ULONG class, void *buffer,
                              ULONG length, SIZE_T *return_length);
NTSTATUS wow64_NtQuerySystemInformation(ULONG class, void *buffer,
                                        ULONG length, ULONG *return_length);
NTSTATUS wow64_NtQueryObject(HANDLE handle, ULONG class, ULONG_PTR buffer,
                             ULONG length, ULONG *return_length);
NTSTATUS wow64_NtQueryDirectoryObject(HANDLE handle, ULONG_PTR buffer,
                                      ULONG length, BOOLEAN single,
                                      BOOLEAN restart, ULONG *context,
                                      ULONG *return_length);
NTSTATUS wow64_NtWaitForMultipleObjects(ULONG count, ULONG_PTR handles,
                                        ULONG type, BOOLEAN alertable,
                                        LARGE_INTEGER *timeout);
NTSTATUS wow64_NtRaiseHardError(NTSTATUS error, ULONG count, ULONG mask,
                                ULONG_PTR parameters, ULONG options,
                                ULONG *response);

NTSTATUS wow64_NtCreateThread(HANDLE *handle, ACCESS_MASK access,
                              OBJECT_ATTRIBUTES *attributes, HANDLE process,
                              ULONG_PTR id, ULONG_PTR context,
                              ULONG_PTR stack, BOOLEAN suspended);
NTSTATUS wow64_NtOpenProcess(HANDLE *handle, ACCESS_MASK access,
                             OBJECT_ATTRIBUTES *attributes, ULONG_PTR id);
NTSTATUS wow64_NtOpenThread(HANDLE *handle, ACCESS_MASK access,
                            OBJECT_ATTRIBUTES *attributes, ULONG_PTR id);

NTSTATUS wow64_NtGetContextThread(HANDLE thread, WOW64_CONTEXT *user);
NTSTATUS wow64_NtSetContextThread(HANDLE thread, const WOW64_CONTEXT *user);

NTSTATUS wow64_NtSetInformationThread(HANDLE handle, ULONG class,
                                      const void *buffer, ULONG length);
NTSTATUS wow64_NtSetInformationProcess(HANDLE handle, ULONG class,
                                       const void *buffer, ULONG length);

/* entry/continue.asm, and their C halves. */
NTSTATUS wow64_NtContinue(const WOW64_CONTEXT *context, BOOLEAN test_alert);
NTSTATUS wow64_continue(const WOW64_CONTEXT *user, BOOLEAN test_alert);
NTSTATUS wow64_NtRaiseException(const EXCEPTION_RECORD32 *record,
                                const WOW64_CONTEXT *context,
                                BOOLEAN first_chance);
NTSTATUS wow64_raise_exception(const EXCEPTION_RECORD32 *user_record,
                               const WOW64_CONTEXT *user_context,
                               BOOLEAN first_chance);

/*
 * A context of ring 3's into the kernel, and into the frames that the exit
 * loads from (context.c).  STATUS_ACCESS_VIOLATION,
 * STATUS_DATATYPE_MISALIGNMENT, STATUS_INVALID_PARAMETER: not i386's.
 */
NTSTATUS wow64p_capture_context(const WOW64_CONTEXT *user,
                                WOW64_CONTEXT *context);
void wow64p_load_context(const WOW64_CONTEXT *context);

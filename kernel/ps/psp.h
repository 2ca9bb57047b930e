/*
 * ps/psp.h - what Ps's files share.
 */
#pragma once

#include <mm.h>
#include <nt/peb.h>
#include <nt/teb.h>
#include <ps.h>

/*
 * A thread object of process whose kernel stack begins with
 * routine(argument), in its lists but not ready yet (KeReadyThread).  It holds
 * a reference to itself until it has ended, the caller gets another.
 */
NTSTATUS psp_create_thread(EPROCESS *process, const CLIENT_ID *cid, void *teb,
                           void (*routine)(void *argument), void *argument,
                           KPROCESSOR_MODE mode, ETHREAD **thread);
HANDLE psp_new_id(void);

/* Drops a thread's own reference when it has left its stack (reaper.c). */
void psp_start_reaper(void);

/* Where the kernel enters ntdll, and what it tells ring 3 about. */
enum psp_export {
    LDR_INITIALIZE_THUNK,
    RTL_USER_THREAD_START,
    KI_USER_APC_DISPATCHER,
    KI_FAST_SYSTEM_CALL,
    KI_FAST_SYSTEM_CALL_RET,
    KI_INT_SYSTEM_CALL,
    PSP_EXPORTS
};

struct psp_start;

/* NtTib.FiberData of a thread without fibers, as WinDbg's !teb shows it. */
#define PSP_TIB_VERSION 0x1E00

/*
 * The two kinds of program.  ntdll_base: where ntdll must lie; 0: anywhere.
 * exports: how many of enum psp_export are needed.
 */
struct psp_kind {
    USHORT machine;                     /* IMAGE_FILE_MACHINE_ */
    const WCHAR *ntdll;                 /* its file's name */
    ULONG_PTR ntdll_base;
    ULONG exports;

    /* A new process's highest address, and what else depends on the kind. */
    NTSTATUS (*prepare)(EPROCESS *process);

    /* Map program and ntdll; what has a fixed address first. */
    NTSTATUS (*map)(struct psp_start *start, void *image_section);

    /* PEB, TEB and stack, when images and parameters are in place. */
    NTSTATUS (*build)(struct psp_start *start);

    /* The first thread's way to ring 3; a status if there is none. */
    NTSTATUS (*enter)(const struct psp_start *start);
};
extern const struct psp_kind psp_kind64, psp_kind32;

/* The kind of program that a section is an image of. */
const struct psp_kind *psp_kind_of(void *section);

/* ntdll, the same in every process of a kind (ntdll.c). */
struct psp_ntdll {
    void *section;
    ULONG rva[PSP_EXPORTS];
};

/* Finds it among the boot files, once.  A status when it is unfit. */
NTSTATUS psp_load_ntdll(const struct psp_kind *kind,
                        const struct psp_ntdll **ntdll);

/*
 * Everything a process's first thread finds in user memory, made in the
 * current (attached) process: image, ntdll, PEB with its parameters, TEB and
 * stack.  The first group is the caller's, the second is the answer.
 */
struct psp_start {
    EPROCESS *process;
    const struct psp_kind *kind;
    const CHAR *command_line;
    const UNICODE_STRING *image_name;
    CLIENT_ID cid;

    const struct mm_image_information *image;
    const struct psp_ntdll *ntdll;
    ULONG_PTR ntdll_base;
    ULONG_PTR entry_point;              /* the program's */
    RTL_USER_PROCESS_PARAMETERS *parameters;
    TEB *teb;
    ULONG_PTR stack_base, stack_top;    /* lowest address, first behind */
};
NTSTATUS psp_build_user_space(struct psp_start *start, void *image_section);

/* ---- parts of it that both kinds have ---- */

NTSTATUS psp_map_ntdll(struct psp_start *start);
NTSTATUS psp_map_program(struct psp_start *start, void *image_section);

/* start->parameters, with strings and console handles (parameters.c). */
NTSTATUS psp_build_parameters(struct psp_start *start);

/* The stack, as large as the image asks for; all committed. */
NTSTATUS psp_build_stack(struct psp_start *start);

/* The PEB at process->Peb and the TEB at start->teb, written. */
NTSTATUS psp_write_peb(const struct psp_start *start);
NTSTATUS psp_write_teb(const struct psp_start *start, void *exception_list,
                       LONG wow_teb_offset);

NTSTATUS psp_write_user(void *to, const void *from, SIZE_T size);

/* Of EPROCESS.WoW64Process, which goes with the process. */
#define PSP_WOW64_TAG 0x36576F57        /* "WoW6" */

/* Load a process's address space under the system thread, and back. */
void psp_attach(EPROCESS *process);
void psp_detach(void);

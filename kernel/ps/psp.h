/*
 * ps/psp.h - what Ps's files share.
 */
#pragma once

#include <mm.h>
#include <nt/ntapi.h>
#include <nt/peb.h>
#include <nt/teb.h>
#include <ps.h>

#define PSP_CONTEXT_TAG 0x78437350      /* "PsCx" */

/* ---- ids (cid.c): a handle of PspCidTable, NULL without memory ---- */

void psp_initialize_cids(void);
HANDLE psp_allocate_cid(void *object);
void psp_free_cid(HANDLE id);

/* ---- threads (thread.c) ---- */

/*
 * An object with an id and a kernel stack (Tcb.StackBase), for KeInitThread;
 * and its end, as the type's DeleteProcedure.
 */
NTSTATUS psp_allocate_thread(EPROCESS *process, ETHREAD **thread);
void psp_delete_thread(void *object);

/* Into its process.  STATUS_PROCESS_IS_TERMINATING: nothing has happened. */
NTSTATUS psp_insert_thread(ETHREAD *thread);

/* An inserted thread that must not reach ring 3: let it run to its end. */
void psp_abandon_thread(ETHREAD *thread, NTSTATUS status);

/* Frees what a thread that has ended cannot (reaper.c). */
void psp_start_reaper(void);

/* ---- the end of others (terminate.c) ---- */

void psp_terminate_thread(ETHREAD *thread, NTSTATUS status);

/* All threads but the current one.  STATUS_PROCESS_IS_TERMINATING. */
NTSTATUS psp_terminate_process(EPROCESS *process, NTSTATUS status);
void psp_free_exit_apc(KAPC *apc);

/* ---- the two kinds of program ---- */

/* Where the kernel enters ntdll, and what it tells ring 3 about. */
enum psp_export {
    LDR_INITIALIZE_THUNK,
    RTL_USER_THREAD_START,
    KI_USER_APC_DISPATCHER,
    KI_USER_CALLBACK_DISPATCHER,
    KI_FAST_SYSTEM_CALL,
    KI_FAST_SYSTEM_CALL_RET,
    KI_INT_SYSTEM_CALL,
    PSP_EXPORTS
};

/* The same, but an ntdll may lack them. */
enum psp_option {
    KI_USER_EXCEPTION_DISPATCHER,
    KI_RAISE_USER_EXCEPTION_DISPATCHER,
    EXP_INTERLOCKED_POP_ENTRY_SLIST_RESUME,
    EXP_INTERLOCKED_POP_ENTRY_SLIST_FAULT,
    EXP_INTERLOCKED_POP_ENTRY_SLIST_END,
    PSP_OPTIONS
};

/* NtTib.FiberData of a thread without fibers, as WinDbg's !teb shows it. */
#define PSP_TIB_VERSION 0x1E00

struct psp_start;

/*
 * ntdll_base: where ntdll must lie; 0: where it wants to.  exports: how many
 * of enum psp_export are needed.
 */
struct psp_kind {
    USHORT machine;                     /* IMAGE_FILE_MACHINE_ */
    const WCHAR *ntdll;                 /* its file's name */
    ULONG_PTR ntdll_base;
    ULONG exports;

    /* A new process's highest address, and what else depends on the kind. */
    NTSTATUS (*prepare)(EPROCESS *process);

    /* Parameters, PEB and what else is there once, in the current process. */
    NTSTATUS (*build)(struct psp_start *start);

    /*
     * A TEB in the current process, and away with it and with the user stack
     * that goes with the thread.
     */
    NTSTATUS (*create_teb)(const CLIENT_ID *cid, const INITIAL_TEB *stack,
                           USHORT flags, TEB **teb);
    void (*free_teb)(TEB *teb);

    /* As a thread of this kind begins, before ntdll has prepared it. */
    void (*initial_context)(const EPROCESS *process, ULONG_PTR routine,
                            ULONG_PTR argument, ULONG_PTR stack_top,
                            CONTEXT *context);

    /* Where such a context leads: what queries call the start address. */
    void *(*routine_of)(const CONTEXT *context);

    /*
     * The current thread's way to ring 3: through ntdll's initialization to
     * that context.  At APC_LEVEL.  A status if there is none.
     */
    NTSTATUS (*enter)(const CONTEXT *context);
};
extern const struct psp_kind psp_kind64, psp_kind32;

/* The kind of program that a section is an image of. */
const struct psp_kind *psp_kind_of(void *section);

static inline const struct psp_kind *
psp_kind_of_process(const EPROCESS *process)
{
    return process->WoW64Process ? &psp_kind32 : &psp_kind64;
}

/* ntdll, the same at the same place in every process of a kind (ntdll.c). */
struct psp_ntdll {
    void *section;
    ULONG_PTR base;
    ULONG rva[PSP_EXPORTS];
    ULONG option[PSP_OPTIONS];          /* an RVA, or 0 */
};

/* Finds it among the boot files, once.  A status when it is unfit. */
NTSTATUS psp_load_ntdll(const struct psp_kind *kind);

/* Of a kind that has been loaded. */
const struct psp_ntdll *psp_ntdll_of(const struct psp_kind *kind);

/* ---- processes (process.c, start.c, parameters.c) ---- */

/*
 * RTL_USER_PROCESS_PARAMETERS on their way into a new process: all in kernel
 * memory.  inherited: the standard handles are the new process's already if
 * they are handles there; what is none becomes a handle of the console.
 */
struct psp_parameters {
    UNICODE_STRING current_directory, dll_path, image_path, command_line;
    UNICODE_STRING window_title, desktop_info, shell_info, runtime_data;
    void *environment;
    SIZE_T environment_size;
    ULONG debug_flags, console_flags;
    HANDLE standard[3];                 /* input, output, error */
    BOOLEAN inherited;
};

/* What a process is made from, and what making it finds out. */
struct psp_start {
    EPROCESS *process;
    const struct psp_kind *kind;
    const struct psp_parameters *given;

    const struct mm_image_information *image;
    const struct psp_ntdll *ntdll;
    RTL_USER_PROCESS_PARAMETERS *parameters;    /* user memory */
};

/*
 * A process without threads, of an image section: its address space has
 * images, parameters and PEB.  name: for EPROCESS.ImageFileName.
 */
NTSTATUS psp_create_process(void *section, const UNICODE_STRING *name,
                            const struct psp_parameters *parameters,
                            EPROCESS *parent, EPROCESS **process);
void psp_delete_process(void *object);

/* A process that never had a thread goes as if its last one had ended. */
void psp_abandon_process(EPROCESS *process);

/* Into and out of the list of processes. */
void psp_insert_process(EPROCESS *process);
void psp_remove_process(EPROCESS *process);

/* While somebody follows PsActiveProcessHead. */
void psp_lock_processes(void);
void psp_unlock_processes(void);

/* NtQuerySystemInformation gets its list of processes here (list.c). */
void psp_publish_list(void);

/* In the current process. */
NTSTATUS psp_build_user_space(struct psp_start *start);

/* ntdll, then the program. */
NTSTATUS psp_map_images(struct psp_start *start);

/* start->parameters, from start->given. */
NTSTATUS psp_build_parameters(struct psp_start *start);
NTSTATUS psp_write_peb(const struct psp_start *start);
NTSTATUS psp_write_user(void *to, const void *from, SIZE_T size);

/* A TEB's fields that both kinds have, at teb in the current process. */
NTSTATUS psp_write_teb(TEB *teb, const CLIENT_ID *cid,
                       const INITIAL_TEB *stack, USHORT flags,
                       void *exception_list, LONG wow_teb_offset);

/* ---- stacks of programs (userstack.c) ---- */

/*
 * A user stack in the current process.  Sizes of 0 mean the image's; a commit
 * that is not less than the reserve makes the reserve larger.
 * STATUS_NO_MEMORY, STATUS_COMMITMENT_LIMIT.
 */
NTSTATUS psp_create_stack(SIZE_T commit, SIZE_T reserve, INITIAL_TEB *stack);

/* ---- threads of programs (userthread.c) ---- */

/* The current process may be another one: then attached. */
struct psp_new_thread {
    EPROCESS *process;
    const CONTEXT *context;
    const INITIAL_TEB *stack;
    void *start_routine;                /* what queries say of it */
    USHORT teb_flags;                   /* TEB.SameTebFlags */
    BOOLEAN suspended;
};

/*
 * A thread that is inserted, but not yet ready, referenced: KeReadyThread or
 * psp_abandon_thread follows.
 */
NTSTATUS psp_create_user_thread(const struct psp_new_thread *new,
                                ETHREAD **thread);

/* The same with a stack of its own, in the process of new. */
NTSTATUS psp_create_thread_at(struct psp_new_thread *new, ULONG_PTR routine,
                              ULONG_PTR argument, SIZE_T commit,
                              SIZE_T reserve, ETHREAD **thread);

/* A process's first thread, at its program's entry point. */
NTSTATUS psp_create_first_thread(EPROCESS *process, BOOLEAN suspended,
                                 USHORT flags, ETHREAD **thread);

/* ---- what creators pass (attribute.c, create.c, open.c) ---- */

/* Where an answer goes; to NULL: nobody asked. */
struct psp_answer {
    void *to;
    SIZE_T size;
    SIZE_T *length;
};

/* image_name: captured, psp_free_attributes; parent: a handle, or NULL. */
struct psp_attributes {
    struct psp_answer client_id, teb, image;
    UNICODE_STRING image_name;
    HANDLE parent;
};

/*
 * A list (NULL: an empty one).  allowed: a bit that each attribute must have,
 * or 0.  STATUS_INVALID_PARAMETER, STATUS_INFO_LENGTH_MISMATCH and those of
 * uaccess; then there is nothing to free.
 */
NTSTATUS psp_capture_attributes(const PS_ATTRIBUTE_LIST *list, ULONG allowed,
                                struct psp_attributes *attributes);
void psp_free_attributes(struct psp_attributes *attributes);
void psp_give_answer(const struct psp_answer *answer, const void *value);

/* Text of the current process's (string is the kernel's), into pool. */
NTSTATUS psp_capture_text(const UNICODE_STRING *string,
                          UNICODE_STRING *result);
void psp_free_text(UNICODE_STRING *string);

/* Of ring 3, into pool; on success psp_free_parameters follows (capture.c). */
NTSTATUS psp_capture_parameters(const RTL_USER_PROCESS_PARAMETERS *user,
                                struct psp_parameters *parameters);
void psp_free_parameters(struct psp_parameters *parameters);

/* TEB.SameTebFlags for THREAD_CREATE_FLAGS_ */
USHORT psp_teb_flags(ULONG flags);

/* OBJECT_ATTRIBUTES.Attributes, of what has no name; user may be NULL. */
NTSTATUS psp_capture_handle_attributes(const OBJECT_ATTRIBUTES *user,
                                       ULONG *attributes);
NTSTATUS psp_create_handle(void *object, ACCESS_MASK access, ULONG attributes,
                           HANDLE *handle);

/* Of EPROCESS.WoW64Process, which goes with the process. */
#define PSP_WOW64_TAG 0x36576F57        /* "WoW6" */

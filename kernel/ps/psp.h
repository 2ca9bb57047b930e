/*
 * ps/psp.h - what Ps's files share.
 */
#pragma once

#include <ps.h>

/* The thread that the machine booted on; it waits while a program runs. */
extern ETHREAD psp_system_thread;

/* Where ntdll lies in every process, and what the kernel enters there. */
struct psp_ntdll {
    void *section;
    ULONG ldr_initialize_thunk, rtl_user_thread_start;  /* rvas */
};

/* Finds ntdll.dll among the boot files, once.  A status when it is unfit. */
NTSTATUS psp_load_ntdll(const struct psp_ntdll **ntdll);

/*
 * Everything a process's first thread finds in user memory, made in the
 * current (attached) process: image, ntdll, PEB with its parameters, TEB and
 * stack.  entry describes where the thread begins.
 */
struct psp_start {
    EPROCESS *process;
    const CHAR *command_line;
    const UNICODE_STRING *image_name;
    ULONG_PTR ntdll_base;
    ULONG_PTR entry_point;              /* the program's */
    TEB *teb;
    ULONG_PTR stack_top;
    CLIENT_ID cid;
};
NTSTATUS psp_build_user_space(struct psp_start *start, void *image_section);

/* Load a process's address space under the system thread, and back. */
void psp_attach(EPROCESS *process);
void psp_detach(void);

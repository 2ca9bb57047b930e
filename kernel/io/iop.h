/*
 * io/iop.h - what the files of Io share: a file object and the name space.
 */
#pragma once

#include <io.h>
#include <ke_lock.h>

#define IOP_TAG 0x656C6946              /* "File" */

enum iop_kind {
    IOP_NAMESPACE,      /* an object directory: holds names, is no file */
    IOP_DIRECTORY,      /* on the boot volume */
    IOP_BOOT_FILE,
    IOP_CONSOLE,
};

/*
 * Which way a console handle goes; input as keys or by lines. IOP_INTERRUPT:
 * neither way, its event is set by Ctrl-C.
 */
#define IOP_INPUT 1
#define IOP_OUTPUT 2
#define IOP_KEYS 4
#define IOP_INTERRUPT 8

struct iop_boot_file {
    UNICODE_STRING name;
    WCHAR buffer[LOADER_NAME_LENGTH];
    const void *bytes;
    SIZE_T size;
};

/* name.c: one fixed name.  Boot files are not nodes: see iop_find. */
struct iop_node {
    const WCHAR *name;
    UCHAR parent;
    UCHAR kind;
    UCHAR directions;                   /* of a console */
    UCHAR target;                       /* not 0: another name for that node */
};

/* What a path leads to: a boot file if file is set, else a node. */
struct iop_target {
    const struct iop_node *node;
    const struct iop_boot_file *file;
};

/*
 * The body of a File object.  position is where the next transfer without an
 * explicit offset starts, under position_lock.  event is set while no transfer
 * is under way, which is always so when somebody can ask.
 *
 * NT: a FILE_OBJECT, of which nothing but the position would mean anything
 * without drivers.
 */
struct iop_file {
    KEVENT event;                       /* what a handle waits for */
    enum iop_kind kind;
    const struct iop_node *node;        /* of a directory */
    UCHAR directions;                   /* of a console */
    BOOLEAN alertable;                  /* FILE_SYNCHRONOUS_IO_ALERT */
    const void *bytes;                  /* of a boot file */
    SIZE_T size;
    EX_PUSH_LOCK position_lock;
    LONGLONG position;
};

/* file.c */
const struct iop_boot_file *iop_find_boot_file(const UNICODE_STRING *name);
NTSTATUS iop_create_file(const struct iop_target *target,
                         struct iop_file **file);

/*
 * name.c.  start NULL: an absolute path.  STATUS_OBJECT_NAME_NOT_FOUND leaves
 * the node where the last name is missing in target.
 */
NTSTATUS iop_find(const struct iop_node *start, const UNICODE_STRING *path,
                  struct iop_target *target);

/*
 * console.c: buffer is the caller's, length bytes long; *done counts what
 * was transferred.
 */
SIZE_T iop_console_size(void);
void iop_initialize_console(struct iop_file *file);
void iop_delete_console(struct iop_file *file);
NTSTATUS iop_read_console(struct iop_file *file, void *buffer, ULONG length,
                          ULONG *done);
NTSTATUS iop_write_console(struct iop_file *file, const void *buffer,
                           ULONG length, ULONG *done);

/*
 * input.c: what is typed.  At least one character, as many as are there up to
 * length; waits for the first.  STATUS_CANCELLED: an alert or an APC ended
 * the wait, or the thread is to end.
 */
void iop_start_input(void);
NTSTATUS iop_read_input(CHAR *text, ULONG length, BOOLEAN alertable,
                        ULONG *taken);

/*
 * Who wants Ctrl-C: the newest claim gets it, as an event that is set, or
 * among the keys where there is none.
 */
struct iop_claim {
    LIST_ENTRY links;
    KEVENT *event;                      /* NULL: it is a key like others */
};

void iop_claim_interrupt(struct iop_claim *claim, KEVENT *event);
void iop_drop_claim(struct iop_claim *claim);

/* keyboard.c: the next scan code, or -1. */
void iop_start_keyboard(void);
int iop_read_scancode(void);

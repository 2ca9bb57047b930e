/*
 * io/create.c - NtCreateFile and NtOpenFile: from a name to a handle.
 *
 * The order is the rule for every service that takes user memory: first the
 * arguments that are plain numbers, then everything behind pointers, captured
 * once, then the decision, and the caller sees a result only at the end.
 *
 * The boot volume is read-only.  What would create or change something there
 * is refused like on a write-protected disk.  NT: ShareAccess is compared
 * with the file's other openers; where nobody can write, nobody can collide,
 * so it is checked for being valid and no more.
 */
#include "iop.h"
#include <kd.h>
#include <mm.h>
#include <nt/ntapi.h>

/* Rights that change what is on a volume. */
#define IOP_WRITE_RIGHTS (FILE_WRITE_DATA | FILE_APPEND_DATA | \
                          FILE_WRITE_EA | 0x40 /* FILE_DELETE_CHILD */ | \
                          FILE_WRITE_ATTRIBUTES | DELETE | WRITE_DAC | \
                          WRITE_OWNER)
#define IOP_SYNCHRONOUS (FILE_SYNCHRONOUS_IO_ALERT | \
                         FILE_SYNCHRONOUS_IO_NONALERT)

struct iop_create {
    ACCESS_MASK access;
    ULONG attributes, share, disposition, options;
};

static BOOLEAN iop_valid_options(const struct iop_create *how)
{
    ULONG options = how->options;

    if (options & ~FILE_VALID_OPTION_FLAGS)
        return FALSE;
    if ((options & IOP_SYNCHRONOUS) == IOP_SYNCHRONOUS)
        return FALSE;
    if ((options & IOP_SYNCHRONOUS) && !(how->access & SYNCHRONIZE))
        return FALSE;
    if ((options & FILE_DELETE_ON_CLOSE) && !(how->access & DELETE))
        return FALSE;
    if (!(options & FILE_DIRECTORY_FILE))
        return TRUE;
    return !(options & FILE_NON_DIRECTORY_FILE) &&
           (how->disposition == FILE_OPEN || how->disposition == FILE_CREATE ||
            how->disposition == FILE_OPEN_IF);
}

static BOOLEAN iop_valid_create(const struct iop_create *how)
{
    return (how->attributes & ~FILE_ATTRIBUTE_VALID_FLAGS) == 0 &&
           (how->share & ~FILE_SHARE_VALID_FLAGS) == 0 &&
           how->disposition <= FILE_MAXIMUM_DISPOSITION &&
           iop_valid_options(how);
}

/* The directory a relative name starts from; NULL without one. */
static NTSTATUS iop_root_node(HANDLE root, const struct iop_node **node)
{
    struct iop_file *file;
    NTSTATUS status;

    *node = NULL;
    if (root == NULL)
        return STATUS_SUCCESS;
    status = ObReferenceObjectByHandle(root, 0, IoFileObjectType,
                                       ExGetPreviousMode(), (void **)&file);
    if (!NT_SUCCESS(status))
        return status;
    if (file->kind == IOP_DIRECTORY)
        *node = file->node;
    else
        status = STATUS_INVALID_PARAMETER;
    ObDereferenceObject(file);
    return status;
}

/* Captures the caller's OBJECT_ATTRIBUTES and its name, and follows it. */
static NTSTATUS iop_find_caller_name(const OBJECT_ATTRIBUTES *user,
                                     struct iop_target *target)
{
    const struct iop_node *root;
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name = { 0, 0, NULL };
    NTSTATUS status = mm_probe_for_read(user, sizeof(*user), sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&attributes, user, sizeof(attributes));
    if (!NT_SUCCESS(status))
        return status;
    if (attributes.Length != sizeof(attributes) ||
        (attributes.Attributes & ~OBJ_VALID_ATTRIBUTES))
        return STATUS_INVALID_PARAMETER;
    if (attributes.ObjectName != NULL)
        status = mm_capture_string(attributes.ObjectName, &name);
    if (!NT_SUCCESS(status))
        return status;

    status = iop_root_node(attributes.RootDirectory, &root);
    if (NT_SUCCESS(status))
        status = iop_find(root, &name, target);
    DbgPrintEx(KD_IO_ID, DPFLTR_INFO_LEVEL, "IO    %.200ls: %08x\n",
               name.Buffer ? name.Buffer : L"", status);
    mm_free_string(&name);
    return status;
}

/* found: what iop_find said.  May this disposition open what is there? */
static NTSTATUS iop_check_disposition(NTSTATUS found, ULONG disposition,
                                      const struct iop_target *target)
{
    if (found == STATUS_OBJECT_NAME_NOT_FOUND &&
        target->node->kind == IOP_DIRECTORY && disposition != FILE_OPEN &&
        disposition != FILE_OVERWRITE)
        return STATUS_MEDIA_WRITE_PROTECTED;
    if (!NT_SUCCESS(found))
        return found;
    if (target->file == NULL && target->node->kind == IOP_NAMESPACE)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (target->node->kind == IOP_CONSOLE)
        return STATUS_SUCCESS;          /* devices have always existed */
    if (disposition == FILE_CREATE)
        return STATUS_OBJECT_NAME_COLLISION;
    return disposition == FILE_OPEN || disposition == FILE_OPEN_IF
               ? STATUS_SUCCESS : STATUS_MEDIA_WRITE_PROTECTED;
}

static NTSTATUS iop_check_access(const struct iop_create *how,
                                 const struct iop_target *target,
                                 ACCESS_MASK *granted)
{
    BOOLEAN directory = target->file == NULL &&
                        target->node->kind == IOP_DIRECTORY;
    BOOLEAN console = target->node->kind == IOP_CONSOLE;
    NTSTATUS status;

    if ((how->options & FILE_DIRECTORY_FILE) && !directory)
        return STATUS_NOT_A_DIRECTORY;
    if ((how->options & FILE_NON_DIRECTORY_FILE) && directory)
        return STATUS_FILE_IS_A_DIRECTORY;
    status = ob_map_access(IoFileObjectType, how->access,
                           console ? FILE_ALL_ACCESS
                                   : FILE_ALL_ACCESS & ~IOP_WRITE_RIGHTS,
                           granted);
    if (NT_SUCCESS(status) && !console && (*granted & IOP_WRITE_RIGHTS))
        return STATUS_MEDIA_WRITE_PROTECTED;
    return status;
}

static NTSTATUS iop_open_target(const struct iop_target *target,
                                ACCESS_MASK granted, ULONG options,
                                HANDLE *handle)
{
    struct iop_file *file;
    NTSTATUS status = iop_create_file(target, &file);

    if (!NT_SUCCESS(status))
        return status;
    file->alertable = (options & FILE_SYNCHRONOUS_IO_ALERT) != 0;
    status = ob_create_handle(file, granted, handle);
    ObDereferenceObject(file);
    return status;
}

/* Both results, or neither: a handle nobody hears of is closed again. */
static NTSTATUS iop_return_handle(HANDLE *user_handle, HANDLE handle,
                                  IO_STATUS_BLOCK *user_block)
{
    IO_STATUS_BLOCK block = { .Pointer = NULL, .Information = FILE_OPENED };
    NTSTATUS status = mm_copy_to_user(user_handle, &handle, sizeof(handle));

    if (NT_SUCCESS(status))
        status = mm_copy_to_user(user_block, &block, sizeof(block));
    if (!NT_SUCCESS(status))
        NtClose(handle);
    return status;
}

static NTSTATUS iop_create(HANDLE *user_handle, IO_STATUS_BLOCK *user_block,
                           const OBJECT_ATTRIBUTES *attributes,
                           const struct iop_create *how)
{
    struct iop_target target;
    ACCESS_MASK granted;
    HANDLE handle;
    NTSTATUS status;

    if (!iop_valid_create(how) || attributes == NULL)
        return STATUS_INVALID_PARAMETER;
    status = mm_probe_for_write(user_handle, sizeof(HANDLE), 1);
    if (NT_SUCCESS(status))
        status = mm_probe_for_write(user_block, sizeof(IO_STATUS_BLOCK),
                                    sizeof(ULONG));
    if (!NT_SUCCESS(status))
        return status;

    status = iop_find_caller_name(attributes, &target);
    status = iop_check_disposition(status, how->disposition, &target);
    if (NT_SUCCESS(status))
        status = iop_check_access(how, &target, &granted);
    if (NT_SUCCESS(status))
        status = iop_open_target(&target, granted, how->options, &handle);
    if (NT_SUCCESS(status))
        status = iop_return_handle(user_handle, handle, user_block);
    return status;
}

/* The size a new file would get; files do not become any, but it is read. */
static NTSTATUS iop_check_allocation_size(const LARGE_INTEGER *user)
{
    LARGE_INTEGER size;
    NTSTATUS status;

    if (user == NULL)
        return STATUS_SUCCESS;
    status = mm_probe_for_read(user, sizeof(size), sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&size, user, sizeof(size));
    if (NT_SUCCESS(status) && size.QuadPart < 0)
        status = STATUS_INVALID_PARAMETER;
    return status;
}

NTSTATUS NtCreateFile(HANDLE *FileHandle, ACCESS_MASK DesiredAccess,
                      OBJECT_ATTRIBUTES *ObjectAttributes,
                      IO_STATUS_BLOCK *IoStatusBlock,
                      LARGE_INTEGER *AllocationSize, ULONG FileAttributes,
                      ULONG ShareAccess, ULONG CreateDisposition,
                      ULONG CreateOptions, void *EaBuffer, ULONG EaLength)
{
    const struct iop_create how = {
        DesiredAccess, FileAttributes, ShareAccess, CreateDisposition,
        CreateOptions
    };
    NTSTATUS status = iop_check_allocation_size(AllocationSize);

    if (!NT_SUCCESS(status))
        return status;
    if (EaBuffer != NULL && EaLength != 0)
        return STATUS_EAS_NOT_SUPPORTED;
    return iop_create(FileHandle, IoStatusBlock, ObjectAttributes, &how);
}

NTSTATUS NtOpenFile(HANDLE *FileHandle, ACCESS_MASK DesiredAccess,
                    OBJECT_ATTRIBUTES *ObjectAttributes,
                    IO_STATUS_BLOCK *IoStatusBlock, ULONG ShareAccess,
                    ULONG OpenOptions)
{
    const struct iop_create how = {
        DesiredAccess, 0, ShareAccess, FILE_OPEN, OpenOptions
    };

    return iop_create(FileHandle, IoStatusBlock, ObjectAttributes, &how);
}

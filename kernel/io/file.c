/*
 * io/file.c - file objects, and the boot files behind most of them.
 *
 * The loader has put every boot file into memory; here each gets a kernel
 * address, where its bytes stay for ever.  A file object is little more than
 * a pointer to them and a position.
 */
#include "iop.h"
#include <mm.h>
#include <nt/ntapi.h>

OBJECT_TYPE *IoFileObjectType SEALED;

static struct iop_boot_file iop_boot_files[LOADER_MODULES] SEALED;
static ULONG iop_boot_file_count SEALED;

/* Module names are ASCII. */
static void iop_set_name(struct iop_boot_file *file, const char *name)
{
    USHORT i;

    for (i = 0; i < LOADER_NAME_LENGTH - 1 && name[i] != 0; i++)
        file->buffer[i] = (UCHAR)name[i];
    RtlInitUnicodeString(&file->name, file->buffer);
}

/* A file that cannot be mapped would be missed much later, and silently. */
static void iop_add_boot_file(const struct loader_module *module)
{
    struct iop_boot_file *file = &iop_boot_files[iop_boot_file_count++];

    iop_set_name(file, module->name);
    file->size = module->size;
    if (module->size == 0)
        return;
    file->bytes = MmMapIoSpace(module->base, module->size, MmCached);
    if (file->bytes == NULL)
        KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, module->base, module->size,
                     0, 0);
}

/* Whether a file may be written is decided when it is opened. */
static NTSTATUS iop_file_security(void *file)
{
    (void)file;
    return STATUS_NOT_SUPPORTED;
}

static void iop_delete_file(void *object)
{
    struct iop_file *file = object;

    if (file->kind == IOP_CONSOLE)
        iop_delete_console(file);
}

void io_initialize(const LOADER_PARAMETER_BLOCK *block)
{
    IoFileObjectType = ob_create_type(L"File", FILE_ALL_ACCESS,
                                      iop_delete_file);
    ob_set_waitable(IoFileObjectType, offsetof(struct iop_file, event));
    IoFileObjectType->TypeInfo.GenericMapping = (GENERIC_MAPPING){
        FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE,
        FILE_ALL_ACCESS
    };
    IoFileObjectType->TypeInfo.SecurityProcedure = iop_file_security;
    for (ULONG i = 0; i < block->module_count; i++)
        iop_add_boot_file(&block->modules[i]);
    iop_start_input();
}

const struct iop_boot_file *iop_find_boot_file(const UNICODE_STRING *name)
{
    for (ULONG i = 0; i < iop_boot_file_count; i++) {
        if (RtlEqualUnicodeString(&iop_boot_files[i].name, name, TRUE))
            return &iop_boot_files[i];
    }
    return NULL;
}

NTSTATUS io_find_boot_file(const UNICODE_STRING *name, const void **bytes,
                           SIZE_T *size)
{
    const struct iop_boot_file *file = iop_find_boot_file(name);

    if (file == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    *bytes = file->bytes;
    *size = file->size;
    return STATUS_SUCCESS;
}

NTSTATUS iop_create_file(const struct iop_target *target,
                         struct iop_file **result)
{
    enum iop_kind kind = target->file ? IOP_BOOT_FILE : target->node->kind;
    SIZE_T size = kind == IOP_CONSOLE ? iop_console_size()
                                      : sizeof(struct iop_file);
    struct iop_file *file;
    NTSTATUS status = ob_create_object(IoFileObjectType, size,
                                       (void **)&file);

    if (!NT_SUCCESS(status))
        return status;
    KeInitializeEvent(&file->event, EventNotificationObject, TRUE);
    file->kind = kind;
    file->node = target->node;
    if (target->file != NULL) {
        file->bytes = target->file->bytes;
        file->size = target->file->size;
    } else {
        file->directions = target->node->directions;
    }
    if (kind == IOP_CONSOLE)
        iop_initialize_console(file);
    *result = file;
    return STATUS_SUCCESS;
}

NTSTATUS io_open_console(void **result)
{
    static const struct iop_node both = {
        .kind = IOP_CONSOLE, .directions = IOP_INPUT | IOP_OUTPUT
    };
    const struct iop_target target = { &both, NULL };

    return iop_create_file(&target, (struct iop_file **)result);
}

NTSTATUS io_file_bytes(void *object, const void **bytes, SIZE_T *size)
{
    const struct iop_file *file = object;

    if (file->kind != IOP_BOOT_FILE)
        return STATUS_INVALID_FILE_FOR_SECTION;
    *bytes = file->bytes;
    *size = file->size;
    return STATUS_SUCCESS;
}

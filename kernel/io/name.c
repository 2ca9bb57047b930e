/*
 * io/name.c - the name space that files are opened in.
 *
 * NT looks a name up in two stages: the object manager walks its directories
 * (\, \??, \Device) until it meets a device, and the device's file system
 * parses the rest.  Here both stages are one walk through one small table:
 *
 *      \SystemRoot                         -> \??\C:\Windows
 *      \DosDevices, \GLOBAL??              -> \??
 *      \??\C:\Windows\System32\NAME        the boot files
 *      \??\CONIN$   \??\CONOUT$            the console
 *      \Device\ConDrv\CurrentIn, CurrentOut, Console
 *      \Device\ConDrv\keys                 the console, key by key
 *      \Device\ConDrv\interrupt            its Ctrl-C
 *
 * Case never matters.  NT: \??\C: without a backslash would be the volume
 * itself; here it is the volume's root directory.
 */
#include "iop.h"

enum {
    NODE_ROOT, NODE_DOS, NODE_DEVICE, NODE_CONDRV, NODE_VOLUME, NODE_WINDOWS,
    NODE_SYSTEM32
};

static const struct iop_node iop_nodes[] = {
    [NODE_ROOT]     = { L"", 0xFF, IOP_NAMESPACE, 0, 0 },
    [NODE_DOS]      = { L"??", NODE_ROOT, IOP_NAMESPACE, 0, 0 },
    [NODE_DEVICE]   = { L"Device", NODE_ROOT, IOP_NAMESPACE, 0, 0 },
    [NODE_CONDRV]   = { L"ConDrv", NODE_DEVICE, IOP_NAMESPACE, 0, 0 },
    [NODE_VOLUME]   = { L"C:", NODE_DOS, IOP_DIRECTORY, 0, 0 },
    [NODE_WINDOWS]  = { L"Windows", NODE_VOLUME, IOP_DIRECTORY, 0, 0 },
    [NODE_SYSTEM32] = { L"System32", NODE_WINDOWS, IOP_DIRECTORY, 0, 0 },
    { L"SystemRoot", NODE_ROOT, IOP_NAMESPACE, 0, NODE_WINDOWS },
    { L"DosDevices", NODE_ROOT, IOP_NAMESPACE, 0, NODE_DOS },
    { L"GLOBAL??", NODE_ROOT, IOP_NAMESPACE, 0, NODE_DOS },
    { L"CONIN$", NODE_DOS, IOP_CONSOLE, IOP_INPUT, 0 },
    { L"CONOUT$", NODE_DOS, IOP_CONSOLE, IOP_OUTPUT, 0 },
    { L"CurrentIn", NODE_CONDRV, IOP_CONSOLE, IOP_INPUT, 0 },
    { L"CurrentOut", NODE_CONDRV, IOP_CONSOLE, IOP_OUTPUT, 0 },
    { L"Console", NODE_CONDRV, IOP_CONSOLE, IOP_INPUT | IOP_OUTPUT, 0 },
    { L"keys", NODE_CONDRV, IOP_CONSOLE, IOP_INPUT | IOP_KEYS, 0 },
    { L"interrupt", NODE_CONDRV, IOP_CONSOLE, IOP_INTERRUPT, 0 },
};

/* Cut the first component off path, and the backslash behind it. */
static UNICODE_STRING iop_next_component(UNICODE_STRING *path)
{
    UNICODE_STRING component = { 0, 0, path->Buffer };
    USHORT length = 0;

    while (length < path->Length && path->Buffer[length / 2] != L'\\')
        length += sizeof(WCHAR);
    component.Length = component.MaximumLength = length;
    if (length < path->Length)
        length += sizeof(WCHAR);
    path->Buffer += length / 2;
    path->Length -= length;
    return component;
}

/* Whether the boot volume's file system could hold a file of that name. */
static BOOLEAN iop_is_file_name(const UNICODE_STRING *name)
{
    for (USHORT i = 0; i < name->Length / 2; i++) {
        WCHAR c = name->Buffer[i];

        if (c < L' ' || (c < 0x80 && strchr("\"*/:<>?|", c) != NULL))
            return FALSE;
    }
    return TRUE;
}

static const struct iop_node *iop_find_child(const struct iop_node *parent,
                                             const UNICODE_STRING *name)
{
    for (ULONG i = 0; i < ARRAY_SIZE(iop_nodes); i++) {
        const struct iop_node *node = &iop_nodes[i];
        UNICODE_STRING own;

        RtlInitUnicodeString(&own, node->name);
        if (node->parent == parent - iop_nodes &&
            RtlEqualUnicodeString(&own, name, TRUE))
            return node->target ? &iop_nodes[node->target] : node;
    }
    return NULL;
}

static BOOLEAN iop_is_container(const struct iop_target *target)
{
    return target->file == NULL && target->node->kind != IOP_CONSOLE;
}

/* One step down; on failure target stays where it was. */
static NTSTATUS iop_step(struct iop_target *target, const UNICODE_STRING *name)
{
    const struct iop_node *child;

    if (name->Length == 0)
        return STATUS_OBJECT_NAME_INVALID;
    if (!iop_is_container(target))
        return STATUS_OBJECT_PATH_NOT_FOUND;
    if (target->node->kind == IOP_DIRECTORY && !iop_is_file_name(name))
        return STATUS_OBJECT_NAME_INVALID;

    child = iop_find_child(target->node, name);
    if (child != NULL)
        target->node = child;
    else if (target->node == &iop_nodes[NODE_SYSTEM32])
        target->file = iop_find_boot_file(name);
    return child != NULL || target->file != NULL
               ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}

NTSTATUS iop_find(const struct iop_node *start, const UNICODE_STRING *path,
                  struct iop_target *target)
{
    UNICODE_STRING rest = *path;
    BOOLEAN backslash = rest.Length != 0 && rest.Buffer[0] == L'\\';
    NTSTATUS status = STATUS_SUCCESS;

    if (start == NULL && !backslash)
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    if (start != NULL && backslash)
        return STATUS_INVALID_PARAMETER;
    if (backslash)
        iop_next_component(&rest);

    target->node = start != NULL ? start : &iop_nodes[NODE_ROOT];
    target->file = NULL;
    while (rest.Length != 0 && NT_SUCCESS(status)) {
        UNICODE_STRING component = iop_next_component(&rest);

        status = iop_step(target, &component);
    }
    if (status == STATUS_OBJECT_NAME_NOT_FOUND && rest.Length != 0)
        return STATUS_OBJECT_PATH_NOT_FOUND;
    if (NT_SUCCESS(status) && !iop_is_container(target) &&
        rest.Buffer[-1] == L'\\')
        return STATUS_OBJECT_NAME_INVALID;
    return status;
}

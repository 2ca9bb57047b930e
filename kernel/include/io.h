/*
 * io.h - ring 1: files.
 *
 * Two kinds exist: the console, and the boot files under
 * \SystemRoot\System32\, which are read-only.
 */
#pragma once

#include <ob.h>
#include <loader.h>

/* Registers the File type and keeps the list of boot files. */
void io_initialize(const LOADER_PARAMETER_BLOCK *block);

/*
 * The bytes of a boot file by its bare name (case does not matter): a kernel
 * address, valid for ever.  STATUS_OBJECT_NAME_NOT_FOUND.
 */
NTSTATUS io_find_boot_file(const UNICODE_STRING *name, const void **bytes,
                           SIZE_T *size);

/* A referenced file object on the console, readable and writable. */
NTSTATUS io_open_console(void **file);

/* The bytes behind a file handle's object; the console has none:
 * STATUS_INVALID_FILE_FOR_SECTION. */
NTSTATUS io_file_bytes(void *file, const void **bytes, SIZE_T *size);

/*
 * Scan codes of set 1 that another driver's keyboard makes: they are typed.
 * IRQL: <= DISPATCH_LEVEL.
 */
void io_type_scancodes(const UCHAR *codes, ULONG count);

extern struct _OBJECT_TYPE *IoFileObjectType;

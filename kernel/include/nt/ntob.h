/*
 * nt/ntob.h - objects and their names: the services of Ob as ring 3 calls
 * them.  Shapes are phnt's and the public headers'.
 */
#pragma once

#include <nt/ntdef.h>

/* ---- Directories ---- */

#define DIRECTORY_QUERY                 0x0001
#define DIRECTORY_TRAVERSE              0x0002
#define DIRECTORY_CREATE_OBJECT         0x0004
#define DIRECTORY_CREATE_SUBDIRECTORY   0x0008
#define DIRECTORY_ALL_ACCESS            0x000F000F

NTSTATUS NTAPI NtCreateDirectoryObject(
    _Out_ HANDLE *DirectoryHandle,
    _In_ ACCESS_MASK DesiredAccess,
    _In_opt_ OBJECT_ATTRIBUTES *ObjectAttributes);
NTSTATUS NTAPI NtOpenDirectoryObject(
    _Out_ HANDLE *DirectoryHandle,
    _In_ ACCESS_MASK DesiredAccess,
    _In_ OBJECT_ATTRIBUTES *ObjectAttributes);

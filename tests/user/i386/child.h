/*
 * child.h - another process of a program: 32-bit code has no way to start one.
 */
#pragma once

#define HAS_CHILDREN 0

static inline NTSTATUS run_child(const WCHAR *path)
{
    (void)path;
    return STATUS_NOT_SUPPORTED;
}

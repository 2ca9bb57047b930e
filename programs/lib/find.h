/*
 * lib/find.h - routines of ntdll by name.
 */
#pragma once

#include <ntdll.h>

/* ntdll's routine of that name, not this image's jump to it; NULL: none. */
void *find_stub(const char *name);

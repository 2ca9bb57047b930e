/*
 * dump.h - memory, sixteen bytes a line.
 */
#pragma once

#include <nt/ntdef.h>

/* The bytes of argument number. Lines like the one before become one "*". */
void dump(ULONG number, const UCHAR *bytes, ULONG size);

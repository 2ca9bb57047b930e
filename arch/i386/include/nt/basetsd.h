/*
 * nt/basetsd.h - ring 0 of the headers: integers of a pointer's size.
 *
 * Each processor has its own, with the headers whose layouts depend on it:
 * CONTEXT, TEB, PEB and the shared page.  The include path chooses.
 */
#pragma once

typedef int LONG_PTR;
typedef unsigned int ULONG_PTR;
typedef unsigned int SIZE_T;

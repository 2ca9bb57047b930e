/*
 * initp.h - Init's private header.
 */
#pragma once

#include <loader.h>

/* By the firmware's list of them. */
void init_map_apic(void);

/* Boot: every processor that the firmware tells of runs.  IRQL: <= DISPATCH. */
void KeStartAllProcessors(const LOADER_PARAMETER_BLOCK *block);

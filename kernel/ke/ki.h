/*
 * ke/ki.h - Ke's private header.
 */
#pragma once

#include <ke.h>
#include <loader.h>

/*
 * Fill KeServiceDescriptorTable and its shadow by the numbers of services.tab
 * or of the boot file numbering.txt, whose mistakes stop the boot.  Before
 * Mm seals the tables: modules are read at their physical addresses.
 */
void ki_initialize_services(const LOADER_PARAMETER_BLOCK *block);

/* KUSER_SHARED_DATA's constants, then its clock. */
void ki_initialize_shared_data(void);
void ke_initialize_time(void);

/* ntdll's instruction for 64-bit code, after ki_initialize_shared_data. */
void ki_choose_door(void);

/* A processor's DPC queue; who empties it; what the clock does for it. */
void ki_initialize_dpcs(KPRCB *prcb);
void KiRetireDpcList(KPRCB *prcb);
void KiDispatchInterrupt(void);
void ki_request_waiting_dpcs(void);
void ki_dpc_interrupt(KTRAP_FRAME *frame);

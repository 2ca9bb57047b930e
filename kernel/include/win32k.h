/*
 * win32k.h - ring 1: the graphical half, behind the shadow table.
 */
#pragma once

#include <ps.h>
#include <nt/wow64.h>

/*
 * Called once per thread, on its first call into the shadow table, by
 * PsConvertToGuiThread: gives it Win32Thread.  STATUS_NO_MEMORY.
 */
NTSTATUS win32k_thread_callout(ETHREAD *thread);

/* The thread ends: free what the call above made. */
void win32k_thread_exit(ETHREAD *thread);

/*
 * Carries out what TEB.GdiTebBatch holds and empties it; room 3 calls it when
 * GdiBatchCount is not zero.  Bad records are dropped.
 */
void KeGdiFlushUserBatch(void);

/* The same for the batch of 32-bit code. */
void win32k_flush_batch32(TEB32 *teb);

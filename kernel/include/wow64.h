/*
 * wow64.h - ring 1: processes whose program is 32-bit code.
 *
 * Such a process has EPROCESS.WoW64Process; its program, its ntdll and every
 * address it may use lie below 2 GiB, and it calls XP SP3's numbers through
 * XP's two doors (entry/int2e.asm, sysenter.asm).  NT translates for it in
 * ring 3 (wow64.dll, on a 64-bit stack); here the kernel does, in
 * kernel/wow64: a 32-bit call becomes the call that 64-bit code would have
 * made, and the same service answers it.
 *
 * The last 64 KiB below the shared page are one region, made with the process:
 *
 *     7FFDF000  PEB32         XP's, what 32-bit code sees
 *     7FFDE000  TEB32         XP's, fs:[0]
 *     7FFDC000  TEB           Windows 10's, two pages: gs of 64-bit code
 *     7FFDB000  PEB           Windows 10's
 *     7FFD3000  translation   where 64-bit forms of arguments lie for the time
 *                             of one call
 *
 * Each further thread has a block of its own with a translation area, a TEB
 * and a TEB32 at the same distances from each other; where the PEB would be is
 * nothing of interest.  Blocks go to the highest free 64 KiB, so they descend,
 * as TEBs do in XP.  KTHREAD.Teb tells a thread's block.
 */
#pragma once

#include <ke.h>
#include <nt/teb.h>
#include <nt/wow64.h>

#define WOW64_HIGHEST_USER_ADDRESS 0x7FFEFFFFULL
#define WOW64_REGION            0x7FFD0000ULL
#define WOW64_REGION_SIZE       0x10000ULL
#define WOW64_TRANSLATION       0x7FFD3000ULL
#define WOW64_TRANSLATION_SIZE  0x8000ULL
#define WOW64_PEB               0x7FFDB000ULL
#define WOW64_TEB               0x7FFDC000ULL
#define WOW64_TEB32             0x7FFDE000ULL
#define WOW64_PEB32             0x7FFDF000ULL

/* The TEB of 32-bit code that belongs to a TEB of 64-bit code. */
static inline TEB32 *wow64_teb32(const void *teb)
{
    return (TEB32 *)((ULONG_PTR)teb + (WOW64_TEB32 - WOW64_TEB));
}

/*
 * The block of a further thread, in the current process, which is a 32-bit
 * program's: zeroed, for the caller to fill.  The thread's KTHREAD.Teb is teb.
 * STATUS_NO_MEMORY, STATUS_COMMITMENT_LIMIT, STATUS_INSUFFICIENT_RESOURCES.
 */
struct wow64_thread {
    TEB *teb;
    TEB32 *teb32;
    void *translation;
};
NTSTATUS wow64_allocate_thread(struct wow64_thread *thread);

/*
 * Such a thread ends, or has not begun; nothing happens to the first one's.
 * In the current process.  What the program has done to the block does not
 * matter.
 */
void wow64_free_thread(TEB *teb);

/*
 * The service that 32-bit code asks for: number is what eax held, arguments
 * its edx: where its arguments begin, four bytes each.  Called by the 32-bit
 * half of room 3 with the thread's trap frame complete, interrupts on.  The
 * result is what eax will hold; some services do not come back.
 *
 * STATUS_INVALID_SYSTEM_SERVICE: no such number, or code of a 64-bit program
 * that went to 32-bit mode.  STATUS_ACCESS_VIOLATION: the arguments, or a
 * structure they point to, cannot be read or written.
 * STATUS_NOT_SUPPORTED: XP has the number, but no 32-bit form is here.
 */
ULONG_PTR wow64_system_service(ULONG number, ULONG arguments);

/*
 * A picture of 32-bit code's registers, with all of XP's flags: from has them
 * all.
 */
void wow64_narrow_context(const CONTEXT *from, WOW64_CONTEXT *to);

/*
 * XP's frame of a user APC, below state's stack pointer: routine and three
 * arguments, and state, which is 32-bit code's.  *esp: where it is to lie.
 * STATUS_ACCESS_VIOLATION and the like.
 */
NTSTATUS wow64_write_user_apc(const CONTEXT *state, const ULONG *arguments,
                              ULONG *esp);

/*
 * XP's frame of an exception, likewise: record and state.
 */
NTSTATUS wow64_write_user_exception(const CONTEXT *state,
                                    const EXCEPTION_RECORD *record,
                                    ULONG *esp);

/* Boot: XP's service tables, from services.tab. */
void wow64_initialize(void);

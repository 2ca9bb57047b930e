/*
 * main.c - the tour of Windows XP's system call, told by a 32-bit program.
 */
#include "tour32.h"

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    print("ntwalk: the walk of XP's system call, told from 32-bit code\n\n");
    show_where();
    show_shared();
    show_stops();
    show_doors();
    show_gate();
    show_apc();
    show_exception();
    return checks_end();
}

/*
 * other.c - bench32, in a process of its own, before the rest of the table.
 */
#include "bench.h"

#include "../lib/start.h"

void show_calls32(void)
{
    CLIENT_ID client;
    HANDLE process, thread;

    must(start_program(L"\\SystemRoot\\System32\\bench32.exe",
                       per_try > 1 ? L"bench32 time" : L"bench32", 0,
                       &process, &thread, &client), "bench32");
    must(NtClose(thread), "close");
    join(process);
}

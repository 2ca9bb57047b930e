/*
 * test.h - checks of ring-3 tests.
 *
 * A test is one program. Each check that fails prints a line with its place;
 * test_end prints the count and is the program's exit status: 0 or 1.
 */
#pragma once

#include "../../programs/lib/print.h"

#define CHECK(condition) \
    test_check((condition) != 0, #condition, __FILE__, __LINE__)

/* The same with words of its own, as printf. */
#define CHECK_SAY(condition, ...) \
    test_check_say((condition) != 0, __FILE__, __LINE__, __VA_ARGS__)

/* Both are statuses; the two that differ are printed. */
#define CHECK_STATUS(expression, expected) \
    test_status((NTSTATUS)(expression), (NTSTATUS)(expected), #expression, \
                __FILE__, __LINE__)

BOOLEAN test_check(BOOLEAN held, const char *text, const char *file, int line);
BOOLEAN test_check_say(BOOLEAN held, const char *file, int line,
                       const char *format, ...)
    __attribute__((format(printf, 4, 5)));
BOOLEAN test_status(NTSTATUS status, NTSTATUS expected, const char *text,
                    const char *file, int line);
NTSTATUS test_end(void);

/* The command line behind the program's name, as ANSI; at most 80 bytes. */
const char *test_words(void);

/* From here on each line of a failure begins with this word. */
void test_where(const char *word);

/* A page (or more) of fresh memory, PAGE_READWRITE. */
void *test_pages(ULONG count);
void test_protect(void *page, ULONG count, ULONG protect);

/* Mm's counters of the whole machine, and those of this process. */
SYSTEM_PERFORMANCE_INFORMATION test_performance(void);
VM_COUNTERS test_counters(void);

/* Open handles of this process. */
ULONG test_handles(void);

/* AvailablePages, when who ends threads and processes has come to rest. */
ULONG test_settled_pages(void);

/* Comes back when the thread waits for something (64-bit code). */
void test_until_it_waits(HANDLE thread);

/* From here on all threads of this process run on the first processor. */
void test_on_one_processor(void);

/*
 * How many pages more may be in use than before, and handles: with several
 * processors the kernel's lists are not as full as the last time, and locks
 * of ntdll's have an event when somebody first had to wait.
 */
ULONG test_page_slack(void);
ULONG test_handle_slack(void);

/* What the kernel keeps of AvailablePages (MI_KERNEL_PAGES). */
#define TEST_KERNEL_PAGES 512

/*
 * On QEMU's own translation of code, which does not raise all exceptions that
 * a processor raises: docs/debugging.md has the list.
 */
BOOLEAN test_on_tcg(void);

/* A file of the image, by its bare name. */
NTSTATUS test_open(const WCHAR *name, ACCESS_MASK access, HANDLE *file);

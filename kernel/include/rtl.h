/*
 * rtl.h - ring 1: the run-time library, at the bottom of everything.
 *
 * Plain C without a machine under it: the host's unit tests compile the same
 * files.  Nothing here allocates, prints or fails other than by its result.
 */
#pragma once

#include <nt/ntstatus.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strchr(const char *text, int character);

/*
 * printf into a buffer: %d %i %u %x %X %o %c %s %p %%, %ls and %wZ (a
 * UNICODE_STRING *), flags - 0 + # and space, width, precision, *, and the
 * sizes hh h l ll z I64 (l is 32 bits as on Windows).  Returns the length the
 * text wants, without its terminator, which is always stored if size > 0.
 */
int rtl_vsnprintf(char *buffer, size_t size, const char *format, va_list args);
int rtl_snprintf(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void RtlInitUnicodeString(UNICODE_STRING *string, const WCHAR *text);
BOOLEAN RtlEqualUnicodeString(const UNICODE_STRING *a, const UNICODE_STRING *b,
                              BOOLEAN ignore_case);
BOOLEAN RtlPrefixUnicodeString(const UNICODE_STRING *prefix,
                               const UNICODE_STRING *string,
                               BOOLEAN ignore_case);
WCHAR RtlUpcaseUnicodeChar(WCHAR character);

static inline void InitializeListHead(LIST_ENTRY *head)
{
    head->Flink = head->Blink = head;
}

static inline BOOLEAN IsListEmpty(const LIST_ENTRY *head)
{
    return head->Flink == head;
}

static inline void InsertTailList(LIST_ENTRY *head, LIST_ENTRY *entry)
{
    entry->Flink = head;
    entry->Blink = head->Blink;
    head->Blink->Flink = entry;
    head->Blink = entry;
}

static inline void InsertHeadList(LIST_ENTRY *head, LIST_ENTRY *entry)
{
    InsertTailList(head->Flink, entry);
}

static inline void RemoveEntryList(LIST_ENTRY *entry)
{
    entry->Blink->Flink = entry->Flink;
    entry->Flink->Blink = entry->Blink;
}

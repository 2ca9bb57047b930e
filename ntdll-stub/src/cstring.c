/*
 * cstring.c - C's memory and string routines, narrow and wide.
 *
 * As in NT they live in ntdll so that a program needs no C library. Letters
 * are ASCII here and in the printf family; Unicode case is ustring.c's.
 */
#include <ntdll.h>

/* A loop here must not become a call to the function it is in. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

void *memcpy(void *to, const void *from, size_t size)
{
    void *result = to;

    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)
                     :: "memory");
    return result;
}

void *memmove(void *to, const void *from, size_t size)
{
    UCHAR *target = to;
    const UCHAR *source = from;

    if ((ULONG_PTR)target - (ULONG_PTR)source >= size)
        return memcpy(to, from, size);
    while (size--)
        target[size] = source[size];
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    void *result = to;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte)
                     : "memory");
    return result;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const UCHAR *x = a, *y = b;

    for (; size; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *from, int byte, size_t size)
{
    const UCHAR *at = from;

    for (; size; size--, at++)
        if (*at == (UCHAR)byte)
            return (void *)at;
    return NULL;
}

size_t strnlen(const char *text, size_t limit)
{
    size_t length = 0;

    while (length < limit && text[length])
        length++;
    return length;
}

size_t strlen(const char *text)
{
    return strnlen(text, ~(size_t)0);
}

int strncmp(const char *a, const char *b, size_t size)
{
    for (; size; size--, a++, b++)
        if (*a != *b || !*a)
            return (UCHAR)*a - (UCHAR)*b;
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, ~(size_t)0);
}

char *strcpy(char *to, const char *from)
{
    return memcpy(to, from, strlen(from) + 1);
}

char *strncpy(char *to, const char *from, size_t size)
{
    size_t length = strnlen(from, size);

    memcpy(to, from, length);
    memset(to + length, 0, size - length);
    return to;
}

char *strcat(char *to, const char *from)
{
    strcpy(to + strlen(to), from);
    return to;
}

char *strncat(char *to, const char *from, size_t size)
{
    size_t old = strlen(to), length = strnlen(from, size);

    memcpy(to + old, from, length);
    to[old + length] = 0;
    return to;
}

char *strchr(const char *text, int character)
{
    for (; *text != (char)character; text++)
        if (!*text)
            return NULL;
    return (char *)text;
}

char *strrchr(const char *text, int character)
{
    size_t at = strlen(text) + 1;

    while (at--)
        if (text[at] == (char)character)
            return (char *)text + at;
    return NULL;
}

char *strstr(const char *text, const char *part)
{
    size_t length = strlen(part);

    for (;; text++) {
        if (!strncmp(text, part, length))
            return (char *)text;
        if (!*text)
            return NULL;
    }
}

int _strnicmp(const char *a, const char *b, size_t size)
{
    for (; size; size--, a++, b++) {
        int x = tolower((UCHAR)*a), y = tolower((UCHAR)*b);

        if (x != y || !x)
            return x - y;
    }
    return 0;
}

int _stricmp(const char *a, const char *b)
{
    return _strnicmp(a, b, ~(size_t)0);
}

size_t wcsnlen(const WCHAR *text, size_t limit)
{
    size_t length = 0;

    while (length < limit && text[length])
        length++;
    return length;
}

size_t wcslen(const WCHAR *text)
{
    return wcsnlen(text, ~(size_t)0);
}

int wcsncmp(const WCHAR *a, const WCHAR *b, size_t size)
{
    for (; size; size--, a++, b++)
        if (*a != *b || !*a)
            return *a - *b;
    return 0;
}

int wcscmp(const WCHAR *a, const WCHAR *b)
{
    return wcsncmp(a, b, ~(size_t)0);
}

WCHAR *wcscpy(WCHAR *to, const WCHAR *from)
{
    return memcpy(to, from, (wcslen(from) + 1) * sizeof *from);
}

WCHAR *wcsncpy(WCHAR *to, const WCHAR *from, size_t size)
{
    size_t length = wcsnlen(from, size);

    memcpy(to, from, length * sizeof *from);
    memset(to + length, 0, (size - length) * sizeof *to);
    return to;
}

WCHAR *wcscat(WCHAR *to, const WCHAR *from)
{
    wcscpy(to + wcslen(to), from);
    return to;
}

WCHAR *wcschr(const WCHAR *text, WCHAR character)
{
    for (; *text != character; text++)
        if (!*text)
            return NULL;
    return (WCHAR *)text;
}

WCHAR *wcsrchr(const WCHAR *text, WCHAR character)
{
    size_t at = wcslen(text) + 1;

    while (at--)
        if (text[at] == character)
            return (WCHAR *)text + at;
    return NULL;
}

WCHAR *wcsstr(const WCHAR *text, const WCHAR *part)
{
    size_t length = wcslen(part);

    for (;; text++) {
        if (!wcsncmp(text, part, length))
            return (WCHAR *)text;
        if (!*text)
            return NULL;
    }
}

int _wcsnicmp(const WCHAR *a, const WCHAR *b, size_t size)
{
    for (; size; size--, a++, b++) {
        WCHAR x = towlower(*a), y = towlower(*b);

        if (x != y || !x)
            return x - y;
    }
    return 0;
}

int _wcsicmp(const WCHAR *a, const WCHAR *b)
{
    return _wcsnicmp(a, b, ~(size_t)0);
}

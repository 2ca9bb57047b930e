/*
 * runtime.c - ntdll's own library: printf, strings, numbers, heap, time,
 * critical sections.
 */
#include "test.h"

#include "facts.h"

static void check_format(const char *expected, const char *format, ...)
{
    char text[200];
    va_list list;
    int length;

    va_start(list, format);
    length = _vsnprintf(text, sizeof text, format, list);
    va_end(list);
    CHECK_SAY(length == (int)strlen(expected) && !strcmp(text, expected),
              "\"%s\" gives \"%s\", not \"%s\"", format, text, expected);
}

static void check_printf(void)
{
    UNICODE_STRING wide;
    ANSI_STRING narrow;

    RtlInitUnicodeString(&wide, L"wide");
    RtlInitAnsiString(&narrow, "narrow");
    check_format("42 -7 +5  5", "%d %i %+d % d", 42, -7, 5, 5);
    check_format("-2147483648", "%d", (int)0x80000000);
    check_format("4294967295 ff FF 377", "%u %x %X %o", -1, 255, 255, 255);
    check_format("0xff 0XFF 0377 0", "%#x %#X %#o %#x", 255, 255, 255, 0);
    check_format("[   42][42   ][00042]", "[%5d][%-5d][%05d]", 42, 42, 42);
    check_format("[  042][042  ][-0042]", "[%5.3d][%-5.3d][%05d]", 42, 42,
                 -42);
    check_format("[]", "[%.0d]", 0);
    check_format("[   7][7   ]", "[%*d][%-*d]", 4, 7, 4, 7);
    check_format("[7   ][abc]", "[%*d][%.*s]", -4, 7, 3, "abcdef");
    check_format("x % y", "%c %% %c", 'x', 'y');
    check_format("[  ab][ab  ][a]", "[%4s][%-4s][%.1s]", "ab", "ab", "ab");
    check_format("wide wide narrow", "%ls %wZ %Z", L"wide", &wide, &narrow);
    check_format("wide narrow", "%S %hs", L"wide", "narrow");
    check_format("(null)", "%s", (char *)NULL);
    check_format("123456789abcdef0", "%llx", 0x123456789ABCDEF0ULL);
    check_format("123456789abcdef0", "%I64x", 0x123456789ABCDEF0ULL);
    check_format("9abcdef0", "%lx", 0x123456789ABCDEF0ULL);
    check_format(ALL_ONES_TEXT, "%zu", ~(size_t)0);
    check_format("-9223372036854775808", "%lld", INT64_MIN);
    check_format("-1 255 -1 65535", "%hhd %hhu %hd %hu", -1, -1, -1, -1);
    check_format(POINTER_TEXT, "%p", (void *)0xABCD);
}

static void check_limits(void)
{
    char text[8];
    WCHAR wide[8];

    memset(text, 'z', sizeof text);
    CHECK(_snprintf(text, 3, "abcd") == -1 && !memcmp(text, "abcz", 4));
    CHECK(_snprintf(text, 4, "abcd") == 4 && !memcmp(text, "abcdz", 5));
    CHECK(_snprintf(text, 5, "abcd") == 4 && !text[4]);
    CHECK(_snprintf(NULL, 0, "%d", 1234) == -1);
    CHECK(sprintf_s(text, 4, "abcd") == -1 && !text[0]);
    CHECK(_snwprintf(wide, 8, L"%s%S%d", L"ab", "cd", 7) == 5);
    CHECK(!wcscmp(wide, L"abcd7"));
}

static void check_c(void)
{
    char text[32] = "abcdef", *end;

    memmove(text + 2, text, 5);
    CHECK(!strcmp(text, "ababcde"));
    memmove(text, text + 2, 6);
    CHECK(!strcmp(text, "abcde"));
    CHECK(strchr(text, 'c') == text + 2 && !strchr(text, 'z'));
    CHECK(strrchr("abcabc", 'b') && strstr(text, "cd") == text + 2);
    CHECK(strcmp("a", "b") < 0 && strcmp("b", "a") > 0 && !strcmp("", ""));
    CHECK(strncmp("abc", "abd", 2) == 0 && _stricmp("ABC", "abc") == 0);
    CHECK(!_wcsicmp(L"NtDll", L"nTdLL") && wcslen(L"four") == 4);
    CHECK(strtol("  -42x", &end, 10) == -42 && *end == 'x');
    CHECK(strtol("0x1F", NULL, 0) == 31 && strtol("017", NULL, 0) == 15);
    CHECK(strtol("99999999999", NULL, 10) == 0x7FFFFFFF);
    CHECK(strtol("-99999999999", NULL, 10) == (LONG)0x80000000);
    CHECK(strtoul("4294967295", NULL, 10) == 0xFFFFFFFF);
    CHECK(strtoul("4294967296", NULL, 10) == 0xFFFFFFFF);
    CHECK(_atoi64("-9223372036854775808") == INT64_MIN);
}

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void check_sort(void)
{
    int numbers[100], key = 7, at, *found;

    for (at = 0; at < 100; at++)
        numbers[at] = at * 37 % 100;
    qsort(numbers, 100, sizeof *numbers, by_value);
    for (at = 0; at < 100; at++)
        CHECK(numbers[at] == at);
    found = bsearch(&key, numbers, 100, sizeof *numbers, by_value);
    CHECK(found && *found == 7);
    key = 100;
    CHECK(!bsearch(&key, numbers, 100, sizeof *numbers, by_value));
}

static void check_strings(void)
{
    WCHAR buffer[8];
    UNICODE_STRING a, b, to = { .Buffer = buffer,
                                .MaximumLength = sizeof buffer };
    ANSI_STRING narrow;
    ULONG value;

    RtlInitUnicodeString(&a, L"Kernel");
    RtlInitUnicodeString(&b, L"kERNEL");
    CHECK(a.Length == 12 && a.MaximumLength == 14);
    CHECK(RtlEqualUnicodeString(&a, &b, TRUE));
    CHECK(!RtlEqualUnicodeString(&a, &b, FALSE));
    CHECK(RtlCompareUnicodeString(&a, &b, FALSE) < 0);
    CHECK_STATUS(RtlAppendUnicodeToString(&to, L"abcd"), STATUS_SUCCESS);
    CHECK_STATUS(RtlAppendUnicodeToString(&to, L"efghi"),
                 STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(RtlAppendUnicodeToString(&to, L"efgh"), STATUS_SUCCESS);
    CHECK(to.Length == 16);
    CHECK_STATUS(RtlUnicodeStringToAnsiString(&narrow, &a, TRUE),
                 STATUS_SUCCESS);
    CHECK(!strcmp(narrow.Buffer, "Kernel"));
    RtlFreeAnsiString(&narrow);
    RtlInitUnicodeString(&a, L"0x1f");
    CHECK_STATUS(RtlUnicodeStringToInteger(&a, 0, &value), STATUS_SUCCESS);
    CHECK(value == 31);
    CHECK_STATUS(RtlCharToInteger(" -10", 10, &value), STATUS_SUCCESS);
    CHECK((LONG)value == -10);
    CHECK_STATUS(RtlCharToInteger("1", 7, &value), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(RtlIntegerToUnicodeString(4095, 16, &to), STATUS_SUCCESS);
    CHECK(!wcscmp(buffer, L"FFF"));
}

/* Blocks of many sizes, each filled with its own byte, freed out of order. */
static void check_heap(void)
{
    void *heap = RtlCreateHeap(HEAP_GROWABLE, NULL, 0, 0, NULL, NULL);
    static UCHAR *blocks[200];
    ULONG seed = 1, round, at, byte;
    static SIZE_T sizes[200];

    if (!CHECK(heap != NULL))
        return;
    for (round = 0; round < 2000; round++) {
        at = RtlUniform(&seed) % ARRAY_SIZE(blocks);
        if (blocks[at]) {
            for (byte = 0; byte < sizes[at]; byte++)
                if (blocks[at][byte] != (UCHAR)at)
                    break;
            CHECK_SAY(byte == sizes[at], "block %u is damaged", at);
            CHECK(RtlSizeHeap(heap, 0, blocks[at]) == sizes[at]);
            CHECK(RtlFreeHeap(heap, 0, blocks[at]));
            blocks[at] = NULL;
            continue;
        }
        sizes[at] = RtlUniform(&seed) % (round % 50 ? 3000 : 400000);
        blocks[at] = RtlAllocateHeap(heap, 0, sizes[at]);
        if (!CHECK(blocks[at] && (ULONG_PTR)blocks[at] % 16 == 0))
            break;
        memset(blocks[at], at, sizes[at]);
    }
    CHECK(RtlValidateHeap(heap, 0, NULL));
    CHECK(RtlDestroyHeap(heap) == NULL);
}

static void check_heap_edges(void)
{
    void *heap = NtCurrentPeb()->ProcessHeap;
    UCHAR *block = RtlAllocateHeap(heap, HEAP_ZERO_MEMORY, 100), *other;

    CHECK(block && block[0] == 0 && block[99] == 0);
    memset(block, 1, 100);
    block = RtlReAllocateHeap(heap, HEAP_ZERO_MEMORY, block, 50000);
    CHECK(block && block[99] == 1 && block[100] == 0 && block[49999] == 0);
    CHECK(RtlSizeHeap(heap, 0, block) == 50000);
    block = RtlReAllocateHeap(heap, 0, block, 10);
    CHECK(block && RtlSizeHeap(heap, 0, block) == 10);
    CHECK(RtlValidateHeap(heap, 0, block));
    CHECK(!RtlValidateHeap(heap, 0, block + 16));
    CHECK(RtlFreeHeap(heap, 0, block));
    CHECK(!RtlFreeHeap(heap, 0, block));
    CHECK(RtlSizeHeap(heap, 0, block) == ~(SIZE_T)0);
    CHECK(RtlAllocateHeap(heap, 0, ~(SIZE_T)0) == NULL);
    CHECK(RtlAllocateHeap(heap, 0, TOO_MUCH) == NULL);
    block = RtlAllocateHeap(heap, 0, 0);
    other = RtlAllocateHeap(heap, 0, 0);
    CHECK(block && other && block != other);
    CHECK(RtlFreeHeap(heap, 0, block) && RtlFreeHeap(heap, 0, other));
    CHECK(RtlValidateHeap(heap, 0, NULL));
}

static void check_time(void)
{
    TIME_FIELDS fields, again;
    LARGE_INTEGER time, back;
    ULONG seed = 3, round, seconds;

    RtlSecondsSince1970ToTime(951782400, &time);
    RtlTimeToTimeFields(&time, &fields);
    CHECK(fields.Year == 2000 && fields.Month == 2 && fields.Day == 29);
    CHECK(fields.Weekday == 2 && fields.Hour == 0);
    CHECK(RtlTimeToSecondsSince1970(&time, &seconds) && seconds == 951782400);
    for (round = 0; round < 2000; round++) {
        time.QuadPart = (RtlUniform(&seed) * 400LL + round) * 10000000LL;
        RtlTimeToTimeFields(&time, &fields);
        CHECK(RtlTimeFieldsToTime(&fields, &back) &&
              back.QuadPart == time.QuadPart);
        RtlTimeToTimeFields(&back, &again);
        CHECK(!memcmp(&fields, &again, sizeof fields));
    }
    fields.Month = 13;
    CHECK(!RtlTimeFieldsToTime(&fields, &back));
}

static void check_critical(void)
{
    RTL_CRITICAL_SECTION section;

    RtlInitializeCriticalSection(&section);
    CHECK(section.LockCount == -1);
    RtlEnterCriticalSection(&section);
    CHECK(RtlTryEnterCriticalSection(&section));
    CHECK(section.RecursionCount == 2 &&
          section.LockCount == LOCK_COUNT_TAKEN_TWICE);
    CHECK(section.OwningThread == NtCurrentTeb()->ClientId.UniqueThread);
    RtlLeaveCriticalSection(&section);
    RtlLeaveCriticalSection(&section);
    CHECK(section.LockCount == -1 && !section.OwningThread);
    RtlDeleteCriticalSection(&section);
}

static void check_process(void)
{
    char reply[8] = "?";
    RTL_OSVERSIONINFOW version = { .dwOSVersionInfoSize = sizeof version };
    ULONG major, minor, build, first;
    LARGE_INTEGER a, b;

    CHECK_STATUS(RtlGetVersion(&version), STATUS_SUCCESS);
    RtlGetNtVersionNumbers(&major, &minor, &build);
    CHECK(major == VERSION_MAJOR && minor == VERSION_MINOR &&
          (build & 0xFFFF) == VERSION_BUILD);
    CHECK(version.dwMajorVersion == VERSION_MAJOR &&
          version.dwMinorVersion == VERSION_MINOR &&
          version.dwBuildNumber == VERSION_BUILD);
    CHECK(RtlNtStatusToDosError(STATUS_INVALID_HANDLE) == 6);
    CHECK(RtlGetLastNtStatus() == STATUS_INVALID_HANDLE);
    CHECK(RtlNtStatusToDosError(0xC0123456) == 317);
    RtlSetLastWin32Error(77);
    CHECK(RtlGetLastWin32Error() == 77);
    first = NtGetTickCount();
    NtQuerySystemTime(&a);
    do
        NtQuerySystemTime(&b);
    while (b.QuadPart - a.QuadPart < 500000);
    CHECK(NtGetTickCount() - first >= 20 && NtGetTickCount() - first < 5000);
    CHECK(DbgPrompt("runtime: a prompt\n", reply, sizeof reply) == 0);
    CHECK(!*reply);                             /* nobody answers */
    CHECK(DbgPrint("runtime: %s\n", "DbgPrint reaches the console") == 0);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_printf();
    check_limits();
    check_c();
    check_sort();
    check_strings();
    check_heap();
    check_heap_edges();
    check_time();
    check_critical();
    check_process();
    return test_end();
}

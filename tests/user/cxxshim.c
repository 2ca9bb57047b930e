/*
 * cxxshim.c - what g++'s run-time library asks of a C library and of kernel32,
 * over ntdll.
 *
 * kernel32's names are imported by pointers, __imp_NAME, so the pointers are
 * defined here. Only what libsupc++ and libgcc_eh use is there, and only as
 * much of it. A program that is built outside can link this file, too.
 */
#include "../../programs/lib/print.h"

#define GCC_THROW       ((NTSTATUS)0x20474343)  /* libgcc's, "CCG" */
#define ABORTED         3                       /* exit status, as msvcrt's */
#define TLS_SLOTS       64

/* ---- C ---- */

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
__attribute__((noreturn)) void abort(void);
int atexit(void (*routine)(void));
void *__acrt_iob_func(unsigned index);
int fputs(const char *text, void *file);
int fputc(int character, void *file);
size_t fwrite(const void *text, size_t size, size_t count, void *file);
int __mingw_vsprintf(char *buffer, const char *format, va_list arguments);
int __mingwthr_key_dtor(ULONG key, void (*routine)(void *));

int _CRT_MT = 1;                                /* there may be threads */

static void *heap(void)
{
    return NtCurrentPeb()->ProcessHeap;
}

void *malloc(size_t size)
{
    return RtlAllocateHeap(heap(), 0, size);
}

void *calloc(size_t count, size_t size)
{
    if (size && count > ~(size_t)0 / size)
        return NULL;
    return RtlAllocateHeap(heap(), HEAP_ZERO_MEMORY, count * size);
}

void *realloc(void *block, size_t size)
{
    return block ? RtlReAllocateHeap(heap(), 0, block, size) : malloc(size);
}

void free(void *block)
{
    if (block)
        RtlFreeHeap(heap(), 0, block);
}

void abort(void)
{
    RtlExitUserProcess(ABORTED);
}

int atexit(void (*routine)(void) __attribute__((unused)))
{
    return 0;
}

void *__acrt_iob_func(unsigned index)
{
    static char files[3];

    return &files[index];
}
#ifdef __x86_64__
void *__imp___acrt_iob_func = (void *)__acrt_iob_func;
#else
void *imp_acrt_iob_func __asm__("__imp____acrt_iob_func") =
    (void *)__acrt_iob_func;
#endif

int fputs(const char *text, void *file __attribute__((unused)))
{
    print("%s", text);
    return 0;
}

int fputc(int character, void *file __attribute__((unused)))
{
    print("%c", character);
    return character;
}

size_t fwrite(const void *text, size_t size, size_t count,
              void *file __attribute__((unused)))
{
    print("%.*s", (int)(size * count), (const char *)text);
    return count;
}

int __mingw_vsprintf(char *buffer, const char *format, va_list arguments)
{
    return vsprintf(buffer, format, arguments);
}

int __mingwthr_key_dtor(ULONG key __attribute__((unused)),
                        void (*routine)(void *) __attribute__((unused)))
{
    return 0;
}

/* ---- kernel32 ---- */

/* bytes of arguments, which are a part of the name in 32-bit code. */
#ifdef __x86_64__
#define IMPORT(name, bytes) void *__imp_##name = (void *)shim_##name
#else
#define IMPORT(name, bytes) \
    void *imp_##name __asm__("__imp__" #name "@" #bytes) = (void *)shim_##name
#endif

static void NTAPI shim_RaiseException(ULONG code, ULONG flags, ULONG count,
                                const ULONG_PTR *parameters)
{
    EXCEPTION_RECORD record = {
        .ExceptionCode = (NTSTATUS)code,
        .ExceptionFlags = flags & EXCEPTION_NONCONTINUABLE,
        .NumberParameters = count,
    };

    memcpy(record.ExceptionInformation, parameters,
           count * sizeof *parameters);
    RtlRaiseException(&record);
}
IMPORT(RaiseException, 16);

static ULONG NTAPI shim_GetCurrentThreadId(void)
{
    return (ULONG)(ULONG_PTR)NtCurrentTeb()->ClientId.UniqueThread;
}
IMPORT(GetCurrentThreadId, 0);

static ULONG NTAPI shim_TlsAlloc(void)
{
    static volatile LONG next = -1;
    LONG index = __atomic_add_fetch(&next, 1, __ATOMIC_SEQ_CST);

    return index < TLS_SLOTS ? (ULONG)index : ~0u;
}
IMPORT(TlsAlloc, 0);

static LONG NTAPI shim_TlsFree(ULONG index __attribute__((unused)))
{
    return TRUE;
}
IMPORT(TlsFree, 4);

static void *NTAPI shim_TlsGetValue(ULONG index)
{
    return NtCurrentTeb()->TlsSlots[index];
}
IMPORT(TlsGetValue, 4);

static LONG NTAPI shim_TlsSetValue(ULONG index, void *value)
{
    NtCurrentTeb()->TlsSlots[index] = value;
    return TRUE;
}
IMPORT(TlsSetValue, 8);

static ULONG NTAPI shim_GetLastError(void)
{
    return RtlGetLastWin32Error();
}
IMPORT(GetLastError, 0);

static void NTAPI shim_SetLastError(ULONG error)
{
    RtlSetLastWin32Error(error);
}
IMPORT(SetLastError, 4);

static void NTAPI shim_Sleep(ULONG milliseconds)
{
    LARGE_INTEGER time = { .QuadPart = -10000LL * milliseconds };

    NtDelayExecution(FALSE, &time);
}
IMPORT(Sleep, 4);

static HANDLE NTAPI shim_CreateSemaphoreW(void *security __attribute__((unused)),
                                    LONG count, LONG limit,
                                    const WCHAR *name __attribute__((unused)))
{
    HANDLE handle;
    NTSTATUS status = NtCreateSemaphore(&handle, SEMAPHORE_ALL_ACCESS, NULL,
                                        count, limit);

    return NT_SUCCESS(status) ? handle : NULL;
}
IMPORT(CreateSemaphoreW, 16);

static LONG NTAPI shim_ReleaseSemaphore(HANDLE handle, LONG count, LONG *before)
{
    return NT_SUCCESS(NtReleaseSemaphore(handle, count, before));
}
IMPORT(ReleaseSemaphore, 12);

/* The only time that is asked for is "for ever". */
static ULONG NTAPI shim_WaitForSingleObject(HANDLE handle,
                                      ULONG time __attribute__((unused)))
{
    return (ULONG)NtWaitForSingleObject(handle, FALSE, NULL);
}
IMPORT(WaitForSingleObject, 8);

static LONG NTAPI shim_CloseHandle(HANDLE handle)
{
    return NT_SUCCESS(NtClose(handle));
}
IMPORT(CloseHandle, 4);

/* ---- the start ---- */

/* A throw that nobody catches comes back to libgcc, which terminates. */
static LONG NTAPI uncaught(EXCEPTION_POINTERS *pointers)
{
    const EXCEPTION_RECORD *record = pointers->ExceptionRecord;

    if (record->ExceptionCode == GCC_THROW &&
        !(record->ExceptionFlags & EXCEPTION_NONCONTINUABLE))
        return EXCEPTION_CONTINUE_EXECUTION;
    return EXCEPTION_CONTINUE_SEARCH;
}

/*
 * 32-bit code's tables for unwinding: ntdll does not know them. Where they
 * begin is said by the first object of the program (cxx.cc).
 */
#ifdef __x86_64__
static void register_frames(void)
{
}
#else
extern const char cxx_frames[];
void __register_frame_info(const void *begin, void *object);

static void register_frames(void)
{
    static void *object[16];                    /* libgcc's, of 6 words */

    __register_frame_info(cxx_frames, object);
}
#endif

/* What mingw's start-up code does before main. */
void cxx_start(void);
void cxx_start(void)
{
    register_frames();
    RtlSetUnhandledExceptionFilter(uncaught);
}

/*
 * lib/cxxstart.c - the start of a C++ program that g++ has compiled, and what
 * g++'s run-time library asks of a C library and of kernel32, over ntdll.
 *
 * The build leaves it as cxxstart.o and cxxstart32.o beside ntdll's import
 * libraries: a program needs no more than these, libsupc++ and libgcc
 * (docs/exceptions.md). That is the language, with exceptions, new and static
 * objects, but no library: nothing of printf, std::string or threads.
 *
 * kernel32's names are imported by pointers, __imp_NAME, so the pointers are
 * defined here. Only what libsupc++ and libgcc_eh use is there, and only as
 * much of it. 32-bit programs must link this object before all others, see
 * register_frames.
 */
#include <ntdll.h>

#define GCC_THROW       ((NTSTATUS)0x20474343)  /* libgcc's, "CCG" */
#define ABORTED         3                       /* exit status, as msvcrt's */
#define TLS_SLOTS       64
#define KEY_ROUNDS      4                       /* the least of POSIX */

/* ---- C ---- */

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
__attribute__((noreturn)) void abort(void);
int atexit(void (*routine)(void));
void *_aligned_malloc(size_t size, size_t alignment);
void _aligned_free(void *block);
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

/* The heap's own block is told in front of the aligned one. */
void *_aligned_malloc(size_t size, size_t alignment)
{
    size_t more = sizeof(void *) + alignment - 1;
    void **aligned, *block = size + more < size ? NULL : malloc(size + more);

    if (!block)
        return NULL;
    aligned = (void **)(((size_t)block + more) & ~(alignment - 1));
    aligned[-1] = block;
    return aligned;
}

void _aligned_free(void *block)
{
    if (block)
        free(((void **)block)[-1]);
}

#ifdef __x86_64__
void *__imp__aligned_malloc = (void *)_aligned_malloc;
void *__imp__aligned_free = (void *)_aligned_free;
#else
void *imp_aligned_malloc __asm__("__imp___aligned_malloc") =
    (void *)_aligned_malloc;
void *imp_aligned_free __asm__("__imp___aligned_free") =
    (void *)_aligned_free;
#endif

void abort(void)
{
    RtlExitUserProcess(ABORTED);
}

/* The last to come is the first to run. One may register others: they run
 * next. */
struct exit_routine {
    struct exit_routine *next;
    void (*run)(void);
};

static struct exit_routine *exit_routines;

int atexit(void (*routine)(void))
{
    struct exit_routine *new = malloc(sizeof *new);

    if (!new)
        return -1;
    new->run = routine;
    new->next = __atomic_load_n(&exit_routines, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&exit_routines, &new->next, new, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
    return 0;
}

/* Nobody else takes any off. */
static void run_exit_routines(void)
{
    struct exit_routine *last;

    while ((last = __atomic_load_n(&exit_routines, __ATOMIC_ACQUIRE)))
        if (__atomic_compare_exchange_n(&exit_routines, &last, last->next, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
            last->run();
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

/* Every file is standard output. */
size_t fwrite(const void *text, size_t size, size_t count,
              void *file __attribute__((unused)))
{
    IO_STATUS_BLOCK io;

    NtWriteFile(NtCurrentPeb()->ProcessParameters->StandardOutput, NULL, NULL,
                NULL, &io, text, (ULONG)(size * count), NULL, NULL);
    return count;
}

int fputs(const char *text, void *file)
{
    fwrite(text, 1, strlen(text), file);
    return 0;
}

int fputc(int character, void *file)
{
    char text = (char)character;

    fwrite(&text, 1, 1, file);
    return character;
}

int __mingw_vsprintf(char *buffer, const char *format, va_list arguments)
{
    return vsprintf(buffer, format, arguments);
}

/* ---- a thread's own objects ----
 *
 * libgcc keeps what a thread has of its own (the exceptions that it handles,
 * thread_local objects) in TLS slots, and names a routine for each slot. A
 * thread that ends runs them; the loader tells it by a TLS callback. One
 * routine may fill the slot of another again: a few rounds.
 */
static void (*volatile key_routines[TLS_SLOTS])(void *);

int __mingwthr_key_dtor(ULONG key, void (*routine)(void *))
{
    if (key >= TLS_SLOTS)
        return -1;
    key_routines[key] = routine;
    return 0;
}

static BOOLEAN run_key_routines(void)
{
    void **slots = NtCurrentTeb()->TlsSlots;
    BOOLEAN any = FALSE;
    ULONG key;

    for (key = 0; key < TLS_SLOTS; key++) {
        void *value = slots[key];

        if (!value || !key_routines[key])
            continue;
        slots[key] = NULL;
        key_routines[key](value);
        any = TRUE;
    }
    return any;
}

static void NTAPI on_thread(void *base __attribute__((unused)), ULONG reason,
                            void *reserved __attribute__((unused)))
{
    ULONG round;

    if (reason != DLL_THREAD_DETACH)
        return;
    for (round = 0; round < KEY_ROUNDS && run_key_routines(); round++)
        ;
}

static ULONG tls_index;
static const ULONG_PTR tls_callbacks[] = { (ULONG_PTR)on_thread, 0 };
extern const IMAGE_TLS_DIRECTORY _tls_used;     /* the linker's name for it */
const IMAGE_TLS_DIRECTORY _tls_used = {
    .AddressOfIndex = (ULONG_PTR)&tls_index,
    .AddressOfCallBacks = (ULONG_PTR)tls_callbacks,
};

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

static HANDLE NTAPI shim_CreateSemaphoreW(
    void *security __attribute__((unused)), LONG count, LONG limit,
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

/* The program holds its own image while thread_local objects are in it. */
static LONG NTAPI shim_GetModuleHandleExW(
    ULONG flags __attribute__((unused)),
    const WCHAR *name __attribute__((unused)), void **module)
{
    *module = NtCurrentPeb()->ImageBaseAddress;
    return TRUE;
}
IMPORT(GetModuleHandleExW, 12);

static LONG NTAPI shim_FreeLibrary(void *module __attribute__((unused)))
{
    return TRUE;
}
IMPORT(FreeLibrary, 4);

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
 * 32-bit code's tables for unwinding: ntdll does not know them. They begin
 * where this object's share of them does, if it is the first.
 */
#ifdef __x86_64__
static void register_frames(void)
{
}
#else
__asm__(".section .eh_frame, \"r\"\n_cxx_frames:\n.text");
extern const char cxx_frames[];
void __register_frame_info(const void *begin, void *object);

static void register_frames(void)
{
    static void *object[16];                    /* libgcc's, of 6 words */

    __register_frame_info(cxx_frames, object);
}
#endif

/* main begins with the constructors of static objects (libgcc's __main). */
int main(void);

/* The name that the linker starts a program by unless it is told another. */
void mainCRTStartup(void);
void mainCRTStartup(void)
{
    int status;

    register_frames();
    RtlSetUnhandledExceptionFilter(uncaught);
    status = main();
    run_exit_routines();
    RtlExitUserProcess(status);
}

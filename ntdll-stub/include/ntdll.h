/*
 * ntdll.h - what ntdll.dll exports besides the system services.
 *
 * Programs include this and nt/ntapi.h, and need no other library: Ldr loads
 * images, Rtl is NT's run-time library, Dbg talks to the debugger, and the
 * lower-case names are the part of C that lives in ntdll.
 */
#pragma once

#include <machine.h>
#include <nt/ntapi.h>
#include <nt/kuser.h>
#include <nt/pe.h>
#include <nt/slist.h>

#include "ntexcept.h"

/* Statuses that only ring 3 gives. */
#define STATUS_NO_MORE_FILES            ((NTSTATUS)0x80000006)
#define STATUS_NO_MORE_ENTRIES          ((NTSTATUS)0x8000001A)
#define STATUS_NAME_TOO_LONG            ((NTSTATUS)0xC0000106)

static inline PEB *NtCurrentPeb(void)
{
    return NtCurrentTeb()->ProcessEnvironmentBlock;
}

/* What a program brings: its entry point; the result is its exit status. */
NTSTATUS NTAPI NtProcessStartup(PEB *peb);

/* ---- ntwalk's own: a call by a door of the caller's choice ---- */

/*
 * number, then the service's arguments, as many as it has.  Where a door does
 * not open (SYSENTER on an AMD processor) the call is an exception.
 */
ULONG_PTR NtwCallSyscall(ULONG number, ...);
ULONG_PTR NtwCallInt2e(ULONG number, ...);
ULONG_PTR NtwCallSysenter(ULONG number, ...);

/* ---- Ldr: images ---- */

/* *DllCharacteristics of LdrLoadDll, as in a PE header. */
#define LDR_DONT_RESOLVE_DLL_REFERENCES IMAGE_FILE_EXECUTABLE_IMAGE

NTSTATUS NTAPI LdrLoadDll(const WCHAR *DllPath, const ULONG *DllCharacteristics,
                          const UNICODE_STRING *DllName, void **DllHandle);
NTSTATUS NTAPI LdrUnloadDll(void *DllHandle);
NTSTATUS NTAPI LdrGetDllHandle(const WCHAR *DllPath,
                               const ULONG *DllCharacteristics,
                               const UNICODE_STRING *DllName, void **DllHandle);
NTSTATUS NTAPI LdrGetProcedureAddress(void *DllHandle, const ANSI_STRING *Name,
                                      ULONG Ordinal, void **Address);
NTSTATUS NTAPI LdrFindEntryForAddress(void *Address,
                                      LDR_DATA_TABLE_ENTRY **Entry);
NTSTATUS NTAPI LdrDisableThreadCalloutsForDll(void *DllHandle);
NTSTATUS NTAPI LdrShutdownProcess(void);
NTSTATUS NTAPI LdrShutdownThread(void);
BOOLEAN NTAPI RtlDllShutdownInProgress(void);

IMAGE_NT_HEADERS *NTAPI RtlImageNtHeader(void *Base);
NTSTATUS NTAPI RtlImageNtHeaderEx(ULONG Flags, void *Base, ULONGLONG Size,
                                  IMAGE_NT_HEADERS **Headers);
#define RTL_IMAGE_NT_HEADER_EX_FLAG_NO_RANGE_CHECK 1
void *NTAPI RtlImageDirectoryEntryToData(void *Base, BOOLEAN MappedAsImage,
                                         USHORT Entry, ULONG *Size);
IMAGE_SECTION_HEADER *NTAPI RtlImageRvaToSection(
    const IMAGE_NT_HEADERS *Headers, void *Base, ULONG Rva);
void *NTAPI RtlPcToFileHeader(void *Pc, void **Base);

/* ---- Rtl: processes and threads ---- */

typedef struct _RTL_OSVERSIONINFOW {
    ULONG dwOSVersionInfoSize;
    ULONG dwMajorVersion;
    ULONG dwMinorVersion;
    ULONG dwBuildNumber;
    ULONG dwPlatformId;
    WCHAR szCSDVersion[128];
} RTL_OSVERSIONINFOW;

PEB *NTAPI RtlGetCurrentPeb(void);
NTSTATUS NTAPI RtlGetVersion(RTL_OSVERSIONINFOW *Version);
void NTAPI RtlGetNtVersionNumbers(ULONG *Major, ULONG *Minor, ULONG *Build);
__attribute__((noreturn)) void NTAPI RtlExitUserProcess(NTSTATUS Status);
__attribute__((noreturn)) void NTAPI RtlExitUserThread(NTSTATUS Status);
NTSTATUS NTAPI RtlCreateUserThread(HANDLE Process, void *SecurityDescriptor,
                                   BOOLEAN CreateSuspended, ULONG ZeroBits,
                                   SIZE_T MaximumStackSize,
                                   SIZE_T CommittedStackSize,
                                   PUSER_THREAD_START_ROUTINE StartAddress,
                                   void *Parameter, HANDLE *Thread,
                                   CLIENT_ID *ClientId);
ULONG NTAPI RtlNtStatusToDosError(NTSTATUS Status);
ULONG NTAPI RtlNtStatusToDosErrorNoTeb(NTSTATUS Status);
ULONG NTAPI RtlGetLastWin32Error(void);
void NTAPI RtlSetLastWin32Error(ULONG Error);
NTSTATUS NTAPI RtlGetLastNtStatus(void);
ULONG NTAPI RtlSetLastWin32ErrorAndNtStatusFromNtStatus(NTSTATUS Status);

/* Of another process: only the 64-bit ntdll has these (parameters.c). */
#ifdef __x86_64__
typedef struct _RTL_USER_PROCESS_INFORMATION {
    ULONG Length;                               /* 00 */
    HANDLE ProcessHandle;                       /* 08 */
    HANDLE ThreadHandle;                        /* 10 */
    CLIENT_ID ClientId;                         /* 18 */
    SECTION_IMAGE_INFORMATION ImageInformation; /* 28 */
} RTL_USER_PROCESS_INFORMATION;

RTL_USER_PROCESS_PARAMETERS *NTAPI RtlNormalizeProcessParams(
    RTL_USER_PROCESS_PARAMETERS *Parameters);
RTL_USER_PROCESS_PARAMETERS *NTAPI RtlDeNormalizeProcessParams(
    RTL_USER_PROCESS_PARAMETERS *Parameters);
NTSTATUS NTAPI RtlCreateProcessParametersEx(
    RTL_USER_PROCESS_PARAMETERS **Parameters,
    const UNICODE_STRING *ImagePathName, const UNICODE_STRING *DllPath,
    const UNICODE_STRING *CurrentDirectory, const UNICODE_STRING *CommandLine,
    void *Environment, const UNICODE_STRING *WindowTitle,
    const UNICODE_STRING *DesktopInfo, const UNICODE_STRING *ShellInfo,
    const UNICODE_STRING *RuntimeData, ULONG Flags);
NTSTATUS NTAPI RtlDestroyProcessParameters(
    RTL_USER_PROCESS_PARAMETERS *Parameters);
NTSTATUS NTAPI RtlCreateUserProcess(
    const UNICODE_STRING *NtImagePathName, ULONG ExtendedParameters,
    RTL_USER_PROCESS_PARAMETERS *Parameters, void *ProcessSecurity,
    void *ThreadSecurity, HANDLE ParentProcess, BOOLEAN InheritHandles,
    HANDLE DebugPort, HANDLE TokenHandle,
    RTL_USER_PROCESS_INFORMATION *Information);
#endif

/* ---- Rtl: critical sections ---- */

typedef struct _RTL_CRITICAL_SECTION {
    void *DebugInfo;                            /* 00 */
    volatile LONG LockCount;                    /* 08, -1 when free */
    LONG RecursionCount;                        /* 0c */
    HANDLE OwningThread;                        /* 10, its thread id */
    HANDLE LockSemaphore;                       /* 18 */
    ULONG_PTR SpinCount;                        /* 20 */
} RTL_CRITICAL_SECTION;

/* Flags of RtlInitializeCriticalSectionEx: accepted, without effect. */
#define RTL_CRITICAL_SECTION_FLAG_NO_DEBUG_INFO         0x01000000
#define RTL_CRITICAL_SECTION_FLAG_DYNAMIC_SPIN          0x02000000
#define RTL_CRITICAL_SECTION_FLAG_STATIC_INIT           0x04000000
#define RTL_CRITICAL_SECTION_FLAG_RESOURCE_TYPE         0x08000000
#define RTL_CRITICAL_SECTION_FLAG_FORCE_DEBUG_INFO      0x10000000
#define RTL_CRITICAL_SECTION_ALL_FLAG_BITS              0xFF000000

NTSTATUS NTAPI RtlInitializeCriticalSection(RTL_CRITICAL_SECTION *Section);
NTSTATUS NTAPI RtlInitializeCriticalSectionAndSpinCount(
    RTL_CRITICAL_SECTION *Section, ULONG SpinCount);
NTSTATUS NTAPI RtlEnterCriticalSection(RTL_CRITICAL_SECTION *Section);
NTSTATUS NTAPI RtlLeaveCriticalSection(RTL_CRITICAL_SECTION *Section);
BOOLEAN NTAPI RtlTryEnterCriticalSection(RTL_CRITICAL_SECTION *Section);
NTSTATUS NTAPI RtlDeleteCriticalSection(RTL_CRITICAL_SECTION *Section);
NTSTATUS NTAPI RtlInitializeCriticalSectionEx(RTL_CRITICAL_SECTION *Section,
                                              ULONG SpinCount, ULONG Flags);
ULONG NTAPI RtlSetCriticalSectionSpinCount(RTL_CRITICAL_SECTION *Section,
                                           ULONG SpinCount);
ULONG NTAPI RtlIsCriticalSectionLocked(const RTL_CRITICAL_SECTION *Section);
ULONG NTAPI RtlIsCriticalSectionLockedByThread(
    const RTL_CRITICAL_SECTION *Section);
ULONG NTAPI RtlGetCriticalSectionRecursionCount(
    const RTL_CRITICAL_SECTION *Section);

/* ---- Rtl: other locks ---- */

typedef struct _RTL_SRWLOCK {
    void *Ptr;                                  /* NULL when free */
} RTL_SRWLOCK;

typedef struct _RTL_RUN_ONCE {
    void *Ptr;                                  /* NULL: not yet */
} RTL_RUN_ONCE;

typedef LONG (NTAPI *PRTL_RUN_ONCE_INIT_FN)(RTL_RUN_ONCE *RunOnce,
                                            void *Parameter, void **Context);

void NTAPI RtlInitializeSRWLock(RTL_SRWLOCK *Lock);
void NTAPI RtlAcquireSRWLockExclusive(RTL_SRWLOCK *Lock);
void NTAPI RtlAcquireSRWLockShared(RTL_SRWLOCK *Lock);
BOOLEAN NTAPI RtlTryAcquireSRWLockExclusive(RTL_SRWLOCK *Lock);
BOOLEAN NTAPI RtlTryAcquireSRWLockShared(RTL_SRWLOCK *Lock);
void NTAPI RtlReleaseSRWLockExclusive(RTL_SRWLOCK *Lock);
void NTAPI RtlReleaseSRWLockShared(RTL_SRWLOCK *Lock);
void NTAPI RtlRunOnceInitialize(RTL_RUN_ONCE *RunOnce);
NTSTATUS NTAPI RtlRunOnceExecuteOnce(RTL_RUN_ONCE *RunOnce,
                                     PRTL_RUN_ONCE_INIT_FN InitFn,
                                     void *Parameter, void **Context);
NTSTATUS NTAPI RtlWaitOnAddress(const volatile void *Address,
                                const void *CompareAddress, SIZE_T Size,
                                LARGE_INTEGER *Timeout);
void NTAPI RtlWakeAddressSingle(const volatile void *Address);
void NTAPI RtlWakeAddressAll(const volatile void *Address);

/* ---- Rtl: lists without locks ---- */

/*
 * Entries are aligned as SLIST_HEADER is.  Push, pop and flush return the
 * entry that was first, or NULL.
 */
void NTAPI RtlInitializeSListHead(SLIST_HEADER *ListHead);
SLIST_ENTRY *NTAPI RtlInterlockedPushEntrySList(SLIST_HEADER *ListHead,
                                                SLIST_ENTRY *ListEntry);
SLIST_ENTRY *NTAPI RtlInterlockedPopEntrySList(SLIST_HEADER *ListHead);
SLIST_ENTRY *NTAPI RtlInterlockedFlushSList(SLIST_HEADER *ListHead);
SLIST_ENTRY *NTAPI RtlFirstEntrySList(const SLIST_HEADER *ListHead);
USHORT NTAPI RtlQueryDepthSList(SLIST_HEADER *ListHead);

/* ---- Rtl: the heap ---- */

#define HEAP_NO_SERIALIZE               0x00000001
#define HEAP_GROWABLE                   0x00000002
#define HEAP_GENERATE_EXCEPTIONS        0x00000004
#define HEAP_ZERO_MEMORY                0x00000008
#define HEAP_REALLOC_IN_PLACE_ONLY      0x00000010

void *NTAPI RtlCreateHeap(ULONG Flags, void *Base, SIZE_T Reserve,
                          SIZE_T Commit, void *Lock, void *Parameters);
void *NTAPI RtlDestroyHeap(void *Heap);
void *NTAPI RtlAllocateHeap(void *Heap, ULONG Flags, SIZE_T Size);
BOOLEAN NTAPI RtlFreeHeap(void *Heap, ULONG Flags, void *Block);
void *NTAPI RtlReAllocateHeap(void *Heap, ULONG Flags, void *Block,
                              SIZE_T Size);
SIZE_T NTAPI RtlSizeHeap(void *Heap, ULONG Flags, const void *Block);
BOOLEAN NTAPI RtlValidateHeap(void *Heap, ULONG Flags, const void *Block);
BOOLEAN NTAPI RtlLockHeap(void *Heap);
BOOLEAN NTAPI RtlUnlockHeap(void *Heap);

/* ---- Rtl: strings ---- */

void NTAPI RtlInitUnicodeString(UNICODE_STRING *String, const WCHAR *Text);
NTSTATUS NTAPI RtlInitUnicodeStringEx(UNICODE_STRING *String,
                                      const WCHAR *Text);
void NTAPI RtlInitAnsiString(ANSI_STRING *String, const CHAR *Text);
void NTAPI RtlInitString(STRING *String, const CHAR *Text);
LONG NTAPI RtlCompareUnicodeString(const UNICODE_STRING *A,
                                   const UNICODE_STRING *B, BOOLEAN IgnoreCase);
BOOLEAN NTAPI RtlEqualUnicodeString(const UNICODE_STRING *A,
                                    const UNICODE_STRING *B,
                                    BOOLEAN IgnoreCase);
BOOLEAN NTAPI RtlPrefixUnicodeString(const UNICODE_STRING *Prefix,
                                     const UNICODE_STRING *String,
                                     BOOLEAN IgnoreCase);
LONG NTAPI RtlCompareString(const STRING *A, const STRING *B,
                            BOOLEAN IgnoreCase);
BOOLEAN NTAPI RtlEqualString(const STRING *A, const STRING *B,
                             BOOLEAN IgnoreCase);
void NTAPI RtlCopyUnicodeString(UNICODE_STRING *To, const UNICODE_STRING *From);
void NTAPI RtlCopyString(STRING *To, const STRING *From);
NTSTATUS NTAPI RtlAppendUnicodeToString(UNICODE_STRING *To, const WCHAR *Text);
NTSTATUS NTAPI RtlAppendUnicodeStringToString(UNICODE_STRING *To,
                                              const UNICODE_STRING *From);
NTSTATUS NTAPI RtlAnsiStringToUnicodeString(UNICODE_STRING *To,
                                            const ANSI_STRING *From,
                                            BOOLEAN Allocate);
NTSTATUS NTAPI RtlUnicodeStringToAnsiString(ANSI_STRING *To,
                                            const UNICODE_STRING *From,
                                            BOOLEAN Allocate);
NTSTATUS NTAPI RtlUpcaseUnicodeString(UNICODE_STRING *To,
                                      const UNICODE_STRING *From,
                                      BOOLEAN Allocate);
BOOLEAN NTAPI RtlCreateUnicodeString(UNICODE_STRING *String, const WCHAR *Text);
BOOLEAN NTAPI RtlCreateUnicodeStringFromAsciiz(UNICODE_STRING *String,
                                               const CHAR *Text);
void NTAPI RtlFreeUnicodeString(UNICODE_STRING *String);
void NTAPI RtlFreeAnsiString(ANSI_STRING *String);
WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR Character);
WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR Character);
NTSTATUS NTAPI RtlUnicodeToMultiByteN(CHAR *To, ULONG Size, ULONG *Written,
                                      const WCHAR *From, ULONG FromBytes);
NTSTATUS NTAPI RtlUnicodeToMultiByteSize(ULONG *Size, const WCHAR *From,
                                         ULONG FromBytes);
NTSTATUS NTAPI RtlMultiByteToUnicodeN(WCHAR *To, ULONG Size, ULONG *Written,
                                      const CHAR *From, ULONG FromBytes);
NTSTATUS NTAPI RtlMultiByteToUnicodeSize(ULONG *Size, const CHAR *From,
                                         ULONG FromBytes);
NTSTATUS NTAPI RtlCharToInteger(const CHAR *Text, ULONG Base, ULONG *Value);
NTSTATUS NTAPI RtlUnicodeStringToInteger(const UNICODE_STRING *String,
                                         ULONG Base, ULONG *Value);
NTSTATUS NTAPI RtlIntegerToChar(ULONG Value, ULONG Base, LONG Length,
                                CHAR *Text);
NTSTATUS NTAPI RtlIntegerToUnicodeString(ULONG Value, ULONG Base,
                                         UNICODE_STRING *String);

/* ---- Rtl: memory, time, chance ---- */

typedef struct _TIME_FIELDS {
    SHORT Year;
    SHORT Month;
    SHORT Day;
    SHORT Hour;
    SHORT Minute;
    SHORT Second;
    SHORT Milliseconds;
    SHORT Weekday;
} TIME_FIELDS;

void NTAPI RtlCopyMemory(void *To, const void *From, SIZE_T Size);
void NTAPI RtlMoveMemory(void *To, const void *From, SIZE_T Size);
void NTAPI RtlFillMemory(void *To, SIZE_T Size, UCHAR Byte);
void NTAPI RtlZeroMemory(void *To, SIZE_T Size);
SIZE_T NTAPI RtlCompareMemory(const void *A, const void *B, SIZE_T Size);
void NTAPI RtlTimeToTimeFields(const LARGE_INTEGER *Time, TIME_FIELDS *Fields);
BOOLEAN NTAPI RtlTimeFieldsToTime(const TIME_FIELDS *Fields,
                                  LARGE_INTEGER *Time);
BOOLEAN NTAPI RtlTimeToSecondsSince1970(const LARGE_INTEGER *Time,
                                        ULONG *Seconds);
void NTAPI RtlSecondsSince1970ToTime(ULONG Seconds, LARGE_INTEGER *Time);
ULONG NTAPI RtlUniform(ULONG *Seed);
ULONG NTAPI RtlRandom(ULONG *Seed);
ULONG NTAPI RtlRandomEx(ULONG *Seed);
ULONG NTAPI NtGetTickCount(void);

/* ---- Dbg ---- */

ULONG DbgPrint(const char *Format, ...);
ULONG DbgPrintEx(ULONG Component, ULONG Level, const char *Format, ...);
ULONG NTAPI vDbgPrintEx(ULONG Component, ULONG Level, const char *Format,
                        va_list Arguments);
ULONG NTAPI vDbgPrintExWithPrefix(const char *Prefix, ULONG Component,
                                  ULONG Level, const char *Format,
                                  va_list Arguments);
ULONG NTAPI DbgPrompt(const char *Prompt, char *Response, ULONG Length);
void NTAPI DbgBreakPoint(void);
void NTAPI DbgUserBreakPoint(void);

/* ---- C ---- */

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *from, int byte, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strcpy(char *to, const char *from);
char *strncpy(char *to, const char *from, size_t size);
char *strcat(char *to, const char *from);
char *strncat(char *to, const char *from, size_t size);
char *strchr(const char *text, int character);
char *strrchr(const char *text, int character);
char *strstr(const char *text, const char *part);
int _stricmp(const char *a, const char *b);
int _strnicmp(const char *a, const char *b, size_t size);
size_t wcslen(const WCHAR *text);
size_t wcsnlen(const WCHAR *text, size_t limit);
int wcscmp(const WCHAR *a, const WCHAR *b);
int wcsncmp(const WCHAR *a, const WCHAR *b, size_t size);
WCHAR *wcscpy(WCHAR *to, const WCHAR *from);
WCHAR *wcsncpy(WCHAR *to, const WCHAR *from, size_t size);
WCHAR *wcscat(WCHAR *to, const WCHAR *from);
WCHAR *wcschr(const WCHAR *text, WCHAR character);
WCHAR *wcsrchr(const WCHAR *text, WCHAR character);
WCHAR *wcsstr(const WCHAR *text, const WCHAR *part);
int _wcsicmp(const WCHAR *a, const WCHAR *b);
int _wcsnicmp(const WCHAR *a, const WCHAR *b, size_t size);
WCHAR towlower(WCHAR character);
WCHAR towupper(WCHAR character);
int tolower(int character);
int toupper(int character);
int isdigit(int character);
int isxdigit(int character);
int isspace(int character);
int isalpha(int character);
int isalnum(int character);
int isupper(int character);
int islower(int character);
int isprint(int character);
int atoi(const char *text);
LONG atol(const char *text);
LONGLONG _atoi64(const char *text);
LONG strtol(const char *text, char **end, int base);
ULONG strtoul(const char *text, char **end, int base);
int abs(int value);
LONG labs(LONG value);
void qsort(void *base, size_t count, size_t size,
           int (*compare)(const void *, const void *));
void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *, const void *));

/*
 * printf into a buffer: %d %i %u %x %X %o %c %s %p %%, %ls and %S (WCHAR
 * text), %wZ and %Z (UNICODE_STRING *, ANSI_STRING *), flags - 0 + # and
 * space, width, precision, *, and the sizes hh h l ll z I64 (l is 32 bits).
 * The ones with an underscore store no terminator when there is no room and
 * then return -1; in the wide ones %s is WCHAR text and %S is not.
 */
int sprintf(char *buffer, const char *format, ...);
int vsprintf(char *buffer, const char *format, va_list arguments);
int sprintf_s(char *buffer, size_t size, const char *format, ...);
int _snprintf(char *buffer, size_t size, const char *format, ...);
int _vsnprintf(char *buffer, size_t size, const char *format,
               va_list arguments);
int swprintf(WCHAR *buffer, const WCHAR *format, ...);
int _snwprintf(WCHAR *buffer, size_t size, const WCHAR *format, ...);
int _vsnwprintf(WCHAR *buffer, size_t size, const WCHAR *format,
                va_list arguments);

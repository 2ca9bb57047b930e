/*
 * nt/ntdef.h - ring 0 of the headers: the words that kernel and ring 3 share.
 *
 * Sizes are Windows': LONG and ULONG are 32 bits in every compiler that reads
 * this, WCHAR is 16.  NULL-terminated wide text needs -fshort-wchar on ELF.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <nt/basetsd.h>

typedef char CHAR;
typedef unsigned char UCHAR;
typedef int16_t SHORT;
typedef uint16_t USHORT;
typedef int LONG;
typedef unsigned int ULONG;
typedef long long LONGLONG;
typedef unsigned long long ULONGLONG;
typedef uint16_t WCHAR;
typedef UCHAR BOOLEAN;
typedef LONG NTSTATUS;
typedef void *HANDLE;
typedef ULONG ACCESS_MASK;
typedef ULONG_PTR PFN_NUMBER;

#define TRUE 1
#define FALSE 0

#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)

/*
 * The calling convention of everything that NT exports: on i386 the callee
 * takes its arguments off the stack; on amd64 there is only one convention,
 * and the compiler knows that the word means nothing.
 */
#define NTAPI __attribute__((stdcall))

/* Annotations of nt/ntapi.h: which way an argument goes. */
#define _In_
#define _In_opt_
#define _Out_
#define _Out_opt_
#define _Inout_
#define _Inout_opt_

#define PAGE_SHIFT 12
#define PAGE_SIZE 0x1000ULL
#define ALLOCATION_GRANULARITY 0x10000ULL

#define CONTAINING_RECORD(address, type, field) \
    ((type *)((char *)(address) - offsetof(type, field)))

#define ALIGN_UP(value, size) \
    (((ULONG_PTR)(value) + (size) - 1) & ~((ULONG_PTR)(size) - 1))
#define ALIGN_DOWN(value, size) ((ULONG_PTR)(value) & ~((ULONG_PTR)(size) - 1))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define MINLONG (-0x7FFFFFFF - 1)
#define MAXLONG 0x7FFFFFFF

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY;

typedef union _LARGE_INTEGER {
    struct {
        ULONG LowPart;
        LONG HighPart;
    };
    LONGLONG QuadPart;
} LARGE_INTEGER;

typedef struct _STRING {
    USHORT Length;
    USHORT MaximumLength;
    CHAR *Buffer;
} STRING, ANSI_STRING;

/* Length and MaximumLength count bytes, not characters. */
typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    WCHAR *Buffer;
} UNICODE_STRING;

typedef struct _CLIENT_ID {
    HANDLE UniqueProcess;
    HANDLE UniqueThread;
} CLIENT_ID;

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    UNICODE_STRING *ObjectName;
    ULONG Attributes;
    void *SecurityDescriptor;
    void *SecurityQualityOfService;
} OBJECT_ATTRIBUTES;

#define OBJ_INHERIT             0x00000002
#define OBJ_PERMANENT           0x00000010
#define OBJ_EXCLUSIVE           0x00000020
#define OBJ_CASE_INSENSITIVE    0x00000040
#define OBJ_OPENIF              0x00000080
#define OBJ_KERNEL_HANDLE       0x00000200
#define OBJ_FORCE_ACCESS_CHECK  0x00000400
#define OBJ_VALID_ATTRIBUTES    0x00001FF2

/* The rights that the four generic ones stand for. */
typedef struct _GENERIC_MAPPING {
    ACCESS_MASK GenericRead;                    /* 00 */
    ACCESS_MASK GenericWrite;                   /* 04 */
    ACCESS_MASK GenericExecute;                 /* 08 */
    ACCESS_MASK GenericAll;                     /* 0c */
} GENERIC_MAPPING;

typedef struct _IO_STATUS_BLOCK {
    union {
        NTSTATUS Status;
        void *Pointer;
    };
    ULONG_PTR Information;
} IO_STATUS_BLOCK;

typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID;

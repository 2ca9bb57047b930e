/*
 * unwind.h - how frames are found and left: amd64.
 *
 * A part of ntdll.h. No register and no list says where a frame is: each
 * function that changes rsp or a non-volatile register has an entry in a
 * sorted table (an image's .pdata, or one that the program has added), which
 * leads to UNWIND_INFO: what its prologue does, and whether it has a handler.
 * Functions without an entry are leaves: their return address is at [rsp].
 *
 * Layouts are winnt.h's and the "x64 exception handling" pages of Microsoft's
 * compiler documentation. Tables and UNWIND_INFO are the file's word.
 */
#pragma once

#include <nt/context.h>

#include "ntexcept.h"

typedef struct _RUNTIME_FUNCTION {
    ULONG BeginAddress;                         /* RVAs */
    ULONG EndAddress;                           /* of the first byte behind */
    ULONG UnwindData;                           /* bit 0: of another entry */
} RUNTIME_FUNCTION;

#define RUNTIME_FUNCTION_INDIRECT 1

#define UNW_FLAG_NHANDLER       0
#define UNW_FLAG_EHANDLER       1               /* hears of exceptions */
#define UNW_FLAG_UHANDLER       2               /* hears of unwinding */
#define UNW_FLAG_CHAININFO      4               /* an entry instead of them */

#define UWOP_PUSH_NONVOL        0
#define UWOP_ALLOC_LARGE        1
#define UWOP_ALLOC_SMALL        2
#define UWOP_SET_FPREG          3
#define UWOP_SAVE_NONVOL        4
#define UWOP_SAVE_NONVOL_FAR    5
#define UWOP_EPILOG             6               /* version 2 */
#define UWOP_SPARE_CODE         7
#define UWOP_SAVE_XMM128        8
#define UWOP_SAVE_XMM128_FAR    9
#define UWOP_PUSH_MACHFRAME     10

typedef union _UNWIND_CODE {
    struct {
        UCHAR CodeOffset;                       /* behind the instruction */
        UCHAR UnwindOp : 4;
        UCHAR OpInfo : 4;
    };
    USHORT FrameOffset;
} UNWIND_CODE;

/* Behind the codes, at an even slot: handler and its data, or a chained
 * RUNTIME_FUNCTION. */
typedef struct _UNWIND_INFO {
    UCHAR Version : 3;
    UCHAR Flags : 5;
    UCHAR SizeOfProlog;
    UCHAR CountOfCodes;
    UCHAR FrameRegister : 4;
    UCHAR FrameOffset : 4;                      /* in units of 16 */
    UNWIND_CODE UnwindCode[];
} UNWIND_INFO;

struct _DISPATCHER_CONTEXT;

typedef EXCEPTION_DISPOSITION (NTAPI *PEXCEPTION_ROUTINE)(
    EXCEPTION_RECORD *ExceptionRecord, void *EstablisherFrame,
    CONTEXT *ContextRecord, struct _DISPATCHER_CONTEXT *DispatcherContext);

/* Lookups that a walk has made; nobody has to give one. */
typedef struct _UNWIND_HISTORY_TABLE UNWIND_HISTORY_TABLE;

/* Where a walk stands, for the handler; offsets reach dispatch.asm by the
 * assertions below. */
typedef struct _DISPATCHER_CONTEXT {
    ULONGLONG ControlPc;                        /* 00 */
    ULONGLONG ImageBase;                        /* 08 */
    RUNTIME_FUNCTION *FunctionEntry;            /* 10 */
    ULONGLONG EstablisherFrame;                 /* 18 */
    ULONGLONG TargetIp;                         /* 20 */
    CONTEXT *ContextRecord;                     /* 28 */
    PEXCEPTION_ROUTINE LanguageHandler;         /* 30 */
    void *HandlerData;                          /* 38 */
    UNWIND_HISTORY_TABLE *HistoryTable;         /* 40 */
    ULONG ScopeIndex;                           /* 48 */
    ULONG Fill0;                                /* 4c */
} DISPATCHER_CONTEXT;

_Static_assert(sizeof(RUNTIME_FUNCTION) == 0x0C, "RUNTIME_FUNCTION");
_Static_assert(sizeof(UNWIND_INFO) == 0x04, "UNWIND_INFO");
_Static_assert(sizeof(DISPATCHER_CONTEXT) == 0x50, "DISPATCHER_CONTEXT");

/* Where a frame has kept each register; NULL pointers mean "not saved". */
typedef struct _KNONVOLATILE_CONTEXT_POINTERS {
    M128A *FloatingContext[16];
    ULONGLONG *IntegerContext[16];
} KNONVOLATILE_CONTEXT_POINTERS;

/* __C_specific_handler's data: one for each __try of a function, inner ones
 * first. JumpTarget 0: a __finally, whose routine is HandlerAddress. */
typedef struct _SCOPE_TABLE_AMD64 {
    ULONG Count;
    struct {
        ULONG BeginAddress;
        ULONG EndAddress;
        ULONG HandlerAddress;                   /* or 1: always handle */
        ULONG JumpTarget;
    } ScopeRecord[];
} SCOPE_TABLE;

/* setjmp's buffer. Frame 0: longjmp does not unwind. */
typedef struct _JUMP_BUFFER {
    ULONGLONG Frame;                            /* 00 */
    ULONGLONG Rbx;                              /* 08 */
    ULONGLONG Rsp;                              /* 10 */
    ULONGLONG Rbp;                              /* 18 */
    ULONGLONG Rsi;                              /* 20 */
    ULONGLONG Rdi;                              /* 28 */
    ULONGLONG R12;                              /* 30 */
    ULONGLONG R13;                              /* 38 */
    ULONGLONG R14;                              /* 40 */
    ULONGLONG R15;                              /* 48 */
    ULONGLONG Rip;                              /* 50 */
    ULONG MxCsr;                                /* 58 */
    USHORT FpCsr;                               /* 5c */
    USHORT Spare;                               /* 5e */
    M128A Xmm[10];                              /* 60: xmm6 to xmm15 */
} _JUMP_BUFFER;

_Static_assert(sizeof(_JUMP_BUFFER) == 0x100, "_JUMP_BUFFER");

typedef RUNTIME_FUNCTION *(NTAPI *PGET_RUNTIME_FUNCTION_CALLBACK)(
    ULONGLONG ControlPc, void *Context);

RUNTIME_FUNCTION *NTAPI RtlLookupFunctionEntry(
    ULONGLONG ControlPc, ULONGLONG *ImageBase,
    UNWIND_HISTORY_TABLE *HistoryTable);
BOOLEAN NTAPI RtlAddFunctionTable(RUNTIME_FUNCTION *FunctionTable,
                                  ULONG EntryCount, ULONGLONG BaseAddress);
BOOLEAN NTAPI RtlInstallFunctionTableCallback(
    ULONGLONG TableIdentifier, ULONGLONG BaseAddress, ULONG Length,
    PGET_RUNTIME_FUNCTION_CALLBACK Callback, void *Context,
    const WCHAR *OutOfProcessCallbackDll);
BOOLEAN NTAPI RtlDeleteFunctionTable(RUNTIME_FUNCTION *FunctionTable);

PEXCEPTION_ROUTINE NTAPI RtlVirtualUnwind(
    ULONG HandlerType, ULONGLONG ImageBase, ULONGLONG ControlPc,
    RUNTIME_FUNCTION *FunctionEntry, CONTEXT *ContextRecord,
    void **HandlerData, ULONGLONG *EstablisherFrame,
    KNONVOLATILE_CONTEXT_POINTERS *ContextPointers);
void NTAPI RtlUnwindEx(void *TargetFrame, void *TargetIp,
                       EXCEPTION_RECORD *ExceptionRecord, void *ReturnValue,
                       CONTEXT *ContextRecord,
                       UNWIND_HISTORY_TABLE *HistoryTable);
void NTAPI RtlRestoreContext(CONTEXT *ContextRecord,
                             EXCEPTION_RECORD *ExceptionRecord);
EXCEPTION_DISPOSITION NTAPI __C_specific_handler(
    EXCEPTION_RECORD *ExceptionRecord, void *EstablisherFrame,
    CONTEXT *ContextRecord, DISPATCHER_CONTEXT *DispatcherContext);

int _setjmp(_JUMP_BUFFER *buffer) __attribute__((returns_twice));
int _setjmpex(_JUMP_BUFFER *buffer, void *frame)
    __attribute__((returns_twice));
__attribute__((noreturn)) void longjmp(_JUMP_BUFFER *buffer, int value);
void _local_unwind(void *frame, void *target);

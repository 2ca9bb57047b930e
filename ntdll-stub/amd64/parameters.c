/*
 * parameters.c - RTL_USER_PROCESS_PARAMETERS for a new process, and starting
 * it over NtCreateUserProcess.
 *
 * A block holds the structure, then its strings, then the environment. It is
 * made with offsets in place of addresses (denormalized), as it can lie
 * anywhere then; RtlNormalizeProcessParams turns them into addresses.
 */
#include <ntdll.h>

#define PATH_ROOM (260 * sizeof(WCHAR))         /* of the current directory */
#define STRINGS 8

static UNICODE_STRING *string_of(RTL_USER_PROCESS_PARAMETERS *block, ULONG at)
{
    UNICODE_STRING *const strings[STRINGS] = {
        &block->CurrentDirectory.DosPath, &block->DllPath,
        &block->ImagePathName, &block->CommandLine, &block->WindowTitle,
        &block->DesktopInfo, &block->ShellInfo, &block->RuntimeData,
    };

    return strings[at];
}

static void move(RTL_USER_PROCESS_PARAMETERS *block, ULONG_PTR by)
{
    ULONG at;

    for (at = 0; at < STRINGS; at++) {
        UNICODE_STRING *string = string_of(block, at);

        if (string->Buffer)
            string->Buffer = (WCHAR *)((ULONG_PTR)string->Buffer + by);
    }
    block->Flags ^= RTL_USER_PROC_PARAMS_NORMALIZED;
}

RTL_USER_PROCESS_PARAMETERS *NTAPI RtlNormalizeProcessParams(
    RTL_USER_PROCESS_PARAMETERS *Parameters)
{
    if (Parameters && !(Parameters->Flags & RTL_USER_PROC_PARAMS_NORMALIZED))
        move(Parameters, (ULONG_PTR)Parameters);
    return Parameters;
}

RTL_USER_PROCESS_PARAMETERS *NTAPI RtlDeNormalizeProcessParams(
    RTL_USER_PROCESS_PARAMETERS *Parameters)
{
    if (Parameters && (Parameters->Flags & RTL_USER_PROC_PARAMS_NORMALIZED))
        move(Parameters, -(ULONG_PTR)Parameters);
    return Parameters;
}

/* Strings that end with an empty one. */
static SIZE_T environment_size(const WCHAR *environment)
{
    const WCHAR *at = environment;

    if (!at)
        return 0;
    while (*at)
        at += wcslen(at) + 1;
    return (UCHAR *)(at + 1) - (UCHAR *)environment;
}

static SIZE_T room_for(const UNICODE_STRING *from, ULONG at)
{
    return at == 0 ? PATH_ROOM : ALIGN_UP(from->Length + sizeof(WCHAR), 8);
}

static void fill(RTL_USER_PROCESS_PARAMETERS *block,
                 const UNICODE_STRING *const from[STRINGS], SIZE_T size)
{
    UCHAR *place = (UCHAR *)(block + 1);
    ULONG at;

    block->MaximumLength = block->Length = (ULONG)size;
    block->Flags = RTL_USER_PROC_PARAMS_NORMALIZED;
    for (at = 0; at < STRINGS; at++) {
        UNICODE_STRING *to = string_of(block, at);

        to->Buffer = (WCHAR *)place;
        to->Length = from[at]->Length;
        to->MaximumLength = at == 0 ? PATH_ROOM
                                    : from[at]->Length + sizeof(WCHAR);
        memcpy(place, from[at]->Buffer, from[at]->Length);
        place += room_for(from[at], at);
    }
    block->Environment = place;
}

/* What is NULL comes from this process, or is empty: the last four. */
NTSTATUS NTAPI RtlCreateProcessParametersEx(
    RTL_USER_PROCESS_PARAMETERS **Parameters,
    const UNICODE_STRING *ImagePathName, const UNICODE_STRING *DllPath,
    const UNICODE_STRING *CurrentDirectory, const UNICODE_STRING *CommandLine,
    void *Environment, const UNICODE_STRING *WindowTitle,
    const UNICODE_STRING *DesktopInfo, const UNICODE_STRING *ShellInfo,
    const UNICODE_STRING *RuntimeData, ULONG Flags)
{
    const RTL_USER_PROCESS_PARAMETERS *own = NtCurrentPeb()->ProcessParameters;
    static const UNICODE_STRING nothing;
    const UNICODE_STRING *const from[STRINGS] = {
        CurrentDirectory ? CurrentDirectory : &own->CurrentDirectory.DosPath,
        DllPath ? DllPath : &own->DllPath, ImagePathName,
        CommandLine ? CommandLine : ImagePathName,
        WindowTitle ? WindowTitle : &nothing,
        DesktopInfo ? DesktopInfo : &nothing,
        ShellInfo ? ShellInfo : &nothing,
        RuntimeData ? RuntimeData : &nothing,
    };
    const void *environment = Environment ? Environment : own->Environment;
    SIZE_T tail = environment_size(environment);
    SIZE_T size = sizeof(RTL_USER_PROCESS_PARAMETERS);
    RTL_USER_PROCESS_PARAMETERS *block;
    ULONG at;

    if (from[0]->Length > PATH_ROOM - sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    for (at = 0; at < STRINGS; at++)
        size += room_for(from[at], at);
    block = RtlAllocateHeap(NtCurrentPeb()->ProcessHeap, HEAP_ZERO_MEMORY,
                            size + tail);
    if (!block)
        return STATUS_NO_MEMORY;
    fill(block, from, size + tail);
    memcpy(block->Environment, environment, tail);
    block->EnvironmentSize = tail;
    if (!(Flags & RTL_USER_PROC_PARAMS_NORMALIZED))
        RtlDeNormalizeProcessParams(block);
    *Parameters = block;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlDestroyProcessParameters(
    RTL_USER_PROCESS_PARAMETERS *Parameters)
{
    RtlFreeHeap(NtCurrentPeb()->ProcessHeap, 0, Parameters);
    return STATUS_SUCCESS;
}

/*
 * The process's one thread is suspended. Security, parent, debug port and
 * token are the defaults: others are STATUS_NOT_SUPPORTED.
 */
NTSTATUS NTAPI RtlCreateUserProcess(
    const UNICODE_STRING *NtImagePathName, ULONG ExtendedParameters,
    RTL_USER_PROCESS_PARAMETERS *Parameters, void *ProcessSecurity,
    void *ThreadSecurity, HANDLE ParentProcess, BOOLEAN InheritHandles,
    HANDLE DebugPort, HANDLE TokenHandle,
    RTL_USER_PROCESS_INFORMATION *Information)
{
    struct {
        SIZE_T length;
        PS_ATTRIBUTE attributes[3];
    } list = { sizeof list, {
        { PS_ATTRIBUTE_IMAGE_NAME, NtImagePathName->Length,
          { .ValuePtr = NtImagePathName->Buffer }, NULL },
        { PS_ATTRIBUTE_CLIENT_ID, sizeof Information->ClientId,
          { .ValuePtr = &Information->ClientId }, NULL },
        { PS_ATTRIBUTE_IMAGE_INFO, sizeof Information->ImageInformation,
          { .ValuePtr = &Information->ImageInformation }, NULL },
    } };
    PS_CREATE_INFO info = { .Size = sizeof info };

    (void)ExtendedParameters;
    if (ProcessSecurity || ThreadSecurity || ParentProcess || DebugPort ||
        TokenHandle)
        return STATUS_NOT_SUPPORTED;
    RtlNormalizeProcessParams(Parameters);
    Information->Length = sizeof *Information;
    return NtCreateUserProcess(
        &Information->ProcessHandle, &Information->ThreadHandle,
        PROCESS_ALL_ACCESS, THREAD_ALL_ACCESS, NULL, NULL,
        InheritHandles ? PROCESS_CREATE_FLAGS_INHERIT_HANDLES : 0,
        THREAD_CREATE_FLAGS_CREATE_SUSPENDED, Parameters, &info,
        (PS_ATTRIBUTE_LIST *)&list);
}

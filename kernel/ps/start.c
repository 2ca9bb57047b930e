/*
 * ps/start.c - a process from a boot file: what its first thread finds.
 *
 * The order is Windows': address space, image, ntdll, PEB with its
 * parameters, TEB, stack.  The thread starts in ntdll's LdrInitializeThunk
 * with a CONTEXT on its stack that leads on to RtlUserThreadStart and from
 * there to the program's entry point.
 */
#include "psp.h"

#include <arch/thread.h>
#include <io.h>
#include <mm.h>
#include <nt/ntapi.h>
#include <rtl_pe.h>

#define MAX_COMMAND_LINE 1024
#define MAX_IMAGE_NAME 64
#define LOWEST_STACK 0x10000ULL
#define HIGHEST_STACK 0x4000000ULL
#define SYSTEM_DIRECTORY L"\\SystemRoot\\System32\\"

/* Parameters and their strings, as they lie in user memory. */
struct parameters {
    RTL_USER_PROCESS_PARAMETERS block;
    WCHAR command_line[MAX_COMMAND_LINE];
    WCHAR image_path[MAX_IMAGE_NAME + 32];
    WCHAR dll_path[32];
    WCHAR environment[4];
};

static NTSTATUS write_user(void *to, const void *from, SIZE_T size)
{
    return mm_copy_to_mode(UserMode, to, from, size);
}

NTSTATUS psp_load_ntdll(const struct psp_ntdll **result)
{
    static struct psp_ntdll ntdll;
    UNICODE_STRING name;
    const void *bytes;
    SIZE_T size;
    struct rtl_pe pe;
    NTSTATUS status;

    *result = &ntdll;
    if (ntdll.section)
        return STATUS_SUCCESS;
    RtlInitUnicodeString(&name, L"ntdll.dll");
    status = io_find_boot_file(&name, &bytes, &size);
    if (NT_SUCCESS(status))
        status = rtl_pe_parse(bytes, size, &pe);
    if (NT_SUCCESS(status))
        status = rtl_pe_find_export(bytes, &pe, "LdrInitializeThunk",
                                    &ntdll.ldr_initialize_thunk);
    if (NT_SUCCESS(status))
        status = rtl_pe_find_export(bytes, &pe, "RtlUserThreadStart",
                                    &ntdll.rtl_user_thread_start);
    if (NT_SUCCESS(status))
        status = mm_create_section(bytes, size, TRUE, &ntdll.section);
    return status;
}

/* One string of the parameters: text in the copy, address in user memory. */
static void set_string(UNICODE_STRING *string, WCHAR *copy, SIZE_T capacity,
                       const struct parameters *local,
                       const struct parameters *user, const WCHAR *wide,
                       const CHAR *text)
{
    SIZE_T length = 0;

    for (; wide && *wide && length < capacity - 1; wide++)
        copy[length++] = *wide;
    for (; text && *text && length < capacity - 1; text++)
        copy[length++] = (UCHAR)*text;
    copy[length] = 0;
    string->Length = (USHORT)(length * sizeof(WCHAR));
    string->MaximumLength = (USHORT)(string->Length + sizeof(WCHAR));
    string->Buffer = (WCHAR *)((UCHAR *)user +
                               ((UCHAR *)copy - (UCHAR *)local));
}

static NTSTATUS open_console(RTL_USER_PROCESS_PARAMETERS *block)
{
    HANDLE *const handles[] = { &block->StandardInput, &block->StandardOutput,
                                &block->StandardError };
    void *console;
    NTSTATUS status = io_open_console(&console);

    if (!NT_SUCCESS(status))
        return status;
    for (ULONG i = 0; i < ARRAY_SIZE(handles) && NT_SUCCESS(status); i++)
        status = ob_create_handle(console, GENERIC_READ | GENERIC_WRITE,
                                  handles[i]);
    ObDereferenceObject(console);
    return status;
}

static NTSTATUS build_parameters(const struct psp_start *start, void **user)
{
    struct parameters *local = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                               sizeof *local, 0x6D726150);
    RTL_USER_PROCESS_PARAMETERS *block = &local->block;
    struct parameters *place;
    NTSTATUS status;

    if (!local)
        return STATUS_INSUFFICIENT_RESOURCES;
    *user = NULL;
    status = mm_allocate_user(user, sizeof *local, PAGE_READWRITE);
    place = *user;
    if (NT_SUCCESS(status)) {
        block->MaximumLength = block->Length = sizeof *local;
        block->Flags = RTL_USER_PROC_PARAMS_NORMALIZED;
        set_string(&block->CommandLine, local->command_line, MAX_COMMAND_LINE,
                   local, place, NULL, start->command_line);
        set_string(&block->ImagePathName, local->image_path,
                   ARRAY_SIZE(local->image_path), local, place,
                   SYSTEM_DIRECTORY, NULL);
        block->ImagePathName.Length += start->image_name->Length;
        block->ImagePathName.MaximumLength += start->image_name->Length;
        memcpy(local->image_path + ARRAY_SIZE(SYSTEM_DIRECTORY) - 1,
               start->image_name->Buffer, start->image_name->Length);
        block->WindowTitle = block->ImagePathName;
        set_string(&block->DllPath, local->dll_path,
                   ARRAY_SIZE(local->dll_path), local, place,
                   SYSTEM_DIRECTORY, NULL);
        block->CurrentDirectory.DosPath = block->DllPath;
        block->Environment = place->environment;
        block->EnvironmentSize = sizeof local->environment;
        status = open_console(block);
    }
    if (NT_SUCCESS(status))
        status = write_user(place, local, sizeof *local);
    ExFreePoolWithTag(local, 0x6D726150);
    return status;
}

static NTSTATUS build_peb(const struct psp_start *start,
                          const struct mm_image_information *image,
                          void *parameters)
{
    PEB peb = {
        .Mutant = (HANDLE)(LONG_PTR)-1,
        .ImageBaseAddress = start->process->SectionBaseAddress,
        .ProcessParameters = parameters,
        .NumberOfProcessors = KeNumberProcessors,
        .OSMajorVersion = 10,
        .OSBuildNumber = 19041,
        .OSPlatformId = 2,              /* VER_PLATFORM_WIN32_NT */
        .ImageSubsystem = image->subsystem,
        .ImageSubsystemMajorVersion = image->subsystem_major,
        .ImageSubsystemMinorVersion = image->subsystem_minor,
        .ActiveProcessAffinityMask = 1,
    };
    void *place = NULL;
    NTSTATUS status = mm_allocate_user(&place, sizeof peb, PAGE_READWRITE);

    start->process->Peb = place;
    return NT_SUCCESS(status) ? write_user(place, &peb, sizeof peb) : status;
}

/* The stack is committed at once: there is no demand paging yet. */
static NTSTATUS build_stack(struct psp_start *start, TEB *teb,
                            const struct mm_image_information *image)
{
    ULONGLONG size = image->stack_reserve;
    void *base = NULL;
    NTSTATUS status;

    if (size < LOWEST_STACK)
        size = LOWEST_STACK;
    if (size > HIGHEST_STACK)
        return STATUS_NO_MEMORY;
    status = mm_allocate_user(&base, size, PAGE_READWRITE);
    start->stack_top = (ULONG_PTR)base + ALIGN_UP(size, PAGE_SIZE);
    teb->DeallocationStack = base;
    teb->NtTib.StackLimit = base;
    teb->NtTib.StackBase = (void *)start->stack_top;
    return status;
}

static NTSTATUS build_teb(struct psp_start *start,
                          const struct mm_image_information *image)
{
    TEB *local = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *local,
                                 0x62655420);
    void *place = NULL;
    NTSTATUS status;

    if (!local)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = mm_allocate_user(&place, sizeof *local, PAGE_READWRITE);
    start->teb = place;
    if (NT_SUCCESS(status))
        status = build_stack(start, local, image);
    local->NtTib.Self = place;
    local->ClientId = local->RealClientId = start->cid;
    local->ProcessEnvironmentBlock = start->process->Peb;
    local->StaticUnicodeString.MaximumLength =
        sizeof local->StaticUnicodeBuffer;
    local->StaticUnicodeString.Buffer = start->teb->StaticUnicodeBuffer;
    if (NT_SUCCESS(status))
        status = write_user(place, local, sizeof *local);
    ExFreePoolWithTag(local, 0x62655420);
    return status;
}

NTSTATUS psp_build_user_space(struct psp_start *start, void *image_section)
{
    const struct mm_image_information *image =
        mm_section_image(image_section);
    const struct psp_ntdll *ntdll;
    void *parameters, *base = NULL;
    NTSTATUS status = psp_load_ntdll(&ntdll);

    if (NT_SUCCESS(status))
        status = mm_map_shared_page();
    if (NT_SUCCESS(status))
        status = mm_map_image(image_section, &base);
    start->process->SectionBaseAddress = base;
    start->entry_point = (ULONG_PTR)base + image->entry_point;
    base = NULL;
    if (NT_SUCCESS(status))
        status = mm_map_image(ntdll->section, &base);
    start->ntdll_base = (ULONG_PTR)base;
    if (NT_SUCCESS(status))
        status = build_parameters(start, &parameters);
    if (NT_SUCCESS(status))
        status = build_peb(start, image, parameters);
    if (NT_SUCCESS(status))
        status = build_teb(start, image);
    return status;
}

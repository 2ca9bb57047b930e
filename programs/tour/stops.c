/*
 * stops.c - chapter 2: which calls are made, and why these.
 *
 * Every way an argument can travel is here once: none, one, the four that fit
 * in registers, the first on the stack, many, the longest; then the second
 * table, and the three ways to ask for something that cannot be had.
 */
#include "tour.h"

#define NO_SUCH_HANDLE 0x1234
#define KERNEL_ADDRESS 0xFFFFF78000000000ULL    /* the shared page's twin */
#define ROOMS 7
#define BOX 32
#define GAP 8

static HANDLE opened_file;

static ULONGLONG value(const void *pointer)
{
    return (ULONGLONG)pointer;
}

static void show_in_registers(void)
{
    static SYSTEM_BASIC_INFORMATION basic;
    static ULONG length;
    const ULONGLONG bad[] = { NO_SUCH_HANDLE };
    const ULONGLONG query[] = { SystemBasicInformation, value(&basic),
                                sizeof basic, value(&length) };

    show_call(&(struct stop){
        .title = "NtGetCurrentProcessorNumber(): no argument",
        .service = "NtGetCurrentProcessorNumber",
        .expect = 0, .note = "processor 0, not a status" });
    show_call(&(struct stop){
        .title = "NtClose(1234h): one argument, and no such handle",
        .service = "NtClose",
        .count = 1, .arguments = bad,
        .expect = (ULONG)STATUS_INVALID_HANDLE });
    show_registers();
    show_call(&(struct stop){
        .title = "NtQuerySystemInformation(basic): four arguments",
        .service = "NtQuerySystemInformation",
        .count = 4, .arguments = query, .expect = STATUS_SUCCESS });
    print("   result  %u pages of %u bytes, %u processors\n",
          basic.NumberOfPhysicalPages, basic.PageSize,
          basic.NumberOfProcessors);
    check(basic.PageSize == PAGE_SIZE && length == sizeof basic,
          "NtQuerySystemInformation filled its buffer");
}

static void show_fifth_argument(void)
{
    static PROCESS_BASIC_INFORMATION basic;
    static ULONG length;
    const ULONGLONG query[] = { value(NtCurrentProcess()),
                                ProcessBasicInformation, value(&basic),
                                sizeof basic, value(&length) };

    show_call(&(struct stop){
        .title = "NtQueryInformationProcess(basic): the fifth on the stack",
        .service = "NtQueryInformationProcess",
        .count = 5, .arguments = query, .expect = STATUS_SUCCESS });
    print("   result  process %llX, PEB %llX\n",
          value(basic.UniqueProcessId), value(basic.PebBaseAddress));
    check(basic.PebBaseAddress == NtCurrentPeb() && length == sizeof basic,
          "the PEB is where the kernel says");
}

static void show_write(void)
{
    static const char text[] = "   (this line was the call's work)\n";
    static IO_STATUS_BLOCK io;
    const ULONGLONG write[] = {
        value(NtCurrentPeb()->ProcessParameters->StandardOutput), 0, 0, 0,
        value(&io), value(text), sizeof text - 1, 0, 0 };

    show_call(&(struct stop){
        .title = "NtWriteFile(console): nine arguments",
        .service = "NtWriteFile",
        .count = 9, .arguments = write, .expect = STATUS_SUCCESS });
    check(io.Information == sizeof text - 1, "the whole line was written");
}

static void show_create(void)
{
    static UNICODE_STRING name;
    static OBJECT_ATTRIBUTES attributes;
    static IO_STATUS_BLOCK io;
    const ULONGLONG create[] = {
        value(&opened_file), FILE_GENERIC_READ, value(&attributes), value(&io),
        0, 0, FILE_SHARE_READ, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, 0, 0 };
    ULONGLONG close[1];

    RtlInitUnicodeString(&name, L"\\SystemRoot\\System32\\ntdll.dll");
    attributes.Length = sizeof attributes;
    attributes.ObjectName = &name;
    attributes.Attributes = OBJ_CASE_INSENSITIVE;
    show_call(&(struct stop){
        .title = "NtCreateFile(ntdll.dll): eleven arguments",
        .service = "NtCreateFile",
        .count = 11, .arguments = create, .expect = STATUS_SUCCESS });
    close[0] = value(opened_file);
    show_call(&(struct stop){
        .title = "NtClose of the handle that NtCreateFile gave",
        .service = "NtClose",
        .count = 1, .arguments = close, .expect = STATUS_SUCCESS });
}

/* One box per room of the walk, in the upper right corner of 1024 pixels. */
static void show_shadow(void)
{
    static const COLORREF colors[ROOMS] = {
        0x00B48246, 0x00AACD66, 0x002FFFAD, 0x0000D7FF, 0x00008CFF,
        0x007280FA, 0x00D670DA };
    HANDLE dc = NtUserGetDC(NULL);
    ULONGLONG blit[11] = { value(dc), 0, GAP, BOX, BOX, 0, 0, 0, PATCOPY,
                           colors[0], 0 };
    LONG x = 1024 - ROOMS * (BOX + GAP), at;

    blit[1] = x;
    show_call(&(struct stop){
        .title = "NtGdiBitBlt(fill a box): the second table",
        .service = "NtGdiBitBlt",
        .count = 11, .arguments = blit, .expect = dc != NULL,
        .note = dc ? "a BOOL: it is on the screen"
                   : "a BOOL: there is no screen" });
    for (at = 1; at < ROOMS; at++)
        NtGdiBitBlt(dc, x + at * (BOX + GAP), GAP, BOX, BOX, NULL, 0, 0,
                    PATCOPY, colors[at], 0);
}

static void show_refusals(void)
{
    const ULONGLONG bad[] = { NO_SUCH_HANDLE };
    const ULONGLONG pointer[] = { KERNEL_ADDRESS };

    show_call(&(struct stop){
        .title = "A number beyond the table",
        .raw = TRUE, .number = 0xFFF, .count = 1, .arguments = bad,
        .expect = (ULONG)STATUS_INVALID_SYSTEM_SERVICE });
    show_call(&(struct stop){
        .title = "NtClose again: what else is in rax does not count",
        .service = "NtClose", .raw = TRUE,
        .number = 0xFEDCBA9876540000ULL | stub_number(find_stub("NtClose")),
        .count = 1, .arguments = bad,
        .expect = (ULONG)STATUS_INVALID_HANDLE });
    show_call(&(struct stop){
        .title = "NtQuerySystemTime(to the kernel's memory)",
        .service = "NtQuerySystemTime",
        .count = 1, .arguments = pointer,
        .expect = (ULONG)STATUS_ACCESS_VIOLATION });
}

void show_stops(void)
{
    print("\n2. Calls\n");
    if (!kernel_open())
        print("   The service tables stay closed: this machine was not "
              "booted with debug=on.\n");
    show_stub_door();
    show_in_registers();
    show_fifth_argument();
    show_write();
    show_create();
    show_shadow();
    show_refusals();
}

/*
 * stops.c - chapter 3: calls through ntdll's stubs, by the door that boot
 * chose for them.
 */
#include "tour32.h"

#define NO_SUCH_HANDLE 0x1234
#define NO_SUCH_NUMBER 0xFFF
#define UNUSED_EAX 0xA0A0A0A0          /* the stub has its own */
#define KERNEL_ADDRESS 0xFFDF0000U              /* XP's own shared page */
#define ROOMS 7
#define BOX 32
#define GAP 8

static struct call call;

static ULONG value(const volatile void *pointer)
{
    return (ULONG)pointer;
}

static void show_title(const char *title)
{
    static ULONG count;

    print("\n 3.%u  %s\n", ++count, title);
}

/* Arguments as the kernel finds them: edx + 8 by SYSENTER, edx by INT 2Eh. */
static void show_arguments(ULONG count, const ULONG *arguments)
{
    ULONG at;

    for (at = 0; at < count; at++) {
        BOOLEAN last = at % 5 == 4 || at + 1 == count;

        print("%s+%02X %-*X%s", at % 5 ? " " : "   stack  ", 8 + at * 4,
              last ? 0 : 9, arguments[at], last ? "\n" : "");
    }
}

/* By the stub; the arguments must be off the stack afterwards. */
static ULONG make(const char *service, ULONG count, const ULONG *arguments)
{
    void *stub = find_stub(service);
    ULONG number = stub_number(stub);

    print("   number eax %04X = table %u (%s), index %03X\n", number,
          number >> 12, number >> 12 ? "win32k" : "nt", number & 0xFFF);
    show_arguments(count, arguments);
    call_target(&call, stub, UNUSED_EAX, count, arguments);
    check_registers(&call, stub_door());
    check(call.out.Esp == call.in.Esp + count * sizeof(ULONG),
          "the stub takes its arguments off the stack");
    return call.out.Eax;
}

static void show_status(ULONG status, NTSTATUS expect, const char *text)
{
    print("   eax    %08X %s\n", status, status_name((NTSTATUS)status));
    check(status == (ULONG)expect, text);
}

/* The 16 bytes of NtClose, an instruction a line. */
static void show_stub(void)
{
    static const struct {
        UCHAR length;
        const char *text;
    } code[] = {
        { 5, "mov  eax, number" }, { 5, "mov  edx, 7FFE0300h" },
        { 2, "call [edx]" }, { 3, "ret  4" } };
    const UCHAR *byte = find_stub("NtClose");
    ULONG at, in;

    show_title("The stub of NtClose");
    for (at = 0; at < ARRAY_SIZE(code); at++) {
        char text[32] = "";

        for (in = 0; in < code[at].length; in++)
            sprintf_s(text + in * 3, sizeof text - in * 3, "%02X ", byte[in]);
        print("   %08X  %-16s %s\n", value(byte), text, code[at].text);
        byte += code[at].length;
    }
}

static void row(const char *name, ULONG in, ULONG out, const char *role)
{
    print("   %-6s  %08X -> %08X  %s\n", name, in, out, role);
}

static void show_registers(void)
{
    const struct registers *in = &call.in, *out = &call.out;

    print("   register before      after\n");
    row("eax", in->Eax, out->Eax, "status out");
    row("ecx", in->Ecx, out->Ecx, "esp in the door");
    row("edx", in->Edx, out->Edx, "where the kernel came back to");
    row("ebx", in->Ebx, out->Ebx, "kept, as esi edi ebp");
    row("esp", in->Esp, out->Esp, "the argument is off the stack");
    row("eflags", in->Eflags, out->Eflags, "kept");
}

static void show_close(void)
{
    static const ULONG bad[] = { NO_SUCH_HANDLE };

    show_title("NtClose(1234h): one argument, and no such handle");
    show_status(make("NtClose", 1, bad), STATUS_INVALID_HANDLE,
                "NtClose finds no handle");
    show_registers();
}

static void show_create(void)
{
    static HANDLE file;
    static UNICODE_STRING name;
    static OBJECT_ATTRIBUTES attributes;
    static IO_STATUS_BLOCK io;
    const ULONG create[] = {
        value(&file), FILE_GENERIC_READ, value(&attributes), value(&io), 0, 0,
        FILE_SHARE_READ, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, 0, 0 };
    ULONG close[1];

    RtlInitUnicodeString(&name, L"\\SystemRoot\\System32\\ntdll.dll");
    attributes.Length = sizeof attributes;
    attributes.ObjectName = &name;
    attributes.Attributes = OBJ_CASE_INSENSITIVE;
    show_title("NtCreateFile(ntdll.dll): eleven arguments");
    show_status(make("NtCreateFile", ARRAY_SIZE(create), create),
                STATUS_SUCCESS, "NtCreateFile opens ntdll.dll");
    close[0] = value(file);
    show_title("NtClose of the handle that NtCreateFile gave");
    show_status(make("NtClose", 1, close), STATUS_SUCCESS,
                "NtClose closes the handle");
}

/* One box per room of the walk, in the upper right corner of 1024 pixels. */
static void show_win32k(void)
{
    static const COLORREF colors[ROOMS] = {
        0x00B48246, 0x00AACD66, 0x002FFFAD, 0x0000D7FF, 0x00008CFF,
        0x007280FA, 0x00D670DA };
    HANDLE dc = NtUserGetDC(NULL);
    LONG x = 1024 - ROOMS * (BOX + GAP), at;
    const ULONG blit[] = { value(dc), x, GAP, BOX, BOX, 0, 0, 0, PATCOPY,
                           colors[0], 0 };
    ULONG done;

    show_title("NtGdiBitBlt(fill a box): the second table");
    done = make("NtGdiBitBlt", ARRAY_SIZE(blit), blit);
    print("   eax    %08X a BOOL: %s\n", done,
          dc ? "it is on the screen" : "there is no screen");
    check(done == (dc != NULL), "NtGdiBitBlt fills a box");
    for (at = 1; at < ROOMS; at++)
        NtGdiBitBlt(dc, x + at * (BOX + GAP), GAP, BOX, BOX, NULL, 0, 0,
                    PATCOPY, colors[at], 0);
}

static void show_refusals(void)
{
    static const ULONG bad[] = { NO_SUCH_HANDLE };
    static const ULONG pointer[] = { KERNEL_ADDRESS };

    show_title("A number beyond the table");
    print("   number eax %04X\n", NO_SUCH_NUMBER);
    door = stub_door();
    call_target(&call, by_door, NO_SUCH_NUMBER, 1, bad);
    check_registers(&call, door);
    show_status(call.out.Eax, STATUS_INVALID_SYSTEM_SERVICE,
                "a number beyond the table is refused");
    show_title("NtQuerySystemTime(to the kernel's memory)");
    show_status(make("NtQuerySystemTime", 1, pointer),
                STATUS_ACCESS_VIOLATION, "the kernel's memory is refused");
}

void show_stops(void)
{
    print("\n3. Calls, by %s\n", door_name(stub_door()));
    show_stub();
    show_close();
    show_create();
    show_win32k();
    show_refusals();
}

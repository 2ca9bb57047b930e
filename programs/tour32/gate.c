/*
 * gate.c - chapter 5: this thread becomes 64-bit code for one call.
 *
 * A 64-bit call has Windows 10's numbers and registers, also in this process.
 * With boot option --numbering the numbers are somebody else's; then the call
 * is one that has no service under any numbering.
 */
#include "tour32.h"

#include <services.h>

#define NO_SUCH_HANDLE 0x1234
#define NO_SUCH_NUMBER 0xFFF
#define CODE64 0x2B
#define WIDE 0xFEDCBA9876543210ULL

/* gate.asm has the same. */
struct gate {
    ULONGLONG number, argument;
    ULONGLONG wide, wide_after;
    ULONGLONG cs, teb, rsp, status, rcx, behind;
};

void gate_call(struct gate *gate);
extern const UCHAR gate_jump[];

static BOOLEAN renumbered(void)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name,
                                     .Attributes = OBJ_CASE_INSENSITIVE };
    IO_STATUS_BLOCK io;
    HANDLE file;

    RtlInitUnicodeString(&name, L"\\SystemRoot\\System32\\numbering.txt");
    if (!NT_SUCCESS(NtOpenFile(&file, FILE_GENERIC_READ, &attributes, &io,
                               FILE_SHARE_READ,
                               FILE_SYNCHRONOUS_IO_NONALERT)))
        return FALSE;
    NtClose(file);
    return TRUE;
}

static void check_gate(const struct gate *gate, NTSTATUS expect)
{
    check(gate->cs == CODE64, "the far jump leads to 64-bit code");
    check(gate->rsp < (ULONG)gate && gate->rsp > (ULONG)gate - PAGE_SIZE,
          "the stack is the same");
    check(gate->status == (ULONG)expect, "SYSCALL reaches the service");
    check(gate->rcx == gate->behind, "rcx points behind SYSCALL");
    check(gate->wide_after == gate->wide, "r15 keeps all of its 64 bits");
}

void show_gate(void)
{
    BOOLEAN own = !renumbered();
    struct gate gate = { .number = own ? SERVICE_NtClose : NO_SUCH_NUMBER,
                         .argument = NO_SUCH_HANDLE, .wide = WIDE };
    USHORT cs;

    gate_call(&gate);
    __asm__ volatile("movw %%cs, %0" : "=r"(cs));
    print("\n5. Heaven's gate: one SYSCALL from the same process\n");
    print("   %08X  ", (ULONG)gate_jump);
    show_bytes(gate_jump, 7);
    print("             jmp 2B:...: cs %04llX is 64-bit code\n", gate.cs);
    print("   gs:[30h]  %016llX  the other TEB, Windows 10's\n", gate.teb);
    print("   rsp       %016llX  the same stack\n", gate.rsp);
    print("   r15       %016llX  before and after\n", gate.wide_after);
    print("   syscall   eax %04llX, r10 %04llX -> rax %08llX %s\n",
          gate.number, gate.argument, gate.status,
          status_name((NTSTATUS)gate.status));
    print("   jmp far   cs %04X: 32-bit code again\n", cs);
    check_gate(&gate, own ? STATUS_INVALID_HANDLE
                          : STATUS_INVALID_SYSTEM_SERVICE);
}

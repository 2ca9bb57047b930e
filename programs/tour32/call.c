/*
 * call.c - what the chapters need to make calls and judge them.
 */
#include "tour32.h"

#define NUMBER_OFFSET 1                         /* behind "mov eax," */
#define FAST_BYTES 4                            /* mov edx, esp; sysenter */
#define INT_BYTES 6                             /* lea edx, ...; int 2Eh */
#define RETURN_ADDRESSES 8

void call_target(struct call *call, const void *target, ULONG number,
                 ULONG count, const ULONG *arguments)
{
    call_prepare(call, target);
    call->in.Eax = number;
    memcpy(call->stack, arguments, count * sizeof *arguments);
    call_with_registers(call);
}

void check_registers(const struct call *call, const void *entered)
{
    const struct registers *in = &call->in, *out = &call->out;
    ULONG back = (ULONG)entered +
                 (entered == find_stub("KiFastSystemCall") ? FAST_BYTES
                                                           : INT_BYTES);

    check(in->Ebx == out->Ebx && in->Ebp == out->Ebp && in->Esi == out->Esi &&
          in->Edi == out->Edi, "non-volatile registers are kept");
    check(in->Eflags == out->Eflags, "eflags are kept");
    check(out->Edx == back, "edx is where the kernel came back to");
    check(out->Ecx == in->Esp - RETURN_ADDRESSES,
          "ecx is esp with two return addresses on the stack");
}

ULONG stub_number(const void *stub)
{
    ULONG number;

    memcpy(&number, (const UCHAR *)stub + NUMBER_OFFSET, sizeof number);
    return number;
}

void *stub_door(void)
{
    const volatile KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;

    return (void *)shared->SystemCall;
}

const char *door_name(const void *routine)
{
    if (routine == find_stub("KiFastSystemCall"))
        return "KiFastSystemCall";
    return routine == find_stub("KiIntSystemCall") ? "KiIntSystemCall" : "?";
}

void cpu_vendor(char vendor[13])
{
    ULONG a = 0, b, c, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    memcpy(vendor, &b, 4);
    memcpy(vendor + 4, &d, 4);
    memcpy(vendor + 8, &c, 4);
    vendor[12] = 0;
}

void show_bytes(const void *from, ULONG count)
{
    const UCHAR *byte = from;

    while (count--)
        print("%02X%s", *byte++, count ? " " : "\n");
}

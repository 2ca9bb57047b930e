/*
 * call.c - what the chapters need to make calls and judge them.
 */
#include "tour32.h"

#define NUMBER_OFFSET 1                         /* behind "mov eax," */
#define FAST_BYTES 4                            /* mov edx, esp; sysenter */
#define INT_BYTES 6                             /* lea edx, ...; int 2Eh */
#define RETURN_ADDRESSES 8

#define EFLAGS_IF       0x200
#define EFLAGS_ARITHMETIC 0x8D5                 /* of sf zf af pf cf */
#define CPUID1_EDX_SEP  (1U << 11)

void call_prepare(struct call32 *call, void *target, ULONG count,
                  const ULONG *arguments)
{
    ULONG *general = &call->in.Eax;
    ULONG at;

    memset(call, 0, sizeof *call);
    call->target = target;
    for (at = 0; at < 8; at++)
        general[at] = (0xA0 + at) * 0x01010101U;
    call->in.Eflags = EFLAGS_IF | EFLAGS_ARITHMETIC | 2;
    for (at = 0; at < CALL_SLOTS; at++)
        call->stack[at] = at < count ? arguments[at]
                                     : (0xC0 + at) * 0x01010101U;
}

void check_registers(const struct call32 *call, const void *entered)
{
    const struct registers32 *in = &call->in, *out = &call->out;
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

BOOLEAN has_sysenter(char vendor[13])
{
    ULONG a = 0, b, c, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    memcpy(vendor, &b, 4);
    memcpy(vendor + 4, &d, 4);
    memcpy(vendor + 8, &c, 4);
    vendor[12] = 0;
    a = 1;
    __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    return !strcmp(vendor, "GenuineIntel") && (d & CPUID1_EDX_SEP);
}

void show_bytes(const void *from, ULONG count)
{
    const UCHAR *byte = from;

    while (count--)
        print("%02X%s", *byte++, count ? " " : "\n");
}

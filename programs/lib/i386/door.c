/*
 * lib/i386/door.c - XP's doors, and which of them this processor has.
 */
#include "call.h"

#define CPUID1_EDX_SEP (1U << 11)

const struct door doors[] = {
    { "int2e", call_raw_int2e, call_raw_int2e_behind, 0, NtwCallInt2e },
    { "sysenter", call_raw_sysenter, call_raw_sysenter_behind,
      offsetof(struct door_stack, arguments), NtwCallSysenter },
};

static void cpuid(ULONG leaf, ULONG registers[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(registers[0]), "=b"(registers[1]),
                       "=c"(registers[2]), "=d"(registers[3])
                     : "a"(leaf), "c"(0));
}

/* AMD's processors report SEP as well, but have it only outside long mode. */
static BOOLEAN has_sysenter(void)
{
    ULONG vendor[4], features[4];

    cpuid(0, vendor);
    cpuid(1, features);
    return !memcmp(&vendor[1], "Genu", 4) && !memcmp(&vendor[3], "ineI", 4) &&
           !memcmp(&vendor[2], "ntel", 4) && (features[3] & CPUID1_EDX_SEP);
}

const struct door *doors_end(void)
{
    return doors + ARRAY_SIZE(doors) - !has_sysenter();
}

const struct door *door_named(const char *name)
{
    const struct door *door;

    for (door = doors; door < doors + ARRAY_SIZE(doors); door++)
        if (!strcmp(door->name, name))
            return door;
    return NULL;
}

/*
 * cpuname.c - what the processor calls itself.
 *
 * SDM: volume 2A, CPUID. AMD's processors say it in the same way.
 */
#include "tour.h"

#define LAST_EXTENDED 0x80000000
#define NAME_FIRST 0x80000002                   /* 16 bytes of it */
#define NAME_LAST 0x80000004

static void cpuid(ULONG leaf, ULONG registers[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(registers[0]), "=b"(registers[1]),
                       "=c"(registers[2]), "=d"(registers[3])
                     : "a"(leaf), "c"(0));
}

/* Without the blanks around it; without a name it is the maker's. */
void cpu_name(char name[CPU_NAME])
{
    char raw[CPU_NAME] = { 0 };
    ULONG registers[4], leaf, first = 0, end;

    cpuid(LAST_EXTENDED, registers);
    if (registers[0] < NAME_LAST) {
        cpu_vendor(name);
        return;
    }
    for (leaf = NAME_FIRST; leaf <= NAME_LAST; leaf++) {
        cpuid(leaf, registers);
        memcpy(raw + (leaf - NAME_FIRST) * sizeof registers, registers,
               sizeof registers);
    }
    while (raw[first] == ' ')
        first++;
    end = first + (ULONG)strlen(raw + first);
    while (end > first && raw[end - 1] == ' ')
        end--;
    memcpy(name, raw + first, end - first);
    name[end - first] = 0;
}

void cpu_model(struct cpu_model *model)
{
    ULONG registers[4], signature;

    cpuid(1, registers);
    signature = registers[0];
    model->family = signature >> 8 & 0xF;
    model->model = signature >> 4 & 0xF;
    model->stepping = signature & 0xF;
    if (model->family == 0x6 || model->family == 0xF)
        model->model += (signature >> 16 & 0xF) << 4;
    if (model->family == 0xF)
        model->family += signature >> 20 & 0xFF;
}

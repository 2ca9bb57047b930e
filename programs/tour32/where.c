/*
 * where.c - chapter 1: the machine as 32-bit code finds it.
 */
#include "tour32.h"

#define SELECTOR(name) ({                                               \
        USHORT value_;                                                  \
        __asm__ volatile("movw %%" name ", %0" : "=r"(value_));         \
        value_;                                                         \
    })

#define CODE32 0x1B                             /* XP's KGDT_R3_CODE */
#define DATA32 0x23
#define TEB32 0x3B
#define EFLAGS_IF (1 << 9)
#define EFLAGS_IOPL (3 << 12)

static void show_selectors(void)
{
    USHORT cs = SELECTOR("cs"), ss = SELECTOR("ss"), fs = SELECTOR("fs");

    print("   selectors    cs %04X  ss %04X  ds %04X  es %04X  fs %04X\n", cs,
          ss, SELECTOR("ds"), SELECTOR("es"), fs);
    print("                XP's: cs = GDT entry %u, ring %u, 32-bit code\n",
          cs >> 3, cs & 3);
    check(cs == CODE32 && ss == DATA32 && SELECTOR("ds") == DATA32 &&
          SELECTOR("es") == DATA32 && fs == TEB32, "the selectors are XP's");
}

static void show_eflags(void)
{
    ULONG flags;

    __asm__ volatile("pushfl\n\tpopl %0" : "=r"(flags));
    print("   eflags       %08X  interrupts on: %u, I/O privilege: %u\n",
          flags, !!(flags & EFLAGS_IF), (flags & EFLAGS_IOPL) >> 12);
    check((flags & EFLAGS_IF) && !(flags & EFLAGS_IOPL),
          "interrupts are on, I/O privilege is 0");
}

void show_where(void)
{
    const TEB *teb = NtCurrentTeb();
    const PEB *peb = teb->ProcessEnvironmentBlock;

    print("1. Where am I\n");
    show_selectors();
    show_eflags();
    print("   TEB          %08X  fs:[18h], thread %X of process %X\n",
          (ULONG)teb, (ULONG)teb->ClientId.UniqueThread,
          (ULONG)teb->ClientId.UniqueProcess);
    print("   stack        %08X  down to %X\n", (ULONG)teb->NtTib.StackBase,
          (ULONG)teb->NtTib.StackLimit);
    print("   PEB          %08X  fs:[30h], image at %X, loader data at %X\n",
          (ULONG)peb, (ULONG)peb->ImageBaseAddress, (ULONG)peb->Ldr);
    print("                NT %u.%u.%u, Service Pack %u\n",
          peb->OSMajorVersion, peb->OSMinorVersion, peb->OSBuildNumber,
          peb->OSCSDVersion >> 8);
    check((void *)&teb < teb->NtTib.StackBase &&
          (void *)&teb >= teb->NtTib.StackLimit, "esp is in the TEB's stack");
    check(teb->NtTib.Self == (void *)teb && peb->OSMajorVersion == 5 &&
          peb->OSMinorVersion == 1, "the TEB and the PEB are XP's");
}

/*
 * where.c - chapter 1: the machine as ring 3 finds it.
 */
#include "tour.h"

#define SELECTOR(name) ({                                               \
        USHORT value_;                                                  \
        __asm__ volatile("movw %%" name ", %0" : "=r"(value_));         \
        value_;                                                         \
    })

#define RING(selector) ((selector) & 3)
#define RFLAGS_IF (1 << 9)
#define RFLAGS_IOPL (3 << 12)

static void show_selectors(void)
{
    USHORT cs = SELECTOR("cs"), ss = SELECTOR("ss");

    print("   selectors    cs %04X  ss %04X  ds %04X  es %04X  fs %04X  "
          "gs %04X\n", cs, ss, SELECTOR("ds"), SELECTOR("es"),
          SELECTOR("fs"), SELECTOR("gs"));
    print("                cs = GDT entry %u, ring %u\n", cs >> 3, RING(cs));
    check(RING(cs) == 3 && RING(ss) == 3, "cs and ss are of ring 3");
}

static void show_rflags(void)
{
    ULONGLONG flags;

    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    print("   rflags       %08llX  interrupts on: %u, I/O privilege: %u\n",
          flags, !!(flags & RFLAGS_IF), (ULONG)(flags & RFLAGS_IOPL) >> 12);
    check((flags & RFLAGS_IF) && !(flags & RFLAGS_IOPL),
          "interrupts are on, I/O privilege is 0");
}

static void show_blocks(void)
{
    const TEB *teb = NtCurrentTeb();
    const PEB *peb = teb->ProcessEnvironmentBlock;

    print("   TEB          %016llX  gs:[30h], thread %llX of process %llX\n",
          (ULONGLONG)teb, (ULONGLONG)teb->ClientId.UniqueThread,
          (ULONGLONG)teb->ClientId.UniqueProcess);
    print("   stack        %016llX  down to %llX\n",
          (ULONGLONG)teb->NtTib.StackBase, (ULONGLONG)teb->NtTib.StackLimit);
    print("   PEB          %016llX  image at %llX, loader data at %llX\n",
          (ULONGLONG)peb, (ULONGLONG)peb->ImageBaseAddress,
          (ULONGLONG)peb->Ldr);
    check((void *)&teb < teb->NtTib.StackBase &&
          (void *)&teb >= teb->NtTib.StackLimit, "rsp is in the TEB's stack");
}

static void show_shared(void)
{
    const volatile KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;
    const PEB *peb = NtCurrentPeb();

    print("   shared page  %016llX  NT %u.%u.%u, tick %llu, SystemCall %u\n",
          USER_SHARED_DATA, shared->NtMajorVersion, shared->NtMinorVersion,
          shared->NtBuildNumber & 0xFFFF, shared->TickCountQuad,
          shared->SystemCall);
    check(shared->NtMajorVersion == peb->OSMajorVersion &&
          shared->NtMinorVersion == peb->OSMinorVersion,
          "the shared page and the PEB tell one version");
}

void show_where(void)
{
    print("1. Where am I\n");
    show_selectors();
    show_rflags();
    show_blocks();
    show_shared();
}

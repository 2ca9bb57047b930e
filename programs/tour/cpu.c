/*
 * cpu.c - what the processor loads at each door, read from the machine.
 *
 * The MSRs come from NtSystemDebugControl, the gate and the TSS from kernel
 * memory: KiProcessorBlock leads to the KPRCB, that to the KPCR around it, and
 * there lie IdtBase and TssBase, as in Windows (dt nt!_KPCR).
 */
#include "tour.h"

#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_STAR 0xC0000081
#define MSR_LSTAR 0xC0000082
#define MSR_FMASK 0xC0000084

#define KPCR_TSS_BASE 0x008
#define KPCR_IDT_BASE 0x038
#define KPCR_PRCB 0x180
#define TSS_RSP0 0x04

#define VECTOR 0x2E
#define GATE_SIZE 16
#define INTERRUPT_GATE 0xE

void cpu_vendor(char vendor[13])
{
    ULONG a = 0, b, c, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    memcpy(vendor, &b, 4);
    memcpy(vendor + 4, &d, 4);
    memcpy(vendor + 8, &c, 4);
    vendor[12] = 0;
}

static BOOLEAN read_gate(ULONGLONG pcr, struct cpu *cpu)
{
    ULONGLONG idt;

    if (!kernel_read(pcr + KPCR_IDT_BASE, &idt, sizeof idt) ||
        !kernel_read(idt + VECTOR * GATE_SIZE, cpu->gate, GATE_SIZE))
        return FALSE;
    cpu->gate_offset = (cpu->gate[0] & 0xFFFF) |
                       (cpu->gate[0] >> 32 & 0xFFFF0000) |
                       cpu->gate[1] << 32;
    cpu->gate_cs = cpu->gate[0] >> 16 & 0xFFFF;
    cpu->gate_ist = cpu->gate[0] >> 32 & 7;
    cpu->gate_type = cpu->gate[0] >> 40 & 0x1F;
    cpu->gate_dpl = cpu->gate[0] >> 45 & 3;
    cpu->gate_present = cpu->gate[0] >> 47 & 1;
    return TRUE;
}

BOOLEAN cpu_read(struct cpu *cpu)
{
    ULONGLONG prcb, pcr;

    if (!kernel_read(kernel_address("KiProcessorBlock"), &prcb, sizeof prcb))
        return FALSE;
    pcr = prcb - KPCR_PRCB;
    return kernel_read(pcr + KPCR_TSS_BASE, &cpu->tss, sizeof cpu->tss) &&
           kernel_read(cpu->tss + TSS_RSP0, &cpu->rsp0, sizeof cpu->rsp0) &&
           read_gate(pcr, cpu) &&
           kernel_msr(MSR_STAR, &cpu->star) &&
           kernel_msr(MSR_LSTAR, &cpu->lstar) &&
           kernel_msr(MSR_FMASK, &cpu->fmask) &&
           kernel_msr(MSR_SYSENTER_CS, &cpu->sysenter_cs) &&
           kernel_msr(MSR_SYSENTER_ESP, &cpu->sysenter_esp) &&
           kernel_msr(MSR_SYSENTER_EIP, &cpu->sysenter_eip);
}

static const char *name_of(ULONGLONG address)
{
    static char name[64];

    return kernel_name(address, name) ? name : "?";
}

static void show_msr(ULONG number, const char *name, ULONGLONG value)
{
    print("   MSR %08X %-12s  %016llX  ", number, name, value);
}

static void show_flags(ULONGLONG mask)
{
    static const struct {
        ULONG bit;
        const char *name;
    } flags[] = { { 1 << 8, "TF" }, { 1 << 9, "IF" }, { 1 << 10, "DF" },
                  { 1 << 14, "NT" }, { 1 << 18, "AC" } };
    ULONG at;

    print("clears");
    for (at = 0; at < ARRAY_SIZE(flags); at++)
        if (mask & flags[at].bit)
            print(" %s", flags[at].name);
    print("\n");
}

static void show_sysenter(const struct cpu *cpu)
{
    show_msr(MSR_SYSENTER_CS, "SYSENTER_CS", cpu->sysenter_cs);
    if (!cpu->sysenter_cs) {
        print("closed\n");
        return;
    }
    print("cs %04llX, ss %04llX\n", cpu->sysenter_cs, cpu->sysenter_cs + 8);
    show_msr(MSR_SYSENTER_ESP, "SYSENTER_ESP", cpu->sysenter_esp);
    print("TSS + %llX: where Rsp0 lies\n", cpu->sysenter_esp - cpu->tss);
    show_msr(MSR_SYSENTER_EIP, "SYSENTER_EIP", cpu->sysenter_eip);
    print("%s\n", name_of(cpu->sysenter_eip));
    check(cpu->sysenter_esp == cpu->tss + TSS_RSP0,
          "SYSENTER_ESP is the place of Rsp0");
    check(kernel_is_door(name_of(cpu->sysenter_eip), "KiFastCallEntry"),
          "SYSENTER_EIP is KiFastCallEntry");
}

void cpu_show(const struct cpu *cpu)
{
    show_msr(MSR_STAR, "STAR", cpu->star);
    print("cs %04llX, ss %04llX; back %llX, %llX\n", STAR_CS(cpu->star),
          STAR_CS(cpu->star) + 8, STAR_BACK(cpu->star) + 16,
          STAR_BACK(cpu->star) + 8);
    show_msr(MSR_LSTAR, "LSTAR", cpu->lstar);
    print("%s\n", name_of(cpu->lstar));
    check(kernel_is_door(name_of(cpu->lstar), "KiSystemCall64"),
          "LSTAR is KiSystemCall64");
    show_msr(MSR_FMASK, "FMASK", cpu->fmask);
    show_flags(cpu->fmask);
    show_sysenter(cpu);
    print("   IDT gate %02X: %016llX %016llX\n", VECTOR, cpu->gate[0],
          cpu->gate[1]);
    print("       offset %llX %s\n", cpu->gate_offset,
          name_of(cpu->gate_offset));
    print("       selector %04X, IST %u, type %X, DPL %u, present %u\n",
          cpu->gate_cs, cpu->gate_ist, cpu->gate_type, cpu->gate_dpl,
          cpu->gate_present);
    print("   TSS %016llX: Rsp0 %016llX  %s\n", cpu->tss, cpu->rsp0,
          kernel_entry_stack());
    check(kernel_is_door(name_of(cpu->gate_offset), "KiSystemService") &&
          cpu->gate_dpl == 3 && cpu->gate_present &&
          cpu->gate_type == INTERRUPT_GATE && cpu->gate_ist == 0,
          "gate 2E is ring 3's way to KiSystemService");
}

/*
 * arch/speculation.h - what a processor gives away when it speculates, and
 * what is done about it.
 *
 * struct ki_speculation_facts is all that a decision may rest on: CPUID and
 * IA32_ARCH_CAPABILITIES.  ki_decide_speculation is a function of nothing else
 * (tests/unit/mitigation.c gives it real processors' values).  Once per boot
 * cpu/speculation.c reads the facts, does what is decided, and fills the
 * KPRCB's Bpb fields, which the shadow doors and the context switch read.
 */
#pragma once

#include <nt/ntdef.h>

enum ki_vendor { OTHER_VENDOR, INTEL, AMD, HYGON };

struct ki_speculation_facts {
    enum ki_vendor vendor;
    ULONG family, model, stepping;
    BOOLEAN hypervisor;                 /* CPUID 1: ecx bit 31 */
    ULONG leaf7_ebx, leaf7_edx;         /* CPUID 7.0 */
    ULONG leaf7_2_edx;                  /* CPUID 7.2 */
    ULONG amd8_ebx;                     /* CPUID 80000008 */
    ULONG amd21_eax;                    /* CPUID 80000021 */
    ULONGLONG capabilities;             /* IA32_ARCH_CAPABILITIES; 0: none */
};

/* The option spec=. */
enum ki_speculation_wish {
    SPECULATION_AUTO,   /* what the processor needs, as Windows' defaults */
    SPECULATION_ON,     /* whatever it can execute, needed or not */
    SPECULATION_OFF,
};

enum ki_flaw {
    FLAW_MELTDOWN,      /* ring 3 reads what ring 0 has mapped */
    FLAW_L1TF,          /* and frames that absent entries name */
    FLAW_BRANCHES,      /* Spectre 2: targets that ring 3 has trained */
    FLAW_HISTORY,       /* BHI: targets picked by ring 3's branch history */
    FLAW_RETURNS,       /* the return stack: ring 3's, or another thread's */
    FLAW_RETURN_TYPES,  /* RETBleed, SRSO: returns predicted like branches */
    FLAW_STORES,        /* Spectre 4: loads that pass older stores */
    FLAW_BUFFERS,       /* MDS: fill buffers, store buffers, load ports */
    FLAW_ABORTS,        /* TAA: the same, by transactions that abort */
    FLAW_DEVICES,       /* MMIO stale data */
    FLAW_REGISTERS,     /* RFDS: the register file */
    FLAWS,
};

/* How each flaw stands. */
enum ki_verdict {
    NOT_AFFECTED,
    MITIGATED,
    OPEN,               /* affected, and nothing is done */
};

struct ki_speculation {
    UCHAR verdicts[FLAWS];      /* enum ki_verdict */
    BOOLEAN kva_shadow;         /* Meltdown: needs it */
    /* IA32_SPEC_CTRL: written at all; as a whole, once; and its low byte in
     * ring 0 and ring 3, which differ only where the doors must change it. */
    BOOLEAN has_spec_ctrl;
    ULONG spec_ctrl;
    UCHAR kernel_spec_ctrl, user_spec_ctrl;
    BOOLEAN automatic_ibrs;     /* EFER */
    BOOLEAN ibpb_on_trap, ibpb_on_switch;
    BOOLEAN fill_on_trap, fill_on_switch;       /* of the return stack */
    BOOLEAN verw;               /* on each way to ring 3 */
    BOOLEAN serialize_lfence;   /* AMD: an MSR makes it so */
};

/* smep: CR4.SMEP is on. */
void ki_decide_speculation(const struct ki_speculation_facts *facts,
                           enum ki_speculation_wish wish, BOOLEAN smep,
                           struct ki_speculation *decided);

/* What is done about a flaw, in words for the boot log. */
const char *ki_speculation_words(const struct ki_speculation *decided,
                                 enum ki_flaw flaw);

struct _KPRCB;

/*
 * Reads and decides, once; does, each processor.  After the options are read
 * and CR4 is set, before the system call's MSRs are.
 */
void ki_choose_speculation(void);
void ki_start_speculation(struct _KPRCB *prcb);
void ki_show_speculation(void);

/*
 * Another thread's turn; where KPRCB.BpbFeatures has BPB_ENABLED.  Interrupts
 * off.  security_domain: the new process's (EPROCESS), 0 for the system's.
 */
void ki_switch_predictors(struct _KPRCB *prcb, ULONGLONG security_domain);

/* 32 returns lead nowhere (thread/swap.asm).  Keeps all registers. */
void ki_fill_return_stack(void);

/* Whether this processor's ring 3 can read what ring 0 has mapped (Meltdown).
 * The option spec= changes nothing of it. */
BOOLEAN ki_needs_kva_shadow(void);

/*
 * Whether each way in or out has work at the predictors or buffers: then the
 * shadow doors are used even without page tables of ring 3's own.
 */
BOOLEAN ki_needs_predictor_doors(void);

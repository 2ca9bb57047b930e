/*
 * x86/registers.h - bits and numbers of the processor that do not depend on
 * its mode (SDM: 3A, 2.5 and 4, appendix of MSRs).
 */
#pragma once

#define CR0_PE (1ULL << 0)
#define CR0_MP (1ULL << 1)
#define CR0_EM (1ULL << 2)
#define CR0_TS (1ULL << 3)
#define CR0_NE (1ULL << 5)
#define CR0_WP (1ULL << 16)
#define CR0_AM (1ULL << 18)
#define CR0_NW (1ULL << 29)
#define CR0_CD (1ULL << 30)
#define CR0_PG (1ULL << 31)

#define CR4_DE (1ULL << 3)
#define CR4_PAE (1ULL << 5)
#define CR4_PGE (1ULL << 7)
#define CR4_OSFXSR (1ULL << 9)
#define CR4_OSXMMEXCPT (1ULL << 10)
#define CR4_UMIP (1ULL << 11)
#define CR4_MCE (1ULL << 6)
#define CR4_OSXSAVE (1ULL << 18)
#define CR4_PCIDE (1ULL << 17)
#define CR4_SMEP (1ULL << 20)
#define CR4_SMAP (1ULL << 21)

/*
 * CR3 with CR4.PCIDE (SDM: 3A, 4.10.4): the identifier of translations, and
 * whether those that have it are kept.  The two identifiers are Windows'.
 */
#define CR3_PCID_USER 1ULL
#define CR3_PCID_KERNEL 2ULL
#define CR3_NO_FLUSH (1ULL << 63)

/* DR6 (SDM: 3B, 19.2.3): what happened; all its other bits are fixed. */
#define DR6_BREAKPOINTS 0x000FULL
#define DR6_STEP (1ULL << 14)
#define DR6_STATUS 0xE00FULL

/* DR7 (19.2.4): fixed; what switches a breakpoint on; what ring 3 may set. */
#define DR7_FIXED 0x400ULL
#define DR7_ACTIVE 0x355ULL
#define DR7_LEGAL 0xFFFF0355ULL

#define EFER_SCE (1ULL << 0)
#define EFER_LME (1ULL << 8)
#define EFER_LMA (1ULL << 10)
#define EFER_NXE (1ULL << 11)
#define EFER_AUTOMATIC_IBRS (1ULL << 21)        /* AMD */

#define EFLAGS_CF (1U << 0)
#define EFLAGS_TF (1U << 8)
#define EFLAGS_IF (1U << 9)
#define EFLAGS_DF (1U << 10)
#define EFLAGS_IOPL (3U << 12)
#define EFLAGS_NT (1U << 14)
#define EFLAGS_RF (1U << 16)
#define EFLAGS_AC (1U << 18)

/* What a context may set: CF PF AF ZF SF TF DF OF RF ID, as in Windows. */
#define EFLAGS_USER_MASK 0x00210DD5U

/* IA32_SPEC_CTRL, and the only command of IA32_PRED_CMD. */
#define SPEC_CTRL_IBRS (1U << 0)
#define SPEC_CTRL_SSBD (1U << 2)
#define SPEC_CTRL_BHI_DIS_S (1U << 10)
#define PRED_CMD_IBPB 1

#define MSR_APIC_BASE 0x1B
#define MSR_SPEC_CTRL 0x48
#define MSR_PRED_CMD 0x49
#define MSR_ARCH_CAPABILITIES 0x10A
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_MCG_CAP 0x179
#define MSR_MCG_STATUS 0x17A
#define MSR_MCG_CTL 0x17B
#define MSR_MTRR_CAP 0xFE
#define MSR_MTRR_VARIABLE 0x200         /* base, mask, base, ... */
#define MSR_MTRR_DEF_TYPE 0x2FF
#define MSR_PAT 0x277
#define PAT_WC 1ULL
#define PAT_UC 0ULL
#define PAT_WB 6ULL
#define PAT_UC_MINUS 7ULL
#define MSR_MC_CTL(bank) (0x400 + 4 * (bank))
#define MSR_MC_STATUS(bank) (0x401 + 4 * (bank))
#define MSR_MC_ADDR(bank) (0x402 + 4 * (bank))
#define MSR_MC_MISC(bank) (0x403 + 4 * (bank))
#define MSR_TSC_DEADLINE 0x6E0
#define MSR_EFER 0xC0000080
#define MSR_STAR 0xC0000081
#define MSR_LSTAR 0xC0000082
#define MSR_CSTAR 0xC0000083
#define MSR_FMASK 0xC0000084
#define MSR_FS_BASE 0xC0000100
#define MSR_GS_BASE 0xC0000101
#define MSR_GS_SWAP 0xC0000102
#define MSR_AMD_DE_CFG 0xC0011029
#define DE_CFG_LFENCE_SERIALIZES (1ULL << 1)

/* Machine checks (SDM: 3B, 16.3). */
#define MCG_CAP_COUNT 0xFFULL
#define MCG_CAP_CTL_P (1ULL << 8)
#define MCG_CAP_SER_P (1ULL << 24)
#define MCG_STATUS_RIPV (1ULL << 0)
#define MCG_STATUS_EIPV (1ULL << 1)
#define MCG_STATUS_MCIP (1ULL << 2)
#define MC_STATUS_AR (1ULL << 55)
#define MC_STATUS_S (1ULL << 56)
#define MC_STATUS_PCC (1ULL << 57)
#define MC_STATUS_ADDRV (1ULL << 58)
#define MC_STATUS_MISCV (1ULL << 59)
#define MC_STATUS_EN (1ULL << 60)
#define MC_STATUS_UC (1ULL << 61)
#define MC_STATUS_OVER (1ULL << 62)
#define MC_STATUS_VAL (1ULL << 63)

#define PAGE_FAULT_PRESENT 0x01
#define PAGE_FAULT_WRITE 0x02
#define PAGE_FAULT_USER 0x04
#define PAGE_FAULT_EXECUTE 0x10

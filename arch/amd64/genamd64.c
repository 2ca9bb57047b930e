/*
 * genamd64.c - tells assembly what C knows: offsets and constants.
 *
 * Compiled with -S only.  Each line marked with an arrow becomes an equate of
 * build/gen/ksamd64.inc, so that assembly says [rbp + KTRAP_FRAME.Rip - 80h]
 * and no number of a layout is ever typed there.
 */
#include <arch/startup.h>
#include <arch/thread.h>
#include <etw.h>
#include <mm.h>
#include <nt/context.h>
#include <nt/wow64.h>
#include <ps.h>
#include <x86/registers.h>

#define VALUE(name, value) \
    __asm__ volatile("\n->" name " %0" : : "i"((ULONGLONG)(value)))
#define OFFSET(type, field) VALUE(#type "." #field, offsetof(type, field))
#define SIZE(type) VALUE(#type "_SIZE", sizeof(type))

void genamd64(void);

void genamd64(void)
{
    OFFSET(KTRAP_FRAME, P1Home);
    OFFSET(KTRAP_FRAME, P2Home);
    OFFSET(KTRAP_FRAME, P3Home);
    OFFSET(KTRAP_FRAME, P4Home);
    OFFSET(KTRAP_FRAME, P5);
    OFFSET(KTRAP_FRAME, PreviousMode);
    OFFSET(KTRAP_FRAME, PreviousIrql);
    OFFSET(KTRAP_FRAME, ExceptionActive);
    OFFSET(KTRAP_FRAME, MxCsr);
    OFFSET(KTRAP_FRAME, Rax);
    OFFSET(KTRAP_FRAME, Rcx);
    OFFSET(KTRAP_FRAME, Rdx);
    OFFSET(KTRAP_FRAME, R8);
    OFFSET(KTRAP_FRAME, R9);
    OFFSET(KTRAP_FRAME, R10);
    OFFSET(KTRAP_FRAME, R11);
    OFFSET(KTRAP_FRAME, GsBase);
    OFFSET(KTRAP_FRAME, Xmm0);
    OFFSET(KTRAP_FRAME, Xmm1);
    OFFSET(KTRAP_FRAME, Xmm2);
    OFFSET(KTRAP_FRAME, Xmm3);
    OFFSET(KTRAP_FRAME, Xmm4);
    OFFSET(KTRAP_FRAME, Xmm5);
    OFFSET(KTRAP_FRAME, FaultAddress);
    OFFSET(KTRAP_FRAME, Dr0);
    OFFSET(KTRAP_FRAME, Dr1);
    OFFSET(KTRAP_FRAME, Dr2);
    OFFSET(KTRAP_FRAME, Dr3);
    OFFSET(KTRAP_FRAME, Dr6);
    OFFSET(KTRAP_FRAME, Dr7);
    OFFSET(KTRAP_FRAME, TrapFrame);
    OFFSET(KTRAP_FRAME, Rbx);
    OFFSET(KTRAP_FRAME, Rdi);
    OFFSET(KTRAP_FRAME, Rsi);
    OFFSET(KTRAP_FRAME, Rbp);
    OFFSET(KTRAP_FRAME, ErrorCode);
    OFFSET(KTRAP_FRAME, Rip);
    OFFSET(KTRAP_FRAME, SegCs);
    OFFSET(KTRAP_FRAME, EFlags);
    OFFSET(KTRAP_FRAME, Rsp);
    OFFSET(KTRAP_FRAME, SegSs);
    SIZE(KTRAP_FRAME);

    OFFSET(KEXCEPTION_FRAME, Spare1);
    OFFSET(KEXCEPTION_FRAME, Xmm6);
    OFFSET(KEXCEPTION_FRAME, Xmm7);
    OFFSET(KEXCEPTION_FRAME, Xmm8);
    OFFSET(KEXCEPTION_FRAME, Xmm9);
    OFFSET(KEXCEPTION_FRAME, Xmm10);
    OFFSET(KEXCEPTION_FRAME, Xmm11);
    OFFSET(KEXCEPTION_FRAME, Xmm12);
    OFFSET(KEXCEPTION_FRAME, Xmm13);
    OFFSET(KEXCEPTION_FRAME, Xmm14);
    OFFSET(KEXCEPTION_FRAME, Xmm15);
    OFFSET(KEXCEPTION_FRAME, TrapFrame);
    OFFSET(KEXCEPTION_FRAME, OutputBuffer);
    OFFSET(KEXCEPTION_FRAME, OutputLength);
    OFFSET(KEXCEPTION_FRAME, Rbp);
    OFFSET(KEXCEPTION_FRAME, Rbx);
    OFFSET(KEXCEPTION_FRAME, Rdi);
    OFFSET(KEXCEPTION_FRAME, Rsi);
    OFFSET(KEXCEPTION_FRAME, R12);
    OFFSET(KEXCEPTION_FRAME, R13);
    OFFSET(KEXCEPTION_FRAME, R14);
    OFFSET(KEXCEPTION_FRAME, R15);
    OFFSET(KEXCEPTION_FRAME, Return);
    SIZE(KEXCEPTION_FRAME);
    OFFSET(KSWITCH_FRAME, Rbp);
    OFFSET(KSWITCH_FRAME, Return);

    OFFSET(MACHINE_FRAME, Rip);
    OFFSET(MACHINE_FRAME, SegCs);
    OFFSET(MACHINE_FRAME, Rsp);
    SIZE(MACHINE_FRAME);
    OFFSET(KTSS64, Rsp0);

    OFFSET(KPCR, TssBase);
    OFFSET(KPCR, UserRsp);
    OFFSET(KPCR, Prcb);
    OFFSET(KPCR, Prcb.MxCsr);
    OFFSET(KPCR, Prcb.CurrentThread);
    OFFSET(KPCR, Prcb.RspBase);
    OFFSET(KPCR, Prcb.ProcessorState.SpecialRegisters.Cr0);
    OFFSET(KPCR, Prcb.ProcessorState.SpecialRegisters.Cr4);
    OFFSET(KPCR, Prcb.KeSystemCalls);
    OFFSET(KPCR, Prcb.InterruptCount);
    OFFSET(KPCR, Prcb.BpbState);
    OFFSET(KPCR, Prcb.BpbFeatures);
    OFFSET(KPCR, Prcb.BpbCurrentSpecCtrl);
    OFFSET(KPCR, Prcb.BpbKernelSpecCtrl);
    OFFSET(KPCR, Prcb.BpbNmiSpecCtrl);
    OFFSET(KPCR, Prcb.BpbUserSpecCtrl);
    OFFSET(KPCR, Prcb.VerwSelector);
    VALUE("BPB_FLUSH_RSB_ON_TRAP", BPB_FLUSH_RSB_ON_TRAP);
    VALUE("BPB_IBPB_ON_TRAP", BPB_IBPB_ON_TRAP);
    VALUE("BPB_SMEP", BPB_SMEP);
    VALUE("MSR_GS_BASE", MSR_GS_BASE);
    VALUE("MSR_SPEC_CTRL", MSR_SPEC_CTRL);
    VALUE("MSR_PRED_CMD", MSR_PRED_CMD);
    VALUE("PRED_CMD_IBPB", PRED_CMD_IBPB);
    OFFSET(KPCR, Prcb.KernelDirectoryTableBase);
    OFFSET(KPCR, Prcb.RspBaseShadow);
    OFFSET(KPCR, Prcb.UserRspShadow);
    OFFSET(KPCR, Prcb.ShadowFlags);
    VALUE("KI_SHADOW_ONE_SPACE", KI_SHADOW_ONE_SPACE);
    VALUE("SHADOW_FLUSH_BIT", __builtin_ctz(KI_SHADOW_FLUSH_PENDING));
    VALUE("USER_PCID_BIT", __builtin_ctz(CR3_PCID_USER));
    VALUE("CR3_NO_FLUSH_BIT", __builtin_ctzll(CR3_NO_FLUSH));

    OFFSET(KTHREAD, Header.DebugActive);
    OFFSET(KTHREAD, InitialStack);
    OFFSET(KTHREAD, KernelStack);
    OFFSET(KTHREAD, ThreadFlags);
    OFFSET(KTHREAD, SystemCallNumber);
    OFFSET(KTHREAD, FirstArgument);
    OFFSET(KTHREAD, TrapFrame);
    OFFSET(KTHREAD, Teb);
    OFFSET(KTHREAD, CallbackNestingLevel);
    OFFSET(KTHREAD, CombinedApcDisable);
    OFFSET(KTHREAD, Process);
    OFFSET(KTHREAD, PreviousMode);
    OFFSET(KTHREAD, ApcState.Process);
    OFFSET(KTHREAD, ApcState.UserApcPendingAll);
    OFFSET(KTHREAD, ApcStateIndex);
    VALUE("USER_APCS", SPECIAL_USER_APC_PENDING | USER_APC_PENDING);
    VALUE("USER_APCS_32", (SPECIAL_USER_APC_PENDING | USER_APC_PENDING) *
                              (1 + (1 << USER_APC_POSTPONED_SHIFT)));
    VALUE("THREAD_FLAGS_GUI_THREAD", THREAD_FLAGS_GUI_THREAD);
    VALUE("DEBUG_ACTIVE_DR7", DEBUG_ACTIVE_DR7);
    VALUE("DEBUG_ACTIVE_INSTRUMENTED", DEBUG_ACTIVE_INSTRUMENTED);
    VALUE("DEBUG_ACTIVE_SPECIAL", DEBUG_ACTIVE_SPECIAL);

    OFFSET(KPROCESS, UserDirectoryTableBase);
    OFFSET(KPROCESS, InstrumentationCallback);
    OFFSET(EPROCESS, WoW64Process);

    OFFSET(TEB, GdiBatchCount);
    VALUE("KUSER_SHARED_DATA_XP.SystemCallReturn",
          offsetof(struct kuser_shared_data_xp, SystemCallReturn));
    VALUE("KI_USER_SHARED_DATA_XP", KI_USER_SHARED_DATA_XP);

    VALUE("KI_TRACE_SYSTEM_CALLS", KI_TRACE_SYSTEM_CALLS);
    OFFSET(KSERVICE_TABLE_DESCRIPTOR, Base);
    OFFSET(KSERVICE_TABLE_DESCRIPTOR, Limit);
    SIZE(KSERVICE_TABLE_DESCRIPTOR);

    VALUE("KGDT_R0_CODE", KGDT_R0_CODE);
    VALUE("KGDT_R0_DATA", KGDT_R0_DATA);
    VALUE("KGDT_R3_CODE_USER", KGDT_R3_CODE | RPL_MASK);
    VALUE("KGDT_R3_DATA_USER", KGDT_R3_DATA | RPL_MASK);
    VALUE("KGDT64_R3_CODE_USER", KGDT64_R3_CODE | RPL_MASK);
    VALUE("SERVICE_DOOR_SYSCALL", FRAME_DOOR_SYSCALL << 16);
    VALUE("SERVICE_DOOR_SYSENTER", FRAME_DOOR_SYSENTER << 16);
    VALUE("KGDT_R3_TEB_USER", KGDT_R3_TEB | RPL_MASK);
    VALUE("KGDT_R0_PCR", KGDT_R0_PCR);

    VALUE("KI_STARTUP.gdt_limit", offsetof(struct ki_startup, gdt_limit));
    VALUE("KI_STARTUP.offset", offsetof(struct ki_startup, offset));
    VALUE("KI_STARTUP.directory", offsetof(struct ki_startup, directory));
    VALUE("KI_STARTUP.stack", offsetof(struct ki_startup, stack));
    VALUE("KI_STARTUP.pcr", offsetof(struct ki_startup, pcr));
    VALUE("KI_STARTUP.entry", offsetof(struct ki_startup, entry));
    VALUE("CR0_PE", CR0_PE);
    VALUE("CR0_NW", CR0_NW);
    VALUE("CR0_CD", CR0_CD);
    VALUE("CR0_PG", CR0_PG);
    VALUE("CR4_PAE", CR4_PAE);
    VALUE("MSR_EFER", MSR_EFER);
    VALUE("EFER_LME", EFER_LME);
    VALUE("EFER_NXE", EFER_NXE);

    VALUE("UserMode", UserMode);
    VALUE("KEXCEPTION_ACTIVE_INTERRUPT", KEXCEPTION_ACTIVE_INTERRUPT);
    VALUE("KEXCEPTION_ACTIVE_EXCEPTION", KEXCEPTION_ACTIVE_EXCEPTION);
    VALUE("KEXCEPTION_ACTIVE_SERVICE", KEXCEPTION_ACTIVE_SERVICE);
    VALUE("APC_LEVEL", APC_LEVEL);
    VALUE("DISPATCH_LEVEL", DISPATCH_LEVEL);
    VALUE("CLOCK_LEVEL", CLOCK_LEVEL);
    VALUE("IPI_LEVEL", IPI_LEVEL);
    VALUE("HIGH_LEVEL", HIGH_LEVEL);
    VALUE("EFLAGS_TF", EFLAGS_TF);
    VALUE("EFLAGS_IF", EFLAGS_IF);

    VALUE("STATUS_INVALID_SYSTEM_SERVICE",
          (ULONG)STATUS_INVALID_SYSTEM_SERVICE);
    VALUE("APC_INDEX_MISMATCH", APC_INDEX_MISMATCH);
    VALUE("IRQL_GT_ZERO_AT_SYSTEM_SERVICE", IRQL_GT_ZERO_AT_SYSTEM_SERVICE);
    VALUE("ARCH_THREAD_STATE_SIZE", sizeof(struct arch_thread_state));
    VALUE("PAGE_SIZE", PAGE_SIZE);
    VALUE("IST_STACK_SIZE", IST_STACK_SIZE);
    VALUE("IST_STACK_STRIDE", IST_STACK_STRIDE);
    VALUE("KERNEL_STACK_SIZE", KERNEL_STACK_SIZE);
    VALUE("MM_USER_PROBE_ADDRESS", MM_USER_PROBE_ADDRESS);
}

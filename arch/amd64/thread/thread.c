/*
 * thread/thread.c - a thread's first steps, and what changes in the processor
 * when another thread runs.
 */
#include <bug.h>
#include <arch/processor.h>
#include <arch/speculation.h>
#include <arch/thread.h>
#include <ps.h>
#include <wow64.h>
#include <x86/registers.h>

#define INITIAL_MXCSR 0x1F80
#define INITIAL_FCW 0x027F              /* Windows': 53 bits, all masked */
#define INITIAL_EFLAGS (EFLAGS_IF | 2)

void ki_thread_begin(void);
__attribute__((noreturn)) void ki_enter_user(KTRAP_FRAME *frame);

void *arch_initial_stack(void *stack_base)
{
    return (struct arch_thread_state *)stack_base - 1;
}

/* The place of the frame of ring 3, if it is to go there, stays free. */
void arch_prepare_thread(KTHREAD *thread, void (*routine)(void *argument),
                         void *argument)
{
    struct arch_thread_state *state = thread->InitialStack;
    ULONGLONG *top = (ULONGLONG *)((KTRAP_FRAME *)thread->InitialStack - 1);
    KSWITCH_FRAME *frame;

    *state = (struct arch_thread_state){
        .ds = KGDT_R3_DATA | RPL_MASK,
        .es = KGDT_R3_DATA | RPL_MASK,
        .fs = KGDT_R3_TEB | RPL_MASK,
        .gs = KGDT_R3_DATA | RPL_MASK,
    };
    state->extended.header.Mask = XSTATE_LEGACY_FLOATING_POINT |
                                  XSTATE_LEGACY_SSE;
    state->floating_point.ControlWord = INITIAL_FCW;
    state->floating_point.MxCsr = INITIAL_MXCSR;
    *--top = (ULONG_PTR)argument;
    *--top = (ULONG_PTR)routine;
    frame = (KSWITCH_FRAME *)top - 1;
    *frame = (KSWITCH_FRAME){ .Return = (ULONG_PTR)ki_thread_begin };
    thread->KernelStack = frame;
}

static struct arch_thread_state *state_of(const KTHREAD *thread)
{
    return CONTAINING_RECORD(thread->StateSaveArea, struct arch_thread_state,
                             floating_point);
}

static USHORT read_gs(void)
{
    USHORT gs;

    __asm__ volatile("mov %%gs, %0" : "=r"(gs));
    return gs;
}

/*
 * Loading gs changes the base that ring 0 uses, so the user's half is loaded
 * behind swapgs; its base is written by the caller.  Interrupts off.
 */
static void load_user_gs(USHORT gs)
{
    __asm__ volatile("swapgs\n\t"
                     "mov %0, %%gs\n\t"
                     "swapgs" : : "r"(gs) : "memory");
}

/*
 * The interrupt that took the processor from ring 3 has made SS null, and this
 * thread may go back by SYSRET, which on AMD leaves SS's attributes as they
 * are: with a null SS 32-bit code has no stack.
 */
static void repair_ss(void)
{
    USHORT ss;

    __asm__ volatile("mov %%ss, %0" : "=r"(ss));
    if (ss != KGDT_R0_DATA)
        __asm__ volatile("mov %0, %%ss" : : "r"((USHORT)KGDT_R0_DATA));
}

/* Called by SwapContext on the old thread's stack. */
void ki_save_processor_state(KTHREAD *thread)
{
    struct arch_thread_state *state = state_of(thread);

    ki_save_vectors(state);
    __asm__ volatile("mov %%ds, %0" : "=r"(state->ds));
    __asm__ volatile("mov %%es, %0" : "=r"(state->es));
    __asm__ volatile("mov %%fs, %0" : "=r"(state->fs));
    state->gs = read_gs();
}

/* fs always: behind an equal selector there is another thread's TEB. */
static void load_user_state(const KTHREAD *thread)
{
    const struct arch_thread_state *state = state_of(thread);

    if (!BUG(vectors_not_switched))
        ki_load_vectors(state);
    __asm__ volatile("mov %0, %%ds" : : "r"(state->ds));
    __asm__ volatile("mov %0, %%es" : : "r"(state->es));
    __asm__ volatile("mov %0, %%fs" : : "r"(state->fs));
    if (state->gs != read_gs())
        load_user_gs(state->gs);
    arch_write_msr(MSR_GS_SWAP, (ULONG_PTR)thread->Teb);
}

/*
 * Who ended is told only now: its stack is free (ke_thread.h).  From then on,
 * or from when Running is FALSE, the thread is others'.
 */
static void leave_thread(KTHREAD *thread)
{
    BOOLEAN ended = thread->State == Terminated;

    thread->Running = FALSE;
    if (ended)
        ke_thread_reaper(thread);
}

/* Who changes to's page tables tells this processor, from before it uses them
 * (mi_flush_page). */
static void load_process(KPRCB *prcb, KPROCESS *from, KPROCESS *to)
{
    __sync_fetch_and_or(&to->ActiveProcessors.Bitmap[prcb->Group],
                        prcb->GroupSetMember);
    ki_load_directory(prcb, to->DirectoryTableBase);
    __sync_fetch_and_and(&from->ActiveProcessors.Bitmap[prcb->Group],
                         ~prcb->GroupSetMember);
}

/*
 * Called by SwapContext on the new thread's stack.  After it the processor
 * enters the kernel on that stack, in that process, with that TEB.
 */
void ki_switch_processor_state(KTHREAD *old, KTHREAD *thread)
{
    KPRCB *prcb = KeGetCurrentPrcb();
    EPROCESS *process = CONTAINING_RECORD(thread->ApcState.Process, EPROCESS,
                                          Pcb);
    EPROCESS *owner = CONTAINING_RECORD(thread->Process, EPROCESS, Pcb);

    ki_set_kernel_stack(prcb, (ULONG_PTR)thread->InitialStack);
    if (arch_read_cr3() != process->Pcb.DirectoryTableBase)
        load_process(prcb, old->ApcState.Process, &process->Pcb);
    ki_set_teb_descriptor(owner->WoW64Process && thread->Teb
                              ? (ULONG)(ULONG_PTR)thread->Teb +
                                    (ULONG)(WOW64_TEB32 - WOW64_TEB) : 0);
    thread->Running = TRUE;
    if (prcb->BpbFeatures & BPB_ENABLED)
        ki_switch_predictors(prcb, owner->SecurityDomain);
    repair_ss();
    load_user_state(thread);
    thread->ContextSwitches++;
    prcb->KeContextSwitches++;
    leave_thread(old);
}

void arch_load_address_space(KPROCESS *from, KPROCESS *to)
{
    load_process(KeGetCurrentPrcb(), from, to);
}

void arch_initial_context(CONTEXT *context, ULONG_PTR rip, ULONG_PTR rsp,
                          ULONG_PTR argument1, ULONG_PTR argument2)
{
    *context = (CONTEXT){
        .ContextFlags = CONTEXT_FULL,
        .MxCsr = INITIAL_MXCSR,
        .SegCs = KGDT64_R3_CODE | RPL_MASK,
        .SegSs = KGDT_R3_DATA | RPL_MASK,
        .EFlags = INITIAL_EFLAGS,
        .Rip = rip,
        .Rsp = rsp,
        .Rcx = argument1,
        .Rdx = argument2,
        .FltSave = { .ControlWord = INITIAL_FCW, .MxCsr = INITIAL_MXCSR },
    };
}

static __attribute__((noreturn)) void enter_user(const CONTEXT *context)
{
    KTHREAD *thread = KeGetCurrentThread();
    KTRAP_FRAME *frame = (KTRAP_FRAME *)thread->InitialStack - 1;
    KEXCEPTION_FRAME exception;

    memset(frame, 0, sizeof *frame);
    KeContextToKframes(frame, &exception, context, context->ContextFlags,
                       UserMode);
    KiSetupForInstrumentationReturn(frame);
    thread->TrapFrame = frame;
    KfLowerIrql(PASSIVE_LEVEL);
    if (!ke_boot_clock.user)
        ke_boot_clock.user = arch_read_tsc();
    ki_enter_user(frame);
}

void arch_start_user(ULONG_PTR rip, ULONG_PTR rsp, ULONG_PTR argument1,
                     ULONG_PTR argument2)
{
    CONTEXT context;

    arch_initial_context(&context, rip, rsp, argument1, argument2);
    enter_user(&context);
}

/*
 * XP starts 32-bit code with gs 0.  Loading it may clear the base, which is
 * still the 64-bit TEB's for 64-bit code of the same process.
 */
static void clear_user_gs(void)
{
    arch_disable_interrupts();
    load_user_gs(0);
    arch_write_msr(MSR_GS_SWAP, (ULONG_PTR)KeGetCurrentThread()->Teb);
    arch_enable_interrupts();
}

void arch_start_user32(ULONG eip, ULONG esp)
{
    CONTEXT context;

    clear_user_gs();
    arch_initial_context(&context, eip, esp, 0, 0);
    context.SegCs = KGDT_R3_CODE | RPL_MASK;
    enter_user(&context);
}

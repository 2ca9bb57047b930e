/*
 * arch/thread.h - what Ke and Ps ask of the machine about threads.
 */
#pragma once

#include <ke.h>

/* From one thread to another; returns when somebody comes back.
 * Interrupts are off on both sides. */
void KiSwapContext(KTHREAD *from, KTHREAD *to);

/*
 * What a thread that does not run has left of its user state besides the
 * frames on its stack: above InitialStack, KTHREAD.StateSaveArea points to it.
 * The kernel itself changes none of these registers (but for gs's base).
 */
struct ki_xstate {
    XSAVE_AREA_HEADER header;
    M128A ymm_high[16];
};

struct arch_thread_state {
    XSAVE_FORMAT floating_point;        /* these two are an XSAVE area */
    struct ki_xstate extended;
    USHORT ds, es, fs, gs;
} __attribute__((aligned(64)));

/* XCR0 and CR4.OSXSAVE, by what the processor has; each (thread/xstate.c). */
void ki_choose_xstate(void);
void ki_start_xstate(void);
ULONGLONG ki_enabled_xstate(void);
void ki_show_xstate(void);

/* All vector registers, of the thread that runs. */
void ki_save_vectors(struct arch_thread_state *state);
void ki_load_vectors(const struct arch_thread_state *state);

/*
 * What a CONTEXT has no room for; only if there is any.  Into the registers,
 * from them, and from a context of ring 3 whose flags have CONTEXT_XSTATE.
 */
BOOLEAN ki_has_extended_state(void);
void ki_set_xstate(const struct ki_xstate *state);
void ki_get_xstate(struct ki_xstate *state);
NTSTATUS ki_capture_xstate(const CONTEXT *user_context,
                           struct ki_xstate *state);

/* Where a stack of that upper end begins: what is above is the switch's. */
void *arch_initial_stack(void *stack_base);

/*
 * Lay out a new thread's kernel stack so that the first switch to it calls
 * ki_start_thread(routine, argument).  InitialStack must be set.
 */
void arch_prepare_thread(KTHREAD *thread, void (*routine)(void *argument),
                         void *argument);

/*
 * The current thread goes to ring 3 for the first time: at rip, on rsp, with
 * two arguments; every other register is 0.  IRQL: <= APC_LEVEL; kernel APCs
 * that have come find the frame complete.
 */
__attribute__((noreturn)) void arch_start_user(ULONG_PTR rip, ULONG_PTR rsp,
                                               ULONG_PTR argument1,
                                               ULONG_PTR argument2);

/* The same for 32-bit code; what it needs lies at esp. */
__attribute__((noreturn)) void arch_start_user32(ULONG eip, ULONG esp);

/*
 * Call routine with count arguments.  arguments has at least four places,
 * those of the registers, however small count is.
 */
ULONG_PTR arch_call_service(const void *routine, const ULONGLONG *arguments,
                            ULONG count);

/* A context as a new thread's has it. */
void arch_initial_context(CONTEXT *context, ULONG_PTR rip, ULONG_PTR rsp,
                          ULONG_PTR argument1, ULONG_PTR argument2);

/*
 * Write the parts that ContextFlags names into the frames, made harmless: no
 * selector, no flag and no debug address of the kernel's gets through.
 */
void KeContextToKframes(KTRAP_FRAME *frame, KEXCEPTION_FRAME *exception,
                        const CONTEXT *context, ULONG flags,
                        KPROCESSOR_MODE mode);

/* A frame of ring 3 whose selectors or rip are not ring 3's gets such ones. */
void ki_make_loadable(KTRAP_FRAME *frame);

/*
 * The other direction: the parts that ContextFlags names, of ring 3.  Both
 * frames are complete, xmm6 to xmm15 and the x87 registers still loaded: it
 * is the current thread.
 */
void KeContextFromKframes(const KTRAP_FRAME *frame,
                          const KEXCEPTION_FRAME *exception,
                          CONTEXT *context);

/*
 * Ring 3 begins with the user APC routine(context, ...), on its own stack,
 * and goes on where frame has it when that is over; test_alert: with a test
 * for the next one.  A stack that cannot be written is an exception of ring
 * 3.  IRQL: APC_LEVEL.  NT: without test_alert.
 */
void KiInitializeUserApc(KEXCEPTION_FRAME *exception, KTRAP_FRAME *frame,
                         KNORMAL_ROUTINE *routine, void *context,
                         void *argument1, void *argument2,
                         BOOLEAN test_alert);

/*
 * Debug registers of the current thread (debugregs.c): into its frame of ring
 * 3, from it, from one such frame to another.  A context of a thread that has
 * no frame yet is made harmless instead.
 */
void ki_set_debug_registers(KTRAP_FRAME *frame, const CONTEXT *context);
void ki_get_debug_registers(const KTRAP_FRAME *frame, CONTEXT *context);
void ki_copy_debug_registers(KTRAP_FRAME *to, const KTRAP_FRAME *from);
void arch_sanitize_debug_registers(CONTEXT *context);

/* From a #DB of ring 3, interrupts off: DR6 into the frame, and 0. */
void ki_take_debug_status(KTRAP_FRAME *frame);

/*
 * The kernel starts ring 3 at frame's rip: by way of the instrumentation
 * callback, if there is one.  For frames that an exit of exceptions loads; a
 * service's exit does it itself.
 */
void KiSetupForInstrumentationReturn(KTRAP_FRAME *frame);

/*
 * From the door (macros.inc), interrupts off, the frame complete: a call of a
 * thread with DEBUG_ACTIVE_SPECIAL (ums.c).  Not STATUS_SUCCESS: that is the
 * call's answer.
 */
NTSTATUS ki_begin_special_service(KTRAP_FRAME *frame);

/* Is ring 3 in code that a user APC of its program cannot interrupt? */
BOOLEAN arch_must_postpone_user_apc(const KTRAP_FRAME *frame);

/* Where both are entered for it; Ps knows when ntdll is there (ps/ntdll.c). */
extern ULONG_PTR KeUserApcDispatcher;
extern ULONG ke_user_apc_dispatcher32;

/*
 * An exception of ring 3: frame and exception have its state, record (the
 * kernel's own) says what it is.  Ring 3 goes on in a dispatcher of ntdll's,
 * or, without a first chance, the process ends.  IRQL: APC_LEVEL, since both
 * frames and the record were one state.
 */
void KiDispatchException(EXCEPTION_RECORD *record,
                         KEXCEPTION_FRAME *exception, KTRAP_FRAME *frame,
                         KPROCESSOR_MODE mode, BOOLEAN is_first_chance);

/* The dispatchers in both ntdlls, or 0: there is none (ps/ntdll.c). */
extern ULONG_PTR KeUserExceptionDispatcher;
extern ULONG ke_user_exception_dispatcher32;
extern ULONG_PTR KeRaiseUserExceptionDispatcher;
extern ULONG ke_raise_user_exception_dispatcher32;

/*
 * The pop of a list without locks, in both ntdlls: where it begins again,
 * where it may fault, and its last instruction (slist.c); 0: there is none.
 */
extern ULONG_PTR KeUserPopEntrySListResume;
extern ULONG_PTR KeUserPopEntrySListFault;
extern ULONG_PTR KeUserPopEntrySListEnd;
extern ULONG ke_user_pop_entry_slist_resume32;
extern ULONG ke_user_pop_entry_slist_fault32;
extern ULONG ke_user_pop_entry_slist_end32;

/*
 * The frame's thread lets others run, or runs something else first: a pop that
 * it is in the middle of begins again.  Any frame.  IRQL: any.
 */
void KiCheckForSListAddress(KTRAP_FRAME *frame);

/*
 * A context of ring 3's, captured and then put into the frames that the exit
 * loads from: NtContinue's two steps (context.c).  The second cannot fail.
 */
struct ki_user_state {
    CONTEXT context;
    struct ki_xstate extended;
    BOOLEAN has_extended;
};
NTSTATUS ki_capture_user_state(const CONTEXT *user_context,
                               struct ki_user_state *state);
void ki_load_user_state(const struct ki_user_state *state);

/*
 * NtRaiseException's end: record, where this call's frame leads to by now.
 * IRQL: APC_LEVEL, since the frame was loaded.
 */
void ki_raise_in_frame(EXCEPTION_RECORD *record, BOOLEAN first_chance);

/* Bit 28 of a code is the system's own. */
#define EXCEPTION_RESERVED_BIT 0x10000000

/*
 * R12 to R15 as ring 3 had them, of the current thread: they are loaded all
 * the time, because C does not use them (Makefile).  Or new ones for it.
 */
static inline void arch_read_nonvolatile(KEXCEPTION_FRAME *frame)
{
    __asm__ volatile("mov %%r12, %0\n\t"
                     "mov %%r13, %1\n\t"
                     "mov %%r14, %2\n\t"
                     "mov %%r15, %3"
                     : "=m"(frame->R12), "=m"(frame->R13), "=m"(frame->R14),
                       "=m"(frame->R15));
}

static inline void arch_write_nonvolatile(const KEXCEPTION_FRAME *frame)
{
    __asm__ volatile("mov %0, %%r12\n\t"
                     "mov %1, %%r13\n\t"
                     "mov %2, %%r14\n\t"
                     "mov %3, %%r15"
                     : : "m"(frame->R12), "m"(frame->R13), "m"(frame->R14),
                         "m"(frame->R15));
}

/* Why a DIV or IDIV at the frame's rip raised #DE (thread/divide.c). */
NTSTATUS arch_divide_error(const KTRAP_FRAME *frame,
                           const KEXCEPTION_FRAME *exception);

/* routine(prcb) on another stack, whose top that is; then back. */
void arch_call_on_stack(void *top, void (*routine)(KPRCB *prcb), KPRCB *prcb);

/* Load another process's address space.  At DISPATCH_LEVEL. */
void arch_load_address_space(KPROCESS *from, KPROCESS *to);

/* Where ring 3 takes callbacks: KiUserCallbackDispatcher of both ntdlls. */
extern ULONG_PTR KeUserCallbackDispatcher;
extern ULONG ke_user_callback_dispatcher32;

/*
 * tests/kernel/selftest.h - tests of ring 0 that have a file of their own.
 */
#pragma once

#include <ke.h>

/* dpc.c */
BOOLEAN test_irql(void);
BOOLEAN test_dpc(void);

/* schedule.c */
BOOLEAN test_schedule(void);

/* lock.c */
BOOLEAN test_push_lock(void);
BOOLEAN test_fast_mutex(void);

/* apc.c */
BOOLEAN test_apc(void);
BOOLEAN test_apc_wait(void);
KDPC *make_user_apc_dpc(ULONGLONG routine);
BOOLEAN queue_user_apc_later(ULONGLONG routine);
BOOLEAN queue_user_apc_in_trap(ULONGLONG routine);
void crash_apc_pending_at_exit(void);
void crash_apc_attached(void);

/* sweep.c */
BOOLEAN queue_user_apc_after(ULONGLONG order);
BOOLEAN disturb_after(ULONGLONG order);
void let_clock_go(BOOLEAN go);

/* wait.c */
BOOLEAN test_wait(void);

/* object.c */
BOOLEAN test_object_ends(void);

/* special.c */
BOOLEAN test_special_service(void);

/* sealed.c */
BOOLEAN test_sealed(void);

/* switches.c */
BOOLEAN test_switches(void);

/* memtypes.c */
BOOLEAN test_memory_types(void);

/* vector.c */
BOOLEAN add_absent_segment(ULONGLONG user);
void load_absent_segment(ULONGLONG user);
BOOLEAN remove_absent_segment(void);
BOOLEAN test_records(void);

/* timer.c */
BOOLEAN test_timer(void);
BOOLEAN test_timer_cost(void);

/* stack.c */
BOOLEAN paint_stack(void);
BOOLEAN tell_unused_stack(ULONGLONG user);
BOOLEAN test_locals(void);
BOOLEAN test_ss_after_switch(void);
void crash_in_dpc(BOOLEAN wait);

/* scarce.c */
BOOLEAN refuse_memory(ULONGLONG n);
BOOLEAN tell_blocks(ULONGLONG user);

/* nmistorm.c */
BOOLEAN send_nmis(ULONGLONG every);
void send_next_nmi(void);
BOOLEAN tell_nmis(ULONGLONG user);

/* bare.c */
BOOLEAN lead_door(ULONGLONG which);

/* watched.c */
BOOLEAN test_watched(ULONGLONG user);

/* fired.c */
BOOLEAN fire_as_from_user(ULONGLONG vector);

/* echo.c */
BOOLEAN entry_stacks_agree(void);

/* ist.c */
enum crash_in_nmi { NMI_IN_NMI, FAULT_IN_NMI, DOUBLE_FAULT_IN_NMI };
enum nmi_waits { NMI_WAITS, NMI_WAITS_FOR_MC, NMI_WAITS_FOR_DEBUG };
enum crash_unpinned {
    UNPINNED_SMEP, UNPINNED_WP, UNPINNED_EFER, UNPINNED_SMEP_BY_CLOCK
};
BOOLEAN test_ist(void);
BOOLEAN test_interrupts(void);
BOOLEAN lead_syscall_by(ULONGLONG vector);
BOOLEAN test_nmi_waits(enum nmi_waits how);
BOOLEAN look_at_banks(void);
void crash_in_nmi(enum crash_in_nmi how);
void crash_behind_nmi(void);
void crash_in_double_fault(void);
void crash_double_fault(void);
void crash_taken_again(ULONG vector);
void crash_machine_check(void);
void crash_unpinned(enum crash_unpinned what);

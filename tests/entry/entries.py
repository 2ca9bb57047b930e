"""entries.py: what the path check takes as given, each with its reason.

Everything else it works out from the instructions.
"""
# Where control comes in by SYSCALL or SYSENTER; with KVA shadow there is
# Shadow behind the name.
SYSCALL = ('KiSystemCall64', 'KiSystemCall32')
SYSENTER = ('KiFastCallEntry', 'KiFastCallEntry2')

# Of the vectors in ki_vectors: those with stacks of their own (cpu/idt.c),
# which find gs as somebody left it; those with an error code (SDM: 3A, 6.15).
IST_VECTORS = (1, 2, 8, 18)
ERROR_VECTORS = (8, 10, 11, 12, 13, 14, 17, 21)

# #NP, #SS, #GP: an IRETQ to ring 3 may raise them itself, with gs and cr3 the
# user's already.  Those IRETQs; are they KVA shadow's?
IRETQ_VECTORS = (11, 12, 13)
IRETQS = {'ki_iret_user': False, 'ki_iret_user_shadow': True}

# The stacks that ring 3's page tables have, too; where #MC and #DB came into
# NMI's handler is one of them.
SHARED_STACKS = ('gate', 'iretq', 'transition', 'interrupted')

# What C calls: name, and the registers that hold a kernel address then.
ZW_STUB = r'Zw\w+$'
FROM_C = {
    'KiServiceLinkage': {},
    'NtContinue': {},
    'NtContinueEx': {},
    'NtRaiseException': {},
    'wow64_NtContinue': {},
    'wow64_NtRaiseException': {},
    'KiCallUserMode': {'r8': 'frame'},
    'ki_return_from_callback': {},
    'ki_enter_user': {'rcx': 'frame'},
    'KiSwapContext': {},
    'ki_fill_return_stack': {},
    'arch_call_on_stack': {'rcx': 'other'},
    'arch_call_service': {},
    'arch_copy_user': {},
    'arch_touch_user': {},
}

# A new thread's first instruction: KiSwapContext returns to it (thread.c).
THREAD_START = ('ki_thread_begin',)

# An NMI between STI and SYSEXIT goes back to STI (thread/trap.c).
# Is it KVA shadow's?
RESUMED = {'ki_exit32_sti': False, 'ki_exit32_sti_shadow': True}

# The only branches whose target is in a register.
# (symbol, instruction): (first target, end, step) or None for C, and why.
INDIRECT = {
    ('KiSystemServiceCopyEnd', 'call r10'):
        (None, 'the service: base + entry of a table that is sealed'),
    ('arch_call_service.argument', 'call r10'):
        (None, 'the same, found by kernel/wow64 in its own table'),
    ('arch_call_on_stack', 'call rdx'):
        (None, 'a routine that C names when it calls this'),
    ('copy_arguments.from_kernel', 'jmp r11'):
        (('KiSystemServiceCopyStart', 'KiSystemServiceCopyEnd', 8),
         'end - 8 * n, n masked to 4 bits, at most 14 in any table'),
}

# C functions that do not come back.
NO_RETURN = ('KeBugCheckEx', 'ki_start_thread', 'ki_double_fault',
             '__wrap_ki_double_fault', 'ki_taken_again',
             '__wrap_ki_taken_again')

# C functions of ist.asm: they begin with interrupts off and never let any in.
KEEP_IF = ('ki_nmi', '__wrap_ki_nmi', 'ki_machine_check',
           '__wrap_ki_machine_check', 'ki_debug_in_kernel',
           '__wrap_ki_debug_in_kernel')

# Where C is gone back to with interrupts on.
LET_IN = ('exit_to_kernel', 'ki_return_from_callback')

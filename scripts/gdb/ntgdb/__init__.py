"""ntgdb: gdb commands for ntwalk, named and shaped as WinDbg's.

    command     what every command shares: words, errors, help
    machine     the stub's packets, physical memory, registers gdb lacks
    modules     which images are where, and the names in them
    expression  what a user types for an address, a number, a process
    kernel      the kernel's own structures: processors, processes, lists
    headers     constants, which only the sources have
    layout      structures as text
    msr         model-specific registers
    unwind      the walk out of trap frames and of ring 3's code
    dt          dt
    dump        db to du, dps
    names       ln, x, error
    descriptors idt, gdt, tss
    registers   irql, rdmsr
    paging      pte, vtop
    address     address
    kuser       kuser
    processor   pcr, prcb
    ssdt        ssdt
    threads     process, thread
    objects     handle
    queues      apc, dpcs, ready, timer
    usermode    peb, teb
    stack       k, .trap
    bugcheck    analyze
    session     connecting, stepping, whose addresses are seen
    rooms, stepper, stacks, explain, follow, walk
                walk: a system call, instruction by instruction

They run inside gdb (scripts/gdb/nt.py loads them). What they print comes
from the machine's memory and registers, and from the debugging information
of the kernel that runs there.
"""

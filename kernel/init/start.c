/*
 * init/start.c - KiSystemStartup: from the loader to the first program.
 *
 * The order is the boot log's: what the loader gave, the processor's tables
 * and switches, memory, screen, the firmware's tables, clock, the other
 * processors, objects.  Then the code that has booted is the idle thread, and a
 * system thread starts USB and runs one program in ring 3, whose end is the
 * end of the run.
 */
#include "initp.h"

#include <bug.h>
#include <arch/clock.h>
#include <arch/entry.h>
#include <arch/machinecheck.h>
#include <ex.h>
#include <hal.h>
#include <init.h>
#include <io.h>
#include <kd.h>
#include <ke/ki.h>
#include <mm.h>
#include <nt/version.h>
#include <ob.h>
#include <ps.h>
#include <usb.h>
#include <wow64.h>
#include <arch/processor.h>
#include <arch/speculation.h>

static LOADER_PARAMETER_BLOCK loader_block SEALED;

/* The kernel's own way through the service table (entry/service.asm). */
NTSTATUS ZwDisplayString(const UNICODE_STRING *string);

static const struct loader_module *find_module(const char *name)
{
    for (ULONG i = 0; i < loader_block.module_count; i++) {
        if (strcmp(loader_block.modules[i].name, name) == 0)
            return &loader_block.modules[i];
    }
    return NULL;
}

static void show_loader(void)
{
    const struct loader_framebuffer *fb = &loader_block.framebuffer;

    DbgPrintEx(KD_INIT_ID, DPFLTR_TRACE_LEVEL,
               "BOOT  %s, %s; kernel at %llx, %llu KiB\n",
               loader_block.loader_name, loader_block.firmware,
               loader_block.kernel_base, loader_block.kernel_size >> 10);
    for (ULONG i = 0; i < loader_block.module_count; i++)
        DbgPrintEx(KD_INIT_ID, DPFLTR_TRACE_LEVEL,
                   "FILE  %011llx %9llu bytes  %s\n",
                   loader_block.modules[i].base, loader_block.modules[i].size,
                   loader_block.modules[i].name);
    if (loader_block.modules_left_out)
        DbgPrintEx(KD_INIT_ID, DPFLTR_WARNING_LEVEL,
                   "FILE  %u more are left out: there is room for %u\n",
                   loader_block.modules_left_out, LOADER_MODULES);
    if (fb->address)
        DbgPrintEx(KD_INIT_ID, DPFLTR_TRACE_LEVEL,
                   "VIDEO %011llx  %ux%u, %u bits, pitch %u\n", fb->address,
                   fb->width, fb->height, fb->bits_per_pixel, fb->pitch);
}

/* A kernel that lacks a defence (kernel/defences.tab) says which. */
static void show_bug(void)
{
#ifdef BUG_NAME
    DbgPrint("BUG   " BUG_NAME ": without " BUG_MISSING "\n");
#endif
}

/*
 * Symbols: at the module's physical address while the loader's tables are in
 * use, then where Mm has mapped it.
 */
static void load_symbols(BOOLEAN mapped)
{
    const struct loader_module *module = find_module("ntoskrnl.sym");
    const char *bytes = NULL;

    if (module)
        bytes = mapped ? MmMapIoSpace(module->base, module->size, MmCached)
                       : (const char *)module->base;
    kd_load_symbols(bytes, bytes ? module->size : 0);
}

__attribute__((noreturn)) static void end_machine(void)
{
    const char *end = init_option("end");

    arch_disable_interrupts();
    if (strcmp(end, "reset") == 0)
        hal_reset();
    if (strcmp(end, "off") == 0) {
        hal_power_off();
        DbgPrint("This machine does not switch itself off.\n");
        kd_draw();
    }
    for (;;)
        arch_halt();
}

/* The first system thread: everything that may have to wait. */
static void Phase1Initialization(void *argument)
{
    NTSTATUS exit_status = STATUS_SUCCESS;
    UNICODE_STRING goodbye;
    NTSTATUS status;

    (void)argument;
    usb_start();
    if (!*init_command_line()) {
        DbgPrintEx(KD_INIT_ID, DPFLTR_ERROR_LEVEL,
                   "nothing to run: end the options with -- PROGRAM\n");
        KeBugCheckEx(CONFIG_INITIALIZATION_FAILED, 0, 0, 0, 0);
    }
    status = ps_run_program(init_command_line(), &exit_status);
    if (!NT_SUCCESS(status)) {
        DbgPrintEx(KD_INIT_ID, DPFLTR_ERROR_LEVEL,
                   "cannot run %s: status %08x\n", init_command_line(), status);
        exit_status = status;
    }
    mm_check_protections();
    if (DBG)
        mm_show_stacks();
    DbgPrintEx(KD_INIT_ID, DPFLTR_TRACE_LEVEL,
               "\n%u system calls, %u interrupts; the program's status is "
               "%08x\n",
               ke_sum_counts(offsetof(KPRCB, KeSystemCalls)),
               ke_sum_counts(offsetof(KPRCB, InterruptCount)), exit_status);
    RtlInitUnicodeString(&goodbye,
                         L"It is now safe to turn off your computer.\n");
    ZwDisplayString(&goodbye);
    kd_draw();
    kd_report("exit", (ULONG)exit_status);
    end_machine();
}

void KiSystemStartup(LOADER_PARAMETER_BLOCK *block)
{
    ETHREAD *thread;
    NTSTATUS status;

    ki_set_security_cookie(block);
    ki_initialize_pcr();
    kd_start_serial();
    DbgPrint("ntwalk " NTWALK_VERSION ": a Windows NT system call, from ring 3 "
             "to ring 0 and back\n");
    show_bug();
    ps_initialize_boot_thread();
    if (!block)
        KeBugCheckEx(CONFIG_INITIALIZATION_FAILED, 1, 0, 0, 0);
    loader_block = *block;
    ke_boot_clock.kernel = block->entered;
    load_symbols(FALSE);
    init_read_options(loader_block.options);
    kd_set_log(init_option("log"));
    show_loader();
    init_show_options();
    if (strcmp(init_option("report"), "e9") == 0)
        kd_enable_report();

    ki_show_security_cookie();
    ki_initialize_features(init_option("kva"));
    ki_patch_smap_sites();
    ki_show_descriptors(CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb));
    ki_show_idt(CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb));
    ki_show_features();
    ki_show_speculation();
    ki_initialize_machine_checks();
    ki_pin_registers();
    ki_initialize_services(&loader_block);
    wow64_initialize();
    MmInitSystem(&loader_block);
    ki_map_gdt(CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb));
    load_symbols(TRUE);
    mm_end_boot_mappings();
    kd_start_screen(&loader_block);
    hal_initialize(&loader_block);
    init_map_apic();
    ki_start_clock();
    ki_initialize_shared_data();
    ki_choose_door();
    ke_initialize_time();
    KeStartAllProcessors(&loader_block);

    ob_initialize();
    ex_initialize();
    io_initialize(&loader_block);
    ps_initialize();
    mm_initialize_sections();
    mm_start_paging();
    mm_seal_image();
    arch_enable_interrupts();
    mm_check_protections();
    status = ps_create_system_thread(Phase1Initialization, NULL, &thread);
    if (!NT_SUCCESS(status))
        KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, (ULONG)status, 2, 0, 0);
    KiIdleLoop();
}

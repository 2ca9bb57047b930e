/*
 * init/start.c - KiSystemStartup: from the loader to the first program.
 *
 * The order is the boot log's: what the loader gave, the processor's tables
 * and switches, memory, screen, clock, objects, and then one program in ring
 * 3 whose end is the end of the run.
 */
#include <arch/clock.h>
#include <arch/entry.h>
#include <init.h>
#include <io.h>
#include <kd.h>
#include <ke/ki.h>
#include <mm.h>
#include <ob.h>
#include <ps.h>
#include <arch/processor.h>

#define VERSION "ntwalk 0.1"

static LOADER_PARAMETER_BLOCK KeLoaderBlock;

static const struct loader_module *find_module(const char *name)
{
    for (ULONG i = 0; i < KeLoaderBlock.module_count; i++) {
        if (strcmp(KeLoaderBlock.modules[i].name, name) == 0)
            return &KeLoaderBlock.modules[i];
    }
    return NULL;
}

static void show_loader(void)
{
    const struct loader_framebuffer *fb = &KeLoaderBlock.framebuffer;

    DbgPrint("BOOT  %s, %s; kernel at %llx, %llu KiB\n",
             KeLoaderBlock.loader_name, KeLoaderBlock.firmware,
             KeLoaderBlock.kernel_base, KeLoaderBlock.kernel_size >> 10);
    for (ULONG i = 0; i < KeLoaderBlock.module_count; i++)
        DbgPrint("FILE  %011llx %9llu bytes  %s\n",
                 KeLoaderBlock.modules[i].base, KeLoaderBlock.modules[i].size,
                 KeLoaderBlock.modules[i].name);
    if (fb->address)
        DbgPrint("VIDEO %011llx  %ux%u, %u bits, pitch %u\n", fb->address,
                 fb->width, fb->height, fb->bits_per_pixel, fb->pitch);
}

/* Symbols while modules are still at their physical addresses. */
static void load_symbols(void)
{
    const struct loader_module *module = find_module("ntoskrnl.sym");

    if (module)
        kd_load_symbols((const char *)module->base, module->size);
}

/* Again at the address that stays. */
static void reload_symbols(void)
{
    const WCHAR *name = L"ntoskrnl.sym";
    UNICODE_STRING string;
    const void *bytes;
    SIZE_T size;

    RtlInitUnicodeString(&string, name);
    if (NT_SUCCESS(io_find_boot_file(&string, &bytes, &size)))
        kd_load_symbols(bytes, size);
    else
        kd_load_symbols(NULL, 0);
}

__attribute__((noreturn)) static void run(void)
{
    NTSTATUS exit_status = STATUS_SUCCESS;
    NTSTATUS status;

    if (!*init_command_line()) {
        DbgPrint("nothing to run: end the options with -- PROGRAM\n");
        KeBugCheckEx(CONFIG_INITIALIZATION_FAILED, 0, 0, 0, 0);
    }
    status = ps_run_program(init_command_line(), &exit_status);
    if (!NT_SUCCESS(status)) {
        DbgPrint("cannot run %s: status %08x\n", init_command_line(), status);
        exit_status = status;
    }
    DbgPrint("\n%u system calls, %u interrupts; the program's status is "
             "%08x\n", KeGetCurrentPrcb()->KeSystemCalls,
             KeGetCurrentPrcb()->InterruptCount, exit_status);
    DbgPrint("It is now safe to turn off your computer.\n");
    kd_report("exit", (ULONG)exit_status);
    arch_disable_interrupts();
    for (;;)
        arch_halt();
}

void KiSystemStartup(LOADER_PARAMETER_BLOCK *block)
{
    kd_start_serial();
    DbgPrint(VERSION ": a Windows NT system call, from ring 3 to ring 0 and "
             "back\n");
    ki_initialize_pcr();
    ps_initialize_boot_thread();
    if (!block)
        KeBugCheckEx(CONFIG_INITIALIZATION_FAILED, 1, 0, 0, 0);
    KeLoaderBlock = *block;
    load_symbols();
    show_loader();
    init_parse_options(KeLoaderBlock.options);
    if (strcmp(init_option("report"), "e9") == 0)
        kd_enable_report();

    ki_initialize_features();
    ki_patch_smap_sites();
    ki_show_descriptors(CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb));
    ki_show_idt(CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb));
    ki_show_features();
    ki_initialize_services(&KeLoaderBlock);
    MmInitSystem(&KeLoaderBlock);
    kd_start_screen(&KeLoaderBlock);
    ki_start_clock();
    ki_initialize_shared_data();
    ke_initialize_time();

    ob_initialize();
    io_initialize(&KeLoaderBlock);
    reload_symbols();
    ps_initialize();
    arch_enable_interrupts();
    mm_check_protections();
    run();
}

/*
 * tour.h - the tour's private header.
 *
 * The tour shows one system call after another and checks what it shows: each
 * check that does not hold makes its end a failure. The order of chapters is
 * main.c's.
 */
#pragma once

#include "../lib/call.h"
#include "../lib/check.h"
#include "../lib/print.h"

/* Chapter 1 (where.c). */
void show_where(void);

/* The kernel's symbols, memory and MSRs (kernel.c); FALSE: closed to us. */
BOOLEAN kernel_open(void);
BOOLEAN kernel_is_open(void);
BOOLEAN kernel_msr(ULONG msr, ULONGLONG *value);
BOOLEAN kernel_read(ULONGLONG address, void *buffer, ULONG size);
ULONGLONG kernel_address(const char *name);
ULONGLONG kernel_thread(void);                  /* the current KTHREAD */
BOOLEAN kernel_name(ULONGLONG address, char name[64]);

/*
 * KVA shadow: is it on, and then doors have other names and stacks.  Is this
 * the name of that door, with or without?
 */
BOOLEAN kernel_has_shadow(void);
BOOLEAN kernel_is_door(const char *name, const char *door);
const char *kernel_entry_stack(void);

/*
 * One call, made and shown (call.c): by ntdll's stub, or raw with number in
 * rax. note: a word on the result.
 */
struct stop {
    const char *title;
    const char *service;                        /* NULL: none is reached */
    BOOLEAN raw;
    ULONGLONG number;                           /* rax of a raw call */
    ULONG count;
    const ULONGLONG *arguments;
    ULONG expect;                               /* eax */
    const char *note;
};

void show_call(const struct stop *stop);
void show_registers(void);
void show_stub_door(void);

/* What room 5 leaves: the same after every call through any door, whose two
 * bytes are door. */
void check_registers(const struct call *call, const UCHAR door[2]);

/* Chapter 2: the calls (stops.c). */
void show_stops(void);

/* What the processor calls itself (cpuname.c). */
#define CPU_NAME 49

struct cpu_model {
    ULONG family, model, stepping;
};

void cpu_name(char name[CPU_NAME]);
void cpu_model(struct cpu_model *model);

/* What the processor loads at each door (cpu.c). */
struct cpu {
    ULONGLONG star, lstar, fmask;
    ULONGLONG sysenter_cs, sysenter_esp, sysenter_eip;
    ULONGLONG gate[2], gate_offset;             /* vector 2E */
    ULONG gate_cs, gate_ist, gate_type, gate_dpl, gate_present;
    ULONGLONG tss, rsp0;
};

#define STAR_CS(star) ((star) >> 32 & 0xFFFF)   /* of SYSCALL */
#define STAR_BACK(star) ((star) >> 48)          /* of SYSRET, before adding */

void cpu_vendor(char vendor[13]);
BOOLEAN cpu_read(struct cpu *cpu);
void cpu_show(const struct cpu *cpu);

/* Chapter 3: the doors (doors.c). */
void show_doors(void);

/* Chapter 4: user APCs (apc.c). */
void show_apcs(void);

/*
 * ntdll's routine that address is in, if it is less than count bytes behind
 * its start; NULL: in none (names.c).
 */
const char *name_in_ntdll(ULONGLONG address, ULONG count, ULONGLONG *start);

/* Chapter 5: an exception (exception.c). */
void show_exception(void);

/* Chapter 6: a page (page.c). */
void show_page(void);

/* Chapter 7: an instrumentation callback (instrument.c). */
void show_instrumentation(void);

/*
 * What the firmware calls the machine and itself (firmware.c), as SMBIOS has
 * it; "" is what it does not tell.
 */
#define MACHINE_NAME 48

struct machine_names {
    char maker[MACHINE_NAME], product[MACHINE_NAME];
    char vendor[MACHINE_NAME], version[MACHINE_NAME], date[MACHINE_NAME];
};

void firmware_names(struct machine_names *names);

/* Pixels (screen.c); FALSE: there is no screen. */
BOOLEAN screen_size(ULONG *width, ULONG *height);

/* A QR code of text in the lower right corner, if there is room (screen.c). */
void screen_show_code(const char *text, ULONG length);

/* Chapter 8: this machine, and what has been checked (machine.c). */
void show_machine(void);

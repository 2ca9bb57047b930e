/*
 * share.c - a TCG plugin that tells which memory processors share in a call.
 *
 * Words: places=FILE (places.h: doors, entries, a service), out=FILE. A call
 * is what ring 0 does from a door to the way out by SYSRET, by way of that
 * service; one that an interrupt or an exception comes into is left out. Of
 * the others comes, when the machine ends,
 *
 *   calls CPU N                  whole ones
 *   locked N ADDRESS             interlocked instructions, by address
 *   waited N ADDRESS             PAUSEs: so often was a lock found taken; in
 *                                other calls, too, until the interrupt
 *   shared N ADDRESS LINE LOCKED
 *                                64 bytes that one processor writes and
 *                                another uses, N times the one that does so
 *                                more seldom; who has written; so many
 *                                interlocked instructions were there
 *
 * Processors run at the same time, and note for themselves; a whole call is
 * added to all others' under a lock.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "decode.h"
#include "places.h"
#include "qemu_plugin.h"

#define CPUS 8
#define CALL 4096                       /* accesses of one call, at most */
#define LINES 8192
#define LINE_SHIFT 6
#define PLACES 64
#define USER_BITS 47

struct instruction {
    uint64_t address;
    bool locked, pause;
};

struct block {
    uint32_t places;                    /* of its first instruction */
    bool leaves;                        /* by SYSRET or SYSEXIT */
    struct instruction instructions[];
};

struct access {
    uint64_t line;
    const struct instruction *by;
    bool write;
};

/* What a processor's call has done so far. */
static struct call {
    bool inside, served, whole;
    unsigned int count;
    struct access accesses[CALL];
    uint64_t calls;
} call_of[CPUS];

static struct line {
    uint64_t line, writer;
    uint64_t uses[CPUS], writes[CPUS], locked;
} lines[LINES];

static struct place {
    uint64_t address, count;
} locks[PLACES], waits[PLACES];

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *out;

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* ---- calls that are whole */

static struct line *find(uint64_t line)
{
    uint64_t at = line * 0x9E3779B97F4A7C15 >> 40;

    for (unsigned int i = 0; i < LINES; i++) {
        struct line *place = &lines[(at + i) % LINES];

        if (!place->line)
            place->line = line;
        if (place->line == line)
            return place;
    }
    abort();
}

static void count_at(struct place *place, uint64_t address)
{
    const struct place *end = place + PLACES;

    while (place->count && place->address != address)
        if (++place == end)
            abort();
    place->address = address;
    place->count++;
}

static void add_call(struct call *call, unsigned int cpu)
{
    pthread_mutex_lock(&mutex);
    for (unsigned int i = 0; i < call->count; i++) {
        const struct access *access = &call->accesses[i];
        struct line *line = find(access->line);

        line->uses[cpu]++;
        if (access->write) {
            line->writes[cpu]++;
            line->writer = access->by->address;
        }
        if (access->by->locked && access->write) {
            line->locked++;
            count_at(locks, access->by->address);
        }
    }
    pthread_mutex_unlock(&mutex);
    call->calls++;
}

/* ---- while the machine runs */

static void block_begins(unsigned int cpu, void *data)
{
    const struct block *block = data;
    struct call *call = &call_of[cpu % CPUS];

    if (block->places & PLACE_DOOR) {
        if (call->whole)
            add_call(call, cpu % CPUS);
        call->inside = true;
        call->served = call->whole = false;
        call->count = 0;
    } else if (block->places & PLACE_ENTRY) {
        call->inside = call->whole = false;
    } else if (block->places & PLACE_SERVICE) {
        call->served = true;
    } else if (block->leaves && call->inside) {
        call->whole = call->served;
    }
}

static void user_begins(unsigned int cpu, void *data)
{
    (void)data;
    call_of[cpu % CPUS].inside = false;
}

static void accessed(unsigned int cpu, qemu_plugin_meminfo_t info,
                     uint64_t address, void *data)
{
    struct call *call = &call_of[cpu % CPUS];

    if (!call->inside)
        return;
    if (call->count == CALL) {          /* it is no short one */
        call->inside = call->whole = false;
        return;
    }
    call->accesses[call->count++] = (struct access){
        .line = address >> LINE_SHIFT,
        .by = data,
        .write = qemu_plugin_mem_is_store(info),
    };
}

static void pauses(unsigned int cpu, void *data)
{
    const struct instruction *own = data;
    const struct call *call = &call_of[cpu % CPUS];

    if (!call->inside || !call->served)
        return;
    pthread_mutex_lock(&mutex);
    count_at(waits, own->address);
    pthread_mutex_unlock(&mutex);
}

/* ---- when a block is translated */

static bool is_pause(const struct qemu_plugin_insn *insn)
{
    const uint8_t *bytes = qemu_plugin_insn_data(insn);

    return qemu_plugin_insn_size(insn) == 2 && bytes[0] == 0xF3 &&
           bytes[1] == 0x90;
}

/* LOCK, or XCHG with memory, which needs none; behind REX and others. */
static bool is_locked(const struct qemu_plugin_insn *insn)
{
    const uint8_t *bytes = qemu_plugin_insn_data(insn);
    size_t size = qemu_plugin_insn_size(insn), at = 0;

    while (at < size && (bytes[at] == 0x65 || bytes[at] == 0x66 ||
                         bytes[at] == 0xF2 || bytes[at] == 0xF3))
        at++;
    if (at < size && bytes[at] == 0xF0)
        return true;
    if (at < size && (bytes[at] & 0xF0) == 0x40)
        at++;
    return at < size && (bytes[at] == 0x86 || bytes[at] == 0x87);
}

static struct block *describe(const struct qemu_plugin_tb *tb, size_t count)
{
    struct block *block = calloc(1, sizeof *block +
                                        count * sizeof *block->instructions);

    if (!block)
        abort();
    for (size_t i = 0; i < count; i++) {
        const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *bytes = qemu_plugin_insn_data(insn);
        size_t size = qemu_plugin_insn_size(insn);

        block->instructions[i] = (struct instruction){
            qemu_plugin_insn_vaddr(insn), is_locked(insn), is_pause(insn),
        };
        block->leaves = decode_transfer(bytes, size) == TRANSFER_LEAVE;
    }
    block->places = places_at(block->instructions->address);
    return block;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t count = qemu_plugin_tb_n_insns(tb);
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, 0);
    struct block *block;

    (void)id;
    if (qemu_plugin_insn_vaddr(insn) >> USER_BITS == 0) {
        qemu_plugin_register_vcpu_tb_exec_cb(tb, user_begins,
                                             QEMU_PLUGIN_CB_NO_REGS, NULL);
        return;
    }
    block = describe(tb, count);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, block_begins,
                                         QEMU_PLUGIN_CB_NO_REGS, block);
    for (size_t i = 0; i < count; i++) {
        struct instruction *own = &block->instructions[i];

        insn = qemu_plugin_tb_get_insn(tb, i);
        qemu_plugin_register_vcpu_mem_cb(insn, accessed,
                                         QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_RW, own);
        if (own->pause)
            qemu_plugin_register_vcpu_insn_exec_cb(
                insn, pauses, QEMU_PLUGIN_CB_NO_REGS, own);
    }
}

/* ---- begin and end */

static uint64_t times_shared(const struct line *line)
{
    uint64_t most = 0;

    for (unsigned int one = 0; one < CPUS; one++) {
        for (unsigned int other = 0; other < CPUS; other++) {
            uint64_t times = line->writes[one] < line->uses[other]
                                 ? line->writes[one] : line->uses[other];

            if (one != other && times > most)
                most = times;
        }
    }
    return most;
}

static void write_places(FILE *file, const char *kind,
                         const struct place *place)
{
    for (unsigned int i = 0; i < PLACES && place[i].count; i++)
        fprintf(file, "%s %" PRIu64 " %" PRIx64 "\n", kind, place[i].count,
                place[i].address);
}

static void machine_ends(qemu_plugin_id_t id, void *data)
{
    FILE *file = fopen(out, "w");

    (void)id, (void)data;
    if (!file)
        return;
    for (unsigned int cpu = 0; cpu < CPUS; cpu++)
        fprintf(file, "calls %u %" PRIu64 "\n", cpu, call_of[cpu].calls);
    write_places(file, "locked", locks);
    write_places(file, "waited", waits);
    for (unsigned int i = 0; i < LINES; i++) {
        uint64_t times = times_shared(&lines[i]);

        if (times)
            fprintf(file, "shared %" PRIu64 " %" PRIx64 " %" PRIx64 " %" PRIu64
                    "\n", times, lines[i].writer, lines[i].line << LINE_SHIFT,
                    lines[i].locked);
    }
    fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
                        int argc, char **argv)
{
    const char *wrong = places_words(argc, argv, &out);

    (void)info;
    if (wrong) {
        fprintf(stderr, "share: %s\n", wrong);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, machine_ends, NULL);
    return 0;
}

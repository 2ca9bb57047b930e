/*
 * watch.c - a TCG plugin that watches how ring 0 uses ring 3's memory.
 *
 * Words: places=FILE (places.h), out=FILE. Out comes, when the machine ends,
 *
 *   calls N                      services that began
 *   accesses N                   ring 0's, to addresses of the lower half
 *   helpers N                    of these, by the instructions that may
 *   shadow N                     ring 0's blocks under ring 3's page tables
 *   outside N ADDRESS CHAIN      accesses not by helpers, by who it was
 *                                (calls.h)
 *   unmapped N ADDRESS CHAIN     of these, those that are not PLACE_SHADOW
 *   page N ADDRESS CHAIN         a page that such blocks have read or written,
 *                                and who first
 *   pair N APART ADDRESS CHAIN CHAIN       fetches.h
 *
 * Ring 0 is what runs in the kernel's half of the address space. It begins in
 * the other half, under the loader's tables, which have no ring 3: what it
 * touches there until they are gone (PLACE_BEGIN) is nobody's.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "calls.h"
#include "decode.h"
#include "fetches.h"
#include "places.h"
#include "qemu_plugin.h"
#include "tables.h"

#define OUTSIDE 256                     /* of different origin, at most */
#define USER_BITS 47
#define PAGE_OFFSET ((uint64_t)0xFFF)

struct instruction {
    uint64_t address;
    uint32_t places;
    enum transfer transfer;
};

struct block {
    uint32_t places;                    /* of its first instruction */
    bool leaves;                        /* by SYSRET or SYSEXIT */
    bool in_shadow;                     /* all of it */
    struct instruction instructions[];
};

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static const char *out;
static bool watching;
static const struct block *last;        /* of ring 0 */
static uint64_t user_blocks, user_blocks_seen;
static uint64_t calls, accesses, helpers, shadow_blocks;
static struct outside {
    uint32_t who;
    uint64_t count, address;
} outside[OUTSIDE + 1], unmapped[OUTSIDE + 1], pages[OUTSIDE + 1];
                                        /* the last one ends it */

/* ---- while the machine runs */

static void note(struct outside *place, uint32_t who, uint64_t address)
{
    const struct outside *end = place + OUTSIDE;

    while (place->who && place->who != who)
        if (++place == end)
            abort();
    *place = (struct outside){ who, place->count + 1, address };
}

/* Under ring 3's page tables; all of ring 3's memory is one page. */
static void note_page(const struct instruction *own, uint64_t address)
{
    uint64_t page = address >> USER_BITS ? address & ~PAGE_OFFSET : 0;
    struct outside *place = pages;

    while (place->who && place->address != page)
        if (++place == pages + OUTSIDE)
            abort();
    if (!place->who)
        *place = (struct outside){ fetches_who(own->address), 0, page };
    place->count++;
}

static void user_memory(const struct instruction *own, uint64_t address,
                        qemu_plugin_meminfo_t info)
{
    accesses++;
    if (own->places & PLACE_HELPER)
        helpers++;
    else
        note(outside, fetches_who(own->address), address);
    if (!qemu_plugin_mem_is_store(info) && !(own->places & PLACE_PROBE))
        fetches_read(address, 1U << qemu_plugin_mem_size_shift(info),
                     own->address);
}

/* QEMU 7.2 goes on with the callback of a block's last instruction into ring
   3's blocks: that is nothing of ring 0's. */
static void accessed(unsigned int cpu, qemu_plugin_meminfo_t info,
                     uint64_t address, void *data)
{
    const struct instruction *own = data;

    (void)cpu;
    if (user_blocks != user_blocks_seen)
        return;
    if (own->places & PLACE_SWITCH)
        fetches_thread(address);
    if (own->transfer == TRANSFER_RETURN)
        fetches_return(address);
    else if (own->transfer != TRANSFER_NONE && qemu_plugin_mem_is_store(info))
        fetches_call(address, own->address);
    if (own->places & PLACE_USER_TABLES)
        tables_read();
    if (tables_are_users)
        note_page(own, address);
    if (address >> USER_BITS == 0 && watching)
        user_memory(own, address, info);
}

/* From ring 3, also when none of its instructions got as far as to begin. */
static bool entered(const struct block *next)
{
    bool from_user = user_blocks != user_blocks_seen;

    user_blocks_seen = user_blocks;
    return from_user || (last && last->leaves && next->places & PLACE_ENTRY);
}

static void block_begins(unsigned int cpu, void *data)
{
    const struct block *next = data;

    (void)cpu;
    if (entered(next))
        fetches_entered();
    last = next;
    if (tables_are_users) {
        shadow_blocks++;
        if (!next->in_shadow)
            note(unmapped, fetches_who(next->instructions->address),
                 next->instructions->address);
    }
    if (!next->places)
        return;
    calls += (next->places & PLACE_DOOR) != 0;
    watching |= (next->places & PLACE_BEGIN) != 0;
    if (next->places & PLACE_THREAD)
        fetches_thread_begins();
    if (next->places & PLACE_CALLS_USER)
        fetches_calls_user();
    if (next->places & PLACE_CALLED_USER)
        fetches_called_user();
}

static void changes_tables(unsigned int cpu, void *data)
{
    const struct instruction *own = data;

    (void)cpu;
    tables_change(own->places);
}

/* ---- when a block is translated */

static struct block *describe(const struct qemu_plugin_tb *tb, size_t count)
{
    struct block *block = calloc(1, sizeof *block +
                                        count * sizeof *block->instructions);

    if (!block)
        abort();
    for (size_t i = 0; i < count; i++) {
        const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        struct instruction *own = &block->instructions[i];
        enum transfer transfer = decode_transfer(qemu_plugin_insn_data(insn),
                                                 qemu_plugin_insn_size(insn));

        own->address = qemu_plugin_insn_vaddr(insn);
        own->places = places_at(own->address);
        if (transfer == TRANSFER_CALL || transfer == TRANSFER_CALL_REGISTER ||
            transfer == TRANSFER_RETURN)
            own->transfer = transfer;
        block->leaves = transfer == TRANSFER_LEAVE;
    }
    block->places = block->instructions->places;
    block->in_shadow = block->instructions->places &
                       block->instructions[count - 1].places & PLACE_SHADOW;
    return block;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t count = qemu_plugin_tb_n_insns(tb);
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, 0);
    struct block *block;

    (void)id;
    if (qemu_plugin_insn_vaddr(insn) >> USER_BITS == 0) {
        qemu_plugin_register_vcpu_insn_exec_inline(
            insn, QEMU_PLUGIN_INLINE_ADD_U64, &user_blocks, 1);
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
        if (own->places & PLACE_CHANGES_TABLES)
            qemu_plugin_register_vcpu_insn_exec_cb(
                insn, changes_tables, QEMU_PLUGIN_CB_NO_REGS, own);
    }
}

/* ---- begin and end */

static void write_places(FILE *file, const char *kind,
                         const struct outside *place)
{
    for (; place->who; place++) {
        fprintf(file, "%s %" PRIu64 " %" PRIx64 " ", kind, place->count,
                place->address);
        calls_write(file, place->who);
        fputc('\n', file);
    }
}

static void machine_ends(qemu_plugin_id_t id, void *data)
{
    FILE *file = fopen(out, "w");

    (void)id, (void)data;
    if (!file)
        return;
    fprintf(file, "calls %" PRIu64 "\naccesses %" PRIu64 "\nhelpers %" PRIu64
            "\nshadow %" PRIu64 "\n", calls, accesses, helpers, shadow_blocks);
    write_places(file, "outside", outside);
    write_places(file, "unmapped", unmapped);
    write_places(file, "page", pages);
    fetches_write(file);
    fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
                        int argc, char **argv)
{
    const char *wrong = places_words(argc, argv, &out);

    (void)info;
    if (wrong) {
        fprintf(stderr, "watch: %s\n", wrong);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, machine_ends, NULL);
    return 0;
}

/*
 * profile.c - a TCG plugin that counts instructions by who began them.
 *
 * Words: symbols=FILE (symbols.h), out=FILE, boot=on to count from the
 * kernel's first instruction and not from ring 3's first. Out comes
 *
 *   total N                      instructions that began while it counted
 *   lost N                       returns that ended nothing (stack.h)
 *   ended N                      1: the run came to its end (SYMBOL_LAST)
 *
 * and the tree (tree.h). QEMU itself adds 1 to a number at every instruction's
 * begin; we look at that number at every block's begin, and so know how far
 * the block before has come: an instruction in the middle may have been a
 * fault. Where that block leads is followed only then, because only the next
 * one tells whether an interrupt has come between.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "qemu_plugin.h"
#include "stack.h"
#include "symbols.h"
#include "words.h"

/* flags are those of a symbol that begins where the block does. */
struct block {
    uint64_t address, end, jump;
    uint32_t symbol, flags, count;
    enum transfer transfer;
    bool user;
    struct instruction {
        uint64_t address;
        uint32_t symbol;
    } instructions[];
};

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* In FOLLOWING stack_counting may be set. */
static enum { WAITING, FOLLOWING, ENDED } state;
static bool from_boot;
static const char *out;
static uint64_t begun, begun_before;    /* now, and at last's begin */
static uint64_t counted_from, total;
static const struct block *last;
static uint64_t slot;                   /* of last's CALL or RET */

/* ---- while the machine runs */

static void settle(uint64_t count)
{
    struct node *node = NULL;

    for (uint64_t i = 0; i < count && i < last->count; i++) {
        uint32_t symbol = last->instructions[i].symbol;

        if (!node || node->symbol != symbol)
            node = stack_node(symbol);
        node->count += stack_counting;
    }
}

/* Where a thread goes on that did not get beyond this point. */
static uint64_t resume_address(uint64_t count, const struct block *next)
{
    bool fault = last->transfer == TRANSFER_NONE &&
                 !(next->flags & SYMBOL_INTERRUPT);

    if (count && (count < last->count || fault))
        return last->instructions[count - 1].address;
    return last->end;
}

static bool trapped(const struct block *next, enum transfer transfer)
{
    return next->flags & SYMBOL_VECTOR &&
           !(transfer == TRANSFER_JUMP && last->jump == next->address);
}

/* What last's final instruction did; returns whether ring 3 goes on. */
static bool finish(enum transfer transfer, const struct block *next)
{
    uint64_t target = next ? next->address : 0;
    uint32_t flags = symbol_flags(last->instructions[last->count - 1].symbol);

    switch (transfer) {
    case TRANSFER_CALL:
    case TRANSFER_CALL_REGISTER:
        stack_call(slot, last->end, last->user,
                   transfer == TRANSFER_CALL_REGISTER &&
                       flags & SYMBOL_FINDS_SERVICE);
        break;
    case TRANSFER_RETURN:
        stack_return(slot, target, last->user,
                     next && next->flags & SYMBOL_THREAD);
        break;
    case TRANSFER_LEAVE:
    case TRANSFER_IRET:
        if (last->user || !stack_leave(target))
            break;
        if (next && next->flags & SYMBOL_DISPATCHER)
            stack_dispatcher();
        return true;
    default:
        break;
    }
    return last->user;
}

static void follow(uint64_t count, const struct block *next)
{
    enum transfer transfer = count == last->count ? last->transfer
                                                  : TRANSFER_NONE;
    bool trap, user;

    if ((transfer == TRANSFER_CALL || transfer == TRANSFER_CALL_REGISTER ||
         transfer == TRANSFER_RETURN) && slot == 0)
        transfer = TRANSFER_NONE;       /* a fault, not a transfer */
    trap = trapped(next, transfer);
    user = finish(transfer, trap ? NULL : next);
    if (next->user || (!user && !trap))
        return;
    if (user && next->flags & SYMBOL_DOOR)
        stack_service(last->end);
    else
        stack_trap(resume_address(count, next), user,
                   next->flags & SYMBOL_INTERRUPT);
}

static void end(void)
{
    if (stack_counting)
        total = begun - counted_from;
    state = ENDED;
}

static void block_begins(unsigned int cpu, void *data)
{
    const struct block *next = data;
    uint64_t count = begun - begun_before;

    begun_before = begun;
    if (cpu != 0 || state == ENDED)
        return;
    if (state == WAITING) {
        if (!(next->flags & SYMBOL_FIRST))
            return;
        state = FOLLOWING;
        stack_start();
    } else {
        settle(count);
        follow(count, next);
    }
    if (!stack_counting && (from_boot || next->user)) {
        stack_counting = true;
        counted_from = begun;
    }
    if (next->flags & SYMBOL_LAST)
        end();
    last = next;
    slot = 0;
}

/* A CALL may read where it leads, a far one writes twice: the last store
   counts. Of a RET it is the first load. QEMU 7.2 goes on with the callback of
   a block's last instruction into the next block: that is nothing of ours. */
static void accessed(unsigned int cpu, qemu_plugin_meminfo_t info,
                     uint64_t address, void *data)
{
    (void)cpu;
    if (data == last && (last->transfer == TRANSFER_RETURN
                             ? slot == 0 : qemu_plugin_mem_is_store(info)))
        slot = address;
}

/* ---- when a block is translated */

static uint64_t jump_target(const uint8_t *bytes, size_t size, uint64_t end)
{
    int32_t distance;

    if (size != 5 || *bytes != 0xE9)
        return 0;
    memcpy(&distance, bytes + 1, sizeof distance);
    return end + (uint64_t)(int64_t)distance;
}

static void describe(struct block *block, const struct qemu_plugin_tb *tb)
{
    uint32_t flags;

    for (size_t i = 0; i < block->count; i++) {
        const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *bytes = qemu_plugin_insn_data(insn);
        size_t size = qemu_plugin_insn_size(insn);
        struct instruction *own = &block->instructions[i];

        own->address = qemu_plugin_insn_vaddr(insn);
        own->symbol = symbol_of(own->address, bytes, size);
        block->end = own->address + size;
        block->transfer = decode_transfer(bytes, size);
        block->jump = jump_target(bytes, size, block->end);
    }
    block->address = block->instructions->address;
    block->symbol = block->instructions->symbol;
    flags = symbol_flags(block->symbol);
    block->user = !(flags & SYMBOL_KERNEL) && !(block->address >> 63);
    if (symbol_start(block->symbol) == block->address)
        block->flags = flags;
}

/* Nothing before the kernel is looked at. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t count = qemu_plugin_tb_n_insns(tb);
    struct block *block = calloc(1, sizeof *block +
                                        count * sizeof *block->instructions);

    (void)id;
    if (!block || count == 0)
        return;
    block->count = (uint32_t)count;
    describe(block, tb);
    if (state == ENDED || (state == WAITING && !block->symbol)) {
        free(block);
        return;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, block_begins,
                                         QEMU_PLUGIN_CB_NO_REGS, block);
    for (size_t i = 0; i < count; i++)
        qemu_plugin_register_vcpu_insn_exec_inline(
            qemu_plugin_tb_get_insn(tb, i), QEMU_PLUGIN_INLINE_ADD_U64,
            &begun, 1);
    if (block->transfer == TRANSFER_CALL ||
        block->transfer == TRANSFER_CALL_REGISTER ||
        block->transfer == TRANSFER_RETURN)
        qemu_plugin_register_vcpu_mem_cb(
            qemu_plugin_tb_get_insn(tb, count - 1), accessed,
            QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, block);
}

/* ---- begin and end */

static void machine_ends(qemu_plugin_id_t id, void *data)
{
    FILE *file = fopen(out, "w");
    bool in_time = state == ENDED;

    (void)id, (void)data;
    if (state == FOLLOWING) {
        settle(begun - begun_before);
        end();
    }
    stack_end();
    if (!file)
        return;
    fprintf(file, "total %" PRIu64 "\nlost %" PRIu64 "\nended %d\n", total,
            stack_lost, in_time);
    tree_write(file);
    fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
                        int argc, char **argv)
{
    const char *symbols = NULL, *wrong, *value;

    (void)info;
    for (int i = 0; i < argc; i++) {
        if ((value = word(argv[i], "symbols=")))
            symbols = value;
        else if ((value = word(argv[i], "out=")))
            out = value;
        else if ((value = word(argv[i], "boot=")))
            from_boot = !strcmp(value, "on");
    }
    wrong = out ? symbols_read(symbols) : "out= is missing";
    if (wrong) {
        fprintf(stderr, "profile: %s\n", wrong);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, machine_ends, NULL);
    return 0;
}

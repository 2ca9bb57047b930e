/*
 * qemu_plugin.h - QEMU's interface for TCG plugins, version 1.
 *
 * Debian and Ubuntu build their QEMU with plugins but package no header for
 * them, so what ours call is declared here, from QEMU's public documentation
 * ("QEMU TCG Plugins"). QEMU speaks this version up to 8.2.
 *
 * QEMU loads the plugin, looks at qemu_plugin_version and calls
 * qemu_plugin_install with the words behind -plugin FILE,name=value,...
 * A handle (tb, insn) is good until the callback that got it returns.
 */
#ifndef QEMU_PLUGIN_H
#define QEMU_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_VERSION 1
#define PLUGIN_EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
typedef struct qemu_info qemu_info_t;           /* nobody here looks inside */

struct qemu_plugin_tb;                          /* a block of instructions */
struct qemu_plugin_insn;                        /* one of them */

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

/* Only this one: QEMU 7.2 takes reads alone for none, writes alone for both. */
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_RW = 3 };

/* What a plugin has. */
extern PLUGIN_EXPORT int qemu_plugin_version;
PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
                                      const qemu_info_t *info, int argc,
                                      char **argv);

/* Once for each block that is translated, and once at the end. */
void qemu_plugin_register_vcpu_tb_trans_cb(
    qemu_plugin_id_t id,
    void (*translated)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_atexit_cb(
    qemu_plugin_id_t id, void (*ended)(qemu_plugin_id_t id, void *data),
    void *data);

/* In the first: whenever the block begins, an instruction begins, or one
   has read or written memory. */
void qemu_plugin_register_vcpu_tb_exec_cb(
    struct qemu_plugin_tb *tb, void (*begins)(unsigned int cpu, void *data),
    enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(
    struct qemu_plugin_insn *insn,
    void (*begins)(unsigned int cpu, void *data),
    enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(
    struct qemu_plugin_insn *insn, enum qemu_plugin_op op, void *counter,
    uint64_t amount);
void qemu_plugin_register_vcpu_mem_cb(
    struct qemu_plugin_insn *insn,
    void (*accessed)(unsigned int cpu, qemu_plugin_meminfo_t info,
                     uint64_t address, void *data),
    enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw which,
    void *data);

/* In the last: which of the two it was, and that it was 1 << N bytes. */
_Bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
unsigned int qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);

/* In the first, too: what the block is made of. */
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

#endif

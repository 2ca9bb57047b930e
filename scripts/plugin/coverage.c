/*
 * coverage.c - a TCG plugin that notes which instructions have begun.
 *
 * Words: start=ADDRESS, end=ADDRESS (hexadecimal) and out=FILE. Out comes, when
 * the machine ends, a line for each address between them at which an
 * instruction has begun: the address. One that faults has begun, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "qemu_plugin.h"
#include "words.h"

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static const char *out;
static uint64_t start, end;
static uint64_t *begun;                 /* how often, by address - start */

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t count = qemu_plugin_tb_n_insns(tb);

    (void)id;
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t address = qemu_plugin_insn_vaddr(insn);

        if (address >= start && address < end)
            qemu_plugin_register_vcpu_insn_exec_inline(
                insn, QEMU_PLUGIN_INLINE_ADD_U64, &begun[address - start], 1);
    }
}

static void machine_ends(qemu_plugin_id_t id, void *data)
{
    FILE *file = fopen(out, "w");

    (void)id, (void)data;
    if (!file)
        return;
    for (uint64_t i = 0; i < end - start; i++) {
        if (begun[i])
            fprintf(file, "%" PRIx64 "\n", start + i);
    }
    fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
                        int argc, char **argv)
{
    const char *value;

    (void)info;
    for (int i = 0; i < argc; i++) {
        if ((value = word(argv[i], "start=")))
            start = strtoull(value, NULL, 16);
        else if ((value = word(argv[i], "end=")))
            end = strtoull(value, NULL, 16);
        else if ((value = word(argv[i], "out=")))
            out = value;
    }
    begun = out && end > start ? calloc(end - start, sizeof *begun) : NULL;
    if (!begun) {
        fprintf(stderr, "coverage: start=, end= or out= is missing\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, machine_ends, NULL);
    return 0;
}

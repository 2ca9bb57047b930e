/*
 * coverage.c - a TCG plugin that notes which instructions have begun.
 *
 * Words: start=ADDRESS, end=ADDRESS (hexadecimal) and out=FILE or live=FILE.
 * Out comes, when the machine ends, a line for each address between them at
 * which an instruction has begun: the address. One that faults has begun, too.
 *
 * live is a file of 8 bytes for each address, which is mapped: in it we count
 * how often, and whoever has made it looks, and puts zeroes there, meanwhile.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "qemu_plugin.h"
#include "words.h"

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static const char *out, *live;
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
    FILE *file = out ? fopen(out, "w") : NULL;

    (void)id, (void)data;
    if (!file)
        return;
    for (uint64_t i = 0; i < end - start; i++) {
        if (begun[i])
            fprintf(file, "%" PRIx64 "\n", start + i);
    }
    fclose(file);
}

/* Zeroes, or what is in the file; NULL if it cannot be mapped. */
static uint64_t *counters(const char *path, size_t count)
{
    int file = path ? open(path, O_RDWR) : -1;
    void *at = mmap(NULL, count * sizeof(uint64_t), PROT_READ | PROT_WRITE,
                    path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, file, 0);

    return at == MAP_FAILED ? NULL : at;
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
        else if ((value = word(argv[i], "live=")))
            live = value;
    }
    begun = (out || live) && end > start ? counters(live, end - start) : NULL;
    if (!begun) {
        fprintf(stderr, "coverage: start=, end=, out= or live= is missing\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, machine_ends, NULL);
    return 0;
}

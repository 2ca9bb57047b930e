/*
 * unwind.c - fuzz target: any bytes as code, unwind information and stack.
 *
 * unwind_frame must read nothing outside the image and the stack that it is
 * given (both end where their memory does) and must answer with one of three
 * statuses. What it calls a handler's data lies in the image.
 */
#include <stdlib.h>
#include <string.h>

/* ntdll.h declares them with 32-bit longs. */
#define atol nt_atol
#define labs nt_labs
#define strtol nt_strtol
#define strtoul nt_strtoul
#include "../../ntdll-stub/amd64/unwindp.h"

#define STACK_BYTES 256
#define REGISTERS 16

#define MUST(condition)                 \
    do {                                \
        if (!(condition))               \
            abort();                    \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static RUNTIME_FUNCTION *first;
static struct unwind_range code;

RUNTIME_FUNCTION *functions_find(ULONGLONG pc, ULONGLONG *base,
                                 struct unwind_range *image)
{
    *base = code.low;
    *image = code;
    return pc >= code.low && pc < code.high ? first : NULL;
}

void RtlRaiseStatus(NTSTATUS status)
{
    (void)status;
    abort();
}

/* Mostly on the stack: a random address would stop at the first read. */
static void fill(CONTEXT *context, const uint8_t *data, ULONGLONG stack)
{
    ULONG at;

    for (at = 0; at < REGISTERS; at++)
        (&context->Rax)[at] = stack + data[at] * 2 - 64;
}

static void unwind(const uint8_t *data, UCHAR *image, size_t size,
                   UCHAR *stack)
{
    struct unwind_memory memory = {
        { (ULONGLONG)image, (ULONGLONG)image + size },
        { (ULONGLONG)stack, (ULONGLONG)stack + STACK_BYTES },
    };
    RUNTIME_FUNCTION entry = { data[0], data[0] + data[1],
                               (data[2] | data[3] << 8) % (size + 16) };
    DISPATCHER_CONTEXT at = { .ImageBase = memory.image.low,
                              .ControlPc = memory.image.low + data[4],
                              .FunctionEntry = &entry };
    KNONVOLATILE_CONTEXT_POINTERS pointers = { 0 };
    CONTEXT context = { 0 };
    BOOLEAN interrupted;
    NTSTATUS status;

    first = &entry;
    code = memory.image;
    fill(&context, data + 8, memory.stack.low);
    status = unwind_frame(&memory, data[5] & 3, &at, &context,
                          data[5] & 4 ? &pointers : NULL, &interrupted);
    MUST(status == STATUS_SUCCESS || status == STATUS_BAD_STACK ||
         status == STATUS_BAD_FUNCTION_TABLE);
    if (at.LanguageHandler)
        MUST((ULONGLONG)at.HandlerData > memory.image.low &&
             (ULONGLONG)at.HandlerData <= memory.image.high);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t head = 8 + REGISTERS, bytes;
    UCHAR *image, *stack;

    if (size <= head)
        return 0;
    bytes = size - head;
    image = malloc(bytes);
    stack = malloc(STACK_BYTES);
    memcpy(image, data + head, bytes);
    memset(stack, 0x5A, STACK_BYTES);
    unwind(data, image, bytes, stack);
    free(image);
    free(stack);
    return 0;
}

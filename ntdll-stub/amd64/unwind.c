/*
 * unwind.c - undoing one function: RtlVirtualUnwind.
 *
 * Where rip is decides how:
 *
 *   in an epilogue     its instructions from rip on are carried out; they have
 *                      a fixed form so that this can be done
 *   in the prologue    the steps behind rip are undone
 *   elsewhere          all steps are undone, and the handler may be called
 *
 * Unwind codes are in the order of undoing: the prologue's last step first.
 * A function in several pieces has an entry for each, chained to the first.
 */
#include "unwindp.h"

#define CHAIN_LIMIT     32                      /* NT: UNWIND_CHAIN_LIMIT */
#define RSP             4                       /* registers by number */

struct unwinder {
    const struct unwind_memory *memory;
    const DISPATCHER_CONTEXT *at;
    CONTEXT *context;
    KNONVOLATILE_CONTEXT_POINTERS *pointers;
    ULONGLONG frame;
    BOOLEAN machine_frame;                      /* rip and rsp are known */
};

/* rax to r15 lie in a row, in the order of their numbers. */
static ULONGLONG *integer(CONTEXT *context, ULONG number)
{
    return &context->Rax + number;
}

static BOOLEAN inside(const struct unwind_range *range, ULONGLONG at,
                      ULONGLONG size)
{
    return at >= range->low && at < range->high && range->high - at >= size;
}

static NTSTATUS read_stack(const struct unwinder *unwinder, ULONGLONG at,
                           void *to, ULONG size)
{
    if (!inside(&unwinder->memory->stack, at, size))
        return STATUS_BAD_STACK;
    memcpy(to, (void *)at, size);
    return STATUS_SUCCESS;
}

static NTSTATUS load_integer(struct unwinder *unwinder, ULONG number,
                             ULONGLONG at)
{
    if (unwinder->pointers)
        unwinder->pointers->IntegerContext[number] = (ULONGLONG *)at;
    return read_stack(unwinder, at, integer(unwinder->context, number), 8);
}

static NTSTATUS load_vector(struct unwinder *unwinder, ULONG number,
                            ULONGLONG at)
{
    if (unwinder->pointers)
        unwinder->pointers->FloatingContext[number] = (M128A *)at;
    return read_stack(unwinder, at,
                      &unwinder->context->FltSave.XmmRegisters[number], 16);
}

static NTSTATUS pop(struct unwinder *unwinder, ULONG number)
{
    NTSTATUS status = load_integer(unwinder, number, unwinder->context->Rsp);

    unwinder->context->Rsp += 8;
    return status;
}

static NTSTATUS pop_return(struct unwinder *unwinder)
{
    NTSTATUS status = read_stack(unwinder, unwinder->context->Rsp,
                                 &unwinder->context->Rip, 8);

    unwinder->context->Rsp += 8;
    return status;
}

/* rip, cs, rflags, rsp, ss; below them an error code where the code says so. */
static NTSTATUS pop_machine_frame(struct unwinder *unwinder, BOOLEAN error)
{
    ULONGLONG at = unwinder->context->Rsp + (error ? 8 : 0);
    NTSTATUS status = read_stack(unwinder, at, &unwinder->context->Rip, 8);

    if (!NT_SUCCESS(status))
        return status;
    unwinder->machine_frame = TRUE;
    return read_stack(unwinder, at + 24, &unwinder->context->Rsp, 8);
}

/* ---- Tables ---- */

/* With room for its codes and for what may follow them; or NULL. */
static const UNWIND_INFO *find_info(const struct unwinder *unwinder,
                                    ULONG unwind_data)
{
    ULONGLONG at = unwinder->at->ImageBase + unwind_data;
    const UNWIND_INFO *info = (const UNWIND_INFO *)at;
    ULONG size = sizeof *info;

    if (at % 4 || !inside(&unwinder->memory->image, at, size) ||
        info->Version != 1 || info->FrameRegister == RSP)
        return NULL;
    size += (info->CountOfCodes + 1) / 2 * 4;
    if (info->Flags & UNW_FLAG_CHAININFO)
        size += sizeof(RUNTIME_FUNCTION);
    else if (info->Flags)
        size += sizeof(ULONG);
    return inside(&unwinder->memory->image, at, size) ? info : NULL;
}

static const void *behind_codes(const UNWIND_INFO *info)
{
    return &info->UnwindCode[(info->CountOfCodes + 1) & ~1];
}

/* How many slots a code takes, or 0 for none that there is. */
static ULONG slots_of(UNWIND_CODE code)
{
    switch (code.UnwindOp) {
    case UWOP_PUSH_NONVOL:
    case UWOP_ALLOC_SMALL:
    case UWOP_SET_FPREG:
        return 1;
    case UWOP_PUSH_MACHFRAME:
        return code.OpInfo <= 1 ? 1 : 0;
    case UWOP_ALLOC_LARGE:
        return code.OpInfo <= 1 ? 2 + code.OpInfo : 0;
    case UWOP_SAVE_NONVOL:
    case UWOP_SAVE_XMM128:
        return 2;
    case UWOP_SAVE_NONVOL_FAR:
    case UWOP_SAVE_XMM128_FAR:
        return 3;
    }
    return 0;
}

/* ---- The prologue ---- */

static ULONGLONG frame_register(const struct unwinder *unwinder,
                                const UNWIND_INFO *info)
{
    return *integer(unwinder->context, info->FrameRegister) -
           info->FrameOffset * 16;
}

/* A step's number is in the slots behind it: scaled in one, plain in two. */
static NTSTATUS undo(struct unwinder *unwinder, const UNWIND_INFO *info,
                     const UNWIND_CODE *code, ULONG slots)
{
    CONTEXT *context = unwinder->context;
    ULONG number = slots > 1 ? code[1].FrameOffset : 0;

    if (slots > 2)
        number |= (ULONG)code[2].FrameOffset << 16;
    switch (code->UnwindOp) {
    case UWOP_PUSH_NONVOL:
        return pop(unwinder, code->OpInfo);
    case UWOP_ALLOC_LARGE:
        context->Rsp += slots > 2 ? number : number * 8;
        return STATUS_SUCCESS;
    case UWOP_ALLOC_SMALL:
        context->Rsp += code->OpInfo * 8 + 8;
        return STATUS_SUCCESS;
    case UWOP_SET_FPREG:
        context->Rsp = frame_register(unwinder, info);
        return info->FrameRegister ? STATUS_SUCCESS
                                   : STATUS_BAD_FUNCTION_TABLE;
    case UWOP_SAVE_NONVOL:
        number *= 8;                            /* fall through */
    case UWOP_SAVE_NONVOL_FAR:
        return load_integer(unwinder, code->OpInfo, unwinder->frame + number);
    case UWOP_SAVE_XMM128:
        number *= 16;                           /* fall through */
    case UWOP_SAVE_XMM128_FAR:
        return load_vector(unwinder, code->OpInfo, unwinder->frame + number);
    default:                                    /* UWOP_PUSH_MACHFRAME */
        return pop_machine_frame(unwinder, code->OpInfo);
    }
}

static NTSTATUS undo_codes(struct unwinder *unwinder, const UNWIND_INFO *info,
                           ULONGLONG offset)
{
    const UNWIND_CODE *codes = info->UnwindCode;
    NTSTATUS status = STATUS_SUCCESS;
    ULONG at, slots;

    for (at = 0; at < info->CountOfCodes && NT_SUCCESS(status); at += slots) {
        slots = slots_of(codes[at]);
        if (!slots || slots > info->CountOfCodes - at)
            return STATUS_BAD_FUNCTION_TABLE;
        if (codes[at].CodeOffset <= offset)
            status = undo(unwinder, info, &codes[at], slots);
    }
    return status;
}

/* The function's pieces, the one with rip first. *info: the first piece's,
 * which has the handler. */
static NTSTATUS undo_prologue(struct unwinder *unwinder,
                              const UNWIND_INFO **info)
{
    const RUNTIME_FUNCTION *entry = unwinder->at->FunctionEntry;
    ULONG depth;

    for (depth = 0; depth < CHAIN_LIMIT; depth++) {
        NTSTATUS status;

        *info = find_info(unwinder, entry->UnwindData);
        if (!*info)
            return STATUS_BAD_FUNCTION_TABLE;
        status = undo_codes(unwinder, *info,
                            unwinder->at->ControlPc -
                                unwinder->at->ImageBase - entry->BeginAddress);
        if (!NT_SUCCESS(status))
            return status;
        if (!((*info)->Flags & UNW_FLAG_CHAININFO))
            return unwinder->machine_frame ? STATUS_SUCCESS
                                           : pop_return(unwinder);
        entry = behind_codes(*info);
    }
    return STATUS_BAD_FUNCTION_TABLE;
}

/* Before the frame register is set, the frame is at rsp. */
static ULONGLONG find_frame(const struct unwinder *unwinder,
                            const UNWIND_INFO *info, ULONGLONG offset)
{
    ULONG at;

    if (!info->FrameRegister)
        return unwinder->context->Rsp;
    if (offset >= info->SizeOfProlog || (info->Flags & UNW_FLAG_CHAININFO))
        return frame_register(unwinder, info);
    for (at = 0; at < info->CountOfCodes; at++) {
        ULONG slots = slots_of(info->UnwindCode[at]);

        if (info->UnwindCode[at].UnwindOp == UWOP_SET_FPREG &&
            info->UnwindCode[at].CodeOffset <= offset)
            return frame_register(unwinder, info);
        if (slots)
            at += slots - 1;
    }
    return unwinder->context->Rsp;
}

/* ---- Epilogues ---- */

/* Instructions from rip to the end of the function. */
struct code {
    const struct unwinder *unwinder;
    const UCHAR *at;
    ULONGLONG left;
    ULONGLONG address, begin, end;
};

static LONG number_of(const UCHAR *bytes, ULONG size)
{
    LONG number;

    if (size == 1)
        return (signed char)*bytes;
    memcpy(&number, bytes, 4);
    return number;
}

static void skip(struct code *code, ULONG length)
{
    code->at += length;
    code->left -= length;
    code->address += length;
}

/* "add rsp, n" or "lea rsp, [frame register + n]": rsp behind it. */
static ULONGLONG release(struct unwinder *unwinder, const UNWIND_INFO *info,
                         struct code *code)
{
    const UCHAR *at = code->at;
    ULONG number = info->FrameRegister;
    ULONGLONG from = unwinder->context->Rsp;
    ULONG size = 0;

    if (code->left >= 7 && at[0] == 0x48 && at[1] == 0x81 && at[2] == 0xC4) {
        size = 4;
    } else if (code->left >= 4 && at[0] == 0x48 && at[1] == 0x83 &&
               at[2] == 0xC4) {
        size = 1;
    } else if (number && code->left >= 7 && at[0] == (0x48 | number >> 3) &&
               at[1] == 0x8D && (at[2] & 0x3F) == (0x20 | (number & 7)) &&
               (at[2] >> 6 == 1 || at[2] >> 6 == 2)) {
        size = at[2] >> 6 == 1 ? 1 : 4;
        from = *integer(unwinder->context, number);
    }
    if (!size)
        return from;
    from += number_of(at + 3, size);
    skip(code, 3 + size);
    return from;
}

/* "pop register": its number, or -1. */
static LONG popped(struct code *code)
{
    ULONG rex = code->left >= 2 && code->at[0] == 0x41;

    if (code->left < 1 + rex || (code->at[rex] & 0xF8) != 0x58)
        return -1;
    skip(code, 1 + rex);
    return (code->at[-1] & 7) + rex * 8;
}

/* The entry of the first piece of a function, or NULL. */
static const RUNTIME_FUNCTION *primary(const struct unwinder *unwinder,
                                       const RUNTIME_FUNCTION *entry)
{
    ULONG depth;

    for (depth = 0; depth < CHAIN_LIMIT; depth++) {
        const UNWIND_INFO *info = find_info(unwinder, entry->UnwindData);

        if (!info)
            return NULL;
        if (!(info->Flags & UNW_FLAG_CHAININFO))
            return entry;
        entry = behind_codes(info);
    }
    return NULL;
}

/* A jump to another piece of the function is no tail call. One to its first
 * instruction is: the prologue runs again. */
static BOOLEAN is_inside(const struct unwinder *unwinder, ULONGLONG target)
{
    const RUNTIME_FUNCTION *own, *other;
    struct unwind_range image;
    ULONGLONG base;

    other = functions_find(target, &base, &image);
    if (!other || base != unwinder->at->ImageBase)
        return FALSE;
    own = primary(unwinder, unwinder->at->FunctionEntry);
    other = primary(unwinder, other);
    return own && other && own->BeginAddress == other->BeginAddress &&
           target != base + own->BeginAddress;
}

/* A relative jump that leaves the function, or starts it again. */
static BOOLEAN jumps_out(const struct code *code)
{
    ULONG size = code->at[0] == 0xEB ? 1 : 4;
    ULONGLONG target;

    if (code->left < 1 + size)
        return FALSE;
    target = code->address + 1 + size + number_of(code->at + 1, size);
    return (target <= code->begin || target >= code->end) &&
           !is_inside(code->unwinder, target);
}

/* RET, or the jump of a tail call. */
static BOOLEAN leaves(const struct code *code)
{
    const UCHAR *at = code->at;

    if (!code->left)
        return FALSE;
    switch (at[0]) {
    case 0xC3:
    case 0xC2:
        return TRUE;
    case 0xF3:                                  /* "rep ret" */
        return code->left >= 2 && at[1] == 0xC3;
    case 0xEB:
    case 0xE9:
        return jumps_out(code);
    case 0xFF:                                  /* jmp [rip + n] */
        return code->left >= 2 && at[1] == 0x25;
    }
    return code->left >= 3 && (at[0] & 0xF8) == 0x48 && at[1] == 0xFF &&
           (at[2] & 0x38) == 0x20;              /* jmp register, jmp [...] */
}

static BOOLEAN find_code(const struct unwinder *unwinder, struct code *code)
{
    const DISPATCHER_CONTEXT *at = unwinder->at;

    code->unwinder = unwinder;
    code->address = at->ControlPc;
    code->begin = at->ImageBase + at->FunctionEntry->BeginAddress;
    code->end = at->ImageBase + at->FunctionEntry->EndAddress;
    if (code->address < code->begin || code->address >= code->end ||
        !inside(&unwinder->memory->image, code->address,
                code->end - code->address))
        return FALSE;
    code->at = (const UCHAR *)code->address;
    code->left = code->end - code->address;
    return TRUE;
}

/* FALSE: rip is in no epilogue, and nothing has changed. */
static BOOLEAN undo_epilogue(struct unwinder *unwinder,
                             const UNWIND_INFO *info, NTSTATUS *status)
{
    struct code code, rest;
    ULONGLONG rsp;
    LONG number;

    if (!find_code(unwinder, &code))
        return FALSE;
    rsp = release(unwinder, info, &code);
    rest = code;
    while (popped(&rest) >= 0)
        ;
    if (!leaves(&rest))
        return FALSE;
    unwinder->context->Rsp = rsp;
    *status = STATUS_SUCCESS;
    while (NT_SUCCESS(*status) && (number = popped(&code)) >= 0)
        *status = pop(unwinder, number);
    if (NT_SUCCESS(*status))
        *status = pop_return(unwinder);
    return TRUE;
}

/* ---- One function ---- */

static void find_handler(DISPATCHER_CONTEXT *at, const UNWIND_INFO *info,
                         ULONG type)
{
    const ULONG *behind = behind_codes(info);

    if (!(info->Flags & type) || (info->Flags & UNW_FLAG_CHAININFO))
        return;
    at->LanguageHandler = (PEXCEPTION_ROUTINE)(at->ImageBase + *behind);
    at->HandlerData = (void *)(behind + 1);
}

NTSTATUS unwind_frame(const struct unwind_memory *memory, ULONG type,
                      DISPATCHER_CONTEXT *at, CONTEXT *context,
                      KNONVOLATILE_CONTEXT_POINTERS *pointers,
                      BOOLEAN *interrupted)
{
    struct unwinder unwinder = { memory, at, context, pointers, 0, FALSE };
    ULONGLONG offset = at->ControlPc - at->ImageBase -
                       at->FunctionEntry->BeginAddress;
    const UNWIND_INFO *info;
    NTSTATUS status;
    UCHAR prologue;

    at->LanguageHandler = NULL;
    at->HandlerData = NULL;
    *interrupted = FALSE;
    info = find_info(&unwinder, at->FunctionEntry->UnwindData);
    if (!info)
        return STATUS_BAD_FUNCTION_TABLE;
    prologue = info->SizeOfProlog;
    at->EstablisherFrame = find_frame(&unwinder, info, offset);
    unwinder.frame = at->EstablisherFrame;
    if (offset >= prologue && undo_epilogue(&unwinder, info, &status))
        return status;
    status = undo_prologue(&unwinder, &info);
    *interrupted = unwinder.machine_frame;
    if (NT_SUCCESS(status) && offset >= prologue)
        find_handler(at, info, type);
    return status;
}

PEXCEPTION_ROUTINE NTAPI RtlVirtualUnwind(
    ULONG HandlerType, ULONGLONG ImageBase, ULONGLONG ControlPc,
    RUNTIME_FUNCTION *FunctionEntry, CONTEXT *ContextRecord,
    void **HandlerData, ULONGLONG *EstablisherFrame,
    KNONVOLATILE_CONTEXT_POINTERS *ContextPointers)
{
    static const struct unwind_memory all = { { 0, ~0ULL }, { 0, ~0ULL } };
    DISPATCHER_CONTEXT at = { .ControlPc = ControlPc, .ImageBase = ImageBase,
                              .FunctionEntry = FunctionEntry };
    BOOLEAN interrupted;
    NTSTATUS status = unwind_frame(&all, HandlerType, &at, ContextRecord,
                                   ContextPointers, &interrupted);

    if (!NT_SUCCESS(status))
        RtlRaiseStatus(status);
    *HandlerData = at.HandlerData;
    *EstablisherFrame = at.EstablisherFrame;
    return at.LanguageHandler;
}

/*
 * unwind.c - one step of unwinding on information that lies.
 *
 * What is right is tested in ring 3 (tests/user/unwind.c), instruction by
 * instruction; here each field is wrong once, on an image and a stack in
 * memory.
 */
#include "unit.h"

/* ntdll.h declares them with 32-bit longs, and NT's own jump buffer. */
#define atol nt_atol
#define labs nt_labs
#define strtol nt_strtol
#define strtoul nt_strtoul
#define longjmp nt_longjmp
#define _setjmp nt_setjmp
#include "../../ntdll-stub/amd64/unwindp.h"

#define IMAGE_BYTES 0x200
#define INFO 0x100
#define STACK_WORDS 16
#define RETURN 0x1234567890ULL

static ULONGLONG image[IMAGE_BYTES / 8], stack[STACK_WORDS];
static DISPATCHER_CONTEXT at;
static CONTEXT context;
static BOOLEAN interrupted;

RUNTIME_FUNCTION *functions_find(ULONGLONG pc, ULONGLONG *base,
                                 struct unwind_range *range)
{
    (void)pc;
    (void)base;
    (void)range;
    return NULL;
}

void RtlRaiseStatus(NTSTATUS status)
{
    (void)status;
    abort();
}

/* One function at 10h to 80h, and rip behind its prologue. */
static NTSTATUS step(ULONG info, ULONG type)
{
    struct unwind_memory memory = {
        { (ULONGLONG)image, (ULONGLONG)image + sizeof image },
        { (ULONGLONG)stack, (ULONGLONG)stack + sizeof stack },
    };
    RUNTIME_FUNCTION entry = { 0x10, 0x80, info };

    at = (DISPATCHER_CONTEXT){ .ImageBase = (ULONGLONG)image,
                               .ControlPc = (ULONGLONG)image + 0x40,
                               .FunctionEntry = &entry };
    return unwind_frame(&memory, type, &at, &context, NULL, &interrupted);
}

static UNWIND_INFO *new_info(const void *bytes, size_t size)
{
    memset(image, 0x90, sizeof image);
    memset(&context, 0, sizeof context);
    memcpy((UCHAR *)image + INFO, bytes, size);
    for (ULONG i = 0; i < STACK_WORDS; i++)
        stack[i] = RETURN + i;
    context.Rsp = (ULONGLONG)stack;
    return (UNWIND_INFO *)((UCHAR *)image + INFO);
}
#define NEW(...) new_info((const UCHAR[]){ __VA_ARGS__ }, \
                          sizeof(const UCHAR[]){ __VA_ARGS__ })

static void test_right(void **state)
{
    (void)state;
    NEW(1, 4, 2, 0, 4, 0x12, 1, 0x30);          /* sub rsp, 10h; push rbx */
    assert_int_equal(step(INFO, 0), STATUS_SUCCESS);
    assert_int_equal(context.Rbx, RETURN + 2);
    assert_int_equal(context.Rip, RETURN + 3);
    assert_int_equal(context.Rsp, (ULONGLONG)&stack[4]);
    assert_int_equal(at.EstablisherFrame, (ULONGLONG)stack);
    assert_false(interrupted);
}

static void test_machine_frame(void **state)
{
    (void)state;
    for (UCHAR error = 0; error <= 1; error++) {
        NEW(1, 0, 1, 0, 0, 0x0A | error << 4, 0, 0);
        stack[error] = 0;                       /* rip of a null call */
        assert_int_equal(step(INFO, 0), STATUS_SUCCESS);
        assert_true(interrupted);
        assert_int_equal(context.Rip, 0);
        assert_int_equal(context.Rsp, RETURN + error + 3);
    }
}

static void test_places(void **state)
{
    (void)state;
    NEW(1, 0, 0, 0);
    assert_int_equal(step(INFO, 0), STATUS_SUCCESS);
    assert_int_equal(step(INFO + 2, 0), STATUS_BAD_FUNCTION_TABLE);
    assert_int_equal(step(IMAGE_BYTES, 0), STATUS_BAD_FUNCTION_TABLE);
    assert_int_equal(step(IMAGE_BYTES - 2, 0), STATUS_BAD_FUNCTION_TABLE);
    assert_int_equal(step(~3u, 0), STATUS_BAD_FUNCTION_TABLE);
    NEW(1, 0, 0x7F, 0);                         /* more codes than image */
    assert_int_equal(step(INFO, 0), STATUS_BAD_FUNCTION_TABLE);
}

static void test_fields(void **state)
{
    UNWIND_INFO *info;

    (void)state;
    for (ULONG version = 0; version < 8; version++) {
        info = NEW(0, 0, 0, 0);
        info->Version = version;
        assert_int_equal(step(INFO, 0), version == 1
                                            ? STATUS_SUCCESS
                                            : STATUS_BAD_FUNCTION_TABLE);
    }
    NEW(1, 0, 0, 4);                            /* rsp as frame register */
    assert_int_equal(step(INFO, 0), STATUS_BAD_FUNCTION_TABLE);
    NEW(1, 0, 1, 0, 0, UWOP_SET_FPREG);         /* and none */
    assert_int_equal(step(INFO, 0), STATUS_BAD_FUNCTION_TABLE);
}

static void test_codes(void **state)
{
    static const UCHAR slots[16] = { 1, 2, 1, 1, 2, 3, 0, 0, 2, 3, 1 };

    (void)state;
    for (ULONG code = 0; code < 16; code++) {
        for (ULONG count = 1; count <= 3; count++) {
            NTSTATUS status;

            if (code == UWOP_PUSH_MACHFRAME && count > 1)
                continue;                       /* rsp is anywhere then */
            NEW(1, 0, (UCHAR)count, 5, 0, (UCHAR)code);
            context.Rbp = (ULONGLONG)stack;
            memset((UCHAR *)image + INFO + 6, 0, 6);
            status = step(INFO, 0);
            if (!slots[code] || slots[code] > count)
                assert_int_equal(status, STATUS_BAD_FUNCTION_TABLE);
            else
                assert_int_equal(status, STATUS_SUCCESS);
        }
    }
    NEW(1, 0, 3, 0, 0, 0x21, 0, 0, 0, 0);       /* ALLOC_LARGE of kind 2 */
    assert_int_equal(step(INFO, 0), STATUS_BAD_FUNCTION_TABLE);
    NEW(1, 0, 1, 0, 0, 0x2A);                   /* MACHFRAME of kind 2 */
    assert_int_equal(step(INFO, 0), STATUS_BAD_FUNCTION_TABLE);
}

static void test_chains(void **state)
{
    RUNTIME_FUNCTION *next;

    (void)state;
    next = (RUNTIME_FUNCTION *)(NEW(1 | UNW_FLAG_CHAININFO << 3, 0, 0, 0) + 1);
    *next = (RUNTIME_FUNCTION){ 0x10, 0x80, INFO };     /* to itself */
    assert_int_equal(step(INFO, 0), STATUS_BAD_FUNCTION_TABLE);
    next->UnwindData = IMAGE_BYTES;
    assert_int_equal(step(INFO, 0), STATUS_BAD_FUNCTION_TABLE);
    next->UnwindData = INFO + 0x40;
    memcpy((UCHAR *)image + INFO + 0x40, (UCHAR[]){ 1, 0, 0, 0 }, 4);
    assert_int_equal(step(INFO, 0), STATUS_SUCCESS);
}

static void test_stack(void **state)
{
    ULONGLONG low = (ULONGLONG)stack, high = low + sizeof stack;
    const ULONGLONG bad[] = { low - 8, low - 1, high, high - 4, 0, ~0ULL };

    (void)state;
    for (ULONG i = 0; i < sizeof bad / sizeof *bad; i++) {
        NEW(1, 0, 1, 0, 0, 0x30);
        context.Rsp = bad[i];
        assert_int_equal(step(INFO, 0), STATUS_BAD_STACK);
        NEW(1, 0, 0, 0);
        context.Rsp = bad[i];
        assert_int_equal(step(INFO, 0), STATUS_BAD_STACK);
        NEW(1, 0, 1, 0, 0, UWOP_PUSH_MACHFRAME);
        context.Rsp = bad[i];
        assert_int_equal(step(INFO, 0), STATUS_BAD_STACK);
    }
    NEW(1, 0, 2, 0, 0, 0x38, 0xFF, 0xFF);       /* xmm3 far above */
    assert_int_equal(step(INFO, 0), STATUS_BAD_STACK);
}

static void test_handler(void **state)
{
    const struct {
        UCHAR flags, prologue;
        ULONG type;
        BOOLEAN found;
    } cases[] = {
        { UNW_FLAG_EHANDLER, 0, UNW_FLAG_EHANDLER, TRUE },
        { UNW_FLAG_EHANDLER, 0, UNW_FLAG_UHANDLER, FALSE },
        { UNW_FLAG_UHANDLER, 0, UNW_FLAG_UHANDLER, TRUE },
        { UNW_FLAG_EHANDLER, 0, UNW_FLAG_NHANDLER, FALSE },
        { UNW_FLAG_EHANDLER, 0x30, UNW_FLAG_EHANDLER, TRUE },
        { UNW_FLAG_EHANDLER, 0x31, UNW_FLAG_EHANDLER, FALSE },
    };

    (void)state;
    for (ULONG i = 0; i < sizeof cases / sizeof *cases; i++) {
        NEW((UCHAR)(1 | cases[i].flags << 3), cases[i].prologue, 0, 0, 0x24);
        ((UCHAR *)image)[INFO + 5] = 0;
        ((UCHAR *)image)[INFO + 6] = 0;
        ((UCHAR *)image)[INFO + 7] = 0;
        assert_int_equal(step(INFO, cases[i].type), STATUS_SUCCESS);
        assert_int_equal((ULONGLONG)at.LanguageHandler,
                         cases[i].found ? (ULONGLONG)image + 0x24 : 0);
        if (cases[i].found)
            assert_ptr_equal(at.HandlerData, (UCHAR *)image + INFO + 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),  cmocka_unit_test(test_places),
        cmocka_unit_test(test_fields), cmocka_unit_test(test_codes),
        cmocka_unit_test(test_chains), cmocka_unit_test(test_stack),
        cmocka_unit_test(test_handler), cmocka_unit_test(test_machine_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

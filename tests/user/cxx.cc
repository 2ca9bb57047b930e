/*
 * cxx.cc - C++ exceptions as g++ compiles them.
 *
 * The compiler's run-time library is the real one (libsupc++, libgcc_eh); what
 * it needs of a C library and of kernel32 is in programs/lib/cxxstart.c.
 * Objects on the way count themselves: after each case none is left.
 *
 * With a word: an exception that nobody catches, by std::terminate.
 *
 * Scenarios: I8.
 */
#include <exception>
#include <new>
#include <typeinfo>

extern "C" {
#include "test.h"
#include "facts.h"
NTSTATUS NTAPI NtProcessStartup(PEB *peb);
void mainCRTStartup(void);
}

#define NOINLINE __attribute__((noinline))
#define THROWS 10000
#define THREADS 4
#define ENDED 8
#define STATICS 40

namespace {

volatile LONG alive;

struct Counted {
    int value;
    explicit Counted(int v) : value(v)
    {
        __atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST);
    }
    Counted(const Counted &other) : value(other.value)
    {
        __atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST);
    }
    ~Counted()
    {
        __atomic_add_fetch(&alive, -1, __ATOMIC_SEQ_CST);
    }
};

struct Base {
    virtual ~Base() {}
    virtual int kind() const { return 1; }
};

struct Derived : Base {
    Counted counted{5};
    int kind() const override { return 2; }
};

NOINLINE void throw_at(int depth, int value)
{
    Counted here(depth);

    if (!depth)
        throw value;
    throw_at(depth - 1, value);
}

NOINLINE int catch_int(int depth, int value)
{
    try {
        throw_at(depth, value);
    } catch (int caught) {
        return caught;
    }
    return -1;
}

NOINLINE void across_frames()
{
    CHECK(catch_int(0, 7) == 7);
    CHECK(catch_int(1, 8) == 8);
    CHECK(catch_int(200, 9) == 9);
    CHECK(alive == 0);
}

NOINLINE int wrong_type_first()
{
    try {
        try {
            throw_at(3, 4);
        } catch (const char *) {
            return 1;
        } catch (const Base &) {
            return 2;
        }
    } catch (long) {
        return 3;
    } catch (...) {
        return 4;
    }
    return 5;
}

NOINLINE void by_class()
{
    try {
        throw Derived();
    } catch (const Base &base) {
        CHECK(base.kind() == 2);
        CHECK(alive == 1);
        CHECK(!strcmp(typeid(base).name(), typeid(Derived).name()));
    }
    CHECK(alive == 0);
}

NOINLINE int rethrown()
{
    int seen = 0;

    try {
        try {
            throw Counted(30);
        } catch (Counted &counted) {
            seen = counted.value;
            counted.value++;
            throw;
        }
    } catch (const Counted &counted) {
        CHECK(counted.value == 31);
        return seen;
    }
    return 0;
}

/* A catch block that throws, inside of which another is thrown and caught. */
NOINLINE int nested()
{
    int sum = 0;

    try {
        try {
            throw Counted(1);
        } catch (const Counted &first) {
            try {
                Counted here(0);

                throw Counted(10);
            } catch (const Counted &second) {
                sum += first.value + second.value;
            }
            throw Counted(100);
        }
    } catch (const Counted &third) {
        sum += third.value;
    }
    return sum;
}

struct InDestructor {
    int *caught;
    ~InDestructor()
    {
        try {
            throw_at(2, 50);
        } catch (int value) {
            *caught += value;
        }
    }
};

NOINLINE int in_destructor()
{
    int caught = 0;

    try {
        InDestructor object = {&caught};

        throw 1;
    } catch (int value) {
        caught += value;
    }
    return caught;
}

NOINLINE int from_constructor()
{
    struct Whole {
        Counted part{1};
        Whole() { throw 6; }
    };

    try {
        Whole *whole = new Whole;

        delete whole;
    } catch (int value) {
        return value;
    }
    return 0;
}

struct alignas(256) Wide {
    Counted part{1};
    explicit Wide(bool fails)
    {
        if (fails)
            throw 7;
    }
};

NOINLINE void aligned()
{
    Wide *wide = new Wide(false), *other = new Wide(false);

    CHECK((ULONG_PTR)wide % 256 == 0 && (ULONG_PTR)other % 256 == 0);
    delete wide;
    delete other;
    try {
        delete new Wide(true);
    } catch (int value) {
        CHECK(value == 7);
    }
    CHECK(alive == 0);
}

NOINLINE int no_memory()
{
    try {
        operator delete(operator new(~(size_t)0 / 2));
    } catch (const std::bad_alloc &) {
        return 1;
    }
    return 0;
}

void cases()
{
    across_frames();
    CHECK(wrong_type_first() == 4);
    by_class();
    CHECK(rethrown() == 30);
    CHECK(nested() == 111);
    CHECK(in_destructor() == 51);
    CHECK(from_constructor() == 6);
    CHECK(no_memory() == 1);
    aligned();
    CHECK(alive == 0);
    CHECK(!std::uncaught_exceptions());
}

/* ---- out of an APC routine, and out of a vectored handler's exception ---- */

void NTAPI throwing_apc(void *argument, void *, void *)
{
    Counted here(1);

    throw (int)(ULONG_PTR)argument;
}

/* The service that delivers the APC is a frame on the way. */
NOINLINE int through_dispatcher(int value)
{
    LARGE_INTEGER now = {};

    CHECK_STATUS(NtQueueApcThread(NtCurrentThread(), throwing_apc,
                                  (void *)(ULONG_PTR)value, NULL, NULL),
                 STATUS_SUCCESS);
    try {
        Counted here(2);

        NtDelayExecution(TRUE, &now);
    } catch (int caught) {
        return caught;
    }
    return 0;
}

/* ---- an exception of the processor passes unseen by catch (...) ---- */

volatile LONG passed;

LONG NTAPI skip_instruction(EXCEPTION_POINTERS *pointers)
{
    if (pointers->ExceptionRecord->ExceptionCode != STATUS_ILLEGAL_INSTRUCTION)
        return EXCEPTION_CONTINUE_SEARCH;
    passed++;
    pointers->ContextRecord->PC += 2;
    return EXCEPTION_CONTINUE_EXECUTION;
}

NOINLINE void fault_between()
{
    void *handle = RtlAddVectoredExceptionHandler(1, skip_instruction);

    try {
        __asm__ volatile("ud2");
        throw_at(5, 1);
    } catch (int) {
        __asm__ volatile("ud2");
    }
    CHECK(passed == 2);
    CHECK(RtlRemoveVectoredExceptionHandler(handle));
}

/* ---- many ---- */

NOINLINE void often()
{
    int at;

    for (at = 0; at < THROWS; at++) {
        if (catch_int(at % 5, at) != at)
            break;
    }
    CHECK(at == THROWS);
    CHECK(alive == 0);
}

void NTAPI throw_in_thread(void *argument)
{
    int base = (int)(ULONG_PTR)argument, at;

    for (at = 0; at < 500; at++) {
        if (catch_int(at % 7, base + at) != base + at || nested() != 111)
            RtlExitUserThread(STATUS_UNSUCCESSFUL);
    }
    RtlExitUserThread(STATUS_SUCCESS);
}

void in_threads()
{
    HANDLE threads[THREADS];
    int at;

    for (at = 0; at < THREADS; at++)
        CHECK_STATUS(RtlCreateUserThread(
                         NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                         throw_in_thread, (void *)(ULONG_PTR)(at * 1000),
                         &threads[at], NULL),
                     STATUS_SUCCESS);
    for (at = 0; at < THREADS; at++) {
        THREAD_BASIC_INFORMATION basic = {};

        CHECK_STATUS(NtWaitForSingleObject(threads[at], FALSE, NULL),
                     STATUS_SUCCESS);
        NtQueryInformationThread(threads[at], ThreadBasicInformation, &basic,
                                 sizeof basic, NULL);
        CHECK_STATUS(basic.ExitStatus, STATUS_SUCCESS);
        NtClose(threads[at]);
    }
    CHECK(alive == 0);
}

/* ---- what a thread has of its own is gone with it ---- */

thread_local Counted own(40);

struct Last {
    Counted *counted = nullptr;
    ~Last() { delete counted; }
};
thread_local Last last;

void NTAPI keep_in_thread(void *argument)
{
    own.value += catch_int(2, 2);
    last.counted = new Counted(own.value);
    *(int *)argument = last.counted->value;
    RtlExitUserThread(alive == 2 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL);
}

void threads_leave_nothing()
{
    int at, value;

    for (at = 0; at < ENDED; at++) {
        THREAD_BASIC_INFORMATION basic = {};
        HANDLE thread = NULL;

        value = 0;
        CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0,
                                         0, keep_in_thread, &value, &thread,
                                         NULL),
                     STATUS_SUCCESS);
        CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL),
                     STATUS_SUCCESS);
        NtQueryInformationThread(thread, ThreadBasicInformation, &basic,
                                 sizeof basic, NULL);
        CHECK_STATUS(basic.ExitStatus, STATUS_SUCCESS);
        NtClose(thread);
        CHECK(value == 42);
        CHECK(alive == 0);
    }
}

NOINLINE void cannot_throw() noexcept
{
    throw_at(1, 1);
}

/* ---- static objects of functions: as many as there are, and one more that a
 * destructor has made ---- */

template <int number> NOINLINE void make_static()
{
    static Counted counted(number);
}

template <int number> void make_statics()
{
    if constexpr (number > 0)
        make_statics<number - 1>();
    make_static<number>();
}

struct MakesAnother {
    ~MakesAnother() { make_static<STATICS>(); }
};

void statics()
{
    static MakesAnother makes;

    make_statics<STATICS - 1>();
    CHECK(alive == STATICS);
}

/* ---- a static object: constructed before main, destroyed behind it ---- */

struct Early {
    int value;
    Early() : value(catch_int(3, 12)) {}
    ~Early();
} early;

Early::~Early()
{
    CHECK(alive == 0);
    if (value != 12 || catch_int(2, 13) != 13)
        RtlExitUserProcess(STATUS_UNSUCCESSFUL);
    RtlExitUserProcess(test_end());
}

} // namespace

/* Its end is that of early. */
int main()
{
    CHECK(early.value == 12);
    if (!strcmp(test_words(), "uncaught"))
        throw 1;
    if (!strcmp(test_words(), "noexcept"))
        cannot_throw();
    cases();
    if (sizeof(void *) == 8) {          /* i386's dispatcher has no tables */
        CHECK(through_dispatcher(77) == 77);
        CHECK(through_dispatcher(78) == 78);
    }
    CHECK(alive == 0);
    fault_between();
    often();
    in_threads();
    threads_leave_nothing();
    statics();
    return STATUS_UNSUCCESSFUL;
}

NTSTATUS NTAPI NtProcessStartup(PEB *)
{
    mainCRTStartup();
    return STATUS_UNSUCCESSFUL;
}

# Makefile: everything that is made, in reading order.
#
# Files are listed by hand, each folder in the order in which a reader should
# meet its files. Nothing is made outside $(BUILD), so several builds can live
# side by side: make BUILD=DIR.  TEST=1 adds the services and the ring-0 tests
# that only the test build has, CHECKED=1 what slows a kernel down to find its
# mistakes (docs/hardening.md).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory
# The time that tools write into files: the same commit is the same image.
export SOURCE_DATE_EPOCH := 1577836800

TEST  ?=
CHECKED ?=
BUG   ?=
BUILD ?= $(if $(TEST),build/test,build)
# Relative inside the tree: the same flags whichever way it was given.
override BUILD := $(BUILD:$(CURDIR)/%=%)
GEN   := $(BUILD)/gen
OBJ   := $(BUILD)/obj
V     ?=
Q     := $(if $(V),,@)

# $(call say,WORD) prints "  WORD  target" unless V=1 shows the command.
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(@:$(BUILD)/%=%)')

# ---- Sources ---------------------------------------------------------------

BOOT_OBJS := boot/grub/start32.asm boot/grub/multiboot2.c boot/memmap.c
ARCH_OBJS := arch/amd64/entry/syscall64.asm \
    arch/amd64/entry/int2e.asm \
    arch/amd64/entry/sysenter.asm \
    arch/amd64/entry/syscall32.asm \
    arch/amd64/entry/dispatch.asm \
    arch/amd64/entry/service.asm \
    arch/amd64/entry/service32.asm \
    arch/amd64/entry/exit.asm \
    arch/amd64/entry/exit32.asm \
    arch/amd64/entry/apc.asm \
    arch/amd64/entry/continue.asm \
    arch/amd64/entry/callout.asm \
    arch/amd64/entry/traps.asm \
    arch/amd64/entry/ist.asm \
    arch/amd64/entry/debugregs.asm \
    arch/amd64/entry/shadow.asm \
    arch/amd64/entry/shadowexit.asm \
    arch/amd64/entry/predictors.asm \
    arch/amd64/entry/stacks.asm \
    arch/amd64/entry/startup.asm \
    arch/amd64/cpu/cookie.c \
    arch/amd64/cpu/pcr.c arch/amd64/cpu/gdt.c arch/amd64/cpu/idt.c \
    arch/amd64/cpu/features.c arch/amd64/cpu/mitigation.c \
    arch/amd64/cpu/speculation.c arch/amd64/cpu/shadow.c \
    arch/amd64/cpu/pinned.c arch/amd64/cpu/mtrr.c \
    arch/amd64/cpu/apic.c \
    arch/amd64/cpu/clock.c arch/amd64/cpu/startup.c \
    arch/amd64/thread/swap.asm arch/amd64/thread/thread.c \
    arch/amd64/thread/xstate.c arch/amd64/thread/callback.c \
    arch/amd64/thread/context.c arch/amd64/thread/debugregs.c \
    arch/amd64/thread/instrument.c arch/amd64/thread/ums.c \
    arch/amd64/thread/userframe.c \
    arch/amd64/thread/apcuser.c \
    arch/amd64/thread/trap.c arch/amd64/thread/nmi.c \
    arch/amd64/thread/machinecheck.c arch/amd64/thread/record.c \
    arch/amd64/thread/divide.c arch/amd64/thread/instruction.c \
    arch/amd64/thread/fperror.c arch/amd64/thread/debugservice.c \
    arch/amd64/thread/pagefault.c arch/amd64/thread/slist.c \
    arch/amd64/thread/kernelfault.c \
    arch/amd64/thread/except.c arch/amd64/thread/lastword.c \
    arch/amd64/thread/raise.c \
    arch/amd64/mm/tables.c arch/amd64/mm/shadow.c \
    arch/amd64/mm/image.c arch/amd64/mm/check.c \
    arch/amd64/mm/processor.c \
    arch/amd64/mm/usercopy.asm
RTL_OBJS := kernel/rtl/memory.c kernel/rtl/text.c kernel/rtl/unicode.c \
    kernel/rtl/format.c kernel/rtl/pe.c kernel/rtl/avl.c
KD_OBJS := kernel/kd/console.c kernel/kd/log.c kernel/kd/serial.c \
    kernel/kd/font.asm kernel/kd/screen.c kernel/kd/symbols.c \
    kernel/kd/report.c
KE_OBJS := kernel/ke/services.c kernel/ke/ssdt.c kernel/ke/numbering.c \
    kernel/ke/irql.c kernel/ke/dpc.c kernel/ke/ipi.c kernel/ke/ready.c \
    kernel/ke/schedule.c \
    kernel/ke/wait.c kernel/ke/event.c kernel/ke/semphr.c kernel/ke/mutant.c \
    kernel/ke/thread.c kernel/ke/priority.c kernel/ke/affinity.c \
    kernel/ke/pushlock.c \
    kernel/ke/fmutex.c kernel/ke/protect.c \
    kernel/ke/apc.c kernel/ke/deliver.c kernel/ke/region.c kernel/ke/alert.c \
    kernel/ke/attach.c kernel/ke/suspend.c kernel/ke/rundown.c \
    kernel/ke/time.c kernel/ke/timertable.c kernel/ke/timer.c \
    kernel/ke/shared.c kernel/ke/counts.c kernel/ke/doors.c \
    kernel/ke/freeze.c kernel/ke/bugcheck.c
HAL_OBJS := kernel/hal/tables.c kernel/hal/acpi.c kernel/hal/smbios.c \
    kernel/hal/power.c kernel/hal/pci.c
MM_OBJS := kernel/mm/init.c kernel/mm/pfn.c kernel/mm/pagelist.c \
    kernel/mm/charge.c kernel/mm/system.c \
    kernel/mm/pool.c kernel/mm/uaccess.c kernel/mm/gap.c kernel/mm/vad.c \
    kernel/mm/protection.c kernel/mm/entry.c kernel/mm/commit.c \
    kernel/mm/change.c kernel/mm/fault.c kernel/mm/zerofault.c \
    kernel/mm/cow.c kernel/mm/protofault.c kernel/mm/transfault.c \
    kernel/mm/pagefault.c kernel/mm/standby.c kernel/mm/pagefile.c \
    kernel/mm/trim.c kernel/mm/lock.c \
    kernel/mm/share.c kernel/mm/segment.c \
    kernel/mm/capture.c kernel/mm/allocate.c kernel/mm/free.c \
    kernel/mm/protect.c kernel/mm/query.c kernel/mm/section.c \
    kernel/mm/sectionquery.c kernel/mm/view.c kernel/mm/image.c \
    kernel/mm/readwrite.c kernel/mm/userstack.c kernel/mm/space.c
EX_OBJS     := \
    kernel/ex/handle.c kernel/ex/handlelist.c kernel/ex/procnum.c \
    kernel/ex/time.c kernel/ex/display.c kernel/ex/sysinfo.c \
    kernel/ex/firmware.c kernel/ex/memlist.c kernel/ex/harderr.c \
    kernel/ex/debugctl.c kernel/ex/object.c kernel/ex/event.c \
    kernel/ex/mutant.c kernel/ex/semphore.c kernel/ex/timer.c \
    kernel/ex/timerapc.c kernel/ex/delay.c kernel/ex/resolution.c
OB_OBJS     := \
    kernel/ob/close.c kernel/ob/handle.c kernel/ob/current.c \
    kernel/ob/reference.c kernel/ob/delete.c kernel/ob/access.c \
    kernel/ob/type.c kernel/ob/create.c kernel/ob/insert.c \
    kernel/ob/lookup.c kernel/ob/directory.c kernel/ob/dirservice.c \
    kernel/ob/dirquery.c kernel/ob/duplicate.c kernel/ob/query.c \
    kernel/ob/wait.c
IO_OBJS     := \
    kernel/io/file.c kernel/io/name.c kernel/io/create.c \
    kernel/io/transfer.c kernel/io/console.c kernel/io/input.c \
    kernel/io/keyboard.c kernel/io/scancode.c kernel/io/query.c
PS_OBJS := kernel/ps/init.c kernel/ps/cid.c kernel/ps/thread.c \
    kernel/ps/system.c kernel/ps/reaper.c kernel/ps/userstack.c \
    kernel/ps/userthread.c \
    kernel/ps/process.c kernel/ps/ntdll.c kernel/ps/start.c \
    kernel/ps/parameters.c kernel/ps/start64.c kernel/ps/start32.c \
    kernel/ps/program.c kernel/ps/attribute.c kernel/ps/create.c \
    kernel/ps/open.c kernel/ps/capture.c kernel/ps/userprocess.c \
    kernel/ps/context.c kernel/ps/exit.c kernel/ps/terminate.c \
    kernel/ps/query.c kernel/ps/gui.c kernel/ps/apc.c kernel/ps/suspend.c \
    kernel/ps/set.c kernel/ps/list.c
ETW_OBJS := kernel/etw/track.c kernel/etw/record.c kernel/etw/ring.c \
    kernel/etw/control.c
WIN32K_OBJS := \
    kernel/win32k/thread.c kernel/win32k/dc.c kernel/win32k/bitblt.c \
    kernel/win32k/blit.c kernel/win32k/batch.c \
    kernel/win32k/monitor.c
WOW64_OBJS := kernel/wow64/rows.c kernel/wow64/service.c \
    kernel/wow64/widen.c kernel/wow64/translate.c kernel/wow64/thread.c \
    kernel/wow64/query.c kernel/wow64/object.c kernel/wow64/sysinfo.c \
    kernel/wow64/harderr.c kernel/wow64/create.c kernel/wow64/context.c \
    kernel/wow64/apc.c kernel/wow64/exception.c kernel/wow64/fpu.c \
    kernel/wow64/threadcontext.c
USB_OBJS := kernel/usb/start.c kernel/usb/controller.c kernel/usb/ring.c \
    kernel/usb/port.c kernel/usb/device.c kernel/usb/descriptor.c \
    kernel/usb/keyboard.c kernel/usb/hid.c
INIT_OBJS := kernel/init/start.c kernel/init/processors.c \
    kernel/init/options.c

# Only in a checked kernel.
CHECKED_KERNEL := kernel/mm/poolcheck.c kernel/mm/stackuse.c

# Only in the test build: echo services, ring-0 tests.
TEST_KERNEL := tests/kernel/echo.c tests/kernel/selftest.c tests/kernel/dpc.c \
    tests/kernel/schedule.c tests/kernel/lock.c tests/kernel/timer.c \
    tests/kernel/apc.c tests/kernel/apcwait.c tests/kernel/wait.c \
    tests/kernel/object.c tests/kernel/special.c tests/kernel/stack.c \
    tests/kernel/sweep.c tests/kernel/vector.c tests/kernel/sealed.c \
    tests/kernel/switches.c tests/kernel/scarce.c tests/kernel/nmistorm.c \
    tests/kernel/watched.c tests/kernel/fired.c tests/kernel/fired.asm \
    tests/kernel/bare.c tests/kernel/bare.asm tests/kernel/ist.c \
    tests/kernel/ist.asm tests/kernel/memtypes.c

# In the checked one: what C may do to the entry code. Benchmarks do without.
CHECKED_TEST_KERNEL := tests/kernel/callees.c tests/kernel/callees.asm

# What tests/kernel/scarce.c and ist.c stand before.
TEST_KERNEL_LDFLAGS := --wrap=ExAllocatePool2 --wrap=ExFreePoolWithTag \
    --wrap=mi_allocate_page --wrap=mi_charge_pages \
    --wrap=mi_available_pages --wrap=ki_nmi --wrap=ki_machine_check \
    --wrap=ki_debug_in_kernel --wrap=ki_double_fault \
    --wrap=ki_taken_again

# And callees.asm.
CHECKED_TEST_KERNEL_LDFLAGS := $(addprefix --wrap=,ki_apc_interrupt \
    ki_dpc_interrupt ki_clock_interrupt ki_ipi_interrupt \
    ki_spurious_interrupt ki_dispatch_trap ki_begin_special_service \
    KiDeliverApc KiConvertToGuiThread KeGdiFlushUserBatch \
    wow64_system_service KiContinue KiContinueEx KiRaiseException \
    wow64_continue wow64_raise_exception etw_tell_away \
    ki_save_processor_state ki_switch_processor_state KiSwapContext \
    arch_call_service arch_call_on_stack KiCallUserMode ki_call_tracked \
    ki_check_pinned_registers KiRetireDpcList ZwClose ZwQuerySystemTime \
    arch_copy_user arch_touch_user)

DEFENCES      := kernel/defences.tab
SERVICES      := kernel/ke/services.tab
SERVICES_TEST := kernel/ke/services_test.tab

# Ring 3. A name that ends in 32 is about 32-bit code; both ntdlls have the
# same portable sources. One variable NAME_SRCS per program.
NTDLL_COMMON := $(addprefix ntdll-stub/src/,ldrinit.c ldrload.c ldrimport.c \
    ldrexport.c ldrtls.c ldrrun.c ldrthread.c ldrapi.c image.c process.c \
    heap.c critical.c waitaddr.c srwlock.c runonce.c slist.c ustring.c \
    integer.c memory.c time.c error.c vectored.c unhandled.c debug.c printf.c \
    cstring.c cstdlib.c)
NTDLL_SRCS   := $(addprefix ntdll-stub/amd64/,stubs.asm doors.asm \
    dispatch.asm context.c thread.c parameters.c chkstk.asm slist.asm \
    unwind.c functable.c walk.c dispatchexc.c execute.asm nested.c unwindex.c \
    restore.c raise.c scope.c) $(NTDLL_COMMON)
NTDLL32_SRCS := $(addprefix ntdll-stub/i386/,stubs.asm doors.asm \
    dispatch.asm context.c dispatchexc.c handlers.asm unwind.c raise.c \
    outermost.c thread.c chkstk.asm int64.asm slist.asm) $(NTDLL_COMMON)
PROGRAMS     := tour shell bench scaling walk trace
PROGRAMS32   := tour32 bench32
tour_SRCS  := $(addprefix programs/,tour/main.c tour/where.c tour/stops.c \
    tour/doors.c tour/doors.asm tour/call.c tour/cpu.c tour/kernel.c \
    tour/apc.c tour/apc.asm tour/apckernel.c tour/apcthread.c \
    tour/names.c tour/exception.c tour/exceptionkernel.c \
    tour/guarded.c tour/exception.asm tour/page.c tour/pte.c \
    tour/trimmed.c \
    tour/instrument.c tour/instrument.asm \
    tour/machine.c tour/firmware.c tour/cpuname.c tour/screen.c \
    $(addprefix lib/,qr.c qrwords.c qrpicture.c qrmask.c \
    call.asm door.c prepare.c find.c check.c print.c))
shell_SRCS := $(addprefix programs/,shell/main.c shell/console.c shell/edit.c \
    shell/history.c shell/words.c shell/commands.c shell/time.c shell/call.c \
    shell/arguments.c shell/dump.c shell/apc.c shell/run.c shell/list.c \
    shell/ps.c shell/handles.c shell/names.c shell/trace.c \
    $(addprefix lib/,call.asm door.c prepare.c find.c print.c start.c \
    tracepair.c traceline.c))
trace_SRCS := $(addprefix programs/,trace/main.c \
    $(addprefix lib/,call.asm prepare.c find.c print.c start.c tracepair.c \
    traceline.c))
walk_SRCS := $(addprefix programs/,walk/main.c shell/words.c \
    shell/arguments.c $(addprefix lib/,call.asm prepare.c find.c print.c))
bench_SRCS := $(addprefix programs/,bench/main.c bench/calls.c \
    bench/calls.asm bench/test.c bench/other.c bench/threads.c \
    bench/events.c bench/apcs.c bench/timers.c bench/exceptions.c \
    bench/memory.c bench/measure.c lib/door.c lib/call.asm lib/prepare.c \
    lib/find.c lib/print.c lib/start.c)
scaling_SRCS := $(addprefix programs/,bench/scaling.c bench/threads.c \
    bench/measure.c lib/print.c)
bench32_SRCS := $(addprefix programs/,bench/main32.c bench/i386/calls.asm \
    bench/test.c bench/measure.c lib/i386/call.asm lib/i386/door.c \
    lib/i386/prepare.c lib/find.c lib/print.c)
tour32_SRCS := $(addprefix programs/,tour32/main.c tour32/where.c \
    tour32/shared.c tour32/stops.c tour32/doors.c tour32/gate.c \
    tour32/doors.asm tour32/gate.asm tour32/apc.c tour32/apc.asm \
    tour32/exception.c tour32/exception.asm tour32/call.c lib/i386/call.asm \
    lib/i386/door.c lib/i386/prepare.c lib/find.c lib/check.c lib/print.c)

# Each source is one program: tests/user/NAME.c becomes user/NAME.exe.
USER_TESTS := $(addprefix tests/user/,ring0.c callregs.c numbers.c args.c \
    pointers.c doors.c flags.c selectors.c compat.c context.c apc.c answers.c \
    debugctl.c firmware.c files.c console.c names.c duplicate.c handles.c \
    memory.c demand.c paging.c thrash.c runtime.c loader.c needs_name.c \
    needs_ordinal.c needs_dll.c needs_fail.c images.c callback.c \
    monitors.c calloutregs.c vectors.c threads.c critical.c threadattach.c \
    processes.c start.c contexts2.c forever.c crash.c exceptions.c raises.c \
    kstack.c sweep.c memmodel.c outputs.c initial.c meanwhile.c probes.c \
    outplaces.c floating.c frames.c gates.c badiret.c ist.c)

# More sources of one of them: NAME_SRCS.
doors_SRCS  := $(addprefix tests/user/doors/,files.c memory.c system.c \
    objects.c handles.c apcs.c threads.c)
compat_SRCS := tests/user/compat.asm
exceptions_SRCS   := tests/user/exceptions.asm
exceptions_SRCS32 := tests/user/exceptions.asm
gates_SRCS        := tests/user/exceptions.asm
gates_SRCS32      := tests/user/exceptions.asm
meanwhile_SRCS32  := tests/user/i386/landing.asm
raises_SRCS       := tests/user/exceptions.asm
raises_SRCS32     := tests/user/exceptions.asm
apc_SRCS    := tests/user/apc.asm
initial_SRCS := tests/user/initial.asm

# Linked into each of them.
USER_TEST_SRCS := tests/user/test.c tests/user/landing.asm \
    $(addprefix programs/lib/,call.asm door.c prepare.c find.c print.c)

# Those that say the same to 32-bit code: user32/NAME.exe.
USER_TESTS32     := $(addprefix tests/user/,answers.c firmware.c files.c \
    names.c duplicate.c memory.c runtime.c loader.c needs_name.c \
    needs_ordinal.c needs_dll.c needs_fail.c images.c callback.c monitors.c \
    critical.c threadattach.c threads32.c start32.c runtime32.c wow64.c \
    crash.c exceptions.c raises.c sweep.c floating.c outputs.c \
    gates.c meanwhile.c)
USER_TEST32_SRCS := tests/user/test.c programs/lib/print.c

# XP's doors: only 32-bit code, with chosen registers. More sources of one of
# them: NAME_SRCS32.
USER_TESTS32 += $(addprefix tests/user/i386/,callregs.c numbers.c args.c \
    flags.c selectors.c gate.c once.c storm.c apc.c kstack.c \
    handlers.c sehend.c faults.c unpinned.c chain.c)
USER_TEST32_SRCS += $(addprefix programs/lib/,find.c i386/call.asm \
    i386/door.c i386/prepare.c)
flags_SRCS32     := tests/user/i386/landing.asm
selectors_SRCS32 := tests/user/i386/selectors.asm
gate_SRCS32      := tests/user/i386/gate.asm
apc_SRCS32       := tests/user/i386/gate.asm
once_SRCS32      := tests/user/i386/landing.asm
handlers_SRCS32  := $(addprefix tests/user/i386/,guard.c handlers.asm)
sehend_SRCS32    := tests/user/i386/guard.c
faults_SRCS32    := $(addprefix tests/user/i386/,guard.c faults.asm)
chain_SRCS32     := tests/user/i386/gate.asm

# Objects to wait for: the same source for both, and what it shares.
WAIT_TESTS := $(addprefix tests/user/,events.c mutants.c semaphores.c timers.c \
    manywaits.c)
USER_TESTS += $(WAIT_TESTS) tests/user/waits.c
USER_TESTS32 += $(WAIT_TESTS)
$(foreach t,$(notdir $(WAIT_TESTS:.c=)),\
    $(eval $(t)_SRCS := tests/user/objects.c)\
    $(eval $(t)_SRCS32 := tests/user/objects.c))
waits_SRCS := tests/user/objects.c

# Other processes' memory, sections by name, stacks that grow.
USER_TESTS += $(addprefix tests/user/,readwrite.c sections.c stacks.c \
    scarce.c locked.c faultloop.c broken.c)
USER_TESTS32 += $(addprefix tests/user/,sections.c stacks.c locked.c)

# Many threads at once.
USER_TESTS += $(addprefix tests/user/,apcstorm.c threadstorm.c storm64.c smp.c \
    tornregs.c isolation.c races.c continuefuzz.c vandals.c missing.c soak.c)
soak_SRCS := programs/lib/start.c
apcstorm_SRCS  := tests/user/apc.asm
isolation_SRCS := tests/user/isolation.asm
tornregs_SRCS  := tests/user/tornregs.asm

# What follows a thread: instrumentation, debug registers.
USER_TESTS += tests/user/instrument.c tests/user/debugregs.c tests/user/ums.c \
    tests/user/intel.c
instrument_SRCS := tests/user/instrument.asm
debugregs_SRCS  := tests/user/debugregs.asm
intel_SRCS      := tests/user/intel.asm tests/user/intelreturns.c
USER_TESTS32 += tests/user/i386/debugregs.c

# Random calls, states and contexts (make fuzz).
FUZZ_SRCS := $(addprefix tests/user/fuzz/,random.c world.c rows.c checks.c \
    tame.c generate.c model.c scan.c report.c)
USER_TESTS += tests/user/fuzz/fuzz.c
USER_TESTS32 += tests/user/fuzz/fuzz.c
fuzz_SRCS := $(FUZZ_SRCS) $(addprefix tests/user/fuzz/,gate.c state.asm \
    catch.c instructions.c states.c contexts.c)
fuzz_SRCS32 := $(FUZZ_SRCS) tests/user/fuzz/gate32.c

# The ways in and out, for tests/entry/sweep.py.
USER_TESTS += tests/user/entrypaths.c
USER_TESTS32 += tests/user/entrypaths.c
entrypaths_SRCS   := tests/user/entrydoors.c tests/user/exceptions.asm
entrypaths_SRCS32 := tests/user/i386/entrydoors.c tests/user/exceptions.asm

# Every vector, from the test kernel.
USER_TESTS += tests/user/fired.c

# A trace of calls.
USER_TESTS += tests/user/tracing.c tests/user/traced.c
USER_TESTS32 += tests/user/traced.c

# Lists without locks.
USER_TESTS += tests/user/slists.c
USER_TESTS32 += tests/user/slists.c

# Exceptions. seh needs a compiler that has __try: NAME_CC, NAME_CC32. For
# 32-bit code clang has it only where it also means Microsoft's C library, and
# a list of safe handlers that only Microsoft's linker can place (.sxdata). cxx
# is C++, with the compiler's own libraries: NAME_LIBS.
USER_TESTS += $(addprefix tests/user/,unwind.c seh.c cxx.cc tlsfault.c)
USER_TESTS32 += $(addprefix tests/user/,seh.c cxx.cc tlsfault.c)
unwind_SRCS := tests/user/unwind.asm
cxx_SRCS := programs/lib/cxxstart.c    # first: see register_frames
cxx_SRCS32 := $(cxx_SRCS)
cxx_LIBS := -lsupc++ -lgcc_eh -lgcc
seh_CC := clang --target=x86_64-w64-windows-gnu -fms-extensions \
    -fasynchronous-unwind-tables -Wno-ignored-attributes
seh_CC32 := clang --target=i686-pc-windows-msvc -Wno-ignored-attributes
seh_SRCS32 := tests/user/i386/except3.asm

# The tour has a __try, too.
guarded_CC := $(seh_CC)

# DLLs of the loader's tests (tests/user/dll/NAME.c and .def); NAME_DLLS is
# what a DLL or a program imports besides ntdll.
USER_DLLS          := ldra ldrb ldrc ldrd ldre ldrf ldrfail ldrt ldrq
loader_DLLS        := ldra ldrb
threadattach_DLLS  := ldrt ldrq
ldra_DLLS          := ldrb
ldrd_DLLS          := ldra ldrb
ldre_DLLS          := ldrf ldrb
ldrf_DLLS          := ldre ldrb
ldrfail_DLLS       := ldrb
needs_name_DLLS    := lies
needs_ordinal_DLLS := lies
needs_dll_DLLS     := ghost
needs_fail_DLLS    := ldrfail

# ---- Tools and their flags -------------------------------------------------

CC         := gcc
LD         := ld
NM         := nm
OBJCOPY    := objcopy
NASM       := nasm
PYTHON     := python3
MINGW      := x86_64-w64-mingw32-
MINGW32    := i686-w64-mingw32-
FONT       := /usr/share/consolefonts/Lat15-Terminus16.psf.gz

INCLUDES := -I$(GEN) -Ikernel/include -Iarch/amd64/include \
            -Iarch/x86/include -Iboot -Ikernel

# What the compiler adds against mistakes (docs/hardening.md).
UNDEFINED := -fsanitize=undefined -fno-sanitize=null \
    -fsanitize-undefined-trap-on-error
unless = $(if $(filter $(1),$(BUG)),,$(2))
KERNEL_GUARDS := -mstack-protector-guard=global \
    $(call unless,no_stack_protector,-fstack-protector-strong) \
    $(call unless,no_zero_init,-ftrivial-auto-var-init=zero) \
    -DDBG=$(if $(CHECKED),1 $(UNDEFINED),0)
KERNEL_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -ffreestanding \
    -fno-pic -fno-pie -mabi=ms -mgeneral-regs-only -mno-red-zone \
    -mcmodel=kernel -fshort-wchar -fno-strict-aliasing \
    -fno-asynchronous-unwind-tables \
    -fno-omit-frame-pointer -fcf-protection=none -ffixed-r12 -ffixed-r13 \
    -ffixed-r14 -ffixed-r15 $(KERNEL_GUARDS) $(INCLUDES)
KERNEL_NASMFLAGS := -f elf64 -g -F dwarf -Werror \
    -I$(GEN)/ -Iarch/amd64/include/ -Iarch/x86/include/
KERNEL_LDFLAGS := -nostdlib -static -z max-page-size=0x1000 \
    -z noexecstack --build-id=none

USER_CFLAGS_BOTH := -std=gnu11 -O2 -g -Wall -Wextra -Werror -ffreestanding \
    -fno-stack-protector -fno-strict-aliasing \
    -I$(GEN) -Ikernel/include -Intdll-stub/include
USER_LDFLAGS_BOTH := -nostdlib -Wl,--no-insert-timestamp \
    -Wl,--dynamicbase -Wl,--nxcompat

USER_CFLAGS := $(USER_CFLAGS_BOTH) -Iarch/amd64/include \
    -Intdll-stub/amd64/include -Intdll-stub/amd64 -Itests/user/amd64
# The same for C++: std is the compiler's, C's assertions are its own.
USER_CXXFLAGS := $(filter-out -std=gnu11,$(USER_CFLAGS)) -std=gnu++17 \
    -D_Static_assert=static_assert
USER_NASMFLAGS := -f win64 -Werror -I$(GEN)/
USER_LDFLAGS := $(USER_LDFLAGS_BOTH) -Wl,--high-entropy-va
PROGRAM_LDFLAGS := $(USER_LDFLAGS) -Wl,--subsystem,console \
    -Wl,-e,NtProcessStartup
DLL_LDFLAGS := $(USER_LDFLAGS) -s -shared -Wl,-e,DllMain

# No SSE unless asked for: XP does not need it.
USER32_CFLAGS := $(USER_CFLAGS_BOTH) -march=i686 -mno-mmx -mno-sse \
    -fno-asynchronous-unwind-tables -Iarch/i386/include \
    -Intdll-stub/i386/include -Intdll-stub/i386 -Itests/user/i386
USER32_CXXFLAGS := $(filter-out -std=gnu11,$(USER32_CFLAGS)) -std=gnu++17 \
    -D_Static_assert=static_assert
USER32_NASMFLAGS := -f win32 -Werror -I$(GEN)/
USER32_LDFLAGS := $(USER_LDFLAGS_BOTH)
PROGRAM32_LDFLAGS := $(USER32_LDFLAGS) -Wl,--subsystem,console \
    -Wl,-e,_NtProcessStartup@4
DLL32_LDFLAGS := $(USER32_LDFLAGS) -s -shared -Wl,-e,_DllMain@12

# ---- The kernel ------------------------------------------------------------

TABS := $(SERVICES) $(if $(TEST),$(wildcard $(SERVICES_TEST)))
KERNEL_SRCS := $(BOOT_OBJS) $(ARCH_OBJS) $(RTL_OBJS) $(KD_OBJS) $(KE_OBJS) \
    $(MM_OBJS) $(HAL_OBJS) $(EX_OBJS) $(OB_OBJS) $(IO_OBJS) $(PS_OBJS) \
    $(ETW_OBJS) $(WIN32K_OBJS) \
    $(USB_OBJS) $(WOW64_OBJS) $(INIT_OBJS) $(if $(CHECKED),$(CHECKED_KERNEL)) \
    $(if $(TEST),$(TEST_KERNEL) $(if $(CHECKED),$(CHECKED_TEST_KERNEL)))
KERNEL_OBJS := $(KERNEL_SRCS:%=$(OBJ)/%.o)

SERVICE_FILES := $(GEN)/services.h $(GEN)/services.inc.c $(GEN)/stubs.inc \
    $(GEN)/ntdll.def $(GEN)/services32.inc.c $(GEN)/stubs32.inc \
    $(GEN)/exports32.def $(GEN)/calls.inc.c

# $(call keep,TEXT): a file of this text, rewritten only when that changes; a
# copy of the folder may share the file.
define keep
@mkdir -p $(@D)
@printf '%s\n' '$(1)' | cmp -s - $@ || \
    { rm -f $@ && printf '%s\n' '$(1)' > $@; }
endef

# When a flag changes everything is rebuilt. A copy of the folder elsewhere is
# as good.
FLAGS := $(KERNEL_NASMFLAGS)|$(KERNEL_LDFLAGS)|$(USER_CFLAGS)|
FLAGS += $(USER_NASMFLAGS)|$(PROGRAM_LDFLAGS)|$(USER32_CFLAGS)|
FLAGS += $(USER32_NASMFLAGS)|$(PROGRAM32_LDFLAGS)|$(TEST)
$(GEN)/flags: FORCE
	$(call keep,$(subst $(GEN),GEN,$(FLAGS)))

# The same for the kernel's C alone.
$(GEN)/kernel.flags: FORCE
	$(call keep,$(subst $(GEN),GEN,$(KERNEL_CFLAGS)))

# The same for the defence that is left out: only what asks is rebuilt.
$(GEN)/bug.name: FORCE
	$(call keep,$(BUG))
$(GEN)/bug.stamp: $(DEFENCES) scripts/defences.py $(GEN)/bug.name
	$(call say,GEN)
	$(Q)$(PYTHON) scripts/defences.py $(DEFENCES) $(GEN)/bug.h \
	    $(GEN)/bug.inc $(BUG)
	@touch $@
$(GEN)/bug.h $(GEN)/bug.inc: $(GEN)/bug.stamp ;

EXPORTS   := ntdll-stub/exports.txt ntdll-stub/amd64/exports.txt
EXPORTS32 := ntdll-stub/exports.txt ntdll-stub/i386/exports.txt
$(GEN)/services.stamp: $(TABS) $(EXPORTS) $(EXPORTS32) scripts/services.py \
                       $(GEN)/flags
	$(call say,GEN)
	$(Q)$(PYTHON) scripts/services.py --out $(GEN) \
	    $(EXPORTS:%=--exports %) $(EXPORTS32:%=--exports32 %) $(TABS)
	@touch $@
$(SERVICE_FILES): $(GEN)/services.stamp ;

# STATUS(name) for each status that ring 3 may see, for its names.
$(GEN)/statuses.inc.c: kernel/include/nt/ntstatus.h
	$(call say,GEN)
	@mkdir -p $(@D)
	$(Q)sed -n 's/^#define \(STATUS_[A-Z0-9_]*\) .*/STATUS(\1)/p' $< > $@

# Structure offsets for assembly: the compiler's answer, as NASM equates.
$(GEN)/genamd64.s: arch/amd64/genamd64.c $(GEN)/flags $(GEN)/kernel.flags \
                   | $(GEN)/services.stamp $(GEN)/bug.stamp
	$(call say,CC)
	$(Q)$(CC) $(KERNEL_CFLAGS) -MMD -MP -MF $(@:.s=.d) -MT $@ -S $< -o $@
$(GEN)/ksamd64.inc: $(GEN)/genamd64.s scripts/offsets.py
	$(call say,GEN)
	$(Q)$(PYTHON) scripts/offsets.py $< $@

$(GEN)/font.psf: $(FONT)
	$(call say,GEN)
	@mkdir -p $(@D)
	$(Q)gzip -dc $< > $@

$(OBJ)/%.c.o: %.c $(GEN)/flags $(GEN)/kernel.flags \
              | $(GEN)/services.stamp $(GEN)/bug.stamp
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@
# What assembly includes is named here: NASM's -MD forgets it (2.16).
$(OBJ)/%.asm.o: %.asm $(GEN)/flags $(GEN)/ksamd64.inc $(GEN)/bug.inc \
                arch/amd64/include/arch/macros.inc \
                arch/amd64/include/arch/cfi.inc \
                arch/amd64/entry/vectors.inc \
                | $(GEN)/services.stamp $(GEN)/font.psf
	$(call say,NASM)
	@mkdir -p $(@D)
	$(Q)$(NASM) $(KERNEL_NASMFLAGS) -I$(<D)/ -MD $(@:.o=.d) -MT $@ -MP \
	    $< -o $@
$(OBJ)/tests/kernel/ist.asm.o: programs/lib/nonvolatile.inc

# Without NASM's labels of macros, which would hide names from gdb.
$(BUILD)/ntoskrnl.elf: $(KERNEL_OBJS) linker.ld
	$(if $(KERNEL_SRCS),,$(error the kernel has no sources yet))
	$(call say,LD)
	$(Q)$(LD) $(KERNEL_LDFLAGS) $(if $(TEST),$(TEST_KERNEL_LDFLAGS) \
	    $(if $(CHECKED),$(CHECKED_TEST_KERNEL_LDFLAGS))) \
	    -T linker.ld -Map $(@:.elf=.map) \
	    -o $@ $(KERNEL_OBJS)
	$(Q)$(OBJCOPY) --wildcard --strip-symbol='..@*' $@
	@printf '%s\n' '$(if $(TEST),test,main)' > $(BUILD)/flavour

# As an image has it: what is loaded, and the two symbols that boot/efi/kernel.c
# looks for; ntoskrnl.sym has the others. objcopy would write into the old
# file, which a copy of the folder may share.
LOADER_SYMBOLS := KiSystemStartup ki_idle_stack_top

$(BUILD)/boot/ntoskrnl.elf: $(BUILD)/ntoskrnl.elf
	$(call say,STRIP)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(OBJCOPY) --strip-all \
	    $(LOADER_SYMBOLS:%=--keep-symbol=%) $< $@

# ADDRESS TYPE NAME, sorted: code and data, no constants, no local labels.
$(BUILD)/ntoskrnl.sym: $(BUILD)/ntoskrnl.elf
	$(call say,NM)
	$(Q)$(NM) -n $< | grep -E '^[0-9a-f]{16} [TtDdBbRrVvWw] [^.]*$$' > $@

# ---- Ring 3 ----------------------------------------------------------------

NTDLL_OBJS   := $(NTDLL_SRCS:%=$(OBJ)/ring3/%.o)
NTDLL32_OBJS := $(NTDLL32_SRCS:%=$(OBJ)/ring3-32/%.o)

$(OBJ)/ring3/%.c.o: %.c $(GEN)/flags \
                   | $(GEN)/services.stamp $(GEN)/statuses.inc.c
	$(call say,CC3)
	@mkdir -p $(@D)
	$(Q)$(or $($(basename $(<F))_CC),$(MINGW)gcc) $(USER_CFLAGS) \
	    -MMD -MP -MF $(@:.o=.d) -c $< -o $@
$(OBJ)/ring3/%.cc.o: %.cc $(GEN)/flags \
                    | $(GEN)/services.stamp $(GEN)/statuses.inc.c
	$(call say,CXX3)
	@mkdir -p $(@D)
	$(Q)$(MINGW)g++ $(USER_CXXFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@
$(OBJ)/ring3/%.asm.o: %.asm $(GEN)/flags $(GEN)/stubs.inc \
                      programs/lib/call.inc programs/lib/nonvolatile.inc \
                      tests/user/fuzz/state.inc
	$(call say,NASM3)
	@mkdir -p $(@D)
	$(Q)$(NASM) $(USER_NASMFLAGS) -I$(<D)/ -MD $(@:.o=.d) -MT $@ -MP \
	    $< -o $@

$(OBJ)/ring3-32/%.c.o: %.c $(GEN)/flags \
                      | $(GEN)/services.stamp $(GEN)/statuses.inc.c
	$(call say,CC3)
	@mkdir -p $(@D)
	$(Q)$(or $($(basename $(<F))_CC32),$(MINGW32)gcc) $(USER32_CFLAGS) \
	    -MMD -MP -MF $(@:.o=.d) -c $< -o $@
	$(if $($(basename $(<F))_CC32),$(Q)$(MINGW32)objcopy -R .sxdata $@)
$(OBJ)/ring3-32/%.cc.o: %.cc $(GEN)/flags \
                       | $(GEN)/services.stamp $(GEN)/statuses.inc.c
	$(call say,CXX3)
	@mkdir -p $(@D)
	$(Q)$(MINGW32)g++ $(USER32_CXXFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@
$(OBJ)/ring3-32/%.asm.o: %.asm $(GEN)/flags $(GEN)/stubs32.inc \
                         programs/lib/i386/call.inc
	$(call say,NASM3)
	@mkdir -p $(@D)
	$(Q)$(NASM) $(USER32_NASMFLAGS) -I$(<D)/ -MD $(@:.o=.d) -MT $@ -MP \
	    $< -o $@

# Linked with symbols under debug/ (for gdb), stripped for the image.
$(BUILD)/debug/ntdll.dll: $(NTDLL_OBJS) $(GEN)/ntdll.def
	$(if $(NTDLL_SRCS),,$(error ntdll has no sources yet))
	$(call say,LD3)
	@mkdir -p $(@D)
	$(Q)$(MINGW)gcc $(USER_LDFLAGS) -shared -Wl,-e,0 \
	    -Wl,--image-base,0x180000000 \
	    -Wl,--out-implib,$(BUILD)/libntdll.a -o $@ \
	    $(NTDLL_OBJS) $(GEN)/ntdll.def
$(BUILD)/libntdll.a: $(BUILD)/debug/ntdll.dll ;
$(BUILD)/ntdll.dll: $(BUILD)/debug/ntdll.dll
	$(call say,STRIP)
	$(Q)$(MINGW)strip -s -o $@ $<

# The 32-bit one: names are exported without their decoration, but programs
# are linked by it. At XP SP3's base; libgcc divides 64-bit numbers.
$(GEN)/ntdll32.def: $(GEN)/exports32.def $(NTDLL32_OBJS) scripts/decorate.py
	$(call say,GEN)
	$(Q)$(PYTHON) scripts/decorate.py $(MINGW32)nm $< $@ $(NTDLL32_OBJS)
$(BUILD)/debug/ntdll32.dll: $(NTDLL32_OBJS) $(GEN)/ntdll32.def
	$(call say,LD3)
	@mkdir -p $(@D)
	$(Q)$(MINGW32)gcc $(USER32_LDFLAGS) -shared -Wl,-e,0 -Wl,--kill-at \
	    -Wl,--image-base,0x7C900000 -o $@ \
	    $(NTDLL32_OBJS) $(GEN)/ntdll32.def -lgcc
$(BUILD)/libntdll32.a: $(GEN)/ntdll32.def
	$(call say,LIB3)
	$(Q)$(MINGW32)dlltool -k -d $< -l $@
$(BUILD)/ntdll32.dll: $(BUILD)/debug/ntdll32.dll
	$(call say,STRIP)
	$(Q)$(MINGW32)strip -s -o $@ $<

# $(call program,FOLDER,NAME,SOURCES,BITS): BITS is nothing, or 32.
define program
$(BUILD)/debug/$(1)/$(2).exe: $(3:%=$(OBJ)/ring3$(4:%=-%)/%.o) \
                              $(BUILD)/libntdll$(4).a \
                              $($(2)_DLLS:%=$(BUILD)/user$(4)/lib%.a)
	$$(call say,LD3)
	@mkdir -p $$(@D)
	$$(Q)$$(MINGW$(4))gcc $$(PROGRAM$(4)_LDFLAGS) -o $$@ \
	    $(3:%=$(OBJ)/ring3$(4:%=-%)/%.o) -L$$(BUILD)/user$(4) \
	    -L$$(BUILD) $($(2)_DLLS:%=-l%) $($(2)_LIBS) -lntdll$(4) \
	    $(4:32=-lgcc)
$(BUILD)/$(1)/$(2).exe: $(BUILD)/debug/$(1)/$(2).exe
	$$(call say,STRIP)
	@mkdir -p $$(@D)
	$$(Q)$$(MINGW$(4))strip -s -o $$@ $$<
endef
# Import libraries come from the lists of exports alone, so that DLLs may need
# each other.
$(BUILD)/user/lib%.a: tests/user/dll/%.def
	$(call say,LIB3)
	@mkdir -p $(@D)
	$(Q)$(MINGW)dlltool -d $< -l $@
$(BUILD)/user32/lib%.a: tests/user/dll/%.def
	$(call say,LIB3)
	@mkdir -p $(@D)
	$(Q)$(MINGW32)dlltool -d $< -l $@

# $(call dll,NAME,BITS)
define dll
$(BUILD)/user$(2)/$(1).dll: $(OBJ)/ring3$(2:%=-%)/tests/user/dll/$(1).c.o \
                        tests/user/dll/$(1).def $(BUILD)/libntdll$(2).a \
                        $($(1)_DLLS:%=$(BUILD)/user$(2)/lib%.a)
	$$(call say,LD3)
	@mkdir -p $$(@D)
	$$(Q)$$(MINGW$(2))gcc $$(DLL$(2)_LDFLAGS) -o $$@ \
	    $$< tests/user/dll/$(1).def -L$$(BUILD)/user$(2) -L$$(BUILD) \
	    $($(1)_DLLS:%=-l%) -lntdll$(2)
endef
$(foreach d,$(USER_DLLS),$(eval $(call dll,$(d)))$(eval $(call dll,$(d),32)))

user_names   := $(notdir $(basename $(USER_TESTS)))
user_names32 := $(notdir $(basename $(USER_TESTS32)))
$(foreach p,$(PROGRAMS),$(eval $(call program,programs,$(p),$($(p)_SRCS))))
$(foreach p,$(PROGRAMS32),\
    $(eval $(call program,programs,$(p),$($(p)_SRCS),32)))
$(foreach t,$(USER_TESTS),\
    $(eval $(call program,user,$(notdir $(basename $(t))),\
        $($(notdir $(basename $(t)))_SRCS) $(t) $(USER_TEST_SRCS))))
$(foreach t,$(USER_TESTS32),\
    $(eval $(call program,user32,$(notdir $(basename $(t))),\
    $($(notdir $(basename $(t)))_SRCS32) $(t) $(USER_TEST32_SRCS),32)))

PROGRAM_FILES := $(PROGRAMS:%=$(BUILD)/programs/%.exe) \
    $(PROGRAMS32:%=$(BUILD)/programs/%.exe)

# What programs that are built outside are linked with.
OUTSIDE := $(addprefix $(BUILD)/,libntdll.a libntdll32.a cxxstart.o \
    cxxstart32.o)
CXXSTART := programs/lib/cxxstart.c
$(BUILD)/cxxstart.o: $(OBJ)/ring3/$(CXXSTART).o
	$(call say,STRIP)
	$(Q)$(MINGW)strip -g -o $@ $<
$(BUILD)/cxxstart32.o: $(OBJ)/ring3-32/$(CXXSTART).o
	$(call say,STRIP)
	$(Q)$(MINGW32)strip -g -o $@ $<

USER_FILES    := $(user_names:%=$(BUILD)/user/%.exe) \
    $(USER_DLLS:%=$(BUILD)/user/%.dll) \
    $(user_names32:%=$(BUILD)/user32/%.exe) \
    $(USER_DLLS:%=$(BUILD)/user32/%.dll)

# ---- UEFI's loader ---------------------------------------------------------

EFI_OBJS := boot/efi/main.c boot/efi/volume.c boot/efi/text.c \
    boot/efi/options.c boot/efi/menu.c boot/efi/files.c boot/efi/kernel.c \
    boot/efi/acpi.c boot/efi/video.c boot/efi/tables.c boot/efi/memory.c \
    boot/memmap.c \
    boot/efi/handoff.asm
EFI_LIB    := /usr/lib
EFI_INCLUDES := -isystem /usr/include/efi -isystem /usr/include/efi/x86_64
EFI_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -ffreestanding -fpic \
    -fshort-wchar -fno-stack-protector -fno-strict-aliasing \
    -fno-asynchronous-unwind-tables -fcf-protection=none -mno-red-zone \
    -maccumulate-outgoing-args -DGNU_EFI_USE_MS_ABI $(EFI_INCLUDES) \
    -Ikernel/include -Iarch/amd64/include -Iboot
EFI_LDFLAGS := -nostdlib -znocombreloc -shared -Bsymbolic --build-id=none \
    -z noexecstack -T $(EFI_LIB)/elf_x86_64_efi.lds
EFI_FORM := -S -j .text -j .data -j .dynamic -j .dynsym -j .rela -j .reloc \
    --target efi-app-x86_64 --subsystem=10
EFI_FILES := $(EFI_OBJS:%=$(OBJ)/efi/%.o)

$(GEN)/efi.flags: FORCE
	$(call keep,$(EFI_CFLAGS)|$(EFI_LDFLAGS)|$(EFI_FORM))
$(OBJ)/efi/%.c.o: %.c $(GEN)/efi.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(EFI_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@
$(OBJ)/efi/%.asm.o: %.asm $(GEN)/efi.flags
	$(call say,NASM)
	@mkdir -p $(@D)
	$(Q)$(NASM) -f elf64 -Werror $< -o $@
$(BUILD)/debug/BOOTX64.so: $(EFI_FILES) $(GEN)/efi.flags
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(LD) $(EFI_LDFLAGS) $(EFI_LIB)/crt0-efi-x86_64.o $(EFI_FILES) \
	    -L$(EFI_LIB) -lefi -lgnuefi -o $@
$(BUILD)/BOOTX64.EFI: $(BUILD)/debug/BOOTX64.so
	$(call say,EFI)
	$(Q)rm -f $@ && $(OBJCOPY) $(EFI_FORM) $< $@
-include $(EFI_FILES:.o=.d)

# ---- The image -------------------------------------------------------------

# What goes on every image.
KERNEL := $(BUILD)/boot/ntoskrnl.elf $(BUILD)/ntoskrnl.sym
PARTS := $(BUILD)/BOOTX64.EFI $(KERNEL) $(BUILD)/ntdll.dll \
    $(BUILD)/ntdll32.dll $(PROGRAM_FILES)

$(BUILD)/ntwalk.iso: $(PARTS) boot/grub/grub.cfg $(wildcard scripts/ntwalk/*.py)
	$(call say,ISO)
	$(Q)scripts/boot --no-build --build $(BUILD) --image $@

$(BUILD)/SHA256SUMS: $(BUILD)/ntwalk.iso
	$(Q)cd $(BUILD) && sha256sum ntwalk.iso > SHA256SUMS

-include $(KERNEL_OBJS:.o=.d) $(GEN)/genamd64.d
-include $(NTDLL_OBJS:.o=.d) $(NTDLL32_OBJS:.o=.d)
-include $(foreach p,$(PROGRAMS),$($(p)_SRCS:%=$(OBJ)/ring3/%.d))
-include $(foreach p,$(PROGRAMS32),$($(p)_SRCS:%=$(OBJ)/ring3-32/%.d))
-include $(patsubst %,$(OBJ)/ring3/%.d,$(USER_TESTS) $(USER_TEST_SRCS))
-include $(patsubst %,$(OBJ)/ring3-32/%.d,$(USER_TESTS32) \
    $(USER_TEST32_SRCS) $(flags_SRCS32) $(selectors_SRCS32) $(gate_SRCS32) \
    $(handlers_SRCS32) $(faults_SRCS32) $(fuzz_SRCS32) tests/user/objects.c \
    $(CXXSTART))
-include $(patsubst %,$(OBJ)/ring3/%.d,$(doors_SRCS) $(compat_SRCS) \
    $(fuzz_SRCS) \
    tests/user/objects.c $(CXXSTART))

# ---- QEMU's plugin ---------------------------------------------------------

PLUGIN_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -fPIC \
    -fvisibility=hidden
PLUGINS := $(addprefix $(BUILD)/,profile.so watch.so coverage.so share.so)

profile_PLUGIN  := decode.c symbols.c tree.c stack.c profile.c
watch_PLUGIN    := decode.c places.c calls.c fetches.c tables.c watch.c
coverage_PLUGIN := coverage.c
share_PLUGIN    := decode.c places.c share.c
PLUGIN_HDRS := $(addprefix scripts/plugin/,qemu_plugin.h decode.h symbols.h \
    words.h tree.h stack.h places.h calls.h fetches.h tables.h)

define plugin
$(BUILD)/$(1).so: $($(1)_PLUGIN:%=scripts/plugin/%) $(PLUGIN_HDRS)
	$$(call say,CC)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(PLUGIN_CFLAGS) -shared -o $$@ \
	    $($(1)_PLUGIN:%=scripts/plugin/%)
endef
$(foreach p,profile watch coverage share,$(eval $(call plugin,$(p))))

# ---- Tests on the host ----------------------------------------------------

include tests/fidelity/fidelity.mk
include tests/unit/unit.mk
include tests/fuzz/fuzz.mk
include scripts/peers/peers.mk

# ---- Commands --------------------------------------------------------------

# The words of "make help" are the "##" comments below.
help: ## this list
	@printf 'ntwalk: follow a Windows NT system call on a bare PC\n\n'
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1~\2/p' Makefile \
	    | awk -F'~' '{ printf "%-20s %s\n", $$1, $$2 }'
	@printf '\nBUILD=DIR builds elsewhere, TEST=1 the test kernel, '
	@printf 'V=1 shows commands,\nBUG=NAME leaves a defence out of the kernel '
	@printf '(kernel/defences.tab).\n'

run: ## set up, build, and watch the tour in this terminal
	@scripts/setup
	@scripts/boot --build $(BUILD)

shell: ## set up, build, and type commands to a shell in ring 3
	@scripts/setup
	@scripts/boot --build $(BUILD) --interactive shell

bench: ## set up, build, and count what calls, switches, faults cost
	@scripts/setup
	@scripts/bench --build $(BUILD)

bench-peers: ## the same in Linux, which is downloaded, side by side
	@scripts/setup
	@scripts/bench-peers --build $(BUILD)

bench-scaling: ## what several processors do at once, what their calls share
	@scripts/setup
	@scripts/bench-scaling --build $(BUILD)

bench-record: ## what make bench counts becomes what make test compares with
	@scripts/bench --build $(BUILD) --record

profile: ## set up, build, count a run by room and service; PROGRAM="NAME ARG"
	@scripts/setup
	@scripts/profile --build $(BUILD) $(PROGRAM) $(ARGS)

test: ## set up, build, and run every test
	@scripts/setup
	@NTWALK_BUILD=$(abspath $(BUILD)) tests/run

setup: ## install the packages this machine lacks
	@scripts/setup

doctor: ## list every tool, its version, and what is missing
	@scripts/setup --doctor

image: $(BUILD)/SHA256SUMS ## build/ntwalk.iso, for CD or USB, BIOS or UEFI

usb: which-device $(BUILD)/SHA256SUMS ## write that to a stick: DEVICE=/dev/sdX
	@scripts/usb $(if $(FORCE),--force) $(BUILD)/ntwalk.iso $(DEVICE)

# Secure boot: the firmware runs what one of its keys has signed.  Each time
# anew: the key may be another one.
$(BUILD)/signed/BOOTX64.EFI: $(BUILD)/BOOTX64.EFI FORCE
	$(call say,SIGN)
	@mkdir -p $(@D)
	$(Q)sbsign --key $(KEY) --cert $(CERT) --output $@ $<

SIGNED := $(BUILD)/signed/BOOTX64.EFI
sign: which-key $(PARTS) $(SIGNED) ## the same, signed: KEY=FILE CERT=FILE
	@scripts/boot --no-build --build $(BUILD) \
	    --loader $(SIGNED) --image $(BUILD)/signed/ntwalk.iso

which-key:
	@$(if $(and $(KEY),$(CERT)),:,echo \
	    'make sign: say which: KEY=FILE.key CERT=FILE.pem' >&2; false)

which-device:
	@$(if $(DEVICE),:,echo 'make usb: say which: DEVICE=/dev/sdX' >&2; false)

parts: $(PARTS) $(OUTSIDE) $(PLUGINS) ## all but the image

kernel: $(KERNEL) ## the kernel alone

user-tests: $(USER_FILES) ## the ring-3 test programs

doors: ## every service: its number and arguments by each door
	@$(PYTHON) scripts/doors.py $(TABS)

paths: $(BUILD)/ntoskrnl.elf ## walk every path through the entry code
	@$(PYTHON) tests/entry/paths.py $<

# HOURS=0.1 is six minutes.
HOURS ?= 1
soak: ## everything at once, for an hour; HOURS=N
	@$(MAKE) -s BUILD=$(BUILD)/test TEST=1 parts user-tests
	@scripts/soak --build $(BUILD)/test $(HOURS)

# Of "fuzz": N random calls from SEED on, STATES and CONTEXTS (a hundredth of
# N each); AT=CALL shows the calls up to that one. BITS=32: of 32-bit code.
N    ?= 10000000
SEED ?= 20041
AT   ?=
BITS ?= 64
STATES   ?=
CONTEXTS ?=
fuzz: parts user-tests ## random calls against a model; N=CALLS SEED=N BITS=32
	@$(PYTHON) tests/entry/fuzz.py --build $(BUILD) --bits $(BITS) \
	    calls=$(N) seed=$(SEED) $(STATES:%=states=%) \
	    $(CONTEXTS:%=contexts=%) $(AT:%=at=%)

# Words of tests/entry/sweep.py, paths among them.
SWEEP ?=
sweep: ## NMI, #MC, clock at each instruction of the ways in and out; SWEEP=PATH
	@scripts/setup
	@$(MAKE) -s BUILD=$(BUILD)/test TEST=1 parts user-tests
	@$(PYTHON) tests/entry/sweep.py --build $(BUILD)/test $(SWEEP)

# As many rounds of each race, on four processors.
ROUNDS ?= 20000
races: ## what takes several processors; ROUNDS=N of each race
	@$(MAKE) -s BUILD=$(BUILD)/test TEST=1 parts user-tests
	@scripts/boot --build $(BUILD)/test --no-build --smp 4 \
	    --timeout 86400 --option 'log=*:warning' \
	    --add $(BUILD)/test/user/smp.exe smp $(ROUNDS)

watch: ## how ring 0 uses ring 3's memory: test programs, N=CALLS of "fuzz"
	@$(MAKE) -s BUILD=$(BUILD)/test TEST=1 parts user-tests
	@$(PYTHON) tests/entry/watch.py --build $(BUILD)/test --calls $(N)

coverage: ## is every instruction of the entry code executed by some test?
	@$(MAKE) -s BUILD=$(BUILD)/test TEST=1 parts user-tests
	@$(PYTHON) tests/entry/coverage.py --build $(BUILD)/test

bugs: ## leave out each defence in turn, and see which tests notice; ONLY=NAME
	@scripts/setup
	@$(MAKE) -s BUILD=$(BUILD)/test TEST=1 BUG= parts user-tests
	@$(PYTHON) tests/entry/bugs.py --build $(BUILD)/test $(ONLY)

mutants: ## NOPs for each instruction of the entry code; PART=I/N SAMPLE=N
	@scripts/setup
	@$(MAKE) -s BUILD=$(BUILD)/test TEST=1 BUG= parts user-tests
	@$(MAKE) -s BUILD=$(BUILD)/test/checked TEST=1 CHECKED=1 BUG= kernel
	@$(PYTHON) tests/entry/mutants.py --build $(BUILD)/test \
	    $(if $(PART),--part $(PART)) $(if $(SAMPLE),--sample $(SAMPLE))

kva-map: ## what ring 3's page tables have of the kernel (KVA shadow)
	@scripts/setup
	@scripts/kva-map --build $(BUILD)

# What "debug" runs, with its arguments.
PROGRAM ?= tour
debug: ## gdb in this terminal, stopped at KiSystemStartup; PROGRAM="NAME ARG"
	@scripts/setup
	@scripts/debug $(BUILD) $(PROGRAM)

# What "walk" follows: a service, its arguments, a door, with a user APC or not.
CALL ?= NtClose
DOOR ?= syscall
APC  ?=
walk: ## build/walk/index.html: CALL="NtClose 0x1234" DOOR=syscall APC=1
	@scripts/setup
	@scripts/walk --build $(BUILD) --door $(DOOR) $(if $(APC),--apc) $(CALL)

screenshot: ## docs/screenshot.png, from the tour; docs/walk.png, of a walk
	@scripts/boot --build $(BUILD) --firmware uefi --media usb --smp 4 \
	    --screendump docs/screenshot.png tour >/dev/null
	@scripts/walk --build $(BUILD) NtClose >/dev/null
	@scripts/ntwalk/browser.py $(BUILD)/walk/index.html#room-2 docs/walk.png

clean: ## remove what was built
	rm -rf $(BUILD)

FORCE:
.PHONY: help run shell bench bench-peers bench-scaling bench-record profile \
    test setup doctor image usb sign which-device which-key parts kernel \
    user-tests doors paths soak fuzz sweep races watch coverage bugs \
    mutants kva-map debug walk screenshot clean FORCE

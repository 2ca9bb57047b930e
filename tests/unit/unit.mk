# unit.mk: tests of portable kernel code on the host, with ASan and UBSan.
#
# tests/unit/NAME.c becomes $(BUILD)/unit/NAME; unit_NAME lists the sources
# linked with it, unit_NAME_FLAGS what else the compiler must know.

UNIT_TESTS := ssdt numbering selfmap format text memmap avl gap handle pe pe32 \
    serial console screen options log widen translate fpu timertable scancode \
    edit locks locks32 unwind mitigation efi acpi \
    smbios power hid descriptor qr

UNIT := $(BUILD)/unit
# Names of NT have NTAPI, which means nothing to the host's convention.
UNIT_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -fshort-wchar \
    -Wno-attributes \
    -fno-strict-aliasing -fno-omit-frame-pointer \
    -fsanitize=address,undefined -fno-sanitize-recover=all \
    -I$(UNIT) $(INCLUDES)

SAMPLE := $(UNIT)/data/sample.dll
SAMPLE32 := $(UNIT)/data/sample32.dll

unit_ssdt      := kernel/ke/ssdt.c
unit_numbering := kernel/ke/numbering.c
unit_selfmap   :=
unit_format    := kernel/rtl/format.c
unit_format_FLAGS := -Wno-format
unit_memmap    := boot/memmap.c
unit_avl       := kernel/rtl/avl.c
unit_gap       := kernel/mm/gap.c kernel/rtl/avl.c
unit_efi       := $(addprefix boot/efi/,text.c options.c files.c kernel.c \
    video.c)
unit_efi_FLAGS := -fno-builtin -DGNU_EFI_USE_MS_ABI $(EFI_INCLUDES)
unit_acpi      := kernel/hal/acpi.c
unit_smbios    := kernel/hal/smbios.c
unit_power     := kernel/hal/power.c
unit_power_FLAGS := -Itests/unit/fake
unit_hid       := kernel/usb/hid.c kernel/io/scancode.c
unit_descriptor := kernel/usb/descriptor.c
unit_handle    := kernel/ex/handle.c
unit_pe        := kernel/rtl/pe.c
unit_pe_FLAGS  := -DSAMPLE='"$(abspath $(SAMPLE))"' -DSAMPLE_BITS=64
unit_pe32      := $(unit_pe)
unit_pe32_FLAGS := -DSAMPLE='"$(abspath $(SAMPLE32))"' -DSAMPLE_BITS=32
unit_serial    :=
unit_serial_FLAGS := -Itests/unit/fake
unit_console   := kernel/rtl/format.c kernel/kd/symbols.c
unit_screen    := tests/unit/font.c
unit_options   := kernel/init/options.c
unit_log       := kernel/kd/log.c
unit_timertable := kernel/ke/timertable.c
unit_widen     := kernel/wow64/widen.c
unit_translate := kernel/wow64/translate.c
unit_fpu       := kernel/wow64/fpu.c
unit_mitigation := arch/amd64/cpu/mitigation.c
unit_scancode  := kernel/io/scancode.c
unit_edit      := $(addprefix programs/shell/,edit.c history.c words.c)
unit_qr        := $(addprefix programs/lib/,qr.c qrwords.c qrpicture.c \
    qrmask.c)
unit_locks     := $(addprefix ntdll-stub/src/,critical.c waitaddr.c srwlock.c \
    runonce.c)
unit_locks32   := $(unit_locks)
unit_locks_COMMON := -pthread -fno-builtin -Itests/unit/fake \
    -Intdll-stub/include
unit_locks_FLAGS   := $(unit_locks_COMMON) -Intdll-stub/amd64 -DTAKEN=-2 \
    -DTAKEN_TWICE=-2 -DONE_WAITS=-6 -DTWO_WAIT=-10
unit_locks32_FLAGS := $(unit_locks_COMMON) -Intdll-stub/i386 -DTAKEN=0 \
    -DTAKEN_TWICE=1 -DONE_WAITS=1 -DTWO_WAIT=2
unit_unwind    := ntdll-stub/amd64/unwind.c
unit_unwind_FLAGS := -fno-builtin -Intdll-stub/include \
    -Intdll-stub/amd64/include -Iarch/amd64/include
unit_text      := kernel/rtl/unicode.c $(UNIT)/rtl_memory.o $(UNIT)/rtl_text.o

UNIT_RENAMED := $(foreach f,memcpy memmove memset memcmp strlen strcmp \
    strncmp strchr,-D$(f)=rtl_$(f))
$(UNIT)/rtl_%.o: kernel/rtl/%.c kernel/include/rtl.h $(GEN)/flags
	$(call say,UNIT)
	@mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_CFLAGS) -fno-builtin $(UNIT_RENAMED) -c $< -o $@

$(UNIT)/selfmap_table.h: tests/unit/selfmap_table.py tests/fidelity/selfmap.json
	$(call say,GEN)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) $^ $@
$(UNIT)/selfmap: $(UNIT)/selfmap_table.h
$(UNIT)/pe: $(SAMPLE)
$(UNIT)/pe32: $(SAMPLE32) tests/unit/pe.c
$(UNIT)/locks: ntdll-stub/amd64/lockcount.h
$(UNIT)/locks32: ntdll-stub/i386/lockcount.h tests/unit/locks.c

# C names begin with an underscore on i386.
SAMPLE_FLAGS := -O1 -nostdlib -shared -s -Wl,--no-insert-timestamp \
    -Wl,--dynamicbase
$(SAMPLE): tests/unit/sample.c tests/unit/sample.def
	$(call say,UNIT)
	@mkdir -p $(@D)
	$(Q)$(MINGW)gcc $(SAMPLE_FLAGS) -Wl,-e,sample_entry -o $@ $^
$(SAMPLE32): tests/unit/sample.c tests/unit/sample.def
	$(call say,UNIT)
	@mkdir -p $(@D)
	$(Q)i686-w64-mingw32-gcc $(SAMPLE_FLAGS) -Wl,-e,_sample_entry -o $@ $^

# $(call unit_test,NAME)
define unit_test
$(UNIT)/$(1): tests/unit/$(1).c $(unit_$(1)) tests/unit/unit.mk \
              | $(GEN)/services.stamp $(GEN)/bug.stamp
	$$(call say,UNIT)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $(unit_$(1)_FLAGS) $$(UNIT_CFLAGS) -MMD -MP \
	    -MF $$@.d -MT $$@ -o $$@ tests/unit/$(1).c \
	    $(filter %.c %.o,$(unit_$(1))) -lcmocka
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))
-include $(UNIT_TESTS:%=$(UNIT)/%.d)

unit-build: $(UNIT_TESTS:%=$(UNIT)/%)

unit: unit-build
	@failed=0; for test in $(UNIT_TESTS); do \
	    $(UNIT)/$$test || failed=1; \
	done; exit $$failed

.PHONY: unit unit-build

# fuzz.mk: libFuzzer targets of what reads data that anybody may have made.
#
# A crash is left in $(BUILD)/fuzz/NAME-crash-*, and its path is printed.

FUZZ_TARGETS := pe numbering unwind acpi usb
FUZZ_SECONDS ?= 30

FUZZ := $(BUILD)/fuzz
# Names of NT have NTAPI, which means nothing to the host's convention.
FUZZ_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -fshort-wchar \
    -Wno-ignored-attributes \
    -fno-strict-aliasing -fno-sanitize-recover=all \
    -fsanitize=fuzzer,address,undefined $(INCLUDES)

fuzz_pe        := kernel/rtl/pe.c
fuzz_numbering := kernel/ke/numbering.c
fuzz_acpi      := kernel/hal/acpi.c kernel/hal/smbios.c
fuzz_usb       := kernel/usb/descriptor.c kernel/usb/hid.c
fuzz_unwind    := ntdll-stub/amd64/unwind.c
fuzz_unwind_FLAGS := -fno-builtin -Intdll-stub/include \
    -Intdll-stub/amd64/include -Iarch/amd64/include
fuzz_pe_seeds  := $(SAMPLE) $(SAMPLE32)

# $(call fuzz_target,NAME)
define fuzz_target
$(FUZZ)/$(1): tests/fuzz/$(1).c $(fuzz_$(1)) tests/unit/pe_check.h \
              tests/fuzz/fuzz.mk | $(GEN)/services.stamp
	$$(call say,FUZZ)
	@mkdir -p $$(@D)
	$$(Q)clang $$(FUZZ_CFLAGS) $(fuzz_$(1)_FLAGS) -o $$@ \
	    tests/fuzz/$(1).c $(fuzz_$(1))
$(FUZZ)/seeds/$(1): tests/fuzz/seeds.py $(fuzz_$(1)_seeds)
	$$(call say,GEN)
	@mkdir -p $(FUZZ)/corpus/$(1)
	$$(Q)$(PYTHON) tests/fuzz/seeds.py $(1) $$@ $(fuzz_$(1)_seeds)
	@touch $$@
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_target,$(t))))

fuzz-build: $(FUZZ_TARGETS:%=$(FUZZ)/%) $(FUZZ_TARGETS:%=$(FUZZ)/seeds/%)

# The targets run side by side; together they take FUZZ_SECONDS of processor
# time.
fuzz-short: fuzz-build
	@$(PYTHON) tests/fuzz/run.py $(FUZZ) $(FUZZ_SECONDS) $(FUZZ_TARGETS)

.PHONY: fuzz-build fuzz-short

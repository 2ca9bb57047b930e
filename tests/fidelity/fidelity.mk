# fidelity.mk: checks that are part of the build: our structures held to
# Windows' layouts, and our includes to the layers.
#
# Every public header, ring by ring: a ring's macros must not touch the fields
# of the rings below.

NT_BOTH := $(patsubst kernel/include/%,kernel/include:%,\
    $(wildcard kernel/include/nt/*.h))
NT_LAYOUTS := $(NT_BOTH) $(patsubst arch/amd64/include/%,\
    arch/amd64/include:%,$(wildcard arch/amd64/include/nt/*.h))
NT_LAYOUTS32 := $(filter-out %:nt/wow64.h,$(NT_BOTH)) \
    $(patsubst arch/i386/include/%,arch/i386/include:%,\
    $(wildcard arch/i386/include/nt/*.h))
ARCH_LAYOUTS := $(patsubst arch/amd64/include/%,arch/amd64/include:%,\
    $(wildcard arch/amd64/include/arch/*.h))
RING1_LAYOUTS := $(patsubst kernel/include/%,kernel/include:%,\
    $(wildcard kernel/include/*.h))

LAYOUTS := tests/fidelity/layouts-win10-19041-x64.json \
    tests/fidelity/layouts-winxp-x86.json
LAYOUTS32 := tests/fidelity/layouts-winxp-x86.json
ALL_LAYOUTS := $(NT_LAYOUTS) $(ARCH_LAYOUTS) $(RING1_LAYOUTS)
layout_files = $(subst :,/,$(1))

$(GEN)/layout_asserts.c: scripts/gen_asserts.py $(LAYOUTS) \
                         $(call layout_files,$(ALL_LAYOUTS))
	$(call say,GEN)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) scripts/gen_asserts.py $(LAYOUTS) $@ $(ALL_LAYOUTS)
$(GEN)/layout_asserts_nt.c: scripts/gen_asserts.py $(LAYOUTS) \
                            $(call layout_files,$(NT_LAYOUTS))
	$(call say,GEN)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) scripts/gen_asserts.py $(LAYOUTS) $@ $(NT_LAYOUTS)
$(GEN)/layout_asserts_nt32.c: scripts/gen_asserts.py $(LAYOUTS32) \
                              $(call layout_files,$(NT_LAYOUTS32))
	$(call say,GEN)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) scripts/gen_asserts.py $(LAYOUTS32) $@ $(NT_LAYOUTS32)

$(GEN)/layout_asserts.o: $(GEN)/layout_asserts.c $(GEN)/flags \
                         | $(GEN)/services.stamp $(GEN)/bug.stamp
	$(call say,CC)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@
$(GEN)/layout_asserts_nt.o: $(GEN)/layout_asserts_nt.c $(GEN)/flags \
                            | $(GEN)/services.stamp
	$(call say,CC3)
	$(Q)$(MINGW)gcc $(USER_CFLAGS) -c $< -o $@
$(GEN)/layout_asserts_nt32.o: $(GEN)/layout_asserts_nt32.c $(GEN)/flags \
                              | $(GEN)/services.stamp
	$(call say,CC3)
	$(Q)$(MINGW32)gcc $(USER32_CFLAGS) -c $< -o $@

# Who includes whom: docs/layers.md.
$(GEN)/layers.stamp: scripts/check_layers.py docs/layers.md $(KERNEL_SRCS) \
                     $(wildcard kernel/*/*.h kernel/include/nt/*.h \
                         arch/*/include/nt/*.h)
	$(call say,CHECK)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) scripts/check_layers.py > $@

layouts: $(GEN)/layout_asserts.o $(GEN)/layout_asserts_nt.o \
    $(GEN)/layout_asserts_nt32.o
$(BUILD)/ntoskrnl.elf: | $(GEN)/layout_asserts.o $(GEN)/layers.stamp
$(BUILD)/debug/ntdll.dll: | $(GEN)/layout_asserts_nt.o
$(BUILD)/debug/ntdll32.dll: | $(GEN)/layout_asserts_nt32.o

.PHONY: layouts

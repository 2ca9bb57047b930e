# peers.mk: the programs that are measured in another kernel, Linux.
#
# They are part of no image: make bench-peers and a test build them.

PEERS := $(BUILD)/peers
PEERS_CFLAGS := -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding \
    -fno-pic -fno-pie -fno-stack-protector -fcf-protection=none \
    -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
    -mgeneral-regs-only -nostdlib -static -Wl,--build-id=none,-z,noexecstack

PEERS_COMMON := scripts/peers/measure.c
PEERS_INIT   := $(addprefix scripts/peers/,init.c calls.c signals.c memory.c \
    threads.c) $(PEERS_COMMON)
PEERS_COMPAT := scripts/peers/compat.c $(PEERS_COMMON)
PEERS_HEADERS := $(addprefix scripts/peers/,abi64.h abi32.h measure.h peers.h)

$(PEERS)/init: $(PEERS_INIT) $(PEERS_HEADERS) scripts/peers/peers.mk
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) -m64 $(PEERS_CFLAGS) -o $@ $(PEERS_INIT)
$(PEERS)/compat: $(PEERS_COMPAT) $(PEERS_HEADERS) scripts/peers/peers.mk
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) -m32 $(PEERS_CFLAGS) -o $@ $(PEERS_COMPAT)

peers: $(PEERS)/init $(PEERS)/compat

.PHONY: peers

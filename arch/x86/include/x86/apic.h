/*
 * x86/apic.h - local APIC registers (SDM: 3A, 11.4.1) and the PIT and PICs
 * beside it.
 */
#pragma once

#define APIC_BASE_ENABLE (1ULL << 11)
#define APIC_BASE_X2APIC (1ULL << 10)
#define APIC_BASE_ADDRESS 0xFFFFFF000ULL
#define X2APIC_MSR_BASE 0x800

#define APIC_ID 0x20
#define APIC_TPR 0x80
#define APIC_EOI 0xB0
#define APIC_SPURIOUS 0xF0
#define APIC_ISR 0x100
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3E0

#define APIC_ENABLE 0x100
#define APIC_ICR_PENDING 0x1000
#define APIC_ICR_SELF 0x40000
#define APIC_ICR_INIT 0x4500            /* a level, asserted */
#define APIC_ICR_STARTUP 0x4600         /* the same, and a page's number */
#define APIC_LVT_MASKED 0x10000
#define APIC_LVT_PERIODIC 0x20000
#define APIC_LVT_TSC_DEADLINE 0x40000
#define APIC_LVT_NMI 0x400
#define APIC_DIVIDE_BY_16 3
#define APIC_DIVIDE_BY_1 0xB

#define PIC1_DATA 0x21
#define PIC2_DATA 0xA1

/* Counter 2 can be gated and read back through port 61h. */
#define PIT_HZ 1193182
#define PIT_COUNTER2 0x42
#define PIT_COMMAND 0x43
#define PIT_COUNTER2_ONE_SHOT 0xB0
#define PORT_61 0x61
#define PORT_61_GATE2 0x01
#define PORT_61_SPEAKER 0x02
#define PORT_61_OUT2 0x20

#define RTC_INDEX 0x70
#define RTC_DATA 0x71

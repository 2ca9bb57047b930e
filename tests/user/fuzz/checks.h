/*
 * checks.h - what services check besides memory and handles, for rows.c.
 */
#pragma once

#include "fuzz.h"

#define ARGUMENT32(call, n) ((ULONG)(call)->arguments[n])

/* What of several arguments is checked together. */
check_routine check_event_type, check_semaphore_counts, check_timer_type,
    check_class, check_length, check_probe, check_allocation, check_protection,
    check_free_type, check_free_region, check_pages, check_lock_type,
    check_allocate_region, check_query_memory, check_query_length,
    check_transfer, check_read_process, check_user_address, check_unmap,
    check_period, check_release, check_wait_count, check_wait_type,
    check_wait_handles, check_section_length, check_file_class,
    check_file_length, check_open_numbers, check_create_numbers,
    check_allocation_size, check_apc_routine, check_offset,
    check_read_handle, check_object_class, check_object_length,
    check_set_object_class, check_set_object_length, check_client_id,
    check_any_id, check_open_attributes, check_continue_value,
    check_hard_count, check_hard_parameters, check_debug, check_apc_reserve,
    check_context_flags, check_query_thread, check_system_list,
    check_set_system, check_close, check_table, check_file_name;

ULONG process_class_size(ULONG class), thread_class_size(ULONG class);
ULONG event_class_size(ULONG class), mutant_class_size(ULONG class);
ULONG semaphore_class_size(ULONG class), timer_class_size(ULONG class);
ULONG section_class_size(ULONG class), file_class_size(ULONG class);
ULONG object_class_size(ULONG class), system_class_size(ULONG class);
ULONG set_process_size(ULONG class), set_thread_size(ULONG class);

/* model.c */
NTSTATUS read_attributes(ULONG_PTR address, OBJECT_ATTRIBUTES *attributes);
NTSTATUS attributes_status(ULONG_PTR address);
NTSTATUS handle_status(ULONG_PTR value, enum object object,
                       ACCESS_MASK access);
NTSTATUS string_status(ULONG_PTR address, ULONG alignment);

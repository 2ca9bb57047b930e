/*
 * doors/doors.h - calls by the door that is chosen, and the rows that make
 * them (doors.c has the table).
 */
#pragma once

#include "../test.h"

#include "../../../programs/lib/door.h"

#include "services.h"

#define SELF NtCurrentProcess()
#define NO_HANDLE ((HANDLE)0x1234)

extern const struct door *door;

/* Arguments are as wide as their types: a pointer that is none is NULL. */
#define CALL(service, ...) door->call(SERVICE_##service, ##__VA_ARGS__)
#define EXPECT(status, service, ...) \
    CHECK_STATUS(CALL(service, ##__VA_ARGS__), status)

/* This program's file. */
HANDLE by_door_open_self(void);

void by_door_open_file(void);
void by_door_close_file(void);
void by_door_create_file(void);
void by_door_read_file(void);
void by_door_write_file(void);
void by_door_query_file(void);
void by_door_allocate_memory(void);
void by_door_free_memory(void);
void by_door_query_memory(void);
void by_door_protect_memory(void);
void by_door_section_object(void);
void by_door_views(void);
void by_door_copy_memory(void);
void by_door_lock_memory(void);
void by_door_open_section(void);
void by_door_query_section(void);
void by_door_query_process(void);
void by_door_query_thread(void);
void by_door_terminate_process(void);
void by_door_terminate_thread(void);
void by_door_query_system(void);
void by_door_set_system(void);
void by_door_system_time(void);
void by_door_performance_counter(void);
void by_door_continue_context(void);
void by_door_raise_exception(void);
void by_door_yield(void);
void by_door_test_alert(void);
void by_door_create_thread_ex(void);
void by_door_create_thread(void);
void by_door_open_thread(void);
void by_door_open_process(void);
void by_door_create_process(void);
void by_door_get_context(void);
void by_door_set_context(void);
void by_door_set_thread(void);
void by_door_set_process(void);
void by_door_queue_apc(void);
void by_door_queue_special_apc(void);
void by_door_alert(void);
void by_door_alert_resume(void);
void by_door_suspend(void);
void by_door_resume(void);
void by_door_continue_ex(void);
void by_door_callback_return(void);
void by_door_processor_number(void);
void by_door_display_string(void);
void by_door_hard_error(void);
void by_door_debug_control(void);
void by_door_trace_control(void);
void by_door_create_event(void);
void by_door_open_event(void);
void by_door_change_event(void);
void by_door_query_event(void);
void by_door_create_mutant(void);
void by_door_open_mutant(void);
void by_door_release_mutant(void);
void by_door_query_mutant(void);
void by_door_create_semaphore(void);
void by_door_open_semaphore(void);
void by_door_release_semaphore(void);
void by_door_query_semaphore(void);
void by_door_create_timer(void);
void by_door_open_timer(void);
void by_door_change_timer(void);
void by_door_query_timer(void);
void by_door_delay(void);
void by_door_set_time(void);
void by_door_resolution(void);
void by_door_directory(void);
void by_door_duplicate(void);
void by_door_wait(void);
void by_door_thread_state(void);
void by_door_get_dc(void);
void by_door_monitors(void);
void by_door_bit_blt(void);
void by_door_flush(void);

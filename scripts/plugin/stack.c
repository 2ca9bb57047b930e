/*
 * stack.c - who called whom: a copy of every thread's stack (stack.h).
 */
#include "stack.h"

#include <stdlib.h>
#include <string.h>

#include "symbols.h"

/* Deeper calls are their caller's. */
#define DEEPEST 400
/* A user stack at most: calls so far apart say nothing about each other. */
#define NEAR (64 << 10)
/* The kernel leaves more than this above a dispatcher's first call. */
#define DISPATCHER_ROOM 256
#define BUCKETS 1024

enum frame_kind {
    FRAME_BASE,                 /* what a thread is when nobody called */
    FRAME_CALL,
    FRAME_SERVICE,
    FRAME_TRAP,
    FRAME_DISPATCHER,
};

/* leaf is the node of what ran last in the frame, a child of base. */
struct frame {
    struct node *base, *leaf;
    uint64_t slot, back;
    uint32_t entry;             /* the first symbol */
    enum frame_kind kind;
    bool from_user, fresh, finds_service;
};

/* pending: the frame of the service that is not known yet, or 0. */
struct stack {
    struct frame *frames;
    size_t count, room, pending;
    struct stack *next, *next_saved;
};

uint64_t stack_lost;
bool stack_counting;
static struct stack *current, *all, *saved[BUCKETS];
/* Where the caller of what stack_leave ended goes on, if it does; 0: not known.
   For stack_dispatcher. */
static uint64_t resumed_back;

static struct frame *top(void)
{
    return &current->frames[current->count - 1];
}

static struct node *leaf(const struct frame *frame)
{
    return frame->leaf ? frame->leaf : frame->base;
}

static struct frame *push(enum frame_kind kind, struct node *base)
{
    struct stack *stack = current;
    struct frame *frame;

    if (stack->count == stack->room) {
        stack->room = 2 * stack->room + 16;
        stack->frames = realloc(stack->frames,
                                stack->room * sizeof *stack->frames);
        if (!stack->frames)
            abort();
    }
    frame = &stack->frames[stack->count++];
    memset(frame, 0, sizeof *frame);
    frame->kind = kind;
    frame->base = base;
    frame->fresh = true;
    return frame;
}

static void new_stack(void)
{
    struct stack *stack = calloc(1, sizeof *stack);

    if (!stack)
        abort();
    stack->next = all;
    all = stack;
    current = stack;
    push(FRAME_BASE, &tree_root);
}

void stack_start(void)
{
    new_stack();
}

/* ---- services that are not known yet */

/* What has been counted for the pending service is symbol's. */
static void found(struct stack *stack, uint32_t symbol)
{
    struct node *pending = stack->frames[stack->pending].base;

    tree_merge(pending, symbol)->calls += stack_counting;
    for (size_t i = stack->pending; i < stack->count; i++) {
        struct frame *frame = &stack->frames[i];

        if (frame->base->merged)
            frame->base = frame->base->merged;
        if (frame->leaf && frame->leaf->merged)
            frame->leaf = frame->leaf->merged;
    }
    tree_free(pending);
    stack->pending = 0;
}

static void cut(size_t count)
{
    if (current->pending >= count)
        found(current, 0);
    current->count = count;
}

void stack_end(void)
{
    for (struct stack *stack = all; stack; stack = stack->next)
        if (stack->pending)
            found(stack, 0);
}

/* The routine of a service begins. Without a door it was the kernel's own
   call, by a Zw stub: only the routine is known to be the service's. */
static void find(struct frame *frame, uint32_t symbol)
{
    if (current->pending) {
        found(current, symbol);
    } else {
        frame->base = tree_child(frame->base, symbol, NODE_SERVICE);
        frame->base->calls += stack_counting;
    }
}

struct node *stack_node(uint32_t symbol)
{
    struct frame *frame = top();

    if (frame->fresh) {
        if (frame->finds_service)
            find(frame, symbol);
        if (frame->kind == FRAME_TRAP) {
            frame->base = tree_child(frame->base, symbol, NODE_TRAP);
            frame->base->calls += stack_counting;
        }
        frame->entry = symbol;
        frame->fresh = false;
        frame->leaf = tree_child(frame->base, symbol, NODE_FUNCTION);
        frame->leaf->calls += stack_counting;
    } else if (!frame->leaf || frame->leaf->symbol != symbol) {
        frame->leaf = tree_child(frame->base, symbol, NODE_FUNCTION);
    }
    return frame->leaf;
}

/* ---- calls and returns */

/* Frames of ring 3 that were left without a return: the stack they lay on is
   used again. */
static void drop_stale(uint64_t slot)
{
    while (current->count > 1) {
        struct frame *frame = top();

        if (frame->kind == FRAME_DISPATCHER && frame->slot == 0)
            frame->slot = slot + DISPATCHER_ROOM;
        if ((frame->kind != FRAME_CALL && frame->kind != FRAME_DISPATCHER) ||
            frame->slot > slot || slot - frame->slot > NEAR)
            return;
        cut(current->count - 1);
    }
}

void stack_call(uint64_t slot, uint64_t back, bool user, bool finds_service)
{
    struct frame *frame;

    if (user)
        drop_stale(slot);
    if (current->count >= DEEPEST && !finds_service)
        return;
    frame = push(FRAME_CALL, leaf(top()));
    frame->slot = slot;
    frame->back = back;
    frame->finds_service = finds_service;
}

static bool is_users(const struct frame *frame)
{
    return frame->kind == FRAME_CALL || frame->kind == FRAME_DISPATCHER;
}

static bool matches(const struct frame *frame, uint64_t slot, uint64_t target)
{
    return frame->kind == FRAME_CALL && frame->slot == slot &&
           (target == 0 || frame->back == target);
}

static struct stack **bucket(uint64_t slot)
{
    return &saved[slot / 8 % BUCKETS];
}

static uint64_t saved_slot(const struct stack *stack)
{
    return stack->frames[stack->count - 1].slot;
}

/* Takes the stack that was left at slot; a dead thread's may be there still,
   under the stack of a new one. */
static struct stack *take(uint64_t slot)
{
    struct stack **link = bucket(slot), *stack;

    while ((stack = *link) && saved_slot(stack) != slot)
        link = &stack->next_saved;
    if (stack)
        *link = stack->next_saved;
    return stack;
}

static void leave_thread(void)
{
    struct stack **link = bucket(top()->slot);

    take(top()->slot);
    current->next_saved = *link;
    *link = current;
}

/* A RET that leads into another thread, or nowhere that is known. */
static void return_elsewhere(uint64_t slot, uint64_t target,
                             bool begins_thread)
{
    struct stack *other = take(slot);

    if (begins_thread) {
        leave_thread();
        new_stack();
    } else if (other && matches(&other->frames[other->count - 1], slot,
                                target)) {
        leave_thread();
        current = other;
        cut(current->count - 1);
    } else {
        stack_lost++;
    }
}

void stack_return(uint64_t slot, uint64_t target, bool user,
                  bool begins_thread)
{
    for (size_t i = current->count; i-- > 1;) {
        const struct frame *frame = &current->frames[i];

        if (user && !is_users(frame))
            break;
        if (matches(frame, slot, user ? 0 : target)) {
            cut(i);
            return;
        }
    }
    if (user)
        stack_lost++;
    else
        return_elsewhere(slot, target, begins_thread);
}

/* ---- into ring 0 and back */

void stack_trap(uint64_t back, bool from_user, bool interrupt)
{
    struct frame *frame = push(FRAME_TRAP,
                               interrupt ? &tree_root : leaf(top()));

    frame->from_user = from_user;
    frame->back = back;
}

void stack_service(uint64_t back)
{
    struct frame *frame;

    if (current->pending)
        found(current, 0);
    frame = push(FRAME_SERVICE, tree_pending(leaf(top())));
    frame->from_user = true;
    frame->back = back;
    current->pending = current->count - 1;
}

/* Ring 3 goes on where a dispatcher was called: that one has done its work,
   with all above it. NtContinue leads elsewhere, too, and gives up the last. */
static void leave_dispatcher(uint64_t target, bool continues)
{
    size_t last = 0;

    for (size_t i = current->count; i-- > 1 &&
         is_users(&current->frames[i]);) {
        if (current->frames[i].kind != FRAME_DISPATCHER)
            continue;
        if (target && current->frames[i].back == target) {
            cut(i);
            return;
        }
        if (!last)
            last = i;
    }
    if (last && continues)
        cut(last);
}

static size_t innermost_entry(void)
{
    for (size_t i = current->count; i-- > 1;)
        if (current->frames[i].kind == FRAME_TRAP ||
            current->frames[i].kind == FRAME_SERVICE)
            return i;
    return 0;
}

bool stack_leave(uint64_t target)
{
    size_t entry = innermost_entry();
    uint32_t routine = symbol_flags(top()->entry);

    resumed_back = 0;
    if (routine & SYMBOL_CALLS_USER)
        return true;
    if (entry && !current->frames[entry].from_user) {
        cut(entry);
        return false;
    }
    if (entry && !(routine & SYMBOL_CONTINUES))
        resumed_back = current->frames[entry].back;
    cut(entry ? entry : 1);
    if (target != resumed_back)
        leave_dispatcher(target, routine & SYMBOL_CONTINUES);
    return true;
}

void stack_dispatcher(void)
{
    struct frame *below = top();
    struct frame *frame = push(FRAME_DISPATCHER,
                               below->kind == FRAME_BASE ? &tree_root
                                                         : leaf(below));

    frame->back = resumed_back;
}

/* Events: "event.7=GPU,TYPE,DATA" in the control file is delivered once to every event set that existed when it appeared. Numbers rise. */
#define _GNU_SOURCE
#include "fake.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

struct event_set { long last; int watch; unsigned long long masks[MAX_GPUS]; };
struct event { nvmlDevice_t device; unsigned long long type, data; unsigned int gpu_instance, compute_instance; };

enum { MOST_EVENTS = 10000 };

static long newest(void) {
    char key[32];
    long n = 0;
    do snprintf(key, sizeof key, "event.%ld", n + 1); while (control_has(-1, key) && ++n < MOST_EVENTS);
    return n;
}

EXPORT nvmlReturn_t nvmlEventSetCreate(nvmlEventSet_t *set) {
    nvmlReturn_t result = enter(__func__);
    if (result != OK) return result;
    if (!is_initialized()) return UNINITIALIZED;
    *set = calloc(1, sizeof **set);
    (*set)->last = newest();
    (*set)->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    inotify_add_watch((*set)->watch, control_folder(), IN_CLOSE_WRITE | IN_MOVED_TO);
    return OK;
}

EXPORT nvmlReturn_t nvmlEventSetFree(nvmlEventSet_t set) {
    if (set != NULL) close(set->watch);
    free(set);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetSupportedEventTypes(nvmlDevice_t device, unsigned long long *types) {
    ENTER_DEVICE(device);
    *types = (unsigned long long)control_number(gpu, "event_types", 0x1 | 0x2 | 0x8 | 0x100 | 0x8000);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, unsigned long long types, nvmlEventSet_t set) {
    ENTER_DEVICE(device);
    if (set == NULL) return INVALID_ARGUMENT;
    set->masks[gpu] |= types;
    return OK;
}

static int take(nvmlEventSet_t set, struct event *event) {
    char key[32];
    for (;;) {
        snprintf(key, sizeof key, "event.%ld", set->last + 1);
        const char *text = control_text(-1, key, NULL);
        if (text == NULL) return 0;
        set->last++;
        unsigned int gpu = 0;
        long type = 0, data = 0;
        if (sscanf(text, "%u,%li,%li", &gpu, &type, &data) != 3 || gpu >= MAX_GPUS || (set->masks[gpu] & (unsigned long long)type) == 0) continue;
        event->device = handle_of((int)gpu, -1);
        event->type = (unsigned long long)type;
        event->data = (unsigned long long)data;
        event->gpu_instance = event->compute_instance = 0xffffffff;
        return 1;
    }
}

/* Sleeps until the control file is written: a poll would cost the reader more than all its calls. */
static nvmlReturn_t wait_for(const char *function, nvmlEventSet_t set, struct event *event, unsigned int timeout_ms) {
    char noise[4096];
    nvmlReturn_t result = enter(function);
    if (result != OK) return result;
    if (set == NULL || !is_initialized()) return UNINITIALIZED;
    double end = now_seconds() + timeout_ms / 1000.0;
    for (;;) {
        control_refresh();
        if (take(set, event)) return OK;
        double left_ms = (end - now_seconds()) * 1000;
        if (left_ms <= 0) return TIMEOUT;
        struct pollfd ready = { set->watch, POLLIN, 0 };
        if (poll(&ready, 1, (int)left_ms + 1) > 0) {
            while (read(set->watch, noise, sizeof noise) > 0) { }
        }
    }
}

#ifdef FAKE_OLD_DRIVER
EXPORT nvmlReturn_t nvmlEventSetWait(nvmlEventSet_t set, struct event *event, unsigned int timeout_ms) { return wait_for(__func__, set, event, timeout_ms); }
#else
EXPORT nvmlReturn_t nvmlEventSetWait_v2(nvmlEventSet_t set, struct event *event, unsigned int timeout_ms) { return wait_for(__func__, set, event, timeout_ms); }
#endif

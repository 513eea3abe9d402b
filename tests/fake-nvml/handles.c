/* Start, end, and what a handle is. Holding a GPU means holding an open file below dev/, as the real library holds /dev/nvidia*. */
#define _GNU_SOURCE
#include "fake.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAGIC = 0x4e41464b, PER_GPU = MAX_MIG + 1 };

static int references;
static long driver_epoch;
static struct handle *handles;
static int files[MAX_GPUS], control_file = -1;
static const size_t handle_bytes = sizeof(struct handle) * MAX_GPUS * PER_GPU;

static int open_device(const char *name) {
    char path[4352];
    snprintf(path, sizeof path, "%s/dev", control_folder());
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/dev/%s", control_folder(), name);
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
}

int is_initialized(void) { return references > 0; }

int gpu_count(void) {
    long count = control_number(-1, "devices", 8);
    return count < 0 ? 0 : count > MAX_GPUS ? MAX_GPUS : (int)count;
}

static nvmlReturn_t start(void) {
    if (references++ > 0) return OK;
    driver_epoch = control_number(-1, "driver_epoch", 0);
    for (int i = 0; i < MAX_GPUS; i++) files[i] = -1;
    control_file = open_device("nvidiactl");
    handles = mmap(NULL, handle_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return handles == MAP_FAILED ? UNKNOWN : OK;
}

EXPORT nvmlReturn_t nvmlInit_v2(void) {
    nvmlReturn_t result = enter(__func__);
    if (result == OK) result = (nvmlReturn_t)control_number(-1, "init", OK);
    return result != OK ? result : start();
}

#ifndef FAKE_OLD_DRIVER
EXPORT nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    nvmlReturn_t result = enter(__func__);
    if (result == OK) result = (nvmlReturn_t)control_number(-1, "init", OK);
    return result != OK ? result : start();
}
#endif

EXPORT nvmlReturn_t nvmlShutdown(void) {
    nvmlReturn_t result = enter(__func__);
    if (result != OK) return result;
    if (references == 0) return UNINITIALIZED;
    if (--references > 0) return OK;
    for (int i = 0; i < MAX_GPUS; i++) {
        if (files[i] >= 0) close(files[i]);
    }
    if (control_file >= 0) close(control_file);
    munmap(handles, handle_bytes);
    handles = NULL;
    return OK;
}

nvmlDevice_t handle_of(int gpu, int mig) {
    struct handle *h = &handles[gpu * PER_GPU + mig + 1];
    *h = (struct handle){ MAGIC, gpu, mig, control_number(gpu, "epoch", 0) };
    return h;
}

/* A driver that was reloaded knows nothing of an old library; a GPU that was reset nothing of an old handle. */
nvmlReturn_t check_handle(nvmlDevice_t device, int *gpu) {
    if (device == NULL || device->magic != MAGIC) return INVALID_ARGUMENT;
    *gpu = device->gpu;
    if (driver_epoch != control_number(-1, "driver_epoch", 0)) return UNKNOWN;
    if (*gpu >= gpu_count()) return GPU_IS_LOST;
    if (device->gpu_epoch != control_number(*gpu, "epoch", 0)) return GPU_IS_LOST;
    return control_number(*gpu, "lost", 0) ? GPU_IS_LOST : control_number(*gpu, "reset_required", 0) ? RESET_REQUIRED : OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
    nvmlReturn_t result = enter(__func__);
    if (result != OK) return result;
    if (!is_initialized()) return UNINITIALIZED;
    if (driver_epoch != control_number(-1, "driver_epoch", 0)) return UNKNOWN;
    unsigned int present = 0;
    for (int i = 0; i < gpu_count(); i++) present += control_number(i, "gone", 0) == 0;
    *count = present;
    return OK;
}

static nvmlReturn_t attach(const char *function, int gpu, nvmlDevice_t *device) {
    char name[32];
    nvmlReturn_t result = faults(function, gpu);
    if (result != OK) return result;
    if (control_number(gpu, "lost", 0)) return GPU_IS_LOST;
    snprintf(name, sizeof name, "nvidia%d", gpu);
    if (files[gpu] < 0) files[gpu] = open_device(name);
    *device = handle_of(gpu, -1);
    return OK;
}

/* An index counts the GPUs that are there: one that is gone moves those behind it. */
EXPORT nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
    nvmlReturn_t result = enter(__func__);
    if (result != OK) return result;
    if (!is_initialized()) return UNINITIALIZED;
    if (driver_epoch != control_number(-1, "driver_epoch", 0)) return UNKNOWN;
    for (int gpu = 0; gpu < gpu_count(); gpu++) {
        if (control_number(gpu, "gone", 0)) continue;
        if (index-- == 0) return attach(__func__, gpu, device);
    }
    return INVALID_ARGUMENT;
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, nvmlDevice_t *device) {
    unsigned int domain, bus, slot;
    nvmlReturn_t result = enter(__func__);
    if (result != OK) return result;
    if (!is_initialized()) return UNINITIALIZED;
    if (driver_epoch != control_number(-1, "driver_epoch", 0)) return UNKNOWN;
    if (sscanf(bus_id, "%x:%x:%x", &domain, &bus, &slot) != 3) return INVALID_ARGUMENT;
    for (int gpu = 0; gpu < gpu_count(); gpu++) {
        if (bus == (unsigned int)(0x10 + gpu * 8) && !control_number(gpu, "gone", 0)) return attach(__func__, gpu, device);
    }
    return NOT_FOUND;
}

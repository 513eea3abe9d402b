/* Setters, with the rules of the real ones: root, limits, nobody on the GPU. What they did is written to fake-nvml.state, so that every
 * process sees it. "setters=ignored": they say OK and nothing changes (fault G8). */
#define _GNU_SOURCE
#include "fake.h"
#include <unistd.h>

static nvmlReturn_t permitted(void) {
    return control_number(-1, "root", geteuid() == 0) ? OK : NO_PERMISSION;
}

static nvmlReturn_t apply(int gpu, const char *key, long value) {
    if (control_number(-1, "setters_ignored", 0)) return OK;
    return control_state(gpu, key, value) == 0 ? OK : UNKNOWN;
}

static int in_use(int gpu) { return control_has(gpu, "proc.0") || control_number(gpu, "busy", 0); }

#define ENTER_SETTER(device) \
    ENTER_DEVICE(device); \
    if (permitted() != OK) return NO_PERMISSION

EXPORT nvmlReturn_t nvmlDeviceSetPowerManagementLimit(nvmlDevice_t device, unsigned int mw) {
    ENTER_SETTER(device);
    return mw < 200000 || mw > 700000 ? INVALID_ARGUMENT : apply(gpu, "power_limit", mw);
}

#ifndef FAKE_OLD_DRIVER
struct power_v2 { unsigned int version, scope, mw; };

EXPORT nvmlReturn_t nvmlDeviceSetPowerManagementLimit_v2(nvmlDevice_t device, struct power_v2 *power) {
    ENTER_SETTER(device);
    if (power->version != 0x0200000c) return VERSION_MISMATCH;
    return power->mw < 200000 || power->mw > 700000 ? INVALID_ARGUMENT : apply(gpu, "power_limit", power->mw);
}
#endif

EXPORT nvmlReturn_t nvmlDeviceSetGpuLockedClocks(nvmlDevice_t device, unsigned int min, unsigned int max) {
    ENTER_SETTER(device);
    return min > max || max > 1980 ? INVALID_ARGUMENT : apply(gpu, "locked", max);
}

EXPORT nvmlReturn_t nvmlDeviceResetGpuLockedClocks(nvmlDevice_t device) {
    ENTER_SETTER(device);
    return apply(gpu, "locked", 0);
}

EXPORT nvmlReturn_t nvmlDeviceSetMemoryLockedClocks(nvmlDevice_t device, unsigned int min, unsigned int max) {
    ENTER_SETTER(device);
    return min > max || max > 3201 ? INVALID_ARGUMENT : apply(gpu, "memory_locked", max);
}

EXPORT nvmlReturn_t nvmlDeviceResetMemoryLockedClocks(nvmlDevice_t device) {
    ENTER_SETTER(device);
    return apply(gpu, "memory_locked", 0);
}

EXPORT nvmlReturn_t nvmlDeviceSetPersistenceMode(nvmlDevice_t device, unsigned int mode) {
    ENTER_SETTER(device);
    return mode > 1 ? INVALID_ARGUMENT : apply(gpu, "persistence", mode);
}

EXPORT nvmlReturn_t nvmlDeviceSetComputeMode(nvmlDevice_t device, unsigned int mode) {
    ENTER_SETTER(device);
    return mode > 3 ? INVALID_ARGUMENT : mode != 0 && in_use(gpu) ? IN_USE : apply(gpu, "compute_mode", mode);
}

EXPORT nvmlReturn_t nvmlDeviceSetEccMode(nvmlDevice_t device, unsigned int mode) {
    ENTER_SETTER(device);
    return mode > 1 ? INVALID_ARGUMENT : apply(gpu, "ecc_pending", mode); /* takes effect at the next reset */
}

EXPORT nvmlReturn_t nvmlDeviceClearEccErrorCounts(nvmlDevice_t device, unsigned int kind) {
    ENTER_SETTER(device);
    if (kind > 1) return INVALID_ARGUMENT;
    nvmlReturn_t result = apply(gpu, kind == 0 ? "ecc_corrected" : "ecc_corrected_aggregate", 0);
    return result != OK ? result : apply(gpu, kind == 0 ? "ecc_uncorrected" : "ecc_uncorrected_aggregate", 0);
}

EXPORT nvmlReturn_t nvmlDeviceSetMigMode(nvmlDevice_t device, unsigned int mode, nvmlReturn_t *activation) {
    ENTER_SETTER(device);
    if (mode > 1) return INVALID_ARGUMENT;
    *activation = in_use(gpu) ? IN_USE : OK;
    return apply(gpu, *activation == OK ? "mig" : "mig_pending", mode);
}

/* What a GPU is and does: invented, but consistent in itself. Load follows slow waves of its own for each GPU unless the control file
 * says "gpu.N.busy_ratio=..."; power, temperature, energy, clocks and counters follow load. */
#include "fake.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double loaded_since = 1.7e9; /* counters count from here */

double busy_of(int gpu) {
    if (control_has(gpu, "busy_ratio")) return control_real(gpu, "busy_ratio", 0);
    return 0.55 + 0.4 * sin(now_seconds() / (23 + gpu) + gpu);
}

double power_mw(int gpu) { return floor(75000 + 600000 * busy_of(gpu)); }

/* The integral of power over the wave above. */
double energy_mj(int gpu) {
    double t = now_seconds(), period = 23 + gpu;
    if (control_has(gpu, "busy_ratio")) return floor((75000 + 600000 * busy_of(gpu)) * (t - loaded_since));
    return floor((75000 + 600000 * 0.55) * (t - loaded_since) + 600000 * 0.4 * period * (cos(gpu) - cos(t / period + gpu)));
}

unsigned long long memory_total(int gpu) { return (unsigned long long)control_number(gpu, "memory_total", 141LL << 30); }

unsigned long long memory_used(int gpu) {
    return (unsigned long long)control_number(gpu, "memory_used", (long)((double)(memory_total(gpu) >> 2) * (1 + busy_of(gpu))) & ~0xfffffL);
}

unsigned int temperature(int gpu) { return (unsigned int)control_number(gpu, "temperature", (long)(32 + 38 * busy_of(gpu))); }
int mig_instances(int gpu) { return control_number(gpu, "mig", 0) ? (int)control_number(gpu, "mig_instances", 2) : 0; }
int link_count(int gpu) { return (int)control_number(gpu, "links", MAX_LINKS); }

static nvmlReturn_t put(char *into, unsigned int length, const char *text) {
    if (length <= strlen(text)) return INSUFFICIENT_SIZE;
    strcpy(into, text);
    return OK;
}

/* ---- the system ---- */

EXPORT nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    nvmlReturn_t result = enter(__func__);
    return result != OK ? result : !is_initialized() ? UNINITIALIZED : put(version, length, control_text(-1, "driver", "fake-570.0"));
}

EXPORT nvmlReturn_t nvmlSystemGetNVMLVersion(char *version, unsigned int length) {
    nvmlReturn_t result = enter(__func__);
    return result != OK ? result : put(version, length, "fake-13.570.0");
}

EXPORT nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version) {
    nvmlReturn_t result = enter(__func__);
    *version = 13000;
    return result;
}

EXPORT const char *nvmlErrorString(nvmlReturn_t result) { return result == OK ? "Success (fake)" : "Failure (fake)"; }

/* ---- identity ---- */

EXPORT nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length) {
    char text[96];
    ENTER_DEVICE(device);
    if (device->mig >= 0) {
        snprintf(text, sizeof text, "MIG-fa4e0000-0000-4000-8000-%06x%06x", gpu, device->mig);
    } else {
        snprintf(text, sizeof text, "GPU-fa4e0000-0000-4000-8000-%012lx", control_number(gpu, "serial", gpu));
    }
    return put(uuid, length, text);
}

EXPORT nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
    ENTER_DEVICE(device);
    return put(name, length, control_text(gpu, "name", "NodeAgent Fake H200"));
}

EXPORT nvmlReturn_t nvmlDeviceGetSerial(nvmlDevice_t device, char *serial, unsigned int length) {
    char text[32];
    ENTER_DEVICE(device);
    snprintf(text, sizeof text, "FAKE%08ld", control_number(gpu, "serial", gpu));
    return put(serial, length, text);
}

EXPORT nvmlReturn_t nvmlDeviceGetVbiosVersion(nvmlDevice_t device, char *version, unsigned int length) {
    ENTER_DEVICE(device);
    return put(version, length, "FA.KE.00.00.01");
}

EXPORT nvmlReturn_t nvmlDeviceGetInforomImageVersion(nvmlDevice_t device, char *version, unsigned int length) {
    ENTER_DEVICE(device);
    return put(version, length, "FAKE.0520.00.01");
}

EXPORT nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned int *index) {
    ENTER_DEVICE(device);
    *index = 0;
    for (int i = 0; i < gpu; i++) *index += control_number(i, "gone", 0) == 0;
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetMinorNumber(nvmlDevice_t device, unsigned int *minor) {
    ENTER_DEVICE(device);
    *minor = (unsigned int)gpu;
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetArchitecture(nvmlDevice_t device, unsigned int *architecture) {
    ENTER_DEVICE(device);
    *architecture = 9; /* Hopper */
    return OK;
}

struct pci { char legacy[16]; unsigned int domain, bus, device, id, subsystem; char bus_id[32]; };

EXPORT nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, struct pci *pci) {
    ENTER_DEVICE(device);
    unsigned int bus = (unsigned int)(0x10 + gpu * 8);
    memset(pci, 0, sizeof *pci);
    snprintf(pci->legacy, sizeof pci->legacy, "0000:%02X:00.0", bus);
    snprintf(pci->bus_id, sizeof pci->bus_id, "00000000:%02X:00.0", bus);
    pci->bus = bus;
    pci->id = 0x233510de;
    return OK;
}

/* ---- load ---- */

struct utilization { unsigned int gpu, memory; };

EXPORT nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, struct utilization *u) {
    ENTER_DEVICE(device);
    if (control_number(gpu, "mig", 0)) return NOT_SUPPORTED;
    u->gpu = (unsigned int)control_number(gpu, "util", (long)(100 * busy_of(gpu)));
    u->memory = (unsigned int)control_number(gpu, "memory_util", (long)(60 * busy_of(gpu)));
    return OK;
}

#define ENGINE(name, share) \
    EXPORT nvmlReturn_t name(nvmlDevice_t device, unsigned int *value, unsigned int *period_us) { \
        ENTER_DEVICE(device); \
        *value = (unsigned int)((share) * busy_of(gpu)); \
        *period_us = 166000; \
        return OK; \
    }
ENGINE(nvmlDeviceGetEncoderUtilization, 0)
ENGINE(nvmlDeviceGetDecoderUtilization, 10)
#ifndef FAKE_OLD_DRIVER
ENGINE(nvmlDeviceGetJpgUtilization, 5)
ENGINE(nvmlDeviceGetOfaUtilization, 0)
#endif

/* ---- memory ---- */

struct memory_v1 { unsigned long long total, free, used; };
struct memory_v2 { unsigned int version; unsigned long long total, reserved, free, used; };

static const unsigned long long reserved_bytes = 600ULL << 20;

static unsigned long long total_of(nvmlDevice_t device, int gpu) {
    return device->mig >= 0 ? memory_total(gpu) / 8 : memory_total(gpu);
}

EXPORT nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, struct memory_v1 *m) {
    ENTER_DEVICE(device);
    m->total = total_of(device, gpu);
    m->used = (device->mig >= 0 ? memory_used(gpu) / 8 : memory_used(gpu)) + reserved_bytes;
    m->free = m->total - m->used;
    return OK;
}

#ifndef FAKE_OLD_DRIVER
EXPORT nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, struct memory_v2 *m) {
    ENTER_DEVICE(device);
    if (m->version != 0x02000028) return VERSION_MISMATCH;
    m->total = total_of(device, gpu);
    m->used = device->mig >= 0 ? memory_used(gpu) / 8 : memory_used(gpu);
    m->reserved = reserved_bytes;
    m->free = m->total - m->used - m->reserved;
    return OK;
}
#endif

EXPORT nvmlReturn_t nvmlDeviceGetBAR1MemoryInfo(nvmlDevice_t device, struct memory_v1 *m) {
    ENTER_DEVICE(device);
    *m = (struct memory_v1){ 256ULL << 30, 255ULL << 30, 1ULL << 30 };
    return OK;
}

/* ---- clocks, power, heat ---- */

static const unsigned int max_clocks[] = { 1980, 1980, 3201, 1545 };

EXPORT nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, unsigned int kind, unsigned int *mhz) {
    ENTER_DEVICE(device);
    if (kind > 3) return INVALID_ARGUMENT;
    long locked = control_number(gpu, kind == 2 ? "memory_locked" : "locked", 0);
    *mhz = locked > 0 ? (unsigned int)locked : kind == 2 ? 3201 : (unsigned int)(345 + (max_clocks[kind] - 345) * busy_of(gpu));
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetMaxClockInfo(nvmlDevice_t device, unsigned int kind, unsigned int *mhz) {
    ENTER_DEVICE(device);
    if (kind > 3) return INVALID_ARGUMENT;
    *mhz = max_clocks[kind];
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *mw) {
    ENTER_DEVICE(device);
    *mw = (unsigned int)power_mw(gpu);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long *mj) {
    ENTER_DEVICE(device);
    *mj = (unsigned long long)energy_mj(gpu);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned int *mw) {
    ENTER_DEVICE(device);
    *mw = (unsigned int)control_number(gpu, "power_limit", 700000);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetPowerManagementLimit(nvmlDevice_t device, unsigned int *mw) {
    return nvmlDeviceGetEnforcedPowerLimit(device, mw);
}

EXPORT nvmlReturn_t nvmlDeviceGetPowerManagementLimitConstraints(nvmlDevice_t device, unsigned int *min, unsigned int *max) {
    ENTER_DEVICE(device);
    *min = 200000;
    *max = 700000;
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, unsigned int sensor, unsigned int *celsius) {
    ENTER_DEVICE(device);
    if (sensor != 0) return INVALID_ARGUMENT;
    *celsius = temperature(gpu);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetTemperatureThreshold(nvmlDevice_t device, unsigned int kind, unsigned int *celsius) {
    ENTER_DEVICE(device);
    if (kind > 3) return NOT_SUPPORTED;
    *celsius = 90 - kind;
    return OK;
}

#ifndef FAKE_OLD_DRIVER
struct temperature_v1 { unsigned int version, sensor; int celsius; };
struct margin_v1 { unsigned int version; int celsius; };

EXPORT nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t device, struct temperature_v1 *t) {
    ENTER_DEVICE(device);
    if (t->version != 0x0100000c) return VERSION_MISMATCH;
    t->celsius = (int)temperature(gpu);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetMarginTemperature(nvmlDevice_t device, struct margin_v1 *m) {
    ENTER_DEVICE(device);
    if (m->version != 0x01000008) return VERSION_MISMATCH;
    m->celsius = 87 - (int)temperature(gpu);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t device, unsigned long long *bits) {
    ENTER_DEVICE(device);
    *bits = (unsigned long long)control_number(gpu, "throttle", busy_of(gpu) > 0.9 ? 4 : busy_of(gpu) < 0.16 ? 1 : 0);
    return OK;
}
#endif

EXPORT nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, unsigned long long *bits) {
    ENTER_DEVICE(device);
    *bits = (unsigned long long)control_number(gpu, "throttle", busy_of(gpu) > 0.9 ? 4 : busy_of(gpu) < 0.16 ? 1 : 0);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetFanSpeed(nvmlDevice_t device, unsigned int *percent) {
    ENTER_DEVICE(device);
    if (!control_has(gpu, "fan")) return NOT_SUPPORTED; /* a passive server board */
    *percent = (unsigned int)control_number(gpu, "fan", 0);
    return OK;
}

#define NUMBER(name, key, fallback) \
    EXPORT nvmlReturn_t name(nvmlDevice_t device, unsigned int *value) { \
        ENTER_DEVICE(device); \
        *value = (unsigned int)control_number(gpu, key, fallback); \
        return OK; \
    }
NUMBER(nvmlDeviceGetPerformanceState, "pstate", 0)
NUMBER(nvmlDeviceGetPersistenceMode, "persistence", 1)
NUMBER(nvmlDeviceGetComputeMode, "compute_mode", 0)
NUMBER(nvmlDeviceGetCurrPcieLinkGeneration, "pcie_generation", 5)
NUMBER(nvmlDeviceGetMaxPcieLinkGeneration, "pcie_generation_max", 5)
NUMBER(nvmlDeviceGetCurrPcieLinkWidth, "pcie_width", 16)
NUMBER(nvmlDeviceGetMaxPcieLinkWidth, "pcie_width_max", 16)
NUMBER(nvmlDeviceGetPcieReplayCounter, "pcie_replays", 0)

/* The call nobody should make on the tick: it measures for 20 ms. */
EXPORT nvmlReturn_t nvmlDeviceGetPcieThroughput(nvmlDevice_t device, unsigned int counter, unsigned int *kb) {
    (void)counter;
    ENTER_DEVICE(device);
    control_state(gpu, "pcie_throughput_was_called", 1);
    *kb = 1000;
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetNvLinkState(nvmlDevice_t device, unsigned int link, unsigned int *active) {
    char key[32];
    ENTER_DEVICE(device);
    if (link >= (unsigned int)link_count(gpu)) return NOT_SUPPORTED;
    snprintf(key, sizeof key, "link.%u", link);
    *active = (unsigned int)control_number(gpu, key, 1);
    return OK;
}

#ifndef FAKE_OLD_DRIVER
struct fabric_v3 {
    unsigned int version;
    unsigned char uuid[16];
    nvmlReturn_t status;
    unsigned int clique;
    unsigned char state;
    unsigned int mask;
    unsigned char summary;
};

EXPORT nvmlReturn_t nvmlDeviceGetGpuFabricInfoV(nvmlDevice_t device, struct fabric_v3 *f) {
    ENTER_DEVICE(device);
    if (f->version != 0x03000028 && f->version != 0x02000024) return VERSION_MISMATCH;
    f->status = OK;
    f->clique = 0;
    f->state = (unsigned char)control_number(gpu, "fabric_state", 3);
    f->mask = (unsigned int)control_number(gpu, "fabric_mask", 0);
    if (f->version == 0x03000028) f->summary = (unsigned char)control_number(gpu, "fabric_summary", 0);
    return OK;
}
#endif

/* ---- MIG ---- */

EXPORT nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
    ENTER_DEVICE(device);
    *current = (unsigned int)control_number(gpu, "mig", 0);
    *pending = (unsigned int)control_number(gpu, "mig_pending", (long)*current);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int *count) {
    ENTER_DEVICE(device);
    *count = control_number(gpu, "mig", 0) ? MAX_MIG : 0;
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int index, nvmlDevice_t *mig) {
    ENTER_DEVICE(device);
    if (index >= (unsigned int)mig_instances(gpu)) return NOT_FOUND;
    *mig = handle_of(gpu, (int)index);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetGpuInstanceId(nvmlDevice_t device, unsigned int *id) {
    ENTER_DEVICE(device);
    if (device->mig < 0) return NOT_SUPPORTED;
    *id = (unsigned int)device->mig + 7;
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetComputeInstanceId(nvmlDevice_t device, unsigned int *id) {
    ENTER_DEVICE(device);
    if (device->mig < 0) return NOT_SUPPORTED;
    *id = 0;
    return OK;
}

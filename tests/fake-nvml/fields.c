/* nvmlDeviceGetFieldValues, ECC and row remapping. A field is withheld with "gpu.N.field.82=unsupported" and set with a number. */
#include "fake.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <time.h>

struct field {
    unsigned int id, scope;
    long long timestamp, latency_us;
    unsigned int type;
    nvmlReturn_t result;
    union { double d; unsigned int u; unsigned long ul; unsigned long long ull; long long sll; int i; unsigned short us; } value;
};

enum { DOUBLE = 0, UINT = 1, ULONGLONG = 3, INT = 5 };

static nvmlReturn_t as_uint(struct field *f, double value) { f->type = UINT; f->value.u = (unsigned int)value; return OK; }
static nvmlReturn_t as_ull(struct field *f, double value) { f->type = ULONGLONG; f->value.ull = (unsigned long long)value; return OK; }

static nvmlReturn_t counter(int gpu, struct field *f, const char *key) { return as_ull(f, (double)control_number(gpu, key, 0)); }

/* Seconds of work since 2023: what counters grow with. */
static double worked(int gpu) { return energy_mj(gpu) / 675000; }

static nvmlReturn_t links(int gpu, struct field *f, double per_second) {
    int all = f->scope == UINT_MAX || f->scope == 0x7fffffff;
    if (link_count(gpu) == 0 || (!all && f->scope >= (unsigned int)link_count(gpu))) return NOT_SUPPORTED;
    return as_ull(f, per_second * worked(gpu) * (all ? link_count(gpu) : 1));
}

static nvmlReturn_t link_number(int gpu, struct field *f, const char *what, long fallback) {
    char key[48];
    if (f->scope >= (unsigned int)link_count(gpu)) return NOT_SUPPORTED;
    snprintf(key, sizeof key, "%s.%u", what, f->scope);
    return as_uint(f, (double)control_number(gpu, key, fallback));
}

static nvmlReturn_t ecc(int gpu, struct field *f) {
    switch (f->id) {
        case 1: case 2: return as_uint(f, (double)control_number(gpu, f->id == 1 ? "ecc_mode" : "ecc_pending", 1));
        case 3: return counter(gpu, f, "ecc_corrected");
        case 4: return counter(gpu, f, "ecc_uncorrected");
        case 5: return counter(gpu, f, "ecc_corrected_aggregate");
        case 6: return counter(gpu, f, "ecc_uncorrected_aggregate");
        default: return NOT_SUPPORTED; /* by location: nvmlDeviceGetMemoryErrorCounter on this generation */
    }
}

static nvmlReturn_t read_field(int gpu, struct field *f) {
    char key[48];
    snprintf(key, sizeof key, "field.%u", f->id);
    const char *forced = control_text(gpu, key, NULL);
    if (forced != NULL) return strcmp(forced, "unsupported") == 0 ? NOT_SUPPORTED : as_ull(f, strtod(forced, NULL));
#ifdef FAKE_OLD_DRIVER
    if (f->id > 180) return NOT_SUPPORTED;
#endif
    if (f->id >= 1 && f->id <= 28) return ecc(gpu, f);
    switch (f->id) {
        case 38: return counter(gpu, f, "nvlink_crc_flit");
        case 45: return counter(gpu, f, "nvlink_crc_data");
        case 52: return counter(gpu, f, "nvlink_replay");
        case 59: return counter(gpu, f, "nvlink_recovery");
        case 74: case 75: case 76: case 77: case 78: case 79:
            return as_ull(f, worked(gpu) * 1e6 * (f->id == 74 ? 40 : f->id == 78 ? 200 : 0) + (double)control_number(gpu, "throttled_ns", 0));
        case 82: return as_uint(f, temperature(gpu) + 8);
        case 83: return as_ull(f, energy_mj(gpu));
        case 91: return as_uint(f, link_count(gpu));
        case 94: return as_uint(f, (double)control_number(gpu, "pcie_replays", 0));
        case 138: case 139: return links(gpu, f, 900000);
        case 140: case 141: return links(gpu, f, 1000000);
        case 142: case 143: case 144: case 145:
            return as_uint(f, (double)control_number(gpu, f->id == 142 ? "remap_correctable" : f->id == 143 ? "remap_uncorrectable"
                : f->id == 144 ? "remap_pending" : "remap_failed", 0));
        case 161: return link_number(gpu, f, "link_replay", 0);
        case 162: return link_number(gpu, f, "link_recovery", 0);
        case 163: return link_number(gpu, f, "link_crc", 0);
        case 164: return link_number(gpu, f, "link_speed", 26562);
        case 165: return link_number(gpu, f, "link", 1);
        case 173: case 179: case 180: return as_uint(f, 0);
        case 185: case 186: return as_uint(f, power_mw(gpu));
        case 187: return as_uint(f, 200000);
        case 188: case 189: return as_uint(f, 700000);
        case 190: case 192: return as_uint(f, (double)control_number(gpu, "power_limit", 700000));
        case 193: f->type = INT; f->value.i = -5; return OK;
        case 194: f->type = INT; f->value.i = -2; return OK;
        case 195: case 196: f->type = INT; f->value.i = 0; return OK;
        case 197: case 198: return as_ull(f, worked(gpu) * 3e9);
        case 230: return as_uint(f, (double)control_number(gpu, "recovery_action", 0));
        case 269: case 270: case 271: return as_ull(f, (double)control_number(gpu, "throttled_ns", 0));
        default: return NOT_SUPPORTED;
    }
}

EXPORT nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, struct field *fields) {
    ENTER_DEVICE(device);
    if (count <= 0 || fields == NULL) return INVALID_ARGUMENT;
    for (int i = 0; i < count; i++) {
        fields[i].timestamp = (long long)(now_seconds() * 1e6);
        fields[i].latency_us = control_number(gpu, "field_latency_us", 2);
        fields[i].result = read_field(gpu, &fields[i]);
    }
    return OK;
}

/* ---- memory errors ---- */

EXPORT nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, unsigned int kind, unsigned int counter_kind, unsigned long long *count) {
    ENTER_DEVICE(device);
    if (kind > 1 || counter_kind > 1) return INVALID_ARGUMENT;
    static const char *const keys[2][2] = { { "ecc_corrected", "ecc_corrected_aggregate" }, { "ecc_uncorrected", "ecc_uncorrected_aggregate" } };
    *count = (unsigned long long)control_number(gpu, keys[kind][counter_kind], 0);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetMemoryErrorCounter(
    nvmlDevice_t device, unsigned int kind, unsigned int counter_kind, unsigned int location, unsigned long long *count) {
    char key[64];
    ENTER_DEVICE(device);
    if (location != 2 && location != 7) return NOT_SUPPORTED;
    snprintf(key, sizeof key, "ecc_%s_%s%s", kind == 0 ? "corrected" : "uncorrected", location == 2 ? "dram" : "sram", counter_kind == 0 ? "" : "_aggregate");
    *count = (unsigned long long)control_number(gpu, key, 0);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetEccMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
    ENTER_DEVICE(device);
    *current = (unsigned int)control_number(gpu, "ecc_mode", 1);
    *pending = (unsigned int)control_number(gpu, "ecc_pending", 1);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetRemappedRows(nvmlDevice_t device, unsigned int *corrected, unsigned int *uncorrected, unsigned int *pending, unsigned int *failed) {
    ENTER_DEVICE(device);
    *corrected = (unsigned int)control_number(gpu, "remap_correctable", 0);
    *uncorrected = (unsigned int)control_number(gpu, "remap_uncorrectable", 0);
    *pending = (unsigned int)control_number(gpu, "remap_pending", 0);
    *failed = (unsigned int)control_number(gpu, "remap_failed", 0);
    return OK;
}

struct histogram { unsigned int max, high, partial, low, none; };

EXPORT nvmlReturn_t nvmlDeviceGetRowRemapperHistogram(nvmlDevice_t device, struct histogram *h) {
    ENTER_DEVICE(device);
    *h = (struct histogram){ 2560, 0, 0, 0, 0 };
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetRetiredPagesPendingStatus(nvmlDevice_t device, unsigned int *pending) {
    (void)pending;
    ENTER_DEVICE(device);
    return NOT_SUPPORTED; /* rows are remapped instead since Ampere */
}

#ifndef FAKE_OLD_DRIVER
struct sram_v1 {
    unsigned int version;
    unsigned long long aggregate_parity, aggregate_secded, aggregate_corrected, volatile_parity, volatile_secded, volatile_corrected;
    unsigned long long l2, sm, pcie, mcu, other;
    unsigned int threshold_exceeded;
};
struct repair_v1 { unsigned int version, channel_pending, tpc_pending; };

EXPORT nvmlReturn_t nvmlDeviceGetSramEccErrorStatus(nvmlDevice_t device, struct sram_v1 *s) {
    ENTER_DEVICE(device);
    if (s->version != 0x01000068) return VERSION_MISMATCH;
    if (control_number(-1, "root", 1) == 0) return NO_PERMISSION;
    memset(&s->aggregate_parity, 0, sizeof *s - offsetof(struct sram_v1, aggregate_parity));
    s->threshold_exceeded = (unsigned int)control_number(gpu, "sram_threshold", 0);
    return OK;
}

EXPORT nvmlReturn_t nvmlDeviceGetRepairStatus(nvmlDevice_t device, struct repair_v1 *r) {
    ENTER_DEVICE(device);
    if (r->version != 0x0100000c) return VERSION_MISMATCH;
    r->channel_pending = r->tpc_pending = 0;
    return OK;
}
#endif

/* GPU performance monitoring: two samples in, metrics with a result each out. */
#include "fake.h"
#ifndef FAKE_OLD_DRIVER
#include <stdlib.h>

struct gpm_sample { int gpu, mig; double at, busy; };
struct gpm_metric { unsigned int id; nvmlReturn_t result; double value; const void *info[3]; };
struct gpm_get { unsigned int version, count; nvmlGpmSample_t first, second; struct gpm_metric metrics[1]; };
struct gpm_support { unsigned int version, supported; };

EXPORT nvmlReturn_t nvmlGpmQueryDeviceSupport(nvmlDevice_t device, struct gpm_support *s) {
    ENTER_DEVICE(device);
    if (s->version != 1) return VERSION_MISMATCH;
    s->supported = (unsigned int)control_number(gpu, "gpm", 1);
    return OK;
}

EXPORT nvmlReturn_t nvmlGpmSampleAlloc(nvmlGpmSample_t *sample) {
    nvmlReturn_t result = enter(__func__);
    if (result != OK) return result;
    *sample = calloc(1, sizeof **sample);
    return OK;
}

EXPORT nvmlReturn_t nvmlGpmSampleFree(nvmlGpmSample_t sample) {
    free(sample);
    return OK;
}

EXPORT nvmlReturn_t nvmlGpmSampleGet(nvmlDevice_t device, nvmlGpmSample_t sample) {
    ENTER_DEVICE(device);
    if (!control_number(gpu, "gpm", 1)) return NOT_SUPPORTED;
    *sample = (struct gpm_sample){ gpu, -1, now_seconds(), busy_of(gpu) };
    return OK;
}

EXPORT nvmlReturn_t nvmlGpmMigSampleGet(nvmlDevice_t device, unsigned int gpu_instance, nvmlGpmSample_t sample) {
    ENTER_DEVICE(device);
    if (!control_number(gpu, "gpm", 1) || gpu_instance < 7 || gpu_instance >= (unsigned int)mig_instances(gpu) + 7) return NOT_SUPPORTED;
    *sample = (struct gpm_sample){ gpu, (int)gpu_instance - 7, now_seconds(), busy_of(gpu) };
    return OK;
}

EXPORT nvmlReturn_t nvmlGpmMetricsGet(struct gpm_get *get) {
    nvmlReturn_t result = enter(__func__);
    if (result != OK) return result;
    if (get->version != 1) return VERSION_MISMATCH;
    if (get->first == NULL || get->second == NULL || get->first->gpu != get->second->gpu || get->second->at - get->first->at < 0.1) return INVALID_ARGUMENT;
    double busy = 100 * (get->first->busy + get->second->busy) / 2;
    for (unsigned int i = 0; i < get->count; i++) {
        struct gpm_metric *m = &get->metrics[i];
        m->result = m->id >= 1 && m->id <= 13 ? OK : NOT_SUPPORTED;
        m->value = m->id == 1 ? busy : m->id == 2 ? busy * 0.9 : m->id == 10 ? busy * 0.6 : m->id == 11 ? 0 : busy * 0.4;
    }
    return OK;
}
#endif

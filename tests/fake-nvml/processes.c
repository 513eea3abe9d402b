/* Processes: "gpu.N.proc.K=PID,BYTES,SM", K from 0. */
#include "fake.h"
#include <stdio.h>

struct process_v1 { unsigned int pid; unsigned long long bytes; };
struct process_v3 { unsigned int pid; unsigned long long bytes; unsigned int gpu_instance, compute_instance; };
struct utilization_sample { unsigned int pid; unsigned long long at; unsigned int sm, memory, encoder, decoder; };

static int process_of(int gpu, int k, unsigned int *pid, unsigned long long *bytes, unsigned int *sm) {
    char key[32];
    snprintf(key, sizeof key, "proc.%d", k);
    const char *text = control_text(gpu, key, NULL);
    return text != NULL && sscanf(text, "%u,%llu,%u", pid, bytes, sm) == 3;
}

#define LIST(name, shape, fill) \
    EXPORT nvmlReturn_t name(nvmlDevice_t device, unsigned int *count, struct shape *infos) { \
        unsigned int pid, sm, n = 0; \
        unsigned long long bytes; \
        ENTER_DEVICE(device); \
        while (n < MAX_PROCESSES && process_of(gpu, (int)n, &pid, &bytes, &sm)) n++; \
        if (*count < n) { *count = n; return INSUFFICIENT_SIZE; } \
        *count = n; \
        for (unsigned int i = 0; i < n; i++) { \
            process_of(gpu, (int)i, &pid, &bytes, &sm); \
            infos[i] = (struct shape)fill; \
        } \
        return OK; \
    }
#define NONE(name, shape) \
    EXPORT nvmlReturn_t name(nvmlDevice_t device, unsigned int *count, struct shape *infos) { \
        (void)infos; \
        ENTER_DEVICE(device); \
        *count = 0; \
        return OK; \
    }
#define ARRAY(...) { __VA_ARGS__ }

LIST(nvmlDeviceGetComputeRunningProcesses, process_v1, ARRAY(pid, bytes))
NONE(nvmlDeviceGetGraphicsRunningProcesses, process_v1)
#ifndef FAKE_OLD_DRIVER
LIST(nvmlDeviceGetComputeRunningProcesses_v3, process_v3, ARRAY(pid, bytes, 0xffffffff, 0xffffffff))
NONE(nvmlDeviceGetGraphicsRunningProcesses_v3, process_v3)
NONE(nvmlDeviceGetMPSComputeRunningProcesses_v3, process_v3)
#endif

EXPORT nvmlReturn_t nvmlDeviceGetProcessUtilization(nvmlDevice_t device, struct utilization_sample *samples, unsigned int *count, unsigned long long since) {
    unsigned int pid, sm, n = 0;
    unsigned long long bytes, now = (unsigned long long)(now_seconds() * 1e6);
    ENTER_DEVICE(device);
    while (n < MAX_PROCESSES && process_of(gpu, (int)n, &pid, &bytes, &sm)) n++;
    if (n == 0 || now < since) return NOT_FOUND; /* as the real library says while nothing runs */
    if (samples == NULL || *count < n) { *count = n; return INSUFFICIENT_SIZE; }
    *count = n;
    for (unsigned int i = 0; i < n; i++) {
        process_of(gpu, (int)i, &pid, &bytes, &sm);
        samples[i] = (struct utilization_sample){ pid, now, sm, sm / 2, 0, 0 };
    }
    return OK;
}

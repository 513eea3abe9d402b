/* A fake libnvidia-ml.so.1 for machines without a GPU. Written from the public documentation of NVML: numbers of functions, structs and
 * error codes are NVIDIA's interface, everything behind them is invented. README.md lists what the control file understands. */
#ifndef NODEAGENT_FAKE_NVML_H
#define NODEAGENT_FAKE_NVML_H

#include <stddef.h>
#include <stdint.h>

typedef unsigned int nvmlReturn_t;
typedef struct handle *nvmlDevice_t;
typedef struct event_set *nvmlEventSet_t;
typedef struct gpm_sample *nvmlGpmSample_t;

enum {
    OK = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7,
    DRIVER_NOT_LOADED = 9, TIMEOUT = 10, GPU_IS_LOST = 15, RESET_REQUIRED = 16, IN_USE = 19, VERSION_MISMATCH = 25, UNKNOWN = 999
};

enum { MAX_GPUS = 32, MAX_MIG = 7, MAX_LINKS = 18, MAX_PROCESSES = 64 };

#define EXPORT __attribute__((visibility("default")))

/* One page per generation; nvmlShutdown unmaps it, so that a stale handle is a real access violation, as with the real library. */
struct handle {
    uint32_t magic;
    int gpu;
    int mig; /* -1: the GPU itself */
    long gpu_epoch;
};

/* control.c: the control file, and the faults it asks for. */
long control_number(int gpu, const char *key, long fallback);
double control_real(int gpu, const char *key, double fallback);
const char *control_text(int gpu, const char *key, const char *fallback); /* valid until the next call of a function of this library */
int control_has(int gpu, const char *key);
int control_state(int gpu, const char *key, long value); /* a setter's effect, seen by every process; 0: written */
const char *control_folder(void);
void control_refresh(void);
unsigned long control_version(void);
double now_seconds(void);

/* Every function goes through one of these first: latency, hang, crash and forced results are made here. */
nvmlReturn_t enter(const char *function);
nvmlReturn_t faults(const char *function, int gpu);
nvmlReturn_t enter_device(const char *function, nvmlDevice_t device, int *gpu);

/* handles.c */
int is_initialized(void);
nvmlReturn_t check_handle(nvmlDevice_t device, int *gpu);
nvmlDevice_t handle_of(int gpu, int mig);
int gpu_count(void);

/* device.c: one invented truth for all functions. */
double busy_of(int gpu);             /* 0 to 1 */
double power_mw(int gpu);
double energy_mj(int gpu);
unsigned long long memory_total(int gpu);
unsigned long long memory_used(int gpu);
unsigned int temperature(int gpu);
int mig_instances(int gpu);
int link_count(int gpu);

#define ENTER_DEVICE(device) \
    int gpu; \
    nvmlReturn_t entered = enter_device(__func__, device, &gpu); \
    if (entered != OK) return entered

#endif

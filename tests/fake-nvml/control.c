/* The control file: lines of key=value, read again whenever it changed. A key is global ("init=18"), of one GPU ("gpu.3.util=255") or of
 * all ("gpu.*.latency_us=500"). fake-nvml.state beside it holds what setters did and is read after it. */
#define _GNU_SOURCE
#include "fake.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { GLOBAL = -1, EVERY = -2, MAX_ENTRIES = 4096 };

struct entry { int gpu; char key[64]; char text[160]; };

static struct entry entries[MAX_ENTRIES];
static int entry_count;
static unsigned long version;
static struct stat seen_control, seen_state;
static char folder[PATH_MAX], control_path[PATH_MAX + 32], state_path[PATH_MAX + 32];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

double now_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void find_folder(void) {
    Dl_info own;
    if (folder[0] != 0) return;
    const char *given = getenv("FAKE_NVML_FOLDER");
    if (given != NULL && given[0] != 0) {
        snprintf(folder, sizeof folder, "%s", given);
    } else if (dladdr((void *)&find_folder, &own) && own.dli_fname != NULL && strrchr(own.dli_fname, '/') != NULL) {
        snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(own.dli_fname, '/') - own.dli_fname), own.dli_fname);
    } else {
        snprintf(folder, sizeof folder, ".");
    }
    snprintf(control_path, sizeof control_path, "%s/fake-nvml.conf", folder);
    snprintf(state_path, sizeof state_path, "%s/fake-nvml.state", folder);
}

const char *control_folder(void) {
    find_folder();
    return folder;
}

static void add(char *line) {
    char *equals = strchr(line, '=');
    if (line[0] == '#' || equals == NULL || entry_count == MAX_ENTRIES) return;
    *equals = 0;
    struct entry *e = &entries[entry_count];
    e->gpu = GLOBAL;
    const char *key = line;
    if (strncmp(line, "gpu.", 4) == 0) {
        const char *dot = strchr(line + 4, '.');
        if (dot == NULL) return;
        e->gpu = line[4] == '*' ? EVERY : atoi(line + 4);
        key = dot + 1;
    }
    snprintf(e->key, sizeof e->key, "%s", key);
    snprintf(e->text, sizeof e->text, "%s", equals + 1);
    entry_count++;
}

static void read_file(const char *path) {
    char line[256];
    FILE *file = fopen(path, "re");
    if (file == NULL) return;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = 0;
        add(line);
    }
    fclose(file);
}

static int changed(const char *path, struct stat *seen) {
    struct stat now;
    if (stat(path, &now) != 0) memset(&now, 0, sizeof now);
    int different = now.st_mtim.tv_sec != seen->st_mtim.tv_sec || now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec
        || now.st_size != seen->st_size || now.st_ino != seen->st_ino;
    *seen = now;
    return different;
}

void control_refresh(void) {
    find_folder();
    pthread_mutex_lock(&lock);
    int control = changed(control_path, &seen_control);
    int state = changed(state_path, &seen_state);
    if (control || state || version == 0) {
        entry_count = 0;
        read_file(control_path);
        read_file(state_path);
        version++;
    }
    pthread_mutex_unlock(&lock);
}

unsigned long control_version(void) { return version; }

/* The last line wins, and one of a single GPU over one of all. */
const char *control_text(int gpu, const char *key, const char *fallback) {
    const char *every = NULL;
    for (int i = entry_count - 1; i >= 0; i--) {
        const struct entry *e = &entries[i];
        if (e->gpu != gpu && !(gpu >= 0 && e->gpu == EVERY && every == NULL)) continue;
        if (strcmp(e->key, key) != 0) continue;
        if (e->gpu == gpu) return e->text;
        every = e->text;
    }
    return every != NULL ? every : fallback;
}

int control_has(int gpu, const char *key) { return control_text(gpu, key, NULL) != NULL; }

long control_number(int gpu, const char *key, long fallback) {
    const char *text = control_text(gpu, key, NULL);
    return text == NULL ? fallback : strtol(text, NULL, 0);
}

double control_real(int gpu, const char *key, double fallback) {
    const char *text = control_text(gpu, key, NULL);
    return text == NULL ? fallback : strtod(text, NULL);
}

int control_state(int gpu, const char *key, long value) {
    char line[128];
    int length = snprintf(line, sizeof line, "gpu.%d.%s=%ld\n", gpu, key, value);
    find_folder();
    int fd = open(state_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) return -1;
    ssize_t written = write(fd, line, (size_t)length);
    close(fd);
    return written == length ? 0 : -1;
}

static void pause_for(long microseconds) {
    struct timespec t = { microseconds / 1000000, microseconds % 1000000 * 1000 };
    while (nanosleep(&t, &t) != 0) { }
}

/* "*", or a list of function names. */
static int names(const char *list, const char *function) {
    if (list == NULL) return 0;
    if (strcmp(list, "*") == 0) return 1;
    size_t length = strlen(function);
    for (const char *at = list; (at = strstr(at, function)) != NULL; at += length) {
        if ((at == list || at[-1] == ',') && (at[length] == 0 || at[length] == ',')) return 1;
    }
    return 0;
}

nvmlReturn_t faults(const char *function, int gpu) {
    char key[96];
    if (names(control_text(gpu, "crash", NULL), function)) raise(SIGSEGV);
    while (names(control_text(gpu, "hang", NULL), function)) { /* until the control file says otherwise */
        pause_for(20000);
        control_refresh();
    }
    long latency = control_number(gpu, "latency_us", 0);
    if (latency > 0) pause_for(latency);
    snprintf(key, sizeof key, "return.%s", function);
    return (nvmlReturn_t)control_number(gpu, key, control_number(gpu, "return", OK));
}

nvmlReturn_t enter(const char *function) {
    control_refresh();
    return faults(function, GLOBAL);
}

nvmlReturn_t enter_device(const char *function, nvmlDevice_t device, int *gpu) {
    nvmlReturn_t result = enter(function);
    if (result != OK) return result;
    if (!is_initialized()) return UNINITIALIZED;
    result = check_handle(device, gpu);
    return result != OK ? result : faults(function, *gpu);
}

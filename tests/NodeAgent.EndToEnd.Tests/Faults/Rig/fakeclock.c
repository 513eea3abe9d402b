/* The wall clock of one process, bent by a test through a shared file; the monotonic clocks stay true.
 *
 * Not libfaketime: its 0.9.10 also rewrites the deadlines of pthread_cond_timedwait, and with an offset of decades every wait of the .NET
 * runtime then lasts for ever, so that it is the tool that fails and not the program. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* fake = base_fake + (true - base_true) * rate; written by FakeClock.cs. Odd version: being written. */
struct bend {
    volatile int64_t version;
    volatile int64_t base_true_ns;
    volatile int64_t base_fake_ns;
    volatile double rate;
};

static struct bend *bend;

__attribute__((constructor)) static void open_bend(void)
{
    const char *path = getenv("NODEAGENT_FAKE_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof(struct bend), PROT_READ, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        bend = map;
    close(fd);
}

static int64_t fake_now_ns(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    int64_t true_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (!bend)
        return true_ns;
    for (;;) {
        int64_t version = bend->version;
        int64_t fake = bend->base_fake_ns + (int64_t)((double)(true_ns - bend->base_true_ns) * bend->rate);
        __sync_synchronize();
        if (!(version & 1) && version == bend->version)
            return fake;
    }
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
        return (int)syscall(SYS_clock_gettime, clock, out);
    int64_t ns = fake_now_ns();
    out->tv_sec = ns / 1000000000;
    out->tv_nsec = ns % 1000000000;
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    (void)zone;
    int64_t ns = fake_now_ns();
    out->tv_sec = ns / 1000000000;
    out->tv_usec = ns % 1000000000 / 1000;
    return 0;
}

time_t time(time_t *out)
{
    time_t seconds = (time_t)(fake_now_ns() / 1000000000);
    if (out)
        *out = seconds;
    return seconds;
}

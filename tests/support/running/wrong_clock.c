/* Preloaded into a process whose wall clock is to be wrong by WRONG_CLOCK_SECONDS; its monotonic clock goes on as it is.
 *
 * libfaketime also changes the deadlines of waits, and takes those of the monotonic clock for the wall's: threads of
 * LiveKit's SDK then spin, or wait for an hour. Nothing in our processes waits for an instant of the wall clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static int (*true_clock_gettime)(clockid_t, struct timespec *);
static time_t off_by;

__attribute__((constructor)) static void begin(void) {
    const char *seconds = getenv("WRONG_CLOCK_SECONDS");
    off_by = seconds ? atol(seconds) : 0;
    true_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!true_clock_gettime) begin(); /* constructors of other libraries may ask before ours ran */
    int failed = true_clock_gettime(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += off_by;
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME_COARSE, &exact)) return -1;
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}

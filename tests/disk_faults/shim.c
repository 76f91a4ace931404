// Makes system calls fail: a shared object for LD_PRELOAD that stands between a program and the C library.
//
// It counts the calls of some kinds on files below one directory, over all threads but not in child processes, and does
// something at the n-th. The environment says what; tests/disk_faults.rs writes it and has the words:
//
//   DISK_FAULT_BELOW   what the paths begin with
//   DISK_FAULT_CALLS   letters: w(rite), s(ync), m(ove), c(reate), d(elete), a(ttributes), r(ead)
//   DISK_FAULT_AT      the number of the call, from 1
//   DISK_FAULT_EVER    if set, all later ones too
//   DISK_FAULT_DO      an errno, `kill`, `short` (one byte is read or written), or `run COMMAND` before the call
//   DISK_FAULT_LOG     gets a line for each call that was struck
//
// Calls that do not go through the C library (rustix makes some) are not seen; tests/kill.rs has those.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *below, *calls, *action, *log_file;
static long strike_at;
static int strikes_ever;
static atomic_long n_calls;

__attribute__((constructor)) static void read_environment(void) {
    below = getenv("DISK_FAULT_BELOW");
    calls = getenv("DISK_FAULT_CALLS");
    action = getenv("DISK_FAULT_DO");
    log_file = getenv("DISK_FAULT_LOG");
    strikes_ever = getenv("DISK_FAULT_EVER") != NULL;
    const char *at = getenv("DISK_FAULT_AT");
    strike_at = at ? atol(at) : 0;
    unsetenv("LD_PRELOAD");
}

// The function that the program would have called.
#define NEXT(name) \
    static typeof(name) *next; \
    if (!next) next = (typeof(name) *)dlsym(RTLD_NEXT, #name)

static void say(char call, const char *path) {
    char line[PATH_MAX + 4];
    int len = snprintf(line, sizeof line, "%c %s\n", call, path);
    int fd = log_file ? openat(AT_FDCWD, log_file, O_WRONLY | O_APPEND) : -1;
    if (fd < 0) return;
    static ssize_t (*next_write)(int, const void *, size_t);
    if (!next_write) next_write = dlsym(RTLD_NEXT, "write");
    next_write(fd, line, len);
    close(fd);
}

static void run(const char *command) {
    pid_t child = fork();
    if (child == 0) {
        char *environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};
        execle("/bin/sh", "sh", "-c", command, (char *)NULL, environment);
        _exit(127);
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (status != 0) abort();
}

enum verdict { PASS, FAIL, SHORT };

// Counts a call, and says whether it is to fail, with errno set.
static enum verdict judge(char call, const char *path) {
    if (!below || !calls || !action || !strchr(calls, call) || strncmp(path, below, strlen(below)) != 0) return PASS;
    long number = atomic_fetch_add(&n_calls, 1) + 1;
    if (number < strike_at || (number > strike_at && !strikes_ever)) return PASS;
    say(call, path);
    if (strcmp(action, "kill") == 0) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    if (strcmp(action, "short") == 0) return SHORT;
    if (strncmp(action, "run ", 4) == 0) {
        run(action + 4);
        return PASS;
    }
    errno = atoi(action);
    return FAIL;
}

static enum verdict judge_at(char call, int dir, const char *name) {
    char path[2 * PATH_MAX + 2], folder[PATH_MAX];
    if (name[0] == '/') return judge(call, name);
    if (dir == AT_FDCWD) {
        if (!getcwd(folder, sizeof folder)) return PASS;
    } else {
        char link[32];
        snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
        ssize_t len = readlink(link, folder, sizeof folder - 1);
        if (len < 0) return PASS;
        folder[len] = 0;
    }
    // The folder itself, for calls on an open file.
    snprintf(path, sizeof path, name[0] ? "%s/%s" : "%s", folder, name);
    return judge(call, path);
}

static enum verdict judge_fd(char call, int fd) {
    int saved = errno;
    enum verdict verdict = judge_at(call, fd, "");
    if (verdict != FAIL) errno = saved;
    return verdict;
}

#define IF_STRUCK_FD(call, fd) if (judge_fd(call, fd) == FAIL) return -1
#define IF_STRUCK_AT(call, dir, name) if (judge_at(call, dir, name) == FAIL) return -1

ssize_t write(int fd, const void *bytes, size_t n) {
    NEXT(write);
    enum verdict verdict = judge_fd('w', fd);
    return verdict == FAIL ? -1 : next(fd, bytes, verdict == SHORT && n > 1 ? 1 : n);
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
    NEXT(writev);
    IF_STRUCK_FD('w', fd);
    return next(fd, parts, n);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    NEXT(pwrite64);
    enum verdict verdict = judge_fd('w', fd);
    return verdict == FAIL ? -1 : next(fd, bytes, verdict == SHORT && n > 1 ? 1 : n, at);
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t n, unsigned flags) {
    NEXT(copy_file_range);
    enum verdict verdict = judge_fd('w', to);
    return verdict == FAIL ? -1 : next(from, from_at, to, to_at, verdict == SHORT && n > 1 ? 1 : n, flags);
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t n) {
    static ssize_t (*next)(int, int, off64_t *, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "sendfile64");
    enum verdict verdict = judge_fd('w', to);
    return verdict == FAIL ? -1 : next(to, from, at, verdict == SHORT && n > 1 ? 1 : n);
}

int ftruncate64(int fd, off64_t n) {
    NEXT(ftruncate64);
    IF_STRUCK_FD('w', fd);
    return next(fd, n);
}

int fsync(int fd) {
    NEXT(fsync);
    IF_STRUCK_FD('s', fd);
    return next(fd);
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    IF_STRUCK_FD('s', fd);
    return next(fd);
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    IF_STRUCK_AT('m', AT_FDCWD, from);
    return next(from, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    NEXT(renameat);
    IF_STRUCK_AT('m', from_dir, from);
    return next(from_dir, from, to_dir, to);
}

#define OPEN(name, parameters, dir, path, ...) \
    int name parameters { \
        NEXT(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        if (flags & O_CREAT) IF_STRUCK_AT('c', dir, path); \
        return next(__VA_ARGS__, mode); \
    }

OPEN(open, (const char *path, int flags, ...), AT_FDCWD, path, path, flags)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, path, path, flags)
OPEN(openat, (int dir, const char *path, int flags, ...), dir, path, dir, path, flags)
OPEN(openat64, (int dir, const char *path, int flags, ...), dir, path, dir, path, flags)

int mkdir(const char *path, mode_t mode) {
    NEXT(mkdir);
    IF_STRUCK_AT('c', AT_FDCWD, path);
    return next(path, mode);
}

int unlink(const char *path) {
    NEXT(unlink);
    IF_STRUCK_AT('d', AT_FDCWD, path);
    return next(path);
}

int unlinkat(int dir, const char *path, int flags) {
    NEXT(unlinkat);
    IF_STRUCK_AT('d', dir, path);
    return next(dir, path, flags);
}

int rmdir(const char *path) {
    NEXT(rmdir);
    IF_STRUCK_AT('d', AT_FDCWD, path);
    return next(path);
}

int chmod(const char *path, mode_t mode) {
    NEXT(chmod);
    IF_STRUCK_AT('a', AT_FDCWD, path);
    return next(path, mode);
}

int fchmod(int fd, mode_t mode) {
    NEXT(fchmod);
    IF_STRUCK_FD('a', fd);
    return next(fd, mode);
}

ssize_t read(int fd, void *bytes, size_t n) {
    NEXT(read);
    enum verdict verdict = judge_fd('r', fd);
    return verdict == FAIL ? -1 : next(fd, bytes, verdict == SHORT && n > 1 ? 1 : n);
}

ssize_t pread64(int fd, void *bytes, size_t n, off64_t at) {
    NEXT(pread64);
    enum verdict verdict = judge_fd('r', fd);
    return verdict == FAIL ? -1 : next(fd, bytes, verdict == SHORT && n > 1 ? 1 : n, at);
}

/* Keeps, of each file below LAST_SYNCED_OF, what it was when it was last synced: what a power cut would leave.
 *
 * Loaded before the C library (LD_PRELOAD). After each fsync or fdatasync the whole file is copied to
 * LAST_SYNCED_TO under its own name, and put there in one step; a file that is removed is removed there too.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kept_name(const char *path) {
    const char *of = getenv("LAST_SYNCED_OF");
    size_t length = of ? strlen(of) : 0;
    return length && !strncmp(path, of, length) && path[length] == '/' ? strrchr(path, '/') + 1 : NULL;
}

static void keep(int synced) {
    static __thread char link[64], path[PATH_MAX], target[PATH_MAX], beside[PATH_MAX + 64], block[1 << 16];
    snprintf(link, sizeof link, "/proc/self/fd/%d", synced);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    const char *name = kept_name(path);
    struct stat about;
    if (!name || fstat(synced, &about) || !S_ISREG(about.st_mode)) return;
    snprintf(target, sizeof target, "%s/%s", getenv("LAST_SYNCED_TO"), name);
    snprintf(beside, sizeof beside, "%s.%d.%d", target, (int)getpid(), (int)gettid());
    /* Read through the same descriptor: to close another one of this file would drop SQLite's locks on it. */
    int other = pread(synced, block, 1, 0) < 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    int from = other < 0 ? synced : other;
    int to = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    off_t at = 0;
    for (ssize_t n; to >= 0 && (n = pread(from, block, sizeof block, at)) > 0; at += n)
        if (write(to, block, n) != n) abort();
    if (other >= 0) close(other);
    close(to);
    if (rename(beside, target)) abort();
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int failed = real(file);
    if (!failed) keep(file);
    return failed;
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int failed = real(file);
    if (!failed) keep(file);
    return failed;
}

int unlink(const char *path) {
    static __thread char target[PATH_MAX];
    int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    int failed = real(path);
    const char *name = failed ? NULL : kept_name(path);
    if (name) {
        snprintf(target, sizeof target, "%s/%s", getenv("LAST_SYNCED_TO"), name);
        real(target);
    }
    return failed;
}

// Preloaded into the program under test (LD_PRELOAD): while a test switches it on, reads of the database's files fail,
// writes to them or to the ledger of revocations fail for lack of space, or the names of synced files are logged. A test cannot make a real disk fail.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { READS, WRITES, SYNCS, LEDGER, SWITCHES };

// One byte per switch, in a file that the test writes: '1' is on.
static const volatile char *switches;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_SWITCHES");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, SWITCHES, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) switches = mapped;
    close(file);
}

static int is_on(int which) { return switches && switches[which] == '1'; }

static int name_of(int file, char *name, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, name, size - 1);
    if (length < 0) return 0;
    name[length] = 0;
    return 1;
}

// Whether the file is the database or its log, or of the ledger of revocations.
static int is_struck(int file, int which) {
    char name[4096];
    int is_ledger = which == WRITES && is_on(LEDGER);
    if (!(is_on(which) || is_ledger) || !name_of(file, name, sizeof name)) return 0;
    return (is_on(which) && strstr(name, "nolapse.db")) || (is_ledger && strstr(name, ".ledger"));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAILING(which, error, name, given, ...)         \
    ssize_t name given {                                \
        if (is_struck(file, which)) {                   \
            errno = error;                              \
            return -1;                                  \
        }                                               \
        return REAL(name)(file, __VA_ARGS__);           \
    }

FAILING(READS, EIO, read, (int file, void *to, size_t size), to, size)
FAILING(READS, EIO, pread, (int file, void *to, size_t size, off_t at), to, size, at)
FAILING(READS, EIO, pread64, (int file, void *to, size_t size, off64_t at), to, size, at)
FAILING(WRITES, ENOSPC, write, (int file, const void *from, size_t size), from, size)
FAILING(WRITES, ENOSPC, pwrite, (int file, const void *from, size_t size, off_t at), from, size, at)
FAILING(WRITES, ENOSPC, pwrite64, (int file, const void *from, size_t size, off64_t at), from, size, at)

int fsync(int file) {
    char name[4096];
    const char *path = getenv("FAULTS_SYNCED");
    if (is_on(SYNCS) && path && name_of(file, name, sizeof name)) {
        FILE *list = fopen(path, "a");
        if (list) {
            fprintf(list, "%s\n", name);
            fclose(list);
        }
    }
    return REAL(fsync)(file);
}

// Kills the process before its n-th change of a name, with FAULTS_KILL_AT=n.
static void change_name(void) {
    static int count;
    const char *at = getenv("FAULTS_KILL_AT");
    if (at && ++count == atoi(at)) raise(SIGKILL);
}

int rename(const char *from, const char *to) {
    change_name();
    return REAL(rename)(from, to);
}

int unlink(const char *name) {
    change_name();
    return REAL(unlink)(name);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    change_name();
    return REAL(linkat)(from_folder, from, to_folder, to, flags);
}

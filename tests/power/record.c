/* Records what a program does to the files below a directory, in order, so that a test can make the
 * disk images that a power cut at any moment could leave. Preloaded: it stands between the program
 * and libc.
 *
 * The log (CUT_LOG) is a row of entries: a letter, then three 64-bit numbers (file, offset, length),
 * then as many bytes as the length says. Each entry is one write to a file opened for appending, so
 * that the test may add entries of its own.
 *
 *   C path       a file was made            W bytes   written at the offset
 *   M path       a directory was made       T         cut or extended to the offset
 *   N old\0new   renamed                    F         made durable (fsync, fdatasync)
 *   U path       unlinked
 *
 * sync_file_range is not recorded: it promises nothing after a power cut.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char root[1024];

static void __attribute__((constructor)) begin(void)
{
    const char *path = getenv("CUT_LOG"), *below = getenv("CUT_ROOT");
    if (!path || !below)
        return;
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    /* Out of the way of the program's own numbers. */
    log_fd = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 900);
    syscall(SYS_close, fd);
    strncpy(root, below, sizeof root - 1);
}

static void entry(char letter, uint64_t file, uint64_t offset, const void *bytes, uint64_t length)
{
    char head[25];
    head[0] = letter;
    memcpy(head + 1, &file, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &length, 8);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, length}};
    if (syscall(SYS_writev, log_fd, parts, 2) != (long)(sizeof head + length))
        abort();
}

static int below(const char *path)
{
    return log_fd >= 0 && root[0] && strncmp(path, root, strlen(root)) == 0;
}

/* The number of a file that is of interest; 0 if it is none. */
static uint64_t number(int fd)
{
    struct stat it;
    if (log_fd < 0 || fd == log_fd || fstat(fd, &it))
        return 0;
    return S_ISREG(it.st_mode) || S_ISDIR(it.st_mode) ? it.st_ino : 0;
}

#define BEGIN pthread_mutex_lock(&one_at_a_time)
#define END(result)                            \
    do {                                       \
        int before = errno;                    \
        pthread_mutex_unlock(&one_at_a_time);  \
        errno = before;                        \
        return result;                         \
    } while (0)

static int opened(int dir, const char *path, int flags, mode_t mode)
{
    BEGIN;
    struct stat it;
    int watched = below(path), existed = watched && stat(path, &it) == 0;
    int fd = syscall(SYS_openat, dir, path, flags, mode);
    int failed = errno;
    if (fd >= 0 && watched && fstat(fd, &it) == 0 && S_ISREG(it.st_mode)) {
        if (!existed)
            entry('C', it.st_ino, 0, path, strlen(path));
        else if (flags & O_TRUNC)
            entry('T', it.st_ino, 0, "", 0);
    }
    errno = failed;
    END(fd);
}

#define OPEN(name)                                      \
    int name(const char *path, int flags, ...)          \
    {                                                   \
        va_list rest;                                   \
        va_start(rest, flags);                          \
        mode_t mode = va_arg(rest, mode_t);             \
        va_end(rest);                                   \
        return opened(AT_FDCWD, path, flags, mode);     \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                        \
    int name(int dir, const char *path, int flags, ...)     \
    {                                                       \
        va_list rest;                                       \
        va_start(rest, flags);                              \
        mode_t mode = va_arg(rest, mode_t);                 \
        va_end(rest);                                       \
        return opened(dir, path, flags, mode);              \
    }
OPENAT(openat)
OPENAT(openat64)

static uint64_t position(int fd)
{
    struct stat it;
    if ((fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &it) == 0)
        return it.st_size;
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    if (log_fd < 0)
        return syscall(SYS_write, fd, bytes, length);
    BEGIN;
    uint64_t file = number(fd), offset = file ? position(fd) : 0;
    ssize_t done = syscall(SYS_write, fd, bytes, length);
    int failed = errno;
    if (done > 0 && file)
        entry('W', file, offset, bytes, done);
    errno = failed;
    END(done);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    ssize_t total = 0;
    for (int at = 0; at < count; at++) {
        if (!parts[at].iov_len)
            continue;
        ssize_t done = write(fd, parts[at].iov_base, parts[at].iov_len);
        if (done < 0)
            return total ? total : done;
        total += done;
        if ((size_t)done < parts[at].iov_len)
            break;
    }
    return total;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset)
{
    BEGIN;
    uint64_t file = number(fd);
    ssize_t done = syscall(SYS_pwrite64, fd, bytes, length, offset);
    int failed = errno;
    if (done > 0 && file)
        entry('W', file, offset, bytes, done);
    errno = failed;
    END(done);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    return pwrite64(fd, bytes, length, offset);
}

static int synced(int fd, long call)
{
    BEGIN;
    uint64_t file = number(fd);
    int result = syscall(call, fd);
    int failed = errno;
    if (!result && file)
        entry('F', file, 0, "", 0);
    errno = failed;
    END(result);
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int ftruncate64(int fd, off_t length)
{
    BEGIN;
    uint64_t file = number(fd);
    int result = syscall(SYS_ftruncate, fd, length);
    int failed = errno;
    if (!result && file)
        entry('T', file, length, "", 0);
    errno = failed;
    END(result);
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int rename(const char *from, const char *to)
{
    BEGIN;
    int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    int failed = errno;
    if (!result && below(to)) {
        char both[4096];
        int length = snprintf(both, sizeof both, "%s%c%s", from, 0, to);
        entry('N', 0, 0, both, length);
    }
    errno = failed;
    END(result);
}

int unlink(const char *path)
{
    BEGIN;
    int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    int failed = errno;
    if (!result && below(path))
        entry('U', 0, 0, path, strlen(path));
    errno = failed;
    END(result);
}

int mkdir(const char *path, mode_t mode)
{
    BEGIN;
    int result = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    int failed = errno;
    struct stat it;
    if (!result && below(path) && stat(path, &it) == 0)
        entry('M', it.st_ino, 0, path, strlen(path));
    errno = failed;
    END(result);
}

/* Copies that the kernel makes by itself would not be seen. */
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *there, size_t length, unsigned flags)
{
    (void)from, (void)at, (void)to, (void)there, (void)length, (void)flags;
    errno = ENOSYS;
    return -1;
}

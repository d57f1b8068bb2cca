//! How many files a process may have open: inherited from a shell as two limits, of which the softer is meant for old programs.

/// Raises the soft limit of open files to the hard one. Programs that count files in sets of 1,024 are what the soft one is
/// for; this is none, and its children neither.
pub fn raise_open_files() {
    // SAFETY: both calls read or write the one structure that they are given.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0
            && limit.rlim_cur < limit.rlim_max
        {
            limit.rlim_cur = limit.rlim_max;
            // Where it is refused, the soft limit holds as before.
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

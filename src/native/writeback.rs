//! Getting what was written on its way to the disk early.

use std::fs::File;

/// Asks the system to write to the disk what it holds of the file, and does not wait for it: a sync at the end finds little left
/// to do. Nothing where the system has no such call.
pub fn start_writeback(file: &File) {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        // SAFETY: the descriptor is open as long as `file` is borrowed; offset and length 0 stand for the whole file. A refusal
        // loses nothing.
        unsafe {
            libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

//! Bytes from one file to another without a way through this process, where the system can.

use std::{fs::File, io, os::unix::fs::FileExt};

/// The buffer of the plain way.
const BUFFER: usize = 1 << 20;

/// Copies `length` bytes: by `copy_file_range` on Linux, which shares the blocks where the file system can (Btrfs, XFS;
/// page-aligned), by reading and writing elsewhere. Both files may be the same one if the ranges do not overlap.
pub(super) fn copy_range(
    from: &File,
    at: usize,
    to: &File,
    to_at: usize,
    length: usize,
) -> io::Result<()> {
    let done = by_the_system(from, at as u64, to, to_at as u64, length);
    by_hand(
        from,
        (at + done) as u64,
        to,
        (to_at + done) as u64,
        length - done,
    )
}

/// How many bytes the system copied by itself: less than asked where it cannot.
#[cfg(target_os = "linux")]
fn by_the_system(from: &File, mut at: u64, to: &File, mut to_at: u64, length: usize) -> usize {
    let mut done = 0;
    while done < length {
        match rustix::fs::copy_file_range(from, Some(&mut at), to, Some(&mut to_at), length - done)
        {
            Ok(more) if more > 0 => done += more,
            Err(rustix::io::Errno::INTR) => {}
            // Other file systems, old kernels, the end of the file: the plain way goes on, or says what is wrong.
            _ => break,
        }
    }
    done
}

/// Whether the file system of a file shares blocks between files, or copies where the file lies (on a server): only then is
/// [`copy_range`] faster than writing what was read anyway.
#[cfg(target_os = "linux")]
pub(super) fn shares_blocks(file: &File) -> bool {
    // The numbers of statfs(2): Btrfs, XFS, bcachefs, ZFS, OCFS2, NFS and SMB.
    const KINDS: [u32; 8] = [
        0x9123_683e,
        0x5846_5342,
        0xca45_1a4e,
        0x2fc1_2fc1,
        0x7461_636f,
        0x6969,
        0xff53_4d42,
        0xfe53_4d42,
    ];
    rustix::fs::fstatfs(file).is_ok_and(|found| KINDS.contains(&(found.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn shares_blocks(_: &File) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn by_the_system(_: &File, _: u64, _: &File, _: u64, _: usize) -> usize {
    0
}

fn by_hand(
    from: &File,
    mut at: u64,
    to: &File,
    mut to_at: u64,
    mut length: usize,
) -> io::Result<()> {
    let mut buffer = vec![0; length.min(BUFFER)];
    while length > 0 {
        let piece = &mut buffer[..length.min(BUFFER)];
        from.read_exact_at(piece, at)?;
        to.write_all_at(piece, to_at)?;
        at += piece.len() as u64;
        to_at += piece.len() as u64;
        length -= piece.len();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_copy_the_same_and_a_short_file_is_an_error() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
        let from = tempfile::tempfile().unwrap();
        from.write_all_at(&bytes, 0).unwrap();
        let copied = |copy: &dyn Fn(&File) -> io::Result<()>| {
            let to = tempfile::tempfile().unwrap();
            copy(&to).unwrap();
            let mut found = vec![0; 200_000];
            to.read_exact_at(&mut found, 7).unwrap();
            found
        };
        assert_eq!(
            copied(&|to| copy_range(&from, 1000, to, 7, 200_000)),
            bytes[1000..201_000]
        );
        assert_eq!(
            copied(&|to| by_hand(&from, 1000, to, 7, 200_000)),
            bytes[1000..201_000]
        );
        let to = tempfile::tempfile().unwrap();
        assert!(copy_range(&from, 200_000, &to, 0, 200_000).is_err());
    }
}

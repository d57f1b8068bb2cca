//! Turns on the cores: processes of kfood that each would use all of them work one after the other, a moment each.
//!
//! libtorch spreads every operation over threads that wait for each other hundreds of times a step. Two trainings on the same cores
//! then wait at each of these points for a core that the other holds, however the threads wait (spinning or asleep), and take longer
//! than one after the other; how much longer stands in benches/README.md. With turns, one has all cores for a moment while the other
//! sleeps.
//!
//! A core is a file in the folder for temporary files, and who works on the core holds a lock on it; such a lock ends with its process. Jobs
//! on different cores (as a cluster's scheduler binds them) share none and never wait. No result depends on turns, and nothing
//! waits for long: who holds a core too long (stopped by Ctrl-Z, say) is no longer waited for.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::Path,
    sync::{Mutex, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long one has the cores, at least; a step is never broken.
const MOMENT: Duration = Duration::from_millis(200);
/// How often somebody who waits looks again.
const LOOK: Duration = Duration::from_millis(1);
/// Long enough for somebody who waits to look.
const GIVE_WAY: Duration = Duration::from_millis(3);
/// How long one waits beside two steps of one's own, and how many times as long one works without turns after it was in vain.
const PATIENCE: Duration = Duration::from_secs(1);
const ON_ITS_OWN: u32 = 10;

static TURNS: Mutex<Option<Turns>> = Mutex::new(None);

/// From now on, [`next_turn`] shares the cores of this process with other processes that use as many threads as there are cores, or
/// a part of them. Where the folder for temporary files allows no locks, everything goes on without turns.
pub fn take_turns(threads: usize) {
    let turns = Turns::open(&std::env::temp_dir().join("kfood-cores"), &cores(), threads);
    *TURNS.lock().unwrap_or_else(PoisonError::into_inner) = turns.ok();
}

/// To be called before each piece of work on all cores. Gives them up where this process has had its moment and another waits, and
/// returns when they are free again.
pub fn next_turn() {
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(turns) = turns.as_mut() {
        turns.next();
    }
}

struct Turns {
    /// A file for each core that this process may use.
    cores: Vec<File>,
    /// How many of them it works on.
    threads: usize,
    /// Held, shared, by everyone who waits for these cores.
    waiting: File,
    /// Which of `cores` are held, since when.
    held: Vec<usize>,
    since: Instant,
    /// When the piece of work before began, and how long the longest took lately.
    began: Option<Instant>,
    longest: Duration,
    /// No turns until then.
    alone_until: Option<Instant>,
}

impl Turns {
    fn open(folder: &Path, cores: &[usize], threads: usize) -> io::Result<Self> {
        let first = cores.first().ok_or(io::ErrorKind::NotFound)?;
        open_folder(folder)?;
        let open = |name: String| open_file(&folder.join(name));
        Ok(Self {
            cores: (cores.iter().map(|core| open(format!("core-{core}"))))
                .collect::<Result<_, _>>()?,
            threads: threads.clamp(1, cores.len()),
            waiting: open(format!("waiting-{first}"))?,
            held: Vec::new(),
            since: Instant::now(),
            began: None,
            longest: Duration::ZERO,
            alone_until: None,
        })
    }

    fn next(&mut self) {
        let now = Instant::now();
        if let Some(began) = self.began.replace(now) {
            // Falls slowly, so that one short piece of work does not make it forget the long ones.
            self.longest = (now - began).max(self.longest * 15 / 16);
        }
        if !self.held.is_empty() {
            if now - self.since < MOMENT || !self.somebody_waits() {
                return;
            }
            self.give_up();
            sleep(GIVE_WAY);
        }
        if self.alone_until.is_some_and(|until| now < until) {
            return;
        }
        self.wait();
        self.since = Instant::now();
        self.began = Some(self.since);
    }

    fn somebody_waits(&self) -> bool {
        let free = self.waiting.try_lock().is_ok();
        if free {
            let _ = self.waiting.unlock();
        }
        !free
    }

    fn give_up(&mut self) {
        for core in self.held.drain(..) {
            let _ = self.cores[core].unlock();
        }
    }

    /// Until the cores are free, or patience ends.
    fn wait(&mut self) {
        if self.take() {
            return;
        }
        let mut is_marked = false;
        let began = Instant::now();
        let patience = PATIENCE + 2 * self.longest;
        self.alone_until = None;
        while !self.take() {
            // In vain at the very moment when the one who works looks.
            is_marked = is_marked || self.waiting.try_lock_shared().is_ok();
            if began.elapsed() > patience {
                self.alone_until = Some(Instant::now() + patience * ON_ITS_OWN);
                break;
            }
            sleep(LOOK);
        }
        let _ = self.waiting.unlock();
    }

    /// As many cores as there are threads, or none.
    fn take(&mut self) -> bool {
        for (core, file) in self.cores.iter().enumerate() {
            match file.try_lock() {
                Ok(()) => self.held.push(core),
                // A system without such locks: as if nobody else were there.
                Err(TryLockError::Error(_)) => self.held.push(core),
                Err(TryLockError::WouldBlock) => {}
            }
            if self.held.len() == self.threads {
                return true;
            }
        }
        self.give_up();
        false
    }
}

/// Open to everyone who works on this machine, as the folder it lies in.
fn open_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match fs::create_dir(folder) {
        Ok(()) => fs::set_permissions(folder, fs::Permissions::from_mode(0o1777)),
        // A link that somebody put there would lead new files to wherever it likes.
        Err(error)
            if error.kind() == io::ErrorKind::AlreadyExists
                && folder.symlink_metadata()?.is_dir() =>
        {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// For a lock alone: nothing is ever written into it or read from it.
fn open_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let open = |create: bool| {
        let mut options = OpenOptions::new();
        options.read(true).write(create).create(create).mode(0o644);
        options
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK)
            .open(path)
    };
    // Another user's may only be read, which is enough for a lock.
    open(false).or_else(|_| open(true)).or_else(|_| open(false))
}

/// The numbers of the cores that this process may use.
#[cfg(target_os = "linux")]
fn cores() -> Vec<usize> {
    // SAFETY: fills a valid zeroed set of the size that is said.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) != 0 {
            return Vec::new();
        }
        set
    };
    let all = 0..8 * size_of::<libc::cpu_set_t>();
    // SAFETY: no number is beyond the set.
    all.filter(|core| unsafe { libc::CPU_ISSET(*core, &set) })
        .collect()
}

/// The numbers of the cores that this process may use.
#[cfg(not(target_os = "linux"))]
fn cores() -> Vec<usize> {
    (0..std::thread::available_parallelism().map_or(1, usize::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(folder: &Path, cores: &[usize], threads: usize) -> Turns {
        Turns::open(folder, cores, threads).unwrap()
    }

    #[test]
    fn one_has_the_cores_and_the_other_waits_until_it_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, mut other) = (of(folder.path(), &[0, 1], 2), of(folder.path(), &[0, 1], 2));
        one.next();
        assert_eq!(one.held, [0, 1]);
        assert!(!other.take());
        assert!(!one.somebody_waits());
        other.waiting.lock_shared().unwrap();
        assert!(one.somebody_waits());
        drop(one);
        assert!(other.take());
    }

    #[test]
    fn who_needs_a_part_of_the_cores_works_beside_another() {
        let folder = tempfile::tempdir().unwrap();
        let mut turns: Vec<_> = (0..3)
            .map(|_| of(folder.path(), &[4, 5, 6, 7], 2))
            .collect();
        assert!(turns[0].take() && turns[1].take() && !turns[2].take());
        assert_eq!(turns[1].held, [2, 3]);
        assert!(of(folder.path(), &[0, 1], 2).take(), "other cores");
    }

    #[test]
    fn two_who_work_at_once_have_the_cores_in_turn() {
        let folder = tempfile::tempdir().unwrap();
        let working = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut turns = of(folder.path(), &[0], 1);
                    for _ in 0..40 {
                        turns.next();
                        assert_eq!(working.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        sleep(MOMENT / 16);
                        working.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    }
                });
            }
        });
    }

    #[test]
    fn who_never_gives_up_is_no_longer_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (mut stopped, mut other) = (of(folder.path(), &[0], 1), of(folder.path(), &[0], 1));
        stopped.next();
        other.next();
        assert!(other.held.is_empty() && other.alone_until.is_some());
        other.next();
        assert!(!stopped.somebody_waits());
    }
}

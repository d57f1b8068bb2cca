//! What a process inherits from whoever starts it, and what kfood makes of it: the one place for all of it.
//!
//! - Signals that were ignored at the start (`nohup`, a background job of a script) stay ignored: [`signals_to_stop_by`].
//! - A limit on the size of files (`ulimit -f`) is an error of a write and no death: [`limits_are_errors`].
//! - The mode of a shared folder decides over that of new files, not the umask alone: [`follow_mode`].
//! - Teams of threads have the size that is asked for, whatever OpenMP is told to leave out of them: [`leave_teams_whole`].
//! - Memory is what a container leaves of the machine's: [`memory_left`]. (Cores are asked of the standard library, which knows
//!   the quotas and affinities of containers.)

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

/// Of the signals that ask a program to end, those that were not ignored when it started. To be asked before any is caught.
#[must_use]
pub fn signals_to_stop_by() -> Vec<i32> {
    let mut signals = vec![libc::SIGINT, libc::SIGTERM, libc::SIGHUP];
    signals.retain(|signal| !is_ignored(*signal));
    signals
}

/// The signal of Ctrl-Z and the one that goes on, unless stopping was ignored when the program started.
#[must_use]
pub fn signals_to_pause_by() -> Vec<i32> {
    match is_ignored(libc::SIGTSTP) {
        true => Vec::new(),
        false => vec![libc::SIGTSTP, libc::SIGCONT],
    }
}

/// Whether a signal is ignored now.
fn is_ignored(signal: i32) -> bool {
    // SAFETY: asks for the disposition, which fills a valid zeroed struct, and changes nothing.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut now) == 0
            && now.sa_sigaction == libc::SIG_IGN
    }
}

/// Makes a write beyond the limit on the size of files (`ulimit -f`) an error that says so; else the system ends the process.
pub fn limits_are_errors() {
    // SAFETY: sets a disposition; no handler of ours runs.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// What makes the teams of OpenMP smaller than the program asks for. Kernels of oneDNN wait for those that are not there: a training
/// would stand still for ever.
const SHRINK_TEAMS: [&str; 4] = [
    "OMP_DYNAMIC",
    "OMP_MAX_ACTIVE_LEVELS",
    "OMP_NESTED",
    "OMP_THREAD_LIMIT",
];

/// Keeps from a program what would make its teams of threads smaller than it asks for.
pub fn leave_teams_whole(command: &mut Command) {
    for name in SHRINK_TEAMS {
        command.env_remove(name);
    }
}

/// How often new files follow a folder now, and the umask of before.
static FOLLOWED: Mutex<(u32, libc::mode_t)> = Mutex::new((0, 0));

/// While it lives, new files may be read and written by whom a folder's mode allows it, whatever the umask.
#[derive(Debug)]
pub struct FollowMode(());

/// Lets new files of this process, and of those that it starts, follow the mode of a folder: in a folder that a group may write,
/// the group may write them too.
#[must_use]
pub fn follow_mode(mode: u32) -> FollowMode {
    let mut followed = FOLLOWED.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: a number of the process; the first call reads what the second sets anew.
    unsafe {
        let now = libc::umask(0o077);
        if followed.0 == 0 {
            followed.1 = now;
        }
        libc::umask(now & !(mode as libc::mode_t & 0o777));
    }
    followed.0 += 1;
    FollowMode(())
}

impl Drop for FollowMode {
    fn drop(&mut self) {
        let mut followed = FOLLOWED.lock().unwrap_or_else(PoisonError::into_inner);
        followed.0 -= 1;
        if followed.0 == 0 {
            // SAFETY: a number of the process.
            unsafe {
                libc::umask(followed.1);
            }
        }
    }
}

/// Bytes of memory that this process may still take: what the machine has left, or the container if that is less; `None` where
/// the system does not tell.
#[must_use]
pub fn memory_left() -> Option<u64> {
    let machine = machine_memory();
    let container = Cgroups::of_this_process(Path::new("/")).memory_left();
    machine.into_iter().chain(container).min()
}

/// Linux's line `MemAvailable:    123456 kB`.
fn machine_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(1024 * kilobytes)
}

/// The control groups that limit the memory of this process, each a folder; the innermost first.
struct Cgroups(Vec<(PathBuf, Names)>);

/// What the files of a control group are called.
#[derive(Clone, Copy)]
struct Names {
    limit: &'static str,
    used: &'static str,
    /// Of `memory.stat`: what the system gives back when memory gets short.
    idle: &'static str,
}

/// Version 2, of one tree for everything.
const UNIFIED: Names = Names {
    limit: "memory.max",
    used: "memory.current",
    idle: "inactive_file",
};
/// Version 1, of a tree for memory alone.
const LEGACY: Names = Names {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    idle: "total_inactive_file",
};

impl Cgroups {
    /// As the files below `root` say; `/` but in tests.
    fn of_this_process(root: &Path) -> Self {
        let read = |name| fs::read_to_string(root.join(name)).unwrap_or_default();
        let (groups, mounts) = (read("proc/self/cgroup"), read("proc/self/mountinfo"));
        let mut found = Vec::new();
        for line in groups.lines() {
            let mut fields = line.splitn(3, ':');
            let (Some(_), Some(of), Some(path)) = (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let names = match of {
                "" => UNIFIED,
                _ if of.split(',').any(|name| name == "memory") => LEGACY,
                _ => continue,
            };
            let Some((below, place)) = mounts.lines().find_map(|line| mount(line, of)) else {
                continue;
            };
            let place = root.join(place.trim_start_matches('/'));
            // Inside a container the path may be the machine's: then the group is what is mounted.
            let inner = Path::new(path).strip_prefix(below).unwrap_or(Path::new(""));
            for folder in inner.ancestors() {
                found.push((place.join(folder), names));
            }
        }
        Self(found)
    }

    /// What the tightest of them leaves.
    fn memory_left(&self) -> Option<u64> {
        let left = self.0.iter().filter_map(|(folder, names)| {
            let text = |name| fs::read_to_string(folder.join(name)).ok();
            let number = |name| text(name)?.trim().parse::<u64>().ok();
            // `max` in version 2; in version 1 no limit is a number that no machine has.
            let limit = number(names.limit).filter(|limit| *limit < 1 << 60)?;
            let idle = text("memory.stat").and_then(|stat| {
                let line = stat.lines().find_map(|line| line.strip_prefix(names.idle));
                line?.trim().parse::<u64>().ok()
            });
            let used = number(names.used)?.saturating_sub(idle.unwrap_or(0));
            Some(limit.saturating_sub(used))
        });
        left.min()
    }
}

/// Of a line of `mountinfo` that mounts the wanted tree (version 2 has no name): what part of the tree, and where.
fn mount<'a>(line: &'a str, of: &str) -> Option<(&'a str, &'a str)> {
    let (front, back) = line.split_once(" - ")?;
    let mut front = front.split(' ').skip(3);
    let (below, place) = (front.next()?, front.next()?);
    let mut back = back.split(' ');
    let (kind, options) = (back.next()?, back.nth(1)?);
    let fits = match of {
        "" => kind == "cgroup2",
        _ => kind == "cgroup" && options.split(',').any(|name| name == "memory"),
    };
    fits.then_some((below, place))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn left(files: &[(&str, &str)]) -> Option<u64> {
        Cgroups::of_this_process(machine(files).path()).memory_left()
    }

    const V2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn the_tightest_of_nested_limits_of_version_2_counts_and_caches_do_not() {
        let files = [
            ("proc/self/cgroup", "0::/job/step\n"),
            ("proc/self/mountinfo", V2),
            ("sys/fs/cgroup/job/step/memory.max", "max\n"),
            ("sys/fs/cgroup/job/step/memory.current", "100\n"),
            ("sys/fs/cgroup/job/memory.max", "1000\n"),
            ("sys/fs/cgroup/job/memory.current", "700\n"),
            (
                "sys/fs/cgroup/job/memory.stat",
                "anon 400\ninactive_file 300\n",
            ),
        ];
        assert_eq!(left(&files), Some(600));
        assert_eq!(left(&files[..4]), None);
    }

    #[test]
    fn a_container_of_version_1_sees_its_own_group_under_the_machines_path() {
        let files = [
            (
                "proc/self/cgroup",
                "5:cpu,cpuacct:/docker/ab\n4:memory:/docker/ab\n",
            ),
            (
                "proc/self/mountinfo",
                "40 30 0:33 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
            ),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "5000\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "2000\n"),
        ];
        assert_eq!(left(&files), Some(3000));
        let unlimited = (
            "sys/fs/cgroup/memory/memory.limit_in_bytes",
            "9223372036854771712\n",
        );
        assert_eq!(left(&[files[0], files[1], unlimited, files[3]]), None);
    }

    #[test]
    fn without_control_groups_the_machine_alone_counts() {
        assert_eq!(left(&[]), None);
        #[cfg(target_os = "linux")]
        assert!(memory_left().unwrap() > 0);
    }
}

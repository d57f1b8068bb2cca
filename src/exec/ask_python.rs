//! Asking a Python where its package `torch` lies, without importing it.

use std::{
    ffi::OsString,
    io::Read,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The working folder is taken from the places to import from: a folder `torch` of somebody's project is no package to run.
const QUESTION: &str = "\
import sys
sys.path[:] = [place for place in sys.path if place]
import importlib.util, os
found = importlib.util.find_spec('torch')
if found and found.origin:
    sys.stdout.buffer.write(os.fsencode(os.path.dirname(found.origin)))
";
/// A Python on a slow network file system answers within it; one that hangs is given up.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often is looked whether it has answered.
const TICK: Duration = Duration::from_millis(5);

/// The folder of the package `torch`; `None` where there is no such Python, or no such package in it.
pub(super) fn torch_of(python: &Path) -> Option<PathBuf> {
    let mut command = Command::new(python);
    command
        .args(["-c", QUESTION])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    if !ends_well(&mut child) {
        return None;
    }
    // A path fits into the pipe, so that the Python could end before it was read.
    let mut answer = Vec::new();
    child.stdout.take()?.read_to_end(&mut answer).ok()?;
    let folder = PathBuf::from(OsString::from_vec(answer));
    folder.is_absolute().then_some(folder)
}

/// Whether a child ends in time, and says that all is well.
fn ends_well(child: &mut Child) -> bool {
    let since = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if since.elapsed() < PATIENCE => thread::sleep(TICK),
            _ => {
                // It may have ended in this very moment.
                let _ = child.kill().and_then(|()| child.wait());
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_python_is_asked_about_its_packages_and_not_about_the_working_folder() {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python");
        // As the real one, in another working folder and with another place to import from.
        let script = "#!/bin/sh\ncd \"$(dirname \"$0\")/work\" && PYTHONPATH=$PWD/../packages exec python3 \"$@\"\n";
        fs::write(&python, script).unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        let package = |name: &str| {
            let package = folder.path().join(name).join("torch");
            fs::create_dir_all(&package).unwrap();
            fs::write(package.join("__init__.py"), "raise SystemExit('imported')").unwrap();
        };
        package("work");
        let of_work = folder.path().join("work/torch");
        assert_ne!(torch_of(&python), Some(of_work));
        package("packages");
        let found = torch_of(&python).expect("a python3, which `make test` installs");
        assert_eq!(
            found.canonicalize().unwrap(),
            folder.path().join("packages/torch").canonicalize().unwrap()
        );
    }

    #[test]
    fn without_an_answer_there_is_no_folder() {
        assert_eq!(torch_of(Path::new("/no/such/python")), None);
        assert_eq!(torch_of(Path::new("false")), None);
        assert_eq!(torch_of(Path::new("true")), None);
    }
}

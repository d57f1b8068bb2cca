//! Starts `kfood-worker` for a job: a process of its own, so that a crash, abort or out-of-memory kill of libtorch is a
//! failed stage with a clear message and never a lost runner, and device memory is free after each stage.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        OnceLock,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use super::libtorch::Libtorch;
use crate::{
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    native::{Listed, leave_teams_whole, shortage, start_child},
    record::Job,
    stage::Worker,
    stop::Stop,
    text::shown_path,
};

/// How often a request to stop is looked for.
const TICK: Duration = Duration::from_millis(50);
/// How long a worker may take to end after a request to stop, before it is killed.
const GRACE: Duration = Duration::from_secs(30);
/// Lines of the worker's standard error that are kept for the message of a crash.
const TAIL: usize = 12;

/// Starts the worker program that lies beside this one.
pub struct Process {
    program: PathBuf,
    /// Looked for once.
    libtorch: OnceLock<Libtorch>,
}

impl Process {
    /// The `kfood-worker` beside the running program, or the one that `KFOOD_WORKER` names.
    ///
    /// # Errors
    /// When the place of the running program is unknown.
    pub fn beside_this_program() -> Result<Self> {
        if let Some(program) = env::var_os("KFOOD_WORKER") {
            return Ok(Self::of(program.into()));
        }
        let this = env::current_exe()
            .map_err(|e| Error::failed("cannot find the running program").because(e))?;
        let name = format!("kfood-worker{}", env::consts::EXE_SUFFIX);
        Ok(Self::of(this.with_file_name(name)))
    }

    fn of(program: PathBuf) -> Self {
        Self {
            program,
            libtorch: OnceLock::new(),
        }
    }

    /// The libtorch that the worker is started with. A program without tensors has no worker to start.
    fn libtorch(&self) -> Result<Option<&Libtorch>> {
        if !cfg!(feature = "tensors") {
            return Ok(None);
        }
        match self.libtorch.get() {
            Some(found) => Ok(Some(found)),
            None => {
                let found = Libtorch::find()?;
                Ok(Some(self.libtorch.get_or_init(|| found)))
            }
        }
    }

    fn start(&self, job: &Path) -> Result<(Child, Listed)> {
        let mut command = Command::new(&self.program);
        command
            .arg(job)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C reaches the whole foreground group; the worker is told to stop by a line instead.
            .process_group(0);
        leave_teams_whole(&mut command);
        if let Some(libtorch) = self.libtorch()? {
            libtorch.lend(&mut command);
        }
        start_child(|| command.spawn()).map_err(|e| {
            Error::failed(format!("cannot start `{}`", shown_path(&self.program)))
                .because(e)
                .help("build both programs: `cargo build --release`")
        })
    }
}

/// What the reading threads hand over.
enum Heard {
    Event(StageEvent),
    Closed,
}

impl Worker for Process {
    fn run(&self, job: &Job, folder: &Path, tell: Tell<'_>, stop: &Stop) -> Result<()> {
        stop.check()?;
        let file = folder.join("job.json");
        files::write_json(&file, job)?;
        let (mut child, listed) = self.start(&file)?;
        let mut stdin = child.stdin.take();
        let (send, heard) = mpsc::channel();
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let (status, failure, tail) = thread::scope(|scope| {
            scope.spawn(move || stdout.map(|out| forward_events(out, &send)));
            let tail = scope.spawn(move || stderr.map(last_lines).unwrap_or_default());
            let failure = listen(&heard, &mut child, &mut stdin, tell, stop);
            // Once it was waited for, its number may be another's.
            drop(listed);
            let status = child.wait();
            (status, failure, tail.join().unwrap_or_default())
        });
        let status = status.map_err(|e| Error::io("wait for", &self.program, e))?;
        outcome(status, failure, &tail)
    }
}

/// Parses each line of the worker as an event; anything else is only of interest when looking for a fault.
fn forward_events(stdout: impl Read, send: &mpsc::Sender<Heard>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        match serde_json::from_str(&line) {
            Ok(event) => {
                if send.send(Heard::Event(event)).is_err() {
                    return;
                }
            }
            Err(_) => tracing::debug!(target: "worker", "{line}"),
        }
    }
    // The receiver may have gone already; then nobody needs to know.
    let _ = send.send(Heard::Closed);
}

fn last_lines(stderr: impl Read) -> Vec<String> {
    let mut tail = std::collections::VecDeque::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        tracing::debug!(target: "worker", "{line}");
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    }
    tail.into()
}

/// Tells events on until the worker closes its output; passes a request to stop on, and kills a worker that ignores it.
fn listen(
    heard: &mpsc::Receiver<Heard>,
    child: &mut Child,
    stdin: &mut Option<ChildStdin>,
    tell: Tell<'_>,
    stop: &Stop,
) -> Option<String> {
    let mut failure = None;
    let mut asked: Option<Instant> = None;
    loop {
        match heard.recv_timeout(TICK) {
            Ok(Heard::Event(StageEvent::Failed { message })) => failure = Some(message),
            Ok(Heard::Event(event)) => tell(event),
            Ok(Heard::Closed) | Err(RecvTimeoutError::Disconnected) => return failure,
            Err(RecvTimeoutError::Timeout) => {}
        }
        match asked {
            None if stop.requested() => {
                asked = Some(Instant::now());
                if let Some(pipe) = stdin.as_mut() {
                    // A worker that has just ended cannot be told, and need not be.
                    let _ = writeln!(pipe, "stop").and_then(|()| pipe.flush());
                }
            }
            Some(since) if since.elapsed() > GRACE => {
                // It may have ended in this very moment; the status says so then.
                let _ = child.kill();
            }
            _ => {}
        }
    }
}

const KILLED: &str = "was killed (signal 9)";
const ENDED: &str = "was told to end (signal 15)";
const CRASHED: &str = "crashed";

/// Whether an error of a worker says that the system killed it, as it does where memory runs out.
#[must_use]
pub fn was_killed(error: &Error) -> bool {
    error.message().contains(KILLED)
}

/// Whether an error is that of a worker that ended without a word of its own, as where the system killed it or it crashed: another try
/// may end otherwise. Not one that reached a limit that stays.
#[must_use]
pub fn has_died(error: &Error) -> bool {
    let dies = [KILLED, ENDED, CRASHED];
    let how = error.message().strip_prefix("`kfood-worker` ");
    how.is_some_and(|how| dies.iter().any(|dies| how.starts_with(dies)))
}

fn outcome(status: ExitStatus, failure: Option<String>, tail: &[String]) -> Result<()> {
    let said = failure.map(|message| match message.split_once("\nhelp: ") {
        Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
        None => (message, None),
    });
    let error = match (status.code(), said) {
        (Some(0), None) => return Ok(()),
        (Some(130), _) => return Err(Error::interrupted("interrupted")),
        (Some(2), Some((message, help))) => (Error::usage(message), help),
        (_, Some((message, help))) => (Error::failed(message), help),
        (_, None) => (crash(status, tail), None),
    };
    match error {
        (error, Some(help)) => Err(error.help(help)),
        (error, None) => Err(error),
    }
}

fn crash(status: ExitStatus, tail: &[String]) -> Error {
    if let Some(error) = shortage(&tail.join("\n")) {
        return error;
    }
    let what = match status.signal() {
        Some(9) => KILLED.to_owned(),
        Some(15) => ENDED.to_owned(),
        Some(24) => "was ended at its limit of CPU time (`ulimit -t`)".to_owned(),
        Some(signal) => format!("{CRASHED} (signal {signal})"),
        None => format!("ended with exit code {}", status.code().unwrap_or(-1)),
    };
    let mut message = format!("`kfood-worker` {what}");
    if !tail.is_empty() {
        message.push_str(&format!("; it last said:\n  {}", tail.join("\n  ")));
    }
    let error = Error::failed(message);
    if status.signal() == Some(9) {
        return error.help(
            "the system kills processes when memory runs out: try a smaller `batch_size` (with `accumulation_steps` for as many images in a step) or image size; finished epochs are kept",
        );
    }
    error.help("run again with `-v` for its whole output; finished epochs are kept")
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    /// Runs a shell script in the place of the worker.
    fn run(script: &str, stop: &Stop) -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("worker");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let job = Job::Doctor {
            out: folder.path().to_owned(),
        };
        Process::of(program).run(&job, folder.path(), &|_| {}, stop)
    }

    #[test]
    fn a_killed_worker_is_a_clear_message() {
        let error = run("kill -9 $$", &Stop::default()).unwrap_err();
        assert!(error.message().contains("was killed (signal 9)"));
        assert!(error.help_text().unwrap().contains("memory"));
    }

    #[test]
    fn a_crashed_worker_shows_what_it_last_said() {
        let error = run("echo 'out of luck' >&2; kill -6 $$", &Stop::default()).unwrap_err();
        assert_eq!(
            error.message(),
            "`kfood-worker` crashed (signal 6); it last said:\n  out of luck"
        );
    }

    #[test]
    fn the_worker_s_own_words_and_way_out_come_through() {
        let error = run(
            r#"echo '{"failed":{"message":"loss is NaN\\nhelp: lower `lr`"}}' | sed 's/\\\\n/\\n/'; exit 1"#,
            &Stop::default(),
        )
        .unwrap_err();
        assert_eq!(error.message(), "loss is NaN");
        assert_eq!(error.help_text(), Some("lower `lr`"));
    }

    #[test]
    fn a_request_to_stop_reaches_the_worker() {
        let stop = Stop::default();
        thread::scope(|scope| {
            let running = scope.spawn(|| run("read line; [ \"$line\" = stop ] && exit 130", &stop));
            thread::sleep(Duration::from_millis(200));
            stop.request();
            let error = running.join().unwrap().unwrap_err();
            assert_eq!(error.class(), crate::error::Class::Interrupted);
        });
    }
}

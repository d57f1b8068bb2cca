//! The programs of Slurm. Their answers explain; what holds is what jobs write down.

use std::{
    fmt::Write as _,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::states::{End, Queue, accounted};
use crate::{
    error::{Error, Result},
    files,
    settings::SlurmSettings,
    text::{for_a_shell, shown},
};

/// All jobs of this person, those that are just over too.
///
/// # Errors
/// When Slurm does not answer.
pub(super) fn squeue() -> Result<Queue> {
    let args = [
        "--me",
        "--array",
        "--states=all",
        "--noheader",
        "--format=%i|%j|%T|%r",
    ];
    let output = output(Command::new("squeue").args(args))?;
    Ok(Queue::parse(&output))
}

/// How a job ended that `squeue` has forgotten; `None` where no accounts are kept.
pub(super) fn sacct(job: &str) -> Option<End> {
    // Without a time it looks at today alone.
    let args = [
        "--noheader",
        "--parsable2",
        "--format=JobID,State",
        "--starttime=now-30days",
        "--jobs",
        job,
    ];
    let text = output(Command::new("sacct").args(args)).ok()?;
    accounted(&text, job)
}

/// Whether an error says that Slurm is there, and does not answer now.
pub(super) fn is_passing(error: &Error) -> bool {
    let text = error.to_string();
    let words = [
        "Unable to contact slurm controller",
        "Socket timed out",
        "temporarily unable",
        "Connection refused",
        "Zero Bytes were transmitted",
    ];
    words.iter().any(|words| text.contains(words))
}

/// Cancels jobs.
///
/// # Errors
/// When Slurm does not answer.
pub(super) fn scancel(jobs: &[String]) -> Result<()> {
    match jobs {
        [] => Ok(()),
        jobs => output(Command::new("scancel").args(jobs)).map(|_| ()),
    }
}

/// What is sent by one `sbatch`.
pub(super) struct Batch<'a> {
    pub(super) name: &'a str,
    /// The folder of its order.
    pub(super) folder: &'a Path,
    pub(super) settings: &'a SlurmSettings,
    pub(super) program: &'a Path,
    /// How many jobs.
    pub(super) jobs: usize,
}

impl Batch<'_> {
    /// Sends it; the numbers of its jobs. `lock` is held for as long as `sbatch` runs, even where this process is killed.
    ///
    /// # Errors
    /// When Slurm refuses it or does not answer.
    pub(super) fn send(&self, lock: &File) -> Result<Vec<String>> {
        let script = self.folder.join("script");
        files::publish(&script, self.script().as_bytes())?;
        let mut command = Command::new("sbatch");
        command.args(self.options()).arg(&script);
        if let Ok(held) = lock.try_clone() {
            command.stdin(Stdio::from(held));
        }
        let answer = output(&mut command)?;
        // `12`, or `12;cluster`.
        let number = answer.trim().split(';').next().unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!(
                "`sbatch` said `{}`, expected a number",
                shown(answer.trim())
            );
            return Err(Error::failed(message));
        }
        Ok(match self.jobs {
            1 => vec![number.to_owned()],
            several => (0..several).map(|i| format!("{number}_{i}")).collect(),
        })
    }

    fn options(&self) -> Vec<String> {
        let Self {
            settings, folder, ..
        } = self;
        // In a pattern of Slurm `%` is no plain sign.
        let plain = |path: PathBuf| path.display().to_string().replace('%', "%%");
        let log = match self.jobs {
            1 => plain(folder.join("log-0")),
            _ => format!("{}-%a", plain(folder.join("log"))),
        };
        let mut options = vec![
            "--parsable".to_owned(),
            // What became of a job is decided here, where the stage goes on.
            "--no-requeue".to_owned(),
            "--open-mode=append".to_owned(),
            format!("--job-name={}", self.name),
            format!("--output={log}"),
        ];
        if self.jobs > 1 {
            options.push(format!("--array=0-{}", self.jobs - 1));
        }
        let mut ask = |option: &str, value: Option<String>| {
            options.extend(value.map(|value| format!("--{option}={value}")));
        };
        let text = |text: &str| Some(text.to_owned());
        ask(
            "partition",
            settings.partition.as_ref().and_then(|p| text(p.as_str())),
        );
        ask(
            "account",
            settings.account.as_ref().and_then(|a| text(a.as_str())),
        );
        ask(
            "gres",
            settings
                .gpus
                .as_ref()
                .map(|g| format!("gpu:{}", g.as_str())),
        );
        ask(
            "cpus-per-task",
            settings.cpus.map(|cpus| cpus.get().to_string()),
        );
        ask(
            "mem",
            settings.memory.as_ref().and_then(|m| text(m.as_str())),
        );
        ask(
            "time",
            settings.time.as_ref().and_then(|t| text(t.as_str())),
        );
        options
    }

    fn script(&self) -> String {
        let settings = self.settings;
        // Modules are known to login shells.
        let login = if settings.modules.is_empty() {
            ""
        } else {
            " -l"
        };
        let mut text = format!("#!/bin/bash{login}\n");
        let (options, lines): (Vec<_>, Vec<_>) = settings
            .lines
            .iter()
            .partition(|line| line.starts_with("#SBATCH"));
        for line in options {
            let _ = writeln!(text, "{line}");
        }
        for module in &settings.modules {
            let _ = writeln!(text, "module load {}", module.as_str());
        }
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
        // The program takes the shell's place, so that signals reach it.
        let _ = writeln!(
            text,
            "exec {} job {} \"${{SLURM_ARRAY_TASK_ID:-0}}\"",
            for_a_shell(&self.program.display().to_string()),
            for_a_shell(&self.folder.display().to_string())
        );
        text
    }
}

/// What a program printed.
fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let silent = command.stderr(Stdio::piped());
    let Output {
        status,
        stdout,
        stderr,
    } = silent.output().map_err(|e| {
        Error::failed(format!("cannot start `{name}`"))
            .because(e)
            .help("run where Slurm's programs are, or with `--executor local`")
    })?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&stderr);
    let said: Vec<_> = said.lines().map(shown).collect();
    Err(Error::failed(format!(
        "`{name}` failed: {}",
        said.join("; ")
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn batch(settings: serde_json::Value, jobs: usize) -> (Vec<String>, String) {
        let settings: SlurmSettings = serde_json::from_value(settings).unwrap();
        let batch = Batch {
            name: "kfood-0123456789abcdef",
            folder: Path::new("/shared/it's 100%/jobs/kfood-0123456789abcdef"),
            settings: &settings,
            program: Path::new("/opt/kfood"),
            jobs,
        };
        (batch.options(), batch.script())
    }

    #[test]
    fn a_job_asks_for_what_the_settings_say() {
        let (options, script) = batch(
            json!({
                "partition": "gpu", "gpus": 2, "cpus": 8, "memory": "16G", "time": "4:00:00",
                "modules": ["cuda/13.0"], "lines": ["export X=1", "#SBATCH --constraint=a100"],
            }),
            12,
        );
        for option in [
            "--array=0-11",
            "--partition=gpu",
            "--gres=gpu:2",
            "--cpus-per-task=8",
            "--mem=16G",
            "--time=4:00:00",
            "--no-requeue",
            "--output=/shared/it's 100%%/jobs/kfood-0123456789abcdef/log-%a",
        ] {
            assert!(options.iter().any(|o| o == option), "{option}: {options:?}");
        }
        let expected = "#!/bin/bash -l\n#SBATCH --constraint=a100\nmodule load cuda/13.0\nexport X=1\n\
            exec '/opt/kfood' job '/shared/it'\\''s 100%/jobs/kfood-0123456789abcdef' \"${SLURM_ARRAY_TASK_ID:-0}\"\n";
        assert_eq!(script, expected);
    }

    #[test]
    fn what_is_not_set_is_left_to_slurm() {
        let (options, script) = batch(json!({}), 1);
        let more = ["--array", "--partition", "--gres", "--mem", "--time"];
        let asked = |option: &String| more.iter().any(|start| option.starts_with(start));
        assert!(!options.iter().any(asked), "{options:?}");
        assert!(script.starts_with("#!/bin/bash\nexec "), "{script}");
    }
}

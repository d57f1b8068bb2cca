//! A project in a temporary folder, and the program run in it as a person would.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use image::{Rgb, RgbImage};
use kfood::config::{self, Settings};
use tempfile::TempDir;

use crate::schema::refusals;

/// A project with a `pipelines` folder.
pub struct Project {
    folder: TempDir,
}

/// What a command gave.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("pipelines")).unwrap();
        Self { folder }
    }

    /// A project with a small data set: dishes of one colour each, and noise.
    pub fn with_dishes() -> Self {
        let project = Self::new();
        project.dishes("data/train", &["김밥", "비빔밥", "떡국_만두국"], 10);
        project.dishes("data/test", &["김밥", "비빔밥", "떡국_만두국"], 4);
        project
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Replaces text in a file; the text must be there.
    pub fn edit(&self, name: &str, from: &str, to: &str) -> &Self {
        let text = self.read(name);
        assert!(text.contains(from), "`{from}` is not in {name}:\n{text}");
        self.write(name, &text.replace(from, to))
    }

    /// `n` pictures of each class below a folder: a base colour for the class, and noise that differs from picture to picture.
    pub fn dishes(&self, folder: &str, classes: &[&str], n: u32) -> &Self {
        for (class, name) in classes.iter().enumerate() {
            for i in 0..n {
                self.picture(
                    &format!("{folder}/{name}/{i:03}.png"),
                    class as u32,
                    i + folder.len() as u32,
                );
            }
        }
        self
    }

    pub fn picture(&self, name: &str, class: u32, number: u32) -> &Self {
        let mut state = class
            .wrapping_mul(7919)
            .wrapping_add(number)
            .wrapping_mul(2_654_435_761)
            | 1;
        let image = RgbImage::from_fn(24 + number % 7, 20 + number % 5, |_, _| {
            let mut channel = |base: u32| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                (base + state % 60) as u8
            };
            Rgb([
                channel(60 * (class % 3)),
                channel(150 - 50 * (class % 3)),
                channel(40 + 30 * (class % 4)),
            ])
        });
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image.save(path).unwrap();
        self
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfood"));
        command.args(args);
        self.here(command)
    }

    /// The same command in the project, with none of the settings of who runs the tests.
    fn here(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env_remove("KFOOD_CACHE")
            // Pages are in the language of whoever makes them.
            .env_remove("LC_ALL")
            .env_remove("LC_MESSAGES")
            .env_remove("LANG")
            .env("XDG_CONFIG_HOME", self.path(".config"))
            .env_remove("RUST_LOG");
        command
    }

    /// Runs lines of a shell, for which the project is the home and `kfood` on the path.
    pub fn shell(&self, lines: &str) -> Ran {
        let program = Path::new(env!("CARGO_BIN_EXE_kfood"));
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", program.parent().unwrap().display());
        let mut shell = Command::new("sh");
        shell.args(["-ec", lines]).env("PATH", path);
        shell.env("HOME", self.path(""));
        Ran::of(self.here(shell).output().unwrap())
    }

    pub fn kfood(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    /// Starts the program and leaves it running.
    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs and expects success.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> Ran {
        self.kfood(args).ended(0, args)
    }

    /// Runs and expects this exit code.
    #[track_caller]
    pub fn fails(&self, code: i32, args: &[&str]) -> Ran {
        self.kfood(args).ended(code, args)
    }

    /// Runs with `--json` and parses standard output.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let ran = self.kfood(&[args, &["--json"]].concat());
        serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|e| panic!("kfood {args:?}: {e}\n{}\n{}", ran.stdout, ran.stderr))
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same, where the command of these arguments ended with this exit code.
    #[track_caller]
    pub fn ended(self, code: i32, args: &[&str]) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.code, code, "kfood {args:?}\n{stdout}\n{stderr}");
        self
    }
}

/// Ctrl-C, as a terminal sends it.
pub fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.unwrap().success());
}

/// The names of the commands that a help lists, without `help`.
pub fn commands_in(help: &str) -> Vec<&str> {
    let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let listed = listed.split("\nOptions:\n").next().unwrap_or_default();
    // A line that goes on is indented further.
    let lines = listed.lines().filter_map(|line| line.strip_prefix("  "));
    let names = lines.filter_map(|line| line.split(' ').next());
    names
        .filter(|name| !name.is_empty() && *name != "help")
        .collect()
}

/// Where pages are left for a browser to look at: below the folder that `KFOOD_PAGES` names, if it is set.
pub fn page_to_look_at(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("KFOOD_PAGES")?);
    fs::create_dir_all(&folder).unwrap();
    Some(folder.join(name))
}

/// The folder of the real photographs, which `KFOOD_REAL_DATA` names.
#[track_caller]
pub fn real_photographs() -> PathBuf {
    let folder = std::env::var_os("KFOOD_REAL_DATA").expect("set KFOOD_REAL_DATA to the folder");
    let folder = PathBuf::from(folder);
    assert!(
        folder.is_dir(),
        "KFOOD_REAL_DATA = {} is no folder",
        folder.display()
    );
    folder
}

/// What a pipeline text asks of the stage `id`, as a run is handed it. Settings that a test makes by hand may be ones that no text
/// asks for.
#[track_caller]
pub fn asked(text: &str, id: &str) -> Settings {
    let project = Project::new();
    project.write("pipelines/p.toml", text);
    let pipeline = config::load_with(&project.path("pipelines/p.toml"), &|_| None);
    let pipeline = pipeline.unwrap_or_else(|m| panic!("{}\n{text}", m.render()));
    assert_eq!(refusals(text), Vec::<String>::new(), "{text}");
    let mut instances = pipeline.instances.into_iter();
    instances.find(|i| i.id == id).unwrap().settings
}

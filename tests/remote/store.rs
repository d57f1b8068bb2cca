//! What holds for every store of objects, whichever language it speaks.

use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use super::{
    FILE, dishes, files, how_many, outputs,
    proxy::{Asked, Fault, Proxy},
};
use crate::support::{Project, Ran};

/// A kind of store: a place in it, and what a program needs to reach it behind a port.
pub(super) struct Store {
    pub(super) place: &'static str,
    pub(super) reach: fn(&mut Command, u16),
}

impl Store {
    /// The program with all that it needs for the store behind a port.
    pub(super) fn command(&self, project: &Project, port: u16, args: &[&str]) -> Command {
        let mut command = project.command(args);
        (self.reach)(&mut command, port);
        command
    }

    pub(super) fn ran(&self, project: &Project, port: u16, args: &[&str]) -> Ran {
        Ran::of(self.command(project, port, args).output().unwrap())
    }

    #[track_caller]
    pub(super) fn ok(&self, project: &Project, port: u16, args: &[&str]) -> Ran {
        self.ran(project, port, args).ended(0, args)
    }

    #[track_caller]
    pub(super) fn json(&self, project: &Project, port: u16, args: &[&str]) -> serde_json::Value {
        let ran = self.ok(project, port, &[args, &["--json"]].concat());
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// One pushes, another one fetches and gets the same, through a network; what is seen without it agrees.
    pub(super) fn serves_a_team(&self, network: u16, port: u16) {
        let place = self.place;
        let one = dishes();
        let ran = self.json(&one, network, &["run", FILE, "--remote", place]);
        assert_eq!(how_many(&ran, "ran"), 3, "{ran}");
        // All of it has arrived.
        let verified = self.ok(&one, port, &["cache", "verify", "--remote", place]);
        let verified = verified.stdout;
        assert!(verified.starts_with("3 sound"), "{verified}");
        let again = self.json(&one, network, &["cache", "push", place, FILE]);
        assert_eq!(
            (&again["there"], &again["objects"]),
            (&3.into(), &0.into()),
            "{again}"
        );

        let other = dishes();
        let plan = self.ran(&other, network, &["plan", FILE, "--remote", place]);
        assert!(plan.stdout.contains("3 to fetch"), "{}", plan.stdout);
        let fetched = self.json(&other, network, &["run", FILE, "--remote", place]);
        assert_eq!(how_many(&fetched, "fetched"), 3, "{fetched}");
        assert_eq!(outputs(&fetched), outputs(&ran));

        // The limits hold there as in a folder.
        let gc = ["cache", "gc", "--remote", place, "--max-size", "0"];
        let dry = self.json(&one, port, &[&gc[..], &["--dry-run"]].concat());
        let gone = self.json(&one, port, &gc);
        assert_eq!(
            (&dry["removed"], &dry["kept"]),
            (&gone["removed"], &gone["kept"])
        );
        assert_eq!(
            (&gone["kept"], &gone["pinned"]),
            (&3.into(), &3.into()),
            "{gone}"
        );
    }

    /// What arrives cut or flipped is told and made anew, and is nowhere afterwards.
    pub(super) fn gives_nothing_damaged(&self, port: u16) -> Project {
        let place = self.place;
        let one = dishes();
        let right = outputs(&self.json(&one, port, &["run", FILE, "--remote", place]));
        for folder in ["/objects/", "/results/"] {
            for fault in [Fault::Flipped, Fault::Short(100)] {
                let proxy = Proxy::new(port, move |asked: &Asked| {
                    let is_it = asked.method == "GET" && asked.path.contains(folder);
                    if is_it { fault } else { Fault::None }
                });
                let other = dishes();
                let args = ["run", FILE, "--remote", place, "--push", "never", "--json"];
                let ran = self.ok(&other, proxy.port, &args);
                let run = serde_json::from_str(&ran.stdout).unwrap();
                assert_eq!(outputs(&run), right, "{folder}");
                assert_eq!(how_many(&run, "ran"), 3, "{folder}: {}", ran.stderr);
                assert!(
                    ran.stderr.contains("so that it is not used"),
                    "{folder}: {}",
                    ran.stderr
                );
                other.ok(&["cache", "verify"]);
            }
        }
        one
    }

    /// A push of a large result that is killed goes on with the parts that have not arrived.
    pub(super) fn goes_on_with_an_upload(&self, port: u16) {
        let push = ["cache", "push", self.place, FILE];
        // Four parts of 8 MiB.
        let one = dishes();
        one.edit(FILE, "width = 32, height = 32", "width = 500, height = 500");
        one.ok(&["run", FILE]);
        let is_part = |asked: &Asked| asked.path.contains("partNumber=");
        let parts = Arc::new(AtomicUsize::new(0));
        let counted = parts.clone();
        let slow = Proxy::new(port, move |asked| {
            // Two arrive, of the others nothing is heard.
            let late = is_part(asked) && counted.fetch_add(1, Ordering::SeqCst) >= 2;
            if late { Fault::Held } else { Fault::None }
        });
        let mut pushing = self
            .command(&one, slow.port, &push)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let noted = || {
            // One upload; beside its note the one may lie that is to replace it.
            let notes = files(&one.path("cache/uploads")).into_iter();
            let notes = notes.filter(|(name, _)| !name.to_string_lossy().starts_with('.'));
            let arrived =
                notes.map(|(_, note)| String::from_utf8_lossy(&note).matches("\\\"").count());
            arrived.sum::<usize>() >= 4
        };
        while !(parts.load(Ordering::SeqCst) >= 4 && one.path("cache/uploads").is_dir() && noted())
        {
            assert!(begun.elapsed() < Duration::from_mins(2), "no part was sent");
            sleep(Duration::from_millis(50));
        }
        pushing.kill().unwrap();
        pushing.wait().unwrap();
        let good = Proxy::new(port, |_| Fault::None);
        self.ok(&one, good.port, &push);
        let sent = good.asked().iter().filter(|asked| is_part(asked)).count();
        assert_eq!(sent, 2, "{:?}", good.asked());
        assert!(files(&one.path("cache/uploads")).is_empty());
        let verified = self
            .ok(
                &one,
                good.port,
                &["cache", "verify", "--remote", self.place],
            )
            .stdout;
        assert!(verified.starts_with("3 sound"), "{verified}");
    }

    /// Pushing into what is not there, and pulling from it, are told with the way out: to make it, whatever it is called there.
    pub(super) fn asks_for(&self, called: &str, elsewhere: &str, full: &Project, port: u16) {
        for (project, what) in [(&dishes(), "pull"), (full, "push")] {
            let refused = self.ran(project, port, &["cache", what, elsewhere]);
            assert_eq!(refused.code, 1, "{what}: {}", refused.stdout);
            let (told, help) = (
                format!("in a {called} that is not there"),
                format!("help: make the {called}"),
            );
            assert!(
                refused.stderr.contains(&told) && refused.stderr.contains(&help),
                "{what}: {}",
                refused.stderr
            );
        }
    }
}

//! What holds for every store of objects, whichever language it speaks.

use std::process::Command;

use super::{
    FILE, dishes, how_many, outputs,
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

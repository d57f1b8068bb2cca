//! Random pipelines and random edits against an oracle that always computes everything, and `plan` against `run`.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
};

use kfood::{
    cache::Cache,
    event::Silent,
    exec::{self, Options, Outcome, Status},
};
use proptest::prelude::*;

use super::fake::{Fake, boxed, outputs, run_with, scratch};

#[derive(Clone, Debug)]
struct Plan {
    value: u64,
    modulo: u64,
    /// Of earlier stages, modulo their number; the flag chooses the output.
    reads: Vec<(usize, bool)>,
    files: bool,
}

#[derive(Clone, Debug)]
enum Edit {
    Nothing,
    Value(usize, u64),
    Write(usize, u8),
    WriteUnseen(usize, u8),
    RemoveFile(usize),
    Rename(usize),
    Reverse,
    Revert,
    Force(usize),
    Damage(usize),
    Forget(usize),
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let reads = prop::collection::vec((0_usize..8, any::<bool>()), 0..3);
    let plan = (0_u64..3, 1_u64..5, reads, any::<bool>());
    let plan = plan.prop_map(|(value, modulo, reads, files)| Plan {
        value,
        modulo,
        reads,
        files,
    });
    prop::collection::vec(plan, 1..8)
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        Just(Edit::Nothing),
        (0_usize..8, 0_u64..3).prop_map(|(i, v)| Edit::Value(i, v)),
        (0_usize..4, b'0'..b'4').prop_map(|(i, c)| Edit::Write(i, c)),
        (0_usize..4, b'0'..b'4').prop_map(|(i, c)| Edit::WriteUnseen(i, c)),
        (0_usize..4).prop_map(Edit::RemoveFile),
        (0_usize..8).prop_map(Edit::Rename),
        Just(Edit::Reverse),
        Just(Edit::Revert),
        (0_usize..8).prop_map(Edit::Force),
        (0_usize..8).prop_map(Edit::Damage),
        (0_usize..8).prop_map(Edit::Forget),
    ];
    prop::collection::vec(edit, 1..7)
}

struct World {
    folder: tempfile::TempDir,
    cache: Cache,
    plans: Vec<Plan>,
    names: Vec<String>,
    reversed: bool,
}

impl World {
    fn new(plans: Vec<Plan>) -> Self {
        let folder = scratch();
        let cache = Cache::open(&folder.path().join("cache")).unwrap();
        fs::create_dir(folder.path().join("images")).unwrap();
        let names = (0..plans.len()).map(|i| format!("s{i}")).collect();
        let world = Self {
            folder,
            cache,
            plans,
            names,
            reversed: false,
        };
        world.write_all();
        world
    }

    fn images(&self) -> PathBuf {
        self.folder.path().join("images")
    }

    fn image(&self, i: usize) -> PathBuf {
        self.images().join(format!("{i}.jpg"))
    }

    fn write_all(&self) {
        (0..4).for_each(|i| fs::write(self.image(i), "0").unwrap());
    }

    fn stages(&self) -> Vec<Fake> {
        let mut stages: Vec<_> = (0..self.plans.len())
            .map(|i| {
                let plan = &self.plans[i];
                let mut stage = Fake::new(&self.names[i], plan.value).modulo(plan.modulo);
                for (from, parity) in plan.reads.iter().filter(|_| i > 0) {
                    stage = stage.reads(
                        &self.names[from % i],
                        if *parity { "parity" } else { "sum" },
                    );
                }
                if plan.files {
                    stage.folder(&self.images())
                } else {
                    stage
                }
            })
            .collect();
        if self.reversed {
            stages.reverse();
        }
        stages
    }

    fn oracle(&self) -> BTreeMap<String, (Vec<u8>, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.images())
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        files.sort();
        let mut made: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (i, plan) in self.plans.iter().enumerate() {
            let from = |(from, parity): &(usize, bool)| {
                let (sum, odd) = &made[from % i];
                if *parity { odd.clone() } else { sum.clone() }
            };
            let mut inputs: Vec<_> = plan.reads.iter().filter(|_| i > 0).map(from).collect();
            for file in files.iter().filter(|_| plan.files) {
                inputs.push(
                    file.file_name()
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .as_bytes()
                        .to_vec(),
                );
                inputs.push(fs::read(file).unwrap());
            }
            made.push(outputs(plan.value, plan.modulo, &inputs));
        }
        self.names.iter().cloned().zip(made).collect()
    }

    /// Makes the edit; says which stage to force.
    fn edit(&mut self, edit: &Edit, first: &[Plan]) -> Vec<String> {
        let n = self.plans.len();
        let mut force = Vec::new();
        match *edit {
            Edit::Nothing => {}
            Edit::Value(i, value) => self.plans[i % n].value = value,
            Edit::Write(i, content) => fs::write(self.image(i), [content]).unwrap(),
            Edit::WriteUnseen(i, content) => write_unseen(&self.image(i), content),
            Edit::RemoveFile(i) => drop(fs::remove_file(self.image(i))),
            Edit::Rename(i) => self.names[i % n].push('x'),
            Edit::Reverse => self.reversed = !self.reversed,
            Edit::Revert => {
                self.plans = first.to_vec();
                self.write_all();
            }
            Edit::Force(i) => force.push(self.names[i % n].clone()),
            Edit::Damage(i) => self.with_entry(i, |entry| {
                let out = fs::read_dir(entry).unwrap().map(|e| e.unwrap().path());
                out.filter(|p| p.is_dir())
                    .for_each(|p| fs::write(p.join("sum"), "x").unwrap());
            }),
            Edit::Forget(i) => self.with_entry(i, |entry| fs::remove_dir_all(entry).unwrap()),
        }
        force
    }

    fn with_entry(&self, i: usize, act: impl Fn(&Path)) {
        let entries = self.cache.list();
        act(&self.cache.entry(&entries[i % entries.len()].key));
    }
}

fn write_unseen(path: &Path, content: u8) {
    let Ok(meta) = fs::metadata(path) else {
        return;
    };
    fs::write(path, [content]).unwrap();
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(meta.modified().unwrap())
        .unwrap();
}

/// Looks, runs, and compares: with the oracle, and what was said with what was done.
fn check(world: &World, force: Vec<String>, jobs: usize) -> Result<(), TestCaseError> {
    let stages = world.stages();
    let options = Options {
        jobs,
        force,
        ..Options::default()
    };
    let planned = exec::status(&boxed(&stages), &options, &world.cache, &Silent).unwrap();
    let summary = run_with(&stages, &world.cache, &options);
    prop_assert!(summary.succeeded(), "{:?}", summary.first_error());
    for (said, done) in planned.iter().zip(summary.stages()) {
        prop_assert_eq!(&said.id, &done.id);
        let came_true = match (&said.status, &done.outcome) {
            (Status::Cached { record }, Outcome::Cached) => {
                done.record.as_ref().unwrap().key == record.key
            }
            (Status::Run { key, .. }, Outcome::Ran) => done.record.as_ref().unwrap().key == *key,
            (Status::Waits { .. }, Outcome::Cached | Outcome::Ran) => true,
            _ => false,
        };
        prop_assert!(came_true, "said {said:?}, done {done:?}");
    }
    for (id, (sum, parity)) in world.oracle() {
        prop_assert_eq!(
            fs::read(summary.output(&id, "sum").unwrap()).unwrap(),
            sum,
            "{}",
            &id
        );
        prop_assert_eq!(
            fs::read(summary.output(&id, "parity").unwrap()).unwrap(),
            parity,
            "{}",
            &id
        );
    }
    let after = exec::status(&boxed(&stages), &Options::default(), &world.cache, &Silent).unwrap();
    prop_assert!(
        after
            .iter()
            .all(|s| matches!(s.status, Status::Cached { .. })),
        "{after:?}"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn results_equal_those_of_an_oracle_and_the_plan_comes_true(first in plans(), edits in edits(), jobs in 1_usize..4) {
        let mut world = World::new(first.clone());
        check(&world, Vec::new(), jobs)?;
        for edit in edits {
            let force = world.edit(&edit, &first);
            check(&world, force, jobs)?;
        }
    }
}

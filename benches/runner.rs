//! What the runner itself costs, with fake stages. Marks on two cores, page cache warm: no-op of 5 stages 20 ms, of 200
//! stages 50 ms; 33,593 files of 30 KB: first hash 1 s, no-op 150 ms, plan after one edit 200 ms.
//!
//! The files (1 GB) are made in the folder for temporary files, `TMPDIR`.

use std::{
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use kfood::{
    cache::Cache,
    error::{Error, Result},
    event::{Silent, Tell},
    exec::{self, Options, Outcome, Status},
    files::FileList,
    record::Job,
    stage::{Context, Input, Stage, Worker},
    stop::Stop,
};
use rayon::prelude::*;

const FILES: usize = 33_593;
const FOLDERS: usize = 42;
const BYTES: usize = 30 * 1024;

struct Fake {
    id: String,
    reads: Vec<String>,
    folder: Option<PathBuf>,
}

impl Stage for Fake {
    fn id(&self) -> &str {
        &self.id
    }
    fn kind(&self) -> &'static str {
        "fake"
    }
    fn version(&self) -> u32 {
        1
    }
    fn settings(&self) -> serde_json::Value {
        serde_json::json!({"name": self.id, "lr": 0.001, "epochs": 50, "batch_size": 32})
    }
    fn inputs(&self) -> Vec<Input> {
        let stages = self
            .reads
            .iter()
            .enumerate()
            .map(|(i, id)| Input::stage(i.to_string(), id, "out"));
        stages
            .chain(self.folder.iter().map(|_| Input::files("files")))
            .collect()
    }
    fn files(&self, _role: &str) -> Result<FileList> {
        list(self.folder.as_deref().unwrap_or(Path::new(".")))
    }
    fn outputs(&self) -> &'static [&'static str] {
        &["out"]
    }
    fn run(&self, context: &Context<'_>) -> Result<()> {
        kfood::files::write(&context.out.join("out"), self.id.as_bytes())
    }
}

/// The files in the folders of a folder, by name; folders are read in parallel.
fn list(root: &Path) -> Result<FileList> {
    let names = |folder: &Path| -> Result<Vec<String>> {
        let entries = fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))?;
        Ok(entries
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
            .collect())
    };
    let folders = names(root)?;
    let of = |folder: &String| names(&root.join(folder));
    let listed: Vec<Vec<String>> = folders.par_iter().map(of).collect::<Result<_>>()?;
    let mut files = FileList::default();
    for (folder, names) in folders.iter().zip(listed) {
        let path = root.join(folder);
        for name in names {
            files.push(&format!("{folder}/{name}"), &path.join(&name));
        }
    }
    files.sort();
    Ok(files)
}

struct NoWorker;

impl Worker for NoWorker {
    fn run(&self, _: &Job, _: &Path, _: Tell<'_>, _: &Stop) -> Result<()> {
        Err(Error::failed("no worker here"))
    }
}

fn stage(id: String, reads: &[&str]) -> Box<dyn Stage> {
    let reads = reads.iter().map(|r| (*r).to_owned()).collect();
    Box::new(Fake {
        id,
        reads,
        folder: None,
    })
}

fn chain() -> Vec<Box<dyn Stage>> {
    let names = ["dataset", "split", "preprocess", "train", "evaluate"];
    let before = |i: usize| names[..i].last().copied();
    (0..5)
        .map(|i| stage(names[i].to_owned(), before(i).as_slice()))
        .collect()
}

/// One source, 99 branches of two stages, one stage that reads them all.
fn wide() -> Vec<Box<dyn Stage>> {
    let mut stages = vec![stage("source".to_owned(), &[])];
    for i in 0..99 {
        stages.push(stage(format!("prepare{i}"), &["source"]));
        stages.push(stage(format!("train{i}"), &[&format!("prepare{i}")]));
    }
    let ends: Vec<_> = (0..99).map(|i| format!("train{i}")).collect();
    stages.push(stage(
        "all".to_owned(),
        &ends.iter().map(String::as_str).collect::<Vec<_>>(),
    ));
    stages
}

/// Opens the cache and runs, as a process does; says how many stages ran.
fn run(stages: &[Box<dyn Stage>], cache: &Path) -> usize {
    let done = Cache::open(cache).and_then(|cache| {
        exec::run(
            stages,
            &Options::default(),
            &cache,
            &NoWorker,
            &Silent,
            &Stop::default(),
        )
    });
    let done = done.unwrap_or_else(|e| panic!("{e}"));
    done.stages()
        .iter()
        .filter(|s| matches!(s.outcome, Outcome::Ran))
        .count()
}

fn pipelines(c: &mut Criterion) {
    for (name, stages) in [
        ("no-op of 5 stages", chain()),
        ("no-op of 200 stages", wide()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(run(&stages, folder.path()), stages.len());
        c.bench_function(name, |b| {
            b.iter(|| assert_eq!(run(&stages, folder.path()), 0));
        });
    }
}

fn files(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    (0..FOLDERS).for_each(|i| fs::create_dir_all(data.join(format!("class{i:02}"))).unwrap());
    let path = |i: usize| data.join(format!("class{:02}/{i:06}.jpg", i % FOLDERS));
    (0..FILES).into_par_iter().for_each(|i| {
        let mut bytes = vec![(i % 251) as u8; BYTES];
        bytes[..8].copy_from_slice(&(i as u64).to_le_bytes());
        fs::write(path(i), bytes).unwrap();
    });
    thread::sleep(Duration::from_secs(3)); // Younger files are not remembered.
    let stages: Vec<Box<dyn Stage>> = vec![Box::new(Fake {
        id: "data".to_owned(),
        reads: vec![],
        folder: Some(data.clone()),
    })];
    let mut group = c.benchmark_group("33593 files");
    group.sample_size(10);
    let count = std::cell::Cell::new(0);
    let fresh = || {
        count.set(count.get() + 1);
        folder.path().join(format!("fresh{}", count.get()))
    };
    let plan = |cache: &Path| {
        let cache = Cache::open(cache).unwrap_or_else(|e| panic!("{e}"));
        exec::status(&stages, &Options::default(), &cache, &Silent)
            .unwrap_or_else(|e| panic!("{e}"))
    };
    group.bench_function("first hash", |b| {
        b.iter_batched(
            fresh,
            |cache| black_box(plan(&cache)),
            BatchSize::PerIteration,
        );
    });
    let cache = folder.path().join("cache");
    assert_eq!(run(&stages, &cache), 1);
    group.bench_function("no-op", |b| b.iter(|| assert_eq!(run(&stages, &cache), 0)));
    fs::write(path(17), vec![9; BYTES]).unwrap();
    group.bench_function("plan after one edit", |b| {
        b.iter(|| {
            let statuses = plan(&cache);
            assert!(matches!(&statuses[0].status, Status::Run { reasons, .. } if reasons[0].to_string().contains("000017.jpg")));
        });
    });
    group.finish();
}

criterion_group!(benches, pipelines, files);
criterion_main!(benches);

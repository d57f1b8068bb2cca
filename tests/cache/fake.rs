//! Fake stages for tests of the engine: pure functions of settings and inputs, fast, and at will disobedient.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use kfood::{
    cache::Cache,
    error::{Error, Result},
    event::{Event, Observer, Silent, StageEvent, Tell},
    exec::{self, Options, Status, Summary},
    files::FileList,
    name,
    record::Job,
    stage::{Context, DigestedFiles, Input, Resource, Reuse, Stage, Worker},
    stop::Stop,
};

type Act = Arc<dyn Fn(&Context<'_>) -> Result<()> + Send + Sync>;

/// Adds up its inputs and its value; `modulo` makes outputs repeat. Writes the outputs `sum` and `parity`.
#[derive(Clone)]
pub(super) struct Fake {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) version: u32,
    pub(super) settings: serde_json::Value,
    pub(super) value: u64,
    pub(super) modulo: u64,
    /// Role, id, output.
    pub(super) reads: Vec<(String, String, String)>,
    pub(super) folder: Option<PathBuf>,
    pub(super) resource: Resource,
    /// Whether it is handed earlier results.
    pub(super) reuses: Reuse,
    /// Done before the outputs are written.
    pub(super) act: Option<Act>,
    /// The ids of stages that ran, in order.
    pub(super) log: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    pub(super) fn new(id: &str, value: u64) -> Self {
        Self {
            id: id.to_owned(),
            kind: "fake",
            version: 1,
            settings: serde_json::json!({}),
            value,
            modulo: 1000,
            reads: Vec::new(),
            folder: None,
            resource: Resource::Cpu,
            reuses: Reuse::Nothing,
            act: None,
            log: Arc::default(),
        }
    }

    pub(super) fn reads(mut self, id: &str, output: &str) -> Self {
        let role = format!("input{}", self.reads.len());
        self.reads.push((role, id.to_owned(), output.to_owned()));
        self
    }

    pub(super) fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    pub(super) fn modulo(mut self, modulo: u64) -> Self {
        self.modulo = modulo;
        self
    }

    pub(super) fn acts(
        mut self,
        act: impl Fn(&Context<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.act = Some(Arc::new(act));
        self
    }

    pub(super) fn boxed(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

/// The outputs of a fake stage for these inputs; also the oracle's.
pub(super) fn outputs(value: u64, modulo: u64, inputs: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>) {
    let mut sum = value;
    for input in inputs {
        sum = input.iter().fold(sum.wrapping_mul(31), |sum, b| {
            sum.wrapping_mul(7).wrapping_add(u64::from(*b))
        });
    }
    let sum = sum % modulo;
    (
        format!("{sum}\n").into_bytes(),
        format!("{}\n", sum % 2).into_bytes(),
    )
}

impl Stage for Fake {
    fn id(&self) -> &str {
        &self.id
    }
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn version(&self) -> u32 {
        self.version
    }
    fn settings(&self) -> serde_json::Value {
        let mut settings = self.settings.clone();
        settings["value"] = self.value.into();
        settings["modulo"] = self.modulo.into();
        settings
    }
    fn inputs(&self) -> Vec<Input> {
        let files = self.folder.as_ref().map(|_| Input::files("images"));
        let stages = self
            .reads
            .iter()
            .map(|(role, id, output)| Input::stage(role, id, output));
        stages.chain(files).collect()
    }
    fn files(&self, _role: &str) -> Result<FileList> {
        let folder = self.folder.as_ref().expect("asked only with a folder");
        let entries = fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))?;
        let mut files: FileList = entries
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = name::nfc(path.file_name().unwrap().to_str().unwrap());
                (name, path)
            })
            .collect();
        files.sort();
        Ok(files)
    }
    fn outputs(&self) -> &'static [&'static str] {
        &["sum", "parity"]
    }
    fn reuses(&self) -> Reuse {
        self.reuses
    }
    fn resource(&self) -> Resource {
        self.resource
    }
    fn run(&self, context: &Context<'_>) -> Result<()> {
        self.log.lock().unwrap().push(self.id.clone());
        if let Some(act) = &self.act {
            act(context)?;
        }
        let mut inputs: Vec<Vec<u8>> = self
            .reads
            .iter()
            .map(|(role, ..)| fs::read(&context.inputs[role]).unwrap())
            .collect();
        for file in context.files.values().flat_map(DigestedFiles::iter) {
            inputs.push(file.file.name().into_bytes());
            inputs.push(fs::read(file.file.path()).unwrap());
        }
        let (sum, parity) = outputs(self.value, self.modulo, &inputs);
        fs::write(context.out.join("sum"), sum).unwrap();
        fs::write(context.out.join("parity"), parity).unwrap();
        fs::write(context.out.join("timing.json"), "{}").unwrap();
        Ok(())
    }
}

/// For stages that need no worker.
pub(super) struct NoWorker;

impl Worker for NoWorker {
    fn run(&self, _: &Job, _: &Path, _: Tell<'_>, _: &Stop) -> Result<()> {
        Err(Error::failed("no worker in this test"))
    }
}

/// Remembers what it heard.
#[derive(Default)]
pub(super) struct Heard(pub(super) Mutex<Vec<(String, StageEvent)>>);

impl Observer for Heard {
    fn observe(&self, event: &Event) {
        if let Event::Stage { id, event } = event {
            self.0.lock().unwrap().push((id.clone(), event.clone()));
        }
    }
}

impl Heard {
    pub(super) fn warnings(&self) -> Vec<String> {
        let heard = self.0.lock().unwrap();
        heard
            .iter()
            .filter_map(|(_, e)| match e {
                StageEvent::Warning(text) => Some(text.clone()),
                _ => None,
            })
            .collect()
    }
}

/// A temporary folder where syncing costs nothing, if the machine has one.
pub(super) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

pub(super) fn boxed(stages: &[Fake]) -> Vec<Box<dyn Stage>> {
    stages.iter().map(Fake::boxed).collect()
}

pub(super) fn run(stages: &[Fake], cache: &Cache) -> Summary {
    run_with(stages, cache, &Options::default())
}

pub(super) fn run_with(stages: &[Fake], cache: &Cache, options: &Options) -> Summary {
    exec::run(
        &boxed(stages),
        options,
        cache,
        &NoWorker,
        &Silent,
        &Stop::default(),
    )
    .unwrap()
}

/// Each stage with `cached`, `run: …` or `waits: …`.
pub(super) fn status(stages: &[Fake], cache: &Cache) -> BTreeMap<String, String> {
    let statuses = exec::status(&boxed(stages), &Options::default(), cache, &Silent).unwrap();
    let word = |status: Status| match status {
        Status::Cached { .. } => "cached".to_owned(),
        Status::Run { reasons, .. } => {
            let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
            format!("run: {}", reasons.join("; "))
        }
        Status::Afar { .. } => "fetch".to_owned(),
        Status::Waits { on, .. } => format!("waits: {}", on.join(", ")),
    };
    statuses
        .into_iter()
        .map(|s| (s.id, word(s.status)))
        .collect()
}

/// The ids that ran since the last call.
pub(super) fn ran(stages: &[Fake]) -> Vec<String> {
    let mut all: Vec<String> = stages
        .iter()
        .flat_map(|s| std::mem::take(&mut *s.log.lock().unwrap()))
        .collect();
    all.sort();
    all
}

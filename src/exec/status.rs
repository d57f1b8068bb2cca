//! What a run would do, and why.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use super::{
    asked::{Asked, Needed},
    executor::teller,
    gather::{Gathered, gather},
    made_for::Files,
    near::{Near, as_written, in_words, on_disk},
    options::Options,
    present::present,
    team::Team,
};
use crate::{
    cache::{Cache, Changes, Found, Hold, KeyDocument, Listing, Reason, Record, Records, reasons},
    digest::Digest,
    error::{Error, Result},
    event::{Ahead, Event, Observer},
    plan::Graph,
    stage::{Reuse, Stage, TakesOver},
    stop::Stop,
};

/// The state of one stage instance before a run.
#[derive(Clone, Debug)]
pub struct StageStatus {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: &'static str,
    /// What a run would do with it.
    pub status: Status,
}

/// What a run would do with a stage.
#[derive(Clone, Debug)]
pub enum Status {
    /// Nothing: its result is there.
    Cached {
        /// The result.
        record: Box<Record>,
    },
    /// Fetch its result from the remote cache; where that turns out to be damaged, run it.
    Afar {
        /// As the remote cache has it.
        record: Box<Record>,
    },
    /// Run it.
    Run {
        /// Its key.
        key: Digest,
        /// Why; never empty.
        reasons: Vec<Reason>,
        /// From the nearest earlier run.
        estimate: Option<Estimate>,
    },
    /// That depends on what other stages will give.
    Waits {
        /// Those of them that it reads from, or that does the same work first.
        on: Vec<String>,
        /// From the last run of this stage.
        estimate: Option<Estimate>,
    },
}

/// What a run will cost, going by an earlier one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Wall time in seconds.
    pub seconds: f64,
    /// Outputs in bytes.
    pub bytes: u64,
}

/// Says for each stage that the targets of `options` need, in order, what a run with them would do.
///
/// # Errors
/// When the graph is wrong, a name is no stage, or outside files cannot be read.
pub fn status(
    stages: &[Box<dyn Stage>],
    options: &Options,
    cache: &Cache,
    observer: &dyn Observer,
) -> Result<Vec<StageStatus>> {
    let graph = Graph::new(stages)?;
    let survey = Survey::make(stages, &graph, options, cache, None, observer)?;
    Ok(survey.into_statuses(stages))
}

/// A look at all needed stages, and what a run goes on from.
pub(super) struct Survey<'a> {
    /// Needed stages in order.
    pub(super) order: Vec<usize>,
    /// By stage; `None` for stages that are not needed.
    pub(super) status: Vec<Option<Status>>,
    /// Stages that shall run in any case.
    pub(super) forced: BTreeSet<usize>,
    /// Keys that a stage is said to run for.
    pub(super) promised: HashMap<Digest, usize>,
    pub(super) cache: &'a Cache,
    pipeline: Option<&'a str>,
    team: Option<&'a Team>,
    /// The device that stages with tensors would use.
    device: &'a str,
    earlier: OnceLock<Records>,
    /// What the pipeline files of earlier results are to this one.
    files: OnceLock<Files>,
    /// The names of all stages of this pipeline.
    ids: HashSet<String>,
}

impl<'a> Survey<'a> {
    pub(super) fn make(
        stages: &[Box<dyn Stage>],
        graph: &Graph,
        options: &'a Options,
        cache: &'a Cache,
        of_run: Option<(&Hold, &Stop)>,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let mut forced = BTreeSet::new();
        for name in &options.force {
            forced.extend(graph.named(name)?);
        }
        let mut survey = Self {
            order: graph.needed(&options.targets)?,
            status: stages.iter().map(|_| None).collect(),
            forced,
            promised: HashMap::new(),
            cache,
            pipeline: options.pipeline.as_deref(),
            team: options.team.as_ref(),
            device: options.devices.first().unwrap_or(&options.device),
            earlier: OnceLock::new(),
            files: OnceLock::new(),
            ids: stages.iter().map(|stage| stage.id().to_owned()).collect(),
        };
        if let Some(&stage) = survey.forced.iter().find(|s| !survey.order.contains(s)) {
            let message = format!(
                "`--force {}` is not among the stages to run",
                stages[stage].id()
            );
            let help = "name it as a stage to run too, or leave the stages out";
            return Err(Error::usage(message).help(help));
        }
        observer.observe(&Event::Planned {
            stages: survey.order.len(),
        });
        let numbers: HashMap<_, _> = stages
            .iter()
            .enumerate()
            .map(|(i, s)| (s.id(), i))
            .collect();
        let nobody = Stop::default();
        let stop = of_run.map_or(&nobody, |(_, stop)| stop);
        let mut asked = survey.ask(stages, graph, stop, observer);
        // What a person has to put somewhere is told for all stages at once.
        let mut misplaced = Vec::new();
        for index in survey.order.clone() {
            let stage = stages[index].as_ref();
            let open: Vec<_> = graph
                .upstream(index)
                .into_iter()
                .filter(|&above| survey.record(above).is_none())
                .map(|above| stages[above].id().to_owned())
                .collect();
            let status = match (open.is_empty(), of_run) {
                (true, _) => survey.look(index, &numbers, stages, of_run, &mut asked, observer),
                (false, None) => Ok(survey.waits(open, stage)),
                (false, Some(_)) => present(stage).map(|()| survey.waits(open, stage)),
            };
            match status {
                Ok(status) => survey.status[index] = Some(status),
                Err(error) if error.is_placed() => misplaced.push(error),
                Err(error) => return Err(error),
            }
        }
        Error::joined(misplaced).map_or(Ok(survey), Err)
    }

    /// What the remote cache has for all stages that can be asked for, where there is one.
    fn ask(
        &self,
        stages: &[Box<dyn Stage>],
        graph: &Graph,
        stop: &Stop,
        observer: &dyn Observer,
    ) -> Asked {
        let needed = Needed {
            stages,
            graph,
            order: &self.order,
            forced: &self.forced,
            cache: self.cache,
        };
        let asked = self
            .team
            .map(|team| Asked::make(&needed, team, stop, observer));
        asked.unwrap_or_default()
    }

    fn look(
        &mut self,
        index: usize,
        numbers: &HashMap<&str, usize>,
        stages: &[Box<dyn Stage>],
        of_run: Option<(&Hold, &Stop)>,
        asked: &mut Asked,
        observer: &dyn Observer,
    ) -> Result<Status> {
        let stage = stages[index].as_ref();
        let id = stage.id();
        let tell = teller(stage, observer);
        let record = |id: &str| self.record(*numbers.get(id)?);
        let gathered = match asked.gathered(index, stage, record) {
            Some(gathered) => gathered,
            None => {
                let nobody = Stop::default();
                let stop = of_run.map_or(&nobody, |(_, stop)| stop);
                gather(stage, self.cache, record, stop, &tell)
                    .map_err(|e| e.within(&format!("stage `{id}`")))?
            }
        };
        if let Some(&first) = self.promised.get(&gathered.key) {
            return Ok(self.waits(vec![stages[first].id().to_owned()], stage));
        }
        let found = match of_run {
            Some((hold, _)) => self.cache.find_and_hold(&gathered.key, hold, &tell)?,
            None => self.cache.find(&gathered.key, &tell),
        };
        let hit = matches!(found, Found::Hit(_));
        tracing::info!(
            "{id} has the key {}: {}",
            gathered.key,
            if hit { "cached" } else { "to run" }
        );
        let forced = self.forced.contains(&index);
        if let Found::Hit(record) = found {
            if !forced {
                return Ok(Status::Cached { record });
            }
            self.promised.insert(gathered.key, index);
            return Ok(self.done_anew(&record, stage));
        }
        if let Some(team) = self.team.filter(|_| !forced)
            && let Some(remote) = team.remote()
        {
            let answer = asked.answer(&gathered.key);
            let answer = answer.unwrap_or_else(|| remote.find(&gathered.key));
            if let Some(record) = team.answered(answer, &tell)? {
                return Ok(Status::Afar { record });
            }
        }
        self.promised.insert(gathered.key, index);
        let (reasons, estimate) = self.explain(&gathered, &found, forced, stage);
        Ok(Status::Run {
            key: gathered.key,
            reasons,
            estimate,
        })
    }

    /// A result that is there and that is asked for anew.
    fn done_anew(&self, record: &Record, stage: &dyn Stage) -> Status {
        let (now, state) = (BTreeMap::new(), Path::new(""));
        Status::Run {
            key: record.key,
            reasons: vec![Reason::Forced],
            estimate: self.estimates(Some(record), stage, &now, &[], state),
        }
    }

    /// Whether a result was made on the kind of device that is asked for, so that its time tells something. What `auto` finds is not
    /// known before libtorch is there.
    fn on_its_device(&self, record: &Record) -> bool {
        let Some(made_on) = record.fingerprint.as_ref() else {
            return true;
        };
        match self.device {
            "auto" => true,
            asked => (asked == "cpu") == (made_on.device == "cpu"),
        }
    }

    /// Why a stage runs that is not in the cache, and what that costs. Compares with what was there before the run.
    pub(super) fn explain(
        &self,
        gathered: &Gathered,
        found: &Found,
        forced: bool,
        stage: &dyn Stage,
    ) -> (Vec<Reason>, Option<Estimate>) {
        let earlier = self.earlier();
        let near = earlier.nearest(&gathered.document, stage.id(), self.pipeline);
        let of = || Files::of(earlier, self.pipeline, &self.ids);
        let files = self.files.get_or_init(of);
        let own = files.earlier_state(earlier, &gathered.document, stage.id());
        let state = self.cache.attempt_state(&gathered.key);
        let reused = match forced {
            true => Vec::new(),
            false => self.reused(&gathered.document, stage),
        };
        let estimate = self.estimates(near, stage, &gathered.paths, &reused, &state);
        let mut why = match found {
            Found::Damaged(what) => vec![Reason::Damaged(what.clone())],
            _ => {
                let found = reasons(own, &gathered.document, &|earlier, role| {
                    let now = gathered.files.get(role)?;
                    let listed = now.iter().map(|f| (f.file.name(), f.digest));
                    let listed: Listing = listed.collect();
                    let before = self.cache.listing(earlier, role)?;
                    let changes = Changes::between(&before, &listed);
                    (!changes.is_empty()).then(|| on_disk(changes, now.list()))
                });
                let before = own.map(|own| Near::of(self, own, true, stage));
                let inner = before.map(|near| near.before).unwrap_or_default();
                let word = |reason| in_words(reason, stage, &inner, &gathered.paths);
                as_written(found, stage).into_iter().map(word).collect()
            }
        };
        if forced || why.is_empty() {
            why.push(if forced {
                Reason::Forced
            } else {
                Reason::Damaged("its result is no longer in the cache".to_owned())
            });
        }
        let left = stage.resumes(&self.cache.attempt_state(&gathered.key));
        if left.is_none() && !forced {
            why.extend(self.takes_over(gathered, stage).map(Reason::Earlier));
        }
        why.extend(left.map(Reason::Earlier));
        (why, estimate)
    }

    /// What a stage takes over from an earlier result, or why nothing, where it says.
    fn takes_over(&self, gathered: &Gathered, stage: &dyn Stage) -> Option<String> {
        let reuse = stage.reuses();
        if reuse == Reuse::Nothing {
            return None;
        }
        let folders = self.reused(&gathered.document, stage);
        let said = folders.iter().filter_map(|f| stage.takes_over(f));
        let best = said.reduce(|a, b| match (&a, &b) {
            (TakesOver::From { rank: one, .. }, TakesOver::From { rank: other, .. })
                if other > one =>
            {
                b
            }
            (TakesOver::Nothing(_), TakesOver::From { .. }) => b,
            _ => a,
        });
        best.map(|best| match best {
            TakesOver::From { what, .. } | TakesOver::Nothing(what) => what,
        })
    }

    /// The folders of the earlier results that a stage would take work over from.
    fn reused(&self, document: &KeyDocument, stage: &dyn Stage) -> Vec<PathBuf> {
        match stage.reuses() {
            Reuse::Nothing => Vec::new(),
            reuse => self.cache.earlier_of(self.earlier(), document, reuse),
        }
    }

    fn waits(&self, on: Vec<String>, stage: &dyn Stage) -> Status {
        let mut last = self.earlier().of_stage(stage.id());
        let last = last.find(|r| r.document.kind == stage.kind());
        let nothing = Path::new("");
        Status::Waits {
            on,
            estimate: self.estimates(last, stage, &BTreeMap::new(), &[], nothing),
        }
    }

    /// What a run would cost by the nearest earlier result, else by the newest of its kind that tells.
    fn estimates(
        &self,
        near: Option<&Record>,
        stage: &dyn Stage,
        now: &BTreeMap<String, PathBuf>,
        reused: &[PathBuf],
        state: &Path,
    ) -> Option<Estimate> {
        let of = |record: &Record, own| {
            let near = Near::of(self, record, own, stage);
            let same = self.on_its_device(record);
            same.then(|| near.estimate(stage, now, reused, state))?
        };
        near.and_then(|near| of(near, true)).or_else(|| {
            let mut others = self.earlier().of_kind(stage.kind());
            others.find_map(|record| of(record, false))
        })
    }

    pub(super) fn earlier(&self) -> &Records {
        self.earlier
            .get_or_init(|| Records::of(self.cache.records()))
    }

    fn record(&self, index: usize) -> Option<&Record> {
        match self.status[index].as_ref()? {
            Status::Cached { record } | Status::Afar { record } => Some(record),
            Status::Run { .. } | Status::Waits { .. } => None,
        }
    }

    /// What a run is to do, stage by stage.
    pub(super) fn ahead(&self, stages: &[Box<dyn Stage>]) -> Vec<Ahead> {
        let of = |&index: &usize| {
            let (cached, estimate) = match self.status[index].as_ref()? {
                Status::Cached { .. } => (true, None),
                // What it takes depends on the way to it, and is little beside the work.
                Status::Afar { .. } => {
                    return Some(Ahead {
                        id: stages[index].id().to_owned(),
                        cached: false,
                        seconds: Some(0.0),
                    });
                }
                Status::Run { estimate, .. } | Status::Waits { estimate, .. } => (false, *estimate),
            };
            Some(Ahead {
                id: stages[index].id().to_owned(),
                cached,
                seconds: estimate.map(|estimate| estimate.seconds),
            })
        };
        self.order.iter().filter_map(of).collect()
    }

    fn into_statuses(mut self, stages: &[Box<dyn Stage>]) -> Vec<StageStatus> {
        let order = std::mem::take(&mut self.order);
        let of = |index: usize| {
            let stage = &stages[index];
            let status = self.status[index].take()?;
            Some(StageStatus {
                id: stage.id().to_owned(),
                kind: stage.kind(),
                status,
            })
        };
        order.into_iter().filter_map(of).collect()
    }
}

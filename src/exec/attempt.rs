//! Running one stage: lock, look again, run, check the inputs again, publish.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use super::{
    executor::Task, gather::Gathered, options::Options, run::Surroundings, summary::Outcome,
    team::Wanted, untouched::Untouched, worker::has_died,
};
use crate::{
    cache::{Attempt, Cache, Found, Lock, NotFetched, Output, Reason, Record},
    error::{Class, Error, Result},
    event::{StageEvent, Tell},
    files,
    record::Fingerprint,
    stage::{Context, Desk, Reuse, Stage},
    text::bytes,
};

/// A stage that is done.
pub(super) struct Done {
    pub(super) record: Box<Record>,
    pub(super) way: Way,
}

/// How a result came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It was there already.
    Cached,
    /// From the remote cache.
    Fetched,
    /// By work.
    Ran,
}

impl Way {
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Cached => Outcome::Cached,
            Self::Fetched => Outcome::Fetched,
            Self::Ran => Outcome::Ran,
        }
    }

    /// What is told of a result that is there.
    pub(super) fn told(self, record: &Record) -> StageEvent {
        let seconds = record.seconds;
        match self {
            Self::Fetched => StageEvent::Fetched {
                bytes: record.bytes(),
                seconds,
            },
            Self::Cached | Self::Ran => StageEvent::Finished {
                cached: self == Self::Cached,
                seconds,
            },
        }
    }
}

/// Makes the result of one stage, or takes it from another process that made it meanwhile.
pub(super) fn perform(task: &Task<'_>, around: &Surroundings<'_>, tell: Tell<'_>) -> Result<Done> {
    let Task {
        stage,
        gathered,
        forced,
        reason,
        afar,
        ..
    } = task;
    let (stage, forced, afar, reason) = (*stage, *forced, *afar, reason.clone());
    let Surroundings {
        cache, hold, stop, ..
    } = around;
    let lock = cache.lock(&gathered.key, stop, || tell(StageEvent::Waiting))?;
    let found = cache.find_and_hold(&gathered.key, hold, &|_| {})?;
    // Without a whole entry nobody reads what lies there; with one, others may until gc.
    let replace = !matches!(found, Found::Hit(_));
    if let Found::Hit(record) = found
        && !forced
    {
        let way = Way::Cached;
        return Ok(Done { record, way });
    }
    stop.check()?;
    let reason = match fetched(stage, gathered, forced, &lock, around, tell)? {
        Ok(record) => {
            let way = Way::Fetched;
            return Ok(Done { record, way });
        }
        // Only where it was said to be there is it a reason.
        Err(why) => why
            .filter(|_| afar)
            .map_or(reason, |why| Reason::NotFetched(why).to_string()),
    };
    tracing::info!("{} runs, with the key {}", stage.id(), gathered.key);
    tell(StageEvent::Started { reason });
    let attempt = cache.attempt(&gathered.key)?;
    let made = record(stage, gathered, &attempt, forced, around, tell).and_then(|mut record| {
        let listings = gathered.files.iter();
        let listings: Vec<_> = listings.map(|(r, f)| (r.clone(), f)).collect();
        cache.publish(attempt.clone(), &mut record, &listings, replace)?;
        Ok(record)
    });
    match made {
        Ok(record) => Ok(Done {
            record,
            way: Way::Ran,
        }),
        Err(error) => Err(after(error, stage, &attempt, cache)),
    }
}

/// The result of a stage from the remote cache; `Err` says why there is none, where one is asked. Who forces a stage wants its work done here.
fn fetched(
    stage: &dyn Stage,
    gathered: &Gathered,
    forced: bool,
    lock: &Lock,
    around: &Surroundings<'_>,
    tell: Tell<'_>,
) -> Result<Result<Box<Record>, Option<NotFetched>>> {
    let Some(team) = around.options.team.as_ref().filter(|_| !forced) else {
        return Ok(Err(None));
    };
    let wanted = Wanted {
        key: &gathered.key,
        stage: stage.id(),
        pipeline: around.options.pipeline.as_deref(),
    };
    let fetched = team.fetch(around.cache, &wanted, lock, around.stop, tell)?;
    Ok(fetched.map_err(Some))
}

/// Runs a stage in its attempt; the record of what it made.
fn record(
    stage: &dyn Stage,
    gathered: &Gathered,
    attempt: &Attempt,
    forced: bool,
    around: &Surroundings<'_>,
    tell: Tell<'_>,
) -> Result<Box<Record>> {
    let started = SystemTime::now().duration_since(UNIX_EPOCH);
    let clock = Instant::now();
    let taken = taken_over(stage, gathered, forced, around)?;
    let taken = [taken[0].as_slice(), taken[1].as_slice()];
    let (outputs, beside) = make(stage, gathered, attempt, taken, around, tell)?;
    Ok(Box::new(Record {
        key: gathered.key,
        document: gathered.document.clone(),
        folder: String::new(),
        outputs: outputs.into_iter().collect(),
        beside: beside.into_iter().collect(),
        from: gathered.from.clone(),
        stage: stage.id().to_owned(),
        pipeline: around.options.pipeline.clone(),
        started: started.unwrap_or_default().as_secs(),
        seconds: clock.elapsed().as_secs_f64(),
        fingerprint: fingerprint(attempt, tell),
        kfood: env!("CARGO_PKG_VERSION").to_owned(),
    }))
}

/// The folders of earlier results, and of unfinished attempts, that a stage may take from. Who forces a stage wants its work done
/// anew.
fn taken_over(
    stage: &dyn Stage,
    gathered: &Gathered,
    forced: bool,
    around: &Surroundings<'_>,
) -> Result<[Vec<PathBuf>; 2]> {
    let Surroundings { cache, hold, .. } = around;
    if forced {
        return Ok([Vec::new(), Vec::new()]);
    }
    let earlier = cache.earlier(&gathered.document, stage.reuses(), hold)?;
    let unfinished = match stage.reuses() {
        Reuse::OtherInputs(_) => cache.unfinished(&gathered.key),
        _ => Vec::new(),
    };
    Ok([earlier, unfinished])
}

/// What a stage made: its outputs, and what it left beside them.
type Made = (Vec<(String, Output)>, Vec<(String, Output)>);

/// Runs a stage, makes what it wrote durable, and looks at its inputs once more.
fn make(
    stage: &dyn Stage,
    gathered: &Gathered,
    attempt: &Attempt,
    taken: [&[PathBuf]; 2],
    around: &Surroundings<'_>,
    tell: Tell<'_>,
) -> Result<Made> {
    let Surroundings { cache, stop, .. } = around;
    let before = Untouched::look(&gathered.files, &gathered.paths)?;
    before.settle();
    run_guarded(stage, gathered, attempt, taken, around, tell)?;
    let mut outputs = cache.seal(attempt, stage.outputs())?;
    let beside = cache.beside(attempt, stage.outputs())?;
    if let Err(error) = gathered.check_again(&before, stage, cache, stop, tell) {
        // Its state has seen inputs that its key does not stand for.
        attempt.clone().discard()?;
        return Err(error);
    }
    cache.share(attempt, &mut outputs, &gathered.read_of_stages(stage))?;
    Ok((outputs, beside))
}

/// After a failure what was half written makes room at once, and where the disk is full the error says how the cache gets more.
fn after(error: Error, stage: &dyn Stage, attempt: &Attempt, cache: &Cache) -> Error {
    // If it stays, the next attempt or gc removes it; the error of the stage is the one to tell.
    let _ = files::remove(&attempt.out);
    if !is_full(&error) {
        return error;
    }
    let earlier = cache.records();
    let earlier = earlier
        .iter()
        .filter(|record| record.document.kind == stage.kind() && record.stage == stage.id());
    let earlier = earlier.map(Record::bytes).max();
    let earlier = earlier.map_or(String::new(), |n| {
        format!("an earlier result of this stage has {}; ", bytes(n))
    });
    let way_out = error
        .help_text()
        .map_or(String::new(), |help| format!("{help}; "));
    error.help(format!(
        "{way_out}{earlier}`kfood cache gc` removes what no pipeline refers to, and KFOOD_CACHE names another place"
    ))
}

/// Whether an error, of a worker too, says that nothing more fits on the disk.
fn is_full(error: &Error) -> bool {
    let text = error.to_string();
    let full =
        [libc::ENOSPC, libc::EDQUOT].map(|code| io::Error::from_raw_os_error(code).to_string());
    full.iter().any(|full| text.contains(full.as_str()))
}

/// A panic in a stage is a failed stage, never a lost runner.
fn run_guarded(
    stage: &dyn Stage,
    gathered: &Gathered,
    attempt: &Attempt,
    [earlier, unfinished]: [&[PathBuf]; 2],
    around: &Surroundings<'_>,
    tell: Tell<'_>,
) -> Result<()> {
    let Options {
        device, threads, ..
    } = around.options;
    let desk = Desk {
        out: &attempt.out,
        state: &attempt.state,
        key: gathered.key,
        kin: gathered.document.kin(stage.reuses()),
        inputs: &gathered.paths,
        earlier,
        device,
        threads: *threads,
    };
    let context = Context {
        desk,
        files: &gathered.files,
        unfinished,
        tell,
        stop: around.stop,
    };
    let ended =
        catch_unwind(AssertUnwindSafe(|| work(stage, &context, around))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(Error::failed(format!("it panicked: {text}"))
                .help("this is a fault of kfood; please report it"))
        });
    let ended = match ended {
        // Work that was stopped half way may look complete to a stage that only breaks out of its loop.
        Err(error) if error.class() != Class::Interrupted && around.stop.requested() => {
            Err(Error::interrupted("interrupted").because(error))
        }
        ended => ended,
    };
    ended.map_err(|error| match error.class() {
        Class::Interrupted => {
            error.help("every finished stage is kept, and of a preprocess or a training what it did; the same command goes on from there")
        }
        Class::Failed | Class::Usage => error,
    })
}

/// The work of a stage, begun again from its last save as often as is asked where its worker died.
fn work(stage: &dyn Stage, context: &Context<'_>, around: &Surroundings<'_>) -> Result<()> {
    let mut left = around.options.retries;
    loop {
        let Some(job) = stage.job(context)? else {
            return stage.run(context);
        };
        let ended = (around.worker).run(&job, context.state, context.tell, around.stop);
        let died = ended.as_ref().err().filter(|error| has_died(error));
        let Some(died) = died.filter(|_| left > 0 && !around.stop.requested()) else {
            return ended;
        };
        left -= 1;
        let more = match left {
            0 => "for the last time".to_owned(),
            left => format!("with {left} more to come"),
        };
        (context.tell)(StageEvent::Warning(format!(
            "it is started again, {more}, and goes on from its last save: {}",
            died.message()
        )));
        files::remove(context.out)?;
        fs::create_dir_all(context.out).map_err(|e| Error::io("create", context.out, e))?;
    }
}

fn fingerprint(attempt: &Attempt, tell: Tell<'_>) -> Option<Fingerprint> {
    let path = attempt.out.join(Fingerprint::FILE);
    if !path.exists() {
        return None;
    }
    files::read_json(&path)
        .inspect_err(|e| {
            tell(StageEvent::Warning(format!(
                "the fingerprint is not recorded: {e}"
            )));
        })
        .ok()
}

//! Running one stage: lock, look again, run, check the inputs again, publish.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use super::{
    gather::Gathered,
    run::{Options, Surroundings},
};
use crate::{
    cache::{Attempt, Found, Record},
    error::{Class, Error, Result},
    event::{StageEvent, Tell},
    files,
    record::Fingerprint,
    stage::{Context, Reuse, Stage},
};

/// A stage that is done.
pub(super) struct Done {
    pub(super) record: Box<Record>,
    pub(super) ran: bool,
}

/// Makes the result of one stage, or takes it from another process that made it meanwhile.
pub(super) fn perform(
    stage: &dyn Stage,
    gathered: &Gathered,
    forced: bool,
    reason: String,
    around: &Surroundings<'_>,
    tell: Tell<'_>,
) -> Result<Done> {
    let Surroundings {
        cache, hold, stop, ..
    } = around;
    let _lock = cache.lock(&gathered.key, stop, || tell(StageEvent::Waiting))?;
    let found = cache.find_and_hold(&gathered.key, hold, &|_| {})?;
    // Without a whole entry nobody reads what lies there; with one, others may until gc.
    let replace = !matches!(found, Found::Hit(_));
    if let Found::Hit(record) = found
        && !forced
    {
        return Ok(Done { record, ran: false });
    }
    stop.check()?;
    tracing::info!("{} runs, with the key {}", stage.id(), gathered.key);
    tell(StageEvent::Started { reason });
    let started = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let clock = Instant::now();
    let attempt = cache.attempt(&gathered.key)?;
    // Who forces a stage wants its work done anew.
    let earlier = if forced {
        Vec::new()
    } else {
        cache.earlier(&gathered.document, stage.reuses(), hold)?
    };
    let unfinished = match stage.reuses() {
        Reuse::OtherInputs(_) if !forced => cache.unfinished(&gathered.key),
        _ => Vec::new(),
    };
    let taken = [earlier.as_slice(), unfinished.as_slice()];
    run_guarded(stage, gathered, &attempt, taken, around, tell)?;
    let outputs = cache.seal(&attempt, stage.outputs())?;
    if let Err(error) = gathered.check_again(stage, cache, stop, tell) {
        // Its state has seen inputs that its key does not stand for.
        attempt.discard()?;
        return Err(error);
    }
    let mut record = Record {
        key: gathered.key,
        document: gathered.document.clone(),
        folder: String::new(),
        outputs: outputs.into_iter().collect(),
        from: gathered.from.clone(),
        stage: stage.id().to_owned(),
        pipeline: around.options.pipeline.clone(),
        started,
        seconds: clock.elapsed().as_secs_f64(),
        fingerprint: fingerprint(&attempt, tell),
        kfood: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let listings: Vec<_> = gathered
        .files
        .iter()
        .map(|(r, f)| (r.clone(), f.as_slice()))
        .collect();
    cache.publish(attempt, &mut record, &listings, replace)?;
    Ok(Done {
        record: Box::new(record),
        ran: true,
    })
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
    let context = Context {
        out: &attempt.out,
        state: &attempt.state,
        inputs: &gathered.paths,
        digests: &gathered.digests,
        files: &gathered.files,
        earlier,
        unfinished,
        tell,
        stop: around.stop,
        worker: around.worker,
        device,
        threads: *threads,
    };
    let ended = catch_unwind(AssertUnwindSafe(|| stage.run(&context))).unwrap_or_else(|panic| {
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

fn fingerprint(attempt: &Attempt, tell: Tell<'_>) -> Option<Fingerprint> {
    let path = attempt.out.join("fingerprint.json");
    if !path.exists() {
        return None;
    }
    files::read_json(&path)
        .inspect_err(|e| {
            tell(StageEvent::Warning(format!(
                "the fingerprint is not recorded: {e}"
            )))
        })
        .ok()
}

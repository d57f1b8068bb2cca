//! What is left of jobs that are over.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{
    papers::{Ending, JobFiles, Order, Ticket, jobs},
    send::try_lock,
};
use crate::{cache::Cache, files};

/// How long the log of a job that failed stays.
const KEPT: Duration = Duration::from_hours(14 * 24);

/// Removes the tickets of jobs that are done, which a killed run leaves, and the orders that no ticket is of: at once where every job did
/// its work, else after a while, for their logs. It only tidies: what cannot be removed stays.
pub(super) fn tidy(cache: &Cache) {
    // Whoever sends now tidies up later.
    let Ok(Some(_lock)) = try_lock(cache) else {
        return;
    };
    let folder = jobs(cache);
    let listed: Vec<_> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    let is_ticket = |path: &Path| path.extension().is_some_and(|e| e == "json");
    let tickets = listed.iter().filter(|entry| is_ticket(&entry.path()));
    let mut named = BTreeSet::new();
    for path in tickets.map(|entry| entry.path()) {
        let Ok(ticket) = files::read_json::<Ticket>(&path) else {
            continue;
        };
        let order = folder.join(&ticket.name);
        let job = JobFiles::of(&order, ticket.number);
        // A job that lives writes into its order.
        match job.status().and_then(|status| status.ended) {
            Some(Ending::Done) => drop(files::remove(&path)),
            _ if is_old(&order) => drop(files::remove(&path)),
            _ => drop(named.insert(ticket.name)),
        }
    }
    for entry in listed {
        let name = entry.file_name();
        let is_over = entry.path().is_dir() && name.to_str().is_some_and(|n| !named.contains(n));
        if is_over && (all_done(&entry.path()) || is_old(&entry.path())) {
            let _ = files::remove(&entry.path());
        }
    }
}

fn all_done(folder: &Path) -> bool {
    let order: Option<Order> = files::read_json(&folder.join(Order::FILE)).ok();
    let done = |number| {
        let status = JobFiles::of(folder, number).status();
        status.is_some_and(|status| status.ended == Some(Ending::Done))
    };
    order.is_some_and(|order| (0..order.stages.len()).all(done))
}

fn is_old(folder: &Path) -> bool {
    let written = fs::metadata(folder).and_then(|meta| meta.modified());
    let age = written.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
    age.is_ok_and(|age| age > KEPT)
}

//! `kfood cache verify`: damaged results are found and removed.

use serde_json::json;

use crate::{
    cache::Cache,
    cli::{print, progress::Progress},
    error::Result,
    event::{Event, Observer},
    report::bytes,
};

pub(super) fn verify(cache: &Cache, as_json: bool) -> Result<u8> {
    let progress = Progress::new();
    let verified = cache.verify(&|event| {
        progress.observe(&Event::Stage {
            id: "cache".to_owned(),
            event,
        });
    })?;
    if as_json {
        let damaged: Vec<_> = verified
            .damaged
            .iter()
            .map(
                |d| json!({ "key": d.key, "stage": d.stage, "what": d.what, "removed": d.removed, "beside": d.beside }),
            )
            .collect();
        print::json(
            &json!({ "sound": verified.sound, "bytes": verified.bytes, "damaged": damaged }),
        )?;
    } else {
        for damaged in &verified.damaged {
            let stage = damaged.stage.as_deref().unwrap_or("unknown");
            let removed = match (damaged.removed, damaged.beside) {
                (true, true) => "; removed, the result itself is sound",
                (true, false) => "; removed, the next run makes it again",
                (false, _) => "",
            };
            print::told(&format!(
                "damaged: {stage} ({}): {}{removed}",
                damaged.key.short(),
                damaged.what
            ))?;
        }
        print::told(&format!(
            "{} sound ({} hashed), {} damaged",
            verified.sound,
            bytes(verified.bytes),
            verified.damaged.len()
        ))?;
    }
    Ok(u8::from(!verified.damaged.is_empty()))
}

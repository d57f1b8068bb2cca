//! Pins: the keys of lock files, which gc of a remote cache leaves alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{MOST, Remote};
use crate::{
    digest::{Digest, Parts, seal, unseal},
    error::{Error, Result},
};

/// `pins/NAME-DIGEST.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pin {
    /// The pipeline file, as seen from its project's root.
    pub(super) pipeline: String,
    pub(super) keys: BTreeSet<Digest>,
}

impl Remote {
    /// Pins the keys of a lock file. Whoever has the same lock has the same pin; that of an earlier lock stays until it is forgotten.
    ///
    /// # Errors
    /// When the remote cache cannot be written.
    pub fn pin(&self, pipeline: &str, keys: BTreeSet<Digest>) -> Result<bool> {
        let mut parts = Parts::new("kfood 2026 pin of a remote cache");
        parts.part(pipeline);
        for key in &keys {
            parts.part(key.0);
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let readable: String = pipeline.chars().map(plain).take(60).collect();
        let name = format!("pins/{readable}-{}.json", parts.finish().short());
        let pin = Pin {
            pipeline: pipeline.to_owned(),
            keys,
        };
        let text = serde_json::to_string_pretty(&pin)
            .map_err(|e| Error::failed("cannot write a pin").because(e))?;
        self.objects.write(&name, seal(&text).into_bytes(), false)
    }

    /// All pins, by the name of their objects.
    pub(super) fn pins(&self) -> Result<Vec<(String, Pin)>> {
        let mut pins = Vec::new();
        for object in self.objects.list("pins")? {
            let name = format!("pins/{}", object.name);
            let Some(bytes) = self.whole(&name, MOST)? else {
                continue;
            };
            let text = std::str::from_utf8(&bytes).ok();
            let pin = text.and_then(|text| serde_json::from_str(unseal(text).ok()?).ok());
            // Without knowing what it keeps, anything might be its.
            let pin = pin.ok_or_else(|| {
                let message = format!("`{name}` in the remote cache `{}` is damaged", self.shown);
                Error::failed(format!("{message}, so that nothing is removed"))
                    .help("remove that object, and push the pipeline whose lock file it stood for")
            })?;
            pins.push((name, pin));
        }
        Ok(pins)
    }
}

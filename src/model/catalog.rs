//! What a model file holds, by name, before the bytes of any tensor are read: one shape for every format.

use std::{collections::HashMap, rc::Rc};

use super::{StateDict, TensorData, bounds, element::Element};
use crate::{
    error::{Error, Result},
    record::CheckpointInfo,
    text,
};

/// A file that was opened: its names, and the way to its bytes.
pub(super) struct Opened {
    /// Its dictionaries that hold tensors, in the order in which they are met.
    pub(super) sets: Vec<Set>,
    /// Gathers the tensor at a place.
    pub(super) gather: Box<dyn FnMut(usize) -> Result<TensorData>>,
    /// What a model of ours says about itself.
    pub(super) info: Option<CheckpointInfo>,
    /// What an ensemble of ours says about its members.
    pub(super) members: Option<Vec<CheckpointInfo>>,
    /// What it holds where it holds no tensors.
    pub(super) instead: String,
}

/// A dictionary.
#[derive(Debug, Default)]
pub(super) struct Set {
    /// The keys that lead to it, as in `state_dict_ema` or `model.net`; empty at the top.
    pub(super) at: String,
    entries: Vec<(Rc<str>, Found)>,
    /// For look-up alone; never iterated.
    places: HashMap<Rc<str>, usize>,
}

/// A value of a dictionary.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// A tensor.
    Tensor {
        shape: Vec<usize>,
        element: Element,
        /// For [`Opened::gather`].
        place: usize,
    },
    /// Something else, and what made it.
    Other(Rc<str>),
}

impl Set {
    /// Adds an entry, or replaces the one of that name. Names that no parameter has are left out.
    pub(super) fn add(&mut self, name: Rc<str>, found: Found) {
        if name.len() > bounds::NAME {
            return;
        }
        if let Some(&i) = self.places.get(&name) {
            self.entries[i].1 = found;
            return;
        }
        self.places.insert(name.clone(), self.entries.len());
        self.entries.push((name, found));
    }

    pub(super) fn get(&self, name: &str) -> Option<&Found> {
        self.places.get(name).map(|&i| &self.entries[i].1)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Found)> {
        self.entries.iter().map(|(name, found)| (&**name, found))
    }

    pub(super) fn tensors(&self) -> usize {
        let tensor = |(_, found): &(_, Found)| matches!(found, Found::Tensor { .. });
        self.entries.iter().filter(|entry| tensor(entry)).count()
    }

    /// Where a name of it stands in the file.
    pub(super) fn key(&self, name: &str) -> String {
        match self.at.as_str() {
            "" => text::shown(name),
            at => format!("{at}.{}", text::shown(name)),
        }
    }
}

impl Opened {
    /// One tensor of a set; `None` where there is no tensor of that name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn tensor(&mut self, set: usize, name: &str) -> Result<Option<TensorData>> {
        let Some(Found::Tensor { place, .. }) = self.sets[set].get(name) else {
            return Ok(None);
        };
        let tensor = (self.gather)(*place);
        let within = |e: Error| e.within(&format!("tensor `{}`", self.sets[set].key(name)));
        tensor.map(Some).map_err(within)
    }

    /// Every tensor of one set, as it stands there.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(super) fn whole(&mut self, set: usize) -> Result<StateDict> {
        let mut state = StateDict::new();
        let names: Vec<String> = self.sets[set]
            .iter()
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in names {
            if let Some(tensor) = self.tensor(set, &name)? {
                state.insert(name, tensor);
            }
        }
        Ok(state)
    }
}

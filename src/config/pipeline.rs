//! A pipeline as the rest of the program sees it: instances with typed settings and resolved references.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::{build::Built, data_path::DataPath, kinds::Settings, location::Location};

/// A pipeline file with everything it uses, expanded and checked.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The file that was asked for, absolute; a link is not followed.
    pub file: PathBuf,
    /// The project's root: the nearest ancestor of the file, as its path was given, that holds a `pipelines` folder, else the
    /// file's own folder.
    pub root: PathBuf,
    /// What a person is told before anything is done: roots that lie far from their files.
    pub notes: Vec<String>,
    /// What its file said when it was read, under an empty name, and the files that it uses, each under its alias with a dot.
    pub texts: BTreeMap<String, String>,
    /// All instances, of used files too, each after everything it refers to; otherwise in the order of the files.
    pub instances: Vec<Instance>,
}

/// One stage instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Unique: `deeper[arch=resnet50,optimizer.adam.lr=0.005]`, behind its alias where it comes from a used file:
    /// `mission2.deeper[…]`. Values of `matrix` in the order of the file; then `fold=2` where `fold = "all"` was expanded.
    pub id: String,
    /// The stage as written: `deeper` or `mission2.deeper`.
    pub stage: String,
    /// The values that tell it from its siblings, in the order of the id: `[("arch", "resnet50")]`.
    pub varied: Vec<(String, String)>,
    /// Where the stage's header stands.
    pub location: Location,
    /// What it shall do.
    pub settings: Settings,
}

/// The instances with their settings by kind.
pub(super) fn instances(built: Vec<Built>) -> Vec<Instance> {
    let instance = |built: Built| {
        Some(Instance {
            settings: Settings::of(&*built.settings)?,
            id: built.id,
            stage: built.stage,
            varied: built.varied,
            location: built.location,
        })
    };
    built.into_iter().filter_map(instance).collect()
}

impl Instance {
    /// Whether it belongs to a used file rather than to the file that was asked for.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.stage.contains('.')
    }
}

impl Pipeline {
    /// The paths outside the cache that it names and that are not there, each once, in the order of the instances.
    #[must_use]
    pub fn missing(&self) -> Vec<&DataPath> {
        self.missing_of(|_| true)
    }

    /// Those that some of its instances name, as [`Pipeline::missing`].
    #[must_use]
    pub fn missing_of(&self, wanted: impl Fn(&Instance) -> bool) -> Vec<&DataPath> {
        let mut missing: Vec<&DataPath> = Vec::new();
        let mut seen = BTreeSet::new();
        let wanted = self.instances.iter().filter(|instance| wanted(instance));
        for path in wanted.flat_map(|i| i.settings.outside()) {
            if seen.insert(&path.path) && !path.path.exists() {
                missing.push(path);
            }
        }
        missing
    }
}

//! Instances: references to instances, folds expanded, ids given, and the checks between stages.

use std::any::Any;

use super::{
    about::About,
    data_path::{DataPath, Network},
    file::Span,
    heads::Outline,
    location::Location,
    matrix::MOST,
    mistake::Found,
    reference::Reference,
};
use crate::{
    settings::{Checkpoint, Training},
    text::{first_few, plural},
};

/// Values in an id.
pub(crate) type Varied = Vec<(String, String)>;

/// A stage whose fields are read.
pub(crate) struct Stage {
    /// One for each combination of its `matrix`; `None` after a mistake.
    pub drafts: Option<Vec<(Varied, Box<dyn Draft>)>>,
    /// What it refers to, with the place of each reference.
    pub uses: Vec<(usize, Span)>,
}

/// The fields of one instance, references not resolved to instances yet.
pub(crate) trait Draft {
    /// What it comes to; `None` after a mistake, which is noted.
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>>;
}

/// The settings of an instance, of the type that its kind has.
pub(crate) trait Made: Any {
    /// How it trains, where it does.
    fn training(&self) -> Option<&Training> {
        None
    }

    /// The one state of a model that it hands on, where it is a matter of its settings.
    fn hands_on(&self) -> Option<Checkpoint> {
        self.training().and_then(Training::only)
    }

    /// Whether its result holds the last state beside the best.
    fn has_last(&self) -> bool {
        self.hands_on().is_none()
    }

    /// All its settings but seed and fold, as a text to compare: those with the same text repeat one training. `None` where it is no
    /// training, and repeats nothing.
    fn repeated(&self) -> Option<String> {
        None
    }

    /// Where the network of its model comes from.
    fn network(&self) -> Network<'_> {
        Network::Unknown
    }

    /// The paths outside the cache that it names.
    fn outside(&self) -> Vec<&DataPath> {
        Vec::new()
    }
}

/// An instance with what later stages ask about it.
pub(crate) struct Built {
    /// Its id.
    pub id: String,
    /// Its stage as written.
    pub stage: String,
    /// The values that tell it from its siblings.
    pub varied: Varied,
    /// Where the stage's header stands.
    pub location: Location,
    /// Its kind.
    pub kind: &'static About,
    /// Its settings.
    pub settings: Box<dyn Made>,
    /// Where its data come from.
    pub origin: Origin,
}

/// Which instances a model, a pack or a split goes back to, by number; `None` where there is none or it varies.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The dataset.
    pub dataset: Option<usize>,
    /// The preprocess.
    pub data: Option<usize>,
    /// The split.
    pub split: Option<usize>,
    /// The fold.
    pub fold: FoldOf,
}

/// The fold that a model was validated on.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum FoldOf {
    /// A hold-out.
    #[default]
    None,
    /// This one.
    One(u32),
    /// Known only after the run.
    Varies,
}

/// What one draft comes to.
pub(crate) struct Outcome {
    /// What the model's instance is told by, in front of the stage's own `matrix`.
    pub before: Varied,
    /// Folds, behind it.
    pub after: Varied,
    /// The settings.
    pub settings: Box<dyn Made>,
    /// Where its data come from.
    pub origin: Origin,
    /// Outcomes of a stage are put in the order of this number.
    pub rank: usize,
}

impl Outcome {
    /// The only outcome of a draft.
    pub(crate) fn plain(settings: impl Made, origin: Origin) -> Self {
        Self {
            before: Vec::new(),
            after: Vec::new(),
            settings: Box::new(settings),
            origin,
            rank: 0,
        }
    }
}

/// The instances so far.
pub(crate) struct Builder<'a> {
    /// Everything around.
    pub outline: &'a Outline<'a>,
    /// All instances, in order.
    pub built: Vec<Built>,
    /// The stage that is being built.
    pub stage: usize,
    /// For each stage its instances; `None` before it was built, and after a mistake.
    of_stage: Vec<Option<Vec<usize>>>,
    found: &'a mut Found,
    sound: bool,
}

/// Builds every stage in this order; stages with a mistake are passed over.
pub(crate) fn build<'a>(
    outline: &'a Outline<'a>,
    stages: &[Stage],
    order: &[usize],
    found: &'a mut Found,
) -> Vec<Built> {
    let mut builder = Builder {
        outline,
        built: Vec::new(),
        stage: 0,
        of_stage: vec![None; stages.len()],
        found,
        sound: true,
    };
    for &stage in order {
        if let Some(drafts) = &stages[stage].drafts {
            builder.stage = stage;
            builder.sound = true;
            builder.add(drafts);
        }
    }
    builder.built
}

impl Builder<'_> {
    fn add(&mut self, drafts: &[(Varied, Box<dyn Draft>)]) {
        let mut outcomes = Vec::new();
        for (varied, draft) in drafts {
            for outcome in draft.build(self).unwrap_or_default() {
                outcomes.push((varied, outcome));
            }
            if outcomes.len() > MOST {
                let header = self.outline.heads[self.stage].span.clone();
                let message = format!("this stage stands for more than {MOST} instances");
                self.tell(
                    &header,
                    message,
                    Some("vary fewer fields, or give fewer values"),
                );
                break;
            }
        }
        if !self.sound {
            return;
        }
        outcomes.sort_by_key(|(_, outcome)| outcome.rank);
        let mut numbers = Vec::new();
        for (varied, outcome) in outcomes {
            numbers.push(self.built.len());
            let varied = [
                outcome.before.clone(),
                varied.clone(),
                outcome.after.clone(),
            ]
            .concat();
            let Some(built) = self.finish(varied, outcome) else {
                return;
            };
            self.built.push(built);
        }
        self.of_stage[self.stage] = Some(numbers);
    }

    fn finish(&self, varied: Varied, outcome: Outcome) -> Option<Built> {
        let head = &self.outline.heads[self.stage];
        let stage = self.outline.full_name(self.stage);
        Some(Built {
            id: if varied.is_empty() {
                stage.clone()
            } else {
                format!("{stage}[{}]", inside(&varied))
            },
            stage,
            varied,
            location: self.outline.files[head.file].location(&head.span),
            kind: head.kind?,
            settings: outcome.settings,
            origin: outcome.origin,
        })
    }

    /// Notes a mistake in the stage that is being built.
    pub(crate) fn tell(&mut self, span: &Span, message: impl Into<String>, help: Option<&str>) {
        self.sound = false;
        let file = self.outline.heads[self.stage].file;
        self.found.add(file, span, message, help.map(str::to_owned));
    }

    /// An id.
    pub(crate) fn id(&self, number: usize) -> String {
        self.built[number].id.clone()
    }

    /// The instance of this id.
    pub(crate) fn number(&self, id: &str) -> Option<usize> {
        self.built.iter().position(|built| built.id == id)
    }

    /// The kind of an instance.
    pub(crate) fn kind(&self, number: usize) -> &'static About {
        self.built[number].kind
    }

    /// What can be asked of an instance whatever its kind.
    pub(crate) fn made(&self, number: usize) -> &(dyn Made + 'static) {
        &*self.built[number].settings
    }

    /// The settings of an instance, if it is of the kind that has these.
    pub(crate) fn get<T: Made>(&self, number: usize) -> Option<&T> {
        let settings: &dyn Any = self.made(number);
        settings.downcast_ref()
    }

    /// All instances that a reference stands for. `None` after a mistake, here or in that stage.
    pub(crate) fn many(&mut self, reference: &Reference) -> Option<Vec<usize>> {
        let Some(all) = &self.of_stage[reference.stage] else {
            self.sound = false;
            return None;
        };
        let Some(selector) = &reference.selector else {
            return Some(all.clone());
        };
        let chosen: Vec<_> = all
            .iter()
            .copied()
            .filter(|number| is_chosen(selector, &self.built[*number].varied))
            .collect();
        if !chosen.is_empty() {
            return Some(chosen);
        }
        let ids: Vec<_> = all.iter().map(|number| self.id(*number)).collect();
        let message = format!("no instance is called `{}`", reference.text);
        let help = format!("there {} {}", plural(ids.len(), "is"), some(&ids));
        self.tell(&reference.span, message, Some(&help));
        None
    }

    /// The one instance that a reference stands for.
    pub(crate) fn one(&mut self, reference: &Reference) -> Option<usize> {
        let chosen = self.many(reference)?;
        if let [one] = chosen.as_slice() {
            return Some(*one);
        }
        let ids: Vec<_> = chosen.iter().map(|number| self.id(*number)).collect();
        let is_model = self.kind(chosen[0]).gives.is_model();
        let choose = if is_model {
            let text = &reference.text;
            format!("choose the best with a `select` stage (`from = [\"{text}\"]`), or name one")
        } else {
            "name one".to_owned()
        };
        let message = format!(
            "`{}` stands for {} instances, expected one",
            reference.text,
            ids.len()
        );
        let help = format!("{choose}: {}", some(&ids));
        self.tell(&reference.span, message, Some(&help));
        None
    }
}

/// What stands in the brackets of an id.
fn inside(varied: &[(String, String)]) -> String {
    let pairs: Vec<_> = varied.iter().map(|(k, v)| format!("{k}={v}")).collect();
    pairs.join(",")
}

/// The whole text in the brackets, or some of its pairs.
fn is_chosen(selector: &str, varied: &[(String, String)]) -> bool {
    if inside(varied) == selector {
        return true;
    }
    let has = |pair: &str| {
        let pair = pair.trim().split_once('=');
        pair.is_some_and(|(key, value)| varied.iter().any(|(k, v)| k == key && v == value))
    };
    selector.split(',').all(has)
}

/// The first few.
fn some(ids: &[String]) -> String {
    first_few(ids.iter().map(String::as_str), 4)
}

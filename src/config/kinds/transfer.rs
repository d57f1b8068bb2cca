//! `[transfer.x]`: from another model, with a new head.

use toml::Spanned;

use super::{fold, model, network, split::Split, training};
use crate::{
    config::{
        build::{Builder, Draft, Made, Outcome},
        data_path::{DataPath, ModelSource, Network},
        fields::Fields,
        reference::Reference,
    },
    settings::{
        Checkpoint, GradualUnfreezing, Probability, Resize, Save, TrainLayers, Training,
        TransferHead,
        declare::{Described, Table, fields},
    },
    text::count,
};

/// Train from another model with a new head.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// The source.
    pub model: ModelSource,
    /// As in [`crate::config::Train::data`].
    pub data: String,
    /// As in [`crate::config::Train::dataset`].
    pub dataset: String,
    /// As in [`crate::config::Train::split`].
    pub split: String,
    /// As in [`crate::config::Train::fold`].
    pub fold: Option<u32>,
    /// Which layers move.
    pub train_layers: TrainLayers,
    /// Whether they come to it one after the other.
    pub gradual_unfreezing: Option<GradualUnfreezing>,
    /// What a step drops of the source's network, where it is not the default of its family.
    pub stochastic_depth: Option<Probability>,
    /// Likewise.
    pub dropout: Option<Probability>,
    /// What the new head begins with.
    pub head: TransferHead,
    /// Whether `normalize` was left out: the source's is kept then.
    pub keep_normalize: bool,
    /// How to train.
    pub training: Box<Training>,
    /// When to save the state of a running training; in no key.
    pub save: Save,
}

impl Made for Transfer {
    fn training(&self) -> Option<&Training> {
        Some(&self.training)
    }

    fn network(&self) -> Network<'_> {
        match &self.model {
            ModelSource::Stage { id, .. } => Network::Of(id),
            ModelSource::Ensemble { .. } | ModelSource::File { .. } => Network::Unknown,
        }
    }

    fn outside(&self) -> Vec<&DataPath> {
        self.model.outside().into_iter().collect()
    }

    // Each field is named: a new one that is forgotten here would let two settings pass for repeats of one.
    fn repeated(&self) -> Option<String> {
        let Self {
            model,
            data,
            dataset: _,
            split,
            fold: _,
            train_layers,
            gradual_unfreezing,
            stochastic_depth,
            dropout,
            head,
            keep_normalize,
            training,
            save: _,
        } = self;
        let model = match model {
            ModelSource::Stage { id, checkpoint } => format!("{id} {checkpoint:?}"),
            ModelSource::Ensemble { id } => id.clone(),
            ModelSource::File {
                path,
                normalize,
                weights,
                ..
            } => format!("{path:?} {normalize:?} {weights:?}"),
        };
        let training = training.seedless();
        Some(format!(
            "{model} {data} {split} {train_layers:?} {gradual_unfreezing:?} {stochastic_depth:?} {dropout:?} {head:?} {keep_normalize} {training:?}"
        ))
    }
}

fields! {
    /// Where the network comes from.
    pub(crate) struct Source read as SourceRead {
        /// Which state of a stage; a file holds one.
        #[unset = "\"best\""]
        checkpoint: Option<Checkpoint>,
        /// Where the network comes from.
        model: model::ModelText<false>,
    }
}

fields! {
    /// What is trained of it.
    pub(crate) struct Given read as GivenRead {
        /// What is trained; what lies before is frozen.
        train_layers: TrainLayers = TrainLayers::All,
        /// The head first, then one layer more at a time.
        gradual_unfreezing: Option<GradualUnfreezing>,
        /// What the new head begins with.
        #[key = if_asked]
        head: TransferHead = TransferHead::New,
    }
}

/// Its settings, in the order in which they are read.
pub(crate) fn tables() -> Vec<Table> {
    let (data, mut training) = (fold::Given::table(), Training::table());
    let normalize = training.fields.iter_mut().find(|f| f.name == "normalize");
    if let Some(normalize) = normalize {
        (normalize.default, normalize.unset) = (None, "the source's");
    }
    let saving = training::Saving::table();
    let drops = network::DropsGiven::table();
    vec![
        Source::table(),
        data,
        Given::table(),
        drops,
        training,
        saving,
    ]
}

/// A transfer as written.
struct Written {
    model: model::WrittenModel,
    checkpoint: Option<Spanned<Checkpoint>>,
    data: fold::DataAndSplit,
    train_layers: Option<Spanned<TrainLayers>>,
    given: Given,
    drops: network::Drops,
    training: training::PlacedTraining,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let source = SourceRead::take(fields);
    let model = model::read(fields, source.model.as_ref(), source.checkpoint.as_ref());
    let data = fold::read(fields);
    let given = GivenRead::take(fields);
    let drops = network::drops(fields, None);
    let normalized = fields.place("normalize").is_some();
    model::need_normalize(fields, model.as_ref(), normalized);
    let training = training::read(fields);
    check_unfreezing(fields, &given, &training);
    fields.finish()?;
    Some(Box::new(Written {
        model: model?,
        checkpoint: source.checkpoint,
        data: data.whole()?,
        train_layers: given.train_layers.clone(),
        given: given.settle()?,
        drops,
        training: training.placed()?,
    }))
}

fn check_unfreezing(fields: &mut Fields<'_, '_>, given: &GivenRead, training: &training::Read) {
    let Some(gradual) = &given.gradual_unfreezing else {
        return;
    };
    let layers = given.train_layers.as_ref();
    if layers.is_some_and(|layers| *layers.get_ref() == TrainLayers::Head) {
        let message = "`gradual_unfreezing` of a transfer that trains the head alone";
        let help = "leave it out, or let `train_layers` reach further";
        fields.tell(&gradual.span(), message, Some(help));
    }
    let (every, Some(epochs)) = (gradual.get_ref().epochs.get(), training.epochs()) else {
        return;
    };
    if every >= epochs {
        let message = format!(
            "`gradual_unfreezing` after {} in a training of {epochs}: nothing but the head would be trained",
            count(every, "epoch")
        );
        let help = "set its `epochs` lower, or train longer";
        fields.tell(&gradual.span(), message, Some(help));
    }
}

impl Draft for Written {
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let training = &self.training;
        let model = match &self.model {
            model::WrittenModel::File(file) => {
                let normalize = training.normalized.then_some(training.training.normalize);
                Some(model::of_file(file, normalize, None))
            }
            model::WrittenModel::Stage(reference) => builder
                .one(reference)
                .and_then(|number| model::of_stage(builder, number, self.checkpoint.as_ref())),
        };
        let (found, folds) = self.data.build(builder)?;
        training.check(builder, found.resize)?;
        let model = model?;
        if let model::WrittenModel::Stage(reference) = &self.model {
            check_test(builder, reference, &found)?;
            self.check_network(builder, reference, &model, found.resize)?;
        }
        let outcome = |fold: fold::Fold| {
            let settings = Transfer {
                model: model.clone(),
                data: builder.id(found.data),
                dataset: builder.id(found.dataset),
                split: builder.id(found.split),
                fold: fold.fold,
                train_layers: self.given.train_layers,
                gradual_unfreezing: self.given.gradual_unfreezing,
                head: self.given.head,
                stochastic_depth: self.drops.stochastic_depth(),
                dropout: self.drops.dropout(),
                keep_normalize: !training.normalized,
                training: Box::new(training.training.clone()),
                save: training.save,
            };
            Outcome {
                after: fold.varied,
                ..Outcome::plain(settings, found.origin(fold.fold))
            }
        };
        Some(folds.into_iter().map(outcome).collect())
    }
}

impl Written {
    /// What the network of the source has not, where the file says which it is.
    fn check_network(
        &self,
        builder: &mut Builder<'_>,
        reference: &Reference,
        model: &ModelSource,
        resize: Resize,
    ) -> Option<()> {
        let ModelSource::Stage { id, .. } = model else {
            return Some(());
        };
        let Some(arch) = network::arch_of(builder, id) else {
            return Some(());
        };
        network::check_layers(builder, self.train_layers.as_ref(), arch)?;
        self.drops.check(builder, arch)?;
        let training = &self.training.training;
        network::check_size(builder, &reference.span, arch, training, resize)
    }
}

/// A test part that is drawn is that of one split: under another split a model may have been trained on its images.
fn check_test(builder: &mut Builder<'_>, model: &Reference, found: &fold::Found) -> Option<()> {
    let source = builder.one(model)?;
    let origin = builder.built[source].origin;
    if origin.dataset != Some(found.dataset) || origin.split == Some(found.split) {
        return Some(());
    }
    let split = builder.get::<Split>(found.split);
    if split.is_none_or(|split| split.test.is_none()) {
        return Some(());
    }
    let message = format!(
        "`{}` was trained on another split of this dataset, so that images which `{}` draws for its test part are among those that it was trained on",
        builder.id(source),
        builder.id(found.split)
    );
    let help = "train both on one split";
    builder.tell(&model.span, message, Some(help));
    None
}

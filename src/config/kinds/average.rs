//! `[average.x]`: the mean of the weights of finished models.

use super::{from, metric};
use crate::{
    config::{
        about::Gives,
        build::{Builder, Draft, FoldOf, Made, Outcome},
        data_path::Network,
        fields::Fields,
        names::ModelName,
    },
    seed::Seed,
    settings::{
        AverageNorm, AverageOf, AverageRule, Count, Metric,
        declare::{Described, OneOrMore, Table, fields},
    },
};

/// One model whose weights are the mean of those of finished models.
#[derive(Clone, Debug)]
pub struct Average {
    /// The members, at least two or with several epochs each, trained and validated on one data, split and fold: train, transfer, select or average instances.
    pub from: Vec<String>,
    /// Which epochs of a member count.
    pub checkpoint: AverageOf,
    /// Which members go into the mean.
    pub rule: AverageRule,
    /// The metric of the greedy rule.
    pub by: Metric,
    /// Where BatchNorm's statistics come from.
    pub batch_norm: AverageNorm,
    /// The members' preprocess instance.
    pub data: String,
    /// Their dataset.
    pub dataset: String,
    /// Their split.
    pub split: String,
    /// Their fold.
    pub fold: Option<u32>,
    /// Images in a step.
    pub batch_size: Count,
    /// Of the order of images when statistics are taken.
    pub seed: Seed,
}

impl Made for Average {
    fn network(&self) -> Network<'_> {
        let first = self.from.first();
        first.map_or(Network::Unknown, |first| Network::Of(first))
    }
}

fields! {
    /// One model whose weights are the mean of several.
    pub(crate) struct Given read as GivenRead {
        /// The models, of one architecture, `data`, `split` and `fold`.
        #[accepts = from::accepts()]
        from: OneOrMore<ModelName>,
        /// Which state of each; `"kept"` is all that its `keep_last` kept.
        checkpoint: AverageOf = AverageOf::Best,
        /// All of them, or those that validate no worse.
        rule: AverageRule = AverageRule::Uniform,
        /// What `"greedy"` goes by.
        by: metric::MetricName = metric::MetricName::default(),
        /// Take BatchNorm's statistics anew in a pass over the training part, or average them.
        batch_norm: AverageNorm = AverageNorm::Recompute,
        /// Images in a pass.
        batch_size: Count = Count::known(32),
        /// The order of that pass.
        #[unset = "the file's"]
        seed: Seed,
    }
}

/// Its settings.
pub(crate) fn tables() -> Vec<Table> {
    vec![Given::table()]
}

/// An average as written.
struct Written {
    from: from::Models,
    by: Metric,
    given: Given,
}

const WORDS: from::Words = from::Words {
    empty: "an average of nothing",
    one: "a member",
    one_dataset: "average models of one dataset: they must tell the same classes apart",
};

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let mut read = GivenRead::take(fields);
    read.seed.get_or_insert_with(|| fields.seed_of_file());
    let from = from::read(fields, read.from.as_ref(), WORDS);
    let by = metric::read(fields, read.by.as_ref());
    let rule = read
        .rule
        .as_ref()
        .map_or(AverageRule::Uniform, |rule| *rule.get_ref());
    if let (AverageRule::Uniform, Some(at)) = (rule, fields.place("by")) {
        let help = "add `rule = \"greedy\"`, or leave `by` out";
        fields.tell(&at, "`by` in an average that chooses nothing", Some(help));
    }
    fields.finish()?;
    Some(Box::new(Written {
        from,
        by: by.unwrap_or_default(),
        given: read.settle()?,
    }))
}

impl Draft for Written {
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let members = self.from.build(builder, self.given.checkpoint.one())?;
        if self.given.checkpoint == AverageOf::Kept {
            self.check_kept(builder, &members)?;
        } else if let [one] = members.as_slice() {
            let message = format!("an average of one model, `{}`", builder.id(*one));
            let help = "name a second model, use this one itself, or average its last epochs: `keep_last = 5` there, `checkpoint = \"kept\"` here";
            builder.tell(&self.from.span, message, Some(help));
            return None;
        }
        self.check_arch(builder, &members)?;
        // The mean is validated on one part, which no member may have trained on.
        let origin = from::origin(builder, &members)?;
        let (Some(dataset), Some(data), Some(split), FoldOf::None | FoldOf::One(_)) =
            (origin.dataset, origin.data, origin.split, origin.fold)
        else {
            let message = "these models were trained on different `data`, `split` or `fold`: what one validates, another may have trained on";
            let help = "average models of one `data`, `split` and `fold`; an `ensemble` stage takes any mix, and is evaluated on the test part";
            builder.tell(&self.from.span, message, Some(help));
            return None;
        };
        let settings = Average {
            from: members.iter().map(|member| builder.id(*member)).collect(),
            checkpoint: self.given.checkpoint,
            rule: self.given.rule,
            by: self.by,
            batch_norm: self.given.batch_norm,
            data: builder.id(data),
            dataset: builder.id(dataset),
            split: builder.id(split),
            fold: match origin.fold {
                FoldOf::One(fold) => Some(fold),
                FoldOf::None | FoldOf::Varies => None,
            },
            batch_size: self.given.batch_size,
            seed: self.given.seed,
        };
        Some(vec![Outcome::plain(settings, origin)])
    }
}

impl Written {
    /// Every member must have kept some epochs.
    fn check_kept(&self, builder: &mut Builder<'_>, members: &[usize]) -> Option<()> {
        let keeps = |member: usize| {
            let training = builder.made(member).training();
            training.is_some_and(|training| training.keep_last.is_some())
        };
        let Some(without) = members.iter().find(|member| !keeps(**member)) else {
            return Some(());
        };
        let id = builder.id(*without);
        let (message, help) = match builder.kind(*without).gives {
            Gives::Training => (
                format!("`{id}` keeps no epochs to average"),
                format!("add `keep_last = 5` to `{id}`"),
            ),
            _ => (
                format!("`{id}` is no training, and hands on one state"),
                "name train and transfer stages with `keep_last`, or leave `checkpoint = \"kept\"` out".to_owned(),
            ),
        };
        builder.tell(&self.from.span, message, Some(&help));
        None
    }

    /// Architectures that the file says must be one; those of files and selections are seen when it runs.
    fn check_arch(&self, builder: &mut Builder<'_>, members: &[usize]) -> Option<()> {
        let arch = |member: &usize| match builder.made(*member).network() {
            Network::Built(arch) => Some((*member, arch)),
            _ => None,
        };
        let archs: Vec<_> = members.iter().filter_map(arch).collect();
        let first = archs.first();
        let other = archs.iter().find(|a| Some(a.1) != first.map(|f| f.1));
        if let (Some((first, arch)), Some((other, another))) = (first, other) {
            let message = format!(
                "`{}` is a `{}`, but `{}` a `{}`: weights of different networks have no mean",
                builder.id(*other),
                another.name(),
                builder.id(*first),
                arch.name()
            );
            let help = "average models of one `arch`; an `ensemble` stage takes any mix";
            builder.tell(&self.from.span, message, Some(help));
            return None;
        }
        Some(())
    }
}

//! `[average.x]`: the mean of the weights of finished models.

use toml::Spanned;

use super::{
    super::{
        Average, Settings,
        build::{Builder, FoldOf, Outcome},
    },
    Fields, from, select, training,
};
use crate::{
    seed::Seed,
    settings::{AverageNorm, AverageOf, AverageRule, Count, Metric, Training},
};

/// An average as written.
pub(crate) struct Draft {
    from: from::Draft,
    checkpoint: AverageOf,
    rule: AverageRule,
    by: Metric,
    batch_norm: AverageNorm,
    batch_size: Count,
    seed: Seed,
}

const WORDS: from::Words = from::Words {
    empty: "an average of nothing",
    one: "a member",
    one_dataset: "average models of one dataset: they must tell the same classes apart",
};

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let from = from::read(fields, WORDS);
    let checkpoint = fields.take::<AverageOf>("checkpoint", "`\"best\"`, `\"last\"` or `\"kept\"`");
    let rule = fields.take::<AverageRule>("rule", "`\"uniform\"` or `\"greedy\"`");
    let by_at = fields.place("by");
    let by = select::metric(fields);
    let rule = rule.map(Spanned::into_inner).unwrap_or_default();
    if let (AverageRule::Uniform, Some(at)) = (rule, by_at) {
        let help = "add `rule = \"greedy\"`, or leave `by` out";
        fields.tell(&at, "`by` in an average that chooses nothing", Some(help));
    }
    let batch_norm = fields.take::<AverageNorm>("batch_norm", "`\"recompute\"` or `\"average\"`");
    let batch_size = training::batch_size(fields);
    let seed = fields.seed();
    fields.finish()?;
    Some(Draft {
        from,
        checkpoint: checkpoint.map(Spanned::into_inner).unwrap_or_default(),
        rule,
        by: by.unwrap_or_default(),
        batch_norm: batch_norm.map(Spanned::into_inner).unwrap_or_default(),
        batch_size: batch_size.map_or(Count::known(32), Spanned::into_inner),
        seed,
    })
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let members = self.from.build(builder, self.checkpoint.one())?;
        if self.checkpoint == AverageOf::Kept {
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
            checkpoint: self.checkpoint,
            rule: self.rule,
            by: self.by,
            batch_norm: self.batch_norm,
            data: builder.id(data),
            dataset: builder.id(dataset),
            split: builder.id(split),
            fold: match origin.fold {
                FoldOf::One(fold) => Some(fold),
                FoldOf::None | FoldOf::Varies => None,
            },
            batch_size: self.batch_size,
            seed: self.seed,
        };
        Some(vec![Outcome::plain(Settings::Average(settings), origin)])
    }

    /// Every member must have kept some epochs.
    fn check_kept(&self, builder: &mut Builder<'_>, members: &[usize]) -> Option<()> {
        let kept = |training: &Training| training.keep_last.is_some();
        let without = members.iter().find(|m| match builder.settings(**m) {
            Settings::Train(train) => !kept(&train.training),
            Settings::Transfer(transfer) => !kept(&transfer.training),
            _ => true,
        });
        let Some(without) = without else {
            return Some(());
        };
        let id = builder.id(*without);
        let (message, help) = match builder.settings(*without) {
            Settings::Train(_) | Settings::Transfer(_) => (
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
        let archs = members.iter().filter_map(|m| match builder.settings(*m) {
            Settings::Train(train) => Some((*m, train.network.arch)),
            _ => None,
        });
        let archs: Vec<_> = archs.collect();
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

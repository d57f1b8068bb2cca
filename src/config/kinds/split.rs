//! `[split.x]`: a hold-out or folds.

use toml::Spanned;

use super::{
    super::{
        Settings, Split, TestShare,
        build::{Builder, Origin, Outcome},
        files::Span,
        reference::Reference,
        values::{Folds, Share},
    },
    Fields, Kind,
};
use crate::{
    seed::Seed,
    settings::{Count, GroupBy, Leaks, Probability},
};

/// A split as written.
pub(crate) struct Draft {
    dataset: Reference,
    validation: Option<Probability>,
    folds: Option<Count>,
    test: Option<(TestShare, Span)>,
    /// `false` is no silence: it refuses a part that would be taken unasked.
    given: Option<bool>,
    stable: bool,
    group_by: Option<GroupBy>,
    leaks: Leaks,
    data: Option<Reference>,
    seed: Seed,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let dataset = fields.need_reference("dataset", &[Kind::Dataset]);
    if let (Some(_), Some(at)) = (fields.place("validation"), fields.place("folds")) {
        let help = "with `folds = 5` each fold holds out a fifth, so leave `validation` out";
        fields.tell(&at, "`folds` together with `validation`", Some(help));
    }
    let places = ["validation", "folds"].map(|key| fields.place(key));
    let validation = fields.take::<Share>("validation", Share::ACCEPTS);
    let folds = fields.take::<Folds>("folds", Folds::ACCEPTS);
    let test = fields.take::<Share>("test", Share::ACCEPTS);
    let given = fields.take::<bool>("given", "`true` or `false`");
    let given = given.map(Spanned::into_inner);
    let takes_given = given == Some(true);
    for (key, at) in ["validation", "folds"].into_iter().zip(places) {
        if let (true, Some(at)) = (takes_given, at) {
            let help =
                "with `given = true` the data set itself says who validates, so leave it out";
            fields.tell(&at, format!("`{key}` together with `given`"), Some(help));
        }
    }
    if let (Some(test), None, false) = (&test, &folds, takes_given) {
        let share = validation
            .as_ref()
            .map_or(Split::VALIDATION, |v| v.get_ref().0.get());
        let test_share = test.get_ref().0.get();
        if test_share + share >= 1.0 {
            let message = format!(
                "`test = {test_share}` beside `validation = {share}` leaves nothing to train on"
            );
            fields.tell(&test.span(), message, Some("take smaller shares"));
        }
    }
    let stable_at = fields.place("stable");
    let stable = fields.take::<bool>("stable", "`true` or `false`");
    let stable = stable.is_some_and(Spanned::into_inner);
    let group_at = fields.place("group_by");
    let group_by = fields.take::<GroupBy>("group_by", "`\"group\"` or `\"source\"`");
    let leaks = fields.take::<Leaks>("leaks", "`\"report\"`, `\"group\"` or `\"fail\"`");
    let leaks_at = leaks.as_ref().map(Spanned::span);
    let leaks = leaks.map(Spanned::into_inner).unwrap_or_default();
    let has_data = fields.has("data");
    let data = fields.reference("data", &[Kind::Preprocess]);
    if let (true, false, Some(at)) = (leaks != Leaks::Report, has_data, leaks_at) {
        let help = "name the preprocess stage that looked for them, such as `data = \"pixels\"`";
        fields.tell(&at, "`leaks` without `data`", Some(help));
    }
    if let (true, true, Some(at)) = (takes_given, stable, stable_at) {
        fields.tell(
            &at,
            "`stable` together with `given`",
            Some("leave one of them out"),
        );
    }
    if let (true, Some(at)) = (takes_given, group_at) {
        let help =
            "with `given = true` the data set itself says who validates, so leave `group_by` out";
        fields.tell(&at, "`group_by` together with `given`", Some(help));
    }
    let seed = fields.seed();
    fields.finish()?;
    let folds = folds.map(|folds| folds.into_inner().0);
    let validation = validation.map(|share| share.into_inner().0);
    let test = test.map(|test| {
        let share = TestShare {
            share: test.get_ref().0,
            location: fields.location(&test.span()),
        };
        (share, test.span())
    });
    Some(Draft {
        dataset: dataset?,
        // Not asked for is not filled in: a data set's own validation part is then taken.
        validation,
        folds,
        test,
        given,
        stable,
        group_by: group_by.map(Spanned::into_inner),
        leaks,
        data,
        seed,
    })
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let dataset = builder.one(&self.dataset)?;
        let data = match &self.data {
            Some(data) => Some(builder.one(data)?),
            None => None,
        };
        if let (Some(data), Some(reference)) = (data, &self.data)
            && let Settings::Preprocess(preprocess) = builder.settings(data)
            && preprocess.dataset != builder.id(dataset)
        {
            let message = format!(
                "`{}` is of the dataset `{}`, and this split of `{}`",
                builder.id(data),
                preprocess.dataset,
                builder.id(dataset)
            );
            let help = "name a preprocess stage of the same dataset";
            builder.tell(&reference.span, message, Some(help));
            return None;
        }
        let (mut may_be_given, mut has_test) = (false, false);
        if let Settings::Dataset(of) = builder.settings(dataset) {
            may_be_given =
                (of.validation.is_some() || of.manifest.is_some()) && self.given != Some(false);
            has_test = of.test.is_some();
        }
        if let (true, Some((_, at))) = (has_test, &self.test) {
            let message = format!(
                "`test` in a split of `{}`, which has a test part",
                builder.id(dataset)
            );
            let help = "leave it out: a given test part is never moved";
            builder.tell(at, message, Some(help));
            return None;
        }
        let settings = Split {
            dataset: builder.id(dataset),
            validation: self.validation,
            folds: self.folds,
            test: self.test.as_ref().map(|(share, _)| share.clone()),
            may_be_given,
            given: self.given == Some(true),
            stable: self.stable,
            group_by: self.group_by,
            leaks: self.leaks,
            data: data.map(|data| builder.id(data)),
            seed: self.seed,
        };
        let origin = Origin {
            dataset: Some(dataset),
            ..Origin::default()
        };
        Some(vec![Outcome::plain(Settings::Split(settings), origin)])
    }
}

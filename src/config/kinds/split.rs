//! `[split.x]`: a hold-out or folds.

use toml::Spanned;

use super::{dataset::Dataset, preprocess::Preprocess};
use crate::{
    config::{
        build::{Builder, Draft, Made, Origin, Outcome},
        fields::Fields,
        file::Span,
        location::Location,
        names::{DataName, PackName},
        reference::Reference,
        values::{Folds, Share},
    },
    seed::Seed,
    settings::{
        Count, GroupBy, Leaks, Probability,
        declare::{Described, Table, fields},
    },
};

/// Hold-out or folds.
#[derive(Clone, Debug)]
pub struct Split {
    /// The dataset.
    pub dataset: String,
    /// The share held out, as written; exclusive with `folds`. Where neither is given the data set's own validation part is taken, and
    /// [`Split::VALIDATION`] where it has none.
    pub validation: Option<Probability>,
    /// The number of folds, at least 2.
    pub folds: Option<Count>,
    /// The share that is drawn for a test part, where the data set has none.
    pub test: Option<TestShare>,
    /// Whether the data set may give a validation part: it names one, or a list that may.
    pub may_be_given: bool,
    /// Takes the validation part that the data set itself gives, instead of `validation` and `folds`.
    pub given: bool,
    /// Places each image by its name alone, so that a new one moves no other.
    pub stable: bool,
    /// Which images stay together.
    pub group_by: Option<GroupBy>,
    /// What is done about pictures that look alike.
    pub leaks: Leaks,
    /// The preprocess instance that looked for them; given where `leaks` is not `report`.
    pub data: Option<String>,
    /// The seed.
    pub seed: Seed,
}

impl Split {
    /// The share held out where nothing says another.
    pub const VALIDATION: f64 = 0.2;
}

/// `test = 0.1` of a split.
#[derive(Clone, Debug, PartialEq)]
pub struct TestShare {
    /// The share of all images that are to be divided.
    pub share: Probability,
    /// Where it is written.
    pub location: Location,
}

impl Made for Split {}

fields! {
    /// Which images are trained on and which judge.
    pub(crate) struct Given read as GivenRead {
        /// What is split.
        dataset: DataName,
        /// How much validates; of all images.
        #[accepts = Share::ACCEPTS]
        #[unset = "0.2"]
        validation: Option<Share>,
        /// Folds in place of one validation part.
        folds: Option<Folds>,
        /// Draw a test part of this share where the data have none, before anything else is divided.
        #[accepts = Share::ACCEPTS]
        test: Option<Share>,
        /// Take the data set's own validation part; it is taken unasked where none of `validation`, `folds`, `stable` and `group_by` is.
        #[unset = "where there is one and nothing else is asked for"]
        given: Option<bool>,
        /// An image's place depends on its name and the seed alone, so that a new one moves no other.
        stable: bool = false,
        /// Keep images of one group, or from one address, on one side.
        group_by: Option<GroupBy>,
        /// What becomes of look-alikes.
        leaks: Leaks = Leaks::Report,
        /// Who looked for them; needed with `"group"` and `"fail"`.
        data: Option<PackName>,
        /// What is drawn.
        #[unset = "the file's"]
        seed: Seed,
    }
}

/// Its settings.
pub(crate) fn tables() -> Vec<Table> {
    vec![Given::table()]
}

/// A split as written.
struct Written {
    dataset: Reference,
    data: Option<Reference>,
    test_at: Option<(Location, Span)>,
    given: Given,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let mut read = GivenRead::take(fields);
    read.seed.get_or_insert_with(|| fields.seed_of_file());
    let dataset = fields.follow(read.dataset.as_ref());
    let data = fields.follow(read.data.as_ref());
    check(fields, &read);
    fields.finish()?;
    let test_at = read.test.as_ref().map(Spanned::span);
    Some(Box::new(Written {
        dataset: dataset?,
        data,
        test_at: test_at.map(|span| (fields.location(&span), span)),
        given: read.settle()?,
    }))
}

/// Settings that exclude one another, and those that leave nothing to train on.
fn check(fields: &mut Fields<'_, '_>, read: &GivenRead) {
    if let (Some(_), Some(at)) = (fields.place("validation"), fields.place("folds")) {
        let help = "with `folds = 5` each fold holds out a fifth, so leave `validation` out";
        fields.tell(&at, "`folds` together with `validation`", Some(help));
    }
    let is_true = |flag: &Option<Spanned<bool>>| flag.as_ref().is_some_and(|f| *f.get_ref());
    let (takes_given, stable) = (is_true(&read.given), is_true(&read.stable));
    for (key, at) in ["validation", "folds"].map(|key| (key, fields.place(key))) {
        if let (true, Some(at)) = (takes_given, at) {
            let help =
                "with `given = true` the data set itself says who validates, so leave it out";
            fields.tell(&at, format!("`{key}` together with `given`"), Some(help));
        }
    }
    if let (Some(test), None, false) = (&read.test, &read.folds, takes_given) {
        let share = (read.validation)
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
    let asks = (read.leaks.as_ref()).is_some_and(|leaks| *leaks.get_ref() != Leaks::Report);
    let leaks_at = read.leaks.as_ref().map(Spanned::span);
    let has_data = fields.place("data").is_some();
    if let (true, false, Some(at)) = (asks, has_data, leaks_at) {
        let help = "name the preprocess stage that looked for them, such as `data = \"pixels\"`";
        fields.tell(&at, "`leaks` without `data`", Some(help));
    }
    if let (true, true, Some(at)) = (takes_given, stable, fields.place("stable")) {
        fields.tell(
            &at,
            "`stable` together with `given`",
            Some("leave one of them out"),
        );
    }
    if let (true, Some(at)) = (takes_given, fields.place("group_by")) {
        let help =
            "with `given = true` the data set itself says who validates, so leave `group_by` out";
        fields.tell(&at, "`group_by` together with `given`", Some(help));
    }
}

impl Draft for Written {
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let dataset = builder.one(&self.dataset)?;
        let data = match &self.data {
            Some(data) => Some(builder.one(data)?),
            None => None,
        };
        if let (Some(data), Some(reference)) = (data, &self.data)
            && let Some(preprocess) = builder.get::<Preprocess>(data)
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
        let of = builder.get::<Dataset>(dataset)?;
        let may_be_given =
            (of.validation.is_some() || of.manifest.is_some()) && self.given.given != Some(false);
        if let (true, Some((_, at))) = (of.test.is_some(), &self.test_at) {
            let message = format!(
                "`test` in a split of `{}`, which has a test part",
                builder.id(dataset)
            );
            let help = "leave it out: a given test part is never moved";
            builder.tell(at, message, Some(help));
            return None;
        }
        let given = &self.given;
        let test = given.test.zip(self.test_at.as_ref());
        let settings = Split {
            dataset: builder.id(dataset),
            // Not asked for is not filled in: a data set's own validation part is then taken.
            validation: given.validation.map(|share| share.0),
            folds: given.folds.map(|folds| folds.0),
            test: test.map(|(share, (location, _))| TestShare {
                share: share.0,
                location: location.clone(),
            }),
            may_be_given,
            given: given.given == Some(true),
            stable: given.stable,
            group_by: given.group_by,
            leaks: given.leaks,
            data: data.map(|data| builder.id(data)),
            seed: given.seed,
        };
        let origin = Origin {
            dataset: Some(dataset),
            ..Origin::default()
        };
        Some(vec![Outcome::plain(settings, origin)])
    }
}

//! `by`: the validation metric that select and average go by.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::{
    config::{fields::Fields, wording},
    name,
    settings::{
        Metric,
        declare::{Setting, Shape},
    },
};

/// The name of a metric as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct MetricName(String);

impl Default for MetricName {
    fn default() -> Self {
        Self(Metric::default().name().to_owned())
    }
}

impl Setting for MetricName {
    type Written = Self;

    fn settle(written: Self) -> Self {
        written
    }

    fn shape() -> Shape {
        Metric::shape()
    }

    fn accepts() -> String {
        name::one_of(Metric::ALL.map(Metric::name))
    }
}

/// The metric of that name; a test metric is refused in words of its own.
pub(crate) fn read(
    fields: &mut Fields<'_, '_>,
    written: Option<&Spanned<MetricName>>,
) -> Option<Metric> {
    let written = written?;
    let word = written.get_ref().0.as_str();
    let metric = Metric::ALL.into_iter().find(|metric| metric.name() == word);
    if metric.is_some() {
        return metric;
    }
    let names = MetricName::accepts();
    if word.split('.').next() == Some("test") {
        let message = format!(
            "`{word}` is a test metric: selecting by the test part makes it part of training, and it then says nothing about new photographs"
        );
        let help = format!("select by {names}; evaluate the chosen model on the test part");
        fields.tell(&written.span(), message, Some(&help));
        return None;
    }
    let help = wording::accepted(word, Metric::ALL.map(Metric::name).to_vec());
    let message = format!("unknown metric `{word}`");
    fields.tell(&written.span(), message, Some(&help));
    None
}

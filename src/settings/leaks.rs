//! What a split does about pictures that look alike.

use serde::{Deserialize, Serialize};

use super::Probability;

/// `leaks = "report"`, `"group"` or `"fail"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaks {
    /// Nothing is moved; evaluations and reports tell what leaked.
    #[default]
    Report,
    /// Pictures that look alike stay on one side of train and validation; copies of a test picture are left out of both.
    Group,
    /// Pictures that look alike across parts are an error.
    Fail,
}

/// `group_by = "group"` or `"source"`: images that belong together stay on one side of train and validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// The column `group` of the manifest.
    Group,
    /// The address that an image came from (`org_url.csv` of an AI Hub tree).
    Source,
}

/// `leaks = { cosine = 0.98 }` of an evaluation: look-alikes by what the model's head sees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureLeaks {
    /// The cosine of two images' features from which on they count as look-alikes.
    pub cosine: Probability,
}

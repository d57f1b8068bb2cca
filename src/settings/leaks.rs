//! What a split does about pictures that look alike.

use super::{
    Probability,
    declare::{settings, words},
};

words! {
    /// `leaks = "report"`, `"group"` or `"fail"`.
    #[derive(Default)]
    pub enum Leaks {
        /// Nothing is moved; evaluations and reports tell what leaked.
        #[default]
        Report = "report",
        /// Pictures that look alike stay on one side of train and validation; copies of a test picture are left out of both.
        Group = "group",
        /// Pictures that look alike across parts are an error.
        Fail = "fail",
    }
}

words! {
    /// `group_by = "group"` or `"source"`: images that belong together stay on one side of train and validation.
    pub enum GroupBy {
        /// The column `group` of the manifest.
        Group = "group",
        /// The address that an image came from (`org_url.csv` of an AI Hub tree).
        Source = "source",
    }
}

settings! {
    /// Look-alikes by what the model's head sees.
    #[example = "{ cosine = 0.98 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct FeatureLeaks {
        /// The cosine of two images' features from which on they count as look-alikes.
        pub cosine: Probability,
    }
}

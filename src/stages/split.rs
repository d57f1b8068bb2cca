//! `[split.x]`: labels to `membership.json`.

use std::{collections::HashSet, path::Path};

use serde::de::DeserializeOwned;

use super::{
    ToStage, past,
    split_refused::{refuse_empty, refuse_no_validation},
    split_told::{left_out, refuse_corrected_test, refuse_leaks, refuse_lost_classes},
    split_written,
};
use crate::{
    config,
    data::{
        Division, Groups, TestBy, copies, drawn_test, fold_groups, folds, given, hold_out,
        hold_out_groups, join_look_alikes, leave_out, stable, without,
    },
    error::{Error, Result},
    event::StageEvent,
    files::{read_json, write_json},
    record::{Assignment, ImageColumns, Images, Labels, LookAlikes, Part, PathList, Split},
    settings::{GroupBy, Leaks},
    stage::{ChangedSetting, Context, Input, Past, Stage},
    text::{count, either, plural},
};

/// Divides the training part, stratified by class; a given test part stays what it is.
pub struct SplitStage {
    id: String,
    settings: config::Split,
}

impl SplitStage {
    /// From its settings in a pipeline.
    #[must_use]
    pub fn new(id: &str, settings: &config::Split) -> Self {
        Self {
            id: id.to_owned(),
            settings: settings.clone(),
        }
    }

    /// The share of all images that validates.
    fn share(&self) -> f64 {
        let share = self.settings.validation;
        share.map_or(config::Split::VALIDATION, |share| share.get())
    }

    /// The share that validates of what a drawn test part leaves.
    fn share_of_rest(&self) -> f64 {
        let test = self.settings.test.as_ref().map_or(0.0, |t| t.share.get());
        (self.share() / (1.0 - test)).min(1.0)
    }

    /// Whether nothing says how to divide, so that the data set's own validation part would be taken.
    fn leaves_it_open(&self) -> bool {
        let s = &self.settings;
        s.may_be_given
            && !(s.given
                || s.validation.is_some()
                || s.folds.is_some()
                || s.stable
                || s.group_by.is_some())
    }
}

impl ToStage for config::Split {
    fn to_stage(&self, id: &str, _: &config::Pipeline) -> Option<Box<dyn Stage>> {
        Some(Box::new(SplitStage::new(id, self)))
    }

    fn written_value(setting: &str, value: &str) -> Option<String> {
        split_written::value(setting, value)
    }
}

impl Stage for SplitStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "split"
    }

    /// A split that keeps nothing together is still what it was in version 1.
    fn version(&self) -> u32 {
        let s = &self.settings;
        if s.group_by.is_some() || s.leaks == Leaks::Group {
            2
        } else {
            1
        }
    }

    fn has_version(&self, version: u32) -> bool {
        matches!(version, 1 | 2)
    }

    fn settings(&self) -> serde_json::Value {
        let config::Split {
            folds,
            test,
            given,
            stable,
            group_by,
            leaks,
            seed,
            // It counts where nothing says how to divide.
            may_be_given: _,
            // By its share, which has a default.
            validation: _,
            // Inputs, which are in the key by their content.
            dataset: _,
            data: _,
        } = &self.settings;
        let mut settings = match (given, folds) {
            (true, _) => serde_json::json!({ "given": true }),
            (false, Some(folds)) => serde_json::json!({ "folds": folds, "seed": seed }),
            (false, None) => serde_json::json!({ "validation": self.share(), "seed": seed }),
        };
        // Where the data set may have a validation part, asking for 0.2 and asking for nothing are two things.
        if self.leaves_it_open() {
            settings["given"] = split_written::OPEN.into();
        }
        // What is not asked for is not named: a split from before these settings keeps its key.
        if let Some(test) = test {
            settings["test"] = serde_json::json!(test.share);
            // A stable or given split draws nothing else by the seed.
            settings["seed"] = (*seed).into();
        }
        if *stable {
            settings["stable"] = true.into();
        }
        if let Some(by) = group_by {
            settings["group_by"] = serde_json::json!(by);
        }
        if *leaks != Leaks::Report {
            settings["leaks"] = serde_json::json!(leaks);
        }
        settings
    }

    fn inputs(&self) -> Vec<Input> {
        let dataset = &self.settings.dataset;
        let mut inputs = vec![Input::stage("labels", dataset, Labels::FILE)];
        let looks = self.settings.leaks != Leaks::Report;
        if self.settings.stable || looks {
            inputs.push(Input::stage("images", dataset, Images::FILE));
        }
        if let (true, Some(data)) = (looks, &self.settings.data) {
            inputs.push(Input::stage("look_alikes", data, LookAlikes::FILE));
        }
        inputs
    }

    fn outputs(&self) -> &'static [&'static str] {
        &[Split::FILE]
    }

    fn changed_settings(&self, changed: Vec<ChangedSetting>) -> Vec<ChangedSetting> {
        split_written::changed(changed, self.share())
    }

    fn written(&self, setting: &str) -> String {
        past::written(setting)
    }

    fn written_value(&self, setting: &str, value: &str) -> Option<String> {
        config::Split::written_value(setting, value)
    }

    fn changed(&self, role: &str, before: &Path, now: &Path) -> Option<String> {
        past::changed(role, before, now)
    }

    fn estimate(&self, past: &Past<'_>) -> Option<f64> {
        past::by_images(past)
    }

    fn run(&self, context: &Context<'_>) -> Result<()> {
        let corrected: Labels = read_json(&context.inputs["labels"])?;
        // A corrected label moves no image to another part: before and after can be compared.
        let labels = corrected.as_given();
        let train = labels.labels.iter().filter(|l| l.part == Part::Train);
        let train = train.count();
        if train == 0 {
            return Err(Error::usage(
                "the data set has no training part, so there is nothing to split",
            )
            .help("give the dataset a `train` folder"));
        }
        let listed = match context.inputs.get("images") {
            Some(path) => Some(ImageColumns::read(path, context.out)?.all_paths()?),
            None => None,
        };
        let none = PathList::default();
        let paths = listed.as_ref().unwrap_or(&none);
        let alike: Option<LookAlikes> = optional(context, "look_alikes")?;
        self.check_lengths(&labels, listed.as_ref(), alike.as_ref())?;
        self.refuse_second_test(&labels)?;

        let (mut split, told) = self.drawn(&labels, alike.as_ref(), paths, context)?;
        refuse_corrected_test(&split, &corrected)?;
        for image in &corrected.left_out {
            split.assignments[*image as usize] = Assignment::LeftOut;
        }
        if let (Leaks::Fail, Some(alike)) = (self.settings.leaks, &alike) {
            refuse_leaks(&split, alike, paths)?;
        }
        if self.settings.test.is_some() && split.members(Part::Test, None).is_empty() {
            let message = format!("of {train} images none is drawn for a test part");
            return Err(Error::usage(message)
                .help("give `test` a larger share, or the data set more images or groups"));
        }
        refuse_empty(&split, train, self.share() > 0.0)?;
        if let Some(by) = self.settings.group_by {
            refuse_no_validation(&split, train, by)?;
        }
        for told in told {
            (context.tell)(StageEvent::Warning(told));
        }
        write_json(&context.out.join(Split::FILE), &split)
    }
}

/// An input that the stage has only with some settings.
fn optional<T: DeserializeOwned>(context: &Context<'_>, role: &str) -> Result<Option<T>> {
    let path = context.inputs.get(role);
    path.map(|path| read_json(path)).transpose()
}

impl SplitStage {
    /// The split of a data set, with what is to be told of how it was drawn; warns of images that it leaves out or moves.
    fn drawn(
        &self,
        labels: &Labels,
        alike: Option<&LookAlikes>,
        paths: &PathList,
        context: &Context<'_>,
    ) -> Result<(Split, Vec<String>)> {
        let takes_given = self.takes_given(labels);
        let groups = match takes_given && self.settings.test.is_none() {
            true => None,
            false => self.groups(labels, alike)?,
        };
        let copies = match (self.settings.leaks, alike) {
            (Leaks::Group, Some(alike)) => copies(labels, alike, takes_given),
            _ => Vec::new(),
        };
        let rest = without(labels, &copies);
        let (rest, told_of_test) = self.draw_test(rest, paths, groups.as_ref(), takes_given);
        let (mut split, told) = self.divide(&rest, paths, groups, takes_given)?;
        leave_out(&mut split, copies);
        let warn = |text| (context.tell)(StageEvent::Warning(text));
        if let Some(told) = left_out(&split, paths) {
            warn(told);
            refuse_lost_classes(&split, labels, &rest)?;
        }
        if let Some(told) = self.groups_in_test(labels) {
            warn(told);
        }
        if !takes_given && !labels.validation.is_empty() {
            warn(format!(
                "the data set gives {} to validation, and this split divides {} anew: set `given = true` to take its own part",
                count(labels.validation.len(), "image"),
                either(labels.validation.len(), "it", "them")
            ));
        }
        Ok((split, told_of_test.into_iter().chain(told).collect()))
    }

    /// All inputs must be of one data set.
    fn check_lengths(
        &self,
        labels: &Labels,
        images: Option<&PathList>,
        alike: Option<&LookAlikes>,
    ) -> Result<()> {
        let n = labels.labels.len();
        let images = images.map_or(n, PathList::len);
        let alike = alike.map_or(n, |alike| alike.images as usize);
        if (images, alike) == (n, n) {
            return Ok(());
        }
        Err(Error::failed(format!(
            "there are {n} labels, {images} images, and {alike} images were compared: they are not of one data set"
        )))
    }

    /// Whether the data set's own validation part is taken: where that is asked for, and where nothing else is.
    fn takes_given(&self, labels: &Labels) -> bool {
        self.settings.given || (self.leaves_it_open() && !labels.validation.is_empty())
    }

    /// A given test part is never moved, and there is no second one.
    fn refuse_second_test(&self, labels: &Labels) -> Result<()> {
        let given = labels
            .labels
            .iter()
            .filter(|l| l.part == Part::Test)
            .count();
        let Some(test) = self.settings.test.as_ref().filter(|_| given > 0) else {
            return Ok(());
        };
        let message = format!(
            "`test = {}`, and the data set has a test part of {}",
            test.share.get(),
            count(given, "image")
        );
        let help = "leave it out: a given test part is never moved";
        Err(Error::placed(test.location.render(&message, Some(help))))
    }

    /// The labels with a test part, where one is to be drawn, and what is to be told of it.
    fn draw_test(
        &self,
        labels: Labels,
        paths: &PathList,
        groups: Option<&Groups>,
        takes_given: bool,
    ) -> (Labels, Option<String>) {
        let Some(test) = &self.settings.test else {
            return (labels, None);
        };
        let alone = Groups::new(labels.labels.len());
        let by = match (self.settings.stable, groups) {
            (true, groups) => TestBy::Name(groups.unwrap_or(&alone), paths),
            (false, Some(groups)) => TestBy::Group(groups),
            (false, None) => TestBy::Image,
        };
        let keep: &[u32] = if takes_given { &labels.validation } else { &[] };
        drawn_test(&labels, by, test.share.get(), self.settings.seed, keep)
    }

    /// The split, and what is to be told of it.
    fn divide(
        &self,
        labels: &Labels,
        paths: &PathList,
        groups: Option<Groups>,
        takes_given: bool,
    ) -> Result<(Split, Option<String>)> {
        let (settings, seed) = (&self.settings, self.settings.seed);
        if takes_given {
            let split = given(labels).ok_or_else(|| {
                Error::usage(
                    "`given = true`, and the data set says of no image that it is for validation",
                )
                .help("give the dataset a `validation` folder or its manifest a column `part` with `validation`, or leave `given` out")
            })?;
            return Ok((split, None));
        }
        if settings.stable {
            let division = match settings.folds {
                Some(k) => Division::Folds(k.get()),
                None => Division::HoldOut(self.share_of_rest()),
            };
            let groups = groups.unwrap_or_else(|| Groups::new(labels.labels.len()));
            return Ok(stable(labels, paths, &groups, division, seed));
        }
        Ok(match (settings.folds, groups) {
            (Some(k), None) => folds(labels, k.get(), seed),
            (None, None) => hold_out(labels, self.share_of_rest(), seed),
            (Some(k), Some(groups)) => fold_groups(labels, &groups, k.get(), seed),
            (None, Some(groups)) => hold_out_groups(labels, &groups, self.share_of_rest(), seed),
        })
    }

    /// Groups that the given test part shares with what is trained on: that part is never moved, so that it is told.
    fn groups_in_test(&self, labels: &Labels) -> Option<String> {
        let by = self.settings.group_by?;
        let (groups, images) = shared_with_test(labels, numbers(labels, by));
        let what = match by {
            GroupBy::Group => "group",
            GroupBy::Source => "source",
        };
        (groups > 0).then(|| {
            format!(
                "{} of the given test part {} images in the training part too ({} there): what is told of the test part may be too good",
                count(groups, what),
                plural(groups, "has"),
                count(images, "image"),
            )
        })
    }

    /// What stays together; `None` where nothing is asked to.
    fn groups(&self, labels: &Labels, alike: Option<&LookAlikes>) -> Result<Option<Groups>> {
        let mut groups = Groups::new(labels.labels.len());
        if let Some(by) = self.settings.group_by {
            let (none, help) = match by {
                GroupBy::Group => (
                    "`group_by = \"group\"`, and the data set has no groups",
                    "give its manifest a column `group`, or the dataset `group = \"first\"` where folders tell the group; or leave `group_by` out",
                ),
                GroupBy::Source => (
                    "`group_by = \"source\"`, and the data set does not say where its images came from",
                    "put the `org_url.csv` of the collection beside its images, or leave `group_by` out",
                ),
            };
            let numbers = numbers(labels, by);
            if numbers.iter().flatten().next().is_none() {
                return Err(Error::usage(none).help(help));
            }
            groups.join_numbers(labels, numbers);
        }
        let looks = self.settings.leaks == Leaks::Group;
        if let (true, Some(alike)) = (looks, alike) {
            join_look_alikes(&mut groups, labels, alike);
        }
        Ok((looks || self.settings.group_by.is_some()).then_some(groups))
    }
}

/// The number of each image's group, where it has one.
fn numbers(labels: &Labels, by: GroupBy) -> &[Option<u32>] {
    match by {
        GroupBy::Group => &labels.groups,
        GroupBy::Source => &labels.sources,
    }
}

/// How many groups have training images, which are so many, and test images too.
fn shared_with_test(labels: &Labels, groups: &[Option<u32>]) -> (usize, usize) {
    let of = |part: Part| {
        let images = labels.labels.iter().zip(groups);
        images.filter_map(move |(label, group)| (label.part == part).then_some(*group).flatten())
    };
    let test: HashSet<u32> = of(Part::Test).collect();
    let shared: Vec<u32> = of(Part::Train).filter(|g| test.contains(g)).collect();
    let groups: HashSet<_> = shared.iter().collect();
    (groups.len(), shared.len())
}

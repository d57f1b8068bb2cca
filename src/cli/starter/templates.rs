//! The texts of first pipelines. Stages of a kind stand together, as editors want tables of TOML to stand.

use std::path::Path;

use clap::ValueEnum;

use super::{DataSet, Machine, Sizes};
use crate::{
    error::{Error, Result},
    record::Part,
    report::duration,
    text::{number, shown_path},
};

/// What a first pipeline does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Template {
    /// Train a network from scratch, and evaluate it.
    First,
    /// A plain baseline and how far it overfits; better recipes; the best of them by validation.
    Mission,
    /// From published weights to a data set; of two, from the first to the second.
    Transfer,
    /// Learning rates and augmentations against each other, and the best of them by validation.
    Sweep,
    /// Cross-validation, and its models together on the test part.
    Folds,
}

/// What is filled in.
struct Filled<'a> {
    data: &'a [DataSet],
    sizes: Vec<Sizes>,
    root: &'a Path,
}

/// The text of a pipeline; `schema` is where its JSON Schema lies.
///
/// # Errors
/// When a path cannot be written.
pub(in crate::cli) fn text(
    template: Template,
    data: &[DataSet],
    machine: &Machine,
    root: &Path,
    file: &str,
    schema: &str,
) -> Result<String> {
    let filled = Filled {
        data,
        sizes: data.iter().map(|data| Sizes::of(data, machine)).collect(),
        root,
    };
    let (title, stages) = match template {
        Template::First => ("A first network from scratch", filled.first()?),
        Template::Mission => (
            "A baseline, better recipes, and the best of them by validation",
            filled.mission()?,
        ),
        Template::Transfer => (
            "What is learnt on one set of photographs, carried over to another",
            filled.transfer()?,
        ),
        Template::Sweep => (
            "Learning rates and augmentations against each other",
            filled.sweep()?,
        ),
        Template::Folds => (
            "Cross-validation: how much figures depend on the split",
            filled.folds()?,
        ),
    };
    let sizes = &filled.sizes[0];
    let sized = format!(
        "Sized to {} photographs and {}: a training of `{}` takes about {}. More `epochs` and a larger `resize` take longer and mostly give more.",
        number(data[0].to_train_on() as u64),
        machine.name(),
        sizes.arch,
        duration(sizes.seconds),
    );
    Ok(format!(
        "#:schema {schema}\n# {title}.\n#\n#     kfood run {file}\n#\n{}\nseed = 42\n\n{stages}",
        comment(&sized)
    ))
}

/// The published weights that a transfer begins with.
pub(in crate::cli) fn weights_for(sizes: &Sizes) -> &'static str {
    match sizes.arch {
        "resnet50" => "torchvision/resnet50.IMAGENET1K_V2",
        _ => "torchvision/resnet18.IMAGENET1K_V1",
    }
}

/// Labels that are probably wrong, by an evaluation of this name.
fn audit(of: &str) -> String {
    let what = "Labels that are probably wrong, by what is said of photographs that were not trained on: in the report, and in \
                `corrections.csv`, a list to correct.";
    format!("{}\n[audit.labels]\nfrom = \"{of}\"\n", comment(what))
}

/// How sure the model of an evaluation of this name is.
fn calibrate(of: &str) -> String {
    let what = "How sure the model may be: a temperature, fitted on validation, and the probability from which on it has this \
                precision; `kfood predict --calibration` takes both.";
    format!(
        "{}\n[calibrate.sure]\nfrom = \"{of}\"\nprecision = 0.9\n",
        comment(what)
    )
}

/// Lines of a comment, broken where they are too long.
fn comment(text: &str) -> String {
    let wrapped = crate::text::wrapped(text, 0, 110);
    let lines = wrapped.lines().map(|line| format!("# {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

impl Filled<'_> {
    fn first(&self) -> Result<String> {
        Ok(format!(
            "{}\n{}\n[evaluate.result]\nmodel = \"net\"\n\n{}\n{}",
            self.photographs(0, "", false)?,
            self.training("net", &self.recipe()),
            audit("result"),
            calibrate("result"),
        ))
    }

    fn mission(&self) -> Result<String> {
        Ok(format!(
            r#"{}
# Nothing but SGD: the gaps between the three parts tell how much it overfits.
# Each recipe is trained three times (`matrix.seed`): of one run a side no verdict on recipes can be given.
{}
# AdamW, normalisation and augmentation, in two depths.
{}
# By validation, never by test: what is chosen by the test part has been trained on it.
[select.best]
from = ["baseline", "tuned"]
by = "validation.top1"

[evaluate.baseline_result]
model = "baseline"
matrix.checkpoint = ["best", "last"]

[evaluate.tuned_result]
model = "tuned"

[evaluate.chosen]
model = "best"

{}"#,
            self.photographs(0, "", false)?,
            self.training(
                "baseline",
                "arch = \"resnet18\"\nmatrix.seed = [1, 2, 3]\noptimizer.sgd = { lr = 0.001 }\n"
            ),
            self.training(
                "tuned",
                &self.recipe().replace(
                    &self.arch(),
                    "matrix.arch = [\"resnet18\", \"resnet34\"]\nmatrix.seed = [1, 2, 3]"
                )
            ),
            calibrate("chosen"),
        ))
    }

    fn sweep(&self) -> Result<String> {
        let crop = self.sizes[0].crop;
        let recipe = format!(
            r#"{}
matrix.optimizer.adamw.lr = [0.0005, 0.002]
matrix.augment.named = {{ flips = [{{ random_horizontal_flip = 0.5 }}], crops = [
    {{ random_resized_crop = {{ size = {crop}, scale = [0.35, 1.0] }} }},
    {{ random_horizontal_flip = 0.5 }},
] }}
optimizer.adamw = {{ weight_decay = 0.05 }}
schedule.one_cycle = {{}}
normalize = "dataset"
"#,
            self.arch()
        );
        Ok(format!(
            r#"{}
# Every combination of what stands in `matrix` is a training of its own: four here. Results are told by the names `flips` and `crops`.
{}
# By validation, never by test: what is chosen by the test part has been trained on it.
[select.best]
from = ["sweep"]
by = "validation.top1"

[evaluate.chosen]
model = "best"

{}"#,
            self.photographs(0, "", false)?,
            self.training("sweep", &recipe),
            calibrate("chosen"),
        ))
    }

    fn folds(&self) -> Result<String> {
        Ok(format!(
            r#"{}
{}
# All of them together.
[ensemble.together]
from = ["net"]

# Each fold on what it held out: the spread tells how much a figure depends on the split.
[evaluate.folds_result]
model = "net"

# All together on photographs that none has seen.
[evaluate.together_result]
model = "together"
on = ["test"]

{}"#,
            self.photographs(0, "", true)?,
            self.training("net", &format!("fold = \"all\"\n{}", self.recipe())),
            audit("folds_result"),
        ))
    }

    /// From published weights to one data set.
    fn pretrained(&self) -> Result<String> {
        let sizes = &self.sizes[0];
        let of = |name: &str, more: &str| {
            format!(
                "[transfer.{name}]\nmodel = \"{}\"\ndata = \"pixels\"\nsplit = \"holdout\"\nepochs = {}\nbatch_size = {}\n{more}optimizer.adamw = {{ lr = 0.0005, weight_decay = 0.05 }}\nschedule.one_cycle = {{}}\naugment = [{{ random_horizontal_flip = 0.5 }}]\n",
                weights_for(sizes),
                sizes.epochs.min(15),
                sizes.batch
            )
        };
        Ok(format!(
            r#"{}
# Every layer moves. The weights were trained on ImageNet, and bring its normalisation.
{}
# The new head alone; quick, and enough where the photographs are like ImageNet's.
{}
[evaluate.whole_result]
model = "whole"

[evaluate.head_result]
model = "head"

{}"#,
            self.photographs(0, "", false)?,
            of("whole", ""),
            of("head", "train_layers = \"head\"\n"),
            calibrate("whole_result"),
        ))
    }

    fn transfer(&self) -> Result<String> {
        if self.data.len() == 1 {
            return self.pretrained();
        }
        let sizes = &self.sizes[1];
        let epochs = sizes.epochs.min(15);
        let of_target = |name: &str, more: &str| {
            format!(
                "[transfer.{name}]\nmodel = \"source\"\ndata = \"target_pixels\"\nsplit = \"target_holdout\"\nepochs = {epochs}\nbatch_size = {}\n{more}optimizer.adamw = {{ lr = 0.001, weight_decay = 0.05 }}\nschedule.one_cycle = {{}}\naugment = [{{ random_horizontal_flip = 0.5 }}]\n",
                sizes.batch
            )
        };
        let source = self.recipe();
        Ok(format!(
            r#"{}
{}
# Every layer moves.
{}
# The new head alone; quick, and enough where the photographs are alike.
{}
[evaluate.source_result]
model = "source"

[evaluate.whole_result]
model = "whole"

[evaluate.head_result]
model = "head"

{}"#,
            self.both_photographs()?,
            self.training_on("source", "source_", &source),
            of_target("whole", ""),
            of_target("head", "train_layers = \"head\"\n"),
            calibrate("whole_result"),
        ))
    }

    /// The stages from photographs to pixels and parts.
    fn photographs(&self, which: usize, prefix: &str, folds: bool) -> Result<String> {
        Ok(self.of_photographs(which, prefix, folds)?.join("\n"))
    }

    /// Those of both data sets, the second at the size of the first: the network has learnt at that.
    fn both_photographs(&self) -> Result<String> {
        let source = self.of_photographs(0, "source_", false)?;
        let target = self.of_photographs(1, "target_", false)?;
        let stages = source.into_iter().zip(target);
        Ok(stages
            .flat_map(|(a, b)| [a, b])
            .collect::<Vec<_>>()
            .join("\n"))
    }

    /// A dataset, its pixels and its parts, whose names begin with `prefix`.
    fn of_photographs(&self, which: usize, prefix: &str, folds: bool) -> Result<[String; 3]> {
        let (data, sizes) = (&self.data[which], &self.sizes[which]);
        let side = self.sizes[0].pixels;
        let mut dataset = format!("# {}.\n[dataset.{prefix}photos]\n", data.summary());
        match &data.manifest {
            Some(list) => dataset += &format!("manifest = {}\n", self.written(list)?),
            None => {
                for (role, path, n) in &data.parts {
                    let written = format!("{} = {}", role.name(), self.written(path)?);
                    dataset += &format!("{written:<47} # {}\n", number(*n as u64));
                }
            }
        }
        let mut pixels = format!(
            "[preprocess.{prefix}pixels]\ndataset = \"{prefix}photos\"\nresize = {{ width = {side}, height = {side} }}\n"
        );
        if let Some((said, first)) = data.unusable.told(data.photographs()) {
            let why =
                format!("{said}, and would stop a run: {first}. They are left out, and told of.");
            pixels += &format!("{}\nunreadable = \"drop\"\n", comment(&why));
        }
        let mut split = format!("[split.{prefix}holdout]\ndataset = \"{prefix}photos\"\n");
        if folds {
            split += &format!(
                "folds = {:<39} # each holds out another part of every class\n",
                sizes.folds
            );
        } else if data.has(Part::Validation) {
            split += &format!("{:<47} # the data's own validation part\n", "given = true");
        } else {
            split += &format!("{:<47} # of every class\n", "validation = 0.2");
        }
        if !data.has(Part::Test) {
            split += &format!(
                "{:<47} # drawn first, and never trained on: the data have no test part\n",
                "test = 0.1"
            );
        }
        Ok([dataset, pixels, split])
    }

    fn training(&self, name: &str, recipe: &str) -> String {
        self.training_on(name, "", recipe)
    }

    fn training_on(&self, name: &str, prefix: &str, recipe: &str) -> String {
        let sizes = &self.sizes[0];
        format!(
            "[train.{name}]\ndata = \"{prefix}pixels\"\nsplit = \"{prefix}holdout\"\nepochs = {}\nbatch_size = {}\n{recipe}",
            sizes.epochs, sizes.batch
        )
    }

    fn arch(&self) -> String {
        format!("arch = \"{}\"", self.sizes[0].arch)
    }

    /// The recipe of `pipelines/korean/best.toml`: crops that are smaller than what is judged (FixRes).
    fn recipe(&self) -> String {
        format!(
            r#"{}
optimizer.adamw = {{ lr = 0.002, weight_decay = 0.05 }}
schedule.one_cycle = {{}}
label_smoothing = 0.1
augment = [
    {{ random_resized_crop = {{ size = {}, scale = [0.35, 1.0] }} }},
    {{ random_horizontal_flip = 0.5 }},
]
normalize = "dataset"                           # channel mean and std of the training part
"#,
            self.arch(),
            self.sizes[0].crop
        )
    }

    /// A path as a text of TOML: relative to the project where it lies in it.
    fn written(&self, path: &Path) -> Result<String> {
        let below = path.strip_prefix(self.root).unwrap_or(path);
        let below = if below.as_os_str().is_empty() {
            Path::new(".")
        } else {
            below
        };
        let text = below.to_str().filter(|text| !text.contains("${"));
        let text = text.ok_or_else(|| {
            let message = format!(
                "`{}` cannot be written into a pipeline file",
                shown_path(path)
            );
            Error::usage(message).help("give the folder a name in UTF-8 without `${`")
        })?;
        Ok(toml::Value::from(text).to_string())
    }
}

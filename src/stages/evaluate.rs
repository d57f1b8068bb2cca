//! `[evaluate.x]`: a model and parts of a data set to `metrics.json`, `predictions.csv` and `log_probabilities.f32`.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    ToStage, fitting,
    model_file::{asked, given_classes, given_normalize, model_file, model_input, model_of},
    past,
};
use crate::{
    config,
    data::Pack,
    error::Result,
    files::FileList,
    record::{
        self, Evaluation, FeatureLeaks, Images, Job, Labels, LogProbabilities, LookAlikes,
        Prediction, Split,
    },
    settings::Pixels,
    stage::{Desk, Input, Past, Resource, Stage},
};

/// One `[evaluate.x]` instance.
pub(super) struct EvaluateStage {
    id: String,
    settings: config::Evaluate,
    pixels: Pixels,
}

impl EvaluateStage {
    /// From its settings and those of the preprocess instance that makes its pack.
    #[must_use]
    pub(super) fn new(
        id: &str,
        settings: &config::Evaluate,
        preprocess: &config::Preprocess,
    ) -> Self {
        Self {
            id: id.to_owned(),
            settings: settings.clone(),
            pixels: preprocess.pixels,
        }
    }
}

impl ToStage for config::Evaluate {
    fn to_stage(&self, id: &str, pipeline: &config::Pipeline) -> Option<Box<dyn Stage>> {
        let preprocess = super::pack(pipeline, &self.data)?;
        Some(Box::new(EvaluateStage::new(id, self, preprocess)))
    }
}

impl Stage for EvaluateStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "evaluate"
    }

    fn version(&self) -> u32 {
        4
    }

    fn settings(&self) -> Value {
        let config::Evaluate {
            model,
            fold,
            on,
            test_if_there,
            tta,
            batch_size,
            leaks,
            // Inputs, which are in the key by their content.
            data: _,
            dataset: _,
            split: _,
        } = &self.settings;
        let mut settings = json!({
            "on": on,
            "batch_size": batch_size,
            "fold": fold,
            "pixels": self.pixels,
            "normalize": given_normalize(model),
            "classes": given_classes(model),
        });
        // Not asked for is not named: earlier evaluations keep their keys.
        if !tta.is_empty() {
            settings["tta"] = json!(tta);
        }
        if *test_if_there {
            settings["test"] = "where there is".into();
        }
        if let Some(leaks) = leaks {
            settings["leaks"] = json!(leaks);
        }
        asked(model, &mut settings);
        settings
    }

    fn inputs(&self) -> Vec<Input> {
        vec![
            model_input(&self.settings.model),
            Input::stage("pack", &self.settings.data, Pack::FILE),
            Input::stage("look_alikes", &self.settings.data, LookAlikes::FILE),
            Input::stage("images", &self.settings.dataset, Images::FILE),
            Input::stage("labels", &self.settings.dataset, Labels::FILE),
            Input::stage("split", &self.settings.split, Split::FILE),
        ]
    }

    fn files(&self, role: &str) -> Result<FileList> {
        model_file(role, &self.settings.model)
    }

    fn outputs(&self) -> &'static [&'static str] {
        match self.settings.leaks {
            Some(_) => &[
                Evaluation::FILE,
                Prediction::FILE,
                LogProbabilities::FILE,
                FeatureLeaks::FILE,
            ],
            None => &[Evaluation::FILE, Prediction::FILE, LogProbabilities::FILE],
        }
    }

    fn written(&self, setting: &str) -> String {
        past::written(setting)
    }

    fn changed(&self, role: &str, before: &Path, now: &Path) -> Option<String> {
        past::changed(role, before, now)
    }

    fn estimate(&self, past: &Past<'_>) -> Option<f64> {
        past::by_images(past)
    }

    fn resource(&self) -> Resource {
        Resource::Tensor
    }

    fn job(&self, desk: &Desk<'_>) -> Result<Option<Job>> {
        Ok(Some(Job::Evaluate(record::Evaluate {
            data: fitting::data(self.settings.fold, desk)?,
            images: desk.input("images")?,
            look_alikes: desk.input("look_alikes")?,
            pixels: self.pixels,
            model: model_of(&self.settings.model, desk)?,
            cosine: self.settings.leaks.map(|leaks| leaks.cosine.get()),
            on: self.settings.on.clone(),
            test_if_there: self.settings.test_if_there,
            tta: self.settings.tta.clone(),
            batch_size: self.settings.batch_size.get(),
            device: desk.device.to_owned(),
            threads: desk.threads,
            out: desk.out.to_owned(),
        })))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        path::{Path, PathBuf},
    };

    use super::*;
    use crate::{
        config::{DataPath, Location, ModelSource},
        digest::Digest,
        record::Part,
        settings::{Checkpoint, Count, Normalize},
        stage::Source,
    };

    fn stage(model: ModelSource) -> EvaluateStage {
        let preprocess = config::Preprocess {
            dataset: "kfood".to_owned(),
            pixels: Pixels::new(
                serde_json::from_value(json!({"width": 96, "height": 96})).unwrap(),
            ),
            unreadable: Default::default(),
            storage: Default::default(),
        };
        let settings = config::Evaluate {
            model,
            data: "pixels".to_owned(),
            dataset: "kfood".to_owned(),
            split: "holdout".to_owned(),
            fold: Some(2),
            on: vec![Part::Train, Part::Test],
            test_if_there: false,
            tta: Vec::new(),
            batch_size: Count::new(64).unwrap(),
            leaks: None,
        };
        EvaluateStage::new("baseline", &settings, &preprocess)
    }

    fn file(path: &Path) -> ModelSource {
        ModelSource::File {
            path: DataPath {
                written: "models/m.pt".to_owned(),
                path: path.to_owned(),
                root: path.to_owned(),
                location: Location {
                    file: "mission3.toml".into(),
                    line: 7,
                    column: 9,
                    text: "model = \"models/m.pt\"".to_owned(),
                    length: 13,
                },
            },
            normalize: Some(Normalize::Imagenet),
            classes: None,
            weights: None,
            pretrained: None,
        }
    }

    fn trained(checkpoint: Checkpoint) -> ModelSource {
        ModelSource::Stage {
            id: "resnet18".to_owned(),
            checkpoint,
        }
    }

    #[test]
    fn every_setting_that_can_change_the_result_is_in_the_key() {
        let expected = json!({
            "on": ["train", "test"], "batch_size": 64, "fold": 2, "pixels": {"resize": {"width": 96, "height": 96, "fit": "squash"},
            "filter": "bilinear", "quality": "fast"}, "normalize": null, "classes": null,
        });
        assert_eq!(stage(trained(Checkpoint::Best)).settings(), expected);
        assert_eq!(
            stage(file(Path::new("m.pt"))).settings()["normalize"],
            "imagenet"
        );
    }

    #[test]
    fn the_checkpoint_decides_which_output_is_the_model() {
        let output = |checkpoint| match &stage(trained(checkpoint)).inputs()[0].source {
            Source::Stage { id, output } => format!("{id}/{output}"),
            Source::Files => "files".to_owned(),
        };
        assert_eq!(output(Checkpoint::Best), "resnet18/best.safetensors");
        assert_eq!(output(Checkpoint::Last), "resnet18/last.safetensors");
    }

    #[test]
    fn a_model_file_is_content_by_its_bytes_alone_and_missing_is_an_error_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.pt");
        let stage = stage(file(&path));
        assert_eq!(stage.inputs()[0].source, Source::Files);
        let error = stage.files("model").unwrap_err().to_string();
        assert!(
            error.contains("there is no model file `") && error.contains("mission3.toml:7:9"),
            "{error}"
        );
        std::fs::write(&path, b"weights").unwrap();
        let files = stage.files("model").unwrap();
        let files: Vec<_> = files.iter().map(|f| (f.name(), f.path())).collect();
        assert_eq!(files, [("model".to_owned(), path)]);
    }

    #[test]
    fn the_job_has_everything_in_it() {
        let inputs: BTreeMap<String, PathBuf> =
            ["model", "pack", "look_alikes", "images", "labels", "split"]
                .map(|role| (role.to_owned(), PathBuf::from(format!("/cache/{role}"))))
                .into();
        let job = stage(trained(Checkpoint::Best)).job(&Desk {
            out: Path::new("/out"),
            state: Path::new("/state"),
            key: Digest::of(b"key"),
            kin: Digest::of(b"kin"),
            inputs: &inputs,
            earlier: &[],
            device: "cpu",
            threads: 2,
        });
        let Ok(Some(Job::Evaluate(job))) = job else {
            panic!("{job:?}")
        };
        assert_eq!(job.model.path, Path::new("/cache/model"));
        assert_eq!(
            (job.data.fold, job.batch_size, job.threads),
            (Some(2), 64, 2)
        );
        assert_eq!(job.out, Path::new("/out"));
    }
}

//! Several views of an image, and several models, that answer together.

use super::*;

/// The lines of `predictions.csv`.
fn lines(job: &record::Evaluate) -> Vec<Prediction> {
    let path = job.out.join("predictions.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

/// For each image of the data set the probability that these logits give its class, averaged over them.
fn mean_of_label(logits: &[Vec<f32>], label: usize) -> f64 {
    let softmax = |logits: &Vec<f32>| {
        let e: Vec<f64> = logits.iter().map(|v| f64::from(*v).exp()).collect();
        e[label] / e.iter().sum::<f64>()
    };
    logits.iter().map(softmax).sum::<f64>() / logits.len() as f64
}

#[test]
fn views_of_an_image_are_averaged_as_probabilities_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = prepared(folder.path(), Some(&info(&CLASSES, transform())));
    job.tta = vec![Tta::HorizontalFlip];
    run(&job).unwrap();
    let found: Evaluation = files::read_json(&job.out.join("metrics.json")).unwrap();
    assert_eq!(
        (found.parts.len(), found.tta),
        (3, vec![Tta::HorizontalFlip])
    );

    agree(&job, &lines(&job));
    let model = Network::new(Arch::Resnet18, 3, 1, Device::Cpu);
    let _guard = tch::no_grad_guard();
    for (i, line) in lines(&job).iter().enumerate() {
        let x = evaluation_batch(&pixels(i), 1, SIDE, SIDE, &transform(), Device::Cpu).unwrap();
        let views = [x.shallow_clone(), x.flip([3_i64])];
        let logits = views.map(|view| logits(&model, &view));
        let expected = -mean_of_label(&logits, i % 3).ln();
        assert!(
            (line.loss - expected).abs() < 1e-4,
            "{i}: {line:?}, {expected}"
        );
    }
}

#[test]
fn an_ensemble_is_the_mean_of_the_probabilities_of_its_members() {
    let folder = tempfile::tempdir().unwrap();
    let uncropped = Transform {
        center_crop: None,
        normalize: MeanStd::IDENTITY,
        ..transform()
    };
    let mut job = prepared(folder.path(), Some(&info(&CLASSES, transform())));
    let first = model::load(&job.model.path).unwrap();
    let second = Network::new(Arch::Resnet34, 3, 2, Device::Cpu);
    let said = CheckpointInfo {
        arch: Arch::Resnet34,
        ..info(&CLASSES, uncropped)
    };
    model::safetensors::write(&job.model.path, &second.state(), Some(&said)).unwrap();
    let members = [first, model::load(&job.model.path).unwrap()];
    model::write_ensemble(&job.model.path, &members).unwrap();
    job.cosine = Some(0.98);
    run(&job).unwrap();

    agree(&job, &lines(&job));
    let first = Network::new(Arch::Resnet18, 3, 1, Device::Cpu);
    let _guard = tch::no_grad_guard();
    for (i, line) in lines(&job).iter().enumerate() {
        let logits = [(&first, transform()), (&second, uncropped)].map(|(model, transform)| {
            let x = evaluation_batch(&pixels(i), 1, SIDE, SIDE, &transform, Device::Cpu).unwrap();
            logits(model, &x)
        });
        let expected = -mean_of_label(&logits, i % 3).ln();
        assert!(
            (line.loss - expected).abs() < 1e-4,
            "{i}: {line:?}, {expected}"
        );
    }
    let error = model::load(&job.model.path).unwrap_err();
    assert!(
        error.to_string().contains("an ensemble of 2 models"),
        "{error}"
    );
}

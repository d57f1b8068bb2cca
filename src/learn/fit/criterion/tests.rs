//! Losses against values recorded from PyTorch 2.11 and timm.

use serde_json::{Value, json};

use super::*;

fn logits() -> Tensor {
    let values: [f32; 12] = [
        1.5, -0.5, 0.25, 0.1, 2.0, -1.0, -0.3, 0.4, 0.9, 3.0, -2.0, 0.0,
    ];
    Tensor::from_slice(&values)
        .reshape([4, 3])
        .set_requires_grad(true)
}

fn targets(soft: bool) -> Targets {
    let shares: [f32; 12] = [0.7, 0.3, 0.0, 0.0, 1.0, 0.0, 0.4, 0.0, 0.6, 0.0, 0.25, 0.75];
    Targets {
        classes: Tensor::from_slice(&[0_i64, 1, 1, 2]),
        soft: soft.then(|| Tensor::from_slice(&shares).reshape([4, 3])),
    }
}

/// The loss and the gradient of the first image's logits.
#[track_caller]
fn equals(given: &Value, weights: bool, soft: bool, loss: f64, gradient: [f64; 3]) {
    let training = Training::plain(given);
    let weights = weights.then(|| Tensor::from_slice(&[0.5_f32, 2.0, 1.25]));
    let criterion = Criterion::with(&training, weights);
    let logits = logits();
    let found = criterion.loss(&logits, &targets(soft)).unwrap();
    found.backward();
    let slope = Vec::<f64>::try_from(logits.grad().get(0).to_kind(Kind::Double)).unwrap();
    let near = |a: f64, b: f64| (a - b).abs() < 5e-7;
    assert!(
        near(f64::try_from(&found).unwrap(), loss),
        "{given}: {found:?} for {loss}"
    );
    for (found, expected) in slope.iter().zip(gradient) {
        assert!(
            near(*found, expected),
            "{given}: {slope:?} for {gradient:?}"
        );
    }
}

#[test]
fn cross_entropy_is_pytorchs_with_weights_smoothing_and_shares() {
    let (plain, smooth) = (json!({}), json!({ "label_smoothing": 0.1 }));
    equals(
        &plain,
        true,
        false,
        1.156_538_96,
        [-0.025_798_8, 0.008_276_8, 0.017_522],
    );
    equals(
        &plain,
        true,
        true,
        2.035_770_18,
        [0.079_537_1, -0.127_394, 0.047_856_9],
    );
    equals(
        &plain,
        false,
        true,
        1.453_658_34,
        [0.000_828_5, -0.051_204_2, 0.050_375_7],
    );
    equals(
        &smooth,
        true,
        false,
        1.216_203_21,
        [-0.010_828, -0.002_075_9, 0.012_903_9],
    );
    equals(
        &smooth,
        true,
        true,
        2.084_212_78,
        [0.089_395_3, -0.128_346_8, 0.038_951_5],
    );
    equals(
        &smooth,
        false,
        true,
        1.487_908_24,
        [0.009_995_1, -0.052_037_5, 0.042_042_4],
    );
}

#[test]
fn binary_cross_entropy_is_timms() {
    let bce = |settings: Value, smoothing: f64| json!({ "loss": { "bce": settings }, "label_smoothing": smoothing });
    let (plain, smooth) = (bce(json!({}), 0.0), bce(json!({}), 0.1));
    equals(
        &plain,
        false,
        false,
        0.738_600_25,
        [-0.015_202_1, 0.031_461_7, 0.046_848],
    );
    equals(
        &plain,
        true,
        false,
        0.716_512_62,
        [-0.007_601_1, 0.062_923_4, 0.058_560_1],
    );
    equals(
        &plain,
        false,
        true,
        0.828_600_23,
        [0.009_797_9, 0.006_461_7, 0.046_848],
    );
    equals(
        &smooth,
        false,
        false,
        0.759_016_81,
        [-0.009_646_6, 0.028_683_9, 0.044_070_3],
    );
    equals(
        &smooth,
        true,
        false,
        0.756_825_03,
        [-0.004_823_3, 0.057_367_9, 0.055_087_8],
    );
    let threshold = bce(json!({ "target_threshold": 0.2 }), 0.0);
    equals(
        &threshold,
        false,
        true,
        0.930_266_92,
        [-0.015_202_1, -0.051_871_6, 0.046_848],
    );
    let sum = bce(json!({ "sum_classes": true }), 0.0);
    equals(
        &sum,
        false,
        false,
        2.215_800_76,
        [-0.045_606_4, 0.094_385_2, 0.140_544_1],
    );
}

#[test]
fn the_focal_loss_is_its_formula_and_without_gamma_cross_entropy() {
    let focal = |gamma: f64| json!({ "loss": { "focal": { "gamma": gamma } } });
    equals(
        &focal(2.0),
        false,
        false,
        0.835_735_68,
        [-0.017_423, 0.005_589_7, 0.011_833_3],
    );
    equals(
        &focal(0.5),
        false,
        false,
        1.048_582_67,
        [-0.057_253_9, 0.018_368_3, 0.038_885_7],
    );
    equals(
        &focal(2.0),
        true,
        true,
        1.660_882_47,
        [0.123_010_3, -0.164_142_1, 0.041_131_8],
    );
    let mut smooth = focal(2.0);
    smooth["label_smoothing"] = json!(0.1);
    equals(
        &smooth,
        false,
        false,
        0.895_946_03,
        [-0.002_330_5, -0.003_096, 0.005_426_5],
    );
    equals(
        &focal(0.0),
        false,
        false,
        1.183_658_24,
        [-0.074_171_5, 0.023_795_8, 0.050_375_7],
    );
}

#[test]
fn the_focal_loss_of_a_certain_image_has_a_gradient() {
    let logits = Tensor::from_slice(&[200.0_f32, -200.0]).reshape([1, 2]);
    let logits = logits.set_requires_grad(true);
    let training = Training::plain(&json!({ "loss": { "focal": { "gamma": 0.5 } } }));
    let criterion = Criterion::with(&training, None);
    let targets = Targets {
        classes: Tensor::from_slice(&[0_i64]),
        soft: None,
    };
    criterion.loss(&logits, &targets).unwrap().backward();
    assert!(bool::try_from(logits.grad().isfinite().all()).unwrap());
}

#[test]
fn balanced_weights_are_scikit_learns() {
    let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
    let weights = |counts: &[u64]| class_weights(&ClassWeights::Balanced, &names, counts).unwrap();
    // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 0, 0, 0, 1, 1, 2])
    assert_eq!(weights(&[6, 2, 1]), [0.5, 1.5, 3.0]);
    assert_eq!(weights(&[6, 2, 0]), [8.0 / 12.0, 2.0, 1.0]);
}

#[test]
fn weights_by_name_leave_the_others_and_an_unknown_name_is_told() {
    let names: Vec<String> = ["김밥", "비빔밥"].map(str::to_owned).into();
    let given = |text: &str| serde_json::from_str(text).unwrap();
    let known = class_weights(&given(r#"{"김밥": 2}"#), &names, &[1, 1]).unwrap();
    assert_eq!(known, [2.0, 1.0]);
    let error = class_weights(&given(r#"{"냉면": 2}"#), &names, &[1, 1]).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`class_weights` names `냉면`"), "{text}");
}

//! Values that cannot be, told where they stand.

use super::{changed, load, mistakes, told};

/// Each change to the pipeline, and the one mistake that it is: place and words.
#[track_caller]
fn each_is_told(cases: &[(&str, &str, &str)]) {
    for &(from, to, expected) in cases {
        assert_eq!(told(&changed(from, to)), [expected], "{to}");
    }
}

#[test]
fn numbers_of_epochs_and_seeds_are_whole_and_in_their_range() {
    each_is_told(&[
        (
            "epochs = 3",
            "epochs = \"3\"",
            "18:10 invalid value `\"3\"` for `epochs`: expected a whole number of at least 1",
        ),
        (
            "epochs = 3",
            "epochs = 99999999999999999999",
            "18:10 invalid value `99999999999999999999` for `epochs`: expected a whole number of at least 1",
        ),
        (
            "epochs = 3",
            "repeated_augmentation = 0\nepochs = 3",
            "18:25 invalid value `0` for `repeated_augmentation`: expected a whole number of at least 1",
        ),
        (
            "seed = 7",
            "seed = -7",
            "1:8 invalid value `-7` for `seed`: expected a whole number from 0 to 4294967295",
        ),
    ]);
}

#[test]
fn an_optimizer_has_its_settings_and_they_are_numbers() {
    each_is_told(&[
        (
            "lr = 0.1",
            "lr = nan",
            "19:24 invalid value `nan` for `optimizer.sgd.lr`: expected a number above 0",
        ),
        (
            "lr = 0.1",
            "lr = inf",
            "19:24 invalid value `inf` for `optimizer.sgd.lr`: expected a number above 0",
        ),
        ("lr = 0.1", "", "19:17 missing `lr` in `optimizer.sgd`"),
        (
            "optimizer.sgd = { lr = 0.1 }",
            "optimizer.adam = { lr = 0.1, betas = [0.9, 1.0] }",
            "19:44 invalid value `1.0` for `optimizer.adam.betas`: expected a number from 0 to below 1",
        ),
        (
            "epochs = 3",
            "epochs = 3\nlayer_decay = 1.5",
            "19:15 invalid value `1.5` for `layer_decay`: expected a number above 0 and at most 1",
        ),
        (
            "epochs = 3",
            "epochs = 3\nema = { decay = 1 }",
            "19:17 invalid value `1` for `ema.decay`: expected a number from 0 to below 1",
        ),
        (
            "epochs = 3",
            "epochs = 3\nclip_grad_norm = 0",
            "19:18 invalid value `0` for `clip_grad_norm`: expected a number above 0",
        ),
        (
            "lr = 0.1",
            "lr = 0.1, nesterov = true",
            "19:40 `nesterov` without `momentum`",
        ),
        (
            "optimizer.sgd = { lr = 0.1 }",
            "",
            "14:8 missing `optimizer` in `train.net`",
        ),
        (
            "optimizer.sgd",
            "optimizer.sgdd",
            "19:11 unknown value `sgdd` for `optimizer`",
        ),
        (
            "optimizer.sgd = { lr = 0.1 }",
            "optimizer = \"adamw\"",
            "19:13 `adamw` of `optimizer` needs `lr`",
        ),
        (
            "optimizer.sgd =",
            "optimizer.adam = { lr = 1 }\noptimizer.sgd =",
            "19:1 `optimizer` takes exactly one setting",
        ),
    ]);
}

#[test]
fn a_schedule_fits_the_epochs_of_its_training() {
    each_is_told(&[
        (
            "epochs = 3",
            "schedule.cosine = { warmup_epochs = 3 }\nepochs = 3",
            "18:1 `warmup_epochs` of 3 in a training of 3 epochs: the schedule would never begin",
        ),
        (
            "epochs = 3",
            "epochs = 3\nschedule.multi_step = { milestones = [2, 1] }",
            "19:38 invalid value `[2, 1]` for `schedule.multi_step.milestones`: expected a list of whole numbers from small to large such as `[30, 60, 80]`",
        ),
        (
            "epochs = 3",
            "epochs = 3\nschedule.one_cycle = { three_phase = true, pct_start = 0.6 }",
            "19:56 `pct_start` of 0.6 with `three_phase`: the fall is as long as the rise, and would not end",
        ),
        (
            "epochs = 3",
            "epochs = 3\nschedule.plateau = { factor = 1.0 }",
            "19:31 invalid value `1.0` for `schedule.plateau.factor`: expected a number from 0 to below 1",
        ),
        (
            "epochs = 3",
            "epochs = 3\nschedule = \"step\"",
            "19:12 `step` of `schedule` needs `step_size`",
        ),
        (
            "epochs = 3",
            "epochs = 3\nschedule = \"cosin\"",
            "19:12 unknown value `cosin` for `schedule`",
        ),
    ]);
}

#[test]
fn mixing_and_losses_have_probabilities_and_weights_that_can_be() {
    each_is_told(&[
        (
            "epochs = 3",
            "mix = { mixup = {}, off_epochs = 3 }\nepochs = 3",
            "18:7 `off_epochs` of 3 in a training of 3 epochs: no batch would be mixed",
        ),
        (
            "epochs = 3",
            "mix = { mixup = { probability = 0.7 }, cutmix = {} }\nepochs = 3",
            "18:33 probabilities of 1.2 in all: a batch is mixed one way or not at all",
        ),
        (
            "epochs = 3",
            "mix = { off_epochs = 1 }\nepochs = 3",
            "18:22 `mix` with nothing to mix by",
        ),
        (
            "epochs = 3",
            "mix.mixup = { alpha = 0 }\nepochs = 3",
            "18:23 invalid value `0` for `mix.mixup.alpha`: expected a number above 0",
        ),
        (
            "epochs = 3",
            "loss.focal = { gamma = -1 }\nepochs = 3",
            "18:24 invalid value `-1` for `loss.focal.gamma`: expected a number of at least 0",
        ),
        (
            "epochs = 3",
            "class_weights = { kimbap = 0 }\nepochs = 3",
            "18:28 invalid value `0` for `class_weights.kimbap`: expected a number above 0",
        ),
    ]);
}

#[test]
fn an_architecture_is_one_of_those_there_are() {
    each_is_told(&[
        (
            "arch = \"resnet18\"",
            "arch = \"resnet19\"",
            "17:8 unknown value `resnet19` for `arch`",
        ),
        (
            "arch = \"resnet18\"",
            "arch = 18",
            "17:8 invalid value `18` for `arch`: expected `resnet18`, `resnet34`, `resnet50`, `resnet101`, `resnet152`, `convnext_tiny` or `efficientnet_b0`",
        ),
    ]);
}

#[test]
fn a_split_has_a_share_or_folds_and_a_training_names_its_fold() {
    each_is_told(&[
        (
            "folds = 5",
            "folds = 1",
            "12:9 invalid value `1` for `folds`: expected a whole number from 2 to 1000",
        ),
        (
            "folds = 5",
            "validation = 1.5",
            "12:14 invalid value `1.5` for `validation`: expected a number above 0 and below 1, such as 0.2",
        ),
        (
            "folds = 5",
            "validation = 1",
            "12:14 invalid value `1` for `validation`: expected a number above 0 and below 1, such as 0.2",
        ),
        (
            "folds = 5",
            "validation = 0",
            "12:14 invalid value `0` for `validation`: expected a number above 0 and below 1, such as 0.2",
        ),
        (
            "folds = 5",
            "validation = nan",
            "12:14 invalid value `nan` for `validation`: expected a number above 0 and below 1, such as 0.2",
        ),
        (
            "folds = 5",
            "folds = 5\nvalidation = 0.2",
            "12:1 `folds` together with `validation`",
        ),
        (
            "epochs = 3",
            "epochs = 3\nfold = 1",
            "19:8 `fold` is given, but `holdout` is a hold-out",
        ),
        (
            "epochs = 3",
            "epochs = 3\nfold = \"all\"",
            "19:8 `fold` is given, but `holdout` is a hold-out",
        ),
        (
            "split = \"holdout\"",
            "split = \"five\"",
            "14:8 `five` has 5 folds, and `fold` does not say which one validates",
        ),
        (
            "split = \"holdout\"",
            "split = \"five\"\nfold = 5",
            "17:8 fold 5 of `five`, which has 5",
        ),
    ]);
}

#[test]
fn kept_epochs_are_some_of_those_there_are() {
    each_is_told(&[
        (
            "epochs = 3",
            "epochs = 3\nkeep_last = 1",
            "19:13 `keep_last` of 1: expected a whole number from 2 to 50",
        ),
        (
            "epochs = 3",
            "epochs = 3\nkeep_last = 4",
            "19:13 `keep_last` of 4 in a training of 3 epochs",
        ),
        (
            "epochs = 3",
            "epochs = 3\nkeep_last = 2\nkeep = \"best\"",
            "20:8 `keep = \"best\"` beside `keep_last`, which keeps the last epochs",
        ),
    ]);
}

#[test]
fn sizes_of_images_are_within_bounds_and_grow_to_the_full_size() {
    each_is_told(&[
        (
            "height = 64",
            "height = 60000",
            "7:33 invalid value `60000` for `resize.height`: expected a whole number from 1 to 8192",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_resized_crop = { size = 100000 } }]",
            "19:45 invalid value `100000` for `augment.random_resized_crop.size`: expected a whole number from 1 to 8192",
        ),
        (
            "epochs = 3",
            "epochs = 3\ntest_resolution = 9000",
            "19:19 invalid value `9000` for `test_resolution`: expected a whole number from 1 to 8192",
        ),
        (
            "epochs = 3",
            "epochs = 3\ntest_resolution = 2049",
            "19:19 a model would be given more than 4,194,304 pixels: images of 64 x 64 with a shorter side of 2049",
        ),
        (
            "epochs = 3",
            "epochs = 3\nprogressive_resizing = { from = 32, epochs = 2, hold_epochs = 1 }",
            "19:24 `progressive_resizing` reaches the full size in epoch 4, and the training has 3",
        ),
        (
            "epochs = 3",
            "epochs = 3\nprogressive_resizing = { from = 64, epochs = 2 }",
            "19:24 images would grow from 64 pixels to the 64 that they have",
        ),
        (
            "epochs = 3",
            "epochs = 3\nprogressive_resizing = { from = 8, epochs = 2 }\naugment = [{ gaussian_blur = { kernel_size = 17 } }]",
            "20:12 `gaussian_blur` with a kernel of 17 pixels does not fit the image, which is 8 x 8",
        ),
    ]);
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
#[test]
fn augmentations_fit_the_image_and_their_numbers_their_ranges() {
    each_is_told(&[
        (
            "epochs = 3",
            "augment = [{ center_crop = 30 }, { center_crop = 20 }]\nepochs = 3",
            "18:34 a second `center_crop`",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_resized_crop = { size = 8, scale = [1, 0.1] } }]",
            "19:56 invalid value `[1, 0.1]` for `augment.random_resized_crop.scale`: expected the smaller number first",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ center_crop = 65 }]",
            "19:12 `center_crop` of 65 pixels is larger than the image, which is 64 x 64",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_affine = { degrees = [15, -15] } }]",
            "19:42 invalid value `[15, -15]` for `augment.random_affine.degrees`: expected a number of at least 0, or two numbers with the smaller one first",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_affine = { shear = [1, 2, 3] } }]",
            "19:40 invalid value `[1, 2, 3]` for `augment.random_affine.shear`: expected a shear from 0 to below 90 degrees, or 2 or 4 of them from -90 to 90, each pair the smaller one first",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ color_jitter = { hue = 0.6 } }]",
            "19:37 invalid value `0.6` for `augment.color_jitter.hue`: expected a number from 0 to 0.5, or two from -0.5 to 0.5 with the smaller one first",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ gaussian_blur = { kernel_size = 4 } }]",
            "19:46 invalid value `4` for `augment.gaussian_blur.kernel_size`: expected a whole and odd number of at least 1",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ gaussian_blur = { kernel_size = 129 } }]",
            "19:12 `gaussian_blur` with a kernel of 129 pixels does not fit the image, which is 64 x 64",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ rand_augment = { magnitude = 31 } }]",
            "19:12 `magnitude = 31` is beyond the scale, which has `num_magnitude_bins = 31`",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ trivial_augment_wide = { num_magnitude_bins = 1 } }]",
            "19:12 `num_magnitude_bins = 1` leaves one strength alone",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_affine = { scale = [0.5, 1, 2] } }]",
            "19:40 invalid value `[0.5, 1, 2]` for `augment.random_affine.scale`: expected a list of 2 values",
        ),
        (
            "epochs = 3",
            "epochs = 3\nnormalize = { mean = [0.5, 0.5, 0.5, 0.5], std = [1, 1, 1] }",
            "19:22 invalid value `[0.5, 0.5, 0.5, 0.5]` for `normalize.mean`: expected a list of 3 values",
        ),
        (
            "epochs = 3",
            "epochs = 3\nnormalize = { mean = [0.5, 0.5], std = [1, 1, 1] }",
            "19:22 invalid value `[0.5, 0.5]` for `normalize.mean`: expected a list of 3 values",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [\"random_horizontal_flip\"]",
            "19:12 `random_horizontal_flip` of `augment` needs its value: `{ random_horizontal_flip = … }`",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ auto_augment = \"cifar10\" }]",
            "19:29 unknown value `cifar10` for `augment.auto_augment`",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_erasing = {} }, { random_rotation = 15 }]",
            "19:12 `random_erasing` acts behind normalisation, and other augmentations follow it in the list",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_erasing = { value = \"noise\" } }]",
            "19:41 invalid value `\"noise\"` for `augment.random_erasing.value`: expected a number, three of them for red, green and blue, or `\"random\"`",
        ),
    ]);
}

#[test]
fn a_time_between_two_saves_is_a_number_and_its_unit() {
    let text = changed("epochs = 3", "epochs = 3\nsave = { every = \"5 minutes\" }");
    assert_eq!(
        mistakes(&text),
        r#"error: invalid value `"5 minutes"` for `save.every`: expected a time such as "90s", "5m" or "1h"
  --> p.toml:19:18
   |
19 | save = { every = "5 minutes" }
   |                  ^^^^^^^^^^^
"#
    );
    for (every, accepted) in [
        ("\"90s\"", true),
        ("\"1h\"", true),
        ("\"0m\"", false),
        ("300", false),
    ] {
        let text = changed(
            "epochs = 3",
            &format!("epochs = 3\nsave = {{ every = {every} }}"),
        );
        assert_eq!(load(&text).is_ok(), accepted, "{every}");
    }
}

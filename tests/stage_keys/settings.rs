//! Each setting is in the key of the stage that it changes, and in no other.

use super::{NAMES, PIPELINE, by_id, edited, stages_of};

/// Asserts which stages have other settings after an edit, and that no stage has other inputs.
#[track_caller]
fn changes_settings(from: &str, to: &str, expected: &[&str]) {
    let (before, after) = (
        by_id(&stages_of(PIPELINE)),
        by_id(&stages_of(&edited(from, to))),
    );
    let mut found = Vec::new();
    for name in NAMES {
        let ((was, read), (is, reads)) = (&before[name], &after[name]);
        assert_eq!(reads, read, "inputs of `{name}`: {from} -> {to}");
        if was != is {
            found.push(name);
        }
    }
    assert_eq!(found, expected, "{from} -> {to}");
}

/// Asserts of each edit that the stage alone that it names has other settings.
#[track_caller]
fn each_changes_its_stage_alone(edits: &[(&str, &str, &str)]) {
    for &(stage, from, to) in edits {
        changes_settings(from, to, &[stage]);
    }
}

#[test]
fn each_setting_of_a_split_is_in_its_key_alone() {
    each_changes_its_stage_alone(&[
        ("holdout", "validation = 0.25", "validation = 0.3"),
        (
            "holdout",
            "validation = 0.25",
            "validation = 0.25\nseed = 8",
        ),
        ("five", "folds = 5", "folds = 4"),
        ("five", "folds = 5", "folds = 5\nseed = 8"),
    ]);
}

#[test]
fn what_a_training_keeps_is_in_its_key_and_decides_what_a_selection_reads() {
    let precision = "precision = \"f32\"\n";
    let keep = format!("{precision}keep = \"best\"\n");
    let before = by_id(&stages_of(PIPELINE));
    let after = by_id(&stages_of(&edited(precision, &keep)));
    for name in NAMES {
        let same = (
            before[name].0 == after[name].0,
            before[name].1 == after[name].1,
        );
        let expected = match name {
            "folded" => (false, true),
            "chosen" => (true, false),
            _ => (true, true),
        };
        assert_eq!(same, expected, "{name}");
    }
}

#[test]
fn each_setting_of_how_weights_move_is_in_the_key_of_its_training_alone() {
    each_changes_its_stage_alone(&[
        ("deep", "lr = 0.1,", "lr = 0.10000000000000002,"),
        ("deep", "momentum = 0.9", "momentum = 0.8"),
        ("deep", "nesterov = true", "nesterov = false"),
        ("deep", "weight_decay = 0.0005", "weight_decay = 0.0001"),
        ("deep", "norm_weight_decay = 0\n", ""),
        ("deep", "bias_weight_decay = 0.001", "bias_weight_decay = 0"),
        ("deep", "layer_decay = 0.75", "layer_decay = 0.5"),
        ("deep", "clip_grad_norm = 2\n", ""),
        ("deep", "clip_grad_value = 0.5", "clip_grad_value = 1"),
        ("deep", "accumulation_steps = 2", "accumulation_steps = 3"),
        ("deep", "decay = 0.99,", "decay = 0.999,"),
        ("deep", ", warmup = true", ""),
        ("deep", "step_size = 2", "step_size = 1"),
        ("deep", "gamma = 0.5", "gamma = 0.25"),
        ("deep", "warmup_epochs = 1", "warmup_epochs = 2"),
        ("folded", "lr = 0.002", "lr = 0.002, betas = [0.9, 0.99]"),
        ("folded", "lr = 0.002", "lr = 0.002, eps = 1e-7"),
        ("folded", "optimizer.adamw", "optimizer.adam"),
        ("folded", "optimizer.adamw", "optimizer.rmsprop"),
        ("folded", "optimizer.adamw", "optimizer.lamb"),
        (
            "folded",
            "schedule.cosine = {}",
            "schedule.cosine = { min_lr = 1e-5 }",
        ),
        ("folded", "schedule.cosine = {}", "schedule.constant = {}"),
        ("folded", "schedule.cosine = {}", "schedule.one_cycle = {}"),
        (
            "folded",
            "schedule.cosine = {}",
            "schedule.cosine = { interval = \"step\" }",
        ),
    ]);
}

#[test]
fn each_setting_of_what_is_trained_and_for_how_long_is_in_the_key_of_its_training_alone() {
    each_changes_its_stage_alone(&[
        ("deep", "resnet18", "resnet50"),
        ("deep", "epochs = 3", "epochs = 4"),
        ("deep", "epochs = 3", "epochs = 3\nseed = 8"),
        ("deep", "batch_size = 16", "batch_size = 8"),
        ("deep", "zero_init_residual = true\n", ""),
        ("deep", "epochs = 3", "epochs = 3\ndeterministic = false"),
        ("deep", "epochs = 3", "epochs = 3\nallow_tf32 = true"),
        ("deep", "keep_last = 2", "keep_last = 3"),
        ("deep", "keep_last = 2\n", ""),
        ("deep", "patience = 2", "patience = 3"),
        ("deep", "patience = 2", "patience = 2, min_delta = 0.01"),
        (
            "deep",
            "patience = 2",
            "patience = 2, monitor = \"validation.loss\"",
        ),
        ("folded", "fold = 1", "fold = 2"),
        ("folded", "precision = \"f32\"", "precision = \"bf16\""),
        ("folded", "precision = \"f32\"", ""),
    ]);
}

#[test]
fn each_setting_of_images_and_their_classes_is_in_the_key_of_its_training_alone() {
    each_changes_its_stage_alone(&[
        ("deep", "label_smoothing = 0.1", "label_smoothing = 0.2"),
        ("deep", "epochs = 3", "epochs = 3\nloss.focal = {}"),
        ("deep", "epochs = 3", "epochs = 3\nloss.bce = {}"),
        (
            "deep",
            "epochs = 3",
            "epochs = 3\nclass_weights = \"balanced\"",
        ),
        (
            "deep",
            "epochs = 3",
            "epochs = 3\nclass_weights = { a = 2 }",
        ),
        ("deep", "epochs = 3", "epochs = 3\nsampling = \"balanced\""),
        (
            "deep",
            "epochs = 3",
            "epochs = 3\nrepeated_augmentation = 2",
        ),
        ("deep", "epochs = 3", "epochs = 3\nmix = { mixup = {} }"),
        (
            "deep",
            "epochs = 3",
            "epochs = 3\nmix = { cutmix = {}, off_epochs = 1 }",
        ),
        ("deep", "random_rotation = 15", "random_rotation = 10"),
        ("deep", "center_crop = 40", "center_crop = 39"),
        ("deep", "size = 32", "size = 31"),
        ("deep", "size = 32", "size = 32, scale = [0.5, 1]"),
        ("deep", "size = 32", "size = 32, ratio = [1, 1]"),
        (
            "deep",
            "{ random_horizontal_flip = 0.5 }, { random_vertical_flip = 0.25 }",
            "{ random_vertical_flip = 0.25 }, { random_horizontal_flip = 0.5 }",
        ),
        ("deep", ", { random_vertical_flip = 0.25 }", ""),
        (
            "deep",
            "normalize = \"dataset\"",
            "normalize = \"imagenet\"",
        ),
        ("folded", "mean = [0.5, 0.5, 0.5]", "mean = [0.5, 0.5, 0.4]"),
        ("deep", "test_resolution = 48\n", ""),
        ("deep", "test_resolution = 48", "test_resolution = 64"),
        (
            "deep",
            "progressive_resizing = { from = 16, epochs = 2 }\n",
            "",
        ),
        ("deep", "from = 16", "from = 24"),
        ("deep", "from = 16", "from = 16, multiple_of = 8"),
        (
            "deep",
            "from = 16, epochs = 2",
            "from = 16, epochs = 1, hold_epochs = 1",
        ),
    ]);
}

#[test]
fn each_setting_of_a_selection_or_a_transfer_is_in_its_key_alone() {
    each_changes_its_stage_alone(&[
        ("chosen", "validation.loss", "validation.top1"),
        ("partial", "{ from = \"layer3\" }", "{ from = \"layer4\" }"),
        (
            "partial",
            "{ from = \"layer3\" }\ngradual_unfreezing = { epochs = 2 }",
            "\"head\"",
        ),
        ("partial", "gradual_unfreezing = { epochs = 2 }", ""),
        (
            "partial",
            "unfreezing = { epochs = 2 }",
            "unfreezing = { epochs = 3 }",
        ),
        ("partial", "{ from = \"layer3\" }", "\"all\""),
        (
            "partial",
            "epochs = 9\n",
            "epochs = 9\nnormalize = \"none\"\n",
        ),
        ("partial", "lr = 0.001", "lr = 0.0011"),
    ]);
}

#[test]
fn each_setting_of_an_evaluation_is_in_its_key_alone() {
    each_changes_its_stage_alone(&[
        (
            "result",
            "on = [\"test\"]",
            "on = [\"validation\", \"test\"]",
        ),
        (
            "result",
            "on = [\"test\"]",
            "on = [\"test\"]\nbatch_size = 8",
        ),
    ]);
}

#[test]
fn each_setting_of_what_reads_an_evaluation_is_in_its_key_alone() {
    each_changes_its_stage_alone(&[
        ("suspects", "on = \"test\"", "on = \"validation\""),
        (
            "suspects",
            "on = \"test\"",
            "on = [\"validation\", \"test\"]",
        ),
        ("certain", "precision = 0.95", "precision = 0.9"),
        ("certain", "precision = 0.95", ""),
    ]);
}

#[test]
fn the_size_of_a_pack_is_a_setting_of_all_that_read_it() {
    // A training writes it into its model's transform, and an evaluation checks the model against it.
    let all = ["pixels", "deep", "folded", "partial", "result", "together"];
    changes_settings("width = 64", "width = 65", &all);
    changes_settings("height = 48", "height = 47", &all);
    for filter in ["bicubic", "lanczos"] {
        let to = format!("height = 48 }}\nfilter = \"{filter}\"");
        changes_settings("height = 48 }", &to, &all);
    }
}

#[test]
fn the_seed_of_the_file_is_a_setting_of_every_stage_that_draws() {
    let all = ["holdout", "five", "deep", "folded", "partial", "soup"];
    changes_settings("seed = 7", "seed = 8", &all);
    changes_settings("seed = 7", "", &all);
}

#[test]
fn a_reference_changes_the_inputs_of_its_stage_and_no_settings() {
    let before = by_id(&stages_of(PIPELINE));
    for (stage, from, to) in [
        ("chosen", "[\"deep\", \"folded\"]", "[\"folded\", \"deep\"]"),
        ("partial", "model = \"chosen\"", "model = \"deep\""),
        ("result", "model = \"partial\"", "model = \"deep\""),
        ("result", "on = [", "checkpoint = \"last\"\non = ["),
        ("result", "on = [", "split = \"five\"\non = ["),
        (
            "suspects",
            "[audit.suspects]\nfrom = \"together\"",
            "[audit.suspects]\nfrom = \"result\"",
        ),
    ] {
        let after = by_id(&stages_of(&edited(from, to)));
        for name in NAMES {
            let ((was, read), (is, reads)) = (&before[name], &after[name]);
            assert_eq!(is, was, "settings of `{name}`: {to}");
            assert_eq!(reads != read, name == stage, "inputs of `{name}`: {to}");
        }
    }
}

//! How a pipeline is written is no setting: names, places, comments, order, defaults.

use kfood::stage::Stage;
use serde_json::{Value, json};

use super::{NAMES, PIPELINE, by_id, edited, settings, stages, stages_of};

#[test]
fn the_folder_and_the_place_of_the_data_are_no_settings() {
    let expected = settings(&stages_of(PIPELINE));
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("두 번째 project/pipelines");
    assert_eq!(settings(&stages(PIPELINE, &deep)), expected);
    let moved = PIPELINE.replace("\"data/", "\"/somewhere/else/");
    assert_ne!(moved, PIPELINE);
    assert_eq!(settings(&stages_of(&moved)), expected);
}

#[test]
fn names_of_stages_are_no_settings() {
    let mut renamed = PIPELINE.to_owned();
    for (i, name) in NAMES.iter().enumerate() {
        for (from, to) in [
            (format!(".{name}]"), format!(".other{i}]")),
            (format!("\"{name}\""), format!("\"other{i}\"")),
        ] {
            renamed = renamed.replace(&from, &to);
        }
        assert!(!renamed.contains(name), "`{name}` is left in\n{renamed}");
    }
    let (before, after) = (stages_of(PIPELINE), stages_of(&renamed));
    assert_eq!(settings(&after), settings(&before));
    let roles = |stages: &[Box<dyn Stage>]| -> Vec<Vec<String>> {
        let inputs = stages.iter().map(|stage| stage.inputs());
        inputs
            .map(|inputs| inputs.into_iter().map(|input| input.role).collect())
            .collect()
    };
    assert_eq!(roles(&after), roles(&before));
}

#[test]
fn comments_and_the_order_of_tables_and_lines_are_no_settings() {
    let expected = by_id(&stages_of(PIPELINE));
    let (head, tables) = PIPELINE.split_once("\n[").unwrap();
    let mut text = format!("# A comment.\n{head} # seed = 8\n");
    for table in tables.split("\n[").collect::<Vec<_>>().into_iter().rev() {
        let mut lines = table.lines().filter(|line| !line.is_empty());
        text.push_str(&format!("\n\n[{} # A name.\n", lines.next().unwrap()));
        for line in lines.rev() {
            text.push_str(&format!("   {line}   # epochs = 9\n# [train.none]\n"));
        }
    }
    let found = stages_of(&text);
    // Another order it is: behind the data set, what was written last comes first.
    assert_eq!(found[1].id(), "five");
    assert_eq!(by_id(&found), expected);
    let crlf = PIPELINE.replace('\n', "\r\n");
    assert_eq!(by_id(&stages_of(&crlf)), expected);
}

#[test]
fn a_default_that_is_written_out_changes_nothing() {
    let expected = by_id(&stages_of(PIPELINE));
    for (from, to) in [
        ("height = 48 }", "height = 48 }\nfilter = \"bilinear\""),
        ("patience = 2", "patience = 2, min_delta = 0"),
        (
            "patience = 2",
            "patience = 2, monitor = \"validation.top1\"",
        ),
        ("size = 32", "size = 32, scale = [0.08, 1]"),
        ("from = 16", "from = 16, hold_epochs = 0, multiple_of = 32"),
        ("lr = 0.002", "lr = 0.002, betas = [0.9, 0.999], eps = 1e-8"),
        ("lr = 0.002", "lr = 0.002, weight_decay = 0.01"),
        ("schedule.cosine = {}", "schedule.cosine = { min_lr = 0 }"),
        (
            "precision = \"f32\"",
            "precision = \"f32\"\nbatch_size = 32",
        ),
        ("epochs = 9\n", "epochs = 9\nschedule.constant = {}\n"),
        (
            "epochs = 9\n",
            "epochs = 9\nseed = 7\nloss = \"cross_entropy\"\n",
        ),
        (
            "epochs = 9\n",
            "epochs = 9\nprecision = \"auto\"\naugment = []\n",
        ),
        ("epochs = 9\n", "epochs = 9\nlabel_smoothing = 0\n"),
        (
            "epochs = 9\n",
            "epochs = 9\ndeterministic = true\nallow_tf32 = false\n",
        ),
        // No default, but when a training saves its state changes no result.
        ("epochs = 9\n", "epochs = 9\nsave = { every = \"90s\" }\n"),
        (
            "epochs = 9\n",
            "epochs = 9\nsampling = \"shuffle\"\nrepeated_augmentation = 1\n",
        ),
        (
            "by = \"validation.loss\"",
            "by = \"validation.loss\"\ncheckpoint = \"best\"",
        ),
        (
            "on = [\"test\"]",
            "on = [\"test\"]\nbatch_size = 32\ncheckpoint = \"best\"",
        ),
        (
            "on = [\"test\"]",
            "on = [\"test\"]\ndata = \"pixels\"\nsplit = \"holdout\"",
        ),
        // Nothing is drawn there.
        ("on = \"test\"", "on = \"test\"\nseed = 8"),
        ("precision = 0.95", "precision = 0.95\nseed = 8"),
    ] {
        assert_eq!(by_id(&stages_of(&edited(from, to))), expected, "{to}");
    }
}

#[test]
fn a_loss_may_be_a_word_and_then_has_its_defaults() {
    for (word, table) in [
        ("loss = \"bce\"", "loss.bce = {}"),
        ("loss = \"focal\"", "loss.focal = { gamma = 2 }"),
    ] {
        let [word, table] = [word, table].map(|loss| {
            let text = edited("epochs = 9\n", &format!("epochs = 9\n{loss}\n"));
            by_id(&stages_of(&text))
        });
        assert_eq!(word, table);
    }
}

#[test]
fn a_table_in_which_nothing_is_needed_may_be_its_name_alone() {
    for (word, table) in [
        ("schedule = \"cosine\"", "schedule.cosine = {}"),
        ("schedule = \"one_cycle\"", "schedule.one_cycle = {}"),
        (
            "augment = [\"trivial_augment_wide\"]",
            "augment = [{ trivial_augment_wide = {} }]",
        ),
    ] {
        let [word, table] = [word, table].map(|setting| {
            let text = edited("epochs = 9\n", &format!("epochs = 9\n{setting}\n"));
            by_id(&stages_of(&text))
        });
        assert_eq!(word, table);
    }
}

#[test]
fn augmentations_are_written_with_their_defaults_and_one_number_as_its_range() {
    let stages = stages_of(&edited(
        "augment = [{ random_rotation = 15 }, ",
        r#"augment = [{ random_affine = { shear = 5 } }, { color_jitter = { brightness = 0.5, hue = 0.1 } }, { random_grayscale = 0.2 },
            { gaussian_blur = { kernel_size = 5 } }, { rand_augment = {} }, { trivial_augment_wide = {} }, { auto_augment = "imagenet" }, "#,
    ));
    let (deep, _) = &by_id(&stages)["deep"];
    let written = deep["training"]["augment"].as_array().unwrap();
    assert_eq!(
        Value::from(written[..7].to_vec()),
        json!([
            { "random_affine": {
                "degrees": [0.0, 0.0], "translate": [0.0, 0.0], "scale": [1.0, 1.0], "shear": [-5.0, 5.0, 0.0, 0.0]
            } },
            { "color_jitter": {
                "brightness": [0.5, 1.5], "contrast": [1.0, 1.0], "saturation": [1.0, 1.0], "hue": [-0.1, 0.1], "p": 1.0
            } },
            { "random_grayscale": 0.2 },
            { "gaussian_blur": { "kernel_size": 5, "sigma": [0.1, 2.0], "p": 1.0 } },
            { "rand_augment": { "num_ops": 2, "magnitude": 9, "num_magnitude_bins": 31 } },
            { "trivial_augment_wide": { "num_magnitude_bins": 31 } },
            { "auto_augment": "imagenet" }
        ])
    );
    let stages = stages_of(&edited(
        "{ random_vertical_flip = 0.25 }]",
        "{ random_erasing = {} }]",
    ));
    let (deep, _) = &by_id(&stages)["deep"];
    assert_eq!(
        deep["training"]["augment"][4],
        json!({ "random_erasing": { "p": 0.5, "scale": [0.02, 0.33], "ratio": [0.3, 3.3], "value": [0.0, 0.0, 0.0] } })
    );
}

#[test]
fn a_word_that_stands_for_a_list_of_it_is_the_list() {
    let expected = by_id(&stages_of(PIPELINE));
    let mut short = PIPELINE.to_owned();
    for (list, word) in [
        ("on = [\"test\"]", "on = \"test\""),
        ("tta = [\"horizontal_flip\"]", "tta = \"horizontal_flip\""),
    ] {
        assert!(short.contains(list), "{list}");
        short = short.replace(list, word);
    }
    assert_eq!(by_id(&stages_of(&short)), expected);
    let more = "\n[select.alone]\nfrom = [\"deep\"]\n";
    let list = by_id(&stages_of(&format!("{PIPELINE}{more}")));
    let word = by_id(&stages_of(&format!(
        "{PIPELINE}{}",
        more.replace(['[', ']'], "")
            .replace("select.alone", "[select.alone]")
    )));
    assert_eq!(word, list);
}

//! Looks at a pipeline and its trainings before they are run.

use super::{FILE, small};

#[test]
fn a_graph_is_drawn_as_text_dot_and_mermaid() {
    let project = small();
    let text = project.ok(&["graph", FILE]).stdout;
    assert!(text.contains("net") && text.contains("holdout"), "{text}");
    let dot = project.ok(&["graph", FILE, "--format", "dot"]).stdout;
    assert!(dot.starts_with("digraph") && dot.contains("->"), "{dot}");
    let mermaid = project.ok(&["graph", FILE, "--format", "mermaid"]).stdout;
    assert!(
        mermaid.starts_with("flowchart") && mermaid.contains("-->"),
        "{mermaid}"
    );
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_learning_rate_and_a_batch_size_can_be_tried_out_and_nothing_of_it_is_kept() {
    let project = small();
    let stage = format!("{FILE}:net");
    let rates = project.json(&["tune", "lr", &stage, "--device", "cpu"]);
    let steps = rates["steps"].as_array().unwrap();
    assert!(steps.len() > 10, "{rates}");
    let lr = |i: usize| steps[i]["lr"].as_f64().unwrap();
    assert!(lr(0) < 1.1e-7 && lr(steps.len() - 1) > lr(0), "{rates}");

    let text = project
        .ok(&["tune", "batch", &stage, "--device", "cpu"])
        .stdout;
    assert!(
        text.contains("images/s") && text.contains("fastest: batch_size = "),
        "{text}"
    );

    let plan = project.json(&["plan", FILE, "net"]);
    let of = |id: &str| {
        let stages = plan["stages"].as_array().unwrap();
        stages.iter().find(|s| s["id"] == id).unwrap()["status"].clone()
    };
    assert_eq!(
        (of("pixels"), of("net")),
        ("cached".into(), "run".into()),
        "{plan}"
    );

    let wrong = project.fails(2, &["tune", "lr", &format!("{FILE}:pixels")]);
    assert!(
        wrong.stderr.contains("expected `train` or `transfer`"),
        "{}",
        wrong.stderr
    );
    project.fails(2, &["tune", "lr", FILE]);
    // What trains nothing is told as such, however many instances it has.
    project.edit(
        FILE,
        "[evaluate.result]\n",
        "[evaluate.result]\nmatrix.batch_size = [8, 16]\n",
    );
    for command in [&["tune", "lr"][..], &["browse"]] {
        let result = format!("{FILE}:result");
        let wrong = project.fails(2, &[command, &[result.as_str()]].concat());
        assert!(
            wrong
                .stderr
                .contains("`result` is of kind `evaluate`, expected `train` or `transfer`")
                && wrong.stderr.contains("help: name `net` or `head`"),
            "{}",
            wrong.stderr
        );
    }
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_training_is_browsed_epoch_by_epoch_before_it_is_run() {
    let project = small();
    project.edit(
        FILE,
        "batch_size = 8\noptimizer.adam = { lr = 0.001 }\nnormalize",
        "batch_size = 8\noptimizer.adam = { lr = 0.001 }\naugment = [{ random_horizontal_flip = 1 }, { random_erasing = { p = 1 } }]\nnormalize",
    );
    let net = format!("{FILE}:net");
    let told = project.json(&["browse", &net, "--epochs", "3", "--images", "4"]);
    assert_eq!(told["epochs"], serde_json::json!([1, 2, 3]));
    let lines = told["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 4);
    assert!(lines[0]["path"].as_str().unwrap().starts_with("train/"));
    let sheet = image::open(project.path("browse.png")).unwrap().into_rgb8();
    // A margin of 4, and above each line 18 pixels of its number and class.
    assert_eq!(sheet.dimensions(), (4 + 4 * 36, 4 + 4 * 54));
    let picture = |column: u32, line: u32| {
        image::imageops::crop_imm(&sheet, 4 + column * 36, 22 + line * 54, 32, 32).to_image()
    };
    for line in 0..4 {
        let mirrored = image::imageops::flip_horizontal(&picture(0, line));
        let equal = |column: u32| {
            let seen = picture(column, line);
            let pixels = seen.pixels().zip(mirrored.pixels());
            pixels.filter(|(seen, wanted)| seen == wanted).count()
        };
        // All but the erased part, another one in every epoch, is the photograph itself.
        assert!((600..1024).contains(&equal(1)), "{} pixels", equal(1));
        assert_ne!(picture(1, line), picture(2, line));
    }
    project.ok(&[
        "browse",
        &net,
        "--epoch",
        "3",
        "--epochs",
        "1",
        "--images",
        "4",
        "--out",
        "third.png",
    ]);
    let third = image::open(project.path("third.png")).unwrap().into_rgb8();
    let third = image::imageops::crop_imm(&third, 4 + 36, 22, 32, 32).to_image();
    assert_eq!(third, picture(3, 0));

    let wrong = project.fails(2, &["browse", &format!("{FILE}:result")]);
    assert!(
        wrong.stderr.contains("expected `train` or `transfer`"),
        "{}",
        wrong.stderr
    );
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_transfer_is_browsed_under_the_normalisation_of_its_source_once_there_is_one() {
    let project = small();
    project.edit(
        FILE,
        "normalize = \"dataset\"",
        "normalize = { mean = [1, 0, 0], std = [1, 1, 1] }",
    );
    project.edit(
        FILE,
        "train_layers = \"head\"",
        "train_layers = \"head\"\naugment = [{ random_erasing = { p = 1 } }]",
    );
    let head = format!("{FILE}:head");
    // What is erased has the colour of the mean.
    let erased = |color: [u8; 3]| {
        let sheet = image::open(project.path("browse.png")).unwrap().into_rgb8();
        let of = |pixel: &&image::Rgb<u8>| pixel.0 == color;
        sheet.pixels().filter(of).count()
    };
    let args = ["browse", &head, "--epochs", "1", "--images", "4"];
    let told = project.ok(&args);
    let said = format!("{}{}", told.stdout, told.stderr);
    assert!(said.contains("`best` is not trained yet"), "{said}");
    assert!(erased([0; 3]) > 40 && erased([255, 0, 0]) == 0);
    project.ok(&["run", FILE, "best"]);
    let told = project.ok(&args);
    let said = format!("{}{}", told.stdout, told.stderr);
    assert!(!said.contains("not trained yet"), "{said}");
    assert!(erased([255, 0, 0]) > 40);
}

//! Words that are not what they should be: misspelt kinds, keys and values, and stages of one name.

use super::{HEAD, changed, load_files, mistakes, net, rows, told};

#[test]
fn all_mistakes_are_told_at_once() {
    let text = changed("epochs = 3", "epochs = 0\nbach_size = 3")
        .replace("lr = 0.1", "lr = -1, momentun = nan")
        + "[evaluate.result]\nmodel = \"nett\"\n";
    assert_eq!(
        mistakes(&text),
        r#"error: invalid value `0` for `epochs`: expected a whole number of at least 1
  --> p.toml:18:10
   |
18 | epochs = 0
   |          ^

error: unknown key `bach_size` in `train.net`
  --> p.toml:19:1
   |
19 | bach_size = 3
   | ^^^^^^^^^
   |
   = help: did you mean `batch_size`? accepted: `data`, `split`, `fold`, `arch`, `zero_init_residual`, `epochs`, `batch_size`, `optimizer`, `norm_weight_decay`, `bias_weight_decay`, `layer_decay`, `clip_grad_norm`, `clip_grad_value`, `accumulation_steps`, `ema`, `schedule`, `loss`, `label_smoothing`, `class_weights`, `sampling`, `repeated_augmentation`, `augment`, `mix`, `progressive_resizing`, `normalize`, `test_resolution`, `precision`, `deterministic`, `allow_tf32`, `keep_last`, `keep`, `early_stopping`, `seed`, `save` or `matrix`

error: invalid value `-1` for `optimizer.sgd.lr`: expected a number above 0
  --> p.toml:20:24
   |
20 | optimizer.sgd = { lr = -1, momentun = nan }
   |                        ^^

error: unknown key `momentun` in `optimizer.sgd`
  --> p.toml:20:28
   |
20 | optimizer.sgd = { lr = -1, momentun = nan }
   |                            ^^^^^^^^
   |
   = help: did you mean `momentum`? accepted: `lr`, `momentum`, `nesterov` or `weight_decay`

error: no train, transfer, select, average or ensemble stage is called `nett`
  --> p.toml:22:9
   |
22 | model = "nett"
   |         ^^^^^^
   |
   = help: did you mean `net`?
"#
    );
}

#[test]
fn a_misspelt_kind_shows_the_nearest_one_and_hides_nothing_else() {
    let text = changed("[train.net]", "[trian.net]") + "[evaluate.result]\nmodel = \"net\"\n";
    assert_eq!(
        mistakes(&text),
        r"error: unknown kind of stage `trian`
  --> p.toml:14:2
   |
14 | [trian.net]
   |  ^^^^^
   |
   = help: did you mean `train`? accepted: `dataset`, `split`, `preprocess`, `train`, `select`, `transfer`, `average`, `ensemble`, `evaluate`, `audit` or `calibrate`
"
    );
}

#[test]
fn a_stage_of_a_misspelt_kind_is_read_as_the_nearest() {
    let text = changed("[train.net]", "[trian.net]").replace("epochs = 3", "epochs = 0");
    assert_eq!(
        told(&(text + "[split.other]\ndataset = \"net\"\n")),
        [
            "14:2 unknown kind of stage `trian`",
            "18:10 invalid value `0` for `epochs`: expected a whole number of at least 1",
            "21:11 `net` is a train, expected a dataset",
        ]
    );
}

#[test]
fn a_field_that_is_there_but_misspelt_is_not_missing_too() {
    let text = changed("epochs = 3", "epoch = 3")
        .replace("optimizer.sgd = { lr = 0.1 }", "lr = 0.1")
        .replace("train = \"data/train\"", "trian = \"data/train\"")
        .replace("data = \"pixels\"", "matrix.dta = [\"pixels\"]");
    assert_eq!(
        told(&text),
        [
            "3:1 unknown key `trian` in `dataset.dishes`",
            "15:8 unknown key `dta` in `train.net`",
            "18:1 unknown key `epoch` in `train.net`",
            "19:1 unknown key `lr` in `train.net`",
        ]
    );
}

#[test]
fn a_misspelt_word_shows_the_nearest_of_those_accepted() {
    let text = changed("epochs = 3", "epochs = 3\nnormalize = \"imagnet\"");
    let text = mistakes(&text);
    let help = "= help: did you mean `\"imagenet\"`?";
    assert!(text.contains(help), "{text}");
}

#[test]
fn a_matrix_that_is_a_list_hides_which_fields_are_missing() {
    let text = changed("arch = \"resnet18\"", "matrix = [\"resnet18\"]");
    let at_matrix = told(&text);
    assert_eq!(at_matrix.len(), 1, "{at_matrix:?}");
    assert!(at_matrix[0].contains("`matrix` is not a list of values"));
}

#[test]
fn a_mistake_in_a_matrix_is_told_once_and_at_its_value() {
    let text = net(
        "matrix.epoch = [1, 2]\nmatrix.precision = [\"f32\", \"bf61\"]\nmatrix.seed = [1, 2, 3]\nmatrix.augment = [[{ center_crop = 65 }], []]\n",
    );
    assert_eq!(
        mistakes(&text),
        r#"error: unknown key `epoch` in `train.net`
  --> p.toml:20:8
   |
20 | matrix.epoch = [1, 2]
   |        ^^^^^
   |
   = help: did you mean `epochs`? accepted: `data`, `split`, `fold`, `arch`, `zero_init_residual`, `epochs`, `batch_size`, `optimizer`, `norm_weight_decay`, `bias_weight_decay`, `layer_decay`, `clip_grad_norm`, `clip_grad_value`, `accumulation_steps`, `ema`, `schedule`, `loss`, `label_smoothing`, `class_weights`, `sampling`, `repeated_augmentation`, `augment`, `mix`, `progressive_resizing`, `normalize`, `test_resolution`, `precision`, `deterministic`, `allow_tf32`, `keep_last`, `keep`, `early_stopping`, `seed`, `save` or `matrix`

error: unknown value `bf61` for `precision`
  --> p.toml:21:28
   |
21 | matrix.precision = ["f32", "bf61"]
   |                            ^^^^^^
   |
   = help: did you mean `bf16`? accepted: `auto`, `f32` or `bf16`
"#
    );
}

#[test]
fn a_matrix_that_makes_no_sense_is_told_with_the_rest() {
    let text = net(
        "matrix.arch = [\"resnet34\"]\nmatrix.normalize = \"none\"\nmatrix.augment = []\nmatrix.seed = [1, 1]\nlos = 3\n",
    );
    assert_eq!(
        told(&text),
        [
            "20:8 `arch` is set plainly and in `matrix`",
            "21:8 `matrix.normalize` is not a list of values",
            "22:18 `matrix.augment` is empty",
            "23:19 `matrix.seed` holds a value twice",
            "24:1 unknown key `los` in `train.net`",
        ]
    );
    let many = (0..200)
        .map(|n| n.to_string())
        .collect::<Vec<_>>()
        .join(",");
    let text = net(&format!(
        "matrix.seed = [{many}]\nmatrix.batch_size = [{}]\n",
        many.replace("0,1,", "1,")
    ));
    assert_eq!(
        told(&text),
        ["20:1 `matrix` makes 39800 instances, more than 10000"]
    );
}

#[test]
fn names_of_values_that_make_no_sense_are_told() {
    let of = |line: &str| told(&net(&format!("{line}\n")));
    assert_eq!(
        of("matrix.seed.named = { \"a,b\" = 1, ok = 1 }"),
        [
            "20:23 `a,b` cannot name a value of `seed`",
            "20:39 `matrix.seed` holds a value twice",
        ]
    );
    assert_eq!(
        of("matrix.seed.named = [1, 2]"),
        ["20:13 `matrix.seed.named` is not a table of names and values"]
    );
    assert_eq!(
        of("matrix.augment = { named = { none = [] }, other = [[]] }"),
        ["20:20 `matrix.augment` has `named` beside other fields"]
    );
}

#[test]
fn two_stages_of_one_name_are_refused_within_a_kind_and_across() {
    assert_eq!(
        mistakes(&net("[evaluate.net]\nmodel = \"net\"\n")),
        r"error: two stages are called `net`: the train in line 14 is the first
  --> p.toml:20:11
   |
20 | [evaluate.net]
   |           ^^^
   |
   = help: names are unique in a file, whatever their kind; rename one of them
"
    );
    assert_eq!(
        told(&net(
            "[train.net]\nepochs = 3\n[evaluate.x]\nmodl = \"net\"\n"
        )),
        [
            "20:8 `net` is given twice",
            "23:1 unknown key `modl` in `evaluate.x`",
        ]
    );
    let files = [
        (
            "p.toml",
            "[use]\nnet = \"b.toml\"\n[dataset.net]\ntrain = \"x\"\n",
        ),
        ("b.toml", HEAD),
    ];
    assert_eq!(
        rows(&load_files(&files).unwrap_err()),
        ["3:10 `net` is a file in `[use]` and a stage"]
    );
}

#[test]
fn a_file_of_another_kind_is_told_in_few_mistakes() {
    let json = (0..1000).map(|i| format!("  \"k{i}\": [{i}],\n"));
    let json = format!("{{\n{}  \"z\": 0\n}}\n", json.collect::<String>());
    let told = told(&json);
    assert_eq!(told.len(), 1, "{told:?}");
    let table = "a,b,c\n".repeat(1000);
    let told = rows(&mistakes(&table));
    assert_eq!(told.len(), 21, "{told:?}");
    assert!(
        told[20].contains("980 more mistakes follow"),
        "{}",
        told[20]
    );
}

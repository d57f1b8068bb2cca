//! What a pipeline file without mistakes stands for.

use kfood::{
    config::{ModelSource, Pipeline, Settings},
    record::Part,
    settings::{Checkpoint, Optimizer},
};

use super::{HEAD, NET, changed, good, ids, instance, net};

#[test]
fn what_is_left_out_has_its_default() {
    let pipeline = good(&net("[evaluate.result]\nmodel = \"net\"\n"));
    let Settings::Train(train) = &instance(&pipeline, "net").settings else {
        panic!("a train")
    };
    assert_eq!(train.training.batch_size.get(), 32);
    assert_eq!(train.training.seed, 7);
    assert_eq!((train.dataset.as_str(), train.fold), ("dishes", None));
    let Settings::Split(split) = &instance(&pipeline, "holdout").settings else {
        panic!("a split")
    };
    // What is not asked for is not filled in: the data set may have a part of its own.
    assert!(split.validation.is_none());
    let Settings::Evaluate(result) = &instance(&pipeline, "result").settings else {
        panic!("an evaluate")
    };
    let all = [Part::Train, Part::Validation, Part::Test];
    assert_eq!(result.on, all);
    assert_eq!(
        (result.data.as_str(), result.split.as_str()),
        ("pixels", "holdout")
    );
    let best = Checkpoint::Best;
    assert!(matches!(&result.model, ModelSource::Stage { checkpoint, .. } if *checkpoint == best));
}

#[test]
fn without_a_test_folder_an_evaluation_leaves_test_out() {
    let text = net("[evaluate.result]\nmodel = \"net\"\n").replace("test = \"data/test\"", "");
    let pipeline = good(&text);
    let Settings::Evaluate(result) = &instance(&pipeline, "result").settings else {
        panic!("an evaluate")
    };
    assert_eq!(result.on, [Part::Train, Part::Validation]);
}

#[test]
fn a_matrix_makes_an_instance_for_each_combination_in_the_order_of_the_file() {
    let text = net("").replace("arch = \"resnet18\"", "matrix.arch = [\"resnet18\", \"resnet34\"]").replace(
        "optimizer.sgd = { lr = 0.1 }",
        "matrix.optimizer = [{ adam = { lr = 0.005 } }, { sgd = { lr = 0.1, momentum = 0.9 } }]\nmatrix.augment = [[], [{ random_rotation = 15 }, { center_crop = 56 }]]",
    );
    let pipeline = good(&text);
    let nets: Vec<_> = ids(&pipeline)
        .into_iter()
        .filter(|id| id.starts_with("net["))
        .collect();
    assert_eq!(nets.len(), 8);
    assert_eq!(
        nets[0],
        "net[arch=resnet18,optimizer.adam.lr=0.005,augment=none]"
    );
    assert_eq!(
        nets[7],
        "net[arch=resnet34,optimizer.sgd.lr=0.1,optimizer.sgd.momentum=0.9,augment=random_rotation:15+center_crop:56]"
    );
    assert_eq!(
        instance(&pipeline, nets[0]).varied[0],
        ("arch".into(), "resnet18".into())
    );
}

#[test]
fn values_of_a_matrix_may_have_names_which_change_nothing_but_the_names_of_instances() {
    let values = ["[]", "[{ random_rotation = 15 }, { center_crop = 56 }]"];
    let [none, turned] = values;
    let plain = good(&net(&format!(
        "matrix.augment = [{none}, {turned}]\nmatrix.seed = [1, 2]\n"
    )));
    let named = format!(
        "matrix.augment.named = {{ none = {none}, \"돌림\" = {turned} }}\nmatrix.seed = [1, 2]\n"
    );
    let named = good(&net(&named));
    let nets = |pipeline: &Pipeline| -> Vec<String> {
        let ids = ids(pipeline).into_iter();
        ids.filter(|id| id.starts_with("net["))
            .map(str::to_owned)
            .collect()
    };
    let short = nets(&named);
    assert_eq!(
        short,
        [
            "net[augment=none,seed=1]",
            "net[augment=none,seed=2]",
            "net[augment=돌림,seed=1]",
            "net[augment=돌림,seed=2]"
        ]
    );
    for (long, short) in nets(&plain).iter().zip(&short) {
        let settings = |pipeline, id| format!("{:?}", instance(pipeline, id).settings);
        assert_eq!(settings(&plain, long), settings(&named, short));
    }
}

#[test]
fn a_matrix_reaches_a_field_inside_a_setting() {
    let text = changed(
        "optimizer.sgd = { lr = 0.1 }",
        "optimizer.sgd.momentum = 0.9\nmatrix.optimizer.sgd.lr = [0.1, 0.01]",
    );
    let pipeline = good(&text);
    let Settings::Train(train) = &instance(&pipeline, "net[optimizer.sgd.lr=0.01]").settings else {
        panic!("a train")
    };
    assert!(
        matches!(train.training.optimizer, Optimizer::Sgd(s) if s.momentum.get() == 0.9 && s.lr.get() == 0.01)
    );
}

#[test]
fn all_folds_become_instances_and_select_groups_them_with_seeds() {
    let text = net("fold = \"all\"\nmatrix.seed = [1, 2]\nmatrix.batch_size = [16, 32]\n[select.best]\nfrom = [\"net\"]\n[evaluate.chosen]\nmodel = \"best\"\n[evaluate.each]\nmodel = \"net\"\nmatrix.checkpoint = [\"best\", \"last\"]\n")
        .replace("split = \"holdout\"", "split = \"five\"");
    let pipeline = good(&text);
    let Settings::Select(select) = &instance(&pipeline, "best").settings else {
        panic!("a select")
    };
    assert_eq!(select.from[1], "net[seed=1,batch_size=16,fold=1]");
    let mut expected = [[0; 5], [1; 5], [0; 5], [1; 5]].concat();
    assert_eq!(select.groups, expected);
    expected.dedup();
    // Which fold validated is known only after the run; the test part is the same for all.
    let Settings::Evaluate(chosen) = &instance(&pipeline, "chosen").settings else {
        panic!("an evaluate")
    };
    assert_eq!(
        (chosen.on.as_slice(), chosen.fold),
        ([Part::Test].as_slice(), None)
    );
    let each = instance(
        &pipeline,
        "each[seed=2,batch_size=32,fold=3,checkpoint=last]",
    );
    let Settings::Evaluate(each) = &each.settings else {
        panic!("an evaluate")
    };
    assert_eq!(each.fold, Some(3));
}

#[test]
fn transfers_that_differ_in_what_is_trained_of_the_source_are_no_repeats_of_one_another() {
    let rest = "model = \"net\"\ndata = \"pixels\"\nsplit = \"holdout\"\nepochs = 3\noptimizer.sgd = { lr = 0.1 }\n";
    for varied in [
        "matrix.gradual_unfreezing.epochs = [1, 2]",
        "train_layers = \"all\"\nmatrix.head = [\"new\", \"by_name\"]",
    ] {
        let text = format!(
            "[transfer.again]\n{rest}matrix.seed = [1, 2]\n{varied}\n[select.best]\nfrom = [\"again\"]\n"
        );
        let pipeline = good(&net(&text));
        let Settings::Select(select) = &instance(&pipeline, "best").settings else {
            panic!("a select")
        };
        let mut groups = select.groups.clone();
        groups.sort_unstable();
        assert_eq!(groups, [0, 0, 1, 1], "{varied}");
    }
}

#[test]
fn one_instance_can_be_named() {
    let transfer = "[transfer.again]\nmodel = \"net[seed=2]\"\ndata = \"pixels\"\nsplit = \"holdout\"\nepochs = 1\noptimizer.sgd = { lr = 0.1 }\n";
    let pipeline = good(&net(&format!(
        "matrix.seed = [1, 2]\nmatrix.batch_size = [16]\n{transfer}"
    )));
    let Settings::Transfer(again) = &instance(&pipeline, "again").settings else {
        panic!("a transfer")
    };
    assert!(
        matches!(&again.model, ModelSource::Stage { id, .. } if id == "net[seed=2,batch_size=16]")
    );
}

#[test]
fn instances_come_after_what_they_refer_to_and_otherwise_as_in_the_file() {
    let text = format!(
        "[evaluate.late]\nmodel = \"net\"\n[dataset.other]\ntrain = \"x\"\n{NET}{}",
        &HEAD[9..]
    );
    assert_eq!(
        ids(&good(&text)),
        [
            "other", "dishes", "pixels", "holdout", "net", "late", "five"
        ]
    );
}

#[test]
fn decomposed_hangul_names_the_same_stage() {
    let text =
        net("")
            .replace("pixels", "김밥")
            .replacen("김밥", "\"\u{1100}\u{1175}\u{11b7}밥\"", 1);
    assert_eq!(ids(&good(&text))[1], "김밥");
}

#[test]
fn an_evaluation_may_vary_its_model() {
    let pipeline = good(&net(&format!(
        "matrix.seed = [1, 2]\n{}[evaluate.x]\nmatrix.model = [\"net\", \"other\"]\n",
        NET.replace("train.net", "train.other")
    )));
    let found: Vec<_> = ids(&pipeline)
        .into_iter()
        .filter(|id| id.starts_with("x["))
        .collect();
    assert_eq!(
        found,
        [
            "x[seed=1,model=net]",
            "x[seed=2,model=net]",
            "x[model=other]"
        ]
    );
}

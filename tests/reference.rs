//! The declarations of settings: the tables of `docs/pipeline-file.md` and `docs/config.md` are made from them, `kfood help` tells them, and a default
//! means what it says.

use std::{fs, path::Path};

use kfood::{
    config::{self, About, KINDS, settings_of},
    settings::{
        CacheSettings, ExecutorSettings, NeedsSettings, RunSettings, SlurmSettings,
        declare::{Described, Field, Shape, Table, Variant},
    },
    stage::{Resource, Stage},
};

use crate::support::Project;

const PAGE: &str = "docs/pipeline-file.md";
const PLACE_PAGE: &str = "docs/config.md";
/// No row of a table is wider.
const WIDTH: usize = 160;
/// What is said where there is no room for more.
const MORE: &str = "see `kfood help`";
/// Settings with tables of their own on the page.
const SECTIONS: [(&str, &str); 11] = [
    (
        "arch",
        "a name of [a network](models.md#networks) such as `\"resnet18\"`",
    ),
    ("optimizer", "[a table](#optimizer)"),
    ("schedule", "[a table](#schedule)"),
    ("augment", "[a list](#augment)"),
    ("loss", "[a word or a table](#loss)"),
    ("mix", "[a table](#mix)"),
    ("ema", "[a table](#other-tables)"),
    ("early_stopping", "[a table](#other-tables)"),
    ("progressive_resizing", "[a table](#other-tables)"),
    ("resize", "[a table](#resize)"),
    ("model", "[a stage or a file](models.md#files-of-others)"),
];

/// What a training is of.
const HEAD: &str = r#"[dataset.dishes]
train = "data/train"
test = "data/test"
[preprocess.pixels]
dataset = "dishes"
resize = { width = 64, height = 64 }
[split.holdout]
dataset = "dishes"
[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 9
"#;

/// The stages of a pipeline that begins with [`HEAD`].
fn stages(lines: &str) -> Vec<Box<dyn Stage>> {
    let project = Project::new();
    project.write("pipelines/a.toml", &format!("{HEAD}{lines}"));
    let pipeline = config::load(&project.path("pipelines/a.toml"));
    kfood::stages::of(&pipeline.unwrap_or_else(|mistakes| panic!("{mistakes}")))
}

/// The setting that a path such as `train.optimizer` leads to.
fn setting(path: &str) -> Field {
    let (kind, name) = path.split_once('.').unwrap();
    let fields = settings_of(About::named(kind).unwrap());
    fields.into_iter().find(|f| f.name == name).unwrap()
}

/// The settings of a place, by table.
fn of_place(table: &str) -> Vec<Field> {
    let table = match table {
        "run" => RunSettings::table(),
        "run.KIND" => NeedsSettings::table(),
        "cache" => CacheSettings::table(),
        "executor" => ExecutorSettings::table(),
        "executor.slurm" => SlurmSettings::table(),
        other => panic!("`{other}` is no table of settings of a place"),
    };
    table.fields
}

/// What a table of the page is of, as its marker says: a kind, `KIND without KIND`, `place TABLE`, or settings with tables of their own.
fn rows(of: &str) -> Vec<String> {
    if let Some(table) = of.strip_prefix("place ") {
        return of_place(table).iter().map(|f| row("", f)).collect();
    }
    if let Some((kind, other)) = of.split_once(" without ") {
        let known = settings_of(About::named(other).unwrap());
        let mut fields = settings_of(About::named(kind).unwrap());
        fields.retain(|field| known.iter().all(|known| known.name != field.name));
        return fields.iter().map(|field| row("", field)).collect();
    }
    if let Some(kind) = About::named(of) {
        let fields = settings_of(kind);
        return fields.iter().map(|field| row("", field)).collect();
    }
    let paths: Vec<_> = of.split_whitespace().collect();
    let one = |path: &&str| {
        let field = setting(path);
        let prefix = format!("{}.", field.name);
        below(if paths.len() > 1 { &prefix } else { "" }, &field.shape)
    };
    paths.iter().flat_map(one).collect()
}

/// The rows of what a value has inside.
fn below(prefix: &str, shape: &Shape) -> Vec<String> {
    match shape {
        Shape::Table(table) => table
            .fields
            .iter()
            .flat_map(|field| nested(prefix, field))
            .collect(),
        Shape::OneOf(of) => of
            .variants
            .iter()
            .flat_map(|v| variant(prefix, v))
            .collect(),
        Shape::List { item, .. } => below(prefix, item),
        Shape::Ways(ways) => ways.iter().flat_map(|way| below(prefix, way)).collect(),
        _ => Vec::new(),
    }
}

/// A setting, or what it has inside.
fn nested(prefix: &str, field: &Field) -> Vec<String> {
    match &field.shape {
        Shape::Table(_) => below(&format!("{prefix}{}.", field.name), &field.shape),
        _ => vec![row(prefix, field)],
    }
}

fn variant(prefix: &str, variant: &Variant) -> Vec<String> {
    let name = format!("{prefix}{}", variant.name);
    let of_payload = match &variant.shape {
        Shape::Table(_) => String::new(),
        other => other.in_words(),
    };
    let mut rows = vec![line(&name, "", &[&of_payload, MORE], variant.doc)];
    rows.extend(below(&format!("{name}."), &variant.shape));
    rows
}

fn row(prefix: &str, field: &Field) -> String {
    let default = match (&field.default, field.unset, field.needed) {
        (_, _, true) => "**needed**".to_owned(),
        (Some(default), ..) => format!("`{default}`"),
        (None, "", _) => "-".to_owned(),
        (None, unset, _) if unset.contains('"') => format!("`{unset}`"),
        (None, unset, _) => unset.to_owned(),
    };
    let section = SECTIONS
        .iter()
        .find(|(name, _)| *name == field.name && prefix.is_empty());
    let words = field.shape.in_words();
    let accepts = section.map_or(&*field.accepts, |(_, link)| link);
    let name = format!("{prefix}{}", field.name);
    line(&name, &default, &[accepts, &words, MORE], field.doc)
}

/// A row with as much of what is accepted and of what a setting does as there is room for.
fn line(name: &str, default: &str, accepts: &[&str], doc: &str) -> String {
    let sentence = doc.split_once(". ").map_or(doc, |(first, _)| first);
    let sentence = sentence.trim_end_matches('.');
    let before = |end: &str| {
        sentence
            .split_once(end)
            .map_or(sentence, |(start, _)| start)
    };
    let meanings = [
        sentence,
        before(" ("),
        before(";"),
        before(":"),
        before(","),
    ];
    let all = accepts.iter().flat_map(|accepts| {
        meanings.map(|meaning| format!("| `{name}` | {default} | {accepts} | {meaning} |"))
    });
    let mut fitting = all.filter(|row| row.chars().count() <= WIDTH);
    let row = fitting.next();
    row.unwrap_or_else(|| panic!("say in fewer words what `{name}` does: {doc}"))
}

/// The page with its tables made anew.
fn made(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, behind)) = rest.split_once("<!-- settings: ") {
        let (of, behind) = behind.split_once(" -->\n").unwrap();
        let (_, after) = behind.split_once("<!-- end -->").unwrap();
        let rows = rows(of).join("\n");
        text += &format!(
            "{before}<!-- settings: {of} -->\n\n| setting | default | what is accepted | meaning |\n|---|---|---|---|\n{rows}\n\n<!-- end -->"
        );
        rest = after;
    }
    text + rest
}

#[test]
fn the_tables_of_the_page_are_those_of_the_declarations() {
    let page = held(PAGE);
    for kind in &KINDS {
        let told = page.contains(&format!("<!-- settings: {}", kind.name));
        assert!(told, "`{}` has no table on {PAGE}", kind.name);
    }
}

#[test]
fn the_tables_of_the_settings_of_a_place_are_those_of_the_declarations() {
    held(PLACE_PAGE);
}

/// Holds a page against the declarations, or writes it.
fn held(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let page = fs::read_to_string(&path).unwrap();
    let made = made(&page);
    if std::env::var_os("KFOOD_WRITE_REFERENCE").is_some() {
        fs::write(&path, &made).unwrap();
        return made;
    }
    for (found, expected) in page.lines().zip(made.lines()) {
        assert!(
            found == expected,
            "{name} has\n{found}\nand the declarations say\n{expected}\nWrite it anew: \
             KFOOD_WRITE_REFERENCE=1 cargo test --release reference"
        );
    }
    assert_eq!(page, made);
    page
}

/// A table in which everything that has a default is left out, and one in which it is written. What is needed is that of its example.
fn tables(variant: &Variant, table: &Table) -> [String; 2] {
    let fields = &table.fields;
    let examples = [variant.example, table.example].map(|example| format!("example = {example}"));
    let examples = examples.map(|example| example.parse::<toml::Table>());
    let needed = |field: &Field| {
        let mut values = examples
            .iter()
            .flatten()
            .map(|of| of["example"].get(field.name));
        let value = values.find_map(|value| value).unwrap_or_else(|| {
            let (of, name) = (variant.name, field.name);
            panic!("the `#[example = …]` of `{of}` lacks `{name}`, which is needed")
        });
        format!("{} = {value}", field.name)
    };
    let needed = |field: &Field| field.needed.then(|| needed(field));
    let given = |field: &Field| Some(format!("{} = {}", field.name, field.default.clone()?));
    let short: Vec<_> = fields.iter().filter_map(needed).collect();
    let long = fields.iter().filter_map(given);
    let long: Vec<_> = short.iter().cloned().chain(long).collect();
    [short, long].map(|entries| format!("{{ {} }}", entries.join(", ")))
}

/// The key of a training with these lines.
fn key(lines: &str) -> String {
    let optimizer = match lines.contains("optimizer") {
        true => "",
        false => "optimizer.sgd = { lr = 0.1 }\n",
    };
    let stages = stages(&format!("{optimizer}{lines}\n"));
    let stage = stages.iter().find(|stage| stage.id() == "net").unwrap();
    stage.settings().to_string()
}

#[test]
fn what_is_left_out_is_as_if_its_default_were_written() {
    let fields = settings_of(About::named("train").unwrap());
    let written = fields.iter().filter_map(|field| {
        let default = field.default.as_ref()?;
        Some(format!("{} = {default}", field.name))
    });
    let written: Vec<_> = written.collect();
    assert!(written.len() > 10, "{written:?}");
    assert_eq!(key(&written.join("\n")), key(""));
    for path in ["optimizer", "schedule", "loss"] {
        let Some(of) = one_of(&setting(&format!("train.{path}")).shape) else {
            panic!("`{path}` has no variants")
        };
        for variant in of {
            let Shape::Table(table) = &variant.shape else {
                continue;
            };
            let [short, long] = tables(&variant, table);
            let key = |table| key(&format!("{path}.{} = {table}", variant.name));
            assert_eq!(key(short), key(long), "{path}.{}", variant.name);
        }
    }
    for variant in one_of(&setting("train.augment").shape).unwrap() {
        let Shape::Table(table) = &variant.shape else {
            continue;
        };
        let [short, long] = tables(&variant, table);
        let key = |table| key(&format!("augment = [{{ {} = {table} }}]", variant.name));
        assert_eq!(key(short), key(long), "{}", variant.name);
    }
}

/// A macro says the one, and the stage takes the other.
#[test]
fn the_share_that_validates_unasked_is_the_one_that_is_told() {
    let told = setting("split.validation").unset;
    let stages = stages("optimizer.sgd = { lr = 0.1 }\n");
    let split = stages.iter().find(|stage| stage.id() == "holdout").unwrap();
    assert_eq!(split.settings()["validation"].to_string(), told);
}

fn one_of(shape: &Shape) -> Option<Vec<Variant>> {
    match shape {
        Shape::OneOf(of) => Some(of.variants.clone()),
        Shape::List { item, .. } => one_of(item),
        Shape::Ways(ways) => ways.iter().find_map(one_of),
        _ => None,
    }
}

#[test]
fn a_kind_that_computes_with_tensors_is_known_as_one() {
    let stages = stages(
        "optimizer.sgd = { lr = 0.1 }\n\
         [transfer.more]\nmodel = \"net\"\ndata = \"pixels\"\nsplit = \"holdout\"\nepochs = 9\noptimizer.sgd = { lr = 0.1 }\n\
         [select.best]\nfrom = [\"net\", \"more\"]\n[average.mean]\nfrom = [\"net\", \"more\"]\n\
         [ensemble.all]\nfrom = [\"net\", \"more\"]\n[evaluate.result]\nmodel = \"all\"\n\
         [audit.labels]\nfrom = \"result\"\n[calibrate.sure]\nfrom = \"result\"\n",
    );
    for kind in &KINDS {
        let stage = stages
            .iter()
            .find(|stage| stage.kind() == kind.name)
            .unwrap();
        let tensors = stage.resource() == Resource::Tensor;
        assert_eq!(tensors, kind.tensors, "{}", kind.name);
    }
}

#[test]
fn help_tells_commands_kinds_and_settings() {
    let project = Project::new();
    let help = |topic: &[&str]| project.ok(&[&["help"], topic].concat()).stdout;
    let all = help(&[]);
    assert!(
        all.contains("  run ") && all.contains("  preprocess\n"),
        "{all}"
    );
    assert!(
        help(&["run"]).contains("--keep-going"),
        "{}",
        help(&["run"])
    );
    assert!(help(&["cache", "gc"]).contains("--dry-run"));
    let train = help(&["train"]);
    assert!(train.contains("  epochs (needed)\n"), "{train}");
    assert!(train.contains("  batch_size (default 32)\n"), "{train}");
    let optimizer = help(&["train.optimizer"]);
    assert!(optimizer.contains("  rmsprop\n"), "{optimizer}");
    let sgd = help(&["train.optimizer.sgd"]);
    assert!(sgd.contains("  momentum (default 0)\n"), "{sgd}");
    assert!(sgd.contains("Accepted: a number from 0 to 1."), "{sgd}");
    let precision = help(&["train.precision"]);
    assert!(precision.contains("  bf16\n"), "{precision}");
}

#[test]
fn help_on_what_there_is_not_says_what_is_meant() {
    let project = Project::new();
    let told = |topic: &str| project.fails(2, &["help", topic]).stderr;
    assert!(told("trian").contains("did you mean `kfood help train`?"));
    assert!(told("train.optimiser").contains("did you mean `kfood help train.optimizer`?"));
    assert!(told("train.optimizer.sdg").contains("did you mean `kfood help train.optimizer.sgd`?"));
    assert!(told("epochs").contains("write `kfood help train.epochs`"));
    // One of several kinds, and one that stands deeper.
    let validation = told("validation");
    for place in ["dataset.validation`", "split.validation`"] {
        assert!(validation.contains(place), "{validation}");
    }
    assert!(told("adamw").contains("`kfood help train.optimizer.adamw`"));
    assert!(told("lr").contains("`kfood help train.optimizer.sgd.lr`"));
    assert!(told("matrix").contains("`kfood help pipeline-file`"));
    assert!(told("train.epochs.x").contains("has no settings of its own"));
}

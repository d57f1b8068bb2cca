//! What the listing of a data set warns of, on a Korean page.

use crate::support::Project;

const PICTURES: &str =
    "\n[preprocess.pixels]\ndataset = \"d\"\nresize = { width = 16, height = 16 }\n";

/// The warnings of a Korean page of this data set.
fn korean(project: &Project, dataset: &str) -> Vec<String> {
    project.write(
        "pipelines/p.toml",
        &format!("[dataset.d]\n{dataset}{PICTURES}"),
    );
    project.ok(&["run", "pipelines/p.toml"]);
    project.ok(&["report", "pipelines/p.toml", "-o", "r.html", "--lang", "ko"]);
    let html = project.read("r.html");
    let warnings = html.split("class=\"warning\"").skip(1);
    let warnings = warnings.map(|rest| rest.split_once("</p>").unwrap().0.to_owned());
    warnings.collect()
}

#[track_caller]
fn told(warnings: &[String], words: &[&str]) {
    for word in words {
        let told = warnings.iter().any(|warning| warning.contains(word));
        assert!(told, "{word}\n{warnings:#?}");
    }
    // None stays as it was written.
    for english in [
        " image",
        " is ",
        " are ",
        " such as ",
        " holds ",
        " classes ",
    ] {
        let stays = warnings.iter().find(|warning| warning.contains(english));
        assert!(stays.is_none(), "{english}: {stays:?}");
    }
}

#[test]
fn every_warning_of_folders_is_told_in_korean() {
    let project = Project::new();
    project.dishes("data", &["a/x", "b/x", "b/y", "c"], 3);
    project.dishes("test", &["x", "y"], 3);
    std::fs::create_dir_all(project.path("data/empty")).unwrap();
    project.write("data/dishes.7z.001", "7z\u{1}\u{2}");
    let copied = project.path("data/b/y/000.png");
    std::fs::copy(copied, project.path("test/x/copy.png")).unwrap();
    std::fs::copy(
        project.path("data/c/000.png"),
        project.path("data/a/x/copy.png"),
    )
    .unwrap();
    project.write("out.csv", "path\ntrain/nowhere.png\n");
    let dataset = "train = \"data\"\ntest = \"test\"\nclass = \"deepest\"\nexclude = \"out.csv\"\n";
    let warnings = korean(&project, dataset);
    told(
        &warnings,
        &[
            "에는 이미지가 없어 클래스가 아닙니다",
            "는 읽지 않았습니다",
            "나뉜 압축 파일(7z archive)의 조각). 해결: ",
            "첫 파일부터",
            "행 1개는 데이터 세트에 없는 이미지를 가리킵니다",
            "에는 클래스 1개의 이미지가 없습니다",
            "다른 클래스에도 바이트까지 똑같이 있습니다",
            "훈련에도 바이트까지 똑같이 있습니다",
        ],
    );
}

#[test]
fn every_warning_of_lists_and_of_depths_is_told_in_korean() {
    let project = Project::new();
    project.dishes("data", &["a", "b"], 3);
    let rows = ["000.png,a", "001.png,nan"];
    let rows: String = (rows.iter())
        .flat_map(|row| ["a", "b"].map(|folder| format!("../data/{folder}/{row}\n")))
        .collect();
    project.write("lists/list.csv", &format!("path,label\n{rows}"));
    let warnings = korean(&project, "manifest = \"lists/list.csv\"\n");
    told(
        &warnings,
        &[
            "라벨은 프로그램이 값이 없을 때",
            "목록의 폴더 밖에 있습니다",
        ],
    );

    let project = Project::new();
    project.dishes("data", &["a", "b", "b/c"], 3);
    told(
        &korean(&project, "train = \"data\"\n"),
        &["이미지도 있고, 이미지가 든 폴더"],
    );
    let project = Project::new();
    project.dishes("data", &["a", "b/c", "d/e"], 3);
    told(
        &korean(&project, "train = \"data\"\n"),
        &["클래스의 깊이가 서로 다릅니다"],
    );
    let project = Project::new();
    project.dishes("data", &["a/x", "b/x", "b/y"], 3);
    told(
        &korean(&project, "train = \"data\"\n"),
        &["여러 폴더 아래에 있고"],
    );
}

#[test]
fn why_a_stage_has_no_result_of_now_is_told_in_korean() {
    let project = super::project();
    let page = || {
        project.ok(&["report", "pipelines/p.toml", "-o", "r.html", "--lang", "ko"]);
        let html = project.read("r.html");
        html.replace("<code>", "`").replace("</code>", "`")
    };
    let holds = |html: &str, words: &[&str]| {
        for word in words {
            assert!(html.contains(word), "{word}");
        }
        for english in [
            "never run",
            "to run first",
            "file removed",
            "no result",
            "input `",
        ] {
            assert!(!html.contains(english), "{english}");
        }
    };
    holds(
        &page(),
        &["아직 실행하지 않음", "먼저 `dishes`을(를) 실행해야 함"],
    );
    project.ok(&["run", "pipelines/p.toml", "pixels", "holdout"]);
    std::fs::remove_file(project.path("data/train/김밥/000.png")).unwrap();
    project.edit("pipelines/p.toml", "width = 32", "width = 24");
    holds(
        &page(),
        &["이전 결과를 보여 줍니다: 입력 `train`: 파일 1개 삭제"],
    );
}

#[test]
fn a_stage_that_failed_is_told_as_such_until_it_runs() {
    let project = super::project();
    project.write("data/train/김밥/broken.jpg", "no picture");
    let failed = project.kfood(&["run", "pipelines/p.toml", "pixels"]);
    assert_eq!(failed.code, 1, "{}", failed.stderr);
    let report = || project.ok(&["report", "pipelines/p.toml"]).stdout;
    let told = report();
    let line = "- `pixels`: no result: failed in the last run: 1 of 43 files cannot be used: `train/김밥/broken.jpg`: ";
    let found = told.lines().find(|told| told.starts_with(line));
    assert!(
        found.is_some_and(|line| !line.contains("never run")),
        "{told}"
    );
    let korean = ["report", "pipelines/p.toml", "-o", "r.html", "--lang", "ko"];
    project.ok(&korean);
    let html = project.read("r.html");
    assert!(
        html.contains("지난 실행에서 실패함: 파일 43개 중 1개를 쓸 수 없음"),
        "{html}"
    );
    project.write("data/train/비빔밥/broken.jpg", "no picture");
    project.fails(1, &["run", "pipelines/p.toml", "pixels"]);
    assert!(report().contains("2 of 44 files cannot be used, such as `train/"));
    std::fs::remove_file(project.path("data/train/비빔밥/broken.jpg")).unwrap();
    std::fs::remove_file(project.path("data/train/김밥/broken.jpg")).unwrap();
    project.ok(&["run", "pipelines/p.toml", "pixels"]);
    assert!(!report().contains("failed in the last run"));
}

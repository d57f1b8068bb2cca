//! Pages of a training that has no result yet.

use std::io::{BufRead, BufReader};

use super::{page, project};

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn the_epochs_of_a_training_are_shown_while_it_runs_and_after_it_was_interrupted() {
    let project = project();
    project.edit("pipelines/p.toml", "epochs = 1", "epochs = 400");
    let mut run = project.start(&["run", "pipelines/p.toml"]);
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let third = lines.find_map(|line| line.ok().filter(|l| l.contains("epoch 3/400")));
    assert!(third.is_some());

    let (html, said) = page(&project, &["--lang", "en"]);
    assert!(
        said.contains("note: `net`: no result: a run is at it now"),
        "{said}"
    );
    let told = "A run is at it now: ";
    let at = html.find(told).expect("what is done so far");
    let done = &html[at + told.len()..];
    let epochs: u32 = done.split(' ').next().unwrap().parse().unwrap();
    assert!((2..400).contains(&epochs), "{epochs}");
    assert!(done.contains("of 400 epochs so far"));
    // A curve of its epochs, and what reads it waits.
    assert!(html.contains("Training <code>net</code>, unfinished"));
    assert!(html.contains("Validation top-1"));
    assert!(
        said.contains("`result`: no result: `net` has to run first"),
        "{said}"
    );

    crate::support::interrupt(&run);
    assert!(
        lines
            .map_while(Result::ok)
            .any(|line| line.contains("is kept"))
    );
    run.wait().unwrap();
    let (html, said) = page(&project, &["--lang", "en"]);
    assert!(said.contains("goes on after "), "{said}");
    assert!(html.contains("It was interrupted, and the next run goes on from there: "));
    let (html, _) = page(&project, &["--lang", "ko"]);
    assert!(html.contains("훈련 <code>net</code>, 미완료"));
}

//! Without the feature `tensors` there is no worker. Tests that need it and compile without it are ignored, with the reason; whole files
//! of such tests are left out, which is said here, so that the summary counts it.

#[test]
#[ignore = "commands::results, cuda, foreign_models, inherited, kept, models, networks, resolution, resume and training need the feature `tensors`"]
fn files_of_tests_are_left_out() {}

//! The values are those of PyTorch 2.11. Each test names the scheduler over an optimizer with `lr=0.1`; a value is that of
//! `optimizer.param_groups[0]` before each `optimizer.step(); scheduler.step()` (of `ReduceLROnPlateau` with the metric).

use super::*;
use crate::record::Measure;

/// The rates of `epochs` epochs of so many steps, one after another.
fn rates(text: &str, epochs: u32, steps: u32) -> Vec<f64> {
    let schedule = serde_json::from_str(text).unwrap();
    moments(epochs, steps)
        .map(|at| learning_rate(&schedule, 0.1, at, &[]))
        .collect()
}

fn momenta(text: &str, epochs: u32, steps: u32) -> Vec<f64> {
    let schedule = serde_json::from_str(text).unwrap();
    moments(epochs, steps)
        .map(|at| momentum(&schedule, at).unwrap())
        .collect()
}

fn moments(epochs: u32, steps: u32) -> impl Iterator<Item = Moment> {
    (0..epochs).flat_map(move |epoch| {
        (0..steps).map(move |step| Moment {
            epoch,
            epochs,
            step,
            steps,
        })
    })
}

/// The rate of each epoch, the one after the last too, in a training with these validation losses (top-1 where it is monitored).
fn on_plateaus(text: &str, values: &[f64]) -> Vec<f64> {
    let schedule = serde_json::from_str(text).unwrap();
    let mut before = Vec::new();
    let mut rates = Vec::new();
    for (epoch, value) in (0..).zip(values) {
        let at = Moment {
            epoch,
            epochs: 99,
            step: 0,
            steps: 1,
        };
        let lr = learning_rate(&schedule, 0.1, at, &before);
        rates.push(lr);
        let measure = Measure {
            loss: *value,
            top1: *value,
        };
        before.push(Epoch {
            epoch: epoch + 1,
            of: 99,
            lr,
            train: measure,
            validation: Some(measure),
        });
    }
    rates
}

#[track_caller]
fn near(found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len());
    for (f, w) in found.iter().zip(wanted) {
        assert!((f - w).abs() < 1e-12, "{found:?} is not {wanted:?}");
    }
}

#[test]
fn steps_are_those_of_step_lr() {
    // StepLR(step_size=3, gamma=0.5), stepped by epochs whatever the steps of an epoch.
    let wanted = [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025];
    let text = r#"{"step": {"step_size": 3, "gamma": 0.5}}"#;
    near(&rates(text, 7, 1), &wanted);
    near(&rates(text, 7, 2)[4..8], &[0.1, 0.1, 0.05, 0.05]);
}

#[test]
fn milestones_are_those_of_multi_step_lr() {
    // MultiStepLR(milestones=[2, 5], gamma=0.5)
    let found = rates(
        r#"{"multi_step": {"milestones": [2, 5], "gamma": 0.5}}"#,
        7,
        1,
    );
    near(&found, &[0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]);
}

#[test]
fn the_cosine_is_that_of_cosine_annealing_lr() {
    // CosineAnnealingLR(T_max=6, eta_min=0.01)
    let wanted = [
        0.1,
        0.093_971_143_170_299_75,
        0.0775,
        0.055,
        0.0325,
        0.016_028_856_829_700_26,
    ];
    near(&rates(r#"{"cosine": {"min_lr": 0.01}}"#, 6, 1), &wanted);
    // CosineAnnealingLR(T_max=12, eta_min=0.01), stepped by steps: 4 epochs of 3.
    let wanted = [
        0.1,
        0.098_466_662_183_008_08,
        0.093_971_143_170_299_75,
        0.086_819_805_153_394_64,
        0.0775,
        0.066_646_857_029_613_45,
        0.055,
        0.043_353_142_970_386_58,
        0.0325,
        0.023_180_194_846_605_367,
        0.016_028_856_829_700_26,
        0.011_533_337_816_991_932,
    ];
    let text = r#"{"cosine": {"min_lr": 0.01, "interval": "step"}}"#;
    near(&rates(text, 4, 3), &wanted);
    // With the interval of epochs all steps of an epoch have the rate of its first.
    let found = rates(r#"{"cosine": {"min_lr": 0.01}}"#, 4, 3);
    near(&found[3..6], &[wanted[3]; 3]);
}

#[test]
fn restarts_are_those_of_cosine_annealing_warm_restarts() {
    // CosineAnnealingWarmRestarts(T_0=3, T_mult=2, eta_min=0.01)
    let wanted = [
        0.1,
        0.0775,
        0.0325,
        0.1,
        0.093_971_143_170_299_75,
        0.0775,
        0.055,
        0.0325,
        0.016_028_856_829_700_26,
        0.1,
        0.098_466_662_183_008_08,
    ];
    let text = r#"{"cosine_warm_restarts": {"t_0": 3, "t_mult": 2, "min_lr": 0.01}}"#;
    near(&rates(text, 11, 1), &wanted);
    // CosineAnnealingWarmRestarts(T_0=2)
    let text = r#"{"cosine_warm_restarts": {"t_0": 2}}"#;
    near(&rates(text, 5, 1), &[0.1, 0.05, 0.1, 0.05, 0.1]);
    // CosineAnnealingWarmRestarts(T_0=6, T_mult=2, eta_min=0.001), stepped by steps: 3 epochs of 3.
    let wanted = [
        0.1,
        0.093_368_257_487_329_73,
        0.07525,
        0.0505,
        0.02575,
        0.007_631_742_512_670_284,
        0.1,
        0.098_313_328_401_308_88,
        0.093_368_257_487_329_73,
    ];
    let text =
        r#"{"cosine_warm_restarts": {"t_0": 2, "t_mult": 2, "min_lr": 0.001, "interval": "step"}}"#;
    near(&rates(text, 3, 3), &wanted);
}

#[test]
fn the_cycle_is_that_of_one_cycle_lr() {
    // OneCycleLR(max_lr=0.1, total_steps=12): 4 epochs of 3; momentum of SGD or betas[0] of Adam beside it.
    let wanted = [
        0.004,
        0.034_978_965_421_958_3,
        0.087_928_515_912_212_87,
        0.099_441_543_545_091_19,
        0.093_301_296_984_141_18,
        0.081_174_565_394_976_3,
        0.064_737_899_769_510_33,
        0.046_263_710_266_697_504,
        0.028_306_099_820_869_922,
        0.013_347_753_018_883_06,
        0.003_456_698_742_539_522_3,
        4e-7,
    ];
    near(&rates(r#"{"one_cycle": {}}"#, 4, 3), &wanted);
    let wanted = [
        0.95,
        0.917_730_244_352_126_7,
        0.862_574_462_591_444_9,
        0.850_558_458_688_743_6,
        0.856_698_729_810_778,
        0.868_825_509_907_063_3,
        0.885_262_241_279_454_7,
        0.903_736_504_679_321_2,
        0.921_694_186_955_877_9,
        0.936_652_593_591_491_2,
        0.946_543_687_432_210_2,
        0.95,
    ];
    near(&momenta(r#"{"one_cycle": {}}"#, 4, 3), &wanted);
}

#[test]
fn a_cycle_may_have_lines_and_three_phases() {
    // OneCycleLR(0.1, total_steps=12, anneal_strategy='linear', pct_start=0.4, div_factor=10, final_div_factor=100)
    let wanted = [
        0.01,
        0.033_684_210_526_315_79,
        0.057_368_421_052_631_575,
        0.081_052_631_578_947_36,
        0.097_225,
        0.08335,
        0.069475,
        0.0556,
        0.041725,
        0.02785,
        0.013975,
        0.0001,
    ];
    let text = r#"{"one_cycle": {"anneal_strategy": "linear", "pct_start": 0.4, "div_factor": 10, "final_div_factor": 100}}"#;
    near(&rates(text, 2, 6), &wanted);
    // OneCycleLR(0.1, total_steps=12, three_phase=True)
    let wanted = [
        0.004,
        0.034_978_965_421_958_3,
        0.087_928_515_912_212_87,
        0.094_501_889_231_354_08,
        0.046_214_239_347_744_46,
        0.005_394_792_763_549_499,
        0.003_815_169_324_257_979,
        0.003_122_461_893_311_692,
        0.002_108_466_989_389_117_3,
        0.001_063_476_800_288_559_2,
        0.000_286_657_019_100_055_4,
        4e-7,
    ];
    near(
        &rates(r#"{"one_cycle": {"three_phase": true}}"#, 2, 6),
        &wanted,
    );
    // OneCycleLR(0.1, total_steps=12, three_phase=True, pct_start=0.4, anneal_strategy='linear', base_momentum=0.8, max_momentum=0.9)
    let text = r#"{"one_cycle": {"three_phase": true, "pct_start": 0.4, "anneal_strategy": "linear", "base_momentum": 0.8, "max_momentum": 0.9}}"#;
    let wanted = [
        0.9,
        0.873_684_210_526_315_8,
        0.847_368_421_052_631_5,
        0.821_052_631_578_947_3,
        0.805_263_157_894_736_9,
        0.831_578_947_368_421_1,
        0.857_894_736_842_105_3,
        0.884_210_526_315_789_5,
        0.9,
        0.9,
        0.9,
        0.9,
    ];
    near(&momenta(text, 2, 6), &wanted);
}

#[test]
fn a_cycle_over_very_few_steps_has_a_rate() {
    for (epochs, steps) in [(1, 1), (1, 2), (10, 1)] {
        for text in [
            r#"{"one_cycle": {"pct_start": 0.1}}"#,
            r#"{"one_cycle": {"pct_start": 0}}"#,
            r#"{"one_cycle": {"pct_start": 1}}"#,
            r#"{"one_cycle": {"three_phase": true}}"#,
        ] {
            let found = rates(text, epochs, steps);
            let sound = |r: &f64| r.is_finite() && *r > 0.0 && *r <= 0.1;
            assert!(found.iter().all(sound), "{text}: {found:?}");
        }
    }
}

#[test]
fn plateaus_are_those_of_reduce_lr_on_plateau() {
    // ReduceLROnPlateau(factor=0.5, patience=1, cooldown=1, min_lr=0.02) on these losses.
    let text = r#"{"plateau": {"factor": 0.5, "patience": 1, "cooldown": 1, "min_lr": 0.02}}"#;
    let losses = [
        1.0, 0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98, 0.5, 0.51,
    ];
    let wanted = [
        0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.02, 0.02,
    ];
    near(&on_plateaus(text, &losses), &wanted);
    // ReduceLROnPlateau(mode='max', patience=1)
    let text = r#"{"plateau": {"patience": 1, "monitor": "validation.top1"}}"#;
    let top1 = [0.1, 0.2, 0.2, 0.20001, 0.25, 0.25, 0.25, 0.25];
    let wanted = [0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001];
    near(&on_plateaus(text, &top1), &wanted);
}

#[test]
fn a_warm_up_is_that_of_linear_lr() {
    let found = rates(r#"{"constant": {"warmup_epochs": 3}}"#, 5, 1);
    near(&found, &[0.025, 0.05, 0.075, 0.1, 0.1]);
    // ChainedScheduler([LinearLR(start_factor=1/3, total_iters=2), StepLR(step_size=3)])
    let found = rates(r#"{"step": {"step_size": 3, "warmup_epochs": 2}}"#, 5, 1);
    let wanted = [0.1 / 3.0, 0.2 / 3.0, 0.1, 0.01, 0.01];
    near(&found, &wanted);
    // LinearLR(start_factor=1/7, total_iters=6), stepped by steps: 2 epochs of 3, and one more.
    let text = r#"{"constant": {"warmup_epochs": 2, "interval": "step"}}"#;
    let sevenths = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 7.0, 7.0].map(|i| 0.1 * i / 7.0);
    near(&rates(text, 3, 3), &sevenths);
}

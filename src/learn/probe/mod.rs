//! Trainings that are looked at and thrown away: tried out, timed, drawn, held against other implementations.

mod browse;
mod functionals;
mod speed;
mod steps;
mod tune;

pub use browse::browse;
pub use functionals::functionals;
pub use speed::speed;
pub use steps::steps;
pub use tune::tune;

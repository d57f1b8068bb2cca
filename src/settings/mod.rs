//! The settings of stages as typed values that cannot hold nonsense: parsed from TOML, written into keys and jobs.
//!
//! Every type here deserialises with an error that says what was found and what is accepted, and serialises with its
//! defaults filled in, because that text is what a key is made of. How a setting is declared, once, stands in [`declare`].

mod augment;
mod averaging;
pub mod declare;
mod folder_level;
mod leaks;
mod loss;
mod mix;
mod network;
mod normalize;
mod number;
mod optimizer;
mod pixels;
mod place;
mod pretrained;
mod progressive_resizing;
mod resize;
mod sampling;
mod save;
mod schedule;
mod train_layers;
mod training;
mod transfer_head;
mod tta;

pub use augment::*;
pub use averaging::{AverageNorm, AverageOf, AverageRule};
pub use folder_level::FolderLevel;
pub use leaks::{FeatureLeaks, GroupBy, Leaks};
pub use loss::{Bce, ClassWeights, Focal, Loss};
pub use mix::{Mix, MixRule};
pub use network::{Arch, Family, Layer, LayerGroup, NetworkSettings};
pub use normalize::{MeanStd, Normalize};
pub use number::{Count, Decay, Factor, NonNegative, Positive, Probability, Side};
#[cfg(feature = "tensors")]
pub(crate) use optimizer::each_optimizer;
pub use optimizer::*;
pub use pixels::{Filter, Pixels, Quality, Storage, Unreadable};
pub use place::*;
pub use pretrained::{Named, PRETRAINED, Pretrained, hub_folder};
pub use progressive_resizing::ProgressiveResizing;
pub use resize::{Fit, Resize};
pub use sampling::Sampling;
pub use save::{Period, Save};
pub use schedule::*;
pub use train_layers::{GradualUnfreezing, TrainLayers};
pub use training::{
    Checkpoint, EarlyStopping, Ema, Keep, Metric, Precision, Training, TrainingRead,
};
pub use transfer_head::TransferHead;
pub use tta::Tta;

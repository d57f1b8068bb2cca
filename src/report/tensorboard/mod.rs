//! The course of a training as TensorBoard's event files, what it was trained with, and pictures of mistakes.
//!
//! A file is a row of records: the length (u64, little-endian), its checksum, the data, its checksum. A checksum is a CRC-32C,
//! rotated and shifted (`tensorflow/core/lib/io/record_writer.cc`, `lib/hash/crc32c.h`). The data is a protocol buffer `Event`
//! (`tensorboard/compat/proto/event.proto`) of which few fields are used here.

mod hparams;
mod message;

use self::message::Message;
use crate::record::{EpochTiming, History};

/// The folders of one training's two curves below its own, with their event files.
#[must_use]
pub fn event_files(
    history: &History,
    timing: &[EpochTiming],
    started: u64,
) -> Vec<(&'static str, Vec<u8>)> {
    let mut train = Events::new(started);
    let mut validation = Events::new(started);
    let mut seconds = 0.0;
    for (place, epoch) in history.epochs.iter().enumerate() {
        let timing = timing.get(place);
        seconds += timing.map_or(0.0, |t| t.seconds);
        let at = (started as f64 + seconds, i64::from(epoch.epoch));
        train.scalar(at, "loss", epoch.train.loss);
        train.scalar(at, "top-1", epoch.train.top1);
        train.scalar(at, "learning rate", epoch.lr);
        if let Some(timing) = timing {
            train.scalar(at, "images per second", timing.images_per_second());
        }
        if let Some(measure) = epoch.validation {
            validation.scalar(at, "loss", measure.loss);
            validation.scalar(at, "top-1", measure.top1);
        }
    }
    let mut files = vec![("train", train.bytes)];
    if history.epochs.iter().any(|e| e.validation.is_some()) {
        files.push(("validation", validation.bytes));
    }
    files
}

/// What a training was made with, for the tab HPARAMS: an event file for the folder of the training itself, whose curves lie below it.
/// Settings by name; a number or a truth as JSON writes it is one, `null` is left out, anything else is a text.
#[must_use]
pub fn hparams_file<'a>(
    settings: impl Iterator<Item = (&'a str, &'a str)>,
    timing: &[EpochTiming],
    started: u64,
) -> Vec<u8> {
    let began = started as f64;
    let ended = began + timing.iter().map(|epoch| epoch.seconds).sum::<f64>();
    let mut events = Events::new(started);
    let start = hparams::session_start(settings, began);
    events.plugin(began, hparams::START, &start);
    events.plugin(ended, hparams::END, &hparams::session_end(ended));
    events.bytes
}

/// A picture with what is said of it.
pub struct Shown {
    /// `1 김밥 → 잡채`.
    pub tag: String,
    /// The bytes of a JPEG.
    pub jpeg: Vec<u8>,
    /// Of the picture, in pixels.
    pub width: u32,
    /// Of the picture.
    pub height: u32,
}

/// An event file of pictures, all at one step.
#[must_use]
pub fn picture_file(pictures: &[Shown], started: u64, step: u32) -> Vec<u8> {
    let mut events = Events::new(started);
    for shown in pictures {
        let mut image = Message::default();
        image.number(1, shown.height.into());
        image.number(2, shown.width.into());
        // RGB.
        image.number(3, 3);
        image.bytes(4, &shown.jpeg);
        let mut item = Message::default();
        item.text(1, &shown.tag);
        item.bytes(4, &image.0);
        events.event((started as f64, step.into()), &item);
    }
    events.bytes
}

/// The name of an event file; TensorBoard knows it by its third part.
pub const EVENT_FILE: &str = "events.out.tfevents.kfood";

struct Events {
    bytes: Vec<u8>,
}

impl Events {
    fn new(started: u64) -> Self {
        let mut events = Self { bytes: Vec::new() };
        let mut event = Message::default();
        event.double(1, started as f64);
        event.text(3, "brain.Event:2");
        events.record(&event.0);
        events
    }

    /// One value: at a time (seconds since 1970) and a step.
    fn scalar(&mut self, (time, step): (f64, i64), tag: &str, value: f64) {
        let mut item = Message::default();
        item.text(1, tag);
        item.float(2, value as f32);
        self.event((time, step), &item);
    }

    /// What a plugin of TensorBoard reads; it has no value, and stands at step 0.
    fn plugin(&mut self, time: f64, tag: &str, content: &[u8]) {
        let mut item = Message::default();
        item.text(1, tag);
        item.bytes(8, &hparams::no_value().0);
        item.bytes(9, &hparams::metadata(content).0);
        self.event((time, 0), &item);
    }

    /// A `Summary.Value` at a time and a step.
    fn event(&mut self, (time, step): (f64, i64), item: &Message) {
        let mut summary = Message::default();
        summary.bytes(1, &item.0);
        let mut event = Message::default();
        event.double(1, time);
        event.number(2, step as u64);
        event.bytes(5, &summary.0);
        self.record(&event.0);
    }

    fn record(&mut self, data: &[u8]) {
        let length = (data.len() as u64).to_le_bytes();
        self.bytes.extend(length);
        self.bytes.extend(masked_crc(&length).to_le_bytes());
        self.bytes.extend(data);
        self.bytes.extend(masked_crc(data).to_le_bytes());
    }
}

fn masked_crc(data: &[u8]) -> u32 {
    let crc = crc32c::crc32c(data);
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Epoch, Measure};

    /// The payloads of all records, both checksums of each compared.
    fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
        let mut all = Vec::new();
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
        while !bytes.is_empty() {
            let (length, rest) = bytes.split_at(8);
            assert_eq!(number(&rest[..4]), masked_crc(length));
            let n = u64::from_le_bytes(length.try_into().unwrap()) as usize;
            let (data, rest) = rest[4..].split_at(n);
            assert_eq!(number(&rest[..4]), masked_crc(data));
            all.push(data);
            bytes = &rest[4..];
        }
        all
    }

    #[test]
    fn the_checksum_is_that_of_tensorflow() {
        // tensorboard.summary.writer.record_writer.masked_crc32c of TensorBoard 2.21.
        assert_eq!(masked_crc(b""), 2_726_488_792);
        assert_eq!(masked_crc(b"brain.Event:2"), 2_080_768_494);
        let rising: Vec<u8> = (0..40).collect();
        assert_eq!(masked_crc(&rising), 2_206_798_197);
    }

    #[test]
    fn an_epoch_is_four_values_of_training_and_two_of_validation() {
        let measure = Measure {
            loss: 1.5,
            top1: 0.25,
        };
        let history = History {
            epochs: vec![Epoch {
                epoch: 1,
                of: 1,
                lr: 0.1,
                train: measure,
                validation: Some(measure),
            }],
            best_epoch: 1,
            stopped_early: None,
        };
        let timing = [EpochTiming {
            seconds: 3.0,
            train_seconds: 2.0,
            images: 100,
            peak_memory: None,
        }];
        let files = event_files(&history, &timing, 1_700_000_000);
        let [("train", train), ("validation", validation)] = files.as_slice() else {
            panic!("not two files");
        };
        let train = records(train);
        assert_eq!(train.len(), 5);
        assert!(train[0].ends_with(b"brain.Event:2"));
        // Event { wall_time: 1700000003.0, step: 1, summary { value { tag: "loss", simple_value: 1.5 } } }
        let mut wanted = vec![0x09];
        wanted.extend(1_700_000_003.0_f64.to_le_bytes());
        wanted.extend([0x10, 1, 0x2a, 13, 0x0a, 11, 0x0a, 4]);
        wanted.extend(b"loss");
        wanted.push(0x15);
        wanted.extend(1.5_f32.to_le_bytes());
        assert_eq!(train[1], wanted);
        assert_eq!(records(validation).len(), 3);
        let without = event_files(&history, &[], 0);
        assert_eq!(records(&without[0].1).len(), 4);
    }
}

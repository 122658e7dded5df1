//! Training a language model on windows of a text.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::RngExt;
use rand::seq::SliceRandom;

use crate::data::tokens::Tokenizer;
use crate::model::Mode;
use crate::model::gpt::Gpt;
use crate::record::VALIDATION_LOSS;
use crate::schedule::Progress;
use crate::seed::{Purpose, Seed};
use crate::task::evaluate::cross_entropy;
use crate::task::splits::drawn;
use crate::train::Problem;

/// The tokens of a part of a text.
#[derive(Clone, Debug)]
pub struct Part {
    tokens: Arc<[i32]>,
    /// characters of each different token
    characters: Arc<[usize]>,
}

impl Part {
    /// The tokens of a text.
    pub fn new(tokens: Vec<i32>, tokenizer: &Tokenizer) -> Part {
        let characters = |token| tokenizer.characters(&[token as i32]);
        let characters = (0..tokenizer.vocabulary()).map(characters).collect();
        Part { tokens: tokens.into(), characters }
    }

    /// The number of tokens.
    pub fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// The number of characters.
    pub fn characters(&self) -> usize {
        self.characters_of(&self.tokens)
    }

    fn characters_of(&self, tokens: &[i32]) -> usize {
        tokens.iter().map(|token| self.characters[*token as usize]).sum()
    }

    /// Where the windows begin that predict every token but the first one once. The last window may
    /// be shorter.
    fn starts(&self, context: usize) -> Vec<usize> {
        (0..self.tokens.len().saturating_sub(1)).step_by(context).collect()
    }

    /// The tokens of a window, and the one after it.
    fn window(&self, start: usize, context: usize) -> &[i32] {
        &self.tokens[start..(start + context + 1).min(self.tokens.len())]
    }
}

/// How well a model predicts a text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// the sum of -log p over all predicted tokens
    nats: f64,
    tokens: usize,
    characters: usize,
}

impl Score {
    /// Mean loss of a token, in nats.
    pub fn loss(&self) -> f64 {
        self.nats / self.tokens as f64
    }

    /// Mean loss of a character, in bits. Unlike the loss of a token, it does not depend on how the
    /// text was divided into tokens.
    pub fn bits(&self) -> f64 {
        self.nats / LN_2 / self.characters as f64
    }

    /// The predicted characters.
    pub fn characters(&self) -> usize {
        self.characters
    }
}

/// Evaluates a model on the windows of a part, this many at once; both without autodiff. A token is
/// predicted from those before it in its window.
pub fn score(model: &Gpt, part: &Part, at_once: usize, device: &Device) -> Score {
    let context = model.settings().context;
    score_windows(model, part, &part.starts(context), at_once, device)
}

fn score_windows(
    model: &Gpt,
    part: &Part,
    starts: &[usize],
    at_once: usize,
    device: &Device,
) -> Score {
    let context = model.settings().context;
    let mut score = Score::default();
    let windows: Vec<&[i32]> = starts.iter().map(|start| part.window(*start, context)).collect();
    // the last window may be shorter
    for equal in windows.chunk_by(|a, b| a.len() == b.len()) {
        for batch in equal.chunks(at_once) {
            score.nats +=
                losses(model, batch, &mut Mode::Evaluate, device).sum().into_scalar::<f64>();
            for window in batch {
                score.tokens += window.len() - 1;
                score.characters += part.characters_of(&window[1..]);
            }
        }
    }
    score
}

/// -log p of every token of some windows but their first ones.
fn losses(model: &Gpt, windows: &[&[i32]], mode: &mut Mode, device: &Device) -> Tensor<1> {
    let length = windows[0].len() - 1;
    let tensor = |skipped: usize| {
        let tokens = windows.iter().flat_map(|window| &window[skipped..skipped + length]);
        let data = TensorData::new(tokens.copied().collect::<Vec<i32>>(), [windows.len(), length]);
        Tensor::<2, Int>::from_data(data, device)
    };
    let scores = model.forward(tensor(0), mode);
    let [windows, length, vocabulary] = scores.dims();
    let next = tensor(1).reshape([windows * length]);
    cross_entropy(scores.reshape([windows * length, vocabulary]), next)
}

/// A language model on windows of a text.
///
/// The windows of an epoch follow each other without a gap, from a random place in the first one on;
/// their order is random. So an epoch uses nearly every token of the training part once, and the
/// windows of two epochs begin at different places. With a limit, an epoch has only the first ones
/// of this order. The loss of a batch is its mean loss per token, in nats.
///
/// `train_bits` and `train_loss` are measured on windows of the training part that are drawn once,
/// as many as the test part has.
#[derive(Clone)]
pub struct LanguageProblem {
    train: Part,
    validation: Part,
    test: Part,
    context: usize,
    batch: usize,
    windows: usize,
    /// where the measured windows of the training part, validation part and test part begin
    measured: [Vec<usize>; 3],
    seed: Seed,
    /// the last requested epoch, and where its windows begin
    order: (usize, Vec<usize>),
    device: Device,
}

impl LanguageProblem {
    /// With at most `most` windows in an epoch, and at most `measured` in a measurement. The device
    /// has autodiff.
    pub fn new(
        [train, validation, test]: [Part; 3],
        context: usize,
        batch: usize,
        most: Option<usize>,
        measured: Option<usize>,
        device: &Device,
    ) -> LanguageProblem {
        // one window less than fits, because the first one begins at a random place
        let all = (train.tokens() - context) / context;
        let first = |part: &Part| {
            let mut starts = part.starts(context);
            starts.truncate(measured.unwrap_or(starts.len()).max(1));
            starts
        };
        let tests = first(&test);
        let places = drawn((train.tokens() - 1) / context, Some(tests.len()), 2);
        let trained = places.into_iter().map(|place| place * context).collect();
        let measured = [trained, first(&validation), tests];
        let (windows, device) = (most.unwrap_or(all).min(all), device.clone());
        let (seed, order) = (Seed(0), (0, Vec::new()));
        LanguageProblem {
            train,
            validation,
            test,
            context,
            batch,
            windows,
            measured,
            seed,
            order,
            device,
        }
    }

    /// The windows of an epoch.
    pub fn windows(&self) -> usize {
        self.windows
    }

    /// Where the windows of an epoch begin. It depends only on the seed and the epoch.
    fn starts(&self, epoch: usize) -> Vec<usize> {
        let mut generator = self.seed.generator(Purpose::Order, epoch);
        let offset = generator.random_range(0..self.context as u32) as usize;
        let all = (self.train.tokens() - self.context) / self.context;
        let mut starts: Vec<usize> = (0..all).map(|i| offset + i * self.context).collect();
        starts.shuffle(&mut generator);
        starts.truncate(self.windows);
        starts
    }
}

impl Problem for LanguageProblem {
    type Model = Gpt;

    fn seeded(self, seed: Seed) -> LanguageProblem {
        LanguageProblem { seed, order: (0, Vec::new()), ..self }
    }

    fn steps(&self) -> usize {
        self.windows.div_ceil(self.batch)
    }

    fn loss(&mut self, model: &Gpt, now: Progress) -> Tensor<1> {
        if self.order.0 != now.epoch {
            self.order = (now.epoch, self.starts(now.epoch));
        }
        let from = (now.batch - 1) * self.batch;
        let starts = &self.order.1[from..(from + self.batch).min(self.windows)];
        let windows: Vec<&[i32]> =
            starts.iter().map(|start| self.train.window(*start, self.context)).collect();
        let mut mode = Mode::Train(self.seed.generator(Purpose::Masks, now.step));
        losses(model, &windows, &mut mode, &self.device).mean()
    }

    fn measure(&self, model: &Gpt, _now: Progress) -> BTreeMap<String, f64> {
        let device = self.device.clone().inner();
        let parts = [&self.train, &self.validation, &self.test];
        let names = [
            ["train_bits", "train_loss"],
            ["validation_bits", VALIDATION_LOSS],
            ["test_bits", "test_loss"],
        ];
        let mut measures = BTreeMap::new();
        for ((part, starts), [bits, loss]) in parts.into_iter().zip(&self.measured).zip(names) {
            let score = score_windows(model, part, starts, self.batch, &device);
            measures.insert(bits.into(), score.bits());
            measures.insert(loss.into(), score.loss());
        }
        measures
    }
}

//! `downhill eval` of a language model: bits per character, and a sample.

use std::path::Path;
use std::process::ExitCode;

use burn::tensor::Device;
use clap::Args;
use downhill::lab::data::tokens::{self, Tokenizer};
use downhill::lab::data::{corpus, like};
use downhill::lab::model::gpt::Sampling;
use downhill::lab::model::saved::language as saved;
use downhill::lab::seed::{Purpose, Seed};
use downhill::lab::task::language::{Part, score};
use downhill::{Error, Result};

use super::terminal::say;

/// Windows that are evaluated at once.
const AT_ONCE: usize = 32;

/// The sample of a language model.
#[derive(Args)]
pub struct SampleArgs {
    /// Text that the sample of a gpt continues [default: a line break]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    prompt: Option<String>,
    /// Tokens of the sample of a gpt; 0 for none [default: 500]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100_000), allow_negative_numbers = true)]
    length: Option<u32>,
    /// Temperature of the sample of a gpt: at 1 the model's own probabilities, below 1 fewer
    /// surprises, at 0 always the most probable token [default: 0.8]
    #[arg(long, value_name = "T", value_parser = temperature, allow_negative_numbers = true)]
    temperature: Option<f64>,
    /// Seed of the sample of a gpt [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
}

fn temperature(text: &str) -> std::result::Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 100".into())
}

impl SampleArgs {
    /// Refuses these options for a model that has no sample.
    pub fn check_absent(&self) -> Result<()> {
        let given = [
            ("--prompt", self.prompt.clone()),
            ("--length", self.length.map(|n| n.to_string())),
            ("--temperature", self.temperature.map(|number| number.to_string())),
            ("--seed", self.seed.map(|seed| seed.to_string())),
        ];
        match given.into_iter().find_map(|(option, value)| Some((option, value?))) {
            None => Ok(()),
            Some((option, value)) => {
                Err(Error::value(option, value, "nothing: only a gpt makes a sample"))
            }
        }
    }

    /// The tokens that the sample continues. `test` is what a text without a line break offers.
    fn start(&self, tokenizer: &Tokenizer, test: &str) -> Result<Vec<i32>> {
        match &self.prompt {
            Some(prompt) if prompt.is_empty() => {
                Err(Error::value("--prompt", "nothing", "at least one character"))
            }
            Some(prompt) => tokenizer.encode("--prompt", prompt),
            None => {
                let first = test.chars().next().map(String::from).unwrap_or_default();
                tokenizer.encode("", "\n").or_else(|_| tokenizer.encode("data", &first))
            }
        }
    }
}

pub fn eval(
    path: &Path,
    data: Option<&str>,
    sample: &SampleArgs,
    device: &Device,
) -> Result<ExitCode> {
    let (model, card) = saved::load(path, device)?;
    let asked = data.map_or_else(|| card.data.clone(), |data| like(data, &card.data));
    let (name, tokenize) = tokens::split(&asked)?;
    let trained = tokens::split(&card.data)?.1;
    if tokenize != trained {
        let expected = format!("{}, as in training", trained.spec());
        return Err(Error::mismatch(&asked, tokenize.spec().to_string(), expected));
    }
    let corpus = corpus::load(name)?;
    let test = Part::new(card.tokenizer.encode(&corpus.name, corpus.test())?, &card.tokenizer);
    if test.tokens() < 2 {
        let found = format!("a test part of {} tokens", test.tokens());
        let expected = "at least 2; it is a twentieth of the text";
        return Err(Error::mismatch(format!("data {}", corpus.name), found, expected));
    }
    let start = sample.start(&card.tokenizer, corpus.test())?;
    let score = score(&model, &test, AT_ONCE, device);
    let mut text = format!(
        "{} on the {} test characters of {}|{}\nbits per character {:.4}\nloss per token     {:.4}",
        card.spec,
        test.characters(),
        corpus.name,
        tokenize.spec(),
        score.bits(),
        score.loss()
    );
    let length = sample.length.unwrap_or(500) as usize;
    let temperature = sample.temperature.unwrap_or(0.8);
    let seed = sample.seed.unwrap_or(0);
    if length > 0 {
        let sampling = Sampling { length, temperature };
        let mut generator = Seed(seed).generator(Purpose::Sample, 0);
        let tokens = model.sample(&start, sampling, &mut generator, device);
        let prompt = sample.prompt.as_deref().unwrap_or_default();
        let continued = card.tokenizer.decode(&tokens);
        text += &format!(
            "\n\nsample of {length} tokens, temperature {temperature}, seed {seed}\n\n{prompt}{continued}"
        );
    }
    say(&text)
}

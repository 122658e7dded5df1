//! Language models: the next token of a text is predicted from those before it. The problem is in
//! `language/problem.rs`.

mod problem;

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::dyn_task::{DynTask, PreparedTask};
use super::memory::{RunSize, check_inputs};
use super::prepare::TaskContext;
use super::saved::{SaveModel, SavedTask};
use super::spec::{NOT_NEGATIVE, Task, check_examples, wrong};
use crate::data::corpus::{self, Corpus, DEFAULT_TEXT};
use crate::data::tokens::{self, Tokenizer};
use crate::error::{Error, Result};
use crate::memory::available;
use crate::model::gpt::{self, Gpt, GptSettings};
use crate::model::saved::language::{self as saved, LanguageCard};
use crate::record::{
    BATCH_LOSS, Measure, RecordedTask, TaskRecord, TrainingCommand, VALIDATION_LOSS, on_data,
};
use crate::regularizer::{EarlyStopping, early_stopping};
use crate::spec::{Settings, Spec, unknown};

pub use problem::{LanguageProblem, Part, Score, score};

/// The measurements with a column.
const COLUMNS: [Measure; 3] = [
    Measure::new("train_bits", "training bits per character"),
    Measure::new("validation_bits", "validation bits per character"),
    Measure::new("test_bits", "test bits per character"),
];
/// The others.
const OTHER: [Measure; 3] = [
    Measure::new("train_loss", "training loss (nats per token)"),
    Measure::new(VALIDATION_LOSS, "validation loss (nats per token)"),
    Measure::new("test_loss", "test loss (nats per token)"),
];

/// A language model and how it is trained, as in the TOML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// spec of the model
    pub model: String,
    /// name of the text or `text:PATH`, if the command names none, and its tokenization:
    /// `shakespeare|bpe:vocabulary=512`
    #[serde(default = "default_text")]
    pub data: String,
    /// windows of a step
    pub batch: usize,
    /// windows of an epoch; by default all that the training part has
    pub windows: Option<usize>,
    /// spec of early stopping, or `none`
    #[serde(default = "none")]
    pub early_stopping: String,
}

fn default_text() -> String {
    DEFAULT_TEXT.into()
}

fn none() -> String {
    "none".into()
}

impl Language {
    /// A language model without early stopping, whose epochs contain the whole training part.
    pub fn new(model: &str, data: &str, batch: usize) -> Language {
        let early_stopping = none();
        Language { model: model.into(), data: data.into(), batch, windows: None, early_stopping }
    }

    fn settings(&self) -> Result<GptSettings> {
        gpt::read(&self.model.parse()?)
    }

    fn early_stopping_spec(&self) -> Result<String> {
        let rule = self.early_stopping()?;
        Ok(rule.map_or_else(none, |rule| rule.spec(early_stopping::NAME).to_string()))
    }

    /// What the problem and a saved model need from the data.
    fn load(&self, context: &TaskContext) -> Result<Loaded> {
        let settings = self.settings()?;
        let asked = context.data_of(&self.data);
        let (name, tokenize) = tokens::split(&asked)?;
        let corpus = corpus::load(name)?;
        check_inputs(&corpus.name, corpus.text.len(), available())?;
        let tokenizer = tokenize.fit(&corpus)?;
        let encode = |text: &str| {
            let tokens = tokenizer.encode(&corpus.name, text)?;
            Ok::<_, Error>(Part::new(tokens, &tokenizer))
        };
        let parts = [corpus.train(), corpus.validation(), corpus.test()].map(encode);
        let [train, validation, test] = parts;
        let parts = [train?, validation?, test?];
        check_lengths(&corpus, &parts, settings.context)?;
        let spec = tokenize.spec();
        let asked = format!("{name}|{spec}");
        let data = format!("{}|{spec}", corpus.name);
        Ok(Loaded { settings, asked, data, sha256: corpus.sha256(), tokenizer, parts })
    }

    fn record(&self, loaded: &Loaded, parameters: usize, windows: usize) -> Result<LanguageRecord> {
        let [train, validation, test] = &loaded.parts;
        Ok(LanguageRecord {
            model: loaded.settings.spec(gpt::NAME).to_string(),
            parameters,
            data: loaded.data.clone(),
            sha256: loaded.sha256.clone(),
            vocabulary: loaded.tokenizer.vocabulary(),
            train: train.characters(),
            validation: validation.characters(),
            test: test.characters(),
            tokens: train.tokens(),
            batch: self.batch,
            windows,
            early_stopping: self.early_stopping_spec()?,
        })
    }
}

/// A text with its tokens.
struct Loaded {
    settings: GptSettings,
    /// the data as the command line names them
    asked: String,
    /// the data as a record names them
    data: String,
    sha256: String,
    tokenizer: Tokenizer,
    parts: [Part; 3],
}

/// Checks that each part has a window: twice the context to train on, since the windows of an epoch
/// begin at a random place, and two tokens to measure.
fn check_lengths(corpus: &Corpus, parts: &[Part; 3], context: usize) -> Result<()> {
    let names = ["training", "validation", "test"];
    let least = [2 * context, 2, 2];
    for ((name, part), least) in names.into_iter().zip(parts).zip(least) {
        if part.tokens() < least {
            let found = format!("a {name} part of {} tokens", part.tokens());
            let expected = match name {
                "training" => format!("at least {least}, twice the context of {context}"),
                _ => format!("at least {least}; it is a twentieth of the text"),
            };
            return Err(Error::content(format!("data {}", corpus.name), found, expected));
        }
    }
    Ok(())
}

#[typetag::serde(name = "language")]
impl Task for Language {
    fn check(&self) -> Result<()> {
        self.settings()?;
        tokens::split(&self.data)?;
        check_examples("batch", self.batch)?;
        if self.windows == Some(0) {
            return Err(wrong("windows", 0, "at least 1 window"));
        }
        self.early_stopping().map(drop)
    }

    fn measures(&self) -> Vec<&'static str> {
        let names = COLUMNS.iter().chain(&OTHER).map(|measure| measure.name);
        names.chain([BATCH_LOSS]).collect()
    }

    fn range(&self, _measure: &str) -> RangeInclusive<f64> {
        NOT_NEGATIVE
    }

    fn data(&self) -> Option<&str> {
        Some(&self.data)
    }

    /// Series may differ in their tokens: bits per character are comparable.
    fn common_data(&self) -> Option<&str> {
        self.data.split('|').next()
    }

    fn early_stopping(&self) -> Result<Option<EarlyStopping>> {
        let spec: Spec = self.early_stopping.parse()?;
        if spec.is_none()? {
            return Ok(None);
        }
        match spec.name.as_str() {
            early_stopping::NAME => Ok(Some(spec.read()?)),
            other => Err(unknown("stop rule", other, ["none", early_stopping::NAME]).into()),
        }
    }

    fn describes(&self, run: &RecordedTask) -> bool {
        let (Some(run), Ok(settings), Ok(stopping)) =
            (run.as_kind::<LanguageRecord>(), self.settings(), self.early_stopping_spec())
        else {
            return false;
        };
        settings.spec(gpt::NAME).to_string() == run.model
            && self.batch == run.batch
            && self.windows.is_none_or(|windows| run.windows <= windows)
            && stopping == run.early_stopping
    }

    fn prepare(&self, context: &mut TaskContext) -> Result<Box<dyn DynTask>> {
        Ok(Box::new(self.prepare_saved(context)?.0))
    }
}

impl SavedTask for Language {
    type Problem = LanguageProblem;

    fn prepare_saved(
        &self,
        context: &mut TaskContext,
    ) -> Result<(PreparedTask<LanguageProblem>, SaveModel<Gpt>)> {
        let device = context.autodiff_device()?;
        let loaded = self.load(context)?;
        let settings = loaded.settings.clone();
        let vocabulary = loaded.tokenizer.vocabulary();
        let parameters = settings.count(vocabulary)?;
        let limits = [self.windows, context.subset.train];
        let problem = LanguageProblem::new(
            loaded.parts.clone(),
            settings.context,
            self.batch,
            limits.into_iter().flatten().min(),
            context.subset.test,
            &device,
        );
        let spec = settings.spec(gpt::NAME);
        let size = RunSize {
            model: spec.to_string(),
            parameters,
            // a batch is evaluated at once, so its size is counted in tokens
            units: settings.units_of(vocabulary) / settings.context,
            batch: self.batch.saturating_mul(settings.context),
        };
        let record = RecordedTask::new(self.record(&loaded, parameters, problem.windows())?);
        let Loaded { asked, sha256, tokenizer, .. } = loaded;
        let card = LanguageCard { spec, tokenizer, data: asked, sha256 };
        let save = Box::new(move |model: &Gpt, path: &_| saved::save(model, &card, path));
        let initial = Box::new(move |seed| settings.made(vocabulary, seed, &device));
        Ok((PreparedTask { record, problem, initial, size }, save))
    }

    fn shown(&self, record: &dyn TaskRecord) -> Vec<Measure> {
        record.columns()
    }
}

/// What a record says about a language model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageRecord {
    /// spec with every setting
    pub model: String,
    /// number of trained values
    pub parameters: usize,
    /// name of the text with its tokenization
    pub data: String,
    /// hash of the text
    pub sha256: String,
    /// number of different tokens
    pub vocabulary: usize,
    /// characters of the training part
    pub train: usize,
    /// characters of the validation part
    pub validation: usize,
    /// characters of the test part
    pub test: usize,
    /// tokens of the training part
    pub tokens: usize,
    /// windows of a step
    pub batch: usize,
    /// windows of an epoch
    pub windows: usize,
    /// spec with every setting, or `none`
    #[serde(default = "none", skip_serializing_if = "is_none")]
    pub early_stopping: String,
}

fn is_none(text: &str) -> bool {
    text == "none"
}

#[typetag::serde(name = "language")]
impl TaskRecord for LanguageRecord {
    on_data!();

    fn size(&self) -> String {
        format!(
            "{}: {} training, {} validation and {} test characters",
            self.data, self.train, self.validation, self.test
        )
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("model", format!("{}, {} parameters", self.model, self.parameters)),
            ("data", format!("{}; sha256 of the text {}", self.size(), self.sha256)),
            ("tokens", format!("{} different, {} to train on", self.vocabulary, self.tokens)),
            ("batch", format!("{} windows", self.batch)),
            ("epoch", format!("{} windows", self.windows)),
        ];
        if !is_none(&self.early_stopping) {
            lines.push(("early stopping", self.early_stopping.clone()));
        }
        lines
    }

    fn columns(&self) -> Vec<Measure> {
        COLUMNS.to_vec()
    }

    fn other_measures(&self) -> Vec<Measure> {
        OTHER.to_vec()
    }

    /// As [`Task::common_data`].
    fn common(&self) -> Value {
        let text = self.data.split('|').next();
        json!({ "data": text, "sha256": self.sha256 })
    }

    fn training_command(&self) -> Option<TrainingCommand> {
        let mut options = vec![
            ("model", self.model.clone()),
            ("data", self.data.clone()),
            ("batch", self.batch.to_string()),
            ("windows", self.windows.to_string()),
        ];
        if !is_none(&self.early_stopping) {
            options.push(("early-stopping", self.early_stopping.clone()));
        }
        Some(options)
    }
}

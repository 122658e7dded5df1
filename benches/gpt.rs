//! A training step of the GPT: forward, backward and AdamW, on 32 windows. With the path of a
//! Python that has torch, the same model takes turns with it: some steps here, some steps there.
//!
//!     cargo bench --bench gpt
//!     cargo bench --bench gpt -- python3
//!     cargo bench --bench gpt -- python3 gpt:layers=4,width=128
//!
//! A time is the median over the rounds of the mean of a round's steps. The output is Markdown.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use burn::optim::GradientsParams;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use downhill::lab::model::Mode;
use downhill::lab::model::gpt::{self, GptSettings};
use downhill::lab::seed::{Purpose, Seed};
use downhill::optim::AdamW;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WINDOWS: usize = 32;
const VOCABULARY: usize = 65;
const ROUNDS: usize = 15;
const STEPS: usize = 8;

/// Trains here: a function that takes steps and returns the mean milliseconds of one.
fn here(settings: &GptSettings) -> impl FnMut() -> f64 {
    let device = Device::flex().autodiff();
    let mut model = settings.made(VOCABULARY, Seed(0), &device).expect("a small model");
    let mut optimizer = AdamW::new().init();
    let context = settings.context;
    let tokens: Vec<i32> =
        (0..WINDOWS * (context + 1)).map(|i| ((i * 7919) % VOCABULARY) as i32).collect();
    let all = Tensor::<2, Int>::from_data(
        TensorData::new::<i32, _>(tokens, [WINDOWS, context + 1]),
        &device,
    );
    let mut step = 0;
    move || {
        let begin = Instant::now();
        for _ in 0..STEPS {
            step += 1;
            let mut mode = Mode::Train(Seed(0).generator(Purpose::Masks, step));
            let scores = model.forward(all.clone().narrow(1, 0, context), &mut mode);
            let next = all.clone().narrow(1, 1, context).reshape([WINDOWS * context, 1]);
            let scores = scores.reshape([WINDOWS * context, VOCABULARY]);
            let loss = -log_softmax(scores, 1).gather(1, next).mean();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(1e-3, model.clone(), gradients);
        }
        begin.elapsed().as_secs_f64() * 1e3 / STEPS as f64
    }
}

/// Another process with torch, which takes the same steps for each line that it gets.
struct Torch {
    process: Child,
    answers: BufReader<ChildStdout>,
    version: String,
}

impl Torch {
    fn start(python: &str, s: &GptSettings) -> Torch {
        let sizes = [s.layers, s.width, s.heads, s.context, WINDOWS, VOCABULARY, STEPS];
        let mut process = Command::new(python)
            .arg("benches/gpt.py")
            .args(sizes.map(|n| n.to_string()))
            .arg(s.dropout.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a Python with torch");
        let mut answers = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut version = String::new();
        answers.read_line(&mut version).expect("the version of torch");
        Torch { process, answers, version: version.trim().into() }
    }

    /// The mean milliseconds of a step.
    fn round(&mut self) -> f64 {
        let to = self.process.stdin.as_mut().expect("a pipe");
        writeln!(to).and_then(|()| to.flush()).expect("torch runs");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("torch runs");
        answer.trim().parse().expect("milliseconds")
    }
}

impl Drop for Torch {
    fn drop(&mut self) {
        drop(self.process.stdin.take()); // it ends at the end of its input
        let _ = self.process.wait();
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let given: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let (specs, python): (Vec<_>, Vec<_>) = given.iter().partition(|text| text.starts_with("gpt"));
    let specs = match specs.as_slice() {
        [] => vec!["gpt", "gpt:layers=4,width=128,context=128", "gpt:dropout=0.1"],
        some => some.iter().map(|spec| spec.as_str()).collect(),
    };
    println!(
        "| model | parameters | downhill ms | torch ms | downhill / torch |\n|---|--:|--:|--:|--:|"
    );
    let mut version = String::from("without torch");
    for spec in specs {
        let settings = gpt::read(&spec.parse().expect("a spec")).expect("settings of a GPT");
        let mut ours = here(&settings);
        let mut torch = python.first().map(|python| Torch::start(python, &settings));
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            own.push(ours());
            other.extend(torch.as_mut().map(Torch::round));
        }
        let parameters = settings.count(VOCABULARY).expect("a small model");
        let own = median(own);
        let (theirs, ratio) = match other.is_empty() {
            true => ("-".into(), "-".into()),
            false => {
                let theirs = median(other);
                (format!("{theirs:.1}"), format!("{:.2}", own / theirs))
            }
        };
        println!("| `{spec}` | {parameters} | {own:.1} | {theirs} | {ratio} |");
        version = torch.map_or(version, |torch| format!("torch {}", torch.version));
    }
    println!("\n{WINDOWS} windows, {VOCABULARY} tokens, AdamW; {version}");
}

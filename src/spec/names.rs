//! Names in specs: the names that other libraries use for a setting, and the suggestion for a name
//! that does not exist.

/// The prefix of the names of burn's own optimizers: `burn:adam`.
pub const BURN: &str = "burn:";

/// If a suggestion is found among more names than this, the error does not list all names.
const MAX_LISTED: usize = 12;

/// The name that other libraries use for a setting.
struct Alias {
    /// the name in other libraries
    elsewhere: &'static str,
    /// the name here
    here: &'static str,
    /// what to write instead where no setting has the name `here`; may be empty
    hint: &'static str,
}

const ALIASES: [Alias; 10] = [
    Alias { elsewhere: "learning_rate", here: "lr", hint: "" },
    Alias { elsewhere: "epsilon", here: "eps", hint: "" },
    Alias { elsewhere: "b1", here: "beta1", hint: "" },
    Alias { elsewhere: "b2", here: "beta2", hint: "" },
    Alias { elsewhere: "beta_1", here: "beta1", hint: "" },
    Alias { elsewhere: "beta_2", here: "beta2", hint: "" },
    Alias { elsewhere: "betas", here: "beta1 and beta2", hint: "write `beta1=0.9,beta2=0.999`" },
    Alias { elsewhere: "alpha", here: "rho", hint: "" },
    Alias {
        elsewhere: "momentum",
        here: "mu",
        hint: "momentum is an optimizer of its own, `momentum:mu=0.9`",
    },
    Alias {
        elsewhere: "weight_decay",
        here: "lambda",
        hint: "weight decay is a gradient transformation: `l2:lambda=1e-4|adam` or `adam|decay:lambda=0.01`",
    },
];

/// The name here of a setting that torch, Keras, Optax or burn call `key`: `eps` for `epsilon`.
/// `None` if there is no such setting among `known`.
pub fn alias<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    let here = ALIASES.iter().find(|alias| alias.elsewhere == key)?.here;
    known.into_iter().any(|name| name == here).then_some(here)
}

/// The name that a key and its aliases share.
pub(super) fn shared_name(key: &str) -> &str {
    ALIASES.iter().find(|alias| alias.elsewhere == key).map_or(key, |alias| alias.here)
}

/// Whether `text` has only the characters of a name or key.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c))
}

/// Suggests a known name for the unknown name `found`, and lists the known names.
pub(super) fn suggestion(found: &str, known: &[String]) -> String {
    if known.is_empty() {
        return "there are none".into();
    }
    let list = known.join(", ");
    let suggested = match ALIASES.iter().find(|alias| alias.elsewhere == found) {
        Some(alias) if known.iter().any(|name| name == alias.here) => Some(alias.here),
        Some(alias) if !alias.hint.is_empty() => return format!("{}; known: {list}", alias.hint),
        _ => nearest(found, known),
    };
    match suggested {
        Some(name) if known.len() > MAX_LISTED => format!("did you mean `{name}`?"),
        Some(name) => format!("did you mean `{name}`? Known: {list}"),
        None => format!("known: {list}"),
    }
}

/// The known name that is most similar to `found`; `None` if none is similar enough.
fn nearest<'a>(found: &str, known: &'a [String]) -> Option<&'a str> {
    let in_burn = format!("{BURN}{found}");
    if let Some(name) = known.iter().find(|name| **name == in_burn) {
        return Some(name);
    }
    let similar = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&found.to_lowercase(), name), name))
        .min()
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4);
    let completed = known.iter().find(|name| found.len() > 2 && name.starts_with(found));
    // a missing end is more likely than several wrong letters
    match (similar, completed) {
        (Some((0 | 1, name)), _) | (_, Some(name)) | (Some((_, name)), None) => Some(name),
        (None, None) => None,
    }
}

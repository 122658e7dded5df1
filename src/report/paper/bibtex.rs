//! References as BibTeX: the paper of an experiment, and this program.

use super::latex;
use crate::report::build::Report;
use crate::report::runs::commits;

impl Report {
    /// The entries of the paper, if the experiment names one, and of downhill.
    pub fn bibtex(&self) -> String {
        let mut entries = Vec::new();
        if let Some(experiment) = self.experiment.as_ref().filter(|it| !it.paper.is_empty()) {
            entries.push(paper(&experiment.name, &experiment.paper, &experiment.url));
        }
        let header = self.runs.first().map(|run| &run.header);
        let version = header.map_or(env!("CARGO_PKG_VERSION"), |header| &header.downhill);
        let commit = commits(&self.runs).map_or(String::new(), |commit| format!(", {commit}"));
        let burn = header.map_or(String::new(), |header| format!(", with burn {}", header.burn));
        entries.push(entry(
            "downhill",
            &[
                ("key", "downhill".into()),
                ("title", format!("{{downhill}}: {}", env!("CARGO_PKG_DESCRIPTION"))),
                ("note", latex::text(&format!("Version {version}{commit}{burn}"))),
            ],
        ));
        entries.join("\n")
    }
}

/// A citation in one line, `Kingma & Ba, Adam: a method ..., ICLR 2015, section 6.1`, in parts.
struct Citation {
    authors: Vec<String>,
    title: String,
    place: String,
    year: String,
}

/// The parts of a citation; `None` if it has another form.
fn parts(line: &str) -> Option<Citation> {
    let line = line.split(';').next()?;
    let (first, rest) = match line.split_once(" & ") {
        Some((first, rest)) if !first.contains(':') => (first.split(", ").collect(), rest),
        _ => (Vec::new(), line),
    };
    let mut segments = rest.split(", ");
    let authors: Vec<String> =
        first.into_iter().chain([segments.next()?]).map(String::from).collect();
    let is_name = |name: &String| name.chars().all(|c| c.is_alphabetic() || " .-'".contains(c));
    let mut title: Vec<&str> = Vec::new();
    // a venue has several segments where it has a volume: `JMLR 15, 2014`
    let year = loop {
        let segment = segments.next()?;
        match segment.split(' ').next_back().filter(|word| is_year(word)) {
            Some(year) => {
                let venue = segment.strip_suffix(year)?.trim();
                break (venue, year);
            }
            None => title.push(segment),
        }
    };
    let (venue, year) = year;
    let before = if venue.is_empty() && title.len() > 1 { title.pop()? } else { venue };
    let is_citation = !title.is_empty() && authors.iter().all(is_name);
    is_citation.then(|| Citation {
        authors,
        title: title.join(", "),
        place: before.into(),
        year: year.into(),
    })
}

fn is_year(word: &str) -> bool {
    word.len() == 4
        && (word.starts_with("19") || word.starts_with("20"))
        && word.parse::<u16>().is_ok()
}

/// The entry of a paper. A citation of an unknown form becomes the title.
fn paper(experiment: &str, citation: &str, url: &str) -> String {
    let mut fields = Vec::new();
    let key = match parts(citation) {
        Some(Citation { authors, title, place, year }) => {
            let key = format!("{}{year}", key(&authors[0]));
            fields.push(("author", authors.join(" and ")));
            fields.push(("title", format!("{{{}}}", latex::text(&title))));
            if !place.is_empty() {
                fields.push(("note", latex::text(&place)));
            }
            fields.push(("year", year));
            key
        }
        None => {
            fields.push(("title", format!("{{{}}}", latex::text(citation))));
            key(experiment)
        }
    };
    if let Some(paper) = url.split_once("arxiv.org/abs/").map(|(_, paper)| paper) {
        fields.extend([("eprint", paper.to_string()), ("archiveprefix", "arXiv".into())]);
    }
    if !url.is_empty() {
        fields.push(("url", plain_url(url)));
    }
    entry(&key, &fields)
}

/// A name as part of a key.
fn key(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect::<String>()
        .to_lowercase()
}

/// An address without characters that would end a field.
fn plain_url(url: &str) -> String {
    let escaped = |c: char| match c {
        '{' => "%7B".into(),
        '}' => "%7D".into(),
        '\\' => "%5C".into(),
        ' ' => "%20".into(),
        other => other.to_string(),
    };
    url.chars().map(escaped).collect()
}

fn entry(key: &str, fields: &[(&str, String)]) -> String {
    let lines: Vec<String> =
        fields.iter().map(|(name, value)| format!("  {name} = {{{value}}},\n")).collect();
    format!("@misc{{{key},\n{}}}\n", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_is_split_into_its_parts() {
        for (line, authors, title, place, year) in [
            (
                "Kingma & Ba, Adam: a method for stochastic optimization, ICLR 2015, section 6.1",
                "Kingma|Ba",
                "Adam: a method for stochastic optimization",
                "ICLR",
                "2015",
            ),
            (
                "Zeiler, ADADELTA: an adaptive learning rate method, 2012, tables 1 and 2",
                "Zeiler",
                "ADADELTA: an adaptive learning rate method",
                "",
                "2012",
            ),
            (
                "Srivastava, Hinton & Salakhutdinov, Dropout: a simple way, JMLR 15, 2014, table 9",
                "Srivastava|Hinton|Salakhutdinov",
                "Dropout: a simple way",
                "JMLR 15",
                "2014",
            ),
        ] {
            let parts = parts(line).unwrap();
            assert_eq!(parts.authors.join("|"), authors);
            assert_eq!([&parts.title, &parts.place, &parts.year], [title, place, year]);
        }
        for other in ["S2 (a thesis on Adam), figures 2 and 3", "", "protocol and table"] {
            assert!(parts(other).is_none(), "{other}");
        }
    }

    #[test]
    fn no_text_ends_a_field() {
        let entry = paper("own", "50 % & }more{ \\", "https://a.b/{x}");
        assert_eq!(
            entry,
            "@misc{own,\n  title = {{50 \\% \\& \\}more\\{ \\textbackslash{}}},\n  url = {https://a.b/%7Bx%7D},\n}\n"
        );
    }
}

//! The notation of the two texts, read; their heads explain it. They are part of the program, so a
//! bad word is a bug.

use super::Element;
use super::Form;
use super::Particle;
use super::Version;

type Tokens = std::iter::Peekable<std::str::SplitWhitespace<'static>>;

/// Reads particles up to the end of a line, of an alternative, or of a choice.
pub(super) fn sequence(tokens: &mut Tokens) -> Vec<Particle> {
    let mut content = Vec::new();
    while let Some(token) = tokens.peek().copied() {
        if token == "|" || token.starts_with(')') {
            break;
        }
        tokens.next();
        content.push(if token == "(" { choice(tokens) } else { Particle::Element(word(token)) });
    }
    content
}

fn choice(tokens: &mut Tokens) -> Particle {
    let mut alternatives = Vec::new();
    loop {
        alternatives.push(sequence(tokens));
        let token = tokens.next().expect("a choice is closed");
        if token != "|" {
            return Particle::Choice {
                alternatives,
                optional: matches!(token, ")?" | ")*"),
                repeated: matches!(token, ")*" | ")+"),
            };
        }
    }
}

/// Reads `Name:form`, its marks and its version.
fn word(token: &'static str) -> Element {
    let (token, since) = token.split_once('@').unwrap_or((token, "0.0"));
    let (name, rest) = token.split_once(':').expect("an element has a form");
    let form = rest.trim_end_matches(['?', '*', '+', '#', '~']);
    let marks = &rest[form.len()..];
    Element {
        name,
        form: form_of(form),
        optional: marks.contains(['?', '*']),
        repeated: marks.contains(['*', '+']),
        since: version(since),
        takes_macro: marks.contains('~'),
        gives_macro: marks.contains('#'),
    }
}

fn form_of(form: &'static str) -> Form {
    match form {
        "A" => Form::Amount,
        "B" => Form::Boolean,
        "D" => Form::Date,
        "T" => Form::DateTime,
        "Z" => Form::Empty,
        "F" => Form::Float,
        "G" => Form::Guid,
        "ID" => Form::Id,
        "N" => Form::Integer,
        "H" => Form::Interval,
        "PCT" => Form::Percent,
        "P" => Form::Price,
        "Q" => Form::Quantity,
        _ => {
            if let Some(name) = form.strip_prefix('{') {
                Form::Aggregate(name.trim_end_matches('}'))
            } else if let Some(name) = form.strip_prefix("E.") {
                Form::Enumeration(name)
            } else {
                Form::Text(form[1..].parse().ok())
            }
        }
    }
}

pub(super) fn version(text: &str) -> Version {
    text.parse().expect("a version has two numbers")
}

//! The catalogue as pages: what `/v1/errors`, `/docs/errors/{CODE}` and `docs/errors.md` show.

use std::fmt::Write;

use serde::Serialize;

use crate::diagnosis::Fix;
use crate::diagnosis::catalogue::Catalogue;
use crate::diagnosis::catalogue::Words;
use crate::diagnosis::fix;
use crate::diagnosis::sentence::say;
use crate::domain::outcome::Code;

/// Said where the application has to send something else.
const LOOK_UP: &str = "For developers: `GET /v1/schema/{kind}` says what may be sent. \
                       `POST /v1/connections/{c}/check` shows all findings at once, without sending \
                       anything.";

/// What a code means.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The stable code.
    pub code: Code,
    /// What is said of the code as such.
    #[serde(flatten)]
    pub words: Variant,
    /// What there is to know beyond that.
    pub explanation: String,
    /// Causes of which that says all.
    pub same: Vec<String>,
    /// The finer causes inside the code, of which something else is said.
    pub causes: Vec<Variant>,
}

/// What is said of a code, or of a cause inside it, where no facts are known.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Variant {
    /// The cause; empty for the code as such.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cause: String,
    /// A few words.
    pub title: String,
    /// What happened.
    pub detail: String,
    /// The same in the words of a bookkeeper.
    pub user_facing_message: String,
    /// Whether it heals by itself.
    pub retryable: bool,
    /// How and when it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<String>,
    /// What may be behind it, most likely first.
    pub why: Vec<String>,
    /// What helps, most likely first.
    pub fixes: Vec<Fix>,
}

/// The entry of one code.
pub fn entry(code: Code) -> Entry {
    let catalogue = Catalogue::get();
    let words = catalogue.code(code);
    Entry {
        code,
        words: variant("", &catalogue.words(code, "")),
        explanation: words.page.clone(),
        same: words.same.clone(),
        causes: words
            .causes
            .keys()
            .map(|cause| variant(cause, &catalogue.words(code, cause)))
            .collect(),
    }
}

/// All entries, in the order of the contract.
pub fn entries() -> impl Iterator<Item = Entry> {
    Code::ALL.iter().map(|code| entry(*code))
}

fn variant(cause: &str, words: &Words<'_>) -> Variant {
    let none = std::collections::BTreeMap::new();
    Variant {
        cause: cause.to_owned(),
        title: say(words.title, &none),
        detail: say(words.detail, &none),
        user_facing_message: say(words.user, &none),
        retryable: words.retry.is_some(),
        retry: words.retry.map(str::to_owned),
        why: words.why.to_vec(),
        fixes: words.fixes.iter().map(|id| fix(id, &none)).collect(),
    }
}

impl Entry {
    /// Its page, in Markdown without any HTML.
    pub fn markdown(&self) -> String {
        let mut page = format!("# {}\n\n`{}`\n\n", self.words.title, self.code);
        body(&mut page, &self.words, "##");
        let _ = writeln!(page, "\n## More\n\n{}", self.explanation);
        let mut all = self.causes.iter().chain([&self.words]).flat_map(|words| &words.fixes);
        if all.any(|fix| fix.id == "change-mapping") {
            let _ = writeln!(page, "\n{LOOK_UP}");
        }
        for cause in &self.causes {
            let _ = writeln!(page, "\n## {}\n\n`{}` · `{}`\n", cause.title, self.code, cause.cause);
            body(&mut page, cause, "###");
        }
        page
    }
}

fn body(page: &mut String, words: &Variant, heading: &str) {
    let _ = writeln!(page, "{}\n\n> {}", words.detail, words.user_facing_message);
    if let Some(retry) = &words.retry {
        let _ = writeln!(page, "\nIt heals by itself. {retry}");
    }
    let _ = writeln!(page, "\n{heading} Why\n");
    for why in &words.why {
        let _ = writeln!(page, "- {why}");
    }
    let _ = writeln!(page, "\n{heading} What helps\n");
    for (number, fix) in words.fixes.iter().enumerate() {
        let number = number + 1;
        let Fix { id, actor, label, how, .. } = fix;
        let _ = write!(page, "{number}. **{label}** (`{id}`, {}).", actor_in_words(actor));
        let _ = match how {
            Some(how) => writeln!(page, " {how}"),
            None => writeln!(page),
        };
    }
}

fn actor_in_words(actor: &str) -> &str {
    match actor {
        "quickbooks-user" => "in QuickBooks",
        "developer" => "the developer",
        "system" => "by itself",
        _ => "you",
    }
}

/// `docs/errors.md`: a line a code, and a line a cause.
pub fn index() -> String {
    let mut page = String::from(
        "# Diagnoses\n\n\
         Every problem has one of these codes; none ever changes its meaning. A running Bookbridge\n\
         shows each with its causes and the steps that help under `/docs/errors/{CODE}`, and as JSON\n\
         under `/v1/errors/{CODE}`. This page is written by a test from the catalogue,\n\
         `src/diagnosis/catalogue.toml`.\n\n\
         | code | cause | title | heals by itself | fixes, most likely first |\n\
         |---|---|---|---|---|\n",
    );
    for entry in entries() {
        let same: Vec<_> = entry.same.iter().map(|cause| format!("`{cause}`")).collect();
        // The anchor that docs/problems.md leads to.
        let code = format!("<a id=\"{0}\"></a>`{0}`", entry.code);
        line(&mut page, &code, &same.join(", "), &entry.words);
        for cause in &entry.causes {
            line(&mut page, "", &format!("`{}`", cause.cause), cause);
        }
    }
    page
}

fn line(page: &mut String, code: &str, cause: &str, words: &Variant) {
    let heals = if words.retryable { "yes" } else { "no" };
    let fixes: Vec<_> = words.fixes.iter().map(|fix| format!("`{}`", fix.id)).collect();
    let fixes = fixes.join(", ");
    let _ = writeln!(page, "| {code} | {cause} | {} | {heals} | {fixes} |", words.title);
}

//! The data file, read once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::outcome::Code;

const TEXT: &str = include_str!("catalogue.toml");

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    toml::from_str(TEXT).expect("a test reads the same bytes, which are a part of the program")
});

/// Everything that can be said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    fixes: BTreeMap<String, FixWords>,
    codes: BTreeMap<Code, CodeWords>,
}

/// One sentence, or several of which the first is said whose facts are known.
#[derive(Debug, Deserialize)]
#[serde(from = "Written")]
pub(super) struct Sentences(Vec<String>);

impl std::ops::Deref for Sentences {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    One(String),
    Several(Vec<String>),
}

impl From<Written> for Sentences {
    fn from(written: Written) -> Self {
        match written {
            Written::One(sentence) => Self(vec![sentence]),
            Written::Several(sentences) => Self(sentences),
        }
    }
}

/// What helps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FixWords {
    pub(super) actor: String,
    pub(super) label: Sentences,
    pub(super) how: Option<String>,
    pub(super) preview: Option<String>,
    /// Behind the detail, if it was pressed and did not come about.
    pub(super) tried: Option<String>,
}

/// What a code means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeWords {
    title: Sentences,
    detail: Sentences,
    user: Sentences,
    why: Vec<String>,
    fixes: Vec<String>,
    /// How it heals by itself.
    retry: Option<String>,
    pub(super) page: String,
    /// Causes of which the code says all.
    #[serde(default)]
    pub(super) same: Vec<String>,
    #[serde(default)]
    pub(super) causes: BTreeMap<String, CauseWords>,
}

/// What is different for a cause.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CauseWords {
    title: Option<Sentences>,
    detail: Option<Sentences>,
    user: Option<Sentences>,
    why: Option<Vec<String>>,
    fixes: Option<Vec<String>>,
    /// How it heals by itself; empty: it does not, though others of the code do.
    retry: Option<String>,
}

/// What is said of a code and a cause.
pub(super) struct Words<'a> {
    pub(super) title: &'a [String],
    pub(super) detail: &'a [String],
    pub(super) user: &'a [String],
    pub(super) why: &'a [String],
    pub(super) fixes: &'a [String],
    pub(super) retry: Option<&'a str>,
}

impl Catalogue {
    pub(super) fn get() -> &'static Self {
        &CATALOGUE
    }

    /// The words of a code; those of a cause go before them. An unknown cause has none of its own.
    pub(super) fn words(&self, code: Code, cause: &str) -> Words<'_> {
        let code = self.code(code);
        let cause = code.causes.get(cause);
        Words {
            title: cause.and_then(|it| it.title.as_ref()).unwrap_or(&code.title),
            detail: cause.and_then(|it| it.detail.as_ref()).unwrap_or(&code.detail),
            user: cause.and_then(|it| it.user.as_ref()).unwrap_or(&code.user),
            why: cause.and_then(|it| it.why.as_ref()).unwrap_or(&code.why),
            fixes: cause.and_then(|it| it.fixes.as_ref()).unwrap_or(&code.fixes),
            retry: cause
                .and_then(|it| it.retry.as_deref())
                .or(code.retry.as_deref())
                .filter(|text| !text.is_empty()),
        }
    }

    pub(super) fn code(&self, code: Code) -> &CodeWords {
        self.codes.get(&code).expect("a test looks up every code")
    }

    pub(super) fn fix(&self, id: &str) -> &FixWords {
        self.fixes.get(id).expect("a test looks up every fix that a code names")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::sentence::places;
    use crate::qbxml::classify;

    /// Facts that the catalogue may name: those of the checks, of the classifier, and of the engine.
    const FACTS: &[&str] = &[
        "actual",
        "allowed",
        "at",
        "characters",
        "closingDate",
        "column",
        "count",
        "customer",
        "due",
        "edition",
        "expected",
        "field",
        "fields",
        "fieldsInWords",
        "firstOpenDay",
        "hresult",
        "kind",
        "limit",
        "line",
        "message",
        "minutes",
        "more",
        "nearest",
        "number",
        "open",
        "other",
        "others",
        "party",
        "record",
        "renamed",
        "replaced",
        "shortened",
        "since",
        "status",
        "suffix",
        "suffixed",
        "text",
        "username",
        "value",
        "version",
        "where",
        "why",
    ];

    const ACTORS: [&str; 4] = ["user", "quickbooks-user", "developer", "system"];

    #[test]
    fn every_code_has_its_words() {
        for code in Code::ALL {
            assert!(Catalogue::get().codes.contains_key(code), "{code}");
        }
    }

    #[test]
    fn every_cause_of_the_classifier_has_its_words() {
        for (code, cause) in classify::causes() {
            let words = Catalogue::get().code(code);
            let is_known = cause.is_empty()
                || words.same.iter().any(|it| it == cause)
                || words.causes.contains_key(cause);
            assert!(is_known, "{code} {cause}");
        }
    }

    #[test]
    fn every_fix_that_is_named_exists_and_every_fix_is_named() {
        let catalogue = Catalogue::get();
        let mut unused: Vec<_> = catalogue.fixes.keys().collect();
        for (code, words) in &catalogue.codes {
            let causes = words.causes.values().filter_map(|cause| cause.fixes.as_ref());
            for id in causes.chain([&words.fixes]).flatten() {
                assert!(catalogue.fixes.contains_key(id), "{code}: {id}");
                unused.retain(|it| *it != id);
            }
        }
        assert!(unused.is_empty(), "{unused:?}");
        for (id, fix) in &catalogue.fixes {
            assert!(ACTORS.contains(&&*fix.actor), "{id}");
        }
    }

    #[test]
    fn every_list_of_sentences_ends_with_one_that_needs_nothing_and_names_known_facts() {
        let catalogue = Catalogue::get();
        let causes = |code: &'static CodeWords| {
            let empty = [&code.title, &code.detail, &code.user];
            let own = code.causes.values().flat_map(|it| [&it.title, &it.detail, &it.user]);
            empty.into_iter().chain(own.flatten()).collect::<Vec<_>>()
        };
        let labels = catalogue.fixes.values().map(|fix| &fix.label);
        for sentences in catalogue.codes.values().flat_map(causes).chain(labels) {
            let last = sentences.last().unwrap();
            assert_eq!(places(last).count(), 0, "{last}");
            for place in sentences.iter().flat_map(|it| places(it)) {
                let name = place.strip_suffix(".words").or_else(|| place.strip_suffix(".list"));
                let name = name.unwrap_or(place);
                assert!(FACTS.contains(&name), "{place}");
            }
        }
    }
}

//! What a page tells the next one, in its address: marked, so that a link from elsewhere cannot put
//! words into our mouth.

use std::sync::LazyLock;

use subtle::ConstantTimeEq as _;

use crate::dashboard::fields::Fields;
use crate::domain::ids::Digest;

/// Longest text that is told, in characters.
const MAX_TEXT: usize = 600;

/// Known to this process alone: after a restart nothing is told, and nothing is missed.
static KEY: LazyLock<[u8; 32]> = LazyLock::new(|| {
    let mut key = [0; 32];
    getrandom::fill(&mut key).expect("the operating system gives random bytes");
    key
});

/// Done, or refused.
#[derive(Clone, Copy)]
pub(super) enum Tone {
    Said,
    Refused,
}

impl Tone {
    fn name(self) -> &'static str {
        match self {
            Self::Said => "said",
            Self::Refused => "refused",
        }
    }

    fn mark(self, text: &str) -> String {
        Digest::of(&[&*KEY, self.name().as_bytes(), b"=", text.as_bytes()].concat()).short()
    }

    /// The address with what it shall say.
    pub(super) fn address(self, to: &str, text: &str) -> String {
        let join = if to.contains('?') { '&' } else { '?' };
        let text: String = text.chars().take(MAX_TEXT).collect();
        let encoded =
            percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        format!("{to}{join}{}={encoded}&mark={}", self.name(), self.mark(&text))
    }

    /// What the address says, if we wrote it.
    pub(super) fn read(self, asked: &Fields) -> Option<String> {
        let text = asked.text(self.name());
        let ours = self.mark(text).as_bytes().ct_eq(asked.text("mark").as_bytes());
        (!text.is_empty() && bool::from(ours)).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_we_wrote_is_told() {
        let address = Tone::Said.address("/records?status=failed", "Done. 3 & more");
        let (_, query) = address.split_once('?').unwrap();

        assert_eq!(Tone::Said.read(&Fields::of_query(query)).as_deref(), Some("Done. 3 & more"));
        assert_eq!(Tone::Refused.read(&Fields::of_query(query)), None);
        for forged in [
            query.replace("Done", "Gone"),
            query.replace("said=", "refused="),
            "said=Call%20this%20number".to_owned(),
            "said=Call&mark=0".to_owned(),
        ] {
            let asked = Fields::of_query(&forged);
            assert_eq!((Tone::Said.read(&asked), Tone::Refused.read(&asked)), (None, None));
        }
    }
}

//! What a refusal of QuickBooks means: (status code, message) → cause, code, what happens next.
//!
//! A message is `<head>  QuickBooks error message: <suffix>`. The head is a fixed template with
//! user data in quotes, the suffix is the program's own dialog text. So the template of the code is
//! taken apart first, and only what the program wrote itself is looked at by the ordered rules:
//! what a user typed can never steer a cause. `tests/qbxml/messages.rs` holds that.
//!
//! Source: OSR, "QBSDK error codes"; messages in field logs, named in each row of [`rules`].

mod hresults;
mod message;
mod rules;

pub use hresults::hresult;
pub use hresults::may_be_the_requests_fault;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::outcome::Code;
use crate::domain::outcome::Disposition;
use crate::domain::outcome::Finding;
use crate::domain::outcome::Said;

/// What a status means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Classification {
    /// The row that decided; for logs and tests.
    pub rule: &'static str,
    /// The finer label inside the code.
    pub cause: &'static str,
    /// The stable code.
    pub code: Code,
    /// What happens next.
    pub disposition: Disposition,
    /// What the message names: `kind`, `value`, `field`, `where`, `suffix`.
    pub facts: BTreeMap<&'static str, String>,
}

impl Classification {
    /// The finding that a record keeps.
    pub fn finding(&self, said: &Said) -> Finding {
        let mut finding = Finding::new(self.code).cause(self.cause).said(said.clone());
        for (name, value) in &self.facts {
            finding = finding.fact(name, value);
        }
        finding
    }
}

/// Classifies the status of one answer. `request_type`, such as `CustomerAddRq`, tells a query that
/// found nothing from a write that did not find its object.
pub fn status(said: &Said, request_type: &str) -> Classification {
    status_of(said, request_type, &Value::Null)
}

/// The same of what was asked with this data: where QuickBooks does not mark what of its message is
/// the data's, nothing that the data says is taken for its word.
pub fn status_of(said: &Said, request_type: &str, data: &Value) -> Classification {
    let code = said.status_code.unwrap_or(-1);
    let mut typed = Vec::new();
    texts(data, &mut typed);
    let parts = message::take_apart(code, &said.message, &typed);
    let is_query = request_type.ends_with("QueryRq");
    let rule = rules::RULES.iter().find(|rule| rule.fits(code, &parts)).unwrap_or(&rules::UNKNOWN);
    // Asking for one object that is not there is an answer, whatever the code (500, 3120: field logs).
    let (cause, disposition) = match rule.cause {
        "object_not_found" if is_query => ("query_not_found", Disposition::Empty),
        cause => (cause, rule.disposition),
    };
    Classification { rule: rule.name, cause, code: rule.code, disposition, facts: parts.facts }
}

fn texts<'a>(data: &'a Value, found: &mut Vec<&'a str>) {
    match data {
        Value::String(text) => found.push(text),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(members) => members.values().for_each(|value| texts(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every code and cause that a classification can have, in the order of the rules.
pub fn causes() -> impl Iterator<Item = (Code, &'static str)> {
    let unknown = std::iter::once(&rules::UNKNOWN);
    let status = rules::RULES.iter().chain(unknown).map(|rule| (rule.code, rule.cause));
    status.chain(hresults::causes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: i32, message: &str, cause: &str) {
        let said = Said { status_code: Some(code), message: message.to_owned(), ..Said::default() };

        let class = status(&said, "InvoiceAddRq");

        assert_eq!(class.cause, cause, "{code} {message}");
    }

    #[test]
    fn what_a_user_typed_never_steers_the_cause() {
        for data in [
            "closing date",
            "x\" in the Invoice.  QuickBooks error message: The books are closed",
            "could not be locked",
            "credit limit",
            "a \"quoted\" currency",
            "delete this transaction from the deposit",
            "must be of type\nBank",
        ] {
            check(
                3140,
                &format!(
                    "There is an invalid reference to QuickBooks Customer \"{data}\" in the \
                     Invoice.  QuickBooks error message: Invalid argument.  The specified record \
                     does not exist in the list."
                ),
                "reference_not_found",
            );
            check(
                3100,
                &format!("The name \"{data}\" of the list element is already in use."),
                "name_in_use",
            );
            check(
                3070,
                &format!("The string \"{data}\" in the field \"Name\" is too long."),
                "string_too_long",
            );
        }
    }

    #[test]
    fn the_facts_are_the_quoted_data() {
        let said = Said {
            status_code: Some(3140),
            message: "There is an invalid reference to QuickBooks Item \"Labor\" in the Invoice \
                      line.  QuickBooks error message: Invalid argument."
                .to_owned(),
            ..Said::default()
        };

        let class = status(&said, "InvoiceAddRq");

        assert_eq!(class.facts["kind"], "Item");
        assert_eq!(class.facts["value"], "Labor");
        assert_eq!(class.facts["where"], "Invoice line");
        assert_eq!(class.facts["suffix"], "Invalid argument.");
    }
}

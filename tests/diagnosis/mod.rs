//! Findings in words.

use std::fs;
use std::path::Path;

use bookbridge::diagnosis;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::outcome::Finding;
use bookbridge::domain::outcome::Said;
use bookbridge::qbxml::classify;
use proptest::prelude::*;
use serde_json::json;

/// Facts that somebody may know, with a value that looks like a place.
const FACTS: [&str; 12] = [
    "field", "value", "kind", "where", "suffix", "limit", "actual", "allowed", "nearest", "why",
    "since", "expected",
];

fn causes() -> Vec<(Code, String)> {
    let causes = diagnosis::entries().flat_map(|entry| {
        let code = entry.code;
        entry.causes.into_iter().map(move |cause| (code, cause.cause))
    });
    let codes = Code::ALL.iter().map(|code| (*code, String::new()));
    codes.chain(causes).collect()
}

fn too_long() -> Finding {
    Finding::new(Code::StringTooLong)
        .cause("string_too_long")
        .at("/data/Name")
        .fact("field", "Name")
        .fact("value", "Northwest Property Management & Maintenance L")
        .fact("limit", 41)
        .fact("actual", 45)
}

#[test]
fn the_example_of_the_contract_comes_out() {
    let said = Said {
        status_code: Some(3070),
        severity: Some("Error".to_owned()),
        message: "The string \"N\" in the field \"Name\" is too long.".to_owned(),
        hresult: None,
    };

    let rendered = diagnosis::render(&too_long().said(said));

    let value = serde_json::to_value(&rendered).unwrap();
    assert_eq!(value["code"], "STRING_TOO_LONG");
    assert_eq!(value["title"], "Text too long for QuickBooks");
    assert_eq!(value["detail"], "Name has 45 characters; QuickBooks allows 41.");
    assert_eq!(value["pointer"], "/data/Name");
    assert_eq!(value["retryable"], false);
    assert_eq!((&value["limit"], &value["actual"]), (&json!(41), &json!(45)));
    let fix = &value["fixes"][0];
    assert_eq!((&fix["id"], &fix["actor"]), (&json!("shorten"), &json!("user")));
    assert_eq!(fix["label"], "Shorten the name");
    assert_eq!(fix["preview"], "Northwest Property Management & Maintenan");
    assert_eq!(
        value["quickbooks"],
        json!({
            "statusCode": 3070,
            "statusSeverity": "Error",
            "statusMessage": "The string \"N\" in the field \"Name\" is too long.",
            "hresult": null,
        })
    );
}

#[test]
fn a_diagnosis_of_several_findings_is_its_first_and_lists_all() {
    let missing =
        Finding::new(Code::MissingField).at("/data/CustomerRef").fact("field", "CustomerRef");

    let both = diagnosis::render_all(&[too_long(), missing]).unwrap();
    let one = diagnosis::render_all(&[too_long()]).unwrap();

    let value = serde_json::to_value(&both).unwrap();
    assert_eq!(value["code"], "STRING_TOO_LONG");
    assert_eq!(value["errors"][0]["code"], "STRING_TOO_LONG");
    assert_eq!(value["errors"][1]["detail"], "CustomerRef is missing; QuickBooks needs it.");
    assert!(serde_json::to_value(&one).unwrap().get("errors").is_none());
    assert_eq!(diagnosis::render_all(&[]), None);
}

#[test]
fn whatever_is_known_no_place_is_left_empty_or_unfilled() {
    for (code, cause) in causes() {
        for known in 0..=FACTS.len() {
            let mut finding = Finding::new(code).cause(&*cause);
            for fact in &FACTS[..known] {
                finding = finding.fact(fact, "x");
            }
            let rendered = diagnosis::render(&finding);
            let labels = rendered.fixes.iter().map(|fix| &fix.label);
            let mut texts = vec![&rendered.title, &rendered.detail, &rendered.user_facing_message];
            texts.extend(rendered.why.iter().chain(labels));
            for text in texts {
                assert!(!text.is_empty() && !text.contains(['{', '}']), "{code} {cause}: {text}");
                assert!(!text.contains("“”") && !text.contains("  "), "{code} {cause}: {text}");
            }
            assert!(!rendered.fixes.is_empty(), "{code} {cause}");
        }
    }
}

#[test]
fn of_many_fields_that_both_sides_changed_the_first_are_said_and_the_others_counted() {
    let mut finding = Finding::new(Code::EditSequenceStale).cause("changed_in_both");
    for number in 10..22 {
        let (ours, theirs) = (format!("ours:F{number}"), format!("theirs:F{number}"));
        finding = finding.fact(&ours, "{value}").fact(&theirs, "x".repeat(200));
    }

    let told = diagnosis::render(&finding).detail;

    assert!(told.contains("F10 (“{value}” in your application, “xxx"), "{told}");
    assert!(told.contains("F19 (") && !told.contains("F20"), "{told}");
    assert!(told.ends_with("…” in QuickBooks), and 2 more.") && told.len() < 2_000, "{told}");
}

#[test]
fn a_cause_that_nobody_knows_is_said_in_the_words_of_its_code() {
    let known = diagnosis::render(&Finding::new(Code::InvalidValue));
    let unknown = diagnosis::render(&Finding::new(Code::InvalidValue).cause("new"));

    assert_eq!((known.title, known.detail), (unknown.title, unknown.detail));
    assert_eq!(unknown.cause, "new");
}

#[test]
fn what_quickbooks_said_stands_in_the_sentence_where_nothing_else_is_known() {
    let check = |code: i32, message: &str, expected: &str| {
        let said = Said {
            status_code: Some(code),
            severity: None,
            message: message.to_owned(),
            hresult: None,
        };
        let finding = classify::status(&said, "InvoiceAddRq").finding(&said);
        assert_eq!(diagnosis::render(&finding).detail, expected);
    };
    check(4711, "The moon is full.", "QuickBooks refused it: The moon is full.");
    check(
        3180,
        "There was an error when saving a Invoice.  QuickBooks error message: The moon is full.",
        "QuickBooks could not save the Invoice: The moon is full.",
    );
    check(
        3140,
        "There is an invalid reference to QuickBooks Customer \"Joe Smith\" in the SalesOrder.  \
         QuickBooks error message: Invalid argument.  The specified record does not exist in the list.",
        "The Customer “Joe Smith” that the SalesOrder needs is not in QuickBooks, is inactive, or has \
         another name there.",
    );
    check(
        3000,
        "The given object ID \"\" in the field \"list id\" is invalid.",
        "The list id is empty or no id of QuickBooks.",
    );
}

#[test]
fn the_list_of_codes_is_written_down() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    let index = diagnosis::index();

    let written = fs::read_to_string(&path).unwrap_or_default();

    if written != index {
        fs::write(&path, index).unwrap();
        panic!(
            "docs/errors.md was not what the catalogue says; it is now: look at it and commit it"
        );
    }
}

#[test]
fn what_developers_look_up_stands_on_the_page_and_in_no_words_for_users() {
    for entry in diagnosis::entries() {
        let variants = || entry.causes.iter().chain([&entry.words]);
        let fixes: Vec<_> = variants().flat_map(|words| &words.fixes).collect();
        let how = |text: &str| {
            fixes.iter().any(|fix| fix.how.as_ref().is_some_and(|how| how.contains(text)))
        };

        assert!(!how("/v1/") && !how("Retry"), "{}", entry.code);
        let mapped = fixes.iter().any(|fix| fix.id == "change-mapping");
        let told = entry.markdown().contains("For developers: `GET /v1/schema/{kind}`");
        assert_eq!(told, mapped, "{}", entry.code);
    }
}

#[test]
fn a_page_reads_as_markdown_without_html() {
    for entry in diagnosis::entries() {
        let page = entry.markdown();

        assert!(page.starts_with(&format!("# {}\n\n`{}`\n", entry.words.title, entry.code)));
        assert!(!page.contains('<'), "{page}");
        assert!(page.contains("## What helps\n\n1. **"), "{page}");
    }
}

proptest! {
    #[test]
    fn what_a_user_typed_is_never_read_as_a_place(value in ".{0,200}") {
        let finding = Finding::new(Code::NameInUse).fact("value", format!("{{limit}}{value}")).fact("limit", 7);

        let rendered = diagnosis::render(&finding);

        let kept = rendered.detail.contains("{limit}");
        prop_assert!(kept, "{}", rendered.detail);
        prop_assert!(rendered.detail.chars().count() < 200);
        prop_assert!(!rendered.detail.contains('\n'));
    }
}

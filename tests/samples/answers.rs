//! The sample answers as the product reads them.

use std::ops::ControlFlow;

use bookbridge::domain::outcome::Code;
use bookbridge::qbxml::classify;
use bookbridge::qbxml::host::HostFacts;
use bookbridge::qbxml::response;
use bookbridge::qbxml::response::AnswerHead;
use bookbridge::qbxml::response::MessageSetHead;
use bookbridge::qbxml::response::Part;
use bookbridge::qbxml::response::Ret;

use super::documents;

/// One answer, with its objects.
#[derive(Debug)]
struct Answer {
    head: AnswerHead,
    rets: Vec<Ret>,
}

fn read(name: &str, document: &[u8]) -> (MessageSetHead, Vec<Answer>) {
    let mut head = MessageSetHead::default();
    let mut answers: Vec<Answer> = Vec::new();
    response::read(document, &mut |part| {
        match part {
            Part::Head(told) => head = told,
            Part::Answer(head) => answers.push(Answer { head, rets: Vec::new() }),
            Part::Ret(ret) => answers.last_mut().unwrap().rets.push(*ret),
            Part::End => {}
        }
        ControlFlow::Continue(())
    })
    .unwrap_or_else(|error| panic!("{name}: {error}"));
    (head, answers)
}

fn sample(name: &str) -> (MessageSetHead, Vec<Answer>) {
    let path = format!("responses/{name}.xml");
    let (_, document) =
        documents("responses").into_iter().find(|(found, _)| *found == path).unwrap();
    read(name, &document)
}

#[test]
fn every_answer_is_read_with_its_status() {
    for (name, document) in documents("responses") {
        let (_, answers) = read(&name, &document);
        for answer in answers {
            assert!(answer.head.request_id.is_some(), "{name}");
            assert!(answer.head.status.status_code.is_some(), "{name}");
            assert!(!answer.head.status.message.is_empty(), "{name}");
        }
    }
}

#[test]
fn what_was_added_or_changed_has_an_id_and_an_edit_sequence() {
    let done = documents("responses")
        .into_iter()
        .filter(|(name, _)| name.ends_with("Add.xml") || name.ends_with("Mod.xml"));
    for (name, document) in done {
        let (head, answers) = read(&name, &document);
        let [Answer { rets, .. }] = answers.as_slice() else { panic!("{name}: {answers:?}") };
        let [ret] = rets.as_slice() else { panic!("{name}: {rets:?}") };

        assert_eq!(head.status_code, Some(0), "{name}");
        assert!(ret.list_id.is_some() != ret.txn_id.is_some(), "{name}: {ret:?}");
        assert!(ret.edit_sequence.is_some(), "{name}: {ret:?}");
    }
}

#[test]
fn the_lines_of_an_invoice_keep_their_order() {
    let (_, answers) = sample("InvoiceAdd");

    assert_eq!(answers[0].rets[0].line_ids, ["A3-1771607647", "A4-1771607647"]);
    assert_eq!(answers[0].rets[0].ref_number.as_deref(), Some("2001"));
}

#[test]
fn both_encodings_give_the_same_name() {
    for name in ["CustomerAdd", "windows-1252"] {
        let (_, answers) = sample(name);

        let full_name = answers[0].rets[0].full_name.as_deref();
        assert_eq!(full_name, Some("Bluebird Café & Roastery"), "{name}");
    }
}

#[test]
fn one_failure_leaves_the_others_done() {
    let (_, answers) = sample("mixed");

    let codes: Vec<_> =
        answers.iter().map(|answer| (answer.head.status.status_code, answer.rets.len())).collect();
    assert_eq!(codes, [(Some(0), 1), (Some(3100), 0), (Some(0), 1)]);
}

#[test]
fn the_status_of_a_message_set_is_not_that_of_its_answers() {
    for code in [600, 9001, 9002, 9005] {
        let (head, _) = sample(&format!("recovery-{code}"));

        assert_eq!(head.status_code, Some(code));
    }
}

#[test]
fn the_first_call_of_a_session_tells_the_host_and_the_company() {
    let (_, document) = documents("responses")
        .into_iter()
        .find(|(name, _)| name == "responses/session-start.xml")
        .unwrap();
    let text = String::from_utf8(document).unwrap();

    let facts = HostFacts::read(&text, "{57F3B9B6-86F1-4FCC-B1FF-966DE1813D20}");

    assert_eq!(facts.company_name, "Larkspur Heating & Air");
    assert_eq!(facts.company_file_id.as_deref(), Some("{90A44FB7-33D9-4815-AC85-AC86A7E7D1EB}"));
    assert_eq!(facts.closing_date.as_deref(), Some("2025-12-31"));
    assert_eq!(facts.class_tracking, Some(true));
    assert_eq!(facts.multi_currency, Some(false));
    assert_eq!(facts.estimates, Some(true));
    assert_eq!(facts.inventory, Some(true));
    assert_eq!(facts.sites, Some(false));
    assert_eq!(facts.price_levels, Some(false));
    assert_eq!(facts.tracking.as_deref(), Some("None"));
}

#[test]
fn every_error_sample_has_a_diagnosis() {
    let expected = [
        ("3000-invalid-id", Code::ObjectNotFound),
        ("3040-amount", Code::InvalidValue),
        ("3070-too-long", Code::StringTooLong),
        ("3090-colon", Code::InvalidCharacters),
        ("3100-name-in-use", Code::NameInUse),
        ("3120-not-found", Code::ObjectNotFound),
        ("3130-parent", Code::ReferenceNotFound),
        ("3140-account-type", Code::AccountMismatch),
        ("3140-reference", Code::ReferenceNotFound),
        ("3140-wrong-list", Code::ReferenceNotFound),
        ("3150-missing", Code::MissingField),
        ("3170-in-deposit", Code::LinkedOrInUse),
        ("3171-closed-period", Code::ClosedPeriod),
        ("3175-locked", Code::RecordLocked),
        ("3180-credit-limit", Code::InvalidValue),
        ("3180-list-locked", Code::RecordLocked),
        ("3190-cannot-clear", Code::InvalidValue),
        ("3200-stale-edit", Code::EditSequenceStale),
        ("3210-overpaid", Code::AlreadyPaid),
        ("3231-not-processed", Code::Unclassified),
        ("3250-feature", Code::FeatureNotAvailable),
        ("3260-permission", Code::PermissionDenied),
        ("3500-merge", Code::MergeRefused),
    ];
    let codes: Vec<_> = documents("responses")
        .into_iter()
        .filter_map(|(path, document)| {
            let name = path.strip_prefix("responses/error-")?.strip_suffix(".xml")?.to_owned();
            let (_, answers) = read(&name, &document);
            let head = &answers[0].head;
            let request = head.name.replace("Rs", "Rq");
            Some((name, classify::status(&head.status, &request).code))
        })
        .collect();

    let expected: Vec<_> =
        expected.map(|(name, code)| (name.to_owned(), code)).into_iter().collect();
    assert_eq!(codes, expected);
}

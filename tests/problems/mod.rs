//! Every problem of the two articles that this project began with, end to end: what stands in
//! QuickBooks, what an application pushes, what Bookbridge says, the fix pressed, and what stands in
//! QuickBooks then. `docs/problems.md` is written from the same table.

mod changes;
mod connection;
mod evidence;
mod names;
mod numbers;
mod payments;
mod pressed_twice;
mod references;
mod texts;

use std::fmt::Write as _;
use std::path::Path;

use bookbridge::diagnosis;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::record::Status;
use bookbridge::engine::NewConnection;
use serde_json::Value;
use serde_json::json;

use crate::support::office::Office;

/// One row: the article's words, what Bookbridge says, and what it does.
pub(super) struct Row {
    id: &'static str,
    words: &'static str,
    code: Option<Code>,
    does: &'static str,
}

/// Declares the rows and a test for each.
macro_rules! rows {
    ($($id:literal $words:literal [$($code:ident)?] $does:literal => $module:ident :: $test:ident;)*) => {
        const ROWS: &[Row] = &[$(Row {
            id: $id,
            words: $words,
            code: rows!(@code $($code)?),
            does: $does,
        },)*];

        mod row {
            $(#[actix_web::test]
            async fn $test() {
                super::$module::$test().await;
            })*
        }
    };
    (@code) => { None };
    (@code $code:ident) => { Some(Code::$code) };
}

rows! {
    "A1" "The invoice was deleted in QuickBooks; write to support for a RefID reset" [ObjectNotFound]
        "says when it was deleted; asks once more, then *Make it anew* makes it again, once"
        => changes::an_invoice_that_was_deleted_is_made_again;
    "A1b" "The invoice was moved to another customer or job" [CustomerMismatch]
        "names both customers; sent again once it is moved back"
        => payments::an_invoice_that_was_moved_names_both_customers;
    "A2" "A property (job) of the same name exists" [NameInUse]
        "shows the one that is there; *Use it* links, *rename* proposes a free name"
        => names::a_job_of_the_same_name_is_linked;
    "A2b" "The export is stalled; edit and save to trigger it again" []
        "nothing stalls: what is queued goes at the next session, and a watchdog looks"
        => connection::nothing_stalls;
    "A3" "The payment exists in QuickBooks already" [AlreadyPaid]
        "finds the payment; *Bypass* keeps its id"
        => payments::a_payment_that_is_there_is_bypassed_with_its_id;
    "A4" "The vendor's document number must be unique" [DuplicateRefNumber]
        "QuickBooks Desktop says nothing; Bookbridge keeps it back and proposes a number"
        => numbers::a_bill_number_of_the_same_vendor_gets_a_suffix;
    "A5" "The expense account does not match" [AccountMismatch]
        "names the account, its type, and the type that is needed"
        => references::an_account_of_the_wrong_type_is_named;
    "A5b" "It needs single-user mode" [FeatureNotAvailable]
        "waits, and others of its kind with it; says how to switch; goes by itself afterwards"
        => connection::single_user_mode_is_asked_for;
    "A6" "A deleted receipt that is made again keeps its RefID" []
        "a record that was withdrawn and comes back is a new one"
        => changes::a_receipt_that_comes_back_is_a_new_one;
    "A7" "The invoice is marked as paid" [AlreadyPaid]
        "sent again once the payment in QuickBooks is deleted, or bypassed"
        => payments::a_paid_invoice_takes_the_payment_once_it_is_open_again;
    "A8" "Customer of payment and invoice differ" [CustomerMismatch]
        "found before it is sent; both names"
        => payments::a_payment_of_another_customer_is_kept_back;
    "A9" "The payment is saved, not posted" []
        "`held` until it is posted or released"
        => payments::a_payment_that_is_not_posted_is_held;
    "A10" "Character limits of numbers and names" [StringTooLong]
        "field, limit, and length before it is sent; *Shorten* proposes a text that is free"
        => texts::a_long_name_is_shortened;
    "A11" "The class or item is inactive" [InactiveReference]
        "told apart from missing by a question; *Make it active* frees all that wait"
        => references::an_inactive_item_is_made_active_for_all_that_wait;
    "A12" "The Web Connector is not running" [ConnectorOffline]
        "the connection says since when, and what to do"
        => connection::a_silent_connector_is_offline;
    "B1" "Extra spaces, missing initials, other capitals" [NameInUse]
        "names are compared as QuickBooks does, “Smith, Mike” too; *Use it* links"
        => names::a_name_in_other_words_is_the_same;
    "B2" "An invoice number is used twice, or is that of a credit memo" [DuplicateRefNumber]
        "per kind; a policy of the connection: fail, warn, suffix; *Send it anyway*"
        => numbers::a_number_that_is_used_waits_for_a_decision;
    "B3" "Two integrations enter the same payment" [AlreadyPaid]
        "the other one's payment is shown; *Bypass*"
        => payments::a_payment_of_another_program_is_shown;
    "B4" "An invoice was entered by hand meanwhile" [PossibleDuplicate]
        "same customer, day, amount: kept back; *Use it* links"
        => numbers::an_equal_invoice_by_hand_is_linked;
    "B5" "A mapping is missing" []
        "`blocked`, with the name of what it waits for; goes when that is there"
        => references::what_is_not_mapped_waits_and_says_for_what;
    "B5c" "Two records are mapped to one object" []
        "refused: two records cannot share one QuickBooks object"
        => references::two_records_cannot_share_one_object;
    "B6" "The SKU differs: “Item not found”" [ReferenceNotFound]
        "found before it is sent; proposes the nearest name"
        => references::a_misspelt_item_gets_the_nearest_name;
    "B7" "The income account could not be found" [ReferenceNotFound]
        "*Make it* makes the account and sends what waits"
        => references::a_missing_account_is_made;
    "B8" "The Accounts Payable account is not found" [MissingAccount]
        "names the account that QuickBooks needs"
        => references::a_missing_payable_account_is_named;
    "B9" "The customer is inactive" [InactiveReference]
        "*Make it active*"
        => references::an_inactive_customer_is_made_active;
    "B10" "Required fields are missing" [MissingField]
        "all of them at once, before it is sent"
        => texts::missing_fields_are_named_at_once;
    "B11" "The company file is damaged" [CompanyFileDamaged]
        "says how to verify and rebuild; an internal error is tried three times"
        => connection::a_damaged_file_is_told_apart;
    "B12" "Special characters" [InvalidCharacters]
        "`&`, `#`, `/` go as they are; a colon becomes a dash at a press"
        => texts::special_characters_go_and_a_colon_becomes_a_dash;
    "B13" "“String length specified does not match”" [StringTooLong]
        "limit and length of the field in this edition"
        => texts::a_long_line_inside_is_shortened;
    "B14" "The authorisation expired" [ConnectorLoginFailed]
        "the connection says that the password is wrong; a new one is made here"
        => connection::a_wrong_password_is_said_and_mended;
    "B15" "“BadRequest”, “ValidationException”" [RequestRejected]
        "the one bad record is found by halving; the others go"
        => connection::what_quickbooks_cannot_read_stands_alone;
    "B16" "The period is closed" [ClosedPeriod]
        "found before it is sent; *Move the date* keeps the old one in the memo"
        => changes::a_closed_period_moves_the_date;
    "B17" "A large file is slow" []
        "an answer that is lost is fetched again, and nothing is made twice"
        => connection::a_slow_quickbooks_makes_nothing_twice;
    "B18" "Ignored errors stall the time stamp" []
        "what is asked for moves on, whatever fails"
        => connection::a_failure_does_not_stall_what_is_asked_for;
    "B19" "21 characters for invoice numbers" [StringTooLong]
        "11 in QuickBooks Desktop, said so; *Shorten*"
        => texts::an_invoice_number_has_eleven_characters;
    "B20" "The network hiccups, and retries make it twice" []
        "the same bytes under the same id: QuickBooks answers from its memory"
        => connection::a_network_hiccup_makes_nothing_twice;
    "B21" "Renaming onto an existing name, merging" [MergeRefused]
        "says to merge in QuickBooks; *rename* proposes a free name"
        => names::a_name_that_would_merge_is_told;
    "B22" "Long sync times at the end of the month" []
        "how many wait, since when, and when the Web Connector comes next"
        => connection::what_waits_is_counted;
    "B23" "The tax differs, so the payment is too much" [AlreadyPaid]
        "says what is open in QuickBooks"
        => payments::a_payment_of_too_much_says_what_is_open;
    "B24" "When to disconnect and connect again" [AccessNotGranted]
        "the steps in order; nothing is lost meanwhile"
        => connection::access_that_was_taken_is_explained;
    "B25" "Deleted in one of the two systems alone" []
        "withdraw, delete or void in QuickBooks; what is gone already is a success"
        => changes::what_is_deleted_here_is_deleted_there;
    "–" "What hangs on a failed record" []
        "`blocked`; goes by itself when the other one is there"
        => references::what_hangs_on_a_failed_record_goes_after_it;
}

/// An office with a customer, an item, and their ids.
pub(super) async fn office() -> Office {
    let mut office = Office::open().await;
    furnish(&mut office);
    office
}

/// The same, with a mirror that was told everything.
pub(super) async fn office_with_mirror() -> Office {
    let new = NewConnection { name: "Acme".to_owned(), mirror: true, ..NewConnection::default() };
    let mut office = Office::with(new).await;
    furnish(&mut office);
    office.poll(&[]);
    office
}

fn furnish(office: &mut Office) {
    office.person(
        "<ItemServiceAddRq requestID=\"1\"><ItemServiceAdd><Name>Labor</Name><SalesOrPurchase>\
         <Price>50.00</Price><AccountRef><FullName>Services</FullName></AccountRef>\
         </SalesOrPurchase></ItemServiceAdd></ItemServiceAddRq>",
    );
    office.person(
        "<VendorAddRq requestID=\"1\"><VendorAdd><Name>Paper Ltd</Name></VendorAdd></VendorAddRq>",
    );
}

/// An invoice over 100.00.
pub(super) fn invoice(customer: &str, number: &str) -> Value {
    json!({
        "CustomerRef": {"source": customer},
        "TxnDate": "2026-03-02",
        "RefNumber": number,
        "InvoiceLine": [{"ItemRef": {"FullName": "Labor"}, "Quantity": "2", "Rate": "50.00"}],
    })
}

/// A payment of an invoice.
pub(super) fn payment(customer: &str, invoice: &str, amount: &str) -> Value {
    json!({
        "CustomerRef": {"source": customer},
        "TxnDate": "2026-03-02",
        "TotalAmount": amount,
        "AppliedToTxn": [{"TxnID": {"source": invoice}, "PaymentAmount": amount}],
    })
}

/// The record failed for this reason, and says so in a sentence without gaps.
#[track_caller]
pub(super) fn says(record: &bookbridge::domain::record::Record, code: Code) -> String {
    let shown = format!("{} {:?}", record.status, record.findings);
    assert_eq!(record.status, Status::Failed, "{shown}");
    let finding = record.findings.first().unwrap();
    assert_eq!(finding.code, code, "{shown}");
    let words = diagnosis::render(finding);
    assert!(!words.detail.is_empty() && !words.detail.contains(['{', '}']), "{}", words.detail);
    assert!(!words.fixes.is_empty(), "{shown}");
    words.detail
}

/// A record was put for its customer.
pub(super) async fn with_customer(office: &mut Office) {
    office.push("Customer/1", json!({"Name": "Jones"})).await;
}

#[track_caller]
pub(super) fn synced(record: &bookbridge::domain::record::Record) {
    let why = format!("{:?} {:?}", record.findings, record.timeline.last());
    assert_eq!(record.status, Status::Synced, "{}: {why}", record.key);
}

/// The document, as the table says it.
fn document() -> String {
    let mut out = String::from(
        "# The problems, and what Bookbridge does\n\n\
         What goes wrong between applications and QuickBooks, in the words of the help pages that \
         people search today, and what becomes of it here. Each row is a test that runs against the \
         simulated QuickBooks (`tests/problems`), which writes this page.\n\n\
         | | what people read | Bookbridge says | and does |\n|---|---|---|---|\n",
    );
    for Row { id, words, code, does } in ROWS {
        let code = code.map_or_else(String::new, |code| format!("[{code}](errors.md#{code})"));
        let _ = writeln!(out, "| {id} | {words} | {code} | {does} |");
    }
    out.push_str(
        "\nThe rows A are of BuildOps' article on syncing with QuickBooks, the rows B of Rapid \
         Inventory's article on QuickBooks sync errors.\n",
    );
    out
}

#[test]
fn the_document_lists_every_row() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/problems.md");
    let wanted = document();
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    if found != wanted {
        std::fs::write(&path, wanted).unwrap();
        panic!("docs/problems.md was not what the table says; it is now: look at it and commit it");
    }
}

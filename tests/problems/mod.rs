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

use std::cell::Cell;
use std::fmt::Write as _;
use std::path::Path;

use bookbridge::diagnosis;
use bookbridge::domain::outcome::Code;
use bookbridge::domain::outcome::Finding;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Status;
use bookbridge::engine::FIXES;
use bookbridge::engine::HealthState;
use bookbridge::engine::NewConnection;
use bookbridge::engine::Pressed;
use serde_json::Value;
use serde_json::json;

use crate::support::office::Office;

/// One row: the article's words, what is said of it, and what Bookbridge does.
pub(super) struct Row {
    id: &'static str,
    words: &'static str,
    /// What it makes of the record or of the connection.
    is: Is,
    says: Option<Says>,
    does: &'static str,
}

/// Where a record or a connection stands.
#[derive(Debug, Eq, PartialEq)]
enum Is {
    Record(Status),
    Connection(HealthState),
}

/// The diagnosis.
struct Says {
    code: Code,
    /// What helps. Those that Bookbridge does are pressed.
    fix: &'static str,
    /// A part of the sentence.
    part: &'static str,
}

/// A row that is run: what its test did of it.
pub(super) struct Run {
    row: &'static Row,
    told: Cell<bool>,
    pressed: Cell<bool>,
}

impl Run {
    fn of(id: &str) -> Self {
        let row = ROWS.iter().find(|row| row.id == id).unwrap();
        Self { row, told: Cell::new(false), pressed: Cell::new(false) }
    }

    /// The record stands where the row says, and says so.
    pub(super) async fn tells(&self, office: &Office, path: &str) -> Record {
        let record = office.record(path).await;
        let findings = office.engine.reasons(&record).await.unwrap();
        let is = Is::Record(record.status);
        assert_eq!(is, self.row.is, "{} {findings:?} {:?}", self.row.id, record.timeline.last());
        self.says(&findings);
        record
    }

    /// The connection does.
    pub(super) async fn tells_of_all(&self, office: &Office) {
        let health = office.engine.health(&office.id).await.unwrap();
        assert_eq!(Is::Connection(health.state), self.row.is, "{}", health.summary);
        self.says(&health.findings);
    }

    fn says(&self, findings: &[Finding]) {
        self.told.set(true);
        let Some(Says { code, fix, part }) = &self.row.says else {
            return assert!(findings.is_empty(), "{findings:?}");
        };
        let finding = findings.first().unwrap();
        assert_eq!(finding.code, *code, "{findings:?}");
        let words = diagnosis::render(finding);
        let detail = &words.detail;
        assert!(!detail.is_empty() && !detail.contains(['{', '}']), "{detail}");
        assert!(detail.contains(part), "{detail}");
        assert!(words.fixes.iter().any(|one| one.id == *fix), "{fix}: {:?}", words.fixes);
    }

    /// The row's fix is pressed, twice.
    pub(super) async fn press(&self, office: &Office, path: &str) {
        self.press_as(office, path, None).await;
    }

    /// The row's fix is pressed, with a value of one's own.
    pub(super) async fn press_as(&self, office: &Office, path: &str, value: Option<&str>) {
        self.pressed.set(true);
        let id = self.row.says.as_ref().unwrap().fix.to_owned();
        let value = value.map(str::to_owned);
        office.press_as(path, Pressed { id, value, ..Pressed::default() }).await;
    }

    fn is_over(&self) {
        let Row { id, says, .. } = self.row;
        assert!(self.told.get(), "{id}: nobody looked where it stands");
        let pressable = says.as_ref().is_some_and(|says| FIXES.contains(&says.fix));
        assert_eq!(self.pressed.get(), pressable, "{id}: its fix");
    }
}

/// Declares the rows and a test for each.
macro_rules! rows {
    ($($id:literal $words:literal [$is:ident $status:ident $(, $code:ident, $fix:literal, $part:literal)?]
        $does:literal => $module:ident :: $test:ident;)*) => {
        const ROWS: &[Row] = &[$(Row {
            id: $id,
            words: $words,
            is: rows!(@is $is $status),
            says: rows!(@says $($code $fix $part)?),
            does: $does,
        },)*];

        mod row {
            $(#[actix_web::test]
            async fn $test() {
                let run = super::Run::of($id);
                super::$module::$test(&run).await;
                run.is_over();
            })*
        }
    };
    (@is Record $status:ident) => { Is::Record(Status::$status) };
    (@is Connection $state:ident) => { Is::Connection(HealthState::$state) };
    (@says) => { None };
    (@says $code:ident $fix:literal $part:literal) => {
        Some(Says { code: Code::$code, fix: $fix, part: $part })
    };
}

rows! {
    "A1" "The invoice was deleted in QuickBooks; write to support for a RefID reset"
        [Record Failed, ObjectNotFound, "reset-reference", "It was deleted in QuickBooks on 2026-03-02"]
        "says when it was deleted; asks once more, then *Make it anew* makes it again, once"
        => changes::an_invoice_that_was_deleted_is_made_again;
    "A1b" "The invoice was moved to another customer or job"
        [Record Failed, CustomerMismatch, "move-in-quickbooks", "from Jones, but the invoice belongs to Brown"]
        "names both customers; sent again once it is moved back"
        => payments::an_invoice_that_was_moved_names_both_customers;
    "A2" "A property (job) of the same name exists"
        [Record Failed, NameInUse, "rename", "“Site A” is in use"]
        "shows the one that is there; *Use it* links, *rename* proposes a free name"
        => names::a_job_of_the_same_name_is_linked;
    "A2b" "The export is stalled; edit and save to trigger it again"
        [Record Synced]
        "nothing stalls: what is queued goes at the next session, and a watchdog looks"
        => connection::nothing_stalls;
    "A3" "The payment exists in QuickBooks already"
        [Record Failed, AlreadyPaid, "bypass", "number 1001, is paid in full"]
        "finds the payment; *Bypass* keeps its id"
        => payments::a_payment_that_is_there_is_bypassed_with_its_id;
    "A4" "The vendor's document number must be unique"
        [Record Failed, DuplicateRefNumber, "suffix-number", "D-77 is used by another Bill already, your record Bill/1"]
        "QuickBooks Desktop says nothing; Bookbridge keeps it back and proposes a number"
        => numbers::a_bill_number_of_the_same_vendor_gets_a_suffix;
    "A5" "The expense account does not match"
        [Record Failed, AccountMismatch, "choose-account", "“Checking” (APAccountRef) is of the type Bank; QuickBooks wants AccountsPayable"]
        "names the account, its type, and the type that is needed"
        => references::an_account_of_the_wrong_type_is_named;
    "A5b" "It needs single-user mode"
        [Record Queued, FeatureNotAvailable, "single-user-mode", "single-user mode"]
        "waits, and others of its kind with it; says how to switch; goes by itself afterwards"
        => connection::single_user_mode_is_asked_for;
    "A6" "A deleted receipt that is made again keeps its RefID"
        [Record Synced]
        "a record that was withdrawn and comes back is a new one"
        => changes::a_receipt_that_comes_back_is_a_new_one;
    "A7" "The invoice is marked as paid"
        [Record Failed, AlreadyPaid, "retry", "is paid in full"]
        "sent again once the payment in QuickBooks is deleted, or bypassed"
        => payments::a_paid_invoice_takes_the_payment_once_it_is_open_again;
    "A8" "Customer of payment and invoice differ"
        [Record Failed, CustomerMismatch, "move-in-quickbooks", "from Brown, but the invoice belongs to Jones"]
        "found before it is sent; both names"
        => payments::a_payment_of_another_customer_is_kept_back;
    "A9" "The payment is saved, not posted"
        [Record Held]
        "`held` until it is posted or released"
        => payments::a_payment_that_is_not_posted_is_held;
    "A10" "Character limits of numbers and names"
        [Record Failed, StringTooLong, "shorten", "Name has 56 characters; QuickBooks allows 41"]
        "field, limit, and length before it is sent; *Shorten* proposes a text that is free"
        => texts::a_long_name_is_shortened;
    "A11" "The class or item is inactive"
        [Record Failed, InactiveReference, "reactivate", "“Labor” is inactive"]
        "told apart from missing by a question; *Make it active* frees all that wait"
        => references::an_inactive_item_is_made_active_for_all_that_wait;
    "A12" "The Web Connector is not running"
        [Connection Offline, ConnectorOffline, "start-connector", "1440"]
        "the connection says since when, and what to do"
        => connection::a_silent_connector_is_offline;
    "B1" "Extra spaces, missing initials, other capitals"
        [Record Failed, NameInUse, "link", "in use in QuickBooks already"]
        "names are compared as QuickBooks does, “Smith, Mike” too; *Use it* links"
        => names::a_name_in_other_words_is_the_same;
    "B2" "An invoice number is used twice, or is that of a credit memo"
        [Record Failed, DuplicateRefNumber, "send-anyway", "1001 is used by another Invoice already, your record Invoice/1"]
        "per kind; a policy of the connection: fail, warn, suffix; *Send it anyway*"
        => numbers::a_number_that_is_used_waits_for_a_decision;
    "B3" "Two integrations enter the same payment"
        [Record Failed, AlreadyPaid, "bypass", "number 1001, is paid in full"]
        "the other one's payment is shown; *Bypass*"
        => payments::a_payment_of_another_program_is_shown;
    "B4" "An invoice was entered by hand meanwhile"
        [Record Failed, PossibleDuplicate, "link", "Invoice of Jones of 2026-03-02 over 100.00, number 77"]
        "same customer, day, amount: kept back; *Use it* links"
        => numbers::an_equal_invoice_by_hand_is_linked;
    "B5" "A mapping is missing"
        [Record Blocked, WaitsForRecord, "push-record", "ItemService/SKU-1, which was never sent"]
        "`blocked`, with the name of what it waits for; goes when that is there"
        => references::what_is_not_mapped_waits_and_says_for_what;
    "B5c" "Two records are mapped to one object"
        [Record Failed, NameInUse, "rename", "your record Customer/1"]
        "a link is refused with the record that has it; the name alone stays failed until a person decides; what a link would do says where the names are quite different"
        => references::two_records_cannot_share_one_object;
    "B6" "The SKU differs: “Item not found”"
        [Record Failed, ReferenceNotFound, "edit-data", "The Item “Labour” is not in QuickBooks; there is “Labor”"]
        "found before it is sent; proposes the item of this part number or bar code, else the \
         nearest name"
        => references::a_misspelt_item_gets_the_nearest_name;
    "B7" "The income account could not be found"
        [Record Failed, ReferenceNotFound, "create-missing", "“Online Sales” that the"]
        "*Make it* makes the account and sends what waits"
        => references::a_missing_account_is_made;
    "B8" "The Accounts Payable account is not found"
        [Record Failed, MissingAccount, "create-account", "QuickBooks has no account"]
        "names the account that QuickBooks needs"
        => references::a_missing_payable_account_is_named;
    "B9" "The customer is inactive"
        [Record Failed, InactiveReference, "reactivate", "“Jones” is inactive"]
        "*Make it active*"
        => references::an_inactive_customer_is_made_active;
    "B10" "Required fields are missing"
        [Record Failed, MissingField, "edit-data", "is missing; QuickBooks needs it"]
        "all of them at once, before it is sent"
        => texts::missing_fields_are_named_at_once;
    "B11" "The company file is damaged"
        [Record Failed, CompanyFileDamaged, "verify-data", "QuickBooks finds an error in"]
        "says how to verify and rebuild; an internal error is tried three times, and when three \
         records had one the connection says that it may be the file"
        => connection::a_damaged_file_is_told_apart;
    "B12" "Special characters"
        [Record Failed, InvalidCharacters, "replace-characters", "“Smith: Site A” has a colon"]
        "`&`, `#`, `/` go as they are; a colon becomes a dash at a press"
        => texts::special_characters_go_and_a_colon_becomes_a_dash;
    "B13" "“String length specified does not match”"
        [Record Failed, StringTooLong, "shorten", "Addr1 has 48 characters; QuickBooks allows 41"]
        "limit and length of the field in this edition"
        => texts::a_long_line_inside_is_shortened;
    "B14" "The authorisation expired"
        [Connection Blocked, ConnectorLoginFailed, "retype-password", "password"]
        "the connection says that the password is wrong; a new one is made here"
        => connection::a_wrong_password_is_said_and_mended;
    "B15" "“BadRequest”, “ValidationException”"
        [Record Failed, RequestRejected, "change-mapping", "refused the request as a whole and did nothing (0x80040400)"]
        "the one bad record is found by halving; the others go"
        => connection::what_quickbooks_cannot_read_stands_alone;
    "B16" "The period is closed"
        [Record Failed, ClosedPeriod, "move-date", "2026-02-15 is on or before the closing date 2026-02-28"]
        "found before it is sent; *Move the date* keeps the old one in the memo"
        => changes::a_closed_period_moves_the_date;
    "B17" "A large file is slow"
        [Record Synced]
        "an answer that is lost is fetched again, and nothing is made twice"
        => connection::a_slow_quickbooks_makes_nothing_twice;
    "B18" "Ignored errors stall the time stamp"
        [Record Failed, InvalidCharacters, "replace-characters", "name “a:b” has a colon"]
        "what is asked for moves on, whatever fails"
        => connection::a_failure_does_not_stall_what_is_asked_for;
    "B19" "21 characters for invoice numbers"
        [Record Failed, StringTooLong, "shorten", "RefNumber has 15 characters; QuickBooks allows 11"]
        "11 in QuickBooks Desktop, said so; *Shorten*"
        => texts::an_invoice_number_has_eleven_characters;
    "B20" "The network hiccups, and retries make it twice"
        [Record Synced]
        "the same bytes under the same id: QuickBooks answers from its memory"
        => connection::a_network_hiccup_makes_nothing_twice;
    "B21" "Renaming onto an existing name, merging"
        [Record Failed, MergeRefused, "rename", "QuickBooks would merge the two"]
        "says to merge in QuickBooks; *rename* proposes a free name"
        => names::a_name_that_would_merge_is_told;
    "B22" "Long sync times at the end of the month"
        [Connection Waiting]
        "how many wait, since when, and when the Web Connector comes next"
        => connection::what_waits_is_counted;
    "B23" "The tax differs, so the payment is too much"
        [Record Failed, AlreadyPaid, "check-payment", "108.00 is more than the 107.00 that is still due"]
        "QuickBooks' own total, with its tax, is what is open: says both amounts"
        => payments::a_payment_of_too_much_says_what_is_open;
    "B24" "When to disconnect and connect again"
        [Connection Blocked, AccessNotGranted, "grant-access", "do not allow the application"]
        "the steps in order; nothing is lost meanwhile"
        => connection::access_that_was_taken_is_explained;
    "B25" "Deleted in one of the two systems alone"
        [Record Withdrawn]
        "withdraw, delete or void in QuickBooks; what is gone already is a success"
        => changes::what_is_deleted_here_is_deleted_there;
    "–" "What hangs on a failed record"
        [Record Blocked, WaitsForRecord, "open-record", "Customer/1, which cannot go yet"]
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
    office.sells_labor();
    office.knows("Vendor", "Paper Ltd");
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
pub(super) fn says(record: &Record, code: Code) -> String {
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
         simulated QuickBooks (`tests/problems`), which writes this page. What the row becomes, \
         its code, its fix and a part of its sentence are asserted by it, and a fix that Bookbridge \
         does is pressed.\n\n\
         | | what people read | becomes | Bookbridge says | a fix | and does |\n|---|---|---|---|---|---|\n",
    );
    for Row { id, words, is, says, does } in ROWS {
        let is = match is {
            Is::Record(status) => format!("`{status}`"),
            Is::Connection(state) => format!("connection `{}`", state.as_str()),
        };
        let (mut code, mut fix) = (String::new(), String::new());
        if let Some(says) = says {
            code = format!("[{0}](errors.md#{0})", says.code);
            fix = format!("`{}`", says.fix);
        }
        let _ = writeln!(out, "| {id} | {words} | {is} | {code} | {fix} | {does} |");
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

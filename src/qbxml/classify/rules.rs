//! The ordered rules: the first that fits decides.

use std::ops::RangeInclusive;

use super::message::Parts;
use crate::domain::outcome::Code;
use crate::domain::outcome::Disposition;

/// One row.
pub(super) struct Rule {
    pub(super) name: &'static str,
    /// Any of these; empty: whatever the code.
    codes: &'static [RangeInclusive<i32>],
    /// What the head must say, all of it.
    head: &'static [&'static str],
    /// What head or suffix must say, any of it; empty: nothing.
    says: &'static [&'static str],
    pub(super) cause: &'static str,
    pub(super) code: Code,
    pub(super) disposition: Disposition,
}

impl Rule {
    pub(super) fn fits(&self, code: i32, parts: &Parts) -> bool {
        (self.codes.is_empty() || self.codes.iter().any(|range| range.contains(&code)))
            && self.head.iter().all(|text| parts.head_says(text))
            && (self.says.is_empty() || self.says.iter().any(|text| parts.says(text)))
    }
}

/// Writes the table one line a row: name, codes, head, says → cause, code, disposition, and where that
/// is known from, which every row has to say.
macro_rules! rules {
    ($($name:ident [$($codes:expr),*] [$($head:literal),*] [$($says:literal),*]
        => $cause:literal $code:ident $disposition:ident from $source:literal;)*) => {
        &[$(Rule {
            name: stringify!($name),
            codes: &[$($codes),*],
            head: &[$($head),*],
            says: &[$($says),*],
            cause: $cause,
            code: Code::$code,
            disposition: Disposition::$disposition,
        },)*]
    };
}

/// Shown unchanged: nobody has seen this text yet.
pub(super) const UNKNOWN: Rule = Rule {
    name: "unknown",
    codes: &[],
    head: &[],
    says: &[],
    cause: "unknown",
    code: Code::Unclassified,
    disposition: Disposition::Fix,
};

/// What comes by text stands before what comes by code alone, because 3140, 3170, 3180 and 3210 carry
/// many causes. `OSR` is its "QBSDK error codes".
pub(super) static RULES: &[Rule] = rules! {
    ok [0..=0] [] [] => "done" Unclassified Done
        from "OSR";
    // Locks: someone has the object open.
    lock_text [] [] ["this list has been modified by another user", "could not be locked",
        "in use by another user", "failed to acquire the lock", "the list element is in use"]
        => "locked" RecordLocked Retry
        from "consolibyte Errors.php, field logs of 3175/3176";
    lock_code [3175..=3176] [] [] => "locked" RecordLocked Retry
        from "OSR";
    not_processed [3231..=3231] [] [] => "not_processed" Unclassified Requeue
        from "flowlink and quickbooks-sync, the same text everywhere";
    stale_edit [3200..=3200] [] [] => "stale_edit_sequence" EditSequenceStale Refresh
        from "OSR";
    internal [1000..=1000, 1010..=1010] [] [] => "internal_error" InternalError Retry
        from "OSR";
    overpay [3210..=3210] [] ["pay more than the amount due"] => "overpayment" AlreadyPaid Bypass
        from "consolibyte, Connex 220060308, QODBC log of 2026-04-23";
    credit_over [3210..=3210] ["credit amount"] [] => "credit_over_applied" InvalidValue Fix
        from "field log of a credit applied to an invoice (3210)";
    closed_txn_link [570..=570] [] [] => "linked_txn_closed" LinkedOrInUse Fix
        from "OSR";
    in_deposit [] [] ["delete this transaction from the deposit"] => "in_deposit" LinkedOrInUse Fix
        from "Mozu field log";
    credit_limit [] [] ["credit limit"] => "credit_limit" InvalidValue Fix
        from "ayssoftware, 'Resolving QuickBooks export errors'";
    closed_code [3161..=3161, 3171..=3171] [] [] => "closed_period" ClosedPeriod Fix
        from "OSR";
    closed_text [] [] ["closing date", "books are closed"] => "closed_period" ClosedPeriod Fix
        from "ayssoftware, 'Resolving QuickBooks export errors'; consolibyte Callbacks/SQL";
    currency [3140..=3140] [] ["currency"] => "currency_mismatch" AccountMismatch Fix
        from "help.connexecommerce.com";
    name_wrong_type [3140..=3140] [] ["the specified name is either invalid or of the wrong type"]
        => "name_wrong_type" ReferenceNotFound Fix
        from "transpluscorp.freshdesk.com 44002020631";
    acct_type_text [] [] ["must be of type", "the expense account is invalid",
        "account specified is invalid", "specified account is invalid", "or of the wrong type"]
        => "account_type" AccountMismatch Fix
        from "support.bill.com 203692899, help.bill.com 360000011186";
    acct_arap [3140..=3140] ["invalid reference to quickbooks ar"] []
        => "account_reference" MissingAccount Fix
        from "ServiceTitan, 'Resolve QuickBooks Desktop integration export error messages'";
    acct_ap [3140..=3140] ["invalid reference to quickbooks ap "] []
        => "account_reference" MissingAccount Fix
        from "ServiceTitan, 'Resolve QuickBooks Desktop integration export error messages'";
    tax_ref [3140..=3140] [] ["salestaxcode", "sales tax"]
        => "tax_reference_not_found" ReferenceNotFound Fix
        from "help.syncwithconnex.com";
    ref_missing [3140..=3140] [] [] => "reference_not_found" ReferenceNotFound Fix
        from "OSR";
    parent [3130..=3130] [] [] => "parent_not_found" ReferenceNotFound Fix
        from "OSR";
    target_missing [3120..=3120, 3177..=3177] [] [] => "object_not_found" ObjectNotFound Reset
        from "OSR";
    changed [3240..=3240, 3172..=3173] [] [] => "object_changed_or_deleted" ObjectNotFound Reset
        from "OSR";
    bad_id [3000..=3000] [] [] => "invalid_object_id" ObjectNotFound Reset
        from "OSR";
    acct_no_used [] [] ["account number is already in use"]
        => "account_number_in_use" NameInUse Fix
        from "field log of an account import (3180)";
    initial_used [3180..=3180] [] ["initial"] => "sales_rep_initial_in_use" NameInUse Fix
        from "DAAPI, status 3180";
    name_used [3100..=3100] [] [] => "name_in_use" NameInUse Link
        from "OSR";
    colon [3090..=3090] [] ["colon"] => "colon_in_name" InvalidCharacters Fix
        from "quickbooks-sync test fixtures";
    store [3090..=3090] [] [] => "cannot_store_field" InvalidValue Fix
        from "OSR";
    merge [] [] ["cannot merge list elements", "merge not allowed"] => "merge" MergeRefused Fix
        from "support.corebridge.net 19000098877";
    too_long [3070..=3070] [] [] => "string_too_long" StringTooLong Fix
        from "OSR";
    bad_chars [3080..=3080] [] [] => "invalid_characters" InvalidCharacters Fix
        from "OSR";
    boolean [3010..=3010] [] [] => "bad_boolean" InvalidValue Bug
        from "OSR";
    date [3020..=3020, 3030..=3031, 3035..=3035] [] [] => "bad_date" InvalidValue Bug
        from "OSR";
    number [3040..=3040, 3045..=3045, 3050..=3050, 3060..=3060, 3065..=3065, 3085..=3085] [] []
        => "bad_number" InvalidValue Bug
        from "OSR";
    enumeration [3110..=3110, 531..=531] [] [] => "bad_enum" InvalidValue Bug
        from "OSR";
    missing [3150..=3150] [] [] => "missing_element" MissingField Fix
        from "OSR";
    conflict [3151..=3153] [] [] => "element_conflict" ConflictingFields Bug
        from "OSR";
    clear [3190..=3190] [] [] => "cannot_clear_field" InvalidValue Fix
        from "OSR";
    order [3290..=3290] [] [] => "line_order" InvalidValue Bug
        from "OSR";
    address [3210..=3210] ["address"] [] => "invalid_address" InvalidValue Fix
        from "consolibyte Callbacks/SQL";
    value [3210..=3210] [] [] => "invalid_value" InvalidValue Fix
        from "OSR";
    tax_blank [] [] ["sales tax field cannot be left blank"] => "sales_tax_missing" MissingField Fix
        from "field log of a SalesOrderAdd (3180)";
    empty [] [] ["transaction is empty"] => "empty_transaction" MissingField Fix
        from "field log of a BillAdd without lines (3180)";
    record_error [3180..=3180] [] ["this record has an error in it"]
        => "record_error" CompanyFileDamaged Fix
        from "consolibyte Callbacks/SQL/Callbacks.php";
    permission [3260..=3263] [] [] => "permission" PermissionDenied Admin
        from "OSR";
    single_user [3162..=3162] [] [] => "multi_user_mode" FeatureNotAvailable Admin
        from "OSR";
    feature [3250..=3250] [] [] => "feature_not_enabled" FeatureNotAvailable Admin
        from "OSR";
    posting [3270..=3270] [] [] => "missing_posting_account" MissingAccount Admin
        from "OSR";
    unsupported [501..=501, 530..=530, 1030..=1030, 1060..=1060, 560..=560] [] []
        => "unsupported" FeatureNotAvailable Bug
        from "OSR";
    merge_code [3500..=3500] [] [] => "merge" MergeRefused Fix
        from "OSR";
    iterators [3390..=3390] [] [] => "too_many_iterators" QuickbooksUnavailable Retry
        from "OSR";
    delete [3160..=3160, 3185..=3185] [] [] => "cannot_delete" LinkedOrInUse Fix
        from "OSR";
    empty_result [1..=1] [] [] => "no_match" ObjectNotFound Empty
        from "OSR";
    query_missing [500..=500] [] [] => "query_not_found" ObjectNotFound Empty
        from "OSR";
    cannot_return [510..=510] [] [] => "cannot_return" Unclassified Warned
        from "OSR";
    notes [550..=550] [] [] => "notes_not_saved" Unclassified Warned
        from "OSR";
    fallback_mod [3170..=3170] [] [] => "modify_failed" Unclassified Fix
        from "OSR";
    fallback_save [3180..=3180] [] [] => "save_failed" Unclassified Fix
        from "OSR";
    macros [9100..=9199] [] [] => "macro" InvalidValue Bug
        from "OSR";
};

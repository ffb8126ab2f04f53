//! What QuickBooks says to a request: code, severity and words.
//!
//! The words are the real ones, with their double spaces, missing quotes and trailing spaces: users
//! search for them, and programs match them. Sources: the Onscreen Reference ("Status codes in
//! response messages"), Intuit's samples, and logs of the field; where no real text is public, the
//! doc of the function says so.

/// The dialog text of QuickBooks for a reference that leads nowhere.
pub(crate) const NOT_IN_LIST: &str =
    "Invalid argument.  The specified record does not exist in the list.";
/// The same for a name that another list owns.
pub(crate) const WRONG_TYPE: &str = "The specified name is either invalid or of the wrong type.";

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Severity {
    Info,
    Warn,
    Error,
}

/// The status of one answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Status {
    pub(crate) code: u32,
    pub(crate) message: String,
}

/// What a request comes to.
pub(crate) type Outcome<T> = Result<T, Status>;

impl Status {
    /// Made of a code and its words.
    pub(crate) fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The same with the text of QuickBooks' own dialog behind it.
    pub(crate) fn because(mut self, suffix: &str) -> Self {
        self.message = format!("{}  QuickBooks error message: {suffix}", self.message);
        self
    }

    /// By the ranges of the Onscreen Reference.
    pub(crate) fn severity(&self) -> Severity {
        match self.code {
            0..500 => Severity::Info,
            500..1000 => Severity::Warn,
            _ => Severity::Error,
        }
    }
}

impl Severity {
    /// As it stands in an answer.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Info => "Info",
            Self::Warn => "Warn",
            Self::Error => "Error",
        }
    }
}

/// Done.
pub(crate) fn ok() -> Status {
    Status::new(0, "Status OK")
}

/// A query that found nothing.
pub(crate) fn no_match() -> Status {
    Status::new(1, "A query request did not find a matching object in QuickBooks")
}

/// A query by name or id of which some are not there.
pub(crate) fn not_found_in_query(what: &str) -> Status {
    let head = "The query request has not been fully completed. There was a required element";
    Status::new(500, format!("{head} (\"{what}\") that could not be found in QuickBooks."))
}

/// An error of the program.
pub(crate) fn internal() -> Status {
    Status::new(1000, "There has been an internal error when processing the request.")
}

/// No such request here.
pub(crate) fn unsupported() -> Status {
    Status::new(1030, "This request is not supported by this implementation.")
}

/// The id of a request is too long.
pub(crate) fn request_id(id: &str) -> Status {
    let rest = "is invalid, possibly too long, max 50 chars.";
    Status::new(1060, format!("The request ID \"{id}\" {rest}"))
}

/// A text that is no id.
pub(crate) fn invalid_id(id: &str, field: &str) -> Status {
    Status::new(3000, format!("The given object ID \"{id}\" in the field \"{field}\" is invalid."))
}

/// A value that cannot be converted: 3010 boolean, 3020 date, 3040 amount, 3045 price, 3050
/// percent, 3060 quantity, 3065 other.
pub(crate) fn conversion(code: u32, what: &str, value: &str, field: &str) -> Status {
    let head = format!("There was an error when converting the {what} value \"{value}\"");
    let head = if matches!(code, 3040 | 3045) { head.replacen(" value", "", 1) } else { head };
    Status::new(code, format!("{head} in the field \"{field}\""))
}

/// From is after To.
pub(crate) fn date_range() -> Status {
    Status::new(3030, "Invalid date range: From date is greater than To date.")
}

/// A text over its limit.
pub(crate) fn too_long(value: &str, field: &str) -> Status {
    Status::new(3070, format!("The string \"{value}\" in the field \"{field}\" is too long."))
}

/// A name with a colon.
pub(crate) fn colon(name: &str, list: &str) -> Status {
    let field = format!("{} name", list.to_lowercase());
    Status::new(
        3090,
        format!("There was an error when storing \"{name}\" in the \"{field}\" field."),
    )
    .because(
        "Names in this list cannot contain a colon.  The colon is a special character used to \
             indicate a parent/child relationship.",
    )
}

/// A name that is taken.
pub(crate) fn name_in_use(name: &str) -> Status {
    Status::new(3100, format!("The name \"{name}\" of the list element is already in use."))
}

/// An id of nothing.
pub(crate) fn not_found(id: &str) -> Status {
    Status::new(3120, format!("Object \"{id}\" specified in the request cannot be found."))
}

/// A list id of nothing.
pub(crate) fn element_not_found(id: &str) -> Status {
    not_found(id).because(NOT_IN_LIST)
}

/// A parent that is not there.
pub(crate) fn parent(name: &str, list: &str) -> Status {
    let head = "There is an invalid reference to a parent";
    Status::new(3130, format!("{head} \"{name}\" in the {list} list.")).because(NOT_IN_LIST)
}

/// A parent below which the element cannot stand: itself, one of its own, the last level. The code
/// and its head are public, no real text of these cases is.
pub(crate) fn parent_refused(name: &str, list: &str) -> Status {
    let head = "There is an invalid reference to a parent";
    Status::new(3130, format!("{head} \"{name}\" in the {list} list."))
}

/// A reference that leads nowhere.
pub(crate) fn reference(what: &str, name: &str, place: &str, why: &str) -> Status {
    let head = "There is an invalid reference to QuickBooks";
    Status::new(3140, format!("{head} {what} \"{name}\" in the {place}.")).because(why)
}

/// An element that only this request needs.
pub(crate) fn missing(element: &str) -> Status {
    Status::new(3150, format!("There is a missing element: \"{element}\""))
}

/// The iterator's own words, without quotes.
pub(crate) fn missing_max_returned() -> Status {
    Status::new(3150, "There is a missing element: MaxReturned")
}

/// It cannot be deleted. No real suffix is public.
pub(crate) fn cannot_delete(id: &str, why: &str) -> Status {
    Status::new(3160, format!("Cannot delete the object specified by the id = \"{id}\"."))
        .because(why)
}

/// Deleting before the closing date. No real text is public; the shape is that of 3171.
pub(crate) fn closed_for_delete(kind: &str) -> Status {
    Status { code: 3161, ..closed("delete", kind) }
}

/// Changing, or adding, before the closing date.
pub(crate) fn closed_for_modify(kind: &str) -> Status {
    closed("modify", kind)
}

fn closed(verb: &str, kind: &str) -> Status {
    Status::new(
        3171,
        format!(
            "An attempt was made to {verb} a {kind} with a date that is on or before the closing \
             date of the company. If you are sure you really want to do this, please ask a user \
             with Admin privileges to remove the password for editing transactions on or before \
             to closing date (this setting is in the Accounting Company Preferences), then try \
             again."
        ),
    )
}

/// Modifying an element of a list failed.
pub(crate) fn modifying(list: &str, id: &str, why: &str) -> Status {
    let head = "There was an error when modifying a";
    Status::new(3170, format!("{head} {list} list, element \"{id}\".")).because(why)
}

/// Another user holds it.
pub(crate) fn in_use(id: &str, why: &str) -> Status {
    let head = format!("There was an error adding, modifying or deleting {id}");
    Status::new(3175, format!("{head} because it is already in use.")).because(why)
}

/// What a request refers to is held by another user.
pub(crate) fn related_in_use(id: &str) -> Status {
    Status { code: 3176, ..in_use(id, "The application failed to acquire the lock.") }
}

/// Saving a list element failed.
pub(crate) fn saving_element(list: &str, name: &str, why: &str) -> Status {
    let head = "There was an error when saving a";
    Status::new(3180, format!("{head} {list} list, element \"{name}\".")).because(why)
}

/// Saving a transaction failed.
pub(crate) fn saving(kind: &str, why: &str) -> Status {
    Status::new(3180, format!("There was an error when saving a {kind}.")).because(why)
}

/// It cannot be voided.
pub(crate) fn cannot_void(id: &str, why: &str) -> Status {
    Status::new(3185, format!("Cannot void the object specified by the id = \"{id}\"."))
        .because(why)
}

/// A field that cannot be emptied. The real text has no quotes and a space at its end.
pub(crate) fn cannot_clear(field: &str) -> Status {
    Status::new(3190, format!("Cannot clear the element in the {field} field. "))
}

/// An edit sequence that is old. The real text has a space at its end.
pub(crate) fn stale(sequence: &str) -> Status {
    Status::new(3200, format!("The provided edit sequence \"{sequence}\" is out-of-date. "))
}

/// A field that says something impossible.
pub(crate) fn invalid_value(field: &str, value: &str) -> Status {
    Status::new(3210, format!("The \"{field}\" field has an invalid value \"{value}\"."))
}

/// More paid than is due.
pub(crate) fn overpaid(amount: &str) -> Status {
    invalid_value("AppliedToTxnAdd payment amount", amount)
        .because("You cannot pay more than the amount due.")
}

/// A request behind the first error of a `stopOnError`.
pub(crate) fn not_processed() -> Status {
    Status::new(3231, "The request has not been processed.")
}

/// The feature is off, or another edition has it.
pub(crate) fn feature() -> Status {
    let text = "This feature is not enabled or not available in this version of QuickBooks.";
    Status::new(3250, text)
}

/// The user may not.
pub(crate) fn permission() -> Status {
    Status::new(3260, "Insufficient permission level to perform this action.")
}

/// Not while others work in the company file. No real text is public.
pub(crate) fn single_user() -> Status {
    Status::new(3162, "This operation is not allowed in multi-user mode.")
}

/// An item of another type than its line needs. No real text is public.
pub(crate) fn item_type(name: &str) -> Status {
    Status::new(3280, format!("The item type of \"{name}\" does not match."))
}

/// A line where it cannot stand.
pub(crate) fn line_order(id: &str) -> Status {
    Status::new(3290, format!("The item \"{id}\" is placed in the request in incorrect order."))
}

/// An iterator that is not there any more. No real text is public.
pub(crate) fn iterator(id: &str) -> Status {
    Status::new(3391, format!("The iterator \"{id}\" is not valid."))
}

/// Two elements that cannot be merged.
pub(crate) fn merge(from: &str, to: &str) -> Status {
    let head =
        format!("Merge not allowed from object with id =\"{from}\" to object with id =\"{to}\".");
    Status::new(3500, format!("{head} QuickBooks error message: Cannot merge list elements. "))
}

/// A macro that was not defined. The range is public (9100 to 9199), the text is not.
pub(crate) fn unknown_macro(name: &str) -> Status {
    Status::new(9100, format!("The macro \"{name}\" is not defined."))
}

/// The dialog text for an account of the wrong type.
pub(crate) const WRONG_ACCOUNT: &str = "The specified account is invalid or of the wrong type.";

/// No account to post to. No real text is public.
pub(crate) fn missing_account() -> Status {
    Status::new(3270, "Missing posting account.")
}

/// A data extension that nobody defined. No real text is public.
pub(crate) fn unknown_extension(name: &str) -> Status {
    Status::new(
        3121,
        format!("The data extension named \"{name}\" specified in the request cannot be found."),
    )
}

/// Changing a transaction failed.
pub(crate) fn modifying_transaction(kind: &str, why: &str) -> Status {
    Status::new(3170, format!("There was an error when modifying a {kind}.")).because(why)
}

/// A transaction that would be less than what settled it. No real text is public.
pub(crate) const BELOW_PAID: &str = "The amount is less than what has been paid.";

/// A transaction that says nothing.
pub(crate) fn empty(kind: &str) -> Status {
    saving(kind, "The transaction is empty.")
}

/// More of a credit used than is left of it.
pub(crate) fn credit(amount: &str) -> Status {
    invalid_value("AppliedToTxnAdd credit amount", amount)
}

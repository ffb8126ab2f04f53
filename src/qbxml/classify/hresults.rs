//! What the Web Connector's HRESULTs mean.
//!
//! Source: *QBWC Programmer's Guide* 2.0 and Intuit's samples for the codes; field logs and vendors'
//! runbooks for what an administrator does.

use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::outcome::Said;

/// One row: code, our code, finer label.
type Row = (u32, Code, &'static str);

const ROWS: &[Row] = &[
    (0x8004_0400, Code::RequestRejected, ""),
    (0x8004_0401, Code::QuickbooksUnavailable, "not_installed"),
    (0x8004_0402, Code::QuickbooksUnavailable, "unexpected_error"),
    (0x8004_0403, Code::QuickbooksUnavailable, "cannot_open_file"),
    (0x8004_0408, Code::QuickbooksUnavailable, "cannot_start"),
    (0x8004_040a, Code::WrongCompanyFile, "another_file_open"),
    (0x8004_040d, Code::QuickbooksUnavailable, "restarted"),
    (0x8004_0410, Code::QuickbooksUnavailable, "file_mode"),
    (0x8004_0414, Code::QuickbooksDialogOpen, ""),
    (0x8004_0416, Code::QuickbooksUnavailable, "no_file_open"),
    (0x8004_0418, Code::AccessNotGranted, "never_authorised"),
    (0x8004_041a, Code::AccessNotGranted, "no_permission"),
    (0x8004_041b, Code::QuickbooksUnavailable, "permission_data_locked"),
    (0x8004_041c, Code::CompanyFileDamaged, "cannot_open_file"),
    (0x8004_041d, Code::AccessNotGranted, "no_automatic_login"),
    (0x8004_041e, Code::AccessNotGranted, "certificate_expired"),
    (0x8004_041f, Code::FeatureNotAvailable, "edition_without_xml"),
    (0x8004_0420, Code::AccessNotGranted, "denied_by_user"),
    (0x8004_0422, Code::QuickbooksUnavailable, "single_user_needed"),
    (0x8004_0423, Code::FeatureNotAvailable, "qbxml_version"),
    (0x8004_0424, Code::QuickbooksUnavailable, "still_starting"),
    (0x8004_0427, Code::QuickbooksUnavailable, "not_registered"),
    (0x8004_042a, Code::AccessNotGranted, "no_remote_access"),
    (0x8004_042c, Code::AccessNotGranted, "certificate_revoked"),
    (0x8004_0308, Code::QuickbooksUnavailable, "no_request_processor"),
    (0x8004_0154, Code::QuickbooksUnavailable, "no_request_processor"),
    (0x8007_06ba, Code::QuickbooksUnavailable, "crashed"),
];

fn row(said: &Said) -> Option<&'static Row> {
    let text = said.hresult.as_deref()?.trim().to_ascii_lowercase();
    // Some clients write it as a signed decimal.
    let number = if text.starts_with('-') {
        text.parse::<i64>().ok()?
    } else {
        i64::from_str_radix(text.strip_prefix("0x").unwrap_or(&text), 16).ok()?
    };
    let number = u32::try_from(number & 0xffff_ffff).ok()?;
    ROWS.iter().find(|row| row.0 == number)
}

/// What the Web Connector reports instead of an answer. An unknown code asks for an administrator,
/// with code and text shown as they are.
pub fn hresult(said: &Said) -> Finding {
    let (code, cause) = row(said).map_or((Code::QuickbooksUnavailable, ""), |row| (row.1, row.2));
    let hresult = said.hresult.clone().unwrap_or_default();
    Finding::new(code)
        .cause(cause)
        .fact("hresult", hresult)
        .fact("text", &said.message)
        .said(said.clone())
}

/// Every code and cause of the table.
pub(super) fn causes() -> impl Iterator<Item = (Code, &'static str)> {
    ROWS.iter().map(|row| (row.1, row.2))
}

/// Whether it may be the requests themselves at which QuickBooks broke: it says no more than that
/// something went wrong while it worked, or nobody knows the code.
pub fn may_be_the_requests_fault(said: &Said) -> bool {
    row(said).is_none_or(|row| matches!(row.2, "unexpected_error" | "crashed" | "restarted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hresult: &str, code: Code) {
        let said = Said { hresult: Some(hresult.to_owned()), ..Said::default() };

        assert_eq!(super::hresult(&said).code, code, "{hresult}");
    }

    #[test]
    fn an_hresult_is_known_however_it_is_written() {
        check("0x80040400", Code::RequestRejected);
        check(" 0X8004040a ", Code::WrongCompanyFile);
        check("80040414", Code::QuickbooksDialogOpen);
        check("-2147220480", Code::RequestRejected);
        check("0x8004FFFF", Code::QuickbooksUnavailable);
        check("", Code::QuickbooksUnavailable);
    }
}

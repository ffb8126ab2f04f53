//! The error codes of the Web Connector's own, in words: what each means, and what helps.
//!
//! Source: *QBWC Programmer's Guide* 2.0, appendix A; for QBWC1039, 1048 and 1085 also what users
//! and vendors have published.

/// What the Web Connector says with some codes.
#[derive(Debug)]
pub(super) struct Explained {
    /// `QBWC` and this.
    pub(super) codes: &'static [u16],
    pub(super) means: &'static str,
    pub(super) helps: &'static str,
    /// It says no more than that there was something: another line says what.
    pub(super) vague: bool,
}

/// The row of a code.
pub(super) fn explained(code: u16) -> Option<&'static Explained> {
    ROWS.iter().find(|row| row.codes.contains(&code))
}

const NEW_URL: &str = "On the server set public-url to https:// and a host name, download the .qwc \
                       again, and add that one.";
const NEW_IDENTITY: &str = "Add the application as Admin, in single-user mode, with the .qwc as it \
                            was downloaded. If that does not help, make a new identity for the \
                            connection in Bookbridge, download the .qwc again, and add that one.";
const OPEN: &str = "Open QuickBooks on that machine with the company file, close its dialogs, and press \
                    Update Selected again.";
const SERVER: &str = "Nothing is lost: press Update Selected again. If it comes back, look into the log \
                      of Bookbridge, and at a proxy in between: its limits of size and time.";

const fn row(codes: &'static [u16], means: &'static str, helps: &'static str) -> Explained {
    Explained { codes, means, helps, vague: false }
}

const fn vague(codes: &'static [u16], means: &'static str, helps: &'static str) -> Explained {
    Explained { codes, means, helps, vague: true }
}

const ROWS: &[Explained] = &[
    row(&[1000], "The addresses in the .qwc, AppURL and AppSupport, are of two hosts.", NEW_URL),
    row(
        &[1001, 1002],
        "An address in the .qwc is an IP address; the Web Connector takes a host name.",
        NEW_URL,
    ),
    row(
        &[1003, 1004],
        "The support page that the .qwc names cannot be reached.",
        "Open its address in a browser on the machine with QuickBooks: it must answer without a \
         login and without a warning. Look at the name, the port, the certificate, and the firewall.",
    ),
    row(
        &[1005, 1006, 1033],
        "The Web Connector cannot write its log.",
        "Look at the rights of the log's folder, at the space on the disk, and whether QWCLog.txt \
         is marked read-only.",
    ),
    row(&[1007, 1008, 1009], "The Web Connector could not connect to QuickBooks.", OPEN),
    row(
        &[1010],
        "The address in the .qwc is not https; the Web Connector takes plain http for localhost alone.",
        NEW_URL,
    ),
    row(
        &[1011, 1032],
        "The Web Connector does not find the application that its window shows.",
        "Right-click the Web Connector's icon beside the clock, choose Exit, and start it again. \
         Then add the .qwc again.",
    ),
    row(
        &[1012],
        "The login did not come to its end: the network, the certificate, or what the server answered.",
        "Open the address that stands in the .qwc in a browser on the machine with QuickBooks: it \
         answers without a warning about its certificate. Else look at the name, the port, and the \
         firewall, and whether Bookbridge is running.",
    ),
    row(&[1013], "QuickBooks could not be opened.", OPEN),
    row(&[1014], "QuickBooks did not tell about itself and its company file.", OPEN),
    vague(
        &[1015],
        "The session could not be closed cleanly, after its work.",
        "Mostly that is harmless.",
    ),
    vague(
        &[1016, 1017, 1018, 1019, 1020],
        "A message of the Web Connector's window: nothing is selected, or some applications failed.",
        "Tick the box of the application, and press Update Selected.",
    ),
    row(
        &[1021],
        "The Web Connector cannot tell the version of the part through which it talks to QuickBooks.",
        "Repair the QuickBooks installation.",
    ),
    row(
        &[1022, 1023, 1024, 1025],
        "QuickBooks could not be reached while the application was added.",
        "Open the company file in QuickBooks as Admin, close its dialogs, and add the application again.",
    ),
    row(
        &[1026, 1027],
        "The FileID of the .qwc could not be put into the company file: perhaps it is in use already.",
        NEW_IDENTITY,
    ),
    row(
        &[1028, 1029, 1038],
        "The Web Connector could not read or keep the password.",
        "Type the password into the Web Connector again.",
    ),
    row(
        &[1030],
        "The Web Connector has no password for the application.",
        "Click its Password column, paste the password, press Enter, and let it be saved.",
    ),
    vague(&[1031], "A scheduled update ended with errors.", "The lines before it say which."),
    row(
        &[1034],
        "The kinds of QuickBooks that may be used (AuthFlags) could not be set.",
        "Add the .qwc as it was downloaded. If that does not help, repair the QuickBooks installation.",
    ),
    row(
        &[1035],
        "The name localhost is not known on that machine.",
        "Look into the hosts file of Windows.",
    ),
    row(
        &[1036],
        "The first call broke off: the server, or its certificate.",
        "Look whether Bookbridge is running, into its log, and at the certificate.",
    ),
    row(&[1037], "The server said something about the version.", "The line has its text: read it."),
    row(
        &[1039],
        "The application could not be added: the company file knows it under another identity \
         (unique OwnerID/FileID pair value required), or it was not added as Admin.",
        NEW_IDENTITY,
    ),
    row(
        &[1040],
        "User name or password is wrong.",
        "Type the password again; make a new one if it is lost.",
    ),
    row(&[1041], "The call for the next request (sendRequestXML) broke off.", SERVER),
    row(&[1042], "The call with QuickBooks' answer (receiveResponseXML) broke off.", SERVER),
    row(&[1043], "The call that asks what was wrong (getLastError) broke off.", SERVER),
    row(&[1044], "The call that ends the session (closeConnection) broke off.", SERVER),
    row(
        &[1045],
        "The call that tells of trouble with QuickBooks (connectionError) broke off.",
        SERVER,
    ),
    row(
        &[1046],
        "The Web Connector did not understand the answer about its version.",
        "Look whether something between it and Bookbridge answers in Bookbridge's place.",
    ),
    row(
        &[1048],
        "The certificate of the server cannot be verified: it must be valid for its host name, and \
         this Windows must trust it.",
        "Open the address of Bookbridge in a browser on the machine with QuickBooks: it must answer, \
         and show no warning. The server must send its certificate with the intermediate ones.",
    ),
    row(
        &[1085],
        "The Web Connector cannot use its log any more.",
        "Rename or delete QWCLog.txt, and start the Web Connector again.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_guide_is_explained_once() {
        let named = (1000..=1048).filter(|code| *code != 1047).chain([1085]);

        for code in named {
            let rows = ROWS.iter().filter(|row| row.codes.contains(&code)).count();
            assert_eq!(rows, 1, "QBWC{code}");
        }
        assert!(explained(1047).is_none() && explained(1049).is_none());
    }
}

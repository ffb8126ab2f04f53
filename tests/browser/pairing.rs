//! The pairing page by HTTP alone: what it says after which sessions, and what its forms do. And in
//! the browser, over calls of a Web Connector that are made here one by one: each ticks by itself.

use std::fmt::Write as _;

use serde_json::Value;

use crate::house::House;
use crate::http::Caller;
use crate::screen::Screen;

/// A connection with its link: user, and link.
fn paired(house: &House) -> (String, String) {
    let made = house.run(&["connection", "add", "Acme"]);
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    (text("username"), text("pairingUrl"))
}

/// The value of a hidden field.
fn field(page: &str, name: &str) -> String {
    let after = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
    after.split('"').next().unwrap().to_owned()
}

/// A password, as the button of this page makes it, and the one that asks; `None` if none was made.
fn password(nobody: &Caller<'_>, link: &str, page: &str) -> Option<String> {
    let after = field(page, "after");
    let form = [("after", after.as_str())];
    let mut shown = nobody.post(&format!("{link}/password"), &form).body;
    if shown.contains("id=\"sure\"") {
        let sure = [form.as_slice(), &[("sure", "1")]].concat();
        shown = nobody.post(&format!("{link}/password"), &sure).body;
    }
    let secret = shown.split("id=\"secret\">").nth(1)?;
    Some(secret.split('<').next().unwrap().to_owned())
}

/// Presses the button of this page; what the page that it leads to says.
fn confirm(nobody: &Caller<'_>, link: &str, page: &str) -> String {
    let (file, company) = (field(page, "file"), field(page, "company"));
    let form = [("file", file.as_str()), ("company", &company)];
    let answer = nobody.post(&format!("{link}/confirm"), &form);
    assert_eq!(answer.status, 303);
    nobody.get(&answer.location).body
}

/// The text of a step.
fn step<'a>(page: &'a str, title: &str) -> &'a str {
    let mut steps = page.split("<li class=");
    steps.find(|step| step.contains(&format!("<h2>{title}"))).unwrap()
}

#[test]
fn pairing_writes_nothing_before_the_file_that_was_seen_is_confirmed() {
    let house = House::open();
    let (user, link) = paired(&house);
    let nobody = Caller::nobody(&house);
    let password = password(&nobody, &link, &nobody.get(&link).body).unwrap();
    house.push("acme", r#"{"kind":"Customer","sourceId":"1","data":{"Name":"A"}}"#);
    let status = || house.run(&["records", "acme"])["data"][0]["status"].clone();

    let polled = house.poll_file(&user, &password, "wrong", "C:\\Wrong.qbw");
    assert!(polled.status.success(), "{}", String::from_utf8_lossy(&polled.stdout));
    let wrong = nobody.get(&link).body;
    assert!(step(&wrong, "Confirm").contains("Wrong"), "{wrong}");
    assert_eq!(status(), Value::from("queued"));
    let health = house.run(&["explain", "acme"]);
    assert!(health["summary"].as_str().unwrap().contains("is confirmed on the pairing page"));

    house.poll_file(&user, &password, "right", "C:\\Right.qbw");
    let right = nobody.get(&link).body;
    assert!(step(&right, "Confirm").contains("Right"), "{right}");
    assert!(confirm(&nobody, &link, &wrong).contains("The company file that is open by now is"));
    assert_eq!(status(), Value::from("queued"));
    assert!(confirm(&nobody, &link, &right).contains("All done"));
    house.poll_file(&user, &password, "right", "C:\\Right.qbw");
    assert_eq!(status(), Value::from("synced"));
}

#[test]
fn pairing_makes_no_second_password_when_its_form_is_sent_once_more() {
    let house = House::open();
    let (user, link) = paired(&house);
    let nobody = Caller::nobody(&house);
    let page = nobody.get(&link).body;

    let first = password(&nobody, &link, &page).unwrap();

    assert_eq!(password(&nobody, &link, &page), None);
    let again = nobody.post(&format!("{link}/password"), &[("after", "")]);
    assert!(nobody.get(&again.location).body.contains("The password was shown already"));
    assert_eq!(nobody.get(&format!("{link}/password")).status, 303);
    assert!(house.poll(&user, &first, "company", &[]).status.success());
    let second = password(&nobody, &link, &nobody.get(&link).body).unwrap();
    assert!(second != first);
}

#[test]
fn pairing_asks_before_a_new_password_stops_what_works() {
    let house = House::open();
    let made = house.run(&["connection", "add", "Acme"]);
    let text = |member: &str| made[member].as_str().unwrap();
    let (user, old, link) = (text("username"), text("password"), text("pairingUrl"));
    let nobody = Caller::nobody(&house);
    let press = |sure: &[(&str, &str)]| {
        let after = field(&nobody.get(link).body, "after");
        let form = [&[("after", after.as_str())], sure].concat();
        nobody.post(&format!("{link}/password"), &form).body
    };
    assert!(house.poll(user, old, "company", &[]).status.success());

    let asked = press(&[]);

    assert!(asked.contains("id=\"sure\"") && asked.contains("refused at once"), "{asked}");
    assert!(!asked.contains("id=\"secret\""), "{asked}");
    assert!(house.poll(user, old, "company", &[]).status.success(), "the old one works");
    assert!(press(&[("sure", "1")]).contains("id=\"secret\""));
    // Nothing works with the new one yet: it may be made anew.
    assert!(press(&[]).contains("id=\"secret\""));
}

#[test]
fn pairing_says_that_its_file_would_be_refused() {
    let house = House::open();
    let (_, link) = paired(&house);
    let page = |host: &str| {
        let mut answer = ureq::get(&link).header("host", host).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    };

    for (host, code) in [("mybox:9153", "QBWC1010"), ("192.168.1.5:9153", "QBWC1001")] {
        let page = page(host);
        let download = step(&page, "Download");
        assert!(download.contains("would not work") && download.contains(code), "{download}");
        assert!(download.contains(host) && download.contains("public-url"), "{download}");
    }
    assert!(!page("localhost:9153").contains("would not work"));
}

#[test]
fn pairing_that_is_done_tells_that_an_old_password_came() {
    let house = House::open();
    let (user, link) = paired(&house);
    let nobody = Caller::nobody(&house);
    let old = password(&nobody, &link, &nobody.get(&link).body).unwrap();
    house.poll(&user, &old, "company", &[]);
    assert!(confirm(&nobody, &link, &nobody.get(&link).body).contains("All done"));

    let new = password(&nobody, &link, &nobody.get(&link).body).unwrap();
    assert!(nobody.get(&link).body.contains("Next: Paste the password"));
    house.poll(&user, &old, "company", &[]);

    let page = nobody.get(&link).body;
    assert!(step(&page, "Paste").contains("with a wrong password (it shows QBWC1040)"), "{page}");
    assert!(!page.contains("All done"));
    house.poll(&user, &new, "company", &[]);
    assert!(nobody.get(&link).body.contains("All done"));
}

#[test]
fn pairing_explains_the_code_that_was_seen_at_the_step_that_mends_it() {
    let house = House::open();
    let (user, link) = paired(&house);
    let nobody = Caller::nobody(&house);
    let password = password(&nobody, &link, &nobody.get(&link).body).unwrap();
    let page = |fault: &str| {
        house.poll(&user, &password, "company", &[fault]);
        nobody.get(&link).body
    };

    let access = page("no-access");
    let give = step(&access, "Give access");
    assert!(give.contains("did not work") && give.contains("0x8004041A"), "{give}");
    assert!(give.contains("Integrated Applications"), "{give}");
    assert!(step(&access, "Update").contains("to do"), "{access}");

    let other = page("connection-error:0x8004040A");
    let update = step(&other, "Update");
    assert!(update.contains("did not work") && update.contains("0x8004040A"), "{update}");
    assert!(update.contains("class=\"fix\"") && !update.contains("0x80040408"), "{update}");
    assert!(step(&other, "Give access").contains(">done<"), "{other}");
}

/// A Web Connector that makes one call at a time.
struct Calls<'a> {
    house: &'a House,
    user: String,
}

impl Calls<'_> {
    /// One call; what stands between `…Result` of its answer, as text.
    fn call(&self, operation: &str, arguments: &[(&str, &str)]) -> String {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let mut inner = String::new();
        for (name, value) in arguments {
            write!(inner, "<{name}>{}</{name}>", escaped(value)).unwrap();
        }
        let body = format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
             <{operation} xmlns=\"http://developer.intuit.com/\">{inner}</{operation}>\
             </s:Body></s:Envelope>"
        );
        let action = format!("\"http://developer.intuit.com/{operation}\"");
        let request = ureq::post(format!("{}/qbwc", self.house.url));
        let request = request.header("content-type", "text/xml; charset=utf-8");
        let mut answer = request.header("soapaction", action).send(body).unwrap();
        let answer = answer.body_mut().read_to_string().unwrap();
        let result = answer.split(&format!("{operation}Result>")).nth(1).unwrap_or_default();
        let result = result.trim_end_matches("</");
        result.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }

    /// Logs in; the ticket, and what stands behind it.
    fn login(&self, password: &str) -> (String, String) {
        let arguments = [("strUserName", self.user.as_str()), ("strPassword", password)];
        let told = self.call("authenticate", &arguments);
        let mut texts = told.split("<string>").skip(1).map(|it| it.split('<').next().unwrap());
        let mut text = || texts.next().unwrap_or_default().to_owned();
        (text(), text())
    }

    /// Tells of the company file; what is asked.
    fn first(&self, ticket: &str) -> String {
        let told = "<?xml version=\"1.0\" ?><QBXML><QBXMLMsgsRs>\
                    <HostQueryRs requestID=\"0\" statusCode=\"0\" statusSeverity=\"Info\" \
                    statusMessage=\"Status OK\"><HostRet><ProductName>QuickBooks Pro 2024\
                    </ProductName><MajorVersion>34</MajorVersion><Country>US</Country>\
                    <SupportedQBXMLVersion>13.0</SupportedQBXMLVersion>\
                    <QBFileMode>SingleUser</QBFileMode></HostRet></HostQueryRs>\
                    <CompanyQueryRs requestID=\"1\" statusCode=\"0\" statusSeverity=\"Info\" \
                    statusMessage=\"Status OK\"><CompanyRet><IsSampleCompany>false\
                    </IsSampleCompany><CompanyName>Larry's Landscaping</CompanyName></CompanyRet>\
                    </CompanyQueryRs></QBXMLMsgsRs></QBXML>";
        let arguments = [
            ("ticket", ticket),
            ("strHCPResponse", told),
            ("strCompanyFileName", r"C:\Books\Larry.qbw"),
            ("qbXMLCountry", "US"),
            ("qbXMLMajorVers", "13"),
            ("qbXMLMinorVers", "0"),
        ];
        self.call("sendRequestXML", &arguments)
    }

    /// Answers the question that was asked.
    fn answer(&self, ticket: &str, asked: &str) {
        let id = asked.split("requestID=\"").nth(1).unwrap().split('"').next().unwrap();
        let answer = format!(
            "<?xml version=\"1.0\" ?><QBXML><QBXMLMsgsRs><CompanyQueryRs requestID=\"{id}\" \
             statusCode=\"0\" statusSeverity=\"Info\" statusMessage=\"Status OK\"><CompanyRet>\
             <CompanyName>Larry's Landscaping</CompanyName></CompanyRet></CompanyQueryRs>\
             </QBXMLMsgsRs></QBXML>"
        );
        let arguments =
            [("ticket", ticket), ("response", &answer), ("hresult", ""), ("message", "")];
        assert_eq!(self.call("receiveResponseXML", &arguments), "100");
    }
}

async fn tick_by_tick(phone: bool) {
    const CERTIFICATE: &str = "Its address was opened; the Web Connector does that first.";
    const VERSION: &str = "It called, and told its version.";
    const LOGIN: &str = "It logged in with the password.";
    const LET_IN: &str = "QuickBooks let it in.";
    let house = House::open();
    let (user, link) = paired(&house);
    let calls = Calls { house: &house, user };
    let screen = Screen::open(&house, phone).await;
    screen.goto(&link).await;
    screen.sees("0 of 6 steps done. Next: Download the .qwc.").await;

    screen.eval("document.querySelector('a[href$=\"/qwc\"]').click()").await;
    screen.sees("1 of 6 steps done. Next: Add it in the Web Connector.").await;
    assert_eq!(ureq::get(format!("{}/qbwc", house.url)).call().unwrap().status().as_u16(), 200);
    screen.sees(CERTIFICATE).await;
    screen.sees("1 of 6 steps done. Next: Add it in the Web Connector.").await;
    let text = screen.text().await;
    assert!(text.contains("QBWC1039") && !text.contains(VERSION), "{text}");
    calls.call("clientVersion", &[("strVersion", "2.3.0.215")]);
    screen.sees(VERSION).await;
    screen.sees("2 of 6 steps done. Next: Give access in QuickBooks.").await;

    screen.click("form[action$='/password'] button").await;
    let password = screen.eval("document.getElementById('secret').textContent").await;
    let password = password.as_str().unwrap();
    // Over plain http at another name there is no clipboard.
    screen.eval("delete Navigator.prototype.clipboard").await;
    screen.eval("document.querySelector('[data-copy]').click()").await;
    let said = "/^(Copied|Selected: press Ctrl\\+C)$/\
                .test(document.querySelector('[data-copy]').textContent)";
    let marked = format!("getSelection().toString().trim() === '{password}' && {said}");
    screen.until("the password is marked", &marked).await;
    assert_eq!(calls.login("wrong").1, "nvu");
    screen.sees("Step “Paste the password” did not work").await;
    screen.sees("with a wrong password (it shows QBWC1040)").await;
    let (ticket, company) = calls.login(password);
    assert_eq!(company, "");
    screen.sees("4 of 6 steps done. Next: Update Selected: the company file is seen.").await;
    screen.sees(LOGIN).await;

    let refused = [("ticket", ticket.as_str()), ("hresult", "0x8004041A"), ("message", "no")];
    calls.call("connectionError", &refused);
    screen.sees("Step “Give access in QuickBooks” did not work").await;
    assert!(!screen.text().await.contains(LET_IN));
    let (ticket, _) = calls.login(password);
    let asked = calls.first(&ticket);
    assert!(asked.contains("<CompanyQueryRq"), "{asked}");
    // It is closed before the answer: the file was seen, and the question is asked again.
    assert!(calls.call("closeConnection", &[("ticket", &ticket)]).starts_with("OK"));
    screen.sees("5 of 6 steps done. Next: Confirm the company file.").await;
    screen.sees(LET_IN).await;
    screen
        .sees(r"Larry's Landscaping (C:\Books\Larry.qbw). QuickBooks is in single-user mode.")
        .await;
    screen.picture("pairing-company").await;

    screen.click("form[action$='/confirm'] button").await;
    screen.sees("5 of 6 steps done. Next: Confirm the company file.").await;
    screen.sees("It is confirmed. Press Update Selected once more").await;
    let (ticket, _) = calls.login(password);
    let asked = calls.first(&ticket);
    calls.answer(&ticket, &asked);
    screen.sees("All done: QuickBooks answers.").await;
    screen.sees("a first question that changes nothing was answered").await;
    screen.close().await;
}

#[tokio::test]
async fn each_sign_of_the_web_connector_ticks_by_itself() {
    tick_by_tick(false).await;
}

#[tokio::test]
async fn each_sign_of_the_web_connector_ticks_by_itself_on_a_phone() {
    tick_by_tick(true).await;
}

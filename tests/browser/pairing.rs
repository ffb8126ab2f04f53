//! The pairing page by HTTP alone: what it says after which sessions, and what its forms do.

use serde_json::Value;

use crate::house::House;
use crate::http::Caller;

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

/// A password, as the button of this page makes it; `None` if none was made.
fn password(nobody: &Caller<'_>, link: &str, page: &str) -> Option<String> {
    let after = field(page, "after");
    let shown = nobody.post(&format!("{link}/password"), &[("after", &after)]).body;
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

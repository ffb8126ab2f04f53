//! The dashboard in Debian's chromium, over the real program: what people do, step by step.
//!
//! `PICTURES=$PWD/docs/pictures cargo test -p browser-tests` makes the pictures of the documents anew.

#![expect(clippy::unwrap_used, reason = "tests")]

mod house;
mod http;
mod mapping;
mod more;
mod pages;
mod pairing;
mod screen;

use std::fmt::Write as _;

use serde_json::Value;
use serde_json::json;

use crate::house::House;
use crate::screen::PASSWORD;
use crate::screen::Screen;

fn customers(count: usize, name: &str, posted: bool) -> String {
    let mut lines = String::new();
    for id in 0..count {
        let data = json!({"Name": format!("{name} {id}")});
        let line = json!({"kind": "Customer", "sourceId": format!("C-{id}"), "data": data, "posted": posted});
        writeln!(lines, "{line}").unwrap();
    }
    lines
}

/// A connection that is there: its user and password.
fn connection(house: &House, name: &str) -> (String, String) {
    let made = house.run(&["connection", "add", name]);
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    (text("username"), text("password"))
}

async fn pairing(phone: bool) {
    let house = House::open();
    let screen = Screen::logged_in(&house, phone).await;
    screen.sees("There is no connection yet.").await;
    screen.fill("input[name=name]", "Acme Ltd.").await;
    screen.click("form[action='/connections'] button").await;
    screen.sees("Pair Acme Ltd. with QuickBooks Desktop").await;
    screen.sees("0 of 6 steps done").await;

    screen.click("form[action$='/password'] button").await;
    let password = screen.eval("document.getElementById('secret').textContent").await;
    let (password, user) =
        (password.as_str().unwrap(), house.run(&["connection", "show", "acme-ltd"]));
    let user = user["username"].as_str().unwrap().to_owned();

    // Nobody touches the page: it ticks by itself, and the password stays.
    house.poll(&user, password, "company", &["wrong-password"]);
    screen.sees("The Web Connector logged in with a wrong password").await;
    screen.picture("pairing-wrong-password").await;
    let polled = house.poll(&user, password, "company", &[]);
    assert!(polled.status.success(), "{}", String::from_utf8_lossy(&polled.stdout));
    screen.sees("5 of 6 steps done. Next: Confirm the company file.").await;
    screen.sees(password).await;
    screen.click("form[action$='/confirm'] button").await;
    screen.sees("All done: QuickBooks answers.").await;
    screen.picture("pairing-done").await;
    screen.close().await;
}

#[tokio::test]
async fn the_first_login_a_new_connection_and_its_pairing_tick_by_tick() {
    pairing(false).await;
}

#[tokio::test]
async fn the_same_on_a_phone() {
    pairing(true).await;
}

#[tokio::test]
async fn who_is_not_logged_in_sees_the_login_and_a_wrong_password_is_refused() {
    let house = House::open();
    connection(&house, "Acme");
    let screen = Screen::logged_in(&house, false).await;
    screen.click("form[action='/logout'] button").await;

    screen.goto("/c/acme/records?status=failed").await;
    screen.sees("Log in").await;
    screen.fill("#name", "ann").await;
    screen.fill("#password", "wrong wrong wrong").await;
    screen.click("button.main").await;
    screen.sees("Name or password is wrong.").await;
    screen.fill("#name", "Ann").await;
    screen.fill("#password", PASSWORD).await;
    screen.click("button.main").await;
    screen.sees("No record matches.").await;
    assert!(screen.eval("location.search").await.as_str().unwrap().contains("status=failed"));
    screen.goto(&house.setup).await;
    screen.sees("There is no such page.").await;
    screen.close().await;
}

#[tokio::test]
async fn what_was_typed_when_the_login_ended_is_there_again_after_the_next_one() {
    let house = House::open();
    connection(&house, "Acme");
    let record =
        json!({"kind": "Customer", "sourceId": "1", "data": {"Name": "a:b", "Phone": "1"}});
    house.push("acme", &record.to_string());
    let screen = Screen::logged_in(&house, false).await;
    screen.goto("/c/acme/records/Customer/1").await;
    screen.fill("input[name='/Name']", "Ann").await;
    screen.forgets_cookies().await;

    screen.eval("document.querySelector('input[name=\"/Name\"]').form.id = 'data'").await;
    screen.click("#data button").await;
    screen.sees("Your login has ended, and what you pressed was not done.").await;
    screen.fill("#name", "ann").await;
    screen.fill("#password", "wrong wrong wrong").await;
    screen.click("button.main").await;
    screen.sees("Name or password is wrong.").await;
    screen.log_in("ann").await;

    screen.sees("What you typed is here again").await;
    let typed = "document.querySelector('input[name=\"/Name\"]').value === 'Ann'";
    screen.until("it is typed", typed).await;
    screen.eval("document.querySelector('input[name=\"/Name\"]').form.id = 'data'").await;
    screen.click("#data button").await;
    screen.sees("○ queued").await;
    let kept = screen.eval("Object.keys(sessionStorage).length").await;
    assert_eq!(kept, 0, "what is done is not kept");

    // A password is never kept.
    screen.goto("/settings").await;
    screen.fill("input[name=old]", "correct horse battery").await;
    screen.fill("input[name=new]", "another password").await;
    screen.forgets_cookies().await;
    screen.click("form[action='/settings/password'] button").await;
    screen.sees("Your login has ended").await;
    assert_eq!(screen.eval("Object.keys(sessionStorage).length").await, 0);
    screen.close().await;
}

async fn fixed_by_its_button(phone: bool) {
    let house = House::open();
    let (user, password) = connection(&house, "Acme");
    let name = "A name of a customer that is longer than QuickBooks takes";
    house.push(
        "acme",
        &json!({"kind": "Customer", "sourceId": "C-1", "data": {"Name": name}}).to_string(),
    );
    let screen = Screen::logged_in(&house, phone).await;
    screen.goto("/c/acme/records").await;

    // By the keyboard alone: the first row, opened.
    screen
        .eval(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'j', bubbles: true}))",
        )
        .await;
    screen
        .until("a row is chosen", "document.querySelector('tr.at a') === document.activeElement")
        .await;
    screen.click("tr.at a").await;
    screen.sees("57").await;
    screen
        .until("the counter counts", "document.querySelector('.over')?.textContent === '57 of 41'")
        .await;
    screen.picture("record-failed").await;
    screen.click("#shorten").await;
    screen.sees("Done. It is queued now.").await;
    screen.sees("a fix changed it").await;
    house.poll(&user, &password, "company", &[]);
    // The page is live.
    screen
        .until("it is green", "document.querySelector('section.card.ok .pill.ok') !== null")
        .await;
    screen.sees("✓ synced").await;
    screen.close().await;
}

#[tokio::test]
async fn a_failed_record_is_fixed_by_its_button_until_it_is_green() {
    fixed_by_its_button(false).await;
}

#[tokio::test]
async fn a_failed_record_is_fixed_by_its_button_until_it_is_green_on_a_phone() {
    fixed_by_its_button(true).await;
}

#[tokio::test]
async fn the_row_that_is_chosen_stays_while_rows_come_and_go() {
    let house = House::open();
    connection(&house, "Acme");
    house.push("acme", &customers(3, "Site:", true));
    let screen = Screen::logged_in(&house, false).await;
    screen.goto("/c/acme/records").await;
    for _ in 0..2 {
        let key = "new KeyboardEvent('keydown', {key: 'j', bubbles: true})";
        screen.eval(&format!("document.body.dispatchEvent({key})")).await;
    }
    let chosen =
        "document.querySelector('tr.at')?.dataset.href === '/c/acme/records/Customer/C%2D1'";
    screen.until("the second is chosen", chosen).await;

    let late = json!({"kind": "Customer", "sourceId": "late", "data": {"Name": "x:y"}});
    house.push("acme", &late.to_string());

    screen.sees("Customer/late").await;
    screen.until("it is chosen still", chosen).await;
    let focus = "document.activeElement.closest('tr') === document.querySelector('tr.at')";
    screen.until("it has the focus", focus).await;
    screen.close().await;
}

async fn fixed_by_a_filter(phone: bool) {
    let house = House::open();
    let (user, password) = connection(&house, "Acme");
    house.push("acme", &customers(120, "Site:", true));
    let screen = Screen::logged_in(&house, phone).await;
    screen.goto("/c/acme/problems").await;
    screen.sees("120 records since").await;
    screen.sees("Replace the characters (120)").await;
    screen.click("form[action*=bulk] button").await;
    screen.sees("120 records would be changed").await;
    screen.sees("A colon in a name").await;
    let place = "document.querySelector('form[action*=bulk] button.main').getBoundingClientRect()";
    screen.until("the button is seen", &format!("{place}.bottom < innerHeight")).await;
    screen.picture("many").await;
    screen.click("form[action*=bulk] button.main").await;
    screen.sees("Done: 120 records changed.").await;
    screen.until("all are changed", "document.body.innerText.includes('No record matches.')").await;

    screen.goto("/c/acme/records/Customer/C-7").await;
    screen.fill("#bypass-reason", "entered by hand").await;
    screen.eval("document.getElementById('bypass-reason').form.id = 'bypass-form'").await;
    screen.click("#bypass-form button").await;
    screen.sees("Bypassed: entered by hand").await;
    house.poll(&user, &password, "company", &[]);
    let shown = house.run(&["records", "acme", "--status", "synced"]);
    assert_eq!(shown["data"].as_array().unwrap().len(), 50);
    screen.goto("/c/acme/activity").await;
    screen.sees("bypassed").await;
    screen.sees("ann").await;
    screen.picture("activity").await;
    screen.close().await;
}

#[tokio::test]
async fn many_are_fixed_by_a_filter_and_one_is_bypassed() {
    fixed_by_a_filter(false).await;
}

#[tokio::test]
async fn many_are_fixed_by_a_filter_and_one_is_bypassed_on_a_phone() {
    fixed_by_a_filter(true).await;
}

async fn first_import(phone: bool) {
    let house = House::open();
    // Another program made them: they stand in the company file.
    let (user, password) = connection(&house, "Before");
    house.push("before", &customers(500, "Customer", true));
    house.poll(&user, &password, "company", &[]);
    let (user, password) = connection(&house, "Acme");
    house.run(&["connection", "refresh-mirror", "acme"]);
    house.poll(&user, &password, "company", &[]);
    house.push("acme", &customers(500, "customer", false));
    let screen = Screen::logged_in(&house, phone).await;

    screen.goto("/c/acme/mapping").await;
    screen
        .until("all are proposed", "document.querySelectorAll('input[name=key]').length === 500")
        .await;
    screen.sees("same name").await;
    screen.picture("mapping").await;
    screen.eval("(() => { const all = document.querySelector('[data-all]'); all.checked = true; all.dispatchEvent(new Event('change')); })()").await;
    screen.eval("document.querySelector('button.main').form; document.querySelectorAll('form[method=post] .buttons button.main')[0].id = 'link-all'").await;
    screen.click("#link-all").await;
    screen.sees("500 linked.").await;
    house.poll(&user, &password, "company", &[]);
    let health = house.run(&["explain", "acme"]);
    assert_eq!(health["counts"]["synced"], 500);
    screen.close().await;
}

#[tokio::test]
async fn a_first_import_of_five_hundred_customers_is_linked_at_once() {
    first_import(false).await;
}

#[tokio::test]
async fn a_first_import_of_five_hundred_customers_is_linked_at_once_on_a_phone() {
    first_import(true).await;
}

async fn linked_by_a_part_of_its_name(phone: bool) {
    let house = House::open();
    let (user, password) = connection(&house, "Before");
    let customer = |id: &str, name: &str| {
        let data = json!({"Name": name});
        json!({"kind": "Customer", "sourceId": id, "data": data, "posted": id != "7"}).to_string()
    };
    house.push("before", &customer("1", "The Smithers Company"));
    house.push("before", &customer("2", "Smith"));
    house.poll(&user, &password, "company", &[]);
    let (user, password) = connection(&house, "Acme");
    house.run(&["connection", "refresh-mirror", "acme"]);
    house.poll(&user, &password, "company", &[]);
    house.push("acme", &customer("7", "smithers"));
    let screen = Screen::logged_in(&house, phone).await;

    // Without a record it is looked for and shown, and nothing can be pressed.
    screen.goto("/c/acme/mapping?there=smith").await;
    screen.sees("The Smithers Company").await;
    let buttons = "document.querySelectorAll('.hits li').length === 2 && !document.querySelector('.hits button')";
    screen.until("two are found", buttons).await;
    screen.goto("/c/acme/records/Customer/7").await;
    screen.click("a[href*='&there=']").await;
    screen.sees("Looked for: Customer/7 smithers").await;
    screen.picture("mapping-search").await;
    screen.click(".hits button").await;
    screen.sees("1 linked.").await;
    house.poll(&user, &password, "company", &[]);

    screen.goto("/c/acme/mapping?there=SMITHERS").await;
    screen.sees("Your record Customer/7 stands here.").await;
    let health = house.run(&["explain", "acme"]);
    assert_eq!(health["counts"]["synced"], 1);
    screen.goto("/c/acme/mapping?there=nobody").await;
    screen.sees("No name that the mirror knows under Customer has “nobody” in it").await;
    screen.close().await;
}

#[tokio::test]
async fn a_record_is_linked_to_what_has_a_part_of_its_name() {
    linked_by_a_part_of_its_name(false).await;
}

#[tokio::test]
async fn a_record_is_linked_to_what_has_a_part_of_its_name_on_a_phone() {
    linked_by_a_part_of_its_name(true).await;
}

async fn made_anew(phone: bool) {
    let house = House::demo();
    let screen = Screen::logged_in(&house, phone).await;
    screen.goto("/c/demo/records/Invoice/INV-2012").await;
    screen.sees("It was deleted in QuickBooks on").await;
    // Which other one is meant nobody knows: it is looked for.
    let search = "document.querySelector('.fix a[href*=\"&there=2012\"]') !== null";
    screen.until("it can be looked for", search).await;

    screen.click("#reset-reference").await;
    screen.sees("Make it anew?").await;
    screen.picture("sure").await;
    screen.click("#sure").await;

    screen.sees("Done. It is queued now.").await;
    let polled = house.poll_demo();
    assert!(polled.status.success(), "{}", String::from_utf8_lossy(&polled.stdout));
    screen.sees("✓ synced").await;
    screen.close().await;
}

#[tokio::test]
async fn what_was_deleted_in_quickbooks_is_made_anew_with_evidence() {
    made_anew(false).await;
}

#[tokio::test]
async fn what_was_deleted_in_quickbooks_is_made_anew_with_evidence_on_a_phone() {
    made_anew(true).await;
}

async fn log_explained(phone: bool) {
    let house = House::open();
    let screen = Screen::logged_in(&house, phone).await;
    screen.goto("/tools").await;
    let log = "20261124.08:33:06 UTC\t: Authentication succeeded\n\
               20261124.08:33:09 UTC\t: Error message: 0x80040414: A modal dialog box is showing\n";
    screen.fill("#log", log).await;
    screen
        .eval("document.getElementById('log').form.querySelector('button').id = 'read-log'")
        .await;
    screen.click("#read-log").await;
    screen.sees("A message or dialog is open in QuickBooks").await;
    screen.picture("log").await;

    // What it tells of a session that was here leads to it.
    let (user, password) = connection(&house, "Acme");
    house.push("acme", &customers(1, "Ann", true));
    house.poll(&user, &password, "company", &[]);
    let now = screen.eval("new Date().toISOString()").await;
    let now = now.as_str().unwrap()[..19].replace('-', "").replace('T', ".");
    screen.fill("#log", &format!("{now} UTC\t: Authentication succeeded\n")).await;
    screen
        .eval("document.getElementById('log').form.querySelector('button').id = 'read-log'")
        .await;
    screen.click("#read-log").await;
    screen.sees("the session here").await;
    screen.eval("document.querySelector('a[href*=\"/sessions/\"]').id = 'session'").await;
    screen.click("#session").await;
    screen.sees("receiveResponseXML").await;
    screen.goto("/tools").await;

    screen.fill("#xml", "<CustomerQueryRq>\n  <Nmae>x</Nmae></CustomerQueryRq>").await;
    screen
        .eval("document.getElementById('xml').form.querySelector('button').id = 'validate'")
        .await;
    screen.click("#validate").await;
    screen.sees("Nmae").await;
    screen.close().await;
}

#[tokio::test]
async fn a_log_of_the_web_connector_is_explained() {
    log_explained(false).await;
}

#[tokio::test]
async fn a_log_of_the_web_connector_is_explained_on_a_phone() {
    log_explained(true).await;
}

#[tokio::test]
async fn nothing_runs_that_is_not_ours() {
    let house = House::open();
    let evil = "<img src=x onerror=\"window.evil=1\"><script>window.evil=1</script>";
    connection(&house, "Acme");
    house.push(
        "acme",
        &json!({"kind": "Customer", "sourceId": evil, "data": {"Name": evil, "Phone": evil}})
            .to_string(),
    );
    let screen = Screen::logged_in(&house, false).await;

    screen.goto("/c/acme/records").await;
    screen.sees("<script>").await;
    screen.click("tr[data-href] a").await;
    screen.sees("onerror").await;

    assert_eq!(screen.eval("window.evil === undefined").await, Value::Bool(true));
    screen.close().await;
}

//! Many that are tried again by a filter; and axe on the pages that ask, show a secret or refuse.

use std::fmt::Write as _;

use serde_json::json;

use crate::connection;
use crate::house::House;
use crate::screen::PASSWORD;
use crate::screen::Screen;

async fn tried_again_by_a_filter(phone: bool) {
    let house = House::open();
    let (user, password) = connection(&house, "Acme");
    let mut lines = String::new();
    for id in 0..3 {
        let data = json!({"Name": format!("Ann {id}"), "TermsRef": {"FullName": "Net 77"}});
        let line = json!({"kind": "Customer", "sourceId": format!("C-{id}"), "data": data});
        writeln!(lines, "{line}").unwrap();
    }
    house.push("acme", &lines);
    house.poll(&user, &password, "company", &[]);
    let screen = Screen::logged_in(&house, phone).await;
    screen.goto("/c/acme/records?status=failed").await;
    screen.sees("Customer/C-2").await;
    // Somebody makes in QuickBooks what is missing.
    let (other, secret) = connection(&house, "Bookkeeper");
    let terms = json!({"Name": "Net 77", "StdDueDays": 77});
    let terms = json!({"kind": "StandardTerms", "sourceId": "T", "data": terms});
    house.push("bookkeeper", &terms.to_string());
    house.poll(&other, &secret, "company", &[]);

    screen.fill("select[name=do]", "retry").await;
    screen.eval("document.querySelector('select[name=do]').form.id = 'many'").await;
    screen.click("#many button").await;
    screen.sees("3 records would be changed: Try again.").await;
    screen.click("form[action*=bulk] button.main").await;
    screen.sees("Done: 3 records changed.").await;
    house.poll(&user, &password, "company", &[]);

    screen.goto("/c/acme/records?status=synced").await;
    screen.sees("Customer/C-2").await;
    screen.close().await;
}

#[tokio::test]
async fn many_are_tried_again_by_a_filter() {
    tried_again_by_a_filter(false).await;
}

#[tokio::test]
async fn many_are_tried_again_by_a_filter_on_a_phone() {
    tried_again_by_a_filter(true).await;
}

/// What axe finds on the page that is shown, in light and dark, and whether it is too wide.
pub(crate) async fn look(screen: &Screen, at: &str, found: &mut Vec<String>) {
    for scheme in ["light", "dark"] {
        screen.scheme(scheme).await;
        screen.until("colours have changed", "document.getAnimations().length === 0").await;
        found.extend(
            screen.violations().await.into_iter().map(|one| format!("{at} {scheme} {one}")),
        );
    }
    let wide = screen.eval("document.documentElement.scrollWidth - innerWidth").await;
    if wide.as_i64().unwrap_or(0) > 0 {
        found.push(format!("{at} is {wide} pixels too wide"));
    }
}

async fn axe_on_the_others(phone: bool) {
    let house = House::demo();
    let mut found = Vec::new();
    let screen = Screen::open(&house, phone).await;
    screen.goto(&house.setup).await;
    look(&screen, "setup", &mut found).await;
    screen.fill("#name", "ann").await;
    screen.fill("#password", PASSWORD).await;
    screen.click("button.main").await;
    screen.sees("Overview").await;

    screen.goto("/c/demo/sessions").await;
    screen.eval("document.querySelector('td a[href*=\"/sessions/\"]').id = 'session'").await;
    screen.click("#session").await;
    screen.sees("sendRequestXML").await;
    look(&screen, "session", &mut found).await;
    screen.goto("/c/demo/problems").await;
    screen.click("form[action*=bulk] button").await;
    screen.sees("would be changed").await;
    look(&screen, "preview", &mut found).await;
    screen.goto("/c/demo/records/Invoice/INV-2012").await;
    screen.click("#reset-reference").await;
    screen.sees("Make it anew?").await;
    look(&screen, "sure", &mut found).await;
    screen.goto("/settings").await;
    screen.fill("form[action='/settings/keys'] input[name=name]", "shop").await;
    screen.click("form[action='/settings/keys'] button").await;
    screen.sees("shown").await;
    look(&screen, "secret", &mut found).await;
    screen.goto("/c/demo/mapping?show=all").await;
    look(&screen, "mapping", &mut found).await;
    screen.goto("/c/demo/records/Invoice/NOPE").await;
    look(&screen, "error", &mut found).await;
    screen.goto("/tools").await;
    screen.fill("#xml", "<CustomerQueryRq>\n  <Nmae>x</Nmae></CustomerQueryRq>").await;
    screen.eval("document.getElementById('xml').form.querySelector('button').id = 'go'").await;
    screen.click("#go").await;
    screen.sees("Nmae").await;
    look(&screen, "tools", &mut found).await;

    let paired = house.run(&["connection", "add", "One"]);
    let text = |member: &str| paired[member].as_str().unwrap().to_owned();
    screen.goto(&text("pairingUrl")).await;
    screen.click("form[action$='/password'] button").await;
    screen.sees("shown this once").await;
    house.poll(&text("username"), "wrong", "company", &[]);
    screen.sees("logged in with a wrong password").await;
    look(&screen, "pairing", &mut found).await;

    screen.goto("/").await;
    screen.click("form[action='/logout'] button").await;
    screen.goto("/c/demo").await;
    screen.fill("#name", "ann").await;
    screen.fill("#password", "wrong wrong wrong").await;
    screen.click("button.main").await;
    screen.sees("Name or password is wrong.").await;
    look(&screen, "login", &mut found).await;
    screen.close().await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn axe_finds_nothing_on_pages_that_ask_show_a_secret_or_refuse() {
    axe_on_the_others(false).await;
}

#[tokio::test]
async fn axe_finds_nothing_on_them_on_a_phone() {
    axe_on_the_others(true).await;
}

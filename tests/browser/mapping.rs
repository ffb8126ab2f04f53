//! Who is linked to whom where names are nearly the same.

use serde_json::Value;
use serde_json::json;

use crate::connection;
use crate::house::House;
use crate::http::Caller;
use crate::screen::PASSWORD;
use crate::screen::Screen;

fn customers(all: &[(&str, Value)], posted: bool) -> String {
    let line = |(id, data): &(&str, Value)| {
        json!({"kind": "Customer", "sourceId": id, "data": data, "posted": posted}).to_string()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What stands in the company file, and what an application has that is not linked yet.
fn imported(there: &[(&str, Value)], here: &[(&str, Value)]) -> (House, String, String) {
    let house = House::open();
    let (user, password) = connection(&house, "Before");
    house.push("before", &customers(there, true));
    house.poll(&user, &password, "company", &[]);
    let (user, password) = connection(&house, "Acme");
    house.run(&["connection", "refresh-mirror", "acme"]);
    house.poll(&user, &password, "company", &[]);
    house.push("acme", &customers(here, false));
    (house, user, password)
}

fn name(text: &str) -> Value {
    json!({"Name": text})
}

/// Where a record stands in QuickBooks, as its page says.
fn stands(house: &House, id: &str) -> String {
    let page = Caller::login(house, "ann", PASSWORD).get(&format!("/c/acme/records/Customer/{id}"));
    let told = page.body.split("<dt>In QuickBooks</dt><dd>").nth(1).unwrap();
    told.split(['<', '·']).next().unwrap().trim().to_owned()
}

#[tokio::test]
async fn all_links_the_same_names_alone_and_what_is_similar_is_asked_about_pair_by_pair() {
    let unit = |number: u32| name(&format!("Harbor Street Unit {number}"));
    let (house, user, password) = imported(
        &[("1", unit(1)), ("2", unit(2)), ("3", unit(3)), ("4", name("Johnson, Mary"))],
        &[
            ("U1", unit(1)),
            ("U2", unit(2)),
            ("U3", name("harbor street  unit 3")),
            ("U4", unit(4)),
            ("U5", unit(5)),
            ("Mark", name("Johnson, Mark")),
        ],
    );
    let screen = Screen::logged_in(&house, false).await;
    screen.goto("/c/acme/mapping").await;
    screen.sees("similar name").await;
    let boxes = "[...document.querySelectorAll('input[name=key]')].map(box => box.value.split(' ')[1]).sort().join()";
    assert_eq!(screen.eval(boxes).await, "Mark,U1,U2,U3");

    screen.eval("(() => { const all = document.querySelector('[data-all]'); all.checked = true; all.dispatchEvent(new Event('change')); })()").await;
    let ticked = "document.querySelectorAll('input[name=key]:checked').length === 3 && !document.querySelector('input[value$=Mark]').checked";
    screen.until("the same are ticked", ticked).await;
    screen.eval("document.querySelector('input[value$=Mark]').checked = true").await;
    screen.eval("document.querySelectorAll('form[method=post] .buttons button.main')[0].id = 'link-all'").await;
    screen.click("#link-all").await;
    screen.sees("Johnson, Mark → Johnson, Mary").await;
    screen.sees("3 more, whose names are the same, are linked too.").await;
    assert_eq!(stands(&house, "U1"), "–", "nothing is linked before it was asked about");
    screen.goto("/c/acme/mapping").await;
    screen.eval("(() => { const all = document.querySelector('[data-all]'); all.checked = true; all.dispatchEvent(new Event('change')); })()").await;
    screen.eval("document.querySelectorAll('form[method=post] .buttons button.main')[0].id = 'link-all'").await;
    screen.click("#link-all").await;
    screen.sees("3 linked.").await;
    screen.sees("Customer/Mark").await;

    house.poll(&user, &password, "company", &[]);
    for (id, there) in [
        ("U1", "Harbor Street Unit 1"),
        ("U2", "Harbor Street Unit 2"),
        ("U3", "Harbor Street Unit 3"),
        ("U4", "–"),
        ("U5", "–"),
        ("Mark", "–"),
    ] {
        assert_eq!(stands(&house, id), there, "{id}");
    }
    screen.close().await;
}

#[tokio::test]
async fn what_is_similar_is_linked_once_its_pair_was_looked_at() {
    let (house, user, password) =
        imported(&[("1", name("Harbour Street"))], &[("7", name("Harbor Street"))]);
    let screen = Screen::logged_in(&house, false).await;
    screen.goto("/c/acme/mapping").await;
    screen.sees("similar name").await;
    let all = "document.querySelector('[data-all]') === null";
    screen.until("there is nothing to tick at once", all).await;

    screen.eval("document.querySelector('input[name=key]').checked = true").await;
    screen.eval("document.querySelectorAll('form[method=post] .buttons button.main')[0].id = 'link-all'").await;
    screen.click("#link-all").await;
    screen.sees("Harbor Street → Harbour Street").await;
    screen.click("#sure").await;

    screen.sees("1 linked.").await;
    house.poll(&user, &password, "company", &[]);
    assert_eq!(stands(&house, "7"), "Harbour Street");
    screen.close().await;
}

#[tokio::test]
async fn an_object_with_the_name_of_another_record_is_not_similar_and_jobs_are_found_below_theirs()
{
    let job = |parent: Value| json!({"Name": "Kitchen remodel", "ParentRef": parent});
    let (house, ..) = imported(
        &[
            ("A", name("Alder Court")),
            ("B", name("Birch Court")),
            ("A1", job(json!({"source": "Customer/A"}))),
            ("B1", job(json!({"source": "Customer/B"}))),
            ("M", name("Jonson")),
        ],
        &[
            ("A", name("Alder Court")),
            ("B", name("Birch Court")),
            ("A1", job(json!({"FullName": "Alder Court"}))),
            ("B1", job(json!({"source": "Customer/B"}))),
            ("X1", job(json!({"source": "Customer/nowhere"}))),
            ("M", name("Jonson")),
            ("N", name("Johnson")),
        ],
    );
    let screen = Screen::logged_in(&house, true).await;
    screen.goto("/c/acme/mapping").await;
    screen.sees("Birch Court:Kitchen remodel").await;

    screen.sees("Alder Court:Kitchen remodel").await;
    let boxes = "[...document.querySelectorAll('input[name=key][data-same]')].map(box => box.value.split(' ')[1]).sort().join()";
    assert_eq!(screen.eval(boxes).await, "A,A1,B,B1,M");
    let others = "document.querySelectorAll('input[name=key]:not([data-same])').length";
    assert_eq!(screen.eval(others).await, 0);
    screen.close().await;
}

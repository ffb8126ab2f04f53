//! Every page that there is: axe, the width of a phone, without scripts, without anything on it, and
//! as somebody sees it who may only look. The list is held against the routes in the sources.

use std::collections::BTreeSet;
use std::path::Path;

use crate::house::House;
use crate::http::Caller;
use crate::more::look;
use crate::screen::PASSWORD;
use crate::screen::Screen;

/// Every route that answers with a page: where it is looked at in the demo, and what stands there.
/// `{pair}` and `{session}` are filled in.
const PAGES: [(&str, &str, &str); 22] = [
    ("/", "/", "more need a person"),
    ("/activity", "/activity", "user ann"),
    ("/c/{connection}", "/c/demo", "Sessions"),
    ("/c/{connection}/activity", "/c/demo/activity", "put"),
    ("/c/{connection}/mapping", "/c/demo/mapping?kind=ReceivePayment&show=all&there=1", "PMT-3003"),
    ("/c/{connection}/mapping", "/c/demo/mapping?kind=Invoice&there=0&for=INV-2010", "Looked for"),
    ("/c/{connection}/problems", "/c/demo/problems", "waits behind it"),
    ("/c/{connection}/records", "/c/demo/records", "INV-2010"),
    ("/c/{connection}/records", "/c/demo/records?status=failed", "A colon in a name"),
    ("/c/{connection}/records", "/c/demo/records?q=nothing+is+called+so", "No record matches."),
    (
        "/c/{connection}/records/{kind}/{source_id:[^/]*}",
        "/c/demo/records/Invoice/INV-2010",
        "R-22 refrigerant",
    ),
    ("/c/{connection}/sessions", "/c/demo/sessions", "Sessions of the Web Connector"),
    ("/c/{connection}/sessions/{session}", "{session}", "authenticate"),
    ("/docs", "/docs", "openapi.json"),
    ("/docs/errors", "/docs/errors", "NAME_IN_USE"),
    ("/docs/errors/{word}", "/docs/errors/NAME_IN_USE", "What helps"),
    ("/docs/errors/{word}", "/docs/errors/ACCESS_NOT_GRANTED", "Integrated Applications"),
    ("/docs/pairing", "/docs/pairing", "Update Selected"),
    ("/pair/{token}", "{pair}", "Update Selected"),
    ("/settings", "/settings", "Your password"),
    ("/tools", "/tools", "Validate qbXML"),
    ("/login", "/login", "Log in"),
];

/// Routes that are read and are no page of their own, and why.
const OTHERS: [(&str, &str); 7] = [
    ("/c/{connection}/qwc", "a file"),
    ("/c/{connection}/records.csv", "a file"),
    ("/live", "events"),
    ("/pair/{token}/live", "events"),
    ("/pair/{token}/password", "leads to the steps"),
    ("/pair/{token}/qwc", "a file"),
    ("/static/{file}", "the sheet and the script"),
];

/// What only somebody without a user sees; `more` looks at it.
const FIRST: &str = "/setup/{token}";

/// The routes that answer GET in a file of the sources.
fn routes_of(source: &str, under: &str, found: &mut BTreeSet<String>) {
    for part in source.split("web::resource(").skip(1) {
        let route = part.split('"').nth(1).unwrap();
        if part.contains("web::get().to(") {
            found.insert(format!("{under}{route}"));
        }
    }
}

#[test]
fn no_page_is_forgotten_here() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src");
    let mut routes = BTreeSet::new();
    for file in std::fs::read_dir(source.join("dashboard")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            routes_of(&std::fs::read_to_string(path).unwrap(), "", &mut routes);
        }
    }
    let docs = std::fs::read_to_string(source.join("api/docs.rs")).unwrap();
    routes_of(&docs, "/docs", &mut routes);

    let pages = PAGES.iter().map(|(route, ..)| *route);
    let known = pages.chain(OTHERS.iter().map(|(route, _)| *route)).chain([FIRST]);
    let known: BTreeSet<_> = known.map(str::to_owned).collect();

    assert_eq!(routes, known);
}

/// The addresses of the pages in a house of the demo, for somebody who is logged in.
fn addresses(house: &House, somebody: &Caller<'_>) -> Vec<(String, &'static str)> {
    let made = house.run(&["connection", "add", "Paired"]);
    let pair = made["pairingUrl"].as_str().unwrap().replace(&house.url, "");
    let sessions = somebody.get("/c/demo/sessions").body;
    let session = sessions.split("href=\"/c/demo/sessions/").nth(1).unwrap();
    let session = format!("/c/demo/sessions/{}", session.split('"').next().unwrap());
    let address = |at: &str| at.replace("{pair}", &pair).replace("{session}", &session);
    PAGES.iter().map(|(_, at, shows)| (address(at), *shows)).collect()
}

async fn every_page(phone: bool) {
    let house = House::demo();
    let ann = Caller::first(&house);
    let mut found = Vec::new();
    let screen = Screen::open(&house, phone).await;
    screen.goto("/login").await;
    screen.log_in("ann").await;
    for (page, _) in addresses(&house, &ann) {
        screen.scheme("light").await;
        screen.goto(&page).await;
        // Before axe opens what is closed.
        let name = page.trim_start_matches('/').replace('/', "-");
        match page.as_str() {
            "/" => screen.pictures("overview").await,
            "/c/demo" | "/c/demo/records" => screen.picture(&name).await,
            "/c/demo/problems" => screen.picture("problems").await,
            "/c/demo/records/Invoice/INV-2010" => screen.pictures("record").await,
            _ => {}
        }
        look(&screen, &page, &mut found).await;
    }
    screen.close().await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn axe_finds_nothing_on_any_page_in_light_and_dark() {
    every_page(false).await;
}

#[tokio::test]
async fn axe_finds_nothing_on_any_page_in_light_and_dark_on_a_phone() {
    every_page(true).await;
}

#[tokio::test]
async fn every_page_can_be_read_without_scripts() {
    let house = House::demo();
    let ann = Caller::first(&house);
    let addresses = addresses(&house, &ann);
    let screen = Screen::open(&house, false).await;
    screen.goto("/login").await;
    screen.log_in("ann").await;
    screen.scripts(false).await;
    for (page, shows) in &addresses {
        let html = screen.html(page).await;
        assert!(html.contains(shows), "{page}: {shows}\n{html}");
    }
    screen.scripts(true).await;
    screen.close().await;
}

#[tokio::test]
async fn axe_finds_nothing_where_there_is_nothing_yet() {
    let house = House::open();
    let mut found = Vec::new();
    for phone in [false, true] {
        let screen = Screen::open(&house, phone).await;
        if phone {
            screen.goto("/login").await;
            screen.log_in("ann").await;
        } else {
            screen.goto(&house.setup).await;
            screen.log_in("ann").await;
            look(&screen, "an overview without connections", &mut found).await;
            screen.scripts(false).await;
            assert!(screen.html("/").await.contains("There is no connection yet."));
            screen.scripts(true).await;
            house.run(&["connection", "add", "Empty"]);
        }
        for page in ["", "/sessions", "/records", "/problems", "/mapping", "/activity"] {
            let page = format!("/c/empty{page}");
            screen.goto(&page).await;
            look(&screen, &format!("{page} phone={phone}"), &mut found).await;
        }
        screen.close().await;
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What a viewer's page has that would be refused: forms that change something, and fields to fill in.
fn refused(page: &str, body: &str) -> Vec<String> {
    let own = ["/logout", "/settings/password", "/tools"];
    let form = |html: &&str| {
        let action = html.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
        html.starts_with("<form")
            && html.contains("method=\"post\"")
            && !own.iter().any(|own| action.is_some_and(|action| action.starts_with(own)))
    };
    let tick = |html: &&str| html.contains("name=\"key\"") || html.contains("data-all");
    let tags = body.split_inclusive('>').map(|text| &text[text.rfind('<').unwrap_or(0)..]);
    let found = tags.filter(|tag| form(tag) || tick(tag));
    found.map(|tag| format!("{page}: {tag}")).collect()
}

#[tokio::test]
async fn a_viewer_reads_every_page_and_finds_nothing_to_press_that_would_be_refused() {
    let house = House::demo();
    let ann = Caller::first(&house);
    let addresses = addresses(&house, &ann);
    let csrf = ann.get("/settings").csrf();
    let form =
        [("csrf", csrf.as_str()), ("name", "vi"), ("role", "viewer"), ("password", PASSWORD)];
    assert_eq!(ann.post("/settings/users", &form).status, 303);
    let vi = Caller::login(&house, "vi", PASSWORD);
    let screen = Screen::open(&house, true).await;
    screen.goto("/login").await;
    screen.log_in("vi").await;
    let mut found = Vec::new();
    for (page, shows) in &addresses {
        let answer = vi.get(page);
        if page == "/activity" {
            assert_eq!(answer.status, 403);
        } else {
            assert_eq!(answer.status, 200, "{page}");
            assert!(answer.body.contains(shows), "{page}: {shows}\n{}", answer.body);
        }
        if !page.starts_with("/pair/") && page != "/login" {
            found.extend(refused(page, &answer.body));
        }
        screen.goto(page).await;
        look(&screen, &format!("{page} as a viewer"), &mut found).await;
    }
    screen.close().await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

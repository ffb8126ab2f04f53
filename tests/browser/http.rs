//! The pages by HTTP alone: who may do what, and what every answer carries.

use std::io::BufRead as _;
use std::io::BufReader;

use ureq::Agent;
use ureq::http::Response;

use crate::house::House;
use crate::screen::PASSWORD;

/// Somebody with a cookie, or nobody.
pub(crate) struct Caller<'a> {
    house: &'a House,
    agent: Agent,
    cookie: String,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn of(mut response: Response<ureq::Body>) -> Self {
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
        let headers: Vec<_> = headers.collect();
        let location = headers.iter().find(|(name, _)| name == "location");
        Self {
            status: response.status().as_u16(),
            location: location.map(|(_, value)| value.clone()).unwrap_or_default(),
            body: response.body_mut().read_to_string().unwrap_or_default(),
            headers,
        }
    }

    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The token of forms.
    pub(crate) fn csrf(&self) -> String {
        let after = self.body.split("name=\"csrf\" value=\"").nth(1).expect("there is a form");
        after.split('"').next().unwrap().to_owned()
    }
}

impl<'a> Caller<'a> {
    pub(crate) fn nobody(house: &'a House) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        Self { house, agent: config.new_agent(), cookie: String::new() }
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.house.url) } else { path.to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let request = self.agent.get(self.url(path)).header("cookie", &self.cookie);
        Answer::of(request.call().unwrap())
    }

    /// With one more header.
    fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        let request = self.agent.get(self.url(path)).header("cookie", &self.cookie);
        Answer::of(request.header(name, value).call().unwrap())
    }

    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.agent.post(self.url(path)).header("cookie", &self.cookie);
        Answer::of(request.send_form(form.iter().copied()).unwrap())
    }

    /// As a user that is there.
    pub(crate) fn login(house: &'a House, name: &str, password: &str) -> Self {
        let mut caller = Self::nobody(house);
        let answer = caller.post("/login", &[("name", name), ("password", password)]);
        assert_eq!(answer.status, 303, "{}", answer.body);
        caller.take(&answer);
        caller
    }

    /// As the first user.
    pub(crate) fn first(house: &'a House) -> Self {
        let mut caller = Self::nobody(house);
        let answer = caller.post(&house.setup, &[("name", "Ann"), ("password", PASSWORD)]);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = answer.header("set-cookie");
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        caller.take(&answer);
        caller
    }

    fn take(&mut self, answer: &Answer) {
        answer.header("set-cookie").split(';').next().unwrap().clone_into(&mut self.cookie);
    }
}

fn house() -> House {
    let house = House::open();
    house.run(&["connection", "add", "Acme"]);
    house
}

#[test]
fn nothing_is_shown_and_nothing_done_without_a_login() {
    let house = house();
    let nobody = Caller::nobody(&house);

    for path in [
        "/",
        "/c/acme",
        "/c/acme/records",
        "/activity",
        "/settings",
        "/tools",
        "/live",
        "/c/acme/qwc",
    ] {
        let answer = nobody.get(path);
        assert_eq!(
            (answer.status, answer.location.starts_with("/login?next=")),
            (303, true),
            "{path}"
        );
    }
    for path in ["/connections", "/c/acme/pause", "/settings/users", "/c/acme/records/bulk"] {
        let answer = nobody.post(path, &[("name", "x")]);
        assert_eq!((answer.status, answer.location.starts_with("/login")), (303, true), "{path}");
    }
    assert_eq!(nobody.get("/pair/0123456789abcdef0123456789abcdef").status, 404);
    assert_eq!(nobody.get("/setup/0123456789abcdef0123456789abcdef").status, 404);
}

#[test]
fn every_answer_allows_nothing_from_elsewhere() {
    let house = house();
    let ann = Caller::first(&house);

    for path in ["/login", "/", "/c/acme", "/c/none", "/static/app.css"] {
        let answer = ann.get(path);
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(!answer.body.contains(" style=") && !answer.body.contains("onclick"), "{path}");
    }
    assert_eq!(ann.get("/c/none").status, 404);
}

#[test]
fn a_form_that_was_not_given_to_this_login_does_nothing() {
    let house = house();
    let ann = Caller::first(&house);
    let csrf = ann.get("/c/acme").csrf();

    for wrong in ["", "0", &csrf.replace(|c: char| c.is_ascii_digit(), "0")] {
        assert_eq!(ann.post("/c/acme/pause", &[("csrf", wrong)]).status, 400);
    }
    assert_eq!(house.run(&["connection", "show", "acme"])["paused"], false);
    assert_eq!(ann.post("/c/acme/pause", &[("csrf", &csrf)]).status, 303);
    assert_eq!(house.run(&["connection", "show", "acme"])["paused"], true);
}

#[test]
fn a_viewer_sees_an_operator_decides_and_an_admin_manages() {
    let house = house();
    let record = r#"{"kind":"Customer","sourceId":"1","data":{"Name":"a:b"}}"#;
    house.push("acme", record);
    let ann = Caller::first(&house);
    let csrf = ann.get("/settings").csrf();
    for (name, role) in [("vi", "viewer"), ("op", "operator")] {
        let form =
            [("csrf", csrf.as_str()), ("name", name), ("role", role), ("password", PASSWORD)];
        assert_eq!(ann.post("/settings/users", &form).status, 303);
    }
    let act = |caller: &Caller<'_>, path: &str, what: &str| {
        let csrf = caller.get("/").csrf();
        caller.post(path, &[("csrf", &csrf), ("do", what), ("reason", "r")]).status
    };
    let (vi, op) = (Caller::login(&house, "vi", PASSWORD), Caller::login(&house, "OP", PASSWORD));

    let page = "/c/acme/records/Customer/1";
    assert!(vi.get(page).body.contains("A colon in a name"));
    assert!(!vi.get(page).body.contains("id=\"replace-characters\""));
    assert_eq!(act(&vi, &format!("{page}/act"), "bypass"), 403);
    assert_eq!(act(&op, &format!("{page}/act"), "bypass"), 303);
    assert_eq!(act(&op, "/c/acme/rotate-password", ""), 403);
    assert_eq!(act(&op, "/settings/users", ""), 403);
    assert_eq!(op.get("/c/acme/qwc").status, 403);
    assert!(!op.get("/settings").body.contains("API keys"));
    assert_eq!((vi.get("/activity").status, op.get("/activity").status), (403, 403));
    assert!(!op.get("/").body.contains("href=\"/activity\""));
    let activity = vi.get("/c/acme/activity").body;
    assert!(activity.contains("bypassed") && activity.contains(">op<"), "{activity}");
}

#[test]
fn a_record_says_what_a_fix_would_do_and_what_was_done_with_it() {
    let house = house();
    house.push("acme", r#"{"kind":"Customer","sourceId":"1/ü","data":{"Name":"a:b"}}"#);
    house.push("acme", r#"{"kind":"Customer","sourceId":"2","data":{"Name":"c"}}"#);
    let ann = Caller::first(&house);
    let page = "/c/acme/records/Customer/1%2F%C3%BC";

    let body = ann.get(page).body;

    assert!(body.contains("Name: “a:b” becomes “a - b”"), "{body}");
    assert!(body.contains("aria-describedby=\"would-replace-characters\""), "{body}");
    assert!(body.contains("<b>local admin</b> put it"), "{body}");
    let csrf = ann.get(page).csrf();
    for what in ["retry", "retry", "retry", "retry", "retry"] {
        ann.post(&format!("{page}/act"), &[("csrf", &csrf), ("do", what)]);
    }
    let body = ann.get(page).body;
    assert_eq!(body.matches("<b>ann</b> retried it").count(), 5, "{body}");
    assert!(!body.contains("<b>local admin</b> put it"), "five lines, the newest first: {body}");
    let all = body.split("/c/acme/activity?record=").nth(1).unwrap().split('"').next().unwrap();
    let all = ann.get(&format!("/c/acme/activity?record={all}")).body;
    assert_eq!(all.matches(">Customer/1/ü</a>").count(), 7, "{all}");
    assert!(!all.contains("Customer/2"), "{all}");
    assert_eq!(ann.get("/c/acme/activity?record=nonsense").status, 404);
}

#[test]
fn what_is_offered_first_mends_and_causes_are_told_in_words() {
    let house = house();
    house.push("acme", r#"{"kind":"Invoice","sourceId":"1","data":{"InvoiceLine":{"Desc":"x"}}}"#);
    house.push("acme", r#"{"kind":"Customer","sourceId":"2","data":{"Name":"a:b"}}"#);
    let ann = Caller::first(&house);

    let problems = ann.get("/c/acme/problems").body;
    let missing = problems.split("Something is missing").nth(1).unwrap();
    let missing = missing.split("</section>").next().unwrap();
    let record = ann.get("/c/acme/records/Invoice/1").body;
    let records = ann.get("/c/acme/records").body;

    // To call it done although something is missing is nobody's first thought.
    assert!(missing.contains(">Look at it</a>") && !missing.contains("bypass)"), "{missing}");
    assert!(record.contains("<button id=\"bypass\""), "{record}");
    let colon = problems.split("A colon in a name").nth(1).unwrap();
    assert!(colon.contains("value=\"fix:replace-characters\"><button class=\"main\">"), "{colon}");
    let cause = "<option value=\"NAME_IN_USE\">This name is taken in QuickBooks</option>";
    assert!(records.contains(cause), "{records}");
    assert!(records.contains("<option value=\"in_doubt\">in doubt</option>"), "{records}");
}

#[test]
fn the_preview_of_a_decision_about_many_names_some_of_them() {
    let house = house();
    for number in 1..=7 {
        let data = format!(r#"{{"Name":"a:{number}"}}"#);
        house
            .push("acme", &format!(r#"{{"kind":"Customer","sourceId":"{number}","data":{data}}}"#));
    }
    let ann = Caller::first(&house);
    let csrf = ann.get("/c/acme/records").csrf();
    let preview = |filter: &str, what: &str| {
        let address = format!("/c/acme/records/bulk?{filter}");
        let body = ann.post(&address, &[("csrf", &csrf), ("do", what)]).body;
        body.split("With all that match").nth(1).unwrap().to_owned()
    };

    let many = preview("status=failed", "fix:replace-characters");
    let few = preview("status=failed&q=a:7", "retry");

    assert!(many.contains("<b>7</b> records would be changed"), "{many}");
    assert_eq!(many.matches("<li><a href=\"/c/acme/records/Customer/").count(), 5, "{many}");
    assert!(many.contains("Such as") && many.contains("Name: “a:7” becomes “a - 7”"), "{many}");
    assert!(few.contains("<b>1</b> record would") && few.contains("These"), "{few}");
    assert_eq!(few.matches("<li><a href=\"/c/acme/records/Customer/7\">").count(), 1, "{few}");
    let counts = house.run(&["records", "acme", "--status", "failed"]);
    assert_eq!(counts["data"].as_array().unwrap().len(), 7, "nothing is changed yet");
}

#[test]
fn what_matches_since_it_was_counted_is_asked_about_again() {
    let house = house();
    let push = |number: usize| {
        let data = format!(r#"{{"Name":"a:{number}"}}"#);
        house
            .push("acme", &format!(r#"{{"kind":"Customer","sourceId":"{number}","data":{data}}}"#));
    };
    push(1);
    push(2);
    let ann = Caller::first(&house);
    let csrf = ann.get("/c/acme/records").csrf();
    let address = "/c/acme/records/bulk?status=failed";
    let form = [("csrf", csrf.as_str()), ("do", "bypass"), ("reason", "by hand")];
    let sure = |page: &str| {
        let counted = hidden(page, "counted");
        ann.post(address, &[&form[..], &[("sure", "1"), ("counted", &counted)]].concat())
    };
    let counted = ann.post(address, &form).body;
    assert!(counted.contains("<b>2</b> records would"), "{counted}");
    push(3);

    let asked = sure(&counted);

    assert_eq!(asked.status, 200);
    assert!(asked.body.contains("other records match than when"), "{}", asked.body);
    assert!(asked.body.contains("<b>3</b> records would"), "{}", asked.body);
    let left = house.run(&["records", "acme", "--status", "failed"]);
    assert_eq!(left["data"].as_array().unwrap().len(), 3, "nothing is changed yet");
    let done = sure(&asked.body);
    assert!(done.location.contains("task="), "{}", done.location);
}

#[test]
fn the_overview_says_what_waits_and_what_needs_somebody() {
    let house = house();
    let held = r#"{"kind":"Customer","sourceId":"1","data":{"Name":"A"},"posted":false}"#;
    house.push("acme", held);
    house.run(&["connection", "add", "Acme"]);
    let ann = Caller::first(&house);

    let page = ann.get("/").body;

    let live = page.split("data-live").nth(1).unwrap();
    let says = live.split("class=\"lead\">").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(says, "2 connections are not paired yet; 1 is held.");
    assert!(page.contains("<code class=\"small soft\">acme</code>"), "{page}");
    let wrong = house.run(&["connection", "add", "Wrong"]);
    house.poll(wrong["username"].as_str().unwrap(), "wrong", "company", &[]);
    let page = ann.get("/").body;
    assert!(!page.contains("nothing needs you"), "{page}");
}

#[test]
fn what_cannot_be_linked_is_written_into_its_field() {
    let house = House::open();
    let made = house.run(&["connection", "add", "Acme"]);
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    let terms = r#"{"kind":"StandardTerms","sourceId":"T","data":{"Name":"Net 7","StdDueDays":7}}"#;
    house.push("acme", terms);
    house.poll(&text("username"), &text("password"), "company", &[]);
    let data = r#"{"Name":"A","TermsRef":{"FullName":"Net 77"}}"#;
    house.push("acme", &format!(r#"{{"kind":"Customer","sourceId":"1","data":{data}}}"#));
    house.poll(&text("username"), &text("password"), "company", &[]);
    let ann = Caller::first(&house);
    let page = ann.get("/c/acme/records/Customer/1");

    assert!(!page.body.contains("What you choose is linked"), "{}", page.body);
    assert!(page.body.contains("Write it in and try again"), "{}", page.body);
    let (csrf, seen) = (page.csrf(), hidden(&page.body, "seen"));
    let name = hidden(&page.body, "/TermsRef/FullName");
    let form =
        [("csrf", csrf.as_str()), ("do", "edit"), ("seen", &seen), ("/TermsRef/FullName", &name)];
    ann.post("/c/acme/records/Customer/1/act", &form);
    house.poll(&text("username"), &text("password"), "company", &[]);

    let synced = house.run(&["records", "acme", "--status", "synced"]);
    assert_eq!(synced["data"].as_array().unwrap().len(), 2, "{synced}");
}

/// The lines of the server's own activity, newest first: who, and what.
fn activity_of_server(admin: &Caller<'_>) -> Vec<(String, String)> {
    let body = admin.get("/activity").body;
    let rows = body.split("<tr><td class=\"when\">").skip(1);
    let line = |row: &str| {
        let mut cells = row.split("<td>").skip(1).map(|cell| cell.split("</td>").next().unwrap());
        let (who, what) = (cells.next().unwrap(), cells.next().unwrap());
        (who.to_owned(), what.split(" <span").next().unwrap().to_owned())
    };
    rows.map(line).collect()
}

#[test]
fn what_is_done_with_users_and_keys_stands_in_the_activity_without_any_secret() {
    let house = house();
    let ann = Caller::first(&house);
    let page = ann.get("/settings").body;
    let (csrf, once) = (hidden(&page, "csrf"), hidden(&page, "once"));
    let csrf = ("csrf", csrf.as_str());
    let form = [csrf, ("name", "Op"), ("role", "viewer"), ("password", "a first password")];
    ann.post("/settings/users", &form);
    let op = Caller::login(&house, "op", "a first password");
    let op_csrf = op.get("/settings").csrf();
    let form =
        [("csrf", op_csrf.as_str()), ("old", "a first password"), ("new", "another password")];
    op.post("/settings/password", &form);
    let body = ann.get("/settings").body;
    let id = hidden(body.split("<tr><td>op").nth(1).unwrap(), "id");
    let change = |more: &[(&str, &str)]| {
        ann.post("/settings/user", &[&[csrf, ("id", id.as_str())], more].concat());
    };
    change(&[("role", "operator")]);
    change(&[("role", "operator")]);
    change(&[("role", "operator"), ("disabled", "1")]);
    change(&[("role", "operator")]);
    let made = ann.post("/settings/keys", &[csrf, ("once", &once), ("name", "<shop>")]).body;
    let key = made.split("bbk_").nth(1).unwrap().split('<').next().unwrap();
    let nobody = Caller::nobody(&house);
    for name in ["op", "a password typed as a name"] {
        for _ in 0..6 {
            nobody.post("/login", &[("name", name), ("password", "wrong wrong wrong")]);
        }
    }

    let told = activity_of_server(&ann);

    let told: Vec<_> = told.iter().map(|(who, what)| (who.as_str(), what.as_str())).collect();
    let expected = [
        ("bookbridge", "shut out for a while user op"),
        ("ann", "made API key &#60;shop&#62;"),
        ("ann", "let in again user op"),
        ("ann", "shut out user op"),
        ("ann", "changed the role of user op"),
        ("op", "set the password of user op"),
        ("ann", "made user op"),
        ("ann", "made user ann"),
        ("local admin", "made connection acme"),
        ("bookbridge", "made API key local admin"),
    ];
    assert_eq!(told, expected);
    let body = ann.get("/activity").body;
    for secret in [key, "argon2", "first password", "another password", "typed as a name"] {
        assert!(!body.contains(secret), "{secret}");
    }
}

/// The value of the first hidden field of a name.
fn hidden(body: &str, name: &str) -> String {
    let after = body.split(&format!("name=\"{name}\" value=\"")).nth(1);
    after.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

#[test]
fn a_connection_is_removed_after_it_was_said_what_is_lost() {
    let house = house();
    house.push("acme", r#"{"kind":"Customer","sourceId":"1","data":{"Name":"A"}}"#);
    let ann = Caller::first(&house);
    let csrf = ann.get("/c/acme").csrf();

    let asked = ann.post("/c/acme/remove", &[("csrf", &csrf)]).body;
    assert!(asked.contains("All its records (1)") && asked.contains("id=\"sure\""), "{asked}");
    assert_eq!(ann.get("/c/acme").status, 200);
    let done = ann.post("/c/acme/remove", &[("csrf", &csrf), ("sure", "1")]);

    assert!(ann.get(&done.location).body.contains(" is removed."), "{}", done.location);
    assert_eq!(ann.get("/c/acme").status, 404);
}

#[test]
fn what_makes_a_secret_makes_one_for_a_press_and_what_cannot_be_taken_back_asks_first() {
    let house = house();
    let ann = Caller::first(&house);
    let page = ann.get("/settings").body;
    let (csrf, once) = (hidden(&page, "csrf"), hidden(&page, "once"));
    let form = [("csrf", csrf.as_str()), ("once", once.as_str()), ("name", "shop")];

    assert!(ann.post("/settings/keys", &form).body.contains("bbk_"));
    let again = ann.post("/settings/keys", &form);
    assert!(again.status == 303 && again.location.contains("refused="), "{}", again.location);
    let page = ann.get("/settings").body;
    assert_eq!(page.matches(">shop<").count(), 1, "{page}");

    let key = page.split(">shop<").nth(1).map(|rest| hidden(rest, "id")).unwrap();
    let form = [("csrf", csrf.as_str()), ("id", key.as_str())];
    assert!(ann.post("/settings/revoke", &form).body.contains("id=\"sure\""));
    assert!(!ann.get("/settings").body.contains(">revoked<"));
    let sure = [form.as_slice(), &[("sure", "1")]].concat();
    assert_eq!(ann.post("/settings/revoke", &sure).status, 303);
    assert!(ann.get("/settings").body.contains(">revoked<"));

    let asked = ann.post("/c/acme/rotate-password", &[("csrf", &csrf)]);
    assert!(asked.body.contains("id=\"sure\"") && !asked.body.contains("id=\"secret\""));
    let once = hidden(&asked.body, "once");
    let sure = [("csrf", csrf.as_str()), ("once", &once), ("sure", "1")];
    assert!(ann.post("/c/acme/rotate-password", &sure).body.contains("id=\"secret\""));
    assert_eq!(ann.post("/c/acme/rotate-password", &sure).status, 303, "loaded again");
}

#[test]
fn the_address_of_a_button_leads_to_its_page() {
    let house = house();
    house.push("acme", r#"{"kind":"Customer","sourceId":"a/b","data":{"Name":"A"}}"#);
    let ann = Caller::first(&house);

    for (button, page) in [
        ("/c/acme/rotate-password", "/c/acme?"),
        ("/c/acme/records/bulk?status=failed", "/c/acme/records?status=failed&"),
        ("/c/acme/records/Customer/a%2Fb/act", "/c/acme/records/Customer/a%2Fb?"),
        ("/settings/keys", "/settings?"),
        ("/connections", "/?"),
    ] {
        let answer = ann.get(button);
        assert_eq!(answer.status, 303, "{button}");
        assert!(answer.location.starts_with(page), "{button}: {}", answer.location);
        assert!(ann.get(&answer.location).body.contains("Nothing was done."), "{button}");
    }
}

#[test]
fn a_login_that_ended_comes_back_to_its_page_and_says_what_was_not_done() {
    let house = house();
    let nobody = Caller::nobody(&house);
    let url = nobody.url("/c/acme/records/Customer/1/act");
    let page = nobody.url("/c/acme/records/Customer/1");

    let request = nobody.agent.post(url).header("referer", &page);
    let answer = Answer::of(request.send_form([("do", "retry")]).unwrap());

    assert_eq!(answer.status, 303);
    let login = nobody.get(&answer.location).body;
    assert!(login.contains("was not done"), "{login}");
    assert_eq!(hidden(&login, "next"), "/c/acme/records/Customer/1");
}

#[test]
fn what_is_missing_is_typed_in_on_the_page() {
    let house = house();
    let data = r#"{"kind":"Invoice","sourceId":"1","data":{"InvoiceLine":{"Desc":"x"}}}"#;
    house.push("acme", data);
    let ann = Caller::first(&house);
    let page = ann.get("/c/acme/records/Invoice/1").body;
    assert!(page.contains("name=\"/CustomerRef/FullName\""), "{page}");
    let (csrf, seen) = (hidden(&page, "csrf"), hidden(&page, "seen"));

    let form = [
        ("csrf", csrf.as_str()),
        ("do", "edit"),
        ("seen", seen.as_str()),
        ("/CustomerRef/FullName", "Jones"),
    ];
    ann.post("/c/acme/records/Invoice/1/act", &form);

    let page = ann.get("/c/acme/records/Invoice/1").body;
    assert!(page.contains("queued") && page.contains("value=\"Jones\""), "{page}");
}

#[test]
fn who_is_shut_out_is_out_at_once_and_one_admin_is_always_left() {
    let house = house();
    let ann = Caller::first(&house);
    let page = ann.get("/settings");
    let csrf = page.csrf();
    let form = [("csrf", csrf.as_str()), ("name", "op"), ("role", "admin"), ("password", PASSWORD)];
    ann.post("/settings/users", &form);
    let op = Caller::login(&house, "op", PASSWORD);
    let body = ann.get("/settings").body;
    let ids: Vec<&str> = body
        .split("name=\"id\" value=\"")
        .skip(1)
        .map(|part| part.split('"').next().unwrap())
        .collect();

    let change = |id: &str| {
        ann.post(
            "/settings/user",
            &[("csrf", &csrf), ("id", id), ("role", "admin"), ("disabled", "1")],
        )
    };
    assert!(change(ids[1]).location.contains("said="));
    assert_eq!(op.get("/").status, 303);
    assert!(change(ids[0]).location.contains("refused="));
    assert_eq!(ann.get("/").status, 200);
}

#[test]
fn guessing_passwords_has_to_wait() {
    let house = house();
    drop(Caller::first(&house));
    let nobody = Caller::nobody(&house);
    let guess = |password| nobody.post("/login", &[("name", "ann"), ("password", password)]);

    for _ in 0..5 {
        assert_eq!(guess("wrong wrong wrong").status, 401);
    }

    let told = guess(PASSWORD);
    assert!(told.status == 401 && told.body.contains("Wait five minutes"), "{}", told.body);
}

#[test]
fn a_pairing_link_works_until_it_is_revoked_and_shows_a_password_once() {
    let house = House::open();
    let made = house.run(&["connection", "add", "Acme"]);
    let link = made["pairingUrl"].as_str().unwrap();
    let nobody = Caller::nobody(&house);

    assert!(nobody.get(link).body.contains("Pair Acme with QuickBooks Desktop"));
    let (one, two) = (nobody.get(&format!("{link}/qwc")), nobody.get(&format!("{link}/qwc")));
    assert!(one.body.contains("<QBWCXML>") && one.body == two.body);
    let shown = nobody.post(&format!("{link}/password"), &[]).body;
    let password = shown.split("id=\"secret\">").nth(1).unwrap().split('<').next().unwrap();
    assert!(password.len() >= 22);
    assert!(!nobody.get(link).body.contains(password));
    let polled = house.poll(made["username"].as_str().unwrap(), password, "company", &[]);
    assert!(polled.status.success());

    let ann = Caller::first(&house);
    let csrf = ann.get("/c/acme").csrf();
    ann.post("/c/acme/unpair", &[("csrf", &csrf)]);
    assert_eq!(nobody.get(link).status, 404);
    assert_eq!(nobody.post(&format!("{link}/password"), &[]).status, 404);
}

#[test]
fn a_table_is_exported_and_a_spreadsheet_takes_nothing_in_it_for_a_formula() {
    let house = house();
    house.push("acme", r#"{"kind":"Customer","sourceId":"=1+1","data":{"Name":"@x"}}"#);
    let ann = Caller::first(&house);

    let table = ann.get("/c/acme/records.csv?kind=Customer");

    assert!(table.header("content-type").starts_with("text/csv"));
    assert!(table.body.starts_with("\u{feff}kind,"), "{}", table.body);
    assert!(table.body.contains("Customer,'=1+1,queued,'@x,"), "{}", table.body);
}

#[test]
fn a_table_has_all_that_match_and_comes_piece_by_piece() {
    use std::fmt::Write as _;

    let house = house();
    let mut lines = String::new();
    for id in 0..1_203 {
        let name = if id == 700 { "a:b" } else { "Ann" };
        let data = format!(r#"{{"Name":"{name} {id}"}}"#);
        writeln!(lines, r#"{{"kind":"Customer","sourceId":"{id}","data":{data}}}"#).unwrap();
    }
    house.push("acme", &lines);
    let ann = Caller::first(&house);
    let ids = |query: &str| {
        let table = ann.get(&format!("/c/acme/records.csv?{query}"));
        // Its length is not known when it begins.
        assert_eq!(table.header("content-length"), "");
        let rows = table.body.lines().skip(1).map(|line| line.split(',').nth(1).unwrap());
        let mut ids: Vec<u32> = rows.map(|id| id.parse().unwrap()).collect();
        ids.sort_unstable();
        ids
    };

    assert_eq!(ids(""), (0..1_203).collect::<Vec<_>>());
    assert_eq!(ids("q=a:b"), [700]);
    assert_eq!(ids("status=failed"), [700]);
    assert_eq!(ids("status=synced"), [0; 0]);
}

#[test]
fn a_filter_that_is_not_understood_matches_nothing_and_changes_nothing() {
    let house = house();
    house.push("acme", r#"{"kind":"Customer","sourceId":"1","data":{"Name":"a:b"}}"#);
    let ann = Caller::first(&house);
    let csrf = ann.get("/settings").csrf();

    for wrong in [
        "statuss=failed",
        "sort=up",
        "status=faled",
        "problem=zzz",
        "cause=bogus",
        "kind=Custommer",
    ] {
        let page = ann.get(&format!("/c/acme/records?{wrong}")).body;
        assert!(page.contains("So no record matches."), "{wrong}");
        assert!(!page.contains("/c/acme/records/Customer/1"), "{wrong}");
        let form = [("csrf", csrf.as_str()), ("do", "bypass"), ("sure", "1")];
        assert_eq!(ann.post(&format!("/c/acme/records/bulk?{wrong}"), &form).status, 400);
        assert_eq!(ann.get(&format!("/c/acme/records.csv?{wrong}")).status, 400, "{wrong}");
    }
    assert!(ann.get("/c/acme/records?kind=customer&status=failed").body.contains("Customer/1"));
}

#[test]
fn a_record_opens_from_the_list_whatever_its_id() {
    let house = house();
    let ids = ["a%41b", "a/b", "50%", "%2F", "x+y"];
    for id in ids {
        house.push(
            "acme",
            &format!(r#"{{"kind":"Customer","sourceId":"{id}","data":{{"Name":"{id}"}}}}"#),
        );
    }
    let ann = Caller::first(&house);
    let list = ann.get("/c/acme/records").body;
    let links: Vec<&str> = list.split("tr data-href=\"").skip(1).collect();

    assert_eq!(links.len(), ids.len());
    for (link, id) in links.into_iter().zip(ids.into_iter().rev()) {
        let page = ann.get(link.split('"').next().unwrap());
        assert_eq!(page.status, 200, "{id}");
        assert!(page.body.contains(&format!("› {id}</p>")), "{id}: {}", page.body);
    }
}

#[test]
fn what_fails_again_is_not_told_as_a_success() {
    let house = house();
    house.push("acme", r#"{"kind":"Customer","sourceId":"1","data":{"Name":"a:b"}}"#);
    let ann = Caller::first(&house);
    let csrf = ann.get("/settings").csrf();

    let retried = ann.post("/c/acme/records/Customer/1/act", &[("csrf", &csrf), ("do", "retry")]);

    assert!(retried.location.contains("?refused=It%20is%20failed%20now"), "{}", retried.location);
    let page = ann.get(&retried.location).body;
    assert!(page.contains("<p class=\"flash bad\" role=\"alert\">It is failed now. "), "{page}");
}

#[test]
fn a_search_that_finds_nothing_among_the_newest_leads_on() {
    use std::fmt::Write as _;

    let house = house();
    let line = |id: usize, name: &str| {
        format!(
            r#"{{"kind":"Vendor","sourceId":"{id}","data":{{"Name":"{name}"}},"posted":false}}"#
        )
    };
    house.push("acme", &line(0, "Zephyr"));
    let mut lines = String::new();
    for id in 1..=3100 {
        writeln!(lines, "{}", line(id, &format!("Vendor {id}"))).unwrap();
    }
    house.push("acme", &lines);
    let ann = Caller::first(&house);

    let newest = ann.get("/c/acme/records?q=zephyr").body;

    assert!(newest.contains("No record matches among those looked at so far."), "{newest}");
    let older = newest.split("class=\"button\" href=\"").nth(1).unwrap();
    let older = older.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let older = ann.get(&format!("/c/acme/records{older}")).body;
    assert!(older.contains("Vendor/0"), "{older}");
}

#[test]
fn a_page_is_told_what_changed_before_its_events_began() {
    let house = house();
    let ann = Caller::first(&house);
    let live = || {
        let page = ann.get("/c/acme/records").body;
        page.split("data-live=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let told = |path: &str| {
        let request = ann.agent.get(ann.url(path)).header("cookie", &ann.cookie);
        let mut said = String::new();
        let body = request.call().unwrap().into_body().into_reader();
        BufReader::new(body).read_line(&mut said).unwrap();
        said
    };
    let before = live();
    assert_eq!(told(&before), ": here\n");

    house.push("acme", r#"{"kind":"Customer","sourceId":"1","data":{"Name":"Ann"}}"#);

    assert_eq!(told(&before), "event: change\n");
    assert_eq!(told(&live()), ": here\n");
}

#[test]
fn a_page_that_is_watched_does_not_keep_the_server_from_ending() {
    let house = house();
    let ann = Caller::first(&house);
    let request = ann.agent.get(ann.url("/live")).header("cookie", &ann.cookie);
    let mut events = BufReader::new(request.call().unwrap().into_body().into_reader()).lines();
    assert_eq!(events.next().unwrap().unwrap(), ": here");

    let took = house.stop();

    assert!(took < std::time::Duration::from_secs(3), "{took:?}");
    // It came to its end, and was not cut off.
    assert!(events.all(|line| line.is_ok()));
}

#[test]
fn pairing_ticks_nothing_for_the_web_connector_of_another_connection() {
    let house = house();
    let one = house.run(&["connection", "add", "One"]);
    let two = house.run(&["connection", "add", "Two"]);
    let text = |made: &serde_json::Value, member: &str| made[member].as_str().unwrap().to_owned();
    let ann = Caller::first(&house);
    let page = |made| {
        let url = text(made, "pairingUrl");
        ann.get(&url[url.find("/pair/").unwrap()..]).body
    };
    assert!(page(&two).contains("0 of 6 steps done"));

    let polled = house.poll(&text(&one, "username"), &text(&one, "password"), "company", &[]);

    assert!(polled.status.success());
    assert!(!page(&one).contains("0 of 6 steps done"), "{}", page(&one));
    assert!(page(&two).contains("0 of 6 steps done"), "{}", page(&two));
}

#[test]
fn what_changed_while_a_person_was_asked_is_not_done() {
    let house = house();
    house.push("acme", r#"{"kind":"Customer","sourceId":"1","data":{"Name":"Ann"}}"#);
    let ann = Caller::first(&house);
    let (page, act) = ("/c/acme/records/Customer/1", "/c/acme/records/Customer/1/act");
    let csrf = ann.get(page).csrf();
    let link = [("csrf", csrf.as_str()), ("do", "link"), ("object", "80-1")];
    assert!(ann.post(act, &link).location.contains("said="));
    let reset = [("csrf", csrf.as_str()), ("do", "reset-reference")];
    let asked = ann.post(act, &reset).body;
    let revision = asked.split("name=\"revision\" value=\"").nth(1).unwrap();
    let revision = revision.split('"').next().unwrap();
    let sure = [&reset[..], &[("sure", "1"), ("revision", revision)]].concat();

    house.push("acme", r#"{"kind":"Customer","sourceId":"1","data":{"Name":"Ann","Phone":"2"}}"#);

    assert!(ann.post(act, &sure).location.contains("refused=It%20changed"));
    assert!(ann.get(page).body.contains("80-1"));
}

#[test]
fn an_edit_of_older_data_does_not_win_over_newer_data() {
    let house = house();
    let push = |phone: &str| {
        let data = format!(r#"{{"Name":"a:b","Phone":"{phone}"}}"#);
        house.push("acme", &format!(r#"{{"kind":"Customer","sourceId":"1","data":{data}}}"#));
    };
    push("1");
    let ann = Caller::first(&house);
    let page = "/c/acme/records/Customer/1";
    let save = |form: &Answer, phone: &str| {
        let seen = form.body.split("name=\"seen\" value=\"").nth(1).unwrap();
        let seen = seen.split('"').next().unwrap();
        let csrf = form.csrf();
        let form = [
            ("csrf", csrf.as_str()),
            ("do", "edit"),
            ("seen", seen),
            ("/Name", "a:b"),
            ("/Phone", phone),
        ];
        ann.post(&format!("{page}/act"), &form)
    };
    let old = ann.get(page);
    push("2");

    let refused = save(&old, "1");

    assert!(refused.location.contains("refused=It%20changed"), "{}", refused.location);
    let new = ann.get(&refused.location);
    assert!(new.body.contains("name=\"/Phone\" type=\"text\" value=\"2\""), "{}", new.body);
    save(&new, "3");
    assert!(ann.get(page).body.contains("value=\"3\""));
}

#[test]
fn what_nobody_changed_keeps_its_line_breaks() {
    let house = house();
    let data = r#"{"Name":"a:b","Notes":"one\ntwo <b>","Phone":"1","Email":"x\r\ny"}"#;
    house.push("acme", &format!(r#"{{"kind":"Customer","sourceId":"1","data":{data}}}"#));
    let ann = Caller::first(&house);
    let page = "/c/acme/records/Customer/1";
    let shown = ann.get(page).body;
    let (csrf, seen) = (hidden(&shown, "csrf"), hidden(&shown, "seen"));

    assert!(shown.contains(">\none\ntwo &#60;b&#62;</textarea>"), "{shown}");
    assert!(shown.contains("name=\"/Name\" type=\"text\""), "{shown}");
    // As browsers send it.
    let form = [
        ("csrf", csrf.as_str()),
        ("do", "edit"),
        ("seen", seen.as_str()),
        ("/Name", "a:b"),
        ("/Notes", "one\r\ntwo <b>"),
        ("/Phone", "2"),
        ("/Email", "x\r\ny"),
    ];
    ann.post(&format!("{page}/act"), &form);

    let shown = ann.get(page).body;
    assert_eq!(shown.matches("Your application says").count(), 1, "{shown}");
    assert!(shown.contains("Your application says “1”"), "{shown}");
}

#[test]
fn what_waits_for_the_next_session_is_said_on_the_page() {
    let house = House::open();
    let made = house.run(&["connection", "add", "Acme"]);
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    house.push("acme", r#"{"kind":"Customer","sourceId":"1","data":{"Name":"Ann"}}"#);
    house.poll(&text("username"), &text("password"), "company", &[]);
    house.push("acme", r#"{"kind":"Customer","sourceId":"2","data":{"Name":"Bob"}}"#);
    let ann = Caller::first(&house);
    let (one, two) = ("/c/acme/records/Customer/1", "/c/acme/records/Customer/2");
    let csrf = ann.get(one).csrf();
    let form = [("csrf", csrf.as_str()), ("do", "undo")];
    let asked = ann.post(&format!("{one}/act"), &form).body;
    let revision = hidden(&asked, "revision");
    let sure = [&form[..], &[("sure", "1"), ("revision", &revision)]].concat();

    ann.post(&format!("{one}/act"), &sure);
    let link = [("csrf", csrf.as_str()), ("do", "link"), ("object", "80-1")];
    let linked = ann.post(&format!("{two}/act"), &link);

    let page = ann.get(one).body;
    assert!(page.contains("it is then taken out"), "{page}");
    assert!(!page.contains("id=\"do-undo\""), "{page}");
    assert!(linked.location.contains("said=Linked"), "{}", linked.location);
    let page = ann.get(two).body;
    assert!(page.contains("Linked; QuickBooks is asked at the next session"), "{page}");
    assert!(page.contains("<dt>Confirmed by QuickBooks</dt><dd>–</dd>"), "{page}");
    house.poll(&text("username"), &text("password"), "company", &[]);
    let (page, two) = (ann.get(one).body, ann.get(two).body);
    assert!(page.contains("↩ withdrawn"), "{page}");
    assert!(!two.contains("Linked; QuickBooks is asked"), "{two}");
}

#[test]
fn every_finding_shows_what_helps_and_a_viewer_reads_it() {
    let house = house();
    let name = "a".repeat(50);
    let data = format!(r#"{{"Fone":"1","Name":"{name}","BillAddress":{{"City":"{name}"}}}}"#);
    house.push("acme", &format!(r#"{{"kind":"Customer","sourceId":"1","data":{data}}}"#));
    let ann = Caller::first(&house);
    let csrf = ann.get("/settings").csrf();
    let form =
        [("csrf", csrf.as_str()), ("name", "vi"), ("role", "viewer"), ("password", PASSWORD)];
    ann.post("/settings/users", &form);
    let vi = Caller::login(&house, "vi", PASSWORD);
    let page = "/c/acme/records/Customer/1";

    let (mine, theirs) = (ann.get(page).body, vi.get(page).body);

    assert_eq!(mine.matches("id=\"shorten\"").count(), 1, "{mine}");
    assert_eq!(mine.matches("id=\"bypass\"").count(), 1, "{mine}");
    assert!(theirs.matches("<b>What helps</b>").count() >= 1, "{theirs}");
    assert!(!theirs.contains("fix:shorten"), "{theirs}");
}

#[test]
fn a_record_that_nobody_pushed_is_named_without_a_link() {
    let house = house();
    let data = r#"{"Name":"A"},"dependsOn":["Account/nope"]"#;
    house.push("acme", &format!(r#"{{"kind":"Customer","sourceId":"1","data":{data}}}"#));
    let ann = Caller::first(&house);

    let page = ann.get("/c/acme/records/Customer/1").body;

    assert!(page.contains("<li>Account/nope <span"), "{page}");
    assert!(!page.contains("/records/Account/nope"), "{page}");
}

#[test]
fn a_field_that_quickbooks_does_not_have_is_left_out_once_it_is_emptied() {
    let house = house();
    let data = r#"{"Name":"A","Fone":"1","Foo":{"Bar":"x"}}"#;
    house.push("acme", &format!(r#"{{"kind":"Customer","sourceId":"1","data":{data}}}"#));
    let ann = Caller::first(&house);
    let page = "/c/acme/records/Customer/1";
    let save = |foo: &str| {
        let shown = ann.get(page).body;
        let (csrf, seen) = (hidden(&shown, "csrf"), hidden(&shown, "seen"));
        let form = [
            ("csrf", csrf.as_str()),
            ("do", "edit"),
            ("seen", seen.as_str()),
            ("/Name", "A"),
            ("/Fone", ""),
            ("/Foo/Bar", foo),
        ];
        ann.post(&format!("{page}/act"), &form);
        ann.get(page).body
    };

    let (half, whole) = (save("x"), save(""));

    assert!(half.contains("✗ failed") && !half.contains("Fone is not known"), "{half}");
    let was = "Your application says “1”; you or another person changed it here.";
    assert!(half.contains(was), "{half}");
    assert!(whole.contains("○ queued"), "{whole}");
}

#[test]
fn a_company_file_that_is_asked_for_is_said_and_what_that_stops() {
    let house = house();
    let ann = Caller::first(&house);
    let csrf = ann.get("/c/acme").csrf();
    let save = |file: &str| {
        let form = [
            ("csrf", csrf.as_str()),
            ("name", "Acme"),
            ("everyMinutes", "5"),
            ("companyFile", file),
        ];
        ann.post("/c/acme/settings", &form).location
    };

    assert!(save("D:\\A.QBW").contains("refused%20from%20now%20on"));
    assert!(!save("d:/a.qbw").contains("refused"));
    assert!(ann.get("/c/acme").body.contains("–<br>Asked for: d:/a.qbw"));
    assert!(!save("").contains("refused"));
    assert!(!ann.get("/c/acme").body.contains("Asked for"));
}

#[test]
fn a_search_says_where_it_looked_and_a_link_alone_counts_nothing() {
    let house = house();
    house.push("acme", r#"{"kind":"Invoice","sourceId":"1","data":{"InvoiceLine":{"Desc":"x"}}}"#);
    let ann = Caller::first(&house);

    let mapping = ann.get("/c/acme/mapping?kind=StandardTerms&there=net").body;
    let problems = ann.get("/c/acme/problems").body;

    assert!(mapping.contains("under StandardTerms has “net” in it"), "{mapping}");
    assert!(problems.contains("class=\"button main\""), "{problems}");
    assert!(!problems.contains("It is counted first"), "{problems}");
    house.push("acme", r#"{"kind":"Customer","sourceId":"2","data":{"Name":"a:b"}}"#);
    assert!(ann.get("/c/acme/problems").body.contains("It is counted first"));
}

#[test]
fn after_a_question_a_new_sentence_begins() {
    let house = House::open();
    let made = house.run(&["connection", "add", "Acme"]);
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    house.poll(&text("username"), &text("password"), "company", &[]);
    let failed = |id: &str, data: &str| {
        house.push("acme", &format!(r#"{{"kind":"Customer","sourceId":"{id}","data":{data}}}"#));
    };
    failed("1", r#"{"Name":"A","Phonee":"1"}"#);
    let ann = Caller::first(&house);
    assert!(ann.get("/c/acme").body.contains("did you mean Phone?</p>"));

    failed("2", r#"{"Name":"a:b"}"#);
    house.push("acme", r#"{"kind":"Customer","sourceId":"3","data":{"Name":"C"},"posted":false}"#);

    let page = ann.get("/c/acme").body;
    assert!(!page.contains("?;") && !page.contains("?."), "{page}");
}

#[test]
fn a_tool_answers_where_it_is_looked_for_and_keeps_the_connection() {
    let house = house();
    house.run(&["connection", "add", "Beta"]);
    let ann = Caller::first(&house);
    let page = ann.get("/tools");
    let csrf = page.csrf();

    let form = [
        ("csrf", csrf.as_str()),
        ("tool", "check"),
        ("connection", "beta"),
        ("kind", "Customer"),
        ("data", "{}"),
    ];
    let checked = ann.post("/tools", &form).body;

    assert!(page.body.contains("<option value=\"\">choose one</option>"), "{}", page.body);
    assert!(page.body.contains("action=\"/tools#said-check\""), "{}", page.body);
    assert!(checked.contains("<div id=\"said-check\" tabindex=\"-1\">"), "{checked}");
    assert!(checked.contains("<option selected>beta</option>"), "{checked}");
}

#[test]
fn a_log_of_more_than_a_megabyte_is_read_and_one_too_long_is_said_to_be() {
    let house = house();
    let ann = Caller::first(&house);
    let csrf = ann.get("/tools").csrf();
    let line = "20261124.08:33:06 UTC\t: Authentication succeeded\n";
    let read = |lines: usize| {
        let log = line.repeat(lines);
        ann.post("/tools", &[("csrf", &csrf), ("tool", "log"), ("log", &log)])
    };

    let (long, longer) = (read(30_000), read(200_000));

    assert_eq!(long.status, 200, "{}", long.body);
    assert!(long.body.contains("Nothing in it went wrong."));
    assert_eq!(longer.status, 413);
    assert!(longer.body.contains("too long to be read"), "{}", longer.body);
}

#[test]
fn a_log_of_a_broken_session_is_told_as_one() {
    let house = house();
    let ann = Caller::first(&house);
    let csrf = ann.get("/tools").csrf();
    let read = |log: &str| {
        let body = ann.post("/tools", &[("csrf", &csrf), ("tool", "log"), ("log", log)]).body;
        body.split("id=\"said-log\"").nth(1).unwrap().to_owned()
    };

    let broken = read(
        "20261124.08:33:06 UTC\t: Authentication succeeded\n\
         20261124.08:33:07 UTC\t: QBWC1041: SendRequestXML failed: the operation timed out\n\
         20261124.08:33:08 UTC\t: Update completed with errors\n",
    );

    assert!(!broken.contains("Nothing in it went wrong"), "{broken}");
    assert!(broken.contains("<td>QBWC1041: SendRequestXML failed"), "{broken}");
    assert_eq!(broken.matches("class=\"pill bad\"").count(), 2, "{broken}");
    assert!(!read("QBWC1030: No password").contains("does not look like"));
}

#[test]
fn mapping_goes_on_until_something_is_found() {
    use std::fmt::Write as _;

    let house = house();
    let mut lines = String::new();
    for id in 0..520 {
        let data = format!(r#"{{"Name":"Vendor {id}"}}"#);
        let posted = r#""posted":false"#;
        writeln!(lines, r#"{{"kind":"Vendor","sourceId":"{id}","data":{data},{posted}}}"#).unwrap();
    }
    house.push("acme", &lines);
    let ann = Caller::first(&house);
    let csrf = ann.get("/settings").csrf();
    let linked = ann.post(
        "/c/acme/records/Vendor/0/act",
        &[("csrf", &csrf), ("do", "link"), ("object", "80000001-1234567890")],
    );
    assert!(linked.location.contains("said="), "{}", linked.location);

    let shown = ann.get("/c/acme/mapping?kind=Vendor&show=linked").body;
    assert!(shown.contains("/c/acme/records/Vendor/0\""), "{shown}");
    // From there it is put elsewhere, or made anew once it was said what that means.
    assert!(shown.contains("action=\"/c/acme/records/Vendor/0/act\""), "{shown}");
    assert!(shown.contains("form=\"at-1\" name=\"do\" value=\"reset-reference\""), "{shown}");
    let relink = [("csrf", csrf.as_str()), ("do", "link"), ("object", "80000002-1234567890")];
    assert!(ann.post("/c/acme/records/Vendor/0/act", &relink).location.contains("said="));
    let reset = [("csrf", csrf.as_str()), ("do", "reset-reference"), ("object", "")];
    let asks = ann.post("/c/acme/records/Vendor/0/act", &reset).body;
    assert!(asks.contains("id=\"sure\""), "{asks}");
    ann.post(
        "/settings/users",
        &[("csrf", &csrf), ("name", "vi"), ("role", "viewer"), ("password", PASSWORD)],
    );
    let vi = Caller::login(&house, "vi", PASSWORD);
    assert!(vi.get("/c/acme/mapping?kind=Vendor&show=all").body.contains("Older records"));
    let nothing = ann.post("/c/acme/mapping?kind=Vendor", &[("csrf", &csrf)]);
    assert!(nothing.location.contains("refused="), "{}", nothing.location);
}

#[test]
fn an_address_that_nobody_has_is_told_as_a_page() {
    let house = house();
    let ann = Caller::first(&house);
    for path in ["/nowhere", "/c/none", "/c/acme/nothing", "/tools/x"] {
        let answer = ann.get_with(path, "accept", "text/html,*/*;q=0.8");
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert!(answer.body.contains("aria-label=\"Main\""), "{path}: no way on");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
    // Programs read JSON, and are told in it.
    for path in ["/docs/nope", "/docs/errors/%3Cb%3E"] {
        let answer = ann.get_with(path, "accept", "text/html,*/*;q=0.8");
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("<a href=\"/docs/errors\">what can go wrong"), "{path}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(!answer.body.contains("<b>"), "{path}: {}", answer.body);
    }
    for path in ["/nowhere", "/v1/nothing", "/docs/nope", "/docs/errors/NOPE"] {
        let answer = ann.get_with(path, "accept", "application/json");
        assert!(answer.header("content-type").contains("json"), "{path}: {}", answer.body);
    }
    let answer = ann.get_with("/c/acme/records/?status=failed", "accept", "text/html");
    assert_eq!((answer.status, answer.location.as_str()), (303, "/c/acme/records?status=failed"));
    let elsewhere = ann.get_with("//evil.example/", "accept", "text/html");
    assert!(!elsewhere.location.starts_with("//"), "{}", elsewhere.location);
}

#[test]
fn what_was_typed_stays_where_it_is_refused() {
    let house = house();
    let ann = Caller::first(&house);
    let csrf = ann.get("/").csrf();
    let csrf = ("csrf", csrf.as_str());

    let form = [csrf, ("name", "Zeta Ltd"), ("companyFile", "zeta.qbw")];
    let page = ann.get(&ann.post("/connections", &form).location).body;
    assert!(page.contains("value=\"Zeta Ltd\"") && page.contains("value=\"zeta.qbw\""), "{page}");
    assert!(page.contains("full path"), "{page}");

    let form = [csrf, ("name", ""), ("companyFile", ""), ("everyMinutes", "77")];
    let page = ann.get(&ann.post("/c/acme/settings", &form).location).body;
    assert!(page.contains("The name has 1 to 100 characters"), "{page}");
    assert!(page.contains("value=\"77\""), "{page}");
    let form = [csrf, ("name", "Acme"), ("everyMinutes", "soon")];
    let page = ann.get(&ann.post("/c/acme/settings", &form).location).body;
    assert!(page.contains("whole number of minutes"), "{page}");

    let form = [csrf, ("name", "bob"), ("role", "operator"), ("password", "short")];
    let page = ann.get(&ann.post("/settings/users", &form).location).body;
    assert!(
        page.contains("value=\"bob\"") && page.contains("value=\"operator\" selected"),
        "{page}"
    );
    assert!(!page.contains("short\""), "a password came back");
    // A link from elsewhere fills no form.
    assert!(!ann.get("/?name=Mallory&companyFile=x").body.contains("Mallory"));
}

#[test]
fn a_file_that_the_web_connector_would_refuse_is_said_to_be_on_the_connections_page() {
    let house = house();
    let ann = Caller::first(&house);

    assert!(!ann.get("/c/acme").body.contains("would refuse it"));
    let answer = ann.get_with("/c/acme", "host", "mybox:9153").body;
    assert!(answer.contains("would refuse it") && answer.contains("QBWC1010"), "{answer}");
}

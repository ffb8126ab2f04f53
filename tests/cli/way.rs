//! The way to a server: past proxies, by its certificate, not where it redirects to.

use std::path::Path;

use super::house::House;
use super::house::ended;
use super::stand_in::StandIn;

/// Every variable that names a proxy.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

#[test]
fn what_is_on_this_machine_is_called_without_a_proxy() {
    let proxy = StandIn::new(|_, _| Some(("502 Bad Gateway", String::new(), String::new())));
    let house = House::new();
    let server = house.serve(&[]);
    let with_proxy = |arguments: &[&str]| {
        let mut command = house.command(arguments);
        ended(command.envs(PROXIES.map(|name| (name, &proxy.url))))
    };

    with_proxy(&["connection", "add", "Acme"]).with(0);
    with_proxy(&["connection", "list", "--server", &server.url]).with(0);
    let url = format!("{}/qbwc", server.url);
    let simulate = ["simulate", "--url", &url, "--user", "u", "--password", "p", "--once"];
    let simulated = with_proxy(&simulate).with(1);
    let elsewhere =
        with_proxy(&["connection", "list", "--server", "http://books.example.com"]).with(1);

    assert!(simulated.stdout.contains("the name or password is wrong"), "{}", simulated.stdout);
    assert!(elsewhere.stderr.contains("CONNECT proxy failed"), "{}", elsewhere.stderr);
    let asked = proxy.asked();
    assert!(asked.iter().all(|head| head.contains("books.example.com")), "{asked:?}");
}

#[test]
fn the_demo_uses_no_proxy() {
    let proxy = StandIn::new(|_, _| Some(("502 Bad Gateway", String::new(), String::new())));
    let house = House::new();
    let mut demo = house.command(&["demo", "--exit", "--listen", "127.0.0.1:0"]);

    ended(demo.envs(PROXIES.map(|name| (name, &proxy.url)))).with(0);

    assert_eq!(proxy.asked(), Vec::<String>::new());
}

#[test]
fn a_redirect_is_not_followed_but_named() {
    let target = StandIn::new(|_, _| Some(("200 OK", String::new(), "{}".to_owned())));
    let location = format!("Location: {}/v1/connections\r\n", target.url);
    let server =
        StandIn::new(move |_, _| Some(("301 Moved Permanently", location.clone(), String::new())));
    let house = House::new();

    let ended = house.run(&["connection", "add", "Acme", "--server", &server.url]).with(1);

    let fix = format!("→ use that address: --server {}\n", target.url);
    assert!(ended.stderr.contains(&fix), "{}", ended.stderr);
    assert_eq!(target.asked(), Vec::<String>::new());
}

/// An authority of one's own, and a certificate of localhost that it signed.
fn certificates(directory: &Path) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = authority.self_signed(&key).unwrap();
    let issuer = rcgen::Issuer::new(authority, key);
    let own = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let chain = params.signed_by(&own, &issuer).unwrap();
    for (name, text) in
        [("ca.pem", ca.pem()), ("chain.pem", chain.pem()), ("key.pem", own.serialize_pem())]
    {
        std::fs::write(directory.join(name), text).unwrap();
    }
}

#[test]
fn a_certificate_of_ones_own_is_trusted_when_it_is_named() {
    let house = House::new();
    certificates(house.path());
    let server = house.serve(&["--tls-cert", "chain.pem", "--tls-key", "key.pem"]);
    let by_name = server.url.replace("127.0.0.1", "localhost");
    let simulate = |more: &[&str]| {
        let url = format!("{by_name}/qbwc");
        let all = ["simulate", "--url", &url, "--user", "u", "--password", "p", "--once"];
        house.run(&[&all, more].concat()).with(1).stdout
    };

    let own = house.run(&["connection", "list", "--server", &server.url]);
    let unknown = house.run(&["connection", "list", "--server", &by_name]).with(1);
    let named = house.run(&["connection", "list", "--server", &by_name, "--ca-file", "ca.pem"]);
    let mut variable = house.command(&["connection", "list", "--server", &by_name]);
    let variable = ended(variable.env("BOOKBRIDGE_CA_FILE", "ca.pem"));
    let wrong = house.run(&["connection", "list", "--ca-file", "key.pem"]).with(2);
    let (untrusted, trusted) = (simulate(&[]), simulate(&["--ca-file", "ca.pem"]));
    let doctor = ["doctor", "--server", &by_name, "--ca-file", "ca.pem"];
    let doctor = house.run(&doctor).with(0).stdout;

    own.with(0);
    assert!(unknown.stderr.contains("its certificate is not trusted"), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("--ca-file"), "{}", unknown.stderr);
    named.with(0);
    variable.with(0);
    assert!(wrong.stderr.contains("there is no certificate in it"), "{}", wrong.stderr);
    assert!(untrusted.contains("a trust relationship"), "{untrusted}");
    assert!(trusted.contains("the name or password is wrong"), "{trusted}");
    assert!(doctor.contains("✓ certificate: trusted"), "{doctor}");
}

#[test]
fn a_certificate_that_signed_itself_is_trusted_unless_it_is_an_authoritys() {
    for (is_ca, exit, part) in [
        (rcgen::IsCa::ExplicitNoCa, 0, ""),
        (rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained), 1, "basicConstraints=CA:FALSE"),
    ] {
        let house = House::new();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = is_ca;
        house.write("own.pem", &params.self_signed(&key).unwrap().pem());
        house.write("key.pem", &key.serialize_pem());
        let server = house.serve(&["--tls-cert", "own.pem", "--tls-key", "key.pem"]);
        let url = server.url.replace("127.0.0.1", "localhost");
        let named = ["--server", &url, "--ca-file", "own.pem"];

        let listed = house.run(&[&["connection", "list"], &named[..]].concat()).with(exit);
        let doctor = house.run(&[&["doctor"], &named[..]].concat()).with(exit);

        assert!(listed.stderr.contains(part), "{}", listed.stderr);
        assert!(doctor.stdout.contains(part), "{}", doctor.stdout);
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStrExt as _;
    let house = House::new();
    let key = std::ffi::OsStr::from_bytes(b"bbk_\xff");

    let ended = ended(house.command(&["records", "acme"]).env("BOOKBRIDGE_API_KEY", key)).with(2);

    assert!(ended.stderr.contains("BOOKBRIDGE_API_KEY is no UTF-8"), "{}", ended.stderr);
}

#[test]
fn the_doctor_calls_the_address_that_the_web_connector_calls() {
    let house = House::new();
    let server = house.serve(&[]);
    let elsewhere = StandIn::new(|_, _| {
        let type_ = "Content-Type: text/html\r\n".to_owned();
        Some(("200 OK", type_, "<html>Please log in</html>".to_owned()))
    });
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let doctor = |address: &str| {
        ended(house.command(&["doctor"]).env("BOOKBRIDGE_PUBLIC_URL", address)).stdout
    };

    let own = doctor(&server.url);
    assert!(own.contains(&format!("✓ endpoint: GET {}/qbwc answers 200", server.url)), "{own}");
    assert!(own.contains(&format!("✓ WSDL: it names {}/qbwc", server.url)), "{own}");
    let gone = doctor(&nobody);
    assert!(gone.contains("✗ endpoint: ") && gone.contains("the server itself answers"), "{gone}");
    let other = doctor(&elsewhere.url);
    assert!(other.contains("answers with somebody else's page"), "{other}");
}

#[test]
fn the_doctor_asks_the_public_address_also_where_no_server_is_here() {
    let there = House::new();
    let server = there.serve(&[]);
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let here = House::new();
    let doctor = |address: &str| {
        ended(here.command(&["doctor"]).env("BOOKBRIDGE_PUBLIC_URL", address)).with(1).stdout
    };

    let answers = doctor(&server.url);
    let silent = doctor(&nobody);

    let line = |text: &str, check: &str| {
        let after = text.split(&format!(" {check}: ")).nth(1).unwrap().to_owned();
        after.lines().take(2).collect::<Vec<_>>().join("\n")
    };
    assert!(answers.contains(&format!("✓ endpoint: GET {}/qbwc answers 200", server.url)));
    let fix = "→ a server answers at the public address";
    assert!(line(&answers, "server").contains(fix), "{answers}");
    assert!(line(&silent, "server").contains("→ start it"), "{silent}");
    assert!(line(&silent, "endpoint").contains("→ start the server or the proxy"), "{silent}");
}

#[test]
fn the_doctor_is_not_deceived_by_pages_of_somebody_else() {
    let server = StandIn::new(|_, _| {
        let type_ = "Content-Type: text/html\r\n".to_owned();
        Some(("200 OK", type_, "<html>Please log in</html>".to_owned()))
    });

    let ended = House::new().run(&["doctor", "--server", &server.url]).with(1);

    assert!(ended.stdout.contains("✗ server: "), "{}", ended.stdout);
    assert!(ended.stdout.contains("but not as Bookbridge does"), "{}", ended.stdout);
}

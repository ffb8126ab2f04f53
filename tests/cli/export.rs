//! Everything out, and into another store.

use super::house::House;
use super::stand_in::StandIn;

#[test]
fn an_export_comes_through_the_server_or_from_the_store_and_goes_into_another() {
    let house = House::new();
    let server = house.serve(&[]);
    house.run(&["connection", "add", "Acme"]).with(0);
    let record = r#"{"kind":"Customer","sourceId":"C-1","data":{"Name":"Ann"}}"#;
    house.run_with(&["push", "acme", "-"], record).with(0);

    let live = house.run(&["export", "live.ndjson", "--json"]).with(0).json();
    let taken = house.run(&["export", "live.ndjson"]).with(1);
    let locked = house.run(&["import", "live.ndjson"]).with(1);
    drop(server);
    let still = house.run(&["export", "still.ndjson", "--json"]).with(0).json();
    house.run(&["store", "check"]).with(0);
    house.run(&["import", "live.ndjson", "--data-dir", "other"]).with(0);
    let _other = house.serve(&["--data-dir", "other"]);
    let shown = house.run(&["record", "show", "acme", "Customer/C-1", "--data-dir", "other"]);

    assert_eq!(live["lines"], still["lines"]);
    assert!(taken.stderr.contains("is there already"), "{}", taken.stderr);
    assert!(locked.stderr.contains("cannot open the store"), "{}", locked.stderr);
    assert!(shown.with(0).stdout.contains("is queued"));
}

#[test]
fn a_page_of_somebody_else_is_no_export() {
    let server = StandIn::new(|_, _| {
        Some(("200 OK", String::new(), "<html>Please log in</html>\n".to_owned()))
    });
    let house = House::new();

    let ended = house.run(&["export", "books.ndjson", "--server", &server.url]).with(1);

    assert!(ended.stderr.contains("is no whole export: line 1: "), "{}", ended.stderr);
    assert!(!house.path().join("books.ndjson").exists());
}

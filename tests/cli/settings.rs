//! Settings as the program takes them.

use super::house::House;
use super::house::ended;

#[test]
fn an_unknown_setting_is_an_error_that_names_it() {
    let house = House::new();
    house.write("bookbridge.toml", "data_dir = \"x\"\n");

    let serve = house.run(&["serve"]).with(2);

    assert!(serve.stderr.contains("unknown setting data_dir"), "{}", serve.stderr);
    assert!(serve.stderr.contains("did you mean data-dir?"), "{}", serve.stderr);
}

#[test]
fn an_unknown_variable_is_an_error_that_names_it() {
    let house = House::new();

    let serve = ended(house.command(&["serve"]).env("BOOKBRIDGE_DATADIR", "x")).with(2);

    assert!(serve.stderr.contains("BOOKBRIDGE_DATADIR"), "{}", serve.stderr);
    assert!(serve.stderr.contains("did you mean BOOKBRIDGE_DATA_DIR?"), "{}", serve.stderr);
}

#[test]
fn a_bad_value_names_the_setting_and_where_it_came_from() {
    let house = House::new();
    house.write("other.toml", "message-set-size = 0\n");

    let flag = house.run(&["serve", "--listen", "nowhere"]).with(2);
    let variable = ended(house.command(&["serve"]).env("BOOKBRIDGE_LOG_LEVEL", "loud")).with(2);
    let file = house.run(&["serve", "--config", "other.toml"]).with(2);
    let none = house.run(&["serve", "--config", "none.toml"]).with(2);

    assert!(flag.stderr.contains("setting listen (--listen)"), "{}", flag.stderr);
    assert!(variable.stderr.contains("(BOOKBRIDGE_LOG_LEVEL)"), "{}", variable.stderr);
    assert!(file.stderr.contains("message-set-size (other.toml)"), "{}", file.stderr);
    assert!(none.stderr.contains("none.toml"), "{}", none.stderr);
}

#[test]
fn another_kind_of_store_is_a_wrong_setting_and_its_password_is_not_shown() {
    for store in ["postgres://u:SESAME@localhost/books", "mysql://SESAME", "SESAME"] {
        let serve = House::new().run(&["serve", "--store", store]).with(2);

        assert!(serve.stderr.contains("setting store (--store): "), "{}", serve.stderr);
        assert!(serve.stderr.contains("sled:PATH"), "{}", serve.stderr);
        assert!(!serve.stderr.contains("SESAME"), "{}", serve.stderr);
    }
    for command in ["serve", "export", "import"] {
        let help = House::new().run(&[command, "--help"]).with(0).stdout;
        assert!(!help.contains("postgres"), "{help}");
    }
}

#[test]
fn an_empty_value_is_shown_as_such() {
    let house = House::new();

    let listen = ended(house.command(&["serve"]).env("BOOKBRIDGE_LISTEN", "")).with(2);

    assert!(listen.stderr.contains("(BOOKBRIDGE_LISTEN): \"\" is no address"), "{}", listen.stderr);
}

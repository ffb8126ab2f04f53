//! Help, completions, wrong arguments.

use super::house::House;

#[test]
fn help_lists_every_command_with_examples() {
    let help = House::new().run(&["--help"]).with(0).stdout;

    for command in [
        "demo",
        "serve",
        "connection",
        "push",
        "check",
        "records",
        "record",
        "request",
        "problems",
        "explain",
        "simulate",
        "doctor",
        "export",
        "import",
        "store",
        "key",
        "completions",
        "openapi",
    ] {
        assert!(help.contains(&format!("\n  {command}")), "{command} is not in:\n{help}");
    }
    assert!(help.contains("Examples:"));
    let simulate = House::new().run(&["simulate", "--help"]).with(0).stdout;
    assert!(simulate.contains("--fault"), "{simulate}");
}

#[test]
fn wrong_usage_is_exit_code_2_and_names_the_place() {
    for (arguments, place) in [
        (&["nonsense"][..], "nonsense"),
        (&["serve", "--nonsense"], "--nonsense"),
        (&["push", "acme"], "<FILE>"),
        (&["record", "show", "acme", "Customer"], "KIND/ID"),
        (&["record", "link", "acme", "Customer/1"], "--list-id"),
        (&["key", "create", "--scope", "all"], "--scope"),
        (&["simulate", "--user", "u", "--password", "p"], "--url"),
        (&["records", "acme", "--server", "nowhere"], "--server"),
        (&["records", "acme", "--status", "nonsense"], "in_doubt"),
        (&["connection", "add", "Acme", "--every", "0"], "--every"),
        (&["export", "-"], "name a file"),
        (&["demo", "--server", "http://127.0.0.1:8170"], "calls no other server"),
        (&["completions", "cmd"], "cmd"),
    ] {
        let ended = House::new().run(arguments).with(2);

        assert!(ended.stderr.contains(place), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stdout.is_empty());
    }
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = House::new().run(&["completions", shell]).with(0).stdout;

        assert!(script.contains("rotate-password"), "{shell}");
    }
}

#[test]
fn without_a_server_a_command_says_how_to_start_one() {
    let ended = House::new().run(&["records", "acme", "--server", "http://127.0.0.1:9"]).with(1);

    assert!(ended.stderr.contains("no server answers at http://127.0.0.1:9"), "{}", ended.stderr);
    assert!(ended.stderr.contains("bookbridge serve"));
}

//! The rules of the house, held by reading the tree.
//!
//! Each test is one rule; a failure names the file, the line and the document where the rule and its
//! reason stand. It knows text alone: it is no compiler, and a line that fools it is written otherwise.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Modules from the ground up. A module uses those of the lines above it and those before it in its
/// own line; where the line says so, not even these.
const FLOORS: [(&[&str], Neighbours); 5] = [
    (&["domain", "qbxml", "diagnosis", "qwc"], Neighbours::Earlier),
    (&["store"], Neighbours::Earlier),
    (&["engine"], Neighbours::Earlier),
    (&["soap", "api", "dashboard", "simulator"], Neighbours::None),
    (&["telemetry", "config", "server", "cli"], Neighbours::Earlier),
];

/// A module that uses no other: an oracle that shared code with the product would share its mistakes.
const ALONE: &str = "simulator";

/// Lines a file has at most, its test module left out.
const LONGEST: usize = 500;

/// Which modules of its own floor a module may use.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Neighbours {
    /// Those that stand before it.
    Earlier,
    /// No other.
    None,
}

/// A file of the tree, with its path from the root.
struct Text {
    path: String,
    text: String,
}

impl Text {
    /// Its lines, numbered from 1, up to the test module, which stands last.
    fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().take_while(|(_, line)| *line != "#[cfg(test)]")
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The module of the crate that it belongs to: `src/store/mod.rs` and `src/store.rs` are `store`.
    fn module(&self) -> &str {
        let below = self.path.strip_prefix("src/").expect("it is called for sources alone");
        let first = below.split('/').next().unwrap_or(below);
        first.strip_suffix(".rs").unwrap_or(first)
    }

    fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that people write, with one of these endings, in order of path.
fn files(endings: &[&str]) -> Vec<Text> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap();
            let is_made = matches!(&*name, "target" | ".git" | "bookbridge-data" | "__pycache__");
            if entry.file_type().unwrap().is_dir() && !is_made {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) && !is_made {
                // One sample is windows-1252 on purpose.
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push(Text { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn sources() -> Vec<Text> {
    files(&[".rs"]).into_iter().filter(|file| file.path.starts_with("src/")).collect()
}

/// The line without its comment.
fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// Fails with every finding, if there is one.
#[track_caller]
fn hold(rule: &str, document: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule} (see {document}):\n{}", findings.join("\n"));
}

/// Lines that have one of the words in their code.
fn with_words<'a>(
    path: &str,
    lines: impl Iterator<Item = (usize, &'a str)>,
    words: &[&str],
) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in lines {
        for word in words.iter().filter(|word| code(line).contains(**word)) {
            findings.push(format!("{path}:{number}: {word}"));
        }
    }
    findings
}

/// Where a module stands: floor, place in its floor.
fn place(module: &str) -> Option<(usize, usize)> {
    FLOORS.iter().enumerate().find_map(|(floor, (modules, _))| {
        modules.iter().position(|one| *one == module).map(|place| (floor, place))
    })
}

/// Whether a module may use another.
fn may_use(module: &str, other: &str) -> bool {
    if module == other {
        return true;
    }
    let (Some(own), Some(others)) = (place(module), place(other)) else { return false };
    if module == ALONE {
        return false;
    }
    match FLOORS[own.0].1 {
        _ if others.0 < own.0 => true,
        Neighbours::Earlier => others.0 == own.0 && others.1 < own.1,
        Neighbours::None => false,
    }
}

/// Names right after `crate::` in a line of code; `{` where several are taken at once.
fn used_modules(line: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = code(line);
    while let Some(at) = rest.find("crate::") {
        let after = &rest[at + "crate::".len()..];
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
        names.push(if after.starts_with('{') { "{" } else { &after[..end] });
        rest = after;
    }
    names
}

#[test]
fn a_module_uses_the_floors_below_it() {
    let mut findings = Vec::new();
    for file in sources().iter().filter(|file| !matches!(file.module(), "lib" | "main")) {
        let module = file.module();
        if place(module).is_none() {
            findings.push(format!("{}:1: module {module} stands on no floor", file.path));
        }
        for (number, line) in file.product_lines() {
            for other in used_modules(line) {
                let names_a_module = other == "{" || place(other).is_some();
                if names_a_module && !may_use(module, other) {
                    findings.push(format!("{}:{number}: {module} uses {other}", file.path));
                }
            }
        }
    }
    hold("a module uses floors below it", "ARCHITECTURE.md, Floors", &findings);
}

#[test]
fn the_floors_are_read_as_they_are_meant() {
    for (module, other, may) in [
        ("qbxml", "domain", true),
        ("domain", "qbxml", false),
        ("engine", "store", true),
        ("store", "engine", false),
        ("api", "engine", true),
        ("api", "soap", false),
        ("dashboard", "api", false),
        ("simulator", "domain", false),
        ("simulator", "simulator", true),
        ("cli", "simulator", true),
        ("server", "cli", false),
        ("cli", "{", false),
    ] {
        assert_eq!(may_use(module, other), may, "{module} uses {other}");
    }
    assert_eq!(used_modules("use crate::domain::ids; // crate::cli"), ["domain"]);
    assert_eq!(used_modules("fn a(b: crate::store::X) -> crate::engine::Y {"), ["store", "engine"]);
    assert_eq!(used_modules("use crate::{a, b};"), ["{"]);
}

#[test]
fn a_file_fits_in_a_head() {
    let mut findings = Vec::new();
    for file in sources().iter().filter(|file| !file.is_test()) {
        let lines = file.product_lines().count();
        if lines > LONGEST {
            findings.push(format!("{}:{LONGEST}: it has {lines} lines", file.path));
        }
    }
    hold("a file has at most 500 lines outside its tests", "CONTRIBUTING.md, Rules", &findings);
}

#[test]
fn a_file_says_what_it_is() {
    let files = files(&[".rs"]);
    let findings: Vec<_> = files
        .iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| format!("{}:1: no module doc", file.path))
        .collect();
    hold("a file begins with its module doc", "CONTRIBUTING.md, Rules", &findings);
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    let findings: Vec<_> = sources()
        .iter()
        .filter(|file| !file.is_test())
        .flat_map(|file| with_words(&file.path, file.product_lines(), &[".unwrap()"]))
        .collect();
    hold("no unwrap outside tests", "CONTRIBUTING.md, Rules", &findings);
}

#[test]
fn nothing_is_allowed_ignored_or_left_to_do() {
    let words = ["#[allow(", "#![allow(", "todo!", "unimplemented!", "#[ignore", "should_panic"];
    let findings: Vec<_> = files(&[".rs"])
        .iter()
        .filter(|file| file.path != "tests/tidy.rs")
        .flat_map(|file| with_words(&file.path, file.lines(), &words))
        .collect();
    hold("expect with a reason; nothing left to do", "CONTRIBUTING.md, Rules", &findings);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let endings = [
        ".rs",
        ".md",
        ".toml",
        ".sh",
        ".py",
        ".html",
        ".css",
        ".js",
        ".txt",
        ".json",
        ".xml",
        ".yml",
        ".table",
        "justfile",
        "run",
        "test",
        "bench-10k",
    ];
    let words = ["work", "root", "Users"].map(|folder| format!("/{folder}/"));
    let mut findings = Vec::new();
    for file in files(&endings) {
        for (number, line) in file.lines() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                findings.push(format!("{}:{number}: {word}", file.path));
            }
        }
    }
    hold("no path of one machine", "CONTRIBUTING.md, Rules", &findings);
}

/// Targets of the links of a Markdown file, with their lines: `[text](target)`.
fn links(file: &Text) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (number, line) in file.lines() {
        let mut rest = line;
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            let Some(end) = rest.find(')') else { break };
            links.push((number, &rest[..end]));
        }
    }
    links
}

/// The file in the tree that a link leads to, if it leads there.
fn target(file: &Text, link: &str) -> Option<PathBuf> {
    let path = link.split('#').next().unwrap_or(link);
    let leads_out = link.contains("://") || link.starts_with("mailto:") || path.is_empty();
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let mut clean = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            std::path::Component::ParentDir => {
                clean.pop();
            }
            std::path::Component::CurDir => {}
            other => clean.push(other),
        }
    }
    (!leads_out && !path.starts_with('/')).then_some(clean)
}

#[test]
fn every_document_is_linked_and_every_link_leads_somewhere() {
    let pages = files(&[".md"]);
    let mut linked = BTreeSet::new();
    let mut findings = Vec::new();
    for page in &pages {
        for (number, link) in links(page) {
            let Some(target) = target(page, link) else { continue };
            if !root().join(&target).exists() {
                findings.push(format!("{}:{number}: {link} leads nowhere", page.path));
            }
            if target != Path::new(&page.path) {
                linked.insert(target);
            }
        }
    }
    for page in pages.iter().filter(|page| page.path.starts_with("docs/")) {
        if !linked.contains(Path::new(&page.path)) {
            findings.push(format!("{}:1: no document links to it", page.path));
        }
    }
    hold("documents are reached by links", "docs/README.md", &findings);
}

/// Names of the crates that the manifest takes, with their lines.
fn dependencies(manifest: &Text) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut is_in = false;
    for (number, line) in manifest.lines() {
        if line.starts_with('[') {
            is_in = line.ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (is_in, line.split_once(" = ")) {
            found.push((number, name));
        }
    }
    found
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, table) = page.split_once("## Dependencies, and why").unwrap();
    let named: BTreeSet<_> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|names| names.split([',', ' ', '`', '=']))
        .collect();
    let manifests = files(&["Cargo.toml"]);
    let findings: Vec<_> = manifests
        .iter()
        .flat_map(|manifest| dependencies(manifest).into_iter().map(move |it| (manifest, it)))
        .filter(|(_, (_, name))| !named.contains(name))
        .map(|(manifest, (number, name))| format!("{}:{number}: {name}", manifest.path))
        .collect();
    hold("a dependency has its reason", "ARCHITECTURE.md, Dependencies", &findings);
}

//! Parents and what stands below them.

use super::*;

/// Adds an element of a list, below another one if there is one; its id.
fn add(company: &mut Company, kind: &str, name: &str, parent: &str) -> String {
    let parent = reference(parent);
    let rest = if kind == "Account" { "<AccountType>Expense</AccountType>" } else { "" };
    company.id(&format!(
        "<{kind}AddRq><{kind}Add><Name>{name}</Name>{parent}{rest}</{kind}Add></{kind}AddRq>"
    ))
}

fn reference(parent: &str) -> String {
    if parent.is_empty() {
        return String::new();
    }
    format!("<ParentRef><FullName>{parent}</FullName></ParentRef>")
}

/// Moves an element below another one; what came of it.
fn move_below(company: &mut Company, kind: &str, id: &str, parent: &str) -> Said {
    let sequence = company.quickbooks.books().get(id).unwrap().edit_sequence;
    company.one(&format!(
        "<{kind}ModRq><{kind}Mod><ListID>{id}</ListID><EditSequence>{sequence}</EditSequence>{}\
         </{kind}Mod></{kind}ModRq>",
        reference(parent)
    ))
}

#[test]
fn nothing_stands_below_itself() {
    for kind in ["Account", "Class", "Customer"] {
        let mut company = Company::new();
        let top = add(&mut company, kind, "Top", "");
        add(&mut company, kind, "Middle", "Top");
        add(&mut company, kind, "Low", "Top:Middle");

        for parent in ["Top", "Top:Middle", "Top:Middle:Low"] {
            let said = move_below(&mut company, kind, &top, parent);
            assert_eq!(said.code(), 3130, "{kind} {parent}: {}", said.message());
            assert!(said.message().contains(parent), "{}", said.message());
        }

        let query = format!("<{kind}QueryRq><FullName>Top</FullName></{kind}QueryRq>");
        assert_eq!(company.one(&query).at("FullName"), "Top", "{kind}");
    }
}

#[test]
fn what_stands_below_moves_along() {
    let mut company = Company::new();
    add(&mut company, "Class", "East", "");
    let west = add(&mut company, "Class", "West", "");
    let shop = add(&mut company, "Class", "Shop", "West");

    let said = move_below(&mut company, "Class", &west, "East");

    assert_eq!((said.code(), said.at("FullName"), said.at("Sublevel")), (0, "East:West", "1"));
    let body = &company.quickbooks.books().get(&shop).unwrap().body;
    assert_eq!((body.get("FullName"), body.get("Sublevel")), ("East:West:Shop", "2"));
}

#[test]
fn there_are_five_levels() {
    let mut company = Company::new();
    let mut path = String::new();
    for name in ["A", "B", "C", "D", "E"] {
        add(&mut company, "Customer", name, &path);
        path = if path.is_empty() { name.to_owned() } else { format!("{path}:{name}") };
    }
    let other = add(&mut company, "Customer", "Other", "");
    add(&mut company, "Customer", "Job", "Other");

    let sixth = company.one(&format!(
        "<CustomerAddRq><CustomerAdd><Name>F</Name>{}</CustomerAdd></CustomerAddRq>",
        reference(&path)
    ));
    assert_eq!(sixth.code(), 3130);
    assert_eq!(move_below(&mut company, "Customer", &other, "A:B:C:D").code(), 3130);
    assert_eq!(move_below(&mut company, "Customer", &other, "A:B:C").code(), 0);
}

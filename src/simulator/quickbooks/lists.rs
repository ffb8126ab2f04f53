//! Elements of lists: adding, changing, deleting, merging.
//!
//! Source of the rules: Onscreen Reference; field logs for the words (`status`).

use super::books::Object;
use super::desk::Desk;
use super::kinds;
use super::references;
use super::shape;
use super::status;
use super::status::Outcome;
use super::values;
use super::xml::Node;

/// The last `Sublevel`: a full name has five names at most.
///
/// Source: the longest full names in the schema, 5 × 41 + 4 = 209 and 5 × 31 + 4 = 159.
const LAST_LEVEL: usize = 4;

/// Adds an element; answers its id.
pub(crate) fn add(desk: &mut Desk<'_>, kind: &str, asked: &Node) -> Outcome<String> {
    desk.feature(kind)?;
    let (kind, asked) = special(kind, asked);
    let (kind, asked) = (kind.as_str(), &asked);
    let mut body = Node::of(&format!("{kind}Ret"), shape::added(asked, shape::ret(kind)));
    if let Some(code) = body.child("BarCode").map(|code| code.get("BarCodeValue").to_owned()) {
        body.set("BarCodeValue", code);
    }
    if kind == "Employee" {
        name_employee(&mut body);
    }
    let name = check_name(desk, kind, &mut body)?;
    if desk.is_locked(kind, &[&name]) {
        let why = "This list has been modified by another user.";
        return Err(status::saving_element(&kinds::list(kind), &name, why));
    }
    references::resolve(desk, &mut body, kind)?;
    check_kind(desk, kind, "", &body)?;
    let id = desk.list_id();
    lines(desk, &mut body);
    Ok(desk.create(kind, id, body))
}

/// Changes an element; answers its id.
pub(crate) fn modify(desk: &mut Desk<'_>, kind: &str, asked: &Node) -> Outcome<String> {
    desk.feature(kind)?;
    let id = list_id(asked)?;
    let object = desk.target(kind, &id, Some(asked.get("EditSequence")))?;
    let mut changes = asked.clone();
    changes.children.retain(|child| !matches!(child.name.as_str(), "ListID" | "EditSequence"));
    cannot_clear(kind, &changes.children)?;
    references::resolve(desk, &mut changes, kind)?;
    let mut body = object.body.clone();
    shape::merge(&mut body, &changes.children, shape::ret(kind));
    if kind == "Employee" {
        name_employee(&mut body);
    }
    rename(desk, &object, &mut body)?;
    check_kind(desk, kind, &id, &body)?;
    lines(desk, &mut body);
    desk.change(&object, body);
    Ok(id)
}

/// An employee is called by the parts of the name: no request names one otherwise.
fn name_employee(body: &mut Node) {
    let parts =
        ["FirstName", "MiddleName", "LastName"].map(|part| body.get(part).trim().to_owned());
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if !parts.is_empty() {
        body.set("Name", parts.join(" "));
    }
}

/// Deletes an element that nothing uses.
pub(crate) fn delete(desk: &mut Desk<'_>, kind: &str, id: &str) -> Outcome<Object> {
    let object = desk.target(kind, id, None)?;
    let used = desk.books.all().any(|other| other.id != id && refers_to(&other.body, id));
    if used {
        let why = "This list element is in use by another list element or a transaction.";
        return Err(status::cannot_delete(id, why));
    }
    desk.books.take(id, desk.now);
    Ok(object)
}

/// Merges one element into another: all references move over, the first one is deleted.
pub(crate) fn merge(desk: &mut Desk<'_>, request: &Node) -> Outcome<(Object, Object)> {
    let kind = request.get("ListMergeType").to_owned();
    let (from, to) = (request.at("MergeFrom/ListID"), request.at("MergeTo/ListID"));
    let sequence = |side: &str| request.at(&format!("{side}/EditSequence")).to_owned();
    let source = desk.target(&kind, from, Some(&sequence("MergeFrom")))?;
    let target = desk.target(&kind, to, Some(&sequence("MergeTo")))?;
    let family = |object: &Object| object.body.at("ParentRef/ListID").to_owned();
    let has_jobs = desk.books.below(from).next().is_some();
    if from == to || family(&source) != family(&target) || has_jobs {
        return Err(status::merge(from, to));
    }
    let users: Vec<_> =
        desk.books.all().filter(|other| refers_to(&other.body, from)).cloned().collect();
    for user in users {
        let mut body = user.body.clone();
        redirect(&mut body, from, to);
        desk.change(&user, body);
    }
    desk.books.take(from, desk.now);
    let body = target.body.clone();
    desk.change(&target, body);
    Ok((source, target))
}

/// The ListID of a request, if it can be one.
pub(crate) fn list_id(asked: &Node) -> Outcome<String> {
    let id = asked.get("ListID").trim();
    if references::looks_like_id(id) {
        Ok(id.to_owned())
    } else {
        Err(status::invalid_id(id, &values::words("ListID")))
    }
}

/// `SpecialAccountAdd` and `SpecialItemAdd` make an ordinary element with a given name.
fn special(kind: &str, asked: &Node) -> (String, Node) {
    let mut made = asked.clone();
    let (kind, name) = match kind {
        "SpecialAccount" => {
            let special = asked.get("SpecialAccountType");
            let (name, of_type) = match special {
                "AccountsPayable" => ("Accounts Payable", "AccountsPayable"),
                "AccountsReceivable" => ("Accounts Receivable", "AccountsReceivable"),
                "CostOfGoodsSold" => ("Cost of Goods Sold", "CostOfGoodsSold"),
                "InventoryAssets" => ("Inventory Asset", "OtherCurrentAsset"),
                "OpeningBalanceEquity" => ("Opening Balance Equity", "Equity"),
                "PettyCash" => ("Petty Cash", "Bank"),
                "DirectDepositLiabilities" => {
                    ("Direct Deposit Liabilities", "OtherCurrentLiability")
                }
                "PayrollLiabilities" => ("Payroll Liabilities", "OtherCurrentLiability"),
                "Estimates" | "PurchaseOrders" => (special, "NonPosting"),
                other => (other, "Expense"),
            };
            made.set("AccountType", of_type);
            ("Account", name.to_owned())
        }
        "SpecialItem" => match asked.get("SpecialItemType") {
            "FinanceCharge" => ("ItemOtherCharge", "Fin Chg".to_owned()),
            "ReimbursableExpenseGroup" => ("ItemGroup", "Reimb Group".to_owned()),
            _ => ("ItemSubtotal", "Reimb Subt".to_owned()),
        },
        _ => return (kind.to_owned(), made),
    };
    made.set("Name", name);
    (kind.to_owned(), made)
}

/// Holds the name of a new element against its name space and gives it its full name.
fn check_name(desk: &mut Desk<'_>, kind: &str, body: &mut Node) -> Outcome<String> {
    let element = kinds::name_element(kind);
    let name = body.get(element).trim().to_owned();
    if name.is_empty() {
        return Err(status::missing(element));
    }
    body.set(element, name.as_str());
    if name.contains(':') && kinds::has_no_colon(kind) {
        return Err(status::colon(&name, kind));
    }
    let full = full_name(desk, kind, "", body, &name)?;
    if kind != "ToDo" && desk.books.named(kind, &full).is_some() {
        return Err(if kind == "SalesRep" {
            status::saving_element("Sales Rep", &name, "The sales rep initial is already in use.")
        } else {
            status::name_in_use(&name)
        });
    }
    Ok(full)
}

/// Resolves the parent; sets `FullName` and `Sublevel` where the list has levels. `own` is the id of
/// the element itself, or "": nothing stands below itself, nor below the last level.
fn full_name(
    desk: &Desk<'_>,
    kind: &str,
    own: &str,
    body: &mut Node,
    name: &str,
) -> Outcome<String> {
    let (mut full, mut level) = (name.to_owned(), 0);
    if let Some(parent) = body.child("ParentRef").filter(|parent| !parent.is_empty()) {
        let (id, wanted) = (parent.get("ListID").trim(), parent.get("FullName").trim());
        let found = if id.is_empty() { desk.books.named(kind, wanted) } else { desk.books.get(id) };
        let found = found.filter(|found| found.kind == kind && found.is_active());
        let Some(found) = found.cloned() else {
            let shown = if id.is_empty() { wanted } else { id };
            return Err(status::parent(shown, &kinds::list(kind)));
        };
        full = format!("{}:{name}", found.name());
        level = found.name().matches(':').count() + 1;
        if is_below(desk, &found, own) || level + depth(desk, own) > LAST_LEVEL {
            return Err(status::parent_refused(found.name(), &kinds::list(kind)));
        }
        body.put(references::to("ParentRef", &found));
    }
    if kinds::has_parents(kind) {
        body.set("FullName", full.as_str());
        body.set("Sublevel", level.to_string());
    }
    Ok(full)
}

/// Whether an element is another one, or stands somewhere below it.
fn is_below(desk: &Desk<'_>, element: &Object, other: &str) -> bool {
    let mut at = element.id.clone();
    for _ in 0..=LAST_LEVEL {
        if at == other {
            return true;
        }
        match desk.books.get(&at).map(|object| object.body.at("ParentRef/ListID")) {
            Some(parent) if !parent.is_empty() => at = parent.to_owned(),
            _ => return false,
        }
    }
    false
}

/// How many levels stand below an element.
fn depth(desk: &Desk<'_>, id: &str) -> usize {
    desk.books.below(id).map(|child| depth(desk, &child.id) + 1).max().unwrap_or(0)
}

/// Lets a Mod give a new name or a new parent; the jobs below follow.
fn rename(desk: &mut Desk<'_>, object: &Object, body: &mut Node) -> Outcome<()> {
    let kind = object.kind.as_str();
    let element = kinds::name_element(kind);
    let name = body.get(element).trim().to_owned();
    if name.is_empty() {
        return Err(status::cannot_clear(element));
    }
    if name.contains(':') && kinds::has_no_colon(kind) {
        return Err(status::colon(&name, kind));
    }
    let (before, full) =
        (object.name().to_owned(), full_name(desk, kind, &object.id, body, &name)?);
    if full == before {
        return Ok(());
    }
    if let Some(other) = desk.books.named(kind, &full).filter(|other| other.id != object.id) {
        return Err(if other.kind == object.kind {
            let why = "Cannot merge list elements.";
            status::modifying(&kinds::list(kind), &object.id, why)
        } else {
            status::name_in_use(&name)
        });
    }
    let prefix = format!("{before}:");
    let below: Vec<_> =
        desk.books.of_kind(kind).filter(|job| job.name().starts_with(&prefix)).cloned().collect();
    for job in below {
        let mut moved = job.body.clone();
        let name = format!("{full}:{}", &job.name()[prefix.len()..]);
        moved.set("Sublevel", name.matches(':').count().to_string());
        moved.set("FullName", name);
        desk.change(&job, moved);
    }
    Ok(())
}

/// Rules of single lists.
fn check_kind(desk: &Desk<'_>, kind: &str, id: &str, body: &Node) -> Outcome<()> {
    let number = body.get("AccountNumber");
    if kind == "Account" && !number.is_empty() {
        let same = |other: &&std::sync::Arc<Object>| {
            other.id != id && other.body.get("AccountNumber") == number
        };
        if desk.books.of_kind("Account").any(|other| same(&other)) {
            let why = "The account number is already in use.";
            return Err(status::saving_element("Accounts", body.get("Name"), why));
        }
    }
    if kinds::ITEMS.contains(&kind) {
        check_item(desk, kind, body)?;
    }
    for address in body.children.iter().filter(|child| child.name.ends_with("Address")) {
        check_address(address)?;
    }
    Ok(())
}

/// Five free lines leave no room for city and postal code.
///
/// Source: consolibyte/quickbooks-php, `Callbacks.php` ("address … The parameter is incorrect").
pub(crate) fn check_address(address: &Node) -> Outcome<()> {
    let town = ["City", "State", "PostalCode"].iter().any(|part| !address.get(part).is_empty());
    if town && !address.get("Addr4").is_empty() && !address.get("Addr5").is_empty() {
        return Err(status::invalid_value("address", "").because("The parameter is incorrect."));
    }
    Ok(())
}

/// The accounts of an item: there, and of the right type.
fn check_item(desk: &Desk<'_>, kind: &str, body: &Node) -> Outcome<()> {
    let both = body.child("SalesAndPurchase");
    let needed: &[&str] = match kind {
        "ItemInventory" | "ItemInventoryAssembly" => {
            &["IncomeAccountRef", "COGSAccountRef", "AssetAccountRef"]
        }
        "ItemService" | "ItemNonInventory" | "ItemOtherCharge" if both.is_some() => {
            &["SalesAndPurchase/IncomeAccountRef", "SalesAndPurchase/ExpenseAccountRef"]
        }
        "ItemService" | "ItemNonInventory" | "ItemOtherCharge" => &["SalesOrPurchase/AccountRef"],
        "ItemDiscount" => &["AccountRef"],
        _ => &[],
    };
    for path in needed {
        let id = body.at(&format!("{path}/ListID"));
        let Some(account) = desk.books.get(id) else {
            return Err(status::missing_account());
        };
        let of_type = account.body.get("AccountType");
        let (fits, why) = if path.ends_with("AssetAccountRef") {
            (of_type == "OtherCurrentAsset", status::WRONG_ACCOUNT)
        } else if path.ends_with("COGSAccountRef") {
            (matches!(of_type, "CostOfGoodsSold" | "Expense"), status::WRONG_ACCOUNT)
        } else if path.ends_with("ExpenseAccountRef") {
            let receivable = matches!(of_type, "AccountsReceivable" | "AccountsPayable" | "Income");
            (!receivable, "The expense account is invalid.")
        } else if path.ends_with("IncomeAccountRef") {
            (matches!(of_type, "Income" | "OtherIncome"), status::WRONG_ACCOUNT)
        } else {
            (!matches!(of_type, "AccountsReceivable" | "AccountsPayable"), status::WRONG_ACCOUNT)
        };
        if !fits {
            let place = format!("item {}", kind.trim_start_matches("Item"));
            return Err(status::reference("Account", account.name(), &place, why));
        }
    }
    Ok(())
}

/// What a Mod may not empty.
///
/// Source: flowlink's log of an `ItemInventoryMod` with an empty `IncomeAccountRef`.
fn cannot_clear(kind: &str, changes: &[Node]) -> Outcome<()> {
    for change in changes.iter().filter(|change| cleared(change)) {
        let whole = change.children.is_empty() && holds_accounts(change);
        let named = change.name == kinds::name_element(kind) || change.name == "AccountType";
        if whole || named {
            return Err(status::cannot_clear(&change.name));
        }
    }
    if !kinds::ITEMS.contains(&kind) {
        return Ok(());
    }
    let parts = changes.iter().filter(|change| holds_accounts(change));
    for change in changes.iter().chain(parts.flat_map(|part| &part.children)) {
        if change.name.ends_with("AccountRef") && cleared(change) {
            return Err(status::cannot_clear(&change.name));
        }
    }
    Ok(())
}

/// The aggregates of an item that hold the accounts it cannot be without.
fn holds_accounts(change: &Node) -> bool {
    matches!(change.name.as_str(), "SalesOrPurchaseMod" | "SalesAndPurchaseMod")
}

fn cleared(change: &Node) -> bool {
    change.text.is_empty() && change.children.iter().all(cleared)
}

/// Gives ids to what an element holds as lines: contacts and notes.
fn lines(desk: &mut Desk<'_>, body: &mut Node) {
    for child in &mut body.children {
        let contact =
            matches!(child.name.as_str(), "ContactsRet" | "LeadContactsRet" | "LocationsRet");
        if contact && child.child("ListID").is_none() && !child.children.is_empty() {
            let id = desk.list_id();
            child.set("ListID", id);
            child.set("TimeCreated", super::clock::stamp(desk.now));
            child.set("TimeModified", super::clock::stamp(desk.now));
            child.set("EditSequence", desk.now.to_string());
        }
    }
    let notes = body.children.iter_mut().filter(|child| child.name == "AdditionalNotesRet");
    for (number, note) in notes.enumerate() {
        note.set("NoteID", number.to_string());
        if note.child("Date").is_none() {
            note.set("Date", desk.today());
        }
    }
}

/// Whether an aggregate refers to a list element.
pub(crate) fn refers_to(node: &Node, id: &str) -> bool {
    node.children.iter().any(|child| {
        (child.name.ends_with("Ref") && child.get("ListID") == id) || refers_to(child, id)
    })
}

fn redirect(node: &mut Node, from: &str, to: &str) {
    for child in &mut node.children {
        if child.name.ends_with("Ref") && child.get("ListID") == from {
            child.set("ListID", to);
        } else {
            redirect(child, from, to);
        }
    }
}

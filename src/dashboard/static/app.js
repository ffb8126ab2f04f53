// What the pages do beyond reading. Every page works without it.
"use strict";

// Whether somebody typed, ticked or chose something else than the page had.
const changed = (field) => field.type === "checkbox" || field.type === "radio"
  ? field.checked !== field.defaultChecked
  : field.tagName === "SELECT"
    ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((one) => one.defaultSelected))
    : field.type !== "hidden" && field.value !== field.defaultValue;

// Live parts: the server tells that something changed, and the part is fetched again; from
// elsewhere, if the page itself is the answer to a form.
const live = document.querySelector("[data-live]");
if (live && window.EventSource) {
  let source = null;
  let due = false;
  let busy = false;
  // Nobody loses what is being typed, ticked, opened or marked.
  const inUse = () => {
    const at = document.activeElement;
    const marked = getSelection();
    return live.querySelector("a:active, button:active") ||
      (at && live.contains(at) && at.matches("input, select, textarea")) ||
      [...live.querySelectorAll("input, select, textarea")].some(changed) ||
      [...live.querySelectorAll("details")].some((one) => one.open !== one.hasAttribute("data-open")) ||
      (!marked.isCollapsed && live.contains(marked.anchorNode));
  };
  const refresh = async () => {
    if (busy || inUse()) return;
    busy = true;
    try {
      due = false;
      const answer = await fetch(live.dataset.liveFrom || location.href, { headers: { "X-Live": "1" } });
      const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = fresh && fresh.querySelector("[data-live]");
      if (part && inUse()) due = true;
      else if (part) {
        live.dataset.live = part.dataset.live;
        live.replaceChildren(...part.childNodes);
        prepare(live);
      }
    } catch {
      due = true;
    } finally {
      busy = false;
    }
  };
  // What came while the part was in use, or while it was fetched, is shown once that is over.
  setInterval(() => due && !document.hidden && refresh(), 1000);
  // A page that nobody sees watches nothing: a browser has six connections for all its tabs.
  const watch = () => {
    if (document.hidden && source) {
      source.close();
      source = null;
    } else if (!document.hidden && !source) {
      source = new EventSource(live.dataset.live);
      source.addEventListener("change", () => {
        due = true;
        refresh();
      });
    }
  };
  watch();
  document.addEventListener("visibilitychange", watch);
  window.addEventListener("pagehide", () => source && source.close());
}

// Times stand in UTC; here they are told in the reader's own.
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const away = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
function distance(at) {
  const seconds = Math.round((at - Date.now()) / 1000);
  const size = Math.abs(seconds);
  if (size < 60) return away.format(seconds, "second");
  if (size < 3600) return away.format(Math.round(seconds / 60), "minute");
  if (size < 86400) return away.format(Math.round(seconds / 3600), "hour");
  return away.format(Math.round(seconds / 86400), "day");
}
function tell(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (isNaN(at)) continue;
    time.textContent = time.classList.contains("away") ? distance(at) : whole.format(at);
    time.title = time.classList.contains("away") ? whole.format(at) : time.dateTime;
  }
}
setInterval(() => tell(document), 20000);

// Texts with a limit say how many characters are there.
function count(field) {
  const told = document.getElementById(field.id + "-count");
  if (!told) return;
  const length = [...field.value].length;
  told.textContent = length + " of " + field.dataset.limit;
  told.classList.toggle("over", length > Number(field.dataset.limit));
}

// The end of a text, as much as a form of so many bytes carries: most signs are sent as three.
function ending(text, most) {
  let from = text.length;
  for (let room = most; from > 0; from--) {
    const sign = text.charCodeAt(from - 1);
    if (sign >= 0x800) room -= 9;
    else if (sign >= 0x80 || sign === 10 || sign === 13) room -= 6;
    else room -= /[\w*.\- ]/.test(text[from - 1]) ? 1 : 3;
    if (room < 0) break;
  }
  return text.slice(from);
}

function prepare(root) {
  tell(root);
  if (root !== document) stay();
  for (const field of root.querySelectorAll("[data-limit]")) {
    count(field);
    field.addEventListener("input", () => count(field));
  }
  for (const all of root.querySelectorAll("[data-all]")) {
    all.addEventListener("change", () => {
      for (const box of document.querySelectorAll("input[name=key][data-same]")) box.checked = all.checked;
    });
  }
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(text.textContent.trim());
        button.textContent = "Copied";
      } catch { // Over plain http there is no clipboard, and a browser may refuse it.
        getSelection().selectAllChildren(text);
        button.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C";
      }
    });
  }
  for (const input of root.querySelectorAll("[data-file]")) {
    const area = document.getElementById(input.dataset.file);
    const most = 8000000;
    const take = async (file) => {
      // Of a long file the end is read; more than this is never sent.
      if (file) area.value = ending(await file.slice(-most).text(), most);
    };
    area.form.addEventListener("submit", () => {
      const end = ending(area.value, most);
      if (end.length < area.value.length) area.value = end;
    });
    input.addEventListener("change", () => take(input.files[0]));
    area.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      area.classList.add("over-drop");
    });
    area.addEventListener("dragleave", () => area.classList.remove("over-drop"));
    area.addEventListener("drop", (event) => {
      area.classList.remove("over-drop");
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      take(event.dataTransfer.files[0]);
    });
  }
}
prepare(document);

// What was typed when the login had ended meanwhile is there again after the next one, of the same
// user, in this tab. Never a password, and nothing that is hidden.
const who = () => document.querySelector(".who span")?.textContent;
const twins = (action, what) => [...document.forms].filter((form) =>
  form.getAttribute("action") === action && form.querySelector("[name=do][type=hidden]")?.value === what);
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || !who()) return;
  const kept = [...form.elements].filter((field) => field.name &&
    !["hidden", "password", "file", "submit"].includes(field.type) &&
    (changed(field) || (field.tagName === "TEXTAREA" && !field.closest(".fields"))));
  if (!kept.length) return;
  const action = form.getAttribute("action");
  const what = form.querySelector("[name=do][type=hidden]")?.value;
  const fields = kept.map((field) => [field.name, field.value, field.checked]);
  const index = twins(action, what).indexOf(form);
  try {
    sessionStorage.typed = JSON.stringify({ who: who(), at: location.pathname, action, what, index, fields });
  } catch {
    delete sessionStorage.typed; // It is too long.
  }
});
if (location.pathname === "/login") {
  if (sessionStorage.typed && new URLSearchParams(location.search).has("ended")) sessionStorage.lost = "1";
} else if (sessionStorage.typed) {
  const typed = JSON.parse(sessionStorage.typed);
  const lost = sessionStorage.lost;
  delete sessionStorage.typed;
  delete sessionStorage.lost;
  const form = lost && typed.who === who() && typed.at === location.pathname &&
    twins(typed.action, typed.what)[typed.index];
  if (form) {
    for (const [name, value, checked] of typed.fields) {
      for (const field of form.querySelectorAll("[name=" + CSS.escape(name) + "]")) {
        if (field.type !== "checkbox" && field.type !== "radio") field.value = value;
        else if (field.value === value) field.checked = checked;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
    const said = document.createElement("p");
    said.className = "flash";
    said.setAttribute("role", "status");
    said.textContent = "What you typed is here again, and not done yet. Look at it, and press once more.";
    document.getElementById("main").prepend(said);
  }
}

// j and k walk the rows, Enter opens, r tries again, b bypasses; / searches.
const rows = () => [...document.querySelectorAll("tr[data-href]")];
let at = null; // The address of the row, which stays while rows come and go.
let place = -1; // Where it stood.
const here = () => rows().findIndex((row) => row.dataset.href === at);
function mark(index, focus) {
  const all = rows();
  place = index;
  all.forEach((row, one) => row.classList.toggle("at", one === index));
  const link = all[index].querySelector("a");
  if (focus && link) link.focus({ preventScroll: true });
}
function go(step) {
  const all = rows();
  const now = here();
  // Where a row is gone, the next one stands in its place.
  const to = now < 0 && at !== null && step > 0 ? place : (now < 0 ? place : now) + step;
  const index = Math.max(0, Math.min(all.length - 1, to));
  at = all[index].dataset.href;
  mark(index, true);
  all[index].scrollIntoView({ block: "nearest" });
}
// After rows were fetched again: the same one, and where the focus was lost with it, it comes back.
function stay() {
  const index = at === null ? -1 : here();
  if (index >= 0) mark(index, document.activeElement === document.body);
}
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) { event.preventDefault(); search.focus(); }
    return;
  }
  if (!rows().length) return;
  if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if (here() < 0) return;
  else if (event.key === "Enter" && !event.target.matches("a, button")) location.href = at;
  else if (event.key === "r" || event.key === "b") location.href = at + "#" + (event.key === "r" ? "do-retry" : "bypass-reason");
});
const named = location.hash && document.getElementById(location.hash.slice(1));
if (named) {
  named.scrollIntoView({ block: "center" });
  named.focus();
}

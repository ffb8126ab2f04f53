// What the pages do beyond reading. Every page works without it.
"use strict";

// Live parts: the server tells that something changed, and the part is fetched again; from
// elsewhere, if the page itself is the answer to a form.
const live = document.querySelector("[data-live]");
if (live && window.EventSource) {
  const source = new EventSource(live.dataset.live);
  let busy = false;
  source.addEventListener("change", async () => {
    // Nobody loses what is being typed or ticked.
    const typing = document.activeElement && live.contains(document.activeElement) &&
      document.activeElement.matches("input, select, textarea");
    if (busy || typing || live.querySelector("input:checked, details[open]")) return;
    busy = true;
    try {
      const answer = await fetch(live.dataset.liveFrom || location.href, { headers: { "X-Live": "1" } });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        const part = fresh.querySelector("[data-live]");
        if (part) {
          live.replaceChildren(...part.childNodes);
          prepare(live);
        }
      }
    } finally {
      busy = false;
    }
  });
  window.addEventListener("pagehide", () => source.close());
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

function prepare(root) {
  tell(root);
  for (const field of root.querySelectorAll("[data-limit]")) {
    count(field);
    field.addEventListener("input", () => count(field));
  }
  for (const all of root.querySelectorAll("[data-all]")) {
    all.addEventListener("change", () => {
      for (const box of document.querySelectorAll("input[name=key]")) box.checked = all.checked;
    });
  }
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
      button.textContent = "Copied";
    });
  }
  for (const input of root.querySelectorAll("[data-file]")) {
    const area = document.getElementById(input.dataset.file);
    const take = async (file) => {
      if (file) area.value = (await file.text()).slice(-900000);
    };
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

// j and k walk the rows, Enter opens, r tries again, b bypasses; / searches.
const rows = () => [...document.querySelectorAll("tr[data-href]")];
let at = -1;
function go(to) {
  const all = rows();
  if (!all.length) return;
  at = Math.max(0, Math.min(all.length - 1, to));
  all.forEach((row, index) => row.classList.toggle("at", index === at));
  all[at].scrollIntoView({ block: "nearest" });
  const link = all[at].querySelector("a");
  if (link) link.focus();
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
  if (event.key === "j") go(at + 1);
  else if (event.key === "k") go(at - 1);
  else if (event.key === "Enter" && at >= 0 && !event.target.matches("a, button")) location.href = rows()[at].dataset.href;
  else if ((event.key === "r" || event.key === "b") && at >= 0) location.href = rows()[at].dataset.href + "#" + (event.key === "r" ? "do-retry" : "bypass-reason");
});
const named = location.hash && document.getElementById(location.hash.slice(1));
if (named) {
  named.scrollIntoView({ block: "center" });
  named.focus();
}

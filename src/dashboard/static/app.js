// What the pages do beyond reading. Every page works without it.
"use strict";

// Live parts: the server tells that something changed, and the part is fetched again.
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
      const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
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

// Texts with a limit say how many characters are there.
function count(field) {
  const told = document.getElementById(field.id + "-count");
  if (!told) return;
  const length = [...field.value].length;
  told.textContent = length + " of " + field.dataset.limit;
  told.classList.toggle("over", length > Number(field.dataset.limit));
}

function prepare(root) {
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
    input.addEventListener("change", async () => {
      const file = input.files[0];
      if (file) document.getElementById(input.dataset.file).value = (await file.text()).slice(-900000);
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
  else if ((event.key === "r" || event.key === "b") && at >= 0) location.href = rows()[at].dataset.href + "#" + (event.key === "r" ? "retry" : "bypass");
});
const named = location.hash && document.getElementById(location.hash.slice(1));
if (named) named.focus();

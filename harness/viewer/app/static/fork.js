// The tree looks again while branches are under way; what was opened stays open.
"use strict";
(() => {
  const status = document.getElementById("status");
  const place = document.getElementById("tree");
  if (!status || !place) return;

  async function look() {
    if (status.dataset.running === "0") return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      status.textContent = "The program does not answer; trying again.";
    }
    setTimeout(look, 1500);
  }

  function put(page) {
    const fresh = page.getElementById("tree");
    const said = page.getElementById("status");
    if (!fresh || !said || fresh.isEqualNode(place)) return note(said);
    const held = place.contains(document.activeElement) ? address(document.activeElement) : null;
    const open = new Set([...place.querySelectorAll("details[open]")].map(key));
    place.replaceChildren(...fresh.childNodes);
    for (const each of place.querySelectorAll("details")) each.open = open.has(key(each));
    if (held) [...place.querySelectorAll("a")].find((a) => address(a) === held)?.focus();
    note(said);
  }

  function note(said) {
    if (!said) return;
    status.dataset.running = said.dataset.running;
    if (status.textContent !== said.textContent) status.textContent = said.textContent;
  }

  const address = (element) => element.getAttribute("href");
  const key = (details) => {
    const all = [...details.closest("li").querySelectorAll("a")];
    return `${all.length ? address(all[0]) : ""} ${details.className} ${details.querySelector("summary").textContent.split(":")[0]}`;
  };

  look();
})();

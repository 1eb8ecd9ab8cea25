// A debate that goes on: what is added comes as server-sent events and is put in its place.
"use strict";
(() => {
  const script = document.getElementById("app-script");
  const say = (words, lost) => {
    const status = document.getElementById("app-status");
    if (!status) return;
    if (status.textContent !== words) status.textContent = words;
    status.classList.toggle("lost", Boolean(lost));
  };

  // The turn that is meant by "fork": the one in the address, else the one in view.
  function turn() {
    const named = location.hash.slice(1).split("&")[0];
    if (/^T[0-9]+$/.test(named)) return named;
    for (const each of document.querySelectorAll("article.turn")) {
      if (each.getBoundingClientRect().bottom > 120) return each.id;
    }
    return "";
  }

  function aim() {
    const link = document.getElementById("app-fork");
    if (!link) return;
    const at = turn();
    link.setAttribute("href", link.dataset.fork + (at ? `?at=${encodeURIComponent(at)}` : ""));
    link.querySelector(".app-at").textContent = at ? ` from ${at}` : "";
  }

  // Parsed apart from the page, so that nothing in it loads or runs; scripts and frames are none
  // of what a section is made of.
  function parsed(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const each of page.querySelectorAll("script, iframe, object, embed, link, meta, base")) each.remove();
    return [...page.body.childNodes].map((node) => document.importNode(node, true));
  }

  function element(html) {
    return parsed(html).find((node) => node.nodeType === Node.ELEMENT_NODE);
  }

  function openly(before, after) {
    const open = new Set([...before.querySelectorAll("details[open]")].map(key));
    if (before.matches?.("details[open]")) open.add(key(before));
    for (const each of [after, ...after.querySelectorAll("details")]) {
      if (each.matches?.("details") && open.has(key(each))) each.open = true;
    }
  }

  const key = (details) => details.id || `${details.className} ${details.querySelector("summary")?.textContent}`;

  function refocus(had, place) {
    if (!had || place.contains(document.activeElement)) return;
    const again = had.id ? document.getElementById(had.id)
      : [...place.querySelectorAll("a")].find((a) => a.getAttribute("href") === had.href);
    again?.focus({ preventScroll: true });
  }

  function focusIn(place) {
    const active = document.activeElement;
    return place.contains(active) ? { id: active.id, href: active.getAttribute("href") } : null;
  }

  function putEntries(entries, order) {
    const place = document.getElementById("entries");
    if (!place) return;
    for (const name of Object.keys(entries)) {
      const fresh = element(entries[name]);
      if (!fresh) continue;
      const old = document.getElementById(name);
      if (old && place.contains(old)) {
        const had = focusIn(old);
        openly(old, fresh);
        old.replaceWith(fresh);
        refocus(had, fresh);
      } else {
        place.append(fresh);
      }
    }
    let next = place.firstElementChild;
    for (const name of order) {
      const entry = document.getElementById(name);
      if (!entry || entry.parentNode !== place) continue;
      if (entry === next) next = next.nextElementSibling;
      else place.insertBefore(entry, next);
    }
  }

  function putSection(name, html) {
    const place = document.querySelector(`[data-section="${CSS.escape(name)}"]`) ?? document.getElementById(name);
    if (!place) return;
    const fresh = document.createElement("div");
    fresh.append(...parsed(html));
    openly(place, fresh);
    const had = focusIn(place);
    place.replaceChildren(...fresh.childNodes);
    refocus(had, place);
  }

  function more(data) {
    const bottom = innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
    putEntries(data.entries, data.order);
    for (const name of Object.keys(data.sections)) putSection(name, data.sections[name]);
    window.tracktwo?.refresh(); // the page's own parts take up what is new
    if (bottom) scrollTo(0, document.documentElement.scrollHeight);
    say(data.said ? `Under way. Last: ${data.said}.` : "Under way.");
    aim();
  }

  function over(data) {
    const old = document.getElementById("app-bar");
    const fresh = data.bar ? element(data.bar) : null;
    if (old && fresh) {
      const status = document.getElementById("app-status");
      fresh.querySelector("#app-status")?.replaceWith(status); // the live region stays the same one
      const had = focusIn(old);
      old.replaceWith(fresh);
      refocus(had, fresh);
    }
    say(data.why);
    aim();
  }

  function follow() {
    const name = script.dataset.name.split("/").map(encodeURIComponent).join("/");
    const source = new EventSource(`/events/${name}?after=${encodeURIComponent(script.dataset.after)}`);
    source.addEventListener("more", (event) => more(JSON.parse(event.data)));
    source.addEventListener("anew", () => { source.close(); location.reload(); });
    source.addEventListener("over", (event) => { source.close(); over(JSON.parse(event.data)); });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) say("The program no longer answers; load the page again.", true);
      else say("The connection was cut; trying again.", true);
    });
    addEventListener("pagehide", () => source.close());
  }

  addEventListener("hashchange", aim);
  addEventListener("scrollend", aim);
  aim();
  if (script && "live" in script.dataset) follow();
})();

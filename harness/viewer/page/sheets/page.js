// What all sections share: moving to an anchor, the state in the address, keys, printing.
// The part of the address after # is an anchor, then what is filtered: #T12&party=us&find=ice.
const tracktwo = (() => {
  "use strict";
  const root = document.documentElement;
  const listeners = new Map();
  root.classList.add("scripted");

  const on = (name, listener) => {
    if (!listeners.has(name)) listeners.set(name, []);
    listeners.get(name).push(listener);
  };
  const emit = (name, value) => (listeners.get(name) ?? []).forEach((each) => each(value));

  const read = () => {
    const [first, ...rest] = location.hash.slice(1).split("&");
    const bare = first && !first.includes("=");
    return {
      anchor: bare ? decoded(first) : "",
      state: new URLSearchParams((bare ? rest : [first, ...rest]).join("&")),
    };
  };
  const decoded = (text) => (/%(?![0-9a-f]{2})/i.test(text) ? text : decodeURIComponent(text));
  let { state } = read();
  const get = (name) => state.get(name) ?? "";

  const write = (anchor) => {
    const kept = state.toString();
    const hash = [anchor, kept].filter(Boolean).join("&");
    history.replaceState(history.state, "", hash ? `#${hash}` : location.pathname + location.search);
  };
  const set = (values) => {
    for (const [name, value] of Object.entries(values)) {
      if (value) state.set(name, value);
      else state.delete(name);
    }
    write(read().anchor);
  };

  const said = document.getElementById("told");
  const tell = (words) => { said.textContent = words; };

  const reveal = (element) => {
    for (let each = element; each; each = each.parentElement) {
      if (each.matches("details")) each.open = true;
      if (each.hidden && each.matches("[data-reveal]")) each.hidden = false;
    }
    if (element.closest(".private")) showPrivate(true);
    if (element.closest(".filtered")) emit("unfilter");
  };

  let marked = null;
  let settling = null;
  // What comes into view gets its real height only then, which moves what is below it.
  const settle = (element, before, frames) => {
    if (settling !== element) return;
    element.scrollIntoView({ block: "start" });
    const { top } = element.getBoundingClientRect();
    const left = top === before ? Math.min(frames, 8) - 1 : frames - 1;
    if (left > 0) requestAnimationFrame(() => settle(element, top, left));
  };
  // Whoever scrolls is not pulled back.
  ["wheel", "touchmove", "mousedown"].forEach((name) => {
    addEventListener(name, () => { settling = null; }, { passive: true });
  });

  const go = (anchor, { push = true } = {}) => {
    const element = document.getElementById(anchor);
    if (!element) return false;
    reveal(element);
    if (push && read().anchor !== anchor) {
      const kept = state.toString();
      history.pushState(null, "", `#${[anchor, kept].filter(Boolean).join("&")}`);
    }
    marked?.classList.remove("here-now");
    marked = element;
    if (!element.matches("main, section")) element.classList.add("here-now");
    if (!element.matches("a, button, input, select, summary, [tabindex]")) {
      element.setAttribute("tabindex", "-1");
    }
    element.focus({ preventScroll: true });
    settling = element;
    settle(element, NaN, 40);
    emit("went", element);
    return true;
  };

  const follow = () => {
    const found = read();
    if ([...found.state.keys()].length || !found.anchor) {
      state = found.state;
      showPrivate(get("private") === "on", { quiet: true });
      emit("state");
    } else write(found.anchor);
    if (found.anchor) go(found.anchor, { push: false });
  };

  const privateBox = () => document.getElementById("show-private");
  const showPrivate = (shown, { quiet = false } = {}) => {
    const box = privateBox();
    if (!box) return;
    box.checked = shown;
    if (!quiet) set({ private: shown ? "on" : "" });
    emit("private", shown);
  };

  const keys = new Map();
  const key = (name, action) => keys.set(name, action);
  const typing = (target) =>
    target.isContentEditable ||
    target.matches("select, textarea, input:not([type=checkbox], [type=radio], [type=range])");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (get("keys") === "off" || typing(event.target) || document.querySelector("dialog[open]")) return;
    const action = keys.get(event.key);
    if (action) {
      event.preventDefault();
      action();
    }
  });

  const help = document.getElementById("help");
  const keysOn = document.getElementById("keys-on");
  const openHelp = () => { keysOn.checked = get("keys") !== "off"; help.showModal(); };
  key("?", openHelp);
  keysOn.addEventListener("change", () => set({ keys: keysOn.checked ? "" : "off" }));

  document.addEventListener("click", (event) => {
    if (event.target.closest("#open-help")) openHelp();
    const link = event.target.closest('a[href^="#"]');
    const anchor = link?.getAttribute("href").slice(1);
    const plain = !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (anchor && plain && event.button === 0 && go(anchor)) event.preventDefault();
  });
  document.addEventListener("change", (event) => {
    if (event.target === privateBox()) showPrivate(event.target.checked);
  });
  addEventListener("hashchange", follow);
  addEventListener("popstate", follow);

  // A closed <details> is not printed; what history did stays closed until somebody asks.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open], .kept, .asked)")];
    opened.forEach((each) => { each.open = true; });
  });
  addEventListener("afterprint", () => {
    opened.forEach((each) => { each.open = false; });
    opened = [];
  });

  const narrow = matchMedia("(max-width: 63.99rem)");
  const outline = document.querySelector(".outline details");
  if (outline && narrow.matches) outline.open = false;

  // A clone has no anchors of its own: an anchor stands on a page once.
  const clone = (element) => {
    const made = element.cloneNode(true);
    [made, ...made.querySelectorAll("[id]")].forEach((each) => each.removeAttribute("id"));
    made.removeAttribute("tabindex");
    return made;
  };

  const refresh = () => emit("grown");
  // Last of all, when every section listens.
  queueMicrotask(follow);
  return { go, on, emit, get, set, key, tell, clone, refresh, showPrivate };
})();
window.tracktwo = tracktwo;

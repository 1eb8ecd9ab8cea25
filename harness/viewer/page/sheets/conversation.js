// The conversation: filters, find, the turn under the eye, cards of citations, what was sent.
(() => {
  "use strict";
  const entries = document.getElementById("entries");
  const FILTERS = { party: "filter-party", item: "filter-item", move: "filter-move", label: "filter-label" };
  const box = (name) => document.getElementById(FILTERS[name]);
  const find = document.getElementById("find");
  const said = document.getElementById("filter-said");
  const all = () => [...entries.children].filter((each) => each.matches(".entry"));
  const seen = (element) => element.getClientRects().length > 0;
  // What the private layer holds is neither found nor counted while it is off.
  const off = (element) => element.closest(".private") && !document.getElementById("show-private")?.checked;
  const turns = () => all().filter((each) => each.matches(".turn") && seen(each));

  // Filters

  const wanted = () => Object.fromEntries(Object.keys(FILTERS).map((name) => [name, box(name)?.value ?? ""]));
  const among = (words, word) => !word || (words ?? "").split(" ").includes(word);
  const fits = (entry, { party, item, move, label }) => {
    const { dataset } = entry;
    if (item && dataset.item !== item) return false;
    if (entry.matches(".turn")) {
      return (!party || dataset.party === party) && among(dataset.kinds, move) && among(dataset.labels, label);
    }
    return entry.matches(".opened") || !(party || move || label);
  };
  const filter = () => {
    const chosen = wanted();
    all().forEach((entry) => entry.classList.toggle("filtered", !fits(entry, chosen)));
    count();
  };
  const count = () => {
    const total = all().filter((each) => each.matches(".turn") && !off(each)).length;
    const shown = turns().length;
    const found = find.value ? `; ${ranges.length} found` : "";
    said.textContent = (shown === total ? `${total} turns` : `${shown} of ${total} turns`) + found;
  };
  const restore = () => {
    for (const name of Object.keys(FILTERS)) if (box(name)) box(name).value = tracktwo.get(name);
    find.value = tracktwo.get("find");
    search();
    filter();
  };
  const clear = () => {
    for (const name of Object.keys(FILTERS)) if (box(name)) box(name).value = "";
    find.value = "";
    changed();
  };
  const changed = () => {
    tracktwo.set({ ...wanted(), find: find.value });
    search();
    filter();
  };

  // Find: marks without touching the text, so that what was marked stays what was said.

  let ranges = [];
  let place = -1;
  const fold = (text) => {
    const low = text.toLowerCase();
    return low.length === text.length ? low : text;
  };
  const nodes = (element) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT, (node) =>
      node.parentElement.closest("#card, .asked, summary, option") || off(node.parentElement) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    return found;
  };
  const occurrences = (element, sought) => {
    const texts = nodes(element);
    const whole = fold(texts.map((node) => node.data).join(""));
    const found = [];
    const at = (offset) => {
      let left = offset;
      for (const node of texts) {
        if (left < node.length) return [node, left];
        left -= node.length;
      }
      return [texts.at(-1), texts.at(-1).length];
    };
    for (let start = whole.indexOf(sought); start >= 0; start = whole.indexOf(sought, start + sought.length)) {
      const range = new Range();
      const [last, end] = at(start + sought.length - 1);
      range.setStart(...at(start));
      range.setEnd(last, end + 1);
      found.push(range);
    }
    return found;
  };
  const search = () => {
    const sought = fold(find.value.trim());
    const parts = sought ? all().flatMap((each) => [...each.querySelectorAll(".said, .chips, .words, .failed, .note")]) : [];
    ranges = parts.flatMap((part) => occurrences(part, sought));
    place = -1;
    if (CSS.highlights) CSS.highlights.set("found", new Highlight(...ranges));
    count();
  };
  const step = (by) => {
    const there = ranges.filter((range) => range.startContainer.parentElement.getClientRects().length);
    if (!there.length) {
      tracktwo.tell("Not found.");
      return;
    }
    place = (place + by + there.length + (place < 0 && by < 0 ? 1 : 0)) % there.length;
    const range = there[place];
    range.startContainer.parentElement.scrollIntoView({ block: "center" });
    getSelection().removeAllRanges();
    getSelection().addRange(range.cloneRange());
    const entry = range.startContainer.parentElement.closest(".entry");
    const where = entry.matches(".turn") ? entry.id : "the chair";
    said.textContent = `${place + 1} of ${there.length}, ${where}`;
  };

  document.addEventListener("input", (event) => { if (event.target === find) changed(); });
  document.addEventListener("change", (event) => {
    if (Object.values(FILTERS).includes(event.target.id)) changed();
  });
  document.addEventListener("click", (event) => { if (event.target.id === "filter-clear") clear(); });
  find.form.addEventListener("submit", (event) => event.preventDefault());
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      find.value = "";
      changed();
      find.blur();
    }
  });

  // The turn under the eye

  let current = null;
  const now = (turn) => {
    if (!turn || turn === current) return;
    current = turn;
    tracktwo.emit("turn", turn);
  };
  const inside = new Set();
  const eye = new IntersectionObserver((found) => {
    found.forEach(({ isIntersecting, target: turn }) => inside[isIntersecting ? "add" : "delete"](turn));
    const [first] = [...inside].sort((one, other) => one.dataset.seq - other.dataset.seq);
    now(first);
  }, { rootMargin: "-12% 0px -78% 0px" });
  const watched = new WeakSet();
  const watch = () => all().filter((each) => each.matches(".turn")).forEach((turn) => {
    if (!watched.has(turn)) {
      watched.add(turn);
      eye.observe(turn);
    }
  });
  let stood = null;
  tracktwo.on("went", (element) => {
    stood = element;
    now(element.closest(".turn"));
  });
  tracktwo.on("turn", (turn) => {
    stood = turn;
    const opened = all().find((each) => each.matches(".opened") && each.dataset.item === turn.dataset.item);
    document.querySelectorAll(".outline .item").forEach((link) => {
      const here = opened && link.getAttribute("href") === `#${opened.id}`;
      link[here ? "setAttribute" : "removeAttribute"]("aria-current", "location");
    });
  });

  const beside = (list, by) => {
    const from = document.activeElement?.closest?.(".turn, .issue") ?? stood;
    if (!from) return by > 0 ? list[0] : undefined;
    const at = list.indexOf(from);
    if (at >= 0) return list[at + by];
    const after = (each) => from.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING;
    return by > 0 ? list.find(after) : list.findLast((each) => !after(each) && each !== from);
  };
  const move = (list, by) => {
    const to = beside(list(), by);
    if (to) tracktwo.go(to.id);
  };
  const issues = () => [...entries.querySelectorAll(".issue")].filter(seen);
  tracktwo.key("j", () => move(turns, 1));
  tracktwo.key("k", () => move(turns, -1));
  tracktwo.key("n", () => move(issues, 1));
  tracktwo.key("p", () => move(issues, -1));
  tracktwo.key("/", () => {
    find.scrollIntoView({ block: "center" });
    find.focus();
    find.select();
  });

  // Cards: what a citation rests on, and what judges said of a sentence

  const card = document.getElementById("card");
  let held = null;
  let timer = 0;
  const target = (link) => document.getElementById(link.getAttribute("href").slice(1));
  const filled = (link) => {
    const about = target(link);
    if (!about || off(about)) return false;
    card.replaceChildren();
    const list = document.createElement("ul");
    list.className = about.matches(".position") ? "positions" : "";
    list.append(tracktwo.clone(about));
    card.append(list);
    const turn = link.closest(".turn");
    const verdicts = about.matches(".position") && turn
      ? [...turn.querySelectorAll(".verdicts [data-pos]")].filter((each) => each.dataset.pos === about.id) : [];
    if (verdicts.length) {
      const judges = document.createElement("ul");
      judges.className = "card-verdicts";
      judges.append(...verdicts.map((each) => tracktwo.clone(each.closest("li"))));
      card.append(judges);
    }
    return true;
  };
  const put = (link) => {
    const around = link.getClientRects()[0] ?? link.getBoundingClientRect();
    const { width, height } = card.getBoundingClientRect();
    const below = around.bottom + 6;
    const top = below + height < innerHeight ? below : Math.max(4, around.top - height - 6);
    card.style.left = `${Math.max(4, Math.min(around.left, innerWidth - width - 12))}px`;
    card.style.top = `${top}px`;
  };
  const show = (link) => {
    clearTimeout(timer);
    if (held === link) return;
    hide();
    if (!filled(link)) return;
    held = link;
    link.after(card);
    link.setAttribute("aria-details", "card");
    card.showPopover();
    put(link);
  };
  const hide = () => {
    clearTimeout(timer);
    if (!held) return;
    held.removeAttribute("aria-details");
    held = null;
    if (card.matches(":popover-open")) card.hidePopover();
    document.body.append(card);
  };
  const soon = (action, wait) => {
    clearTimeout(timer);
    timer = setTimeout(action, wait);
  };
  const carded = (node) => {
    const link = node.closest?.('a.cite, a.judged');
    return link && !card.contains(link) ? link : null;
  };
  document.addEventListener("mouseover", (event) => {
    const link = carded(event.target);
    if (link) soon(() => show(link), held ? 60 : 180);
    else if (card.contains(event.target)) clearTimeout(timer);
    else if (held && !card.contains(document.activeElement) && document.activeElement !== held) soon(hide, 350);
  });
  document.addEventListener("focusin", (event) => {
    const link = carded(event.target);
    if (link && link.matches(":focus-visible")) show(link);
    else if (!card.contains(event.target)) hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !held) return;
    const back = card.contains(document.activeElement) ? held : null;
    hide();
    event.stopPropagation();
    back?.focus();
    hide();
  }, true);
  document.addEventListener("click", (event) => { if (held && event.target.closest("a")) hide(); }, true);
  addEventListener("scroll", () => { if (held) put(held); }, { passive: true });

  // What a seat was sent and answered, put together when somebody asks

  const made = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  let parsed = [null, null];
  const sent = () => {
    const block = document.getElementById("sent");
    if (parsed[0] !== block) parsed = [block, block ? JSON.parse(block.textContent) : { texts: {}, calls: {} }];
    return parsed[1];
  };
  const piece = (texts, sha) => texts[sha] ?? `[the piece ${sha} is not in the record]`;
  const told = (name, call, texts) => {
    const parts = [made("h6", "", name)];
    const facts = [call.model || "no model answered", call.used, call.latency, call.finish && `ended by ${call.finish}`,
      call.retries && `sent again ${call.retries} times`, call.failure && `failed: ${call.failure}`];
    parts.push(made("p", "small", facts.filter(Boolean).join(" · ")));
    if (!call.sent.length) parts.push(made("p", "small", "No language model sits there: nothing was sent."));
    call.sent.forEach(([role, ...shas]) => {
      parts.push(made("p", "small", `Sent as ${role}:`));
      parts.push(made("pre", "sent", shas.map((sha) => piece(texts, sha)).join("")));
    });
    parts.push(made("p", "small", "Answered:"), made("pre", "sent", call.reply || "nothing"));
    if (call.schema) parts.push(made("p", "small", "Schema of the answer:"), made("pre", "sent", piece(texts, call.schema)));
    if (call.parameters) parts.push(made("p", "small", `Parameters: ${call.parameters}`));
    parts.filter((each) => each.matches("pre")).forEach((each) => each.setAttribute("tabindex", "0"));
    return parts;
  };
  document.addEventListener("toggle", (event) => {
    const details = event.target;
    if (!details.matches?.(".asked") || !details.open || details.querySelector("pre")) return;
    const { texts, calls } = sent();
    details.dataset.calls.split("\n").forEach((name) => {
      if (calls[name]) details.append(...told(name, calls[name], texts));
    });
  }, true);

  tracktwo.on("state", restore);
  tracktwo.on("unfilter", clear);
  tracktwo.on("private", () => {
    search();
    filter();
  });
  tracktwo.on("grown", () => {
    watch();
    search();
    filter();
  });
  watch();
  restore();
})();

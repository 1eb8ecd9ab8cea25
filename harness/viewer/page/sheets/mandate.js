// The mandate panel: what the speaker is on record for, as one reads.
(() => {
  "use strict";
  const panel = document.querySelector("#mandate > details");
  const chooser = document.getElementById("mandate-party");
  const about = document.getElementById("mandate-about");
  const list = document.getElementById("mandate-list");
  let turn = null;
  let due = 0;

  const words = (text) => (text ?? "").split(" ").filter(Boolean);
  // What the turn has to do with a position; a citation that judges made is none of the turn's.
  const TIES = [[".said a.cite, .cites a.cite", "cited"], [".because a.cite", "behind a move"],
    [".crosses a.cite", "crossed"]];
  const tiesOf = (entry) => {
    const found = new Map();
    for (const [where, word] of TIES) {
      for (const link of entry.querySelectorAll(where)) {
        const id = link.getAttribute("href").slice(1);
        found.set(id, (found.get(id) ?? new Set()).add(word));
      }
    }
    return found;
  };
  const titled = (title, positions, ties) => {
    const heading = document.createElement("h4");
    heading.textContent = title;
    const found = document.createElement("ul");
    found.className = "positions";
    found.append(...positions.map((each) => {
      const made = tracktwo.clone(each);
      if (ties.has(each.id)) {
        made.classList.add("lit");
        const mark = document.createElement("span");
        mark.className = "lit-word";
        mark.textContent = ` ${[...ties.get(each.id)].join(", ")} in this turn`;
        made.querySelector(".meta").append(mark);
      }
      return made;
    }));
    return [heading, found];
  };
  const title = (select, value) => [...select.options].find((each) => each.value === value)?.text ?? value;

  const show = () => {
    due = 0;
    if (!turn) return;
    const { item, issues } = turn.dataset;
    const party = chooser.value || turn.dataset.party;
    const discussed = new Set(words(issues));
    const ties = tiesOf(turn);
    const held = [...document.querySelectorAll("#dossier .position")]
      .filter((each) => each.dataset.party === party && each.dataset.item === item);
    const red = held.filter((each) => each.matches(".is-red_line"));
    const rest = held.filter((each) => !each.matches(".is-red_line"));
    const bears = (each) => ties.has(each.id) || words(each.dataset.issues).some((issue) => discussed.has(issue));
    const groups = [["Red lines", red], ["On what is discussed", rest.filter(bears)],
      ["Else on this item", rest.filter((each) => !bears(each))]];
    const items = document.getElementById("filter-item");
    about.textContent = `${title(chooser, party)}, at ${turn.id}, on ${title(items, item)}`;
    list.replaceChildren(...groups.filter(([, found]) => found.length).flatMap(([name, found]) => titled(name, found, ties)));
    if (!held.length) list.textContent = "Nothing is on record for this item.";
  };
  const later = () => { if (!due) due = requestAnimationFrame(show); };

  if (matchMedia("(max-width: 74.99rem)").matches) panel.open = false;
  // At the foot of a narrow window it is in the way of everything but the conversation.
  new IntersectionObserver(([{ isIntersecting }]) => {
    panel.parentElement.classList.toggle("near", isIntersecting);
  }, { rootMargin: "0px 0px -30% 0px" }).observe(document.getElementById("entries"));
  chooser.addEventListener("change", later);
  tracktwo.on("turn", (found) => {
    turn = found;
    later();
  });
  tracktwo.on("grown", later);
  tracktwo.key("m", () => {
    panel.open = !panel.open;
    if (panel.open) panel.querySelector("summary").focus();
  });
})();

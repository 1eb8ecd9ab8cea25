// The page works without this: the switch acts at once, and all items can be opened in one go.
(() => {
  "use strict";
  const form = document.getElementById("only");
  if (form) {
    const box = form.elements.namedItem("show");
    form.querySelector("button").hidden = true;

    const apply = () => {
      for (const row of document.querySelectorAll("[data-alike]")) row.hidden = box.checked;
      for (const said of document.querySelectorAll("[data-only]")) said.hidden = !box.checked;
      const address = new URL(location.href);
      if (box.checked) address.searchParams.set("show", "different");
      else address.searchParams.delete("show");
      if (address.href !== location.href) history.replaceState(null, "", address);
      // The letters of the base lead to the same page, shown as it is now.
      for (const link of document.querySelectorAll("a[data-base]")) {
        const to = new URL(link.href);
        if (box.checked) to.searchParams.set("show", "different");
        else to.searchParams.delete("show");
        link.href = to.href;
      }
    };

    box.addEventListener("change", apply);
    // A page taken from the browser's memory comes with the box as it was left.
    window.addEventListener("pageshow", apply);
  }

  const turns = document.getElementById("turns");
  const items = [...document.querySelectorAll("details.about")];
  if (turns && items.length > 1) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "open-all";
    const word = () => {
      button.textContent = items.every((each) => each.open) ? "Close all items" : "Open all items";
    };
    button.addEventListener("click", () => {
      const open = !items.every((each) => each.open);
      for (const each of items) each.open = open;
      word();
    });
    for (const each of items) each.addEventListener("toggle", word);
    word();
    turns.after(button);
  }
})();

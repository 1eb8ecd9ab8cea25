// One tab stop a drawing; the arrow keys go from sign to sign.
(() => {
  "use strict";
  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

  const rove = (drawing) => {
    const links = [...drawing.querySelectorAll("a")];
    if (!links.length) return;
    const place = (link) => link.querySelector(".board-hit").x.baseVal.value;
    links.sort((one, other) => place(one) - place(other));
    const hold = (chosen) => {
      links.forEach((link) => link.setAttribute("tabindex", link === chosen ? "0" : "-1"));
    };
    hold(links[0]);
    drawing.addEventListener("focusin", (event) => {
      const link = event.target.closest("a");
      if (link) hold(link);
    });
    drawing.addEventListener("keydown", (event) => {
      const at = links.indexOf(event.target.closest("a"));
      const ends = { Home: 0, End: links.length - 1 };
      const to = event.key in ends ? ends[event.key] : at + (STEPS[event.key] ?? NaN);
      if (at < 0 || !links[to] || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      links[to].focus();
      links[to].scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  };

  const begin = () => {
    const fresh = document.querySelectorAll(
      ".board-axis:not([data-roving]), .board-drawing:not([data-roving])",
    );
    fresh.forEach((drawing) => {
      drawing.dataset.roving = "";
      rove(drawing);
    });
  };

  begin();
  tracktwo.on("grown", begin);
})();

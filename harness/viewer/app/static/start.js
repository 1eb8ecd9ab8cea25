// The seats that an agenda has, as it is chosen; and the way to what has to be mended.
"use strict";
(() => {
  const agenda = document.getElementById("f-agenda");
  const parties = [...document.querySelectorAll('input[name="parties"]')];
  const rows = [...document.querySelectorAll("tr[data-party]")];

  function seated() {
    const byHand = parties.filter((box) => box.checked).map((box) => box.value);
    return byHand.length ? byHand : agenda.selectedOptions[0].dataset.parties.split(" ");
  }

  function show() {
    const at = new Set(seated());
    for (const row of rows) {
      const off = !at.has(row.dataset.party);
      row.classList.toggle("off", off);
      row.querySelector(".unseated").hidden = !off;
    }
  }

  if (agenda) {
    for (const each of [agenda, ...parties]) each.addEventListener("change", show);
    show();
  }
  const troubles = document.getElementById("troubles");
  if (troubles) troubles.focus();
})();

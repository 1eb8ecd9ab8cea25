"use strict";
// Keys for labelling. Whatever has a data-key is done by that key; everything works without this.
(() => {
  const KEPT = "tracktwo-label-keys";
  const keys = document.getElementById("keys");
  let sent = false;

  function wanted() {
    try {
      return localStorage.getItem(KEPT) !== "off";
    } catch {
      return true; // no storage here: keys are on until the page is left
    }
  }

  function keep(on) {
    try {
      localStorage.setItem(KEPT, on ? "on" : "off");
    } catch {
      // It holds for this page all the same.
    }
  }

  if (keys) {
    document.getElementById("switch").hidden = false;
    keys.checked = wanted();
    keys.addEventListener("change", () => keep(keys.checked));
  }

  function writes(target) {
    return target instanceof Element && target.closest("textarea, select, input:not([type=checkbox]):not([type=radio])");
  }

  function act(found) {
    if (found.matches("textarea")) {
      found.focus();
      return;
    }
    if (found.matches("input")) {
      found.focus();
    }
    found.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && writes(event.target)) {
      event.target.blur();
      document.getElementById("claim").focus();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing) {
      return;
    }
    if (sent || writes(event.target) || (keys && !keys.checked)) {
      return;
    }
    const found = [...document.querySelectorAll("[data-key]")].find(
      (each) => each.dataset.key === event.key.toLowerCase(),
    );
    if (found) {
      event.preventDefault();
      act(found);
    }
  });

  // One press, one label: what is on its way is not sent again. A page that comes back from the
  // browser's memory is alive again.
  document.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault();
    }
    sent = true;
  });
  window.addEventListener("pageshow", () => {
    sent = false;
  });

  const claim = document.getElementById("claim");
  if (claim) {
    claim.focus({ preventScroll: true });
  }
})();

// The page works without this: a link to an arm also unfolds it.
(() => {
  "use strict";
  const unfold = () => {
    const arm = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (arm instanceof HTMLDetailsElement) arm.open = true;
  };
  window.addEventListener("hashchange", unfold);
  unfold();
})();

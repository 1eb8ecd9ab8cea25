// The joint text at any of the changes that made it: what held then, what came and what went.
(() => {
  "use strict";
  let place = null;

  const factsOf = (paragraphs) => [...paragraphs].map((element) => ({
    element,
    marked: element.matches(".joint-place") ? null : element.querySelector(".joint-fact"),
    spells: element.dataset.spells.split(" ").map((span) => {
      const [begun, ended] = span.split("-");
      return [Number(begun), ended ? Number(ended) : Infinity];
    }),
  }));

  // A fact that has just come or gone is marked; what is gone is shown for this one step.
  const show = ({ element, marked, spells }, step, quiet) => {
    const holds = spells.some(([begun, ended]) => begun <= step && step < ended);
    const came = !quiet && step > 0 && spells.some(([begun]) => begun === step);
    const went = !quiet && !holds && step > 0 && spells.some(([, ended]) => ended === step);
    element.hidden = !holds && !(went && marked);
    if (!marked) return;
    if (came || went) marked.setAttribute("role", came ? "insertion" : "deletion");
    else marked.removeAttribute("role");
  };

  const locate = (text) => {
    const shown = text.querySelector(".joint-place:not([hidden])");
    const name = shown && [...shown.classList].find((each) => each.startsWith("joint-in-"));
    text.dataset.place = name ? name.slice("joint-in-".length) : "";
  };

  const follow = (entry) => {
    document.querySelectorAll(".joint-changed").forEach((each) => each.classList.remove("joint-changed"));
    const changed = entry && document.getElementById(entry.dataset.issue);
    if (!changed) return;
    changed.classList.add("joint-changed");
    changed.scrollIntoView({ block: "nearest" });
  };

  const begin = () => {
    const form = document.querySelector(".joint-slider[hidden]");
    if (!form) return;
    const [slider, said, turn] = ["step", "said", "turn"].map((id) => document.getElementById(`joint-${id}`));
    const final = document.querySelector(".joint-final");
    const steps = [...document.querySelectorAll("#joint-steps > li")];
    const facts = factsOf(document.querySelectorAll(".joint-paragraph [data-spells]"));

    const tell = (step, entry) => {
      const words = entry ? entry.querySelector("span").textContent : "Nothing has been said yet.";
      said.textContent = `${step} of ${steps.length}. ${words}`;
      slider.setAttribute("aria-valuetext", said.textContent);
      final.textContent = step === steps.length ? "As the record ends:" : `As it stood after change ${step}:`;
      turn.hidden = !entry;
      if (!entry) return;
      turn.textContent = entry.querySelector("a").textContent;
      turn.setAttribute("href", entry.querySelector("a").getAttribute("href"));
    };
    const go = (step, { quiet = false } = {}) => {
      place = step === steps.length ? null : step;
      facts.forEach((fact) => show(fact, step, quiet));
      document.querySelectorAll(".joint-text").forEach(locate);
      tell(step, steps[step - 1]);
      if (!quiet) follow(steps[step - 1]);
    };
    const move = (by) => {
      slider.value = String(Number(slider.value) + by);
      go(Number(slider.value));
    };

    slider.addEventListener("input", () => go(Number(slider.value)));
    document.getElementById("joint-back").addEventListener("click", () => move(-1));
    document.getElementById("joint-on").addEventListener("click", () => move(1));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = steps.length === 0;
    slider.value = String(place ?? steps.length);
    go(Number(slider.value), { quiet: true });
  };

  begin();
  tracktwo.on("grown", begin);
})();

// The reader's own guesses beside history. They are kept in the page and nowhere else.
(() => {
  "use strict";
  const guesses = new Map();
  let open = false;

  const verdict = (field) => {
    const chosen = field.querySelector("input:checked");
    if (!chosen) return null;
    guesses.set(chosen.name, chosen.value);
    const right = field.dataset.right.split(" ").includes(chosen.value);
    const answer = document
      .getElementById(`history-${field.dataset.guess}`)
      .querySelector("[data-answer]");
    const words = chosen.parentElement.querySelector("span").textContent;
    answer.textContent = `your guess: ${words}, ${right ? "right" : "not what happened"}`;
    return right;
  };

  const begin = () => {
    const guess = document.querySelector(".standing-guess[hidden]");
    if (!guess) return;
    const past = document.querySelector(".standing-past");
    const sum = document.querySelector(".standing-guessed");
    const asked = [...guess.querySelectorAll("[data-guess]")];
    const tell = () => {
      open = past.open;
      const given = asked.map(verdict).filter((each) => each !== null);
      sum.hidden = given.length === 0;
      sum.textContent = `You were right on ${given.filter(Boolean).length} of your ${given.length} guesses.`;
    };
    guess.querySelectorAll("input").forEach((input) => {
      input.checked = guesses.get(input.name) === input.value;
    });
    past.open = open;
    past.addEventListener("toggle", tell);
    guess.addEventListener("change", tell);
    guess.hidden = asked.length === 0;
  };

  begin();
  tracktwo.on("grown", begin);
})();

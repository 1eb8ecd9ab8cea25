// The shelf works without this: it says how many debates are chosen, carries the choice along when
// the reader goes on, and keeps what says nothing to the page asked for out of its address.
(() => {
  "use strict";
  const form = document.getElementById("shelf");
  if (!form) return;
  const most = Number(form.dataset.most);
  const button = document.getElementById("compare");
  const said = document.getElementById("chosen");
  const boxes = () => [...form.querySelectorAll("input[name=d]")];
  const links = [...form.querySelectorAll("a.carries")];

  const words = (count) => {
    if (count < 2) return `${count ? "One is" : "None is"} chosen: choose 2 to ${most} debates.`;
    if (count > most) return `${count} are chosen: choose at most ${most}.`;
    return `${count} are chosen.`;
  };

  const carry = (names) => {
    for (const link of links) {
      const address = new URL(link.href);
      address.searchParams.delete("d");
      for (const name of names) address.searchParams.append("d", name);
      link.href = address.href;
    }
  };

  const chosen = () => {
    const names = boxes().filter((box) => box.checked).map((box) => box.value);
    if (button) button.disabled = names.length < 2 || names.length > most;
    if (said) said.textContent = words(names.length);
    carry(names);
  };

  form.addEventListener("change", (event) => {
    if (event.target.name === "d") chosen();
  });
  let pressed = null;
  form.addEventListener("submit", (event) => { pressed = event.submitter; });
  form.addEventListener("formdata", (event) => {
    const comparing = pressed !== null && pressed === button;
    for (const [name, value] of [...event.formData]) {
      if (!value || (comparing && name !== "d")) event.formData.delete(name);
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    document.getElementById("q").focus();
  });
  // A page taken from the browser's memory comes with boxes as they were left.
  window.addEventListener("pageshow", chosen);
})();

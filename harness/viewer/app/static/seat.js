"use strict";
(() => {
  const EVERY = 2000; // milliseconds between two signs of life
  const SAY_AT = [60, 30, 10]; // seconds left that are said aloud
  const title = document.title;
  const told = document.getElementById("told");
  const seat = () => document.getElementById("seat");
  const composer = () => document.getElementById("composer");
  const kept = `draft ${seat().dataset.address}`;
  const sent = `sent ${seat().dataset.address}`;
  let ends = null;
  let sending = false;

  const tell = (words) => { told.textContent = words; };

  // What is typed stays with this tab until it was sent, whatever happens to the page.
  const keep = () => {
    const form = composer();
    if (!form) return;
    const values = [...new FormData(form)].filter(([name]) => name !== "do");
    sessionStorage.setItem(kept, JSON.stringify(values));
  };
  const draft = () => {
    try { return JSON.parse(sessionStorage.getItem(kept)) || []; } catch { return []; }
  };
  const restore = () => {
    const form = composer();
    const values = draft();
    const call = values.find(([name]) => name === "call");
    const here = form && form.elements.namedItem("call").value;
    // What was sent and neither came back nor came too late was taken.
    if (call && sessionStorage.getItem(sent) === call[1] && here !== call[1] && !document.getElementById("unsent")) {
      sessionStorage.removeItem(kept);
      return;
    }
    if (!form || !call) return;
    if (call[1] !== here) return offerBack(form, values);
    for (const field of form.querySelectorAll("select, textarea, input")) {
      if (field.type === "hidden") continue;
      const typed = values.filter(([name]) => name === field.name).map(([, value]) => value);
      if (field.type === "checkbox" || field.type === "radio") field.checked = typed.includes(field.value);
      else if (typed.length && [...(field.options || [])].every((o) => o.value !== typed[0]) && field.options) continue;
      else if (typed.length) field.value = typed[0];
    }
  };
  const offerBack = (form, values) => {
    const words = (values.find(([name]) => name === "statement") || ["", ""])[1];
    const field = form.elements.namedItem("statement");
    if (!words.trim() || field.value) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Put back what you had not sent";
    button.addEventListener("click", () => { field.value = words; keep(); button.remove(); field.focus(); });
    field.after(button);
  };

  const clock = () => {
    const shown = document.getElementById("clock");
    if (ends === null || !shown) return;
    const left = Math.max(0, Math.round((ends - performance.now()) / 1000));
    const words = left >= 60 ? `${Math.floor(left / 60)} min ${left % 60} s` : `${left} seconds`;
    if (shown.textContent === words) return;
    shown.textContent = words;
    if (SAY_AT.includes(left)) tell(`${words} left.`);
  };

  const begin = () => {
    const { call, left, item } = seat().dataset;
    ends = left === undefined ? null : performance.now() + 1000 * Number(left);
    document.title = call ? `● Your turn: ${item} · ${title}` : title;
    const form = composer();
    if (!form) return;
    restore();
    const field = form.elements.namedItem("statement");
    if (field && field.value !== field.defaultValue) keep(); // typed before this ran
    form.addEventListener("input", keep);
    form.addEventListener("submit", (event) => {
      if (sending) return event.preventDefault(); // a double click is one answer
      keep();
      sessionStorage.setItem(sent, form.elements.namedItem("call").value);
      sending = true;
    });
    const wrong = document.getElementById("wrong");
    if (wrong) {
      const field = document.querySelector("[aria-invalid]") || wrong.parentElement.querySelector("input, select, textarea");
      if (field) field.focus();
    }
  };

  // The server's page is parsed as a document of its own, in which nothing runs, and its part of
  // the seat takes the place of ours: what was said is escaped there as on every page.
  const renew = async () => {
    const answer = await fetch(seat().dataset.address, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("seat");
    if (!fresh) return location.reload();
    const before = seat().dataset.call;
    const open = [...seat().querySelectorAll("details[open] > summary")].map((each) => each.textContent.trim());
    const focused = document.activeElement && seat().contains(document.activeElement) ? document.activeElement.id : null;
    seat().replaceWith(document.importNode(fresh, true));
    for (const each of seat().querySelectorAll("details > summary")) {
      if (open.includes(each.textContent.trim())) each.parentElement.open = true;
    }
    begin();
    const heading = document.getElementById("turn");
    if (seat().dataset.call && seat().dataset.call !== before) heading.focus();
    else if (focused !== null) (document.getElementById(focused) || heading).focus();
    if (seat().dataset.call !== before || !before) tell(heading.textContent.replace("● ", ""));
  };

  const look = async () => {
    if (sending) return;
    try {
      const answer = await fetch(seat().dataset.address, {
        method: "POST", body: new URLSearchParams({ do: "here" }),
      });
      if (answer.headers.get("content-type") !== "application/json") return location.reload();
      const now = await answer.json();
      if (now.version !== seat().dataset.version && !sending) await renew();
      else if (now.left !== null) ends = performance.now() + 1000 * now.left;
    } catch {
      tell("The app does not answer; what you have typed is kept.");
    } finally {
      setTimeout(look, EVERY);
    }
  };

  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  begin();
  if (seat().dataset.call && !document.getElementById("wrong")) {
    document.getElementById("turn").focus();
    tell(document.getElementById("turn").textContent.replace("● ", ""));
  }
  setInterval(clock, 250);
  look();
})();

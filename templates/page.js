"use strict";
// Comfort for whoever answers. Without this script everything works as well.
(() => {
  const form = document.querySelector("form");
  if (!form) return;
  const status = form.querySelector(".saved");

  // What is written beside an option is asked for once the option is chosen.
  const writeIns = () => {
    for (const choice of form.querySelectorAll(".choice")) {
      const text = choice.querySelector(".write-in");
      if (!text) continue;
      const chosen = choice.querySelector("input").checked;
      text.hidden = !chosen;
      text.disabled = !chosen;
    }
  };
  form.addEventListener("change", writeIns);

  // How many characters are left.
  for (const field of form.querySelectorAll("[data-count]")) {
    const left = document.createElement("p");
    left.className = "hint count";
    left.id = `c${field.id}`;
    field.after(left);
    const described = field.getAttribute("aria-describedby");
    field.setAttribute("aria-describedby", described ? `${described} ${left.id}` : left.id);
    const count = () => {
      const characters = Array.from(field.value).length;
      left.textContent = field.dataset.count.replace("{}", field.maxLength - characters);
    };
    field.addEventListener("input", count);
    count();
  }

  // A slider moves the number; an untouched one answers nothing.
  for (const number of form.querySelectorAll("[data-slider]")) {
    const slider = document.createElement("input");
    slider.type = "range";
    for (const name of ["min", "max", "step"]) slider[name] = number[name];
    // Where any number will do, whole ones are what a slider is for.
    if (number.step === "any" && number.max - number.min >= 2) slider.step = 1;
    slider.value = (Number(number.min) + Number(number.max)) / 2;
    slider.setAttribute("aria-label", document.querySelector(`label[for="${number.id}"]`).textContent);
    const show = () => {
      const untouched = number.value === "";
      slider.classList.toggle("untouched", untouched);
      // Where it stands by itself is no answer.
      if (untouched) slider.setAttribute("aria-valuetext", number.dataset.slider);
      else slider.removeAttribute("aria-valuetext");
    };
    const follow = () => {
      if (number.value !== "") slider.value = number.value;
      show();
    };
    const lead = () => {
      number.value = slider.value;
      show();
    };
    slider.addEventListener("input", lead);
    slider.addEventListener("change", lead);
    slider.addEventListener("pointerup", () => {
      lead();
      number.dispatchEvent(new Event("input", { bubbles: true }));
    });
    number.addEventListener("input", follow);
    number.before(slider);
    follow();
  }

  // What was entered is kept while one goes on.
  let timer = 0;
  let request = null;
  let leaving = false;
  const save = async () => {
    if (leaving) return;
    if (request) request.abort();
    const mine = new AbortController();
    request = mine;
    const body = new URLSearchParams(new FormData(form));
    body.set("go", "save");
    try {
      const answer = await fetch(form.action, {
        method: "POST", body, signal: mine.signal, credentials: "omit", redirect: "error",
      });
      if (!leaving) status.textContent = answer.ok ? status.dataset.saved : status.dataset.unsaved;
    } catch {
      if (!leaving && request === mine) status.textContent = status.dataset.unsaved;
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(save, 1500);
  });

  // A second click is not a second submission.
  form.addEventListener("submit", (event) => {
    if (leaving) {
      event.preventDefault();
      return;
    }
    leaving = true;
    clearTimeout(timer);
    if (request) request.abort();
    // Disabled at once, a button would not be sent.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button")) button.disabled = true;
    });
  });
  // Whoever comes back by the browser's own button finds a page that can be sent.
  addEventListener("pageshow", () => {
    leaving = false;
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  });

  writeIns();
  const wrong = form.querySelector("[autofocus]");
  if (wrong) wrong.focus();
})();

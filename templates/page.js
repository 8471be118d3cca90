"use strict";
// Comfort for participants. Without this script everything works as well.
(() => {
  const form = document.querySelector("form");
  if (!form) return;
  const status = form.querySelector(".saved");
  const buttons = form.querySelectorAll("button");
  const element = (name, properties) => Object.assign(document.createElement(name), properties);

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

  // Which of two numbers is meant is asked of the text that the page came with.
  for (const readings of form.querySelectorAll(".readings")) {
    const number = readings.parentElement.querySelector(".number");
    number.addEventListener("input", () => {
      readings.hidden = number.value !== number.defaultValue;
      for (const reading of readings.querySelectorAll("input")) reading.disabled = readings.hidden;
    });
  }

  // How many characters are left, once few are.
  for (const field of form.querySelectorAll("[data-left]")) {
    const left = element("p", { className: "hint count", id: `c${field.id}`, dir: "auto", hidden: true });
    field.after(left);
    const described = field.getAttribute("aria-describedby");
    field.setAttribute("aria-describedby", described ? `${described} ${left.id}` : left.id);
    const count = () => {
      const { max, left: words } = field.dataset;
      const characters = Array.from(field.value).length;
      left.hidden = characters < 0.8 * max;
      left.textContent = words.replace("{}", max - characters);
    };
    field.addEventListener("input", count);
    count();
  }

  // A long list of options is filtered by what is typed; what is chosen stays visible.
  for (const list of form.querySelectorAll("[data-filter]")) {
    const filter = element("input", { type: "search", className: "filter", autocomplete: "off" });
    filter.placeholder = list.dataset.filter;
    filter.setAttribute("aria-label", list.dataset.filter);
    const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    const choices = [...list.querySelectorAll(".choice")];
    const texts = choices.map((choice) => plain(choice.querySelector("label").textContent));
    filter.addEventListener("input", (event) => {
      event.stopPropagation();
      const wanted = plain(filter.value.trim());
      choices.forEach((choice, place) => {
        choice.hidden = !texts[place].includes(wanted) && !choice.querySelector("input").checked;
      });
    });
    filter.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
    choices[0].before(filter);
  }

  // A slider moves the number; an untouched one answers nothing.
  for (const number of form.querySelectorAll("[data-slider]")) {
    const { min, maxNumber: max, step } = number.dataset;
    const slider = element("input", { type: "range", min, max });
    // Where any number will do, whole ones are what a slider is for.
    slider.step = step || (max - min >= 2 ? 1 : "any");
    slider.value = (Number(min) + Number(max)) / 2;
    slider.setAttribute("aria-label", document.querySelector(`label[for="${number.id}"]`).textContent);
    const ends = element("p", { className: "ends" });
    const shown = element("output", { htmlFor: number.id });
    ends.append(element("span", { textContent: min }), shown, element("span", { textContent: max }));
    const show = () => {
      const untouched = number.value === "";
      slider.classList.toggle("untouched", untouched);
      shown.textContent = untouched ? number.dataset.slider : number.value;
      // Where it stands by itself is no answer.
      if (untouched) slider.setAttribute("aria-valuetext", number.dataset.slider);
      else slider.removeAttribute("aria-valuetext");
    };
    const follow = () => {
      const value = Number(number.value);
      if (number.value !== "" && !Number.isNaN(value)) slider.value = value;
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
    number.before(slider, ends);
    follow();
  }

  // An error goes once the server finds it mended; the hint is there again.
  const mend = (wrong) => {
    for (const error of form.querySelectorAll(".error")) {
      const question = error.closest("[data-question]");
      const { question: place } = question.dataset;
      if (wrong.includes(Number(place))) continue;
      const hint = question.querySelector(`#h${place}`);
      if (hint) hint.hidden = false;
      for (const field of [question, ...question.querySelectorAll("*")]) {
        field.removeAttribute("aria-invalid");
        const described = (field.getAttribute("aria-describedby") || "").split(" ");
        const ids = described.flatMap((id) => (id === error.id ? (hint ? [hint.id] : []) : [id]));
        if (described.includes(error.id)) field.setAttribute("aria-describedby", ids.join(" "));
      }
      // The two numbers stay as long as they are those of the text.
      const readings = question.querySelector(".readings");
      if (readings && !readings.hidden) {
        error.className = "hint";
      } else {
        readings?.remove();
        error.remove();
      }
      document.querySelector(`.summary [data-question="${place}"]`)?.remove();
    }
    const summary = document.querySelector(".summary");
    if (summary && !summary.querySelector("li")) summary.remove();
  };

  // What was entered is saved on the way.
  let timer = 0;
  let request = null;
  let leaving = false;
  // What was entered and is not known to be saved: the last change of each question, by its number.
  const unsaved = new Map();
  let changes = 0;
  // The form, or what it has of some questions.
  const body = (places) => {
    const entered = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const place = name === "q" ? value : /^[arw](\d+)/.exec(name)?.[1];
      if (!places || !place || places.has(place)) entered.append(name, value);
    }
    entered.set("go", "save");
    return entered;
  };
  const say = (word) => {
    if (!leaving) status.textContent = word ? status.dataset[word] : "";
  };
  const save = async () => {
    timer = 0;
    if (leaving) return;
    if (request) request.abort();
    const mine = new AbortController();
    request = mine;
    const until = changes;
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: body(), signal: mine.signal, credentials: "omit", redirect: "error",
      });
      if (!answer.ok) return say({ 413: "long", 429: "often" }[answer.status] ?? "unsaved");
      const { saved, unfinished, missing } = await answer.json();
      if (request !== mine) return;
      for (const [place, change] of unsaved) if (change <= until) unsaved.delete(place);
      if (leaving) return;
      mend([...unfinished, ...missing]);
      if (!saved) say("");
      else say(unfinished.length ? "partly" : "saved");
    } catch {
      if (request === mine) say(navigator.onLine ? "unsaved" : "offline");
    }
  };
  form.addEventListener("input", ({ target }) => {
    const place = target.closest("[data-question]")?.dataset.question;
    if (place) unsaved.set(place, (changes += 1));
    clearTimeout(timer);
    timer = setTimeout(save, 1500);
  });

  // What is not saved is sent although the page goes away. Of a page that is gone browsers send 64 KiB
  // at most: if that is too little, what has changed, as far as it fits.
  const PARTING_MAX = 60 * 1024;
  const fits = (entered) => entered.toString().length <= PARTING_MAX;
  const parting = () => {
    const whole = body();
    if (fits(whole)) return { entered: whole, isWhole: true };
    const places = new Set();
    for (const place of unsaved.keys()) {
      places.add(place);
      if (!fits(body(places))) places.delete(place);
    }
    return { entered: body(places), isWhole: places.size === unsaved.size };
  };
  addEventListener("pagehide", () => {
    if (leaving || !unsaved.size) return;
    clearTimeout(timer);
    timer = 0;
    if (request) request.abort();
    // If that fails, it is unsaved still, and is saved if the participant comes back.
    fetch(form.action, {
      method: "POST", body: parting().entered, credentials: "omit", keepalive: true,
    }).catch(() => {});
  });
  // What would be lost, the participant is asked about.
  addEventListener("beforeunload", (event) => {
    if (leaving || !unsaved.size || (navigator.onLine && parting().isWhole)) return;
    event.preventDefault();
    save();
  });

  // A second click is not a second submission, and without a connection nothing leaves the page.
  form.addEventListener("submit", (event) => {
    if (leaving || !navigator.onLine) {
      event.preventDefault();
      if (!navigator.onLine) say("offline");
      return;
    }
    leaving = true;
    clearTimeout(timer);
    if (request) request.abort();
    form.setAttribute("aria-busy", "true");
    const { submitter } = event;
    // Disabled at once, a button would not be sent.
    setTimeout(() => {
      if (submitter?.dataset.sending) {
        submitter.dataset.words = submitter.textContent;
        submitter.textContent = submitter.dataset.sending;
      }
      for (const button of buttons) button.disabled = true;
    });
  });
  // A participant who comes back by the browser's own button, or who stopped the page that was to
  // come, finds a page that can be sent.
  const stay = () => {
    leaving = false;
    form.removeAttribute("aria-busy");
    for (const button of buttons) {
      button.disabled = false;
      if (button.dataset.words) button.textContent = button.dataset.words;
    }
    if (unsaved.size) save();
  };
  addEventListener("pageshow", stay);
  addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && leaving) stay();
  });

  writeIns();
  const wrong = document.querySelector("[autofocus]");
  if (wrong) wrong.focus();
})();

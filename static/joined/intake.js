"use strict";
(() => {
const part = document.querySelector("[data-items]");
if (part) {
  const rows = () => [...part.querySelectorAll("[data-item]")];
  const title = (row) => row?.querySelector("[name=item_title]");
  const isFilled = (row) => Boolean(title(row)?.value.trim());
  const total = document.querySelector("input[name$=-TOTAL_FORMS]");
  let next = rows().length;
  const fill = (select) => {
    const chosen = select.value;
    const whole = document.getElementById(select.dataset.listOf).options;
    select.replaceChildren(...[...whole].map((option) => new Option(option.text, option.value)));
    select.value = chosen;
  };
  part.querySelectorAll("select[data-list-of]").forEach(fill);
  const template = document.querySelector("template[data-item-row]");
  const add = () => {
    const row = template.content.cloneNode(true);
    row.querySelectorAll("*").forEach((element) => {
      for (const name of ["id", "name", "for", "aria-label", "aria-describedby"]) {
        const value = element.getAttribute(name);
        if (value?.includes("__prefix__")) element.setAttribute(name, value.replaceAll("__prefix__", next));
        if (value?.includes("__number__")) element.setAttribute(name, value.replaceAll("__number__", next + 1));
      }
    });
    next += 1;
    if (total) total.value = next;
    const put = part.querySelector("[data-items-end]");
    const made = row.querySelector("[data-item]");
    part.insertBefore(row, put);
    made.querySelectorAll("select[data-list-of]").forEach(fill);
    return made;
  };
  const last = () => rows().at(-1);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-add-item]")) {
      event.preventDefault();
      title(isFilled(last()) ? add() : last()).focus();
    }
    const gone = event.target.closest("[data-drop-item]");
    if (gone) {
      event.preventDefault();
      const row = gone.closest("[data-item]");
      row.querySelectorAll("input, select, textarea").forEach((field) => { field.value = ""; });
      (title(row.previousElementSibling) || title(row))?.focus();
    }
  });
  document.addEventListener("input", ({ target }) => {
    if (template && target === title(last()) && isFilled(last())) add();
  });
}
})();
(() => {
const form = document.querySelector("form[data-intake]");
const ditto = JSON.parse(document.getElementById("ditto").textContent);
const known = (field) => document.getElementById(field.dataset.known || "");
const typed = (field, value) => {
  field.value = value;
  const kinds = field.dataset.known ? ["change"] : ["input", "change"];
  for (const kind of kinds) field.dispatchEvent(new Event(kind, { bubbles: true }));
};
const next = (from, onlyEmpty) => {
  const all = [...form.querySelectorAll("input:not([type=hidden], [type=file]), select, textarea, [data-main-action]")];
  all.slice(all.indexOf(from) + 1).find((field) => field.checkVisibility() && !(onlyEmpty && field.value))?.focus();
};
const choose = (button, field) => {
  const fills = Object.entries(JSON.parse(button.dataset.fill));
  const before = fills.map(([name]) => [name, form.elements[name].value]);
  for (const [name, value] of fills) typed(form.elements[name], value);
  const line = document.createElement("li");
  line.className = "filled";
  line.innerHTML = `<span>Filled in. </span><button class="btn tiny" type="button">Undo</button>`;
  line.querySelector("button").addEventListener("click", () => {
    for (const [name, value] of before) typed(form.elements[name], value);
    known(field).replaceChildren();
    field.focus();
  });
  known(field).replaceChildren(line);
  next(field, true);
};
const forget = (field) => known(field)?.querySelector("[data-fill]") && known(field).replaceChildren();
const leaveFrom = (field) => {
  if (field.value.trim()) return field;
  if (field.name === "attorney") return form.elements.attorney_fax;
  if (field.name !== "item_title") return field;
  const fields = [...form.querySelectorAll("[data-items] :is(input, select, textarea, button)")];
  return fields.filter((one) => one.matches("input, select, textarea")).at(-1);
};
let at = form.elements.first_name;
form.addEventListener("focusin", ({ target }) => { if (target.name && target.value !== undefined) at = target; });
form.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (!known(target)?.contains(relatedTarget)) forget(target);
});
document.addEventListener("htmx:afterSwap", ({ target }) => {
  const list = target.matches("[data-known-list]");
  if (list && document.activeElement !== target.closest(".find").querySelector("input")) target.replaceChildren();
  for (const guess of target.querySelectorAll("[data-guess]")) {
    const field = document.getElementById(guess.dataset.for);
    if (field && field.value === (field.dataset.guessed || ""))
      field.value = field.dataset.guessed = guess.dataset.guess;
  }
});
form.addEventListener("keydown", (event) => {
  const field = event.target;
  const list = known(field);
  const choices = [...list?.querySelectorAll("[data-fill]") || []];
  const here = choices.findIndex((one) => one.ariaCurrent);
  if (["ArrowDown", "ArrowUp"].includes(event.key) && choices.length) {
    event.preventDefault();
    choices[here]?.removeAttribute("aria-current");
    const step = event.key === "ArrowDown" ? 1 : choices.length - (here < 0 ? 0 : 1);
    choices[(here + step) % choices.length].ariaCurrent = "true";
  }
  if (event.key === "Escape") forget(field);
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
  if (!field.matches("input:not([type=file]), select, [data-one-line]") && !/^$|\n.*\d{4}$/.test(field.value)) return;
  event.preventDefault();
  if (here >= 0) choose(choices[here], field); else next(leaveFrom(field));
});
form.addEventListener("mousedown", (event) => {
  const button = event.target.closest("[data-fill]");
  if (button) { event.preventDefault(); choose(button, button.closest(".find").querySelector("input")); }
});
form.addEventListener("click", ({ target }) => {
  if (target.closest("[data-ditto]")) { at.focus(); if (ditto[at.name]) typed(at, ditto[at.name]); }
});
})();
(() => {
document.addEventListener("click", ({ target }) => {
  const turn = target.closest("[data-turn]");
  if (!turn) return;
  const pages = [...document.querySelectorAll(".scan img")];
  const seen = pages.findIndex((page) =>
    page.getBoundingClientRect().bottom > page.closest(".scan").getBoundingClientRect().top + 40);
  pages[Math.max(0, Math.min(pages.length - 1, seen + Number(turn.dataset.turn)))]?.scrollIntoView();
});
})();
(() => {
const IDLE = 800;
const textOf = (form) => {
  const all = new FormData(form);
  for (const [name, value] of [...all]) if (value instanceof File) all.delete(name);
  return all;
};
const make = (tag, look, text = "") =>
  Object.assign(document.createElement(tag), { className: look, textContent: text });
const showConflict = (box, said, keepMine) => {
  box.replaceChildren(make("h2", "", said.error));
  for (const name of Object.keys(said.theirs || {})) {
    const [mine, other] = [said.yours?.[name] ?? "", said.theirs[name] ?? ""].map(String);
    if (mine === other) continue;
    const two = make("div", "versus");
    for (const [head, text] of [["Yours", mine], ["Theirs", other]]) {
      const side = make("div", "");
      side.append(make("h3", "muted", head), make("p", "typed", text || "Nothing"));
      two.append(side);
    }
    box.append(two);
  }
  const again = make("a", "btn", "Load the newer text");
  again.href = location.href;
  const mine = make("button", "btn", "Keep mine");
  mine.type = "button";
  mine.addEventListener("click", () => { box.hidden = true; keepMine(); });
  const acts = make("p", "actions end");
  acts.append(mine, again);
  box.append(acts);
  box.hidden = false;
  box.scrollIntoView({ block: "nearest" });
};

const start = (form) => {
  const shown = document.querySelector(form.dataset.autosaveState || "[data-save-state]");
  let timer = 0, busy = false, again = false, state = "idle", tries = 0;

  const become = (next, words) => {
    if (shown) {
      shown.textContent = words;
      shown.classList.toggle("paused", next === "paused");
    }
    if (next !== state && (next === "paused" || state === "paused")) {
      document.dispatchEvent(new CustomEvent("portal:say", { detail: { text: words, urgent: next === "paused" } }));
    }
    state = next;
  };
  const later = (wait) => { clearTimeout(timer); timer = setTimeout(save, wait); };

  async function save() {
    if (state === "paused") return;
    if (busy) { again = true; return; }
    busy = true;
    again = false;
    become("saving", "Saving…");
    let answer;
    try {
      answer = await fetch(form.dataset.autosave, {
        method: "POST", body: textOf(form), credentials: "same-origin", keepalive: true,
        headers: { Accept: "application/json", "HX-Request": "true" },
      });
    } catch { answer = null; }
    busy = false;
    if (!answer || answer.status >= 500) {
      tries += 1;
      become("unsaved", tries > 5 ? "Not saved. Keep this page open." : "Not connected. Trying again.");
      later(Math.min(30000, 1000 * 2 ** tries));
      return;
    }
    tries = 0;
    if (answer.status === 401 || /\/login\/?(\?|$)/.test(answer.url)) {
      become("unsaved", "Not saved: you were signed out.");
      document.dispatchEvent(new CustomEvent("portal:session-ended"));
      return;
    }
    const refused = new CustomEvent("portal:save-refused", { cancelable: true, detail: { again: () => later(0) } });
    if (answer.status === 403 && !document.dispatchEvent(refused)) {
      become("unsaved", "Not saved: your sign-in changed.");
      return;
    }
    const said = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
    if (answer.ok) {
      const revision = form.querySelector("[name=revision]");
      if (revision && said.revision !== undefined) revision.value = said.revision;
      if (said.address) history.replaceState(history.state, "", said.address);
      become("saved", `Saved ${said.saved_at}`);
      form.dispatchEvent(new CustomEvent("portal:saved", { bubbles: true }));
      if (again) later(IDLE);
      return;
    }
    const box = document.querySelector("[data-conflict]");
    if (box && answer.status === 409) {
      showConflict(box, said, () => {
        form.querySelector("[name=revision]").value = said.revision;
        become("unsaved", "Not saved yet");
        save();
      });
    }
    const why = answer.status === 409 ? "Paused: changed in another window" : said.error;
    become("paused", why || `Not saved (${answer.status})`);
  }

  document.addEventListener("input", (event) => {
    if (event.target.form !== form) return;
    if (state === "paused" && !document.querySelector("[data-conflict]:not([hidden])")) state = "idle";
    if (state !== "paused") { become("unsaved", "Not saved yet"); later(IDLE); }
  });
  const waiting = () => ["unsaved", "saving"].includes(state);
  const flush = async () => {
    clearTimeout(timer);
    while (busy) await new Promise((go) => setTimeout(go, 50));
    if (state === "unsaved") await save();
    return state === "saved";
  };
  addEventListener("submit", (event) => {
    const plain = event.target === form && !event.submitter?.hasAttribute("formaction");
    if (plain) { clearTimeout(timer); state = "idle"; }
    if (plain || !waiting() || event.target.matches("[hx-post], [hx-get]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    flush().then((kept) => { if (kept) event.target.requestSubmit(event.submitter); });
  }, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]:not([target], [hx-get])");
    if (!link || !waiting() || event.ctrlKey || event.metaKey || link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    flush().then((kept) => { if (kept) location.assign(link.href); });
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && state === "unsaved") { clearTimeout(timer); save(); }
  });
  addEventListener("beforeunload", (event) => { if (waiting()) event.preventDefault(); });
};
document.querySelectorAll("form[data-autosave]").forEach(start);
})();

// Keys of the intake page. Enter goes to the next field, or takes whoever is known under the one that
// is typed in; F4 repeats what the last sheet had in this field; F8 and Shift F8 turn the scan's pages.
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
  for (const [name, value] of Object.entries(JSON.parse(button.dataset.fill))) typed(form.elements[name], value);
  known(field).replaceChildren();
  next(field, true);
};
let at = form.elements.first_name;
form.addEventListener("focusin", ({ target }) => { if (target.name && target.value !== undefined) at = target; });
form.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (!known(target)?.contains(relatedTarget)) known(target)?.replaceChildren();
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
  const choices = [...list?.querySelectorAll("button") || []];
  const here = choices.findIndex((one) => one.ariaCurrent);
  if (["ArrowDown", "ArrowUp"].includes(event.key) && choices.length) {
    event.preventDefault();
    choices[here]?.removeAttribute("aria-current");
    const step = event.key === "ArrowDown" ? 1 : choices.length - (here < 0 ? 0 : 1);
    choices[(here + step) % choices.length].ariaCurrent = "true";
  }
  if (event.key === "Escape") list?.replaceChildren();
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
  if (!field.matches("input:not([type=file]), select")) return;
  event.preventDefault();
  if (choices.length) choose(choices[Math.max(here, 0)], field); else next(field);
});
form.addEventListener("mousedown", (event) => {
  const button = event.target.closest("[data-fill]");
  if (button) { event.preventDefault(); choose(button, button.closest(".find").querySelector("input")); }
});
form.addEventListener("click", ({ target }) => {
  if (target.closest("[data-ditto]")) { at.focus(); if (ditto[at.name]) typed(at, ditto[at.name]); }
  const turn = target.closest("[data-turn]");
  if (turn) {
    const pages = [...form.querySelectorAll(".scan img")];
    const seen = pages.findIndex((page) =>
      page.getBoundingClientRect().bottom > page.parentElement.getBoundingClientRect().top + 40);
    pages[Math.max(0, Math.min(pages.length - 1, seen + Number(turn.dataset.turn)))]?.scrollIntoView();
  }
});

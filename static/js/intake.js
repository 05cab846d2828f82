// Keys of the intake page. Enter goes to the next field; after an arrow key it takes the known party
// that was chosen, which can be undone. F4 repeats what the last sheet had in this field.
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
// Leaving the empty row at the end of the treatments leaves the treatments, and an empty attorney all of its fields.
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
  // In a box of lines Enter begins a line, unless the box is empty or its last line ends with a ZIP code.
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

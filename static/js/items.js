// A list of disputed items ends with an empty row: typing into it adds another, and F9 goes to it. Rows
// are made from a <template>; ids stay unique and stable.
// Markup: [data-items] > rows [data-item], a <template data-item-row> with __prefix__, a button
// [data-add-item] and, for a Django formset, an input whose name ends in -TOTAL_FORMS. A select with
// data-list-of gets the options of the select with that id, which alone came with all of them.
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

// F9 adds a row to a list of disputed items, from its <template>; ids stay unique and stable.
// Markup: [data-items] > rows [data-item], a <template data-item-row> with __prefix__, a button
// [data-add-item] and, for a Django formset, an input whose name ends in -TOTAL_FORMS.
const part = document.querySelector("[data-items]");
if (part) {
  const rows = () => [...part.querySelectorAll("[data-item]")];
  const filled = () => rows().filter((row) =>
    row.querySelector("input[type=text], input:not([type]), textarea")?.value.trim()).length;
  const total = document.querySelector("input[name$=-TOTAL_FORMS]");
  let next = rows().length;
  const count = () => {
    const on = document.querySelector("[data-items-on-form]")?.value.trim();
    const place = document.querySelector("[data-items-count]");
    if (!place) return;
    const entered = filled();
    place.textContent = on ? `${on} on the form, ${entered} entered` : `${entered} entered`;
    place.classList.toggle("bad", Boolean(on) && Number(on) !== entered);
  };
  const add = (event) => {
    event.preventDefault();
    const row = document.querySelector("template[data-item-row]").content.cloneNode(true);
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
    made.querySelector("input, textarea")?.focus();
    count();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-add-item]")) add(event);
    const gone = event.target.closest("[data-drop-item]");
    if (gone) {
      event.preventDefault();
      const row = gone.closest("[data-item]");
      row.querySelectorAll("input, select, textarea").forEach((field) => { field.value = ""; });
      (row.previousElementSibling?.querySelector("input") || row.querySelector("input"))?.focus();
      count();
    }
  });
  document.addEventListener("input", count);
  count();
}

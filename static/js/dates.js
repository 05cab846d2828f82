// When a field with data-date is left, the server answers how it reads the date
// (form_fields/dates.py), and the field takes the whole date: 11/16/2026 for 1116 or -14.
document.addEventListener("change", async ({ target }) => {
  const place = target.matches("[data-date]") && document.getElementById(`${target.id}_echo`);
  if (!place) return;
  const typed = target.value;
  await htmx.ajax("POST", "/dates/", { source: target, target: place });
  const read = place.querySelector("[data-read]")?.dataset.read;
  if (!read || target.value !== typed || read === typed) return;
  target.value = read;
  target.dispatchEvent(new Event("input", { bubbles: true }));
});

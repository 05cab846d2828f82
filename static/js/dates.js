// Dates talk back: when a field with data-date is left, the server says beside it how it read the
// date (form_fields/dates.py), so that nobody else needs to know how dates are written.
document.addEventListener("change", ({ target }) => {
  const place = target.matches("[data-date]") && document.getElementById(`${target.id}_echo`);
  if (place) htmx.ajax("POST", "/dates/", { source: target, target: place });
});

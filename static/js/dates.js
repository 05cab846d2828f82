// When a field with data-date is left, the server answers how it reads the date
// (form_fields/dates.py).
document.addEventListener("change", ({ target }) => {
  const place = target.matches("[data-date]") && document.getElementById(`${target.id}_echo`);
  if (place) htmx.ajax("POST", "/dates/", { source: target, target: place });
});

// When a field with data-reads is left, the server at that address answers how it reads the field, a
// date (form_fields/dates.py) or an address (cases/postal_addresses.py). The field takes what was
// read: 11/16/2026 for 1116 or -14, and the city of a ZIP code.
document.addEventListener("change", async ({ target }) => {
  const place = target.dataset.reads && document.getElementById(`${target.id}_echo`);
  if (!place) return;
  const typed = target.value;
  await htmx.ajax("POST", target.dataset.reads, {
    // Not the field itself, whose look-up of what can be chosen would cancel this request.
    source: place, target: place, headers: { "HX-Trigger-Name": target.name },
  });
  const read = place.querySelector("[data-read]")?.dataset.read;
  if (!read || target.value !== typed || read === typed) return;
  target.value = read;
  target.dispatchEvent(new Event("input", { bubbles: true }));
});
